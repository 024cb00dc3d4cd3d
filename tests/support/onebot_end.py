"""A make-believe end: QQ groups behind a real websocket, spoken to in OneBot v11, with the habits of real ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from websockets.asyncio.client import connect
from websockets.asyncio.server import Server, serve
from websockets.exceptions import ConnectionClosed

BOT = 10001
GROUP = 7001

APPS = {
    "napcat": "NapCat.Onebot",
    "luckylillia": "LuckyLilliaBot",
    "lagrange": "Lagrange.OneBot",
    "other": "x",
}


class Refusal(Exception):
    """The end says no."""

    def __init__(self, retcode: int, message: str) -> None:
        super().__init__(message)
        self.retcode = retcode
        self.message = message


@dataclass
class Seat:
    nickname: str
    card: str = ""
    role: str = "member"
    join_time: int = 1_700_000_000
    shut_up_timestamp: int = 0
    is_robot: bool = False


@dataclass
class Hall:
    """A group: who is in it, what was said, and what was done to it."""

    name: str
    seats: dict[int, Seat]
    messages: dict[int, dict[str, Any]] = field(default_factory=dict)
    requests: dict[str, int] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    shut: bool = False


class OneBotEnd:
    """An end with one account in a few groups.

    Args:
        app: which end it behaves like.
        self_id: its account.
        debug: whether the kernel's messages are sent along.
    """

    def __init__(self, app: str = "napcat", *, self_id: int = BOT, debug: bool = True) -> None:
        self.app = app
        self.self_id = self_id
        self.debug = debug
        self.halls: dict[int, Hall] = {}
        self.friends: set[int] = set()
        self.letters: list[tuple[int, list[dict[str, Any]]]] = []
        self.files: dict[str, dict[str, Any]] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.silent: set[str] = set()
        self.refusing: dict[str, Refusal] = {}
        self.online = True
        self.kicks_work = True
        self.cards_appear = True
        self.temp_closed = False
        self.answered_twice: list[dict[str, Any]] = []
        self.closed_with: tuple[int | None, str] | None = None
        self._ids = count(1_000)
        self._socket: Any = None
        self._task: asyncio.Task[None] | None = None
        self._server: Server | None = None
        self.headers: list[Mapping[str, str]] = []

    # — who there is —

    def hall(self, number: int = GROUP, *, role: str = "admin", name: str = "群") -> Hall:
        """Make a group with the bot and its owner in it."""
        seats = {self.self_id: Seat("bot", role=role), 90001: Seat("owner", role="owner")}
        if role == "owner":
            seats[90001].role = "admin"
        self.halls[number] = Hall(name, seats)
        return self.halls[number]

    def seat(self, user: int, *, group: int = GROUP, **what: Any) -> Seat:
        """Put somebody into a group."""
        self.halls[group].seats[user] = Seat(what.pop("nickname", f"u{user}"), **what)
        return self.halls[group].seats[user]

    # — connecting —

    async def connect(self, url: str, *, token: str = "", headers: Mapping[str, str] | None = None) -> None:
        """Connect to the bot, as an end does that is set to a reverse websocket."""
        shown = {"X-Self-ID": str(self.self_id), "X-Client-Role": "Universal"}
        if token:
            shown["Authorization"] = f"Bearer {token}"
        self._socket = await connect(
            url,
            additional_headers={**shown, **(headers or {})},
            max_size=None,
            proxy=None,
            ping_interval=None,  # as real ends: their heartbeat is an event
        )
        self._task = asyncio.create_task(self._listen(self._socket))
        await self.emit(self.meta("lifecycle", sub_type="connect"))

    async def serve(self) -> str:
        """Wait to be connected to, as an end does that is set to a forward websocket; gives the address."""

        async def attend(socket: Any) -> None:
            self.headers.append(dict(socket.request.headers))
            self._socket = socket
            await self.emit(self.meta("lifecycle", sub_type="connect"))
            await self._listen(socket)

        self._server = await serve(attend, "127.0.0.1", 0, max_size=None)
        port = next(iter(self._server.sockets)).getsockname()[1]
        return f"ws://127.0.0.1:{port}/"

    async def drop(self) -> None:
        """Close the socket in good order."""
        if self._socket is not None:
            await self._socket.close()
        if self._task is not None:
            with contextlib.suppress(asyncio.CancelledError, ConnectionClosed):
                await self._task

    async def vanish(self) -> None:
        """Stop listening, and leave the socket open: what a pulled cable looks like."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def close(self) -> None:
        """End everything."""
        await self.vanish()
        if self._socket is not None:
            await self._socket.close()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _listen(self, socket: Any) -> None:
        try:
            async for frame in socket:
                await self._take(json.loads(frame))
        except ConnectionClosed:
            pass
        self.closed_with = (socket.close_code, socket.close_reason or "")

    async def raw(self, frame: str | bytes) -> None:
        """Send whatever it is."""
        await self._socket.send(frame)

    async def emit(self, event: Mapping[str, Any]) -> None:
        """Send an event."""
        await self.raw(json.dumps(event))

    # — answering —

    async def _take(self, call: dict[str, Any]) -> None:
        action, params = call["action"], call.get("params") or {}
        self.calls.append((action, params))
        if action in self.silent:
            return
        answer = {"echo": call.get("echo"), **self._answer(action, params)}
        self.answered_twice.append(answer)
        await self.raw(json.dumps(answer))
        await self._tell_of(action, params, answer)

    def _answer(self, action: str, params: dict[str, Any]) -> dict[str, Any]:
        try:
            data = self._does(action)(**params)
        except Refusal as refusal:
            said = {"message": refusal.message, "wording": refusal.message}
            return {"status": "failed", "retcode": refusal.retcode, "data": None, **said}
        except TypeError as error:
            said = {"message": str(error), "wording": str(error)}
            return {"status": "failed", "retcode": 1400, "data": None, **said}
        return {"status": "ok", "retcode": 0, "data": data, "message": "", "wording": ""}

    def _does(self, action: str) -> Callable[..., Any]:
        if action in self.refusing:
            raise self.refusing[action]
        does = getattr(self, f"api_{action.strip('_')}", None)
        if does is None or not self._has(action):
            raise Refusal(1404, f"不支持的Api {action}")
        return does  # type: ignore[no-any-return]

    def _has(self, action: str) -> bool:
        extensions = {
            "_send_group_notice",
            "upload_group_file",
            "upload_private_file",
            "get_group_msg_history",
        }
        return self.app != "other" or action not in extensions

    async def _tell_of(self, action: str, params: dict[str, Any], answer: dict[str, Any]) -> None:
        if action == "set_group_kick" and answer["retcode"] == 0 and self.kicks_work:
            await self.emit(self.left(params["user_id"], "kick", self.self_id, group=params["group_id"]))

    def _hall(self, group_id: Any) -> Hall:
        hall = self.halls.get(int(group_id))
        if hall is None:
            raise Refusal(1200, "群不存在")
        return hall

    def _seated(self, group_id: Any, user_id: Any) -> Seat:
        seat = self._hall(group_id).seats.get(int(user_id))
        if seat is None:
            raise Refusal(1200, f"user not in group: {user_id}")
        return seat

    def _ruling(self, group_id: Any) -> None:
        if self._hall(group_id).seats[self.self_id].role not in {"owner", "admin"}:
            raise Refusal(1200, "no permission")

    # — what can be called; the names of parameters are those of the document —

    def api_get_version_info(self) -> dict[str, Any]:
        return {"app_name": APPS[self.app], "app_version": "1.0", "protocol_version": "v11"}

    def api_get_status(self) -> dict[str, Any]:
        return {"online": True, "good": True}

    def api_get_friend_list(self) -> list[dict[str, Any]]:
        return [{"user_id": friend, "nickname": "f"} for friend in self.friends]

    def api_get_group_list(self, no_cache: bool) -> list[dict[str, Any]]:
        return [{"group_id": number, "group_name": hall.name} for number, hall in self.halls.items()]

    def api_get_group_info(self, group_id: int, no_cache: bool) -> dict[str, Any]:
        hall = self._hall(group_id)
        return {"group_id": group_id, "group_name": hall.name, "member_count": len(hall.seats)}

    def _line(self, group_id: int, user_id: int, seat: Seat) -> dict[str, Any]:
        return {"group_id": group_id, "user_id": user_id, **vars(seat), "last_sent_time": seat.join_time}

    def api_get_group_member_info(self, group_id: int, user_id: int, no_cache: bool) -> dict[str, Any]:
        return self._line(group_id, user_id, self._seated(group_id, user_id))

    def api_get_group_member_list(self, group_id: int, no_cache: bool) -> list[dict[str, Any]]:
        return [self._line(group_id, user, seat) for user, seat in self._hall(group_id).seats.items()]

    def api_send_group_msg(
        self, group_id: int, message: list[dict[str, Any]], auto_escape: bool
    ) -> dict[str, Any]:
        hall, me = self._hall(group_id), self.halls[group_id].seats[self.self_id]
        if me.shut_up_timestamp or (hall.shut and me.role == "member"):
            raise Refusal(1200, "发送失败，已被禁言")
        for part in message:
            if part["type"] == "at" and part["data"]["qq"] != "all":
                self._seated(group_id, part["data"]["qq"])  # one mention that cannot be resolved loses it all
            if part["type"] == "reply" and int(part["data"]["id"]) not in hall.messages:
                raise Refusal(1200, "回复的消息不存在")
        return {"message_id": self._keep(group_id, self.self_id, message)["message_id"]}

    def api_send_private_msg(
        self, user_id: int, message: list[dict[str, Any]], auto_escape: bool, group_id: int | None = None
    ) -> dict[str, Any]:
        if user_id not in self.friends:
            if group_id is None or self.temp_closed:
                raise Refusal(1200, "无法发送临时消息")
            self._seated(group_id, user_id)
        self.letters.append((user_id, message))
        return {"message_id": next(self._ids)}

    def api_delete_msg(self, message_id: int) -> None:
        for hall in self.halls.values():
            message = hall.messages.get(message_id)
            if message is not None:
                if message["user_id"] != self.self_id and hall.seats[self.self_id].role == "member":
                    raise Refusal(1200, "no permission")
                del hall.messages[message_id]
                return
        raise Refusal(1200, "Recall failed")

    def api_set_group_ban(self, group_id: int, user_id: int, duration: int) -> None:
        self._ruling(group_id)
        seat = self._seated(group_id, user_id)
        if seat.role in {"owner", "admin"}:
            raise Refusal(1200, f"cannot ban {seat.role}")
        seat.shut_up_timestamp = int(time.time()) + duration if duration else 0

    def api_set_group_whole_ban(self, group_id: int, enable: bool) -> None:
        self._ruling(group_id)
        self._hall(group_id).shut = enable

    def api_set_group_kick(self, group_id: int, user_id: int, reject_add_request: bool) -> None:
        """Say nothing of whether it worked."""
        self._ruling(group_id)
        if self.kicks_work:
            self._hall(group_id).seats.pop(user_id, None)

    def api_set_group_card(self, group_id: int, user_id: int, card: str) -> None:
        self._ruling(group_id)
        seat = self._seated(group_id, user_id)
        if len(card.encode()) > 60:
            raise Refusal(1400, "card too long")
        if self.cards_appear:
            seat.card = card
        else:
            raise Refusal(1200, "设置群名片未生效")

    def api_set_group_name(self, group_id: int, group_name: str) -> None:
        self._ruling(group_id)
        self._hall(group_id).name = group_name

    def api_set_group_add_request(self, flag: str, sub_type: str, approve: bool, reason: str) -> None:
        for number, hall in self.halls.items():
            if flag in hall.requests:
                self._ruling(number)
                user = hall.requests.pop(flag)
                if approve:
                    hall.seats[user] = Seat(f"u{user}")
                return
        raise Refusal(1200, "No such request")

    def api_send_group_notice(self, group_id: int, content: str, **rest: Any) -> None:
        self._ruling(group_id)
        self._hall(group_id).notices.append(content)

    def api_upload_group_file(self, group_id: int, file: str, name: str, folder: str) -> dict[str, Any]:
        self._hall(group_id).files.append(name)
        return {"file_id": f"/{name}"}

    def api_upload_private_file(self, user_id: int, file: str, name: str) -> dict[str, Any]:
        if user_id not in self.friends:
            raise Refusal(1200, "not a friend")
        return {"file_id": f"/{name}"}

    def api_get_group_msg_history(
        self, group_id: int, message_seq: int, count: int, reverse_order: bool
    ) -> dict[str, Any]:
        return {"messages": list(self._hall(group_id).messages.values())[-count:]}

    def api_get_file(self, file_id: str) -> dict[str, Any]:
        if file_id not in self.files:
            raise Refusal(1200, "file not found")
        return self.files[file_id]

    def api_get_image(self, file: str) -> dict[str, Any]:
        return self.api_get_file(file)

    # — what happens —

    def meta(self, kind: str, **rest: Any) -> dict[str, Any]:
        """Give a meta event."""
        return self._event("meta_event", meta_event_type=kind, **rest)

    def beat(self, number: int = 30_000) -> dict[str, Any]:
        """Give a heartbeat."""
        online = self.online
        return self.meta("heartbeat", interval=number, status={"online": online, "good": online})

    def message(
        self, user: int, parts: Sequence[Mapping[str, Any]] | str, *, group: int = GROUP, **rest: Any
    ) -> dict[str, Any]:
        """Give a message of somebody in a group; the group remembers it."""
        said = [{"type": "text", "data": {"text": parts}}] if isinstance(parts, str) else list(parts)
        kept = self._keep(group, user, said)
        event = {**self._event("message", message_type="group", sub_type="normal", font=14), **kept}
        if self.debug:
            event["raw"] = {"msgType": 2, "elements": [{"elementType": 1}]}
        return {**event, **rest}

    def packet(self, user: int, *, group: int = GROUP) -> dict[str, Any]:
        """Give a red packet: a message without anything, and the kernel's own where that is sent along."""
        event = self.message(user, [], group=group)
        if self.debug:
            event["raw"] = {"msgType": 10, "elements": [{"elementType": 9, "walletElement": {}}]}
        return event

    def whisper(self, user: int, parts: Sequence[Mapping[str, Any]] | str, **rest: Any) -> dict[str, Any]:
        """Give a message to the bot alone."""
        said = [{"type": "text", "data": {"text": parts}}] if isinstance(parts, str) else list(parts)
        sender = {"user_id": user, "nickname": f"u{user}"}
        basis = {"user_id": user, "message_id": next(self._ids), "message": said, "sender": sender}
        kind = {"message_type": "private", "sub_type": "group" if "group_id" in rest else "friend"}
        return self._event("message", raw_message="", font=14, **kind, **basis, **rest)

    def notice(self, kind: str, *, group: int = GROUP, **rest: Any) -> dict[str, Any]:
        """Give a notice in a group."""
        return self._event("notice", notice_type=kind, group_id=group, **rest)

    def left(self, user: int, how: str, by: int, *, group: int = GROUP) -> dict[str, Any]:
        """Give the notice that somebody left."""
        self.halls[group].seats.pop(user, None)
        return self.notice("group_decrease", sub_type=how, user_id=user, operator_id=by, group=group)

    def joined(self, user: int, how: str, by: int, *, group: int = GROUP) -> dict[str, Any]:
        """Give the notice that somebody came in."""
        self.seat(user, group=group)
        return self.notice("group_increase", sub_type=how, user_id=user, operator_id=by, group=group)

    def request(self, user: int, *, group: int = GROUP, comment: str = "") -> dict[str, Any]:
        """Give the request of somebody who asks to come in."""
        flag = f"{group}-{next(self._ids)}"
        self.halls[group].requests[flag] = user
        basis = {"request_type": "group", "sub_type": "add", "group_id": group, "user_id": user}
        return self._event("request", flag=flag, comment=comment, **basis)

    def _keep(self, group: int, user: int, parts: list[dict[str, Any]]) -> dict[str, Any]:
        seat = self.halls[group].seats.get(user, Seat(f"u{user}"))
        message_id = next(self._ids)
        sender = {"user_id": user, "nickname": seat.nickname, "card": seat.card, "role": seat.role}
        kept = {
            "time": int(time.time()),
            "message_id": message_id,
            "user_id": user,
            "group_id": group,
            "message": parts,
            "raw_message": "",
            "sender": sender,
        }
        self.halls[group].messages[message_id] = kept
        return kept

    def _event(self, post_type: str, **rest: Any) -> dict[str, Any]:
        return {"time": int(time.time()), "self_id": self.self_id, "post_type": post_type, **rest}

    def said(self, group: int = GROUP) -> list[str]:
        """Give the texts the bot has posted in a group, as people see them."""
        messages = self.halls[group].messages.values()
        return [_shown(m["message"]) for m in messages if m["user_id"] == self.self_id]

    def asked(self, action: str) -> list[dict[str, Any]]:
        """Give the parameters of all calls of that name."""
        return [params for name, params in self.calls if name == action]


def _shown(parts: Sequence[Mapping[str, Any]]) -> str:
    return "".join(part["data"]["text"] for part in parts if part["type"] == "text")
