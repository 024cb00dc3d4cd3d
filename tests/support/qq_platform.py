"""A make-believe open platform of QQ on loopback: HTTP calls, a websocket gateway, signed pushes, and its own limits.

It keeps what the documentation says of the real one: answer windows of five minutes for five answers, `msg_seq`
that is known again, messages of a bot's own accord that need the owner's leave, tokens that expire, error codes.
"""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import parse_qs

import httpx
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

APP_ID = "102000001"
SECRET = "make-believe-app-secret-of-32-ch"
BOT = "BOT0000000000000000000000000000A"
GROUP = "GRP0000000000000000000000000000A"
OWNER = "OWNER00000000000000000000000000A"

PLAIN_TOKEN = "Arq0D5A61EgUu4OxUvOp"
PATIENCE = 10.0
WINDOW = timedelta(minutes=5)
PRIVATE_WINDOW = timedelta(minutes=60)
ANSWERS = 5


class RefusalError(Exception):
    """The platform says no.

    Args:
        code: its code.
        message: its words.
        status: the HTTP status.
        headers: headers that go with it.
    """

    def __init__(
        self, code: int, message: str = "no", status: int = 400, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.headers = dict(headers or {})


@dataclass
class Seat:
    username: str
    role: str = "member"
    bot: bool = False
    joined_at: str = "2025-08-20T09:15:00+08:00"
    muted_until: datetime | None = None
    union: str = ""


@dataclass
class Anchor:
    """A message or an event that may be answered."""

    at: datetime
    lasts: timedelta
    used: set[int] = field(default_factory=set)
    answers: int = 0


@dataclass
class Hall:
    """A group: who is in it, what was said, what may be answered."""

    seats: dict[str, Seat]
    receives: str = "all"
    proactive: bool = True
    anchors: dict[str, Anchor] = field(default_factory=dict)
    messages: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    requests: dict[str, str] = field(default_factory=dict)
    said: list[dict[str, Any]] = field(default_factory=list)
    unasked: int = 0


@dataclass
class Call:
    """One call that came, as it came."""

    method: str
    path: str
    body: Any
    at: datetime
    status: int = 0


class QQPlatform:
    """The platform.

    Args:
        now: where it takes the time from; the machine's clock if not given.
        page: members on one page of a list.
    """

    def __init__(self, now: Callable[[], datetime] | None = None, page: int = 2) -> None:
        self.now = now or (lambda: datetime.now(UTC))
        self.page = page
        self.halls: dict[str, Hall] = {}
        self.letters: dict[str, list[dict[str, Any]]] = {}
        self.private: dict[str, Anchor] = {}
        self.private_of: dict[str, str] = {}
        self.refusing_private: set[str] = set()
        self.unasked_limit: int | None = None
        self.markup = False
        self.state_granted = True
        self.files: dict[str, bytes] = {}
        self.media: dict[str, bytes] = {}
        self.uploads: dict[str, dict[str, Any]] = {}
        self.calls: list[Call] = []
        self.acknowledged: list[str] = []
        self.tokens: set[str] = set()
        self.tokens_given = 0
        self.token_lasts = 7200
        self.wrong_secret = False
        self.faults: dict[str, list[Any]] = {}
        self.port = 0
        self.gateway = Gateway(self)
        self._cursor = ""
        self._ids = count(1)
        self.hall()

    # — setting up —

    def hall(self, group: str = GROUP, *, role: str = "admin", **rest: Any) -> Hall:
        """Put a group there, with the bot and an owner in it."""
        seats = {BOT: Seat("小助手", role, bot=True), OWNER: Seat("群主", "owner")}
        self.halls[group] = Hall(seats, **rest)
        return self.halls[group]

    def seat(self, openid: str, name: str = "", *, group: str = GROUP, role: str = "member") -> str:
        """Put somebody into a group."""
        self.halls[group].seats[openid] = Seat(name or openid[:6], role)
        return openid

    def fault(self, path_end: str, *faults: Any) -> None:
        """Let the next calls whose path ends so go wrong.

        Args:
            path_end: the end of the path.
            faults: a `RefusalError`; `"lost"` = done, and the answer is lost; `"broken"` = the connection breaks before.
        """
        self.faults.setdefault(path_end, []).extend(faults)

    def key(self) -> Ed25519PrivateKey:
        """The key of the bot's secret, made as the documentation says."""
        seed = SECRET
        while len(seed) < 32:
            seed += SECRET
        return Ed25519PrivateKey.from_private_bytes(seed[:32].encode())

    @property
    def base(self) -> str:
        """Where calls go."""
        return f"http://127.0.0.1:{self.port}/"

    def settings(self, **bot: Any) -> dict[str, Any]:
        """What an operator writes whose platform this is."""
        return {
            "qq_bots": [{"id": APP_ID, "secret": SECRET, **bot}],
            "qq_api_base": self.base,
            "qq_auth_base": f"{self.base}app/getAppAccessToken",
        }

    # — what happens, as payloads —

    def message(
        self,
        openid: str,
        content: str,
        *,
        group: str = GROUP,
        at_bot: bool = False,
        event: str = "",
        without: tuple[str, ...] = (),
        **rest: Any,
    ) -> dict[str, Any]:
        """Let somebody post; `at_bot` = as a message for the bot, from which its mention is cut off."""
        id_ = self._id("ROBOT1.0_")
        hall = self.halls[group]
        hall.anchors[id_] = Anchor(self.now(), WINDOW)
        hall.messages[id_] = (openid, self.now())
        seat = hall.seats.get(openid, Seat(openid[:6]))
        author = {
            "id": openid,
            "member_openid": openid,
            "member_role": seat.role,
            "username": seat.username,
            "bot": seat.bot,
        }
        data = {
            "id": id_,
            "content": f" {content}" if at_bot else content,
            "timestamp": self.stamp(),
            "group_id": group,
            "group_openid": group,
            "author": {key: value for key, value in author.items() if key not in without},
            "message_type": 0,
            "message_scene": {"source": "default", "ext": [f"msg_idx=REFIDX_{id_[-8:]}=="]},
            **rest,
        }
        return self.payload(event or ("GROUP_AT_MESSAGE_CREATE" if at_bot else "GROUP_MESSAGE_CREATE"), data)

    def mention_of_bot(self) -> dict[str, Any]:
        """What the list of mentions says of the bot."""
        return {
            "scope": "single",
            "bot": True,
            "id": BOT,
            "is_you": True,
            "member_openid": BOT,
            "username": "小助手",
        }

    def whisper(self, openid: str, content: str, **author: Any) -> dict[str, Any]:
        """Let somebody write to the bot alone."""
        id_ = self._id("ROBOT1.0_")
        self.private[id_] = Anchor(self.now(), PRIVATE_WINDOW)
        self.private_of[id_] = openid
        data = {
            "id": id_,
            "content": content,
            "timestamp": self.stamp(),
            "author": {"id": openid, "user_openid": openid, **author},
        }
        return self.payload("C2C_MESSAGE_CREATE", data)

    def notice(self, kind: str, *, group: str = GROUP, **data: Any) -> dict[str, Any]:
        """Make a notice of a group."""
        made = self.payload(kind, {"timestamp": int(self.now().timestamp()), "group_openid": group, **data})
        if kind in {"GROUP_ADD_ROBOT", "GROUP_MSG_RECEIVE"}:
            self.halls[group].anchors[made["id"]] = Anchor(self.now(), WINDOW)
        return made

    def joins(self, openid: str, name: str = "") -> dict[str, Any]:
        """Let somebody come in."""
        self.seat(openid, name)
        return self.notice("GROUP_MEMBER_ADD", member_openid=openid)

    def leaves(self, openid: str) -> dict[str, Any]:
        """Let somebody go."""
        self.halls[GROUP].seats.pop(openid, None)
        return self.notice("GROUP_MEMBER_REMOVE", member_openid=openid)

    def asks(self, openid: str, *answers: tuple[str, str], **rest: Any) -> dict[str, Any]:
        """Let somebody ask to come in."""
        request = self._id("JOIN_")
        self.halls[GROUP].requests[request] = openid
        asked = [{"question": question, "answer": answer} for question, answer in answers]
        data = {
            "join_request_id": request,
            "member_openid": openid,
            "username": openid[:6],
            "apply_at": self.stamp(),
            "apply_source": "self_apply",
            "verify_info": {"method": "review_qa", "review_qa_list": asked},
            **rest,
        }
        return self.payload("GROUP_JOIN_REQUEST", {"group_openid": GROUP, **data})

    def presses(self, openid: str, data: str, *, private: bool = False) -> dict[str, Any]:
        """Let somebody press a button."""
        where = (
            {"chat_type": 2, "scene": "c2c", "user_openid": openid}
            if private
            else {
                "chat_type": 1,
                "scene": "group",
                "group_openid": GROUP,
                "group_member_openid": openid,
            }
        )
        said = {
            "id": self._id("press-"),
            "type": 11,
            "version": 1,
            "timestamp": self.stamp(),
            "application_id": APP_ID,
            "data": {"type": 11, "resolved": {"button_id": "1", "button_data": data}},
        }
        made = self.payload("INTERACTION_CREATE", {**said, **where})
        self.halls[GROUP].anchors[made["id"]] = Anchor(self.now(), WINDOW)
        return made

    def payload(self, kind: str, data: dict[str, Any]) -> dict[str, Any]:
        """Wrap data as it is pushed."""
        number = next(self._ids)
        return {
            "op": 0,
            "s": number,
            "t": kind,
            "id": f"{kind}:{number:08d}-{secrets.token_hex(4)}",
            "d": data,
        }

    def stamp(self) -> str:
        """The present, as the platform writes it."""
        return self.now().astimezone().isoformat(timespec="seconds")

    def _id(self, head: str) -> str:
        return f"{head}{next(self._ids):06d}{secrets.token_hex(8)}"

    # — pushes —

    def signed(self, body: bytes, *, at: datetime | None = None) -> dict[str, str]:
        """Give the headers of a push."""
        timestamp = str(int((at or self.now()).timestamp()))
        return {
            "X-Bot-Appid": APP_ID,
            "X-Signature-Timestamp": timestamp,
            "X-Signature-Ed25519": self.key().sign(timestamp.encode() + body).hex(),
            "Content-Type": "application/json",
        }

    async def push(
        self, url: str, payload: Any, *, at: datetime | None = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Push a payload, signed unless other headers are given."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload, ensure_ascii=False).encode()
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
            shown = headers if headers is not None else self.signed(body, at=at)
            return await client.post(url, content=body, headers=shown)

    async def challenge(self, url: str, token: str = PLAIN_TOKEN, ts: str = "") -> httpx.Response:
        """Ask the bot to prove that it knows the secret, as the platform does when an address is entered."""
        stamp = ts or str(int(self.now().timestamp()))
        body = json.dumps({"op": 13, "d": {"plain_token": token, "event_ts": stamp}}).encode()
        return await self.push(url, body, headers={"X-Bot-Appid": APP_ID, "User-Agent": "QQBot-Callback"})

    # — calls —

    def said(self, group: str = GROUP) -> list[str]:
        """The texts the bot has posted in a group."""
        return [
            str(one.get("content") or one.get("markdown", {}).get("content"))
            for one in self.halls[group].said
        ]

    def written(self, openid: str) -> list[str]:
        """The texts the bot has written to somebody."""
        return [
            str(one.get("content") or one.get("markdown", {}).get("content"))
            for one in self.letters.get(openid, [])
        ]

    def called(self, end: str, method: str = "") -> list[Call]:
        """The calls whose path ends so."""
        return [call for call in self.calls if call.path.endswith(end) and method in ("", call.method)]

    async def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, cursor: str
    ) -> tuple[int, Any, dict[str, str]]:
        """Answer a call; raises ConnectionResetError for one that gets no answer."""
        self._cursor = cursor
        said = (
            json.loads(body)
            if body and headers.get("content-type", "").startswith("application/json")
            else body
        )
        call = Call(method, path, said, self.now())
        self.calls.append(call)
        try:
            fault = self._fault(path)
            if isinstance(fault, RefusalError):
                raise fault
            if fault == "broken":
                raise ConnectionResetError
            status, answer = self._answer(call, headers)
            if fault == "lost":
                raise ConnectionResetError
        except RefusalError as error:
            call.status = error.status
            return (
                error.status,
                {"code": error.code, "err_code": error.code, "message": error.message},
                error.headers,
            )
        call.status = status
        return status, answer, {}

    def _fault(self, path: str) -> Any:
        for end, faults in self.faults.items():
            if path.endswith(end) and faults:
                return faults.pop(0)
        return None

    def _answer(self, call: Call, headers: Mapping[str, str]) -> tuple[int, Any]:
        match [call.method, *call.path.strip("/").split("/")]:
            case ["POST", "app", "getAppAccessToken"]:
                return 200, self._token(call.body)
            case ["PUT", "part", upload, index]:
                assert "authorization" not in headers
                self.uploads[upload]["parts"][int(index)] = call.body
                return 200, ""
            case ["GET", "media", name]:
                return 200, self.media[name]
            case rest:
                if headers.get("authorization", "").removeprefix("QQBot ") not in self.tokens:
                    raise RefusalError(11244, "token not exist or expire", 401)
                return 200, self._granted(rest, call.body or {})

    def _token(self, body: Any) -> Any:
        if self.wrong_secret or body != {"appId": APP_ID, "clientSecret": SECRET}:
            return {"code": 100016, "message": "invalid appid or secret"}
        token = secrets.token_hex(16)
        self.tokens = {token}
        self.tokens_given += 1
        return {"access_token": token, "expires_in": str(self.token_lasts)}

    def _granted(self, rest: list[str], body: Any) -> Any:
        match rest:
            case ["GET", "users", "@me"]:
                return {"id": "11", "username": "小助手", "bot": True}
            case ["GET", "gateway", "bot"]:
                return self.gateway.said()
            case ["PUT", "interactions", id_]:
                self.acknowledged.append(id_)
                return ""
            case [method, "v2", "users", openid, *more]:
                return self._of_user(method, openid, more, body)
            case [method, "v2", "groups", group, *more]:
                if group not in self.halls:
                    raise RefusalError(40034101, "机器人非群成员")
                return self._of_group(method, self.halls[group], more, body)
            case _:
                raise RefusalError(0, "not found", 404)

    def _of_user(self, method: str, openid: str, more: list[str], body: Any) -> Any:
        match [method, *more]:
            case ["POST", "messages"]:
                if openid in self.refusing_private:
                    raise RefusalError(40054013, "用户拒收消息")
                anchors = {id_: one for id_, one in self.private.items() if self.private_of[id_] == openid}
                self._anchored(anchors, body, proactive=True, unasked=0)
                return self._posted(self.letters.setdefault(openid, []), body)
            case _:
                return self._upload(method, more, body)

    def _of_group(self, method: str, hall: Hall, more: list[str], body: Any) -> Any:
        match [method, *more]:
            case ["POST", "messages"]:
                return self._say(hall, body)
            case ["DELETE", "messages", id_]:
                return self._recall(hall, id_)
            case ["GET", "bot_state"]:
                return self._state(hall)
            case ["GET", "members"]:
                return self._members(hall)
            case ["GET", "members", openid]:
                if openid not in hall.seats:
                    raise RefusalError(40061001, "请求参数无效")
                return self._line(openid, hall.seats[openid])
            case ["POST", "restrict_chat_setting"]:
                return self._restrict(hall, body)
            case ["POST", "batch_remove_members"]:
                return self._remove(hall, body)
            case ["POST", "approval_join_request", openid]:
                return self._decide(hall, openid, body)
            case _:
                return self._upload(method, more, body)

    def _say(self, hall: Hall, body: Any) -> Any:
        me = hall.seats.get(BOT)
        if me is None:
            raise RefusalError(40054003, "机器人不是群成员")
        if me.muted_until is not None and me.muted_until > self.now():
            raise RefusalError(40054002, "机器人被禁言")
        content = str(body.get("content", ""))
        if "http" in content and "//" in content and "allowed.example" not in content:
            raise RefusalError(40054010, "消息发送失败, 不允许发送url")
        if body.get("markdown") and not self.markup:
            raise RefusalError(40034127, "无markdown模板权限")
        unasked = self._anchored(hall.anchors, body, proactive=hall.proactive, unasked=hall.unasked)
        hall.unasked += unasked
        return self._posted(hall.said, body)

    def _anchored(self, anchors: dict[str, Anchor], body: Any, *, proactive: bool, unasked: int) -> int:
        """Look whether it answers something that can be answered; gives 1 when it answers nothing."""
        id_ = body.get("msg_id") or body.get("event_id")
        if id_ is None:
            if not proactive:
                raise RefusalError(40034105, "主动消息发送失败，无权限")
            if self.unasked_limit is not None and unasked >= self.unasked_limit:
                raise RefusalError(40034100, "主动消息发送超过频控限制")
            return 1
        anchor = anchors.get(id_)
        if anchor is None:
            raise RefusalError(40034024 if "msg_id" in body else 40034025, "请求参数msg_id无效或越权")
        seq = body.get("msg_seq", 1)
        if seq in anchor.used:
            raise RefusalError(40054005, "消息被去重，请检查请求msgseq")
        if self.now() - anchor.at > anchor.lasts:
            raise RefusalError(40034005, "回复消息msg_id已过期")
        if anchor.answers >= ANSWERS:
            raise RefusalError(40034128, "被动回复时间或次数超限")
        anchor.used.add(seq)
        anchor.answers += 1
        return 0

    def _posted(self, where: list[dict[str, Any]], body: Any) -> Any:
        if body.get("msg_type") == 7:
            assert body["media"]["file_info"] in self.files
        id_ = self._id("ROBOT1.0_")
        where.append({**body, "id": id_})
        for hall in self.halls.values():
            if where is hall.said:
                hall.messages[id_] = (BOT, self.now())
        return {"id": id_, "timestamp": self.stamp(), "ext_info": {"ref_idx": f"REFIDX_{id_[-8:]}=="}}

    def _recall(self, hall: Hall, id_: str) -> Any:
        if id_ not in hall.messages:
            raise RefusalError(40061002, "请求参数msgid无效")
        author, at = hall.messages[id_]
        if self.now() - at > timedelta(minutes=2):
            raise RefusalError(40064004, "已超出消息撤回时限")
        if author != BOT and not self._may(hall, author):
            raise RefusalError(40062003, "无操作权限")
        del hall.messages[id_]
        return ""

    def _may(self, hall: Hall, target: str) -> bool:
        seat = hall.seats.get(target)
        return hall.seats[BOT].role in {"admin", "owner"} and (
            seat is None or (seat.role == "member" and not seat.bot)
        )

    def _state(self, hall: Hall) -> Any:
        if not self.state_granted:
            raise RefusalError(11253, "应用无接口访问权限")
        if BOT not in hall.seats:
            raise RefusalError(40054003, "机器人不是群成员")
        return {
            "member_openid": BOT,
            "joined_at": "2026-01-02T03:04:05+08:00",
            "allow_proactive_msg": hall.proactive,
            "recv_msg_setting": hall.receives,
            "member_role": hall.seats[BOT].role,
        }

    def _members(self, hall: Hall) -> Any:
        start = int(self._cursor or 0)
        lines = [self._line(openid, seat) for openid, seat in hall.seats.items()]
        more = start + self.page < len(lines)
        return {
            "members": lines[start : start + self.page],
            "next_cursor": str(start + self.page) if more else "",
        }

    @staticmethod
    def _line(openid: str, seat: Seat) -> dict[str, Any]:
        line = {
            "member_openid": openid,
            "username": seat.username,
            "member_role": seat.role,
            "bot": seat.bot,
            "joined_at": seat.joined_at,
        }
        return {**line, **({"union_openid": seat.union} if seat.union else {})}

    def _restrict(self, hall: Hall, body: Any) -> Any:
        for one in body["members"]:
            openid = one["member_openid"]
            if openid not in hall.seats:
                raise RefusalError(40061001, "请求参数无效")
            if not self._may(hall, openid):
                raise RefusalError(40062003, "目标成员为机器人/群主/管理员，不允许被禁言")
            until = datetime.fromisoformat(one["mute_expire_at"]) if one["op"] != "del" else None
            assert until is None or self.now() < until <= self.now() + timedelta(days=30)
            hall.seats[openid].muted_until = until
        return ""

    def _remove(self, hall: Hall, body: Any) -> Any:
        for openid in body["member_openids"]:
            if openid in hall.seats and not self._may(hall, openid):
                raise RefusalError(40062003, "无操作权限")
            hall.seats.pop(openid, None)
        return {"remove_members_result": "success", "add_to_member_blacklist_fail_openids": []}

    def _decide(self, hall: Hall, openid: str, body: Any) -> Any:
        if hall.requests.get(body.get("join_request_id")) != openid:
            raise RefusalError(40061001, "请求参数无效")
        if hall.seats[BOT].role == "member":
            raise RefusalError(40062003, "无操作权限")
        del hall.requests[body["join_request_id"]]
        if body["op"] == "approve":
            self.seat(openid)
        return ""

    def _upload(self, method: str, more: list[str], body: Any) -> Any:
        match [method, *more]:
            case ["POST", "upload_prepare"]:
                return self._prepared(body)
            case ["POST", "upload_part_finish"]:
                assert len(self.uploads[body["upload_id"]]["parts"][body["part_index"]]) == int(
                    body["block_size"]
                )
                return ""
            case ["POST", "files"]:
                return self._kept(body)
            case _:
                raise RefusalError(0, "not found", 404)

    def _prepared(self, body: Any) -> Any:
        upload, size, block = self._id("up-"), int(body["file_size"]), 5
        self.uploads[upload] = {"parts": {}, "name": body["file_name"]}
        parts = [
            {"index": number, "presigned_url": f"{self.base}part/{upload}/{number}"}
            for number in range(-(-size // block))
        ]
        limits = {"concurrency": 1, "retry_timeout": 300, "retry_delay": 1}
        return {"upload_id": upload, "block_size": block, "parts": parts, "upload_config": limits}

    def _kept(self, body: Any) -> Any:
        info = self._id("info-")
        if "upload_id" in body:
            parts = self.uploads[body["upload_id"]]["parts"]
            self.files[info] = b"".join(parts[number] for number in sorted(parts))
        else:
            assert body["srv_send_msg"] is False
            self.files[info] = base64.b64decode(body["file_data"])
        return {"file_uuid": "u", "file_info": info, "ttl": 300}


class Gateway:
    """The websocket gateway of the platform: one session, which can be resumed."""

    def __init__(self, platform: QQPlatform) -> None:
        self.platform = platform
        self.port = 0
        self.beat = 41_250
        self.answers_beats = True
        self.greeted: list[dict[str, Any]] = []
        self.beats = 0
        self.session = ""
        self.sent: list[dict[str, Any]] = []
        self.socket: ServerConnection | None = None
        self.refuse_with = 0
        self.remaining = 1000
        self._numbers = count(1)

    def said(self) -> dict[str, Any]:
        """What the platform says of where to connect."""
        limit = {"total": 1000, "remaining": self.remaining, "reset_after": 1000, "max_concurrency": 1}
        return {"url": f"ws://127.0.0.1:{self.port}/websocket", "shards": 1, "session_start_limit": limit}

    async def attend(self, socket: ServerConnection) -> None:
        """Attend to a connection until it ends."""
        with suppress(ConnectionClosed):
            await socket.send(json.dumps({"op": 10, "d": {"heartbeat_interval": self.beat}}))
            if not await self._greet(socket, json.loads(await socket.recv())):
                return
            async for frame in socket:
                if json.loads(frame)["op"] == 1:
                    self.beats += 1
                    if self.answers_beats:
                        await socket.send('{"op":11}')

    async def _greet(self, socket: ServerConnection, frame: dict[str, Any]) -> bool:
        self.greeted.append(frame)
        if self.refuse_with:
            await socket.close(self.refuse_with)
            return False
        if frame["d"]["token"].removeprefix("QQBot ") not in self.platform.tokens:
            await socket.close(4004)
            return False
        if frame["op"] == 6:
            if frame["d"]["session_id"] != self.session:
                await socket.send('{"op":9,"d":false}')
                return False
            missed = [one for one in self.sent if one["s"] > frame["d"]["seq"]]
            self.socket = socket
            for one in missed:
                await socket.send(json.dumps(one))
            await self._dispatch("RESUMED", "", socket)
            return True
        self.session = secrets.token_hex(8)
        self.sent.clear()
        self.socket = socket
        ready = {
            "version": 1,
            "session_id": self.session,
            "user": {"id": "11", "username": "小助手", "bot": True},
            "shard": [0, 1],
        }
        await self._dispatch("READY", ready, socket)
        return True

    async def _dispatch(self, kind: str, data: Any, socket: ServerConnection) -> None:
        await socket.send(json.dumps({"op": 0, "s": next(self._numbers), "t": kind, "d": data}))

    async def emit(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Dispatch a payload; when nobody is connected, it is sent once the session is resumed."""
        made = {**payload, "s": next(self._numbers)}
        self.sent.append(made)
        if self.socket is not None:
            with suppress(ConnectionClosed):
                await self.socket.send(json.dumps(made, ensure_ascii=False))
        return made

    async def again(self, payload: dict[str, Any]) -> None:
        """Dispatch a payload once more, as the platform now and then does."""
        assert self.socket is not None
        await self.socket.send(json.dumps({**payload, "s": next(self._numbers)}, ensure_ascii=False))

    async def drop(self, code: int = 4009) -> None:
        """Break the connection."""
        if self.socket is not None:
            socket, self.socket = self.socket, None
            await socket.close(code)

    async def say(self, payload: dict[str, Any]) -> None:
        """Send a frame of the protocol."""
        assert self.socket is not None
        await self.socket.send(json.dumps(payload))


async def until(holds: Callable[[], Any], within: float = PATIENCE) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(within):
        while not holds():  # noqa: ASYNC110 - what is waited for is a state of somebody else's
            await asyncio.sleep(0.005)


@asynccontextmanager
async def platform_running(platform: QQPlatform | None = None) -> AsyncIterator[QQPlatform]:
    """Run the platform on loopback, its gateway too."""
    made = platform or QQPlatform()
    async with listening(_app(made)) as port:
        made.port = port
        gateway: Server
        async with serve(made.gateway.attend, "127.0.0.1", 0) as gateway:
            made.gateway.port = gateway.sockets[0].getsockname()[1]
            yield made


def _app(platform: QQPlatform) -> Any:
    """Serve calls; written by hand, so that a connection can break in the middle of an answer."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        body, more = b"", True
        while more:
            part = await receive()
            body += part.get("body", b"")
            more = part.get("more_body", False)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        cursor = parse_qs(scope["query_string"].decode()).get("cursor", [""])[0]
        try:
            status, answer, extra = await platform.handle(
                scope["method"], scope["path"], headers, body, cursor
            )
        except ConnectionResetError:
            start = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]}
            await send(start)
            await send({"type": "http.response.body", "body": b"{", "more_body": True})
            return  # the server closes a connection whose answer was never finished
        raw = answer if isinstance(answer, bytes) else (json.dumps(answer) if answer else "").encode()
        named = [(name.lower().encode(), value.encode()) for name, value in extra.items()]
        length = (b"content-length", str(len(raw)).encode())
        await send({"type": "http.response.start", "status": status, "headers": [length, *named]})
        await send({"type": "http.response.body", "body": raw})

    return app


@asynccontextmanager
async def listening(app: Any) -> AsyncIterator[int]:
    """Serve an app on loopback; gives the port."""
    config = uvicorn.Config(
        app, port=0, log_config=None, lifespan="on", ws="none", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    try:
        await until(lambda: server.started or task.done())
        if task.done():
            task.result()
            raise AssertionError("the server ended at once")
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task
