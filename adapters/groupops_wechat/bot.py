"""A WeChat account behind a puppet service: what it can be asked to do, and what it knows of rooms and people."""

from __future__ import annotations

import asyncio
import base64
import json
import mimetypes
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from nonebot.adapters import Bot as BaseBot
from nonebot.adapters import Event as BaseEvent
from nonebot.adapters import Message as BaseMessage
from nonebot.adapters import MessageSegment as BaseMessageSegment
from typing_extensions import override

from groupops_wechat.client import Answer, Client, rpc_of
from groupops_wechat.clockwork import Clockwork
from groupops_wechat.config import Account, Config
from groupops_wechat.event import Event, GroupMessageEvent
from groupops_wechat.exception import ActionFailed, ApiNotAvailable
from groupops_wechat.message import Message, MessageSegment, pieces, written
from groupops_wechat.recent import Kept

if TYPE_CHECKING:
    from groupops_wechat.adapter import Adapter

INLINE = 2 * 1024 * 1024
"""Bytes of a file that may travel within a call; base64 makes it a third larger, and 4 MiB are the limit (3.2)."""

ECHO_SECONDS = 3.0
"""How long one's own message is waited for where the puppet gives no id for it."""

_BASE64, _URL, _UUID = 1, 2, 7
_ROOM_MEMBER = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A room as the puppet tells it.

    Args:
        id, topic: its id and name.
        owner: who owns it; empty when that is not told.
        admins, members: ids.
    """

    id: str
    topic: str = ""
    owner: str = ""
    admins: tuple[str, ...] = ()
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomMember:
    """A member of a room.

    Args:
        id: the contact.
        alias: 群昵称; empty when none is set.
        name: the contact's own name.
        inviter: who let them in, where that is told.
    """

    id: str
    alias: str = ""
    name: str = ""
    inviter: str = ""

    @property
    def shown(self) -> str:
        """The name people see."""
        return self.alias or self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place somebody sent, in degrees of GCJ-02."""

    latitude: float
    longitude: float
    accuracy: float = 0.0
    name: str = ""
    address: str = ""


class Bot(BaseBot):
    """One account.

    Args:
        adapter: whose bot it is.
        self_id: the account's contact id.
        client: the service behind it.
        account, config: how it was set up.
        clock: where time comes from.
    """

    adapter: Adapter  # pyright: ignore[reportIncompatibleVariableOverride] - made by this adapter alone

    @override
    def __init__(
        self,
        adapter: Adapter,
        self_id: str,
        *,
        client: Client,
        account: Account,
        config: Config,
        clock: Clockwork,
    ) -> None:
        super().__init__(adapter, self_id)
        self._home = adapter
        self.client = client
        self.account = account
        self.without: set[str] = set()
        """Calls that this puppet turned out not to have."""
        self._clock = clock
        self._at_once = asyncio.Semaphore(config.wechaty_fetch_at_once)
        lasts = config.wechaty_member_minutes * 60
        self._members: Kept[tuple[str, str], RoomMember] = Kept(lasts, config.wechaty_kept, clock.now)
        self._rooms: Kept[str, Room] = Kept(lasts, config.wechaty_kept, clock.now)
        self._names: Kept[str, str] = Kept(lasts, config.wechaty_kept, clock.now)
        self._echoes: dict[tuple[str, str], deque[asyncio.Future[str]]] = {}

    @override
    async def send(
        self, event: BaseEvent, message: str | BaseMessage[Any] | BaseMessageSegment[Any], **kwargs: Any
    ) -> str:
        """Answer where an event came from; gives the id of the last message.

        Args:
            event: an event of a room or of a person.
            message: what to say.
            **kwargs: `at_sender=True` calls the sender by name, in a room.

        Raises:
            ActionFailed, InDoubt, NetworkError: as with a call.
            ValueError: the event came from nowhere one could answer.
        """
        said = Message(cast("Any", message))
        room = getattr(event, "room_id", "")
        if kwargs.get("at_sender") and isinstance(event, GroupMessageEvent):
            said = MessageSegment.mention(event.user_id) + said
        return await self.post(room or event.get_user_id(), said)

    async def handle_event(self, event: Event) -> None:
        """Give an event to NoneBot; one's own name at its beginning is taken off before."""
        await self._home.enter(self, event)

    # — calls —

    async def ask(self, api: str, **fields: Any) -> Answer:
        """Make any call of the protocol, by its own name or in small letters.

        Raises:
            ActionFailed, ApiNotAvailable, InDoubt, NetworkError, Refused: what went wrong.
        """
        rpc = rpc_of(api)
        if rpc in self.without:
            raise ApiNotAvailable(rpc)
        try:
            return await self.client.call(rpc, **fields)
        except ApiNotAvailable:
            self.without.add(rpc)
            raise

    # — saying —

    async def post(self, conversation: str, message: Message) -> str:
        """Say something to a room or a person; gives the id of the last message, empty when it is not told.

        Raises:
            ActionFailed, InDoubt, NetworkError: as with a call; earlier pieces may have been sent.
        """
        names = (
            await self._names_of(conversation, message) if "mention" in {one.type for one in message} else {}
        )
        text, called = written(message, names)
        last = ""
        for piece in pieces(text):
            last = await self.say(conversation, piece, called)
        for one in message:
            if one.type == "file":
                last = await self.send_file(conversation, **{str(k): v for k, v in one.data.items()})
        return last

    async def say(self, conversation: str, text: str, called: Sequence[str] = ()) -> str:
        """Send one text; gives its id, learnt from its echo where the puppet does not give it."""
        loop = asyncio.get_running_loop()
        echo: asyncio.Future[str] = loop.create_future()
        waiting = self._echoes.setdefault((conversation, text), deque())
        waiting.append(echo)
        try:
            answer = await self.ask(
                "MessageSendText", conversation_id=conversation, text=text, mentional_ids=list(called)
            )
            if answer.id:
                return str(answer.id)
            async with asyncio.timeout(ECHO_SECONDS):
                return await echo
        except TimeoutError:
            return ""
        finally:
            if echo in waiting:
                waiting.remove(echo)
            if not waiting:
                self._echoes.pop((conversation, text), None)

    def echoed(self, conversation: str, text: str, message_id: str) -> None:
        """Learn the id of a message of one's own."""
        waiting = self._echoes.get((conversation, text))
        while waiting:
            echo = waiting.popleft()
            if not echo.done():
                echo.set_result(message_id)
                return

    async def send_file(
        self, conversation: str, name: str, data: bytes = b"", *, url: str = "", media_type: str = ""
    ) -> str:
        """Send a file or a picture; a large one is put up in pieces first. Gives the message's id, if it is told."""
        if url:
            box: dict[str, Any] = {"type": _URL, "boxType": _URL, "name": name, "url": url}
        elif len(data) <= INLINE:
            words = base64.b64encode(data).decode()
            box = {"type": _BASE64, "boxType": _BASE64, "name": name, "base64": words}
        else:
            handle = await self.client.upload(data)
            kind = media_type or mimetypes.guess_type(name)[0] or "application/octet-stream"
            box = {"type": _UUID, "boxType": _UUID, "name": name, "uuid": handle, "mediaType": kind}
        answer = await self.ask(
            "MessageSendFile", conversation_id=conversation, file_box=json.dumps({**box, "metadata": {}})
        )
        return str(answer.id)

    async def recall(self, message_id: str) -> None:
        """Take back a message of one's own.

        Raises:
            ActionFailed: the puppet says that it did not.
        """
        answer = await self.ask("MessageRecall", id=message_id)
        if not answer.success:
            raise ActionFailed("MessageRecall", "the puppet says that it was not taken back")

    # — rooms and people —

    async def rooms(self) -> tuple[str, ...]:
        """Give the ids of the rooms the account is in."""
        return tuple(map(str, (await self.ask("RoomList")).ids))

    async def room(self, room_id: str, *, anew: bool = False) -> Room:
        """Give a room; one that was read a short while ago is not read again, unless it is asked for anew."""
        known = None if anew else self._rooms.get(room_id)
        if known is not None:
            return known
        told = await self.ask("RoomPayload", id=room_id)
        room = Room(
            id=room_id,
            topic=str(told.topic),
            owner=str(told.owner_id),
            admins=tuple(map(str, told.admin_ids)),
            members=tuple(map(str, told.member_ids)),
        )
        self._rooms.put(room_id, room)
        return room

    async def members(self, room_id: str, *, anew: bool = False) -> tuple[RoomMember, ...]:
        """Give the members of a room with their 群昵称, read a few at a time.

        Args:
            room_id: the room.
            anew: have the puppet drop what it knows of the room first; it tells of no changed alias by itself.

        Raises:
            ActionFailed, NetworkError: the list, or somebody on it, could not be read; nothing is made up.
        """
        if anew:
            await self.refresh(room_id)
        ids = tuple(dict.fromkeys(map(str, (await self.ask("RoomMemberList", id=room_id)).member_ids)))
        return tuple(await asyncio.gather(*(self.member(room_id, one) for one in ids)))

    async def member(self, room_id: str, user_id: str, *, anew: bool = False) -> RoomMember:
        """Give a member of a room; one read a short while ago is not read again, unless asked for anew."""
        known = None if anew else self._members.get((room_id, user_id))
        if known is not None:
            return known
        async with self._at_once:
            # Whoever waited here may have waited for somebody who asked the same.
            known = None if anew else self._members.get((room_id, user_id))
            if known is not None:
                return known
            told = await self.ask("RoomMemberPayload", id=room_id, member_id=user_id)
            member = RoomMember(
                id=user_id, alias=str(told.room_alias), name=str(told.name), inviter=str(told.inviter_id)
            )
            self._members.put((room_id, user_id), member)
        return member

    def known_member(self, room_id: str, user_id: str) -> RoomMember | None:
        """Give a member that was read a short while ago, without asking."""
        return self._members.get((room_id, user_id))

    async def is_friend(self, user_id: str) -> bool:
        """Say whether somebody is a friend of the account, who may be written to alone."""
        async with self._at_once:
            told = await self.ask("ContactPayload", id=user_id)
        self._names.put(user_id, str(told.name))
        return bool(told.friend)

    async def refresh(self, room_id: str) -> None:
        """Have the puppet, and us, forget what is known of a room's members and of the room."""
        self.forget_room(room_id)
        await self.ask("DirtyPayload", type=_ROOM_MEMBER, id=room_id)

    async def manages(self, room_id: str) -> bool:
        """Say whether the account is the owner or an admin of a room, as far as the puppet tells."""
        room = await self.room(room_id)
        return self.self_id == room.owner or self.self_id in room.admins

    async def remove(self, room_id: str, user_id: str) -> None:
        """Put somebody out of a room."""
        await self.ask("RoomDel", id=room_id, contact_id=user_id)
        self.forget_room(room_id)

    async def rename(self, room_id: str, topic: str) -> None:
        """Give a room another name."""
        await self.ask("RoomTopic", id=room_id, topic=topic)
        self._rooms.drop(room_id)

    async def announce(self, room_id: str, text: str) -> None:
        """Set the announcement of a room."""
        await self.ask("RoomAnnounce", id=room_id, text=text)

    async def name_of(self, user_id: str) -> str:
        """Give the name of a contact, never the private remark that one has for them."""
        known = self._names.get(user_id)
        if known is None:
            known = str((await self.ask("ContactPayload", id=user_id)).name)
            self._names.put(user_id, known)
        return known

    async def place(self, message_id: str) -> Place:
        """Give the place that a location message holds."""
        told = (await self.ask("MessageLocation", id=message_id)).location
        return Place(
            latitude=float(told.latitude),
            longitude=float(told.longitude),
            accuracy=float(told.accuracy),
            name=str(told.name),
            address=str(told.address),
        )

    async def media(self, message_id: str, *, cap: int) -> AsyncIterator[bytes]:
        """Give the bytes of what a message holds.

        Args:
            message_id: the message.
            cap: bytes at most.

        Raises:
            ActionFailed: there is nothing, it is more than `cap`, or the puppet names a place of its own for it.
        """
        box = cast("dict[str, Any]", json.loads((await self.ask("MessageFile", id=message_id)).file_box))
        if box.get("base64"):
            data = base64.b64decode(str(box["base64"]))
            if len(data) > cap:
                raise ActionFailed("MessageFile", f"more than {cap} bytes")
            yield data
            return
        if not box.get("uuid"):
            # An address is not followed: whoever wrote it would choose where we call.
            raise ActionFailed("MessageFile", "the puppet gives an address and no file")
        size = 0
        async for chunk in self.client.download(str(box["uuid"])):
            size += len(chunk)
            if size > cap:
                raise ActionFailed("Download", f"more than {cap} bytes")
            yield chunk

    # — what is known —

    def forget_room(self, room_id: str) -> None:
        """Forget what is known of a room and its members."""
        self._rooms.drop(room_id)
        self._members.drop_where(lambda key: key[0] == room_id)

    def forget_contact(self, user_id: str) -> None:
        """Forget what is known of somebody, in every room."""
        self._names.drop(user_id)
        self._members.drop_where(lambda key: key[1] == user_id)

    async def _names_of(self, conversation: str, message: Message) -> dict[str, str]:
        """Give the names people see of those who are called; a name that cannot be read is left to the id."""
        found: dict[str, str] = {}
        for one in message["mention"]:
            user_id = str(one.data["user_id"])
            if one.data.get("name") or user_id in found:
                continue
            try:
                found[user_id] = (await self.member(conversation, user_id)).shown
            except ActionFailed:
                continue
        return found
