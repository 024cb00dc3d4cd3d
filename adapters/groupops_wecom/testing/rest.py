"""The REST interface: tokens, rates, faults, and the way to each call."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast
from urllib.parse import parse_qsl

from groupops_wecom.testing.aibots import AiBots
from groupops_wecom.testing.cards import given, require
from groupops_wecom.testing.letters import Letters
from groupops_wecom.testing.meters import Meter
from groupops_wecom.testing.offices import Offices
from groupops_wecom.testing.refusals import Fault, Faults, RefusalError
from groupops_wecom.testing.world import App, Json, Media, World

TOKEN_LASTS: Final = 7200
ESCAPE: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u[0-9a-fA-F]{4}")
MULTIPART: Final = re.compile(r'name="(\w+)"(?:.*?filename="([^"]*)")?', re.DOTALL)


class CutError(Exception):
    """The connection breaks here instead of an answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """A call that came.

    Args:
        name: what follows `/cgi-bin/`.
        query: without secrets: neither the token nor the app's secret.
        body: JSON, or what a form carried.
        at: seconds since 1970.
        errcode: what it was answered with; -2 = the connection broke before anything was done.
        by: which secret's token it came with: an agent id, `contacts` or `archive`.
    """

    method: str
    name: str
    query: Mapping[str, str]
    body: Json
    at: float
    errcode: int
    by: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What goes back over HTTP."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(
        default_factory=lambda: {"content-type": "application/json; charset=UTF-8"}
    )


@dataclass(kw_only=True, slots=True)
class Token:
    """An access token that was given."""

    value: str
    secret: str
    until: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """Who calls: an app, or the holder of one of the two other secrets.

    Args:
        kind: `app`, `contacts` or `archive`.
    """

    kind: str
    app: App | None = None

    @property
    def name(self) -> str:
        """For the record."""
        return str(self.app.agent_id) if self.app else self.kind


class Rest:
    """The interface.

    Args:
        world: what there is.
        bots: the AI bots' rules, for `response_url` and encrypted media.

    Attributes:
        most_at_once: calls that may run at the same time; one more is refused with 45033.
        trusted: unset it to have every call refused as from an address nobody trusts.
    """

    def __init__(self, world: World, bots: AiBots) -> None:
        self.world = world
        self.bots = bots
        self.port = 0
        self.calls: list[Call] = []
        self.faults = Faults()
        self.most_at_once = 1000
        self.trusted = True
        self.token_lasts = TOKEN_LASTS
        self.tokens: dict[str, Token] = {}
        self.letters = Letters(world)
        self.offices = Offices(world)
        self.files: dict[str, tuple[bytes, str, float]] = {}
        self._running = 0
        self._rates = Meter((10_000, 60), (150_000, 3600), bans=True)
        self._rates_of = {
            "checkin/getcheckindata": Meter((600, 60), bans=True),
            "appchat/create": Meter((1000, 86400), bans=True),
            "appchat/update": Meter((1000, 3600), bans=True),
            "media/uploadimg": Meter((3000, 30 * 86400), bans=True),
        }

    @property
    def base(self) -> str:
        """Where calls go."""
        return f"http://127.0.0.1:{self.port}"

    def asked(self, name: str) -> list[Json]:
        """The bodies of the calls of this name that were done, in order."""
        return [one.body for one in self.calls if one.name == name and one.errcode == 0]

    # — tokens —

    def expire_tokens(self) -> None:
        """Let every token be over: 42001."""
        for token in self.tokens.values():
            token.until = 0.0

    def revoke_tokens(self) -> None:
        """Take every token back before its time: 40014."""
        self.tokens.clear()

    def _gettoken(self, query: Mapping[str, str]) -> Json:
        require(query.get("corpid"), "corpid missing", 41002)
        require(query.get("corpid") == self.world.corp_id, "invalid corpid", 40013)
        secret = query.get("corpsecret", "")
        require(self._holder(secret), "invalid credential", 40001)
        now = self.world.now()
        valid = next((one for one in self.tokens.values() if one.secret == secret and one.until > now), None)
        token = valid or Token(value=self.world.fresh("token-"), secret=secret, until=now + self.token_lasts)
        self.tokens[token.value] = token
        return {"access_token": token.value, "expires_in": int(token.until - now)}

    def _holder(self, secret: str) -> Caller | None:
        for app in self.world.apps.values():
            if app.secret == secret:
                return Caller(kind="app", app=app)
        kinds = {self.world.contacts_secret: "contacts", self.world.archive_secret: "archive"}
        return Caller(kind=kinds[secret]) if secret in kinds else None

    def _caller(self, query: Mapping[str, str]) -> Caller:
        value = query.get("access_token", "")
        require(value, "access_token missing", 41001)
        token = given(self.tokens.get(value), "invalid access_token", 40014)
        require(self.world.now() < token.until, "access_token expired", 42001)
        return given(self._holder(token.secret), "invalid access_token", 40014)

    # — a call —

    async def handle(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        """Do what a call asks for.

        Raises:
            CutError: the connection is to break.
        """
        if path.startswith("/files/"):
            return self._file(path.removeprefix("/files/"))
        name, asked = path.removeprefix("/cgi-bin/"), dict(parse_qsl(query, keep_blank_values=True))
        fault = self.faults.take(name)
        if fault.cut:
            self._record(method, name, asked, {}, -2)
            raise CutError
        self._running += 1
        try:
            answer = self._answered(method, name, asked, headers, body, fault)
            if fault.slow:
                await asyncio.sleep(fault.slow)  # noqa: TID251 - a slow server takes real time
            elif self._running > 1:
                await asyncio.sleep(0)  # noqa: TID251 - lets calls that came together overlap
        finally:
            self._running -= 1
        if fault.lost or fault.mute:
            raise CutError
        return answer

    def _answered(
        self,
        method: str,
        name: str,
        query: dict[str, str],
        headers: Mapping[str, str],
        raw: bytes,
        fault: Fault,
    ) -> Answer:
        if fault.status != 200:  # noqa: PLR2004
            self._record(method, name, query, {}, fault.status)
            return Answer(
                body=b"<html>Bad Gateway</html>", status=fault.status, headers={"content-type": "text/html"}
            )
        body: Json = {}
        by = ""
        try:
            require(not fault.errcode, "refused", fault.errcode)
            body = _read(headers, raw)
            by, done = self._do(method, name, query, body)
            code, answer = 0, {"errcode": 0, "errmsg": "ok", **done} if isinstance(done, dict) else done
        except RefusalError as no:
            hint = f"{no.errmsg}, hint: [{self.world.fresh('17')}], from ip: 127.0.0.1"
            code, answer = no.errcode, {"errcode": no.errcode, "errmsg": hint}
        self._record(method, name, query, body, code, by)
        if isinstance(answer, dict):
            return Answer(body=json.dumps(answer, ensure_ascii=False).encode())
        return answer

    def _record(
        self, method: str, name: str, query: dict[str, str], body: Json, errcode: int, by: str = ""
    ) -> None:
        shown = {
            key: value for key, value in query.items() if key not in {"access_token", "corpsecret", "key"}
        }
        call = Call(
            method=method, name=name, query=shown, body=body, at=self.world.now(), errcode=errcode, by=by
        )
        self.calls.append(call)

    def _do(self, method: str, name: str, query: dict[str, str], body: Json) -> tuple[str, Json | Answer]:
        require(self._running <= self.most_at_once, "api concurrent out of limit", 45033)
        if name == "aibot/response":
            self.bots.by_response_url(query.get("response_code", ""), body)
            return "response_url", {}
        if name.startswith("webhook/"):
            return "robot", self.letters.webhook(name, query, body)
        for meter in (self._rates, self._rates_of.get(name)):
            admitted = meter is None or meter.admits(f"{self.world.corp_id} {name}", self.world.now())
            require(admitted, "api freq out of limit", 45009)
        require(self.trusted, "not allow to access from your ip", 60020)
        if name == "gettoken":
            return "", self._gettoken(query)
        caller = self._caller(query)
        wanted, do = self._way(name)
        require(method == wanted, f"{name} wants {wanted}", 43001 if wanted == "GET" else 43002)
        done = do(caller, body if method == "POST" and not query.get("type") else {**query, **body})
        if isinstance(done, Media):
            return caller.name, Answer(body=done.data, headers=_of_file(done.name))
        return caller.name, done

    def _way(self, name: str) -> tuple[str, Callable[[Caller, Json], Any]]:
        ways = {**self.letters.ways, **self.offices.ways}
        require(name in ways, f"no such interface: {name}", 40097)
        return ways[name]

    # — encrypted files of the AI bots —

    def _file(self, id_: str) -> Answer:
        data, name, until = self.files.get(id_, (b"", "", 0.0))
        if self.world.now() > until:
            return Answer(body=b"", status=403, headers={"content-type": "text/plain"})
        return Answer(body=data, headers=_of_file(name))


def _of_file(name: str) -> Mapping[str, str]:
    quoted = "".join(
        chr(one) if (chr(one).isascii() and chr(one).isalnum()) or one in b".-_" else f"%{one:02X}"
        for one in name.encode()
    )
    return {
        "content-type": "application/octet-stream",
        "content-disposition": f"attachment; filename=\"{quoted}\"; filename*=UTF-8''{quoted}",
    }


def _read(headers: Mapping[str, str], raw: bytes) -> Json:
    """Read a body: a form with a file, or JSON whose characters are not escaped."""
    kind = headers.get("content-type", "")
    if kind.startswith("multipart/form-data"):
        return _form(kind.partition("boundary=")[2].strip('"'), raw)
    if not raw:
        return {}
    require(not ESCAPE.search(raw), "invalid utf-8: escapes", 40033)
    try:
        body: Any = json.loads(raw)
    except ValueError:
        body = None
    require(isinstance(body, dict), "data format error", 47001)
    return cast("Json", body)


def _form(boundary: str, raw: bytes) -> Json:
    """Read a form: each field, and for a file `filename` besides."""
    found: Json = {}
    for part in raw.split(b"--" + boundary.encode())[1:-1]:
        head, _, data = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        named = given(MULTIPART.search(head.decode()), "form-data", 41005)
        found[named[1]] = data.removesuffix(b"\r\n")
        if named[2] is not None:
            found["filename"] = named[2]
    return found
