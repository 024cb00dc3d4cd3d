"""A puppet service in this process that says exactly what a test wants it to say; its manners are the real server's."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import grpc
from grpc import aio

from groupops_wechat.dialect import LAST_SEQ, number_of
from groupops_wechat.wire import puppet_pb2_grpc
from groupops_wechat.wire.puppet import (
    base_pb2,
    contact_pb2,
    event_pb2,
    message_pb2,
    room_member_pb2,
    room_pb2,
)
from tests.support.wechaty_end import ME, ROOM, TOKEN

HEARTBEAT, MESSAGE, DONG, LOGIN, LOGOUT = 1, 2, 3, 25, 26
TEXT = 7


class StandIn(puppet_pb2_grpc.PuppetServicer):
    """A room with its people, and whatever a test has it do.

    Args:
        people: contact → name.
    """

    tls = False
    token = TOKEN

    def __init__(self, people: dict[str, str] | None = None) -> None:
        self.people = {ME: "小助手", **(people or {"li": "李四", "wang": "王五"})}
        self.messages: dict[str, message_pb2.MessagePayloadResponse] = {}
        self.said: list[str] = []
        self.asked: Counter[str] = Counter()
        self.resumed: list[int] = []
        self.greets = True
        self.is_logged_in = True
        self.names_what_it_sends = True
        self.slow = 0.0
        self.dongs = True
        self.hangs: set[str] = set()
        self.port = 0
        self._stream: asyncio.Queue[event_pb2.EventResponse | None] | None = None
        self._server: aio.Server | None = None

    # — life —

    async def start(self, port: int = 0) -> None:
        """Listen on loopback."""
        self._server = aio.server()
        puppet_pb2_grpc.add_PuppetServicer_to_server(self, self._server)  # type: ignore[no-untyped-call]
        self.port = self._server.add_insecure_port(f"127.0.0.1:{port}")
        await self._server.start()

    async def stop(self) -> None:
        """Break off."""
        server, self._server, self._stream = self._server, None, None
        if server is not None:
            await server.stop(None)

    def hang_up(self) -> None:
        """End the stream, and go on answering."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.put_nowait(None)

    @property
    def is_read(self) -> bool:
        """Whether somebody reads the stream."""
        return self._stream is not None

    # — what it tells —

    def tells(self, number: int, payload: Any, *, beyond: bytes = b"") -> None:
        """Put an event on the stream; it is lost where nobody reads.

        Args:
            number: what kind.
            payload: its JSON, or a text that is none.
            beyond: fields of a dialect, as they are on the wire.
        """
        text = payload if isinstance(payload, str) else json.dumps(payload)
        said = event_pb2.EventResponse(type=number, payload=text)  # type: ignore[arg-type]
        if self._stream is not None:
            self._stream.put_nowait(event_pb2.EventResponse.FromString(said.SerializeToString() + beyond))

    def says(
        self, who: str, text: str, *, beyond: bytes = b"", event_beyond: bytes = b"", **more: Any
    ) -> str:
        """Have somebody say something in the room; gives the message's id."""
        id_ = str(more.pop("id", f"s{len(self.messages)}"))
        fields = {"room_id": ROOM, "type": TEXT, **more}
        told = message_pb2.MessagePayloadResponse(id=id_, talker_id=who, text=text, **fields)
        self.messages[id_] = message_pb2.MessagePayloadResponse.FromString(told.SerializeToString() + beyond)
        self.tells(MESSAGE, {"messageId": id_}, beyond=event_beyond)
        return id_

    # — what it is asked —

    async def Event(self, request: Any, context: Any) -> AsyncIterator[event_pb2.EventResponse]:  # noqa: N802 - its name on the wire
        await self._let_in("Event", context)
        if self._stream is not None:
            await context.abort(grpc.StatusCode.ALREADY_EXISTS, "GrpcServerImpl.event() can not call twice.")
        self.resumed.append(number_of(request, LAST_SEQ))
        stream = self._stream = asyncio.Queue()
        try:
            if self.greets:
                self.tells(HEARTBEAT, {"data": "Wechaty Puppet gRPC stream connect successfully"})
            if self.is_logged_in:
                self.tells(LOGIN, {"contactId": ME})
            while (said := await stream.get()) is not None:
                yield said
        finally:
            if self._stream is stream:
                self._stream = None

    async def Start(self, request: Any, context: Any) -> Any:  # noqa: N802
        await self._let_in("Start", context)
        return base_pb2.StartResponse()

    async def Ding(self, request: Any, context: Any) -> Any:  # noqa: N802
        await self._let_in("Ding", context)
        if self.dongs:
            self.tells(DONG, {"data": request.data})
        return base_pb2.DingResponse()

    async def MessagePayload(self, request: Any, context: Any) -> Any:  # noqa: N802
        await self._let_in("MessagePayload", context)
        return self.messages[request.id]

    async def MessageSendText(self, request: Any, context: Any) -> Any:  # noqa: N802
        await self._let_in("MessageSendText", context)
        self.said.append(request.text)
        if self.names_what_it_sends:
            return message_pb2.MessageSendTextResponse(id=f"own{len(self.said)}")
        self.says(ME, request.text, room_id=request.conversation_id, id=f"echo{len(self.said)}")
        return message_pb2.MessageSendTextResponse()

    async def RoomList(self, request: Any, context: Any) -> Any:  # noqa: N802
        await self._let_in("RoomList", context)
        return room_pb2.RoomListResponse(ids=[ROOM])

    async def RoomPayload(self, request: Any, context: Any) -> Any:  # noqa: N802
        await self._let_in("RoomPayload", context)
        return room_pb2.RoomPayloadResponse(
            id=ROOM, topic="车间群", owner_id=ME, member_ids=list(self.people)
        )

    async def RoomMemberList(self, request: Any, context: Any) -> Any:  # noqa: N802
        await self._let_in("RoomMemberList", context)
        return room_member_pb2.RoomMemberListResponse(member_ids=list(self.people))

    async def RoomMemberPayload(self, request: Any, context: Any) -> Any:  # noqa: N802
        await self._let_in("RoomMemberPayload", context)
        await asyncio.sleep(self.slow)
        name = self.people[request.member_id]
        return room_member_pb2.RoomMemberPayloadResponse(id=request.member_id, name=name)

    async def ContactList(self, request: Any, context: Any) -> Any:  # noqa: N802
        await self._let_in("ContactList", context)
        return contact_pb2.ContactListResponse(ids=list(self.people))

    async def ContactPayload(self, request: Any, context: Any) -> Any:  # noqa: N802
        await self._let_in("ContactPayload", context)
        return contact_pb2.ContactPayloadResponse(id=request.id, name=self.people[request.id], friend=True)

    async def DirtyPayload(self, request: Any, context: Any) -> Any:  # noqa: N802
        await self._let_in("DirtyPayload", context)
        return base_pb2.DirtyPayloadResponse()

    async def _let_in(self, rpc: str, context: Any) -> None:
        """Count a call, have it wait for ever where it is to, and refuse whoever is not let in."""
        self.asked[rpc] += 1
        given = dict(context.invocation_metadata()).get("authorization", "")
        if given != f"Wechaty {self.token}":
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, f'Invalid Wechaty TOKEN "{given}"')
        if rpc in self.hangs:
            await asyncio.Event().wait()
