"""The client of the platform's REST interfaces: what to do about an answer, and about none."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import re
import tomllib
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from math import inf
from typing import Any, Literal

from nonebot.drivers import Request, Response
from typing_extensions import override

from groupops_wecom.budget import Budget, Claim, Throttled, Turnstile
from groupops_wecom.clockwork import Clockwork
from groupops_wecom.codes import CodeClass, meaning
from groupops_wecom.exception import ActionFailed, ApiNotAvailable, InDoubt, NetworkError
from groupops_wecom.lenient import number, table, text
from groupops_wecom.tokens import LASTS, Token, Tokens

API_BASE = "https://qyapi.weixin.qq.com"

TRIES = 3
"""How often a call is repeated that may be: the platform's own advice."""

CROWDED_TRIES = 5
"""How often a call is repeated because too many were made at once."""

FIRST_PAUSE = 0.5
"""Seconds before the first repetition; each further one waits twice as long, and a random part of it more."""

SERIAL_FOR = 60.0
"""Seconds for which calls of an interface go one after another once too many were made at once."""

WITHIN = 20.0
"""Seconds in which an answer must come."""

CHECKED_FOR = 1800.0
"""Seconds for which the platform knows a repetition it was asked to drop, unless it was told another time."""

LONGEST_WHY = 200
"""Characters kept of the platform's own words."""

CLASH = "a token was refused again right after it was renewed"

_SERVER_FAULT = 500
_OK = 200

Method = Literal["POST", "GET"]
Requester = Callable[[Request], Awaitable[Response]]
File = tuple[str, bytes]

_NEVER_LEFT = frozenset(
    "ConnectError ConnectTimeout PoolTimeout UnsupportedProtocol InvalidURL ProxyError "
    "ClientConnectorError ConnectionTimeoutError ConnectionRefusedError gaierror".split()
)
"""Errors of the HTTP clients NoneBot has, by the names of their classes, after which nothing has left."""

_SECRET = re.compile(r"(?i)\b(access_token|corpsecret|key|response_code|secret)=[^&\s\"']+")


class Veil(logging.Filter):
    """Takes secrets out of addresses that an HTTP client writes into its log: the platform has them in the query."""

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        """Let everything through, without secrets."""
        said = record.getMessage()
        if _SECRET.search(said):
            record.msg, record.args = veiled(said), None
        return True


def veil_requests() -> None:
    """Keep secrets out of the log of httpx, once for the process."""
    logger = logging.getLogger("httpx")
    if not any(isinstance(known, Veil) for known in logger.filters):
        logger.addFilter(Veil())


def veiled(said: str, *secrets: str) -> str:
    """Give a text without the values of secret parameters and without these secrets."""
    for secret in secrets:
        said = said.replace(secret, "***") if secret else said
    return _SECRET.sub(r"\1=***", said)


@cache
def _interfaces() -> Mapping[str, frozenset[str]]:
    raw = tomllib.loads(resources.files(__package__ or "").joinpath("interfaces.toml").read_text("utf-8"))
    return {name: frozenset(paths) for name, paths in raw.items()}


def asks(path: str, method: str) -> bool:
    """Say whether a call is a question, which changes nothing; see `interfaces.toml`."""
    return method == "GET" or path in _interfaces()["reads"]


def repeatable(path: str, method: str, body: Mapping[str, Any]) -> bool:
    """Say whether a call may be made twice when it is not known whether it was done; see `interfaces.toml`."""
    known = _interfaces()
    if asks(path, method) or path in known["settles"]:
        return True
    return path in known["checked"] and body.get("enable_duplicate_check") == 1


def known_for(path: str, body: Mapping[str, Any]) -> float:
    """Give for how many seconds the platform takes a repetition for what it is; for ever where it does no harm."""
    if path not in _interfaces()["checked"]:
        return inf
    return number(body.get("duplicate_check_interval")) or CHECKED_FOR


def written(body: Any) -> bytes:
    """Give JSON as the platform takes it: raw UTF-8, no escapes; half characters become question marks."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """A call as it is to be made.

    Args:
        path: behind `/cgi-bin/`.
        method: GET or POST.
        params: query, without the token.
        content: body, if any.
        file: what is uploaded as `media`, if anything.
        secret: name of the secret whose token is sent; empty for none.
        twice: whether it may be made again when it is not known whether it was done.
        known_for: seconds after the first time in which it may.
        claims: what it uses up.
    """

    path: str
    method: Method
    params: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    content: bytes | None = field(default=None, repr=False)
    file: File | None = field(default=None, repr=False)
    secret: str = ""
    twice: bool = False
    known_for: float = inf
    claims: tuple[Claim, ...] = ()


@dataclass(slots=True)
class _Course:
    """How a call has gone so far.

    Args:
        failures: tries that were not answered, or with something that says to try again.
        crowded: tries that came together with too many others.
        renewed: whether a new token was fetched for it.
        doubt: why it may have been done already; None when it was not, for certain.
        began: when it was sent first, seconds since the epoch.
    """

    failures: int = 0
    crowded: int = 0
    renewed: bool = False
    doubt: InDoubt | None = None
    began: float = inf


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A medium.

    Args:
        data: its bytes.
        kind: its content type.
        name: its file name; empty when the platform gave none.
    """

    data: bytes = field(repr=False)
    kind: str
    name: str = ""


@dataclass(slots=True)
class _Lane:
    lock: asyncio.Lock
    until: float


class QyApi:
    """One enterprise's interfaces, with the secrets it has.

    Args:
        corp_id: the enterprise.
        secrets: name (`app`, `contacts`, `archive`) → secret.
        request: makes one HTTP request: the adapter's `request`.
        base: address of the platform.
        clock: the time of day, and what is waited on.
        budget: the counters; apps of one enterprise share them. Made here by default.
        dice: gives a number from 0 to 1, for pauses that do not coincide.
    """

    def __init__(
        self,
        corp_id: str,
        secrets: Mapping[str, str],
        request: Requester,
        base: str = API_BASE,
        *,
        clock: Clockwork | None = None,
        budget: Budget | None = None,
        dice: Callable[[], float] = random.random,
    ) -> None:
        veil_requests()
        self.corp_id = corp_id
        self.clock = clock or Clockwork()
        self.budget = Budget(self.clock.now) if budget is None else budget
        self._turnstile = Turnstile(self.budget, self.clock)
        self._secrets = dict(secrets)
        self._request = request
        self._base = base.rstrip("/")
        self._dice = dice
        self._lanes: dict[str, _Lane] = {}
        self._tokens = {name: Tokens(self._fetcher(name), self.clock.now) for name in self._secrets}

    def __repr__(self) -> str:
        return f"QyApi({self.corp_id!r}, {sorted(self._secrets)})"

    def has(self, secret: str) -> bool:
        """Say whether there is such a secret."""
        return secret in self._secrets

    async def call(
        self,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        params: Mapping[str, str] | None = None,
        secret: str = "app",  # noqa: S107 - a name
        method: Method = "POST",
        claims: tuple[Claim, ...] = (),
    ) -> dict[str, Any]:
        """Call an interface.

        Args:
            path: behind `/cgi-bin/`, such as `message/send`.
            body: what is sent as JSON.
            params: query, without the token.
            secret: name of the secret whose token is sent.
            method: GET or POST.
            claims: what the call uses up besides the interface's own rate.

        Returns:
            The answer; its `errcode` is 0.

        Raises:
            ActionFailed: the platform said no; `codes.meaning(error.errcode)` says what that is.
            Throttled: too often; `error.wait` seconds until it may be tried again.
            InDoubt: it was sent, its answer was lost, and doing it twice might do harm.
            NetworkError: it was not done.
            ApiNotAvailable: there is no such secret.
        """
        sent = body or {}
        return await self._answer(
            _Call(
                path=path,
                method=method,
                params=params or {},
                content=written(sent) if method == "POST" else None,
                secret=secret,
                twice=repeatable(path, method, sent),
                known_for=known_for(path, sent),
                claims=claims,
            )
        )

    async def upload(
        self,
        path: str,
        name: str,
        data: bytes,
        *,
        params: Mapping[str, str],
        secret: str = "app",  # noqa: S107 - a name
        claims: tuple[Claim, ...] = (),
    ) -> dict[str, Any]:
        """Upload a file as the form field `media`.

        Args:
            path: `media/upload` or `media/uploadimg`.
            name: file name.
            data: the bytes.
            params: query, without the token.
            secret: name of the secret whose token is sent.
            claims: what it uses up besides the interface's own rate.

        Raises:
            ActionFailed: as `call`, and so are the others.
        """
        file, twice = (name, data), repeatable(path, "POST", {})
        return await self._answer(
            _Call(
                path=path, method="POST", params=params, file=file, secret=secret, twice=twice, claims=claims
            )
        )

    async def download(self, path: str, *, params: Mapping[str, str], secret: str = "app") -> Downloaded:  # noqa: S107 - a name
        """Fetch bytes; an answer in JSON is a refusal.

        Raises:
            ActionFailed: as `call`, and so are the others.
        """
        call = _Call(path=path, method="GET", params=params, secret=secret, twice=True)
        _, response = await self._patiently(call)
        kind = response.headers.get("Content-Type", "")
        return Downloaded(_bytes(response), kind.partition(";")[0].strip(), _file_name(response))

    # — answers —

    async def _answer(self, call: _Call) -> dict[str, Any]:
        answer, _ = await self._patiently(call)
        return answer

    async def _patiently(self, call: _Call) -> tuple[dict[str, Any], Response]:
        """Make a call until it is answered, or nothing more may be done about it.

        What may have been done stays so, whatever keeps it from being asked again.
        """
        course = _Course()
        try:
            return await self._answered(call, course)
        except (ActionFailed, NetworkError) as error:
            if course.doubt is None or asks(call.path, call.method) or not _says_nothing(error):
                raise
        raise course.doubt

    async def _answered(self, call: _Call, course: _Course) -> tuple[dict[str, Any], Response]:
        while True:
            token = await self._token(call.secret)
            try:
                answer, response = await self._once(call, token, course)
            except NetworkError as error:
                await self._failed(call, course, error)
                continue
            code = _code(answer)
            kind = meaning(code).kind
            if code == 0:
                return answer, response
            if kind is CodeClass.REFRESH and token is not None and not course.renewed:
                course.renewed = True
                await self._tokens[call.secret].renew(token)
            elif kind is CodeClass.SERIALISE and course.crowded < CROWDED_TRIES:
                course.crowded += 1
                self._serialise(call.path)
                await self._pause(course.crowded)
            elif kind is CodeClass.RETRY and call.twice and course.failures < TRIES:
                course.failures += 1
                course.doubt = InDoubt(f"{call.path}: {code}; whether it was done is not known")
                await self._pause(course.failures)
            else:
                raise self._refusal(call, code, answer, token)

    async def _failed(self, call: _Call, course: _Course, error: NetworkError) -> None:
        """Take note of a call without an answer, and wait before the next; raises where there may be none."""
        course.failures += 1
        if isinstance(error, InDoubt):
            course.doubt = error
        if course.failures > TRIES and asks(call.path, call.method):
            raise NetworkError(f"{error.msg}; it was a question, nothing was changed") from None
        if course.failures > TRIES or (isinstance(error, InDoubt) and not self._may_repeat(call, course)):
            raise error
        await self._pause(course.failures)

    def _may_repeat(self, call: _Call, course: _Course) -> bool:
        """Say whether what may have been done may be done again, so that it arrives while the platform knows it."""
        return call.twice and self.clock.now() - course.began < call.known_for - WITHIN

    def _refusal(self, call: _Call, code: int, answer: dict[str, Any], token: Token | None) -> Exception:
        said = text(answer.get("errmsg"))
        why = veiled(said, token.text if token else "", *self._secrets.values())[:LONGEST_WHY]
        match meaning(code).kind:
            case CodeClass.THROTTLED:
                return Throttled(call.path, self.budget.refused(self._of(call), why), why)
            case CodeClass.RETRY if not call.twice:
                return InDoubt(f"{call.path}: {code} {why}; whether it was done is not known")
            case CodeClass.REFRESH:
                return ActionFailed(call.path, code, f"{why}; {CLASH}")
            case CodeClass.CONFIGURATION:
                return ActionFailed(call.path, code, f"{why}; {meaning(code).means}")
            case _:
                return ActionFailed(call.path, code, why)

    # — one request —

    async def _once(
        self, call: _Call, token: Token | None, course: _Course
    ) -> tuple[dict[str, Any], Response]:
        """Make one request; one that may have been done has had its turn and uses up no more.

        Raises:
            InDoubt: it was sent and no answer came that can be read.
            NetworkError: it was not sent.
        """
        again = course.doubt is not None
        async with self._lane(call.path):
            claims = () if again else call.claims
            await self._turnstile.enter(call.path, (self._of(call), Claim("address", ""), *claims))
            if course.doubt is not None:
                if not self._may_repeat(call, course):  # it waited too long for its turn
                    raise course.doubt
                self.budget.count(call.claims)
            course.began = min(course.began, self.clock.now())
            response = await self._send(call, token)
        if response.status_code >= _SERVER_FAULT:
            raise InDoubt(f"{call.path}: HTTP {response.status_code}; whether it was done is not known")
        if call.method == "GET" and _is_medium(response):
            return {}, response
        answer = _read(_bytes(response))
        if answer is None and response.status_code != _OK:
            raise ActionFailed(call.path, response.status_code, f"HTTP {response.status_code}")
        if answer is None:
            raise InDoubt(f"{call.path}: the answer cannot be read; whether it was done is not known")
        return answer, response

    async def _send(self, call: _Call, token: Token | None) -> Response:
        name = ""
        try:
            return await self._request(self._setup(call, token))
        except Exception as error:  # noqa: BLE001 - each HTTP client of NoneBot has errors of its own
            name = type(error).__name__
            left = not any(one.__name__ in _NEVER_LEFT for one in type(error).__mro__)
        # Raised out here, so that nobody who prints the error prints the client's, which knows the address.
        if left:
            raise InDoubt(f"{call.path}: {name}; it was sent and the answer was lost")
        raise NetworkError(f"{call.path}: {name}; it was not sent")

    def _setup(self, call: _Call, token: Token | None) -> Request:
        params = dict(call.params) | ({"access_token": token.text} if token is not None else {})
        return Request(
            call.method,
            f"{self._base}/cgi-bin/{call.path}",
            params=params,
            content=call.content,
            headers={"Content-Type": "application/json; charset=utf-8"} if call.content is not None else None,
            files={"media": call.file} if call.file is not None else None,
            timeout=WITHIN,
        )

    # — tokens —

    async def _token(self, secret: str) -> Token | None:
        if not secret:
            return None
        if secret not in self._tokens:
            raise ApiNotAvailable(
                f"no secret {secret!r} is configured for {self.corp_id}; add it to WECOM_APPS"
            )
        return await self._tokens[secret].get()

    def _fetcher(self, name: str) -> Callable[[], Awaitable[Token]]:
        async def fetch() -> Token:
            params = {"corpid": self.corp_id, "corpsecret": self._secrets[name]}
            answer = await self._answer(_Call(path="gettoken", method="GET", params=params, twice=True))
            if not text(answer.get("access_token")):
                raise NetworkError("gettoken: the answer holds no token")
            lasts = number(answer.get("expires_in"))
            return Token(
                text(answer.get("access_token")), lasts if lasts is not None and lasts > 0 else LASTS
            )

        return fetch

    # — pauses —

    async def _pause(self, turn: int) -> None:
        await self.clock.sleep(FIRST_PAUSE * 2 ** (turn - 1) * (1 + self._dice()))

    def _serialise(self, path: str) -> None:
        now = self.clock.now()
        self._lanes = {
            name: lane for name, lane in self._lanes.items() if now < lane.until or lane.lock.locked()
        }
        lane = self._lanes.setdefault(path, _Lane(asyncio.Lock(), now))
        lane.until = now + SERIAL_FOR

    @asynccontextmanager
    async def _lane(self, path: str) -> AsyncGenerator[None]:
        lane = self._lanes.get(path)
        if lane is None or self.clock.now() >= lane.until:
            yield
            return
        async with lane.lock:
            yield

    def _of(self, call: _Call) -> Claim:
        return Claim("api", f"{self.corp_id}:{call.path}")


def _code(answer: Mapping[str, Any]) -> int:
    code = answer.get("errcode", 0)
    if isinstance(code, str) and code.lstrip("-").isdecimal():
        return int(code[:12])
    return code if isinstance(code, int) else 0


_NO_WORD = frozenset(
    {CodeClass.RETRY, CodeClass.REFRESH, CodeClass.CONFIGURATION, CodeClass.THROTTLED, CodeClass.SERIALISE}
)


def _says_nothing(error: Exception) -> bool:
    """Say whether an error leaves open what became of an earlier try: it was never looked at what was asked."""
    return not isinstance(error, ActionFailed) or meaning(error.errcode).kind in _NO_WORD


def _bytes(response: Response) -> bytes:
    content = response.content
    return content.encode() if isinstance(content, str) else content or b""


def _read(content: bytes) -> dict[str, Any] | None:
    try:
        answer = json.loads(content.decode(errors="replace"), strict=False)
    except (ValueError, RecursionError):
        return None
    return table(answer) if isinstance(answer, dict) else None


def _is_medium(response: Response) -> bool:
    kind = response.headers.get("Content-Type", "").lower()
    disposition = response.headers.get("Content-Disposition", "")
    return response.status_code == _OK and (
        bool(disposition) or not ("json" in kind or "text" in kind or not kind)
    )


def _file_name(response: Response) -> str:
    found = re.search(r'filename="?([^";]+)', response.headers.get("Content-Disposition", ""))
    return found.group(1).strip()[:255] if found is not None else ""
