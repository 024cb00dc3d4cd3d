"""Who may push: the start is refused while the door is open; a push is fresh, signed, and taken once."""

from __future__ import annotations

import binascii
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from nonebot import get_plugin_config
from nonebot.adapters.qq.config import BotInfo, Intents
from nonebot.adapters.qq.config import Config as LibraryConfig
from pydantic import ValidationError

from groupops import ConfigError
from groupops_qq.config import Config
from groupops_qq.shapes import Recent, word

SHORTEST_SECRET = 16
"""Characters an app secret has at least; the platform's have 32."""

PUSHES = 20_000
"""Pushes of late that are known again; older ones are refused for their age anyway."""

EVENT_LASTS = timedelta(hours=2)
"""How long an event's id is known again: the platform sends an event anew when it saw no answer."""

INTENTS = Intents(
    guilds=False,
    guild_members=False,
    guild_message_reactions=False,
    message_audit=False,
    at_messages=False,
    c2c_group_at_messages=True,
    group_members=True,
    interaction=True,
)
"""What a bot subscribes to whose `intent` is not configured: everything of groups, nothing of channels."""

_SEED = 32
_DIGITS = re.compile(r"[0-9]{9,11}")
_SIGNATURE = re.compile(r"[0-9a-fA-F]{128}")
_PLAIN_TOKEN = re.compile(r"[0-9A-Za-z_-]{1,128}")


class Marks(Protocol):
    """Where something is marked, so that it is known after a restart too: the core's counters."""

    async def once(self, key: str, ttl: float) -> bool:
        """Mark a key; False when it was marked within `ttl` seconds."""
        ...

    async def peek(self, key: str, window: float) -> int:
        """Say how often a key was marked within `window` seconds."""
        ...

    async def clear(self, key: str, window: float) -> None:
        """Forget a key."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What a push is answered with.

    Args:
        status: HTTP status.
        body: JSON, or nothing.
        why: why it was refused, for the log; empty when it was not.
    """

    status: int
    body: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Push:
    """A push that was found genuine; not yet whether it is new.

    Args:
        bot: the app id it is for.
        payload: what was pushed.
        mark: what is the same for the same signed body, and for no other.
    """

    bot: str
    payload: dict[str, Any]
    mark: str


class Door:
    """What a push has to show.

    Args:
        bots: the bots that take pushes, by app id.
        config: this adapter's keys.
    """

    def __init__(self, bots: Mapping[str, BotInfo], config: Config) -> None:
        self.config = config
        self.refused = 0
        self.repeated = 0
        self._keys = {id_: _key(info.secret) for id_, info in bots.items()}
        self._known = {id_: key.public_key() for id_, key in self._keys.items()}
        self._seen: Recent[str, datetime] = Recent(PUSHES)

    def examine(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Push | Answer:
        """Look at a push.

        Args:
            headers: by their names in lower case.
            body: as it came.
            now: the present.

        Returns:
            What was pushed; or what to answer when it is a challenge or is not let in.
        """
        bot = headers.get("x-bot-appid", "")
        if bot not in self._keys:
            return self._refuse(403, "no such bot")
        timestamp = headers.get("x-signature-timestamp")
        signature = headers.get("x-signature-ed25519")
        if timestamp is None and signature is None:
            return self._challenged(bot, _object(body), now)
        if not self._signed(bot, timestamp or "", signature or "", body):
            return self._refuse(401, "the signature does not hold")
        if not self._fresh(timestamp or "", now):
            return self._refuse(401, "the signature is of another time")
        payload = _object(body)
        if payload is None:
            return self._refuse(400, "the body is no JSON object")
        if payload.get("op") == _CHALLENGE:
            return self._challenged(bot, payload, now)
        # What was signed is the mark, not the signature: of that there may be more than one that holds.
        mark = hashlib.sha256((timestamp or "").encode() + b"\n" + body).hexdigest()
        return Push(bot, payload, f"{bot}:{mark}")

    async def is_new(self, marks: Marks, push: Push, now: datetime) -> bool:
        """Mark a push as taken; False when it was taken before, in this process or, over Redis, in another."""
        lasts = timedelta(seconds=self.config.qq_freshness_seconds * 2)
        new = await self._first(marks, f"push:{push.mark}", lasts, now)
        if not new:
            self.refused += 1
        return new

    async def is_new_event(self, marks: Marks, bot: str, event_id: str, now: datetime) -> bool:
        """Mark an event as taken; an event without an id is always new."""
        if not event_id:
            return True
        new = await self._first(marks, f"event:{bot}:{event_id}", EVENT_LASTS, now)
        self.repeated += not new
        return new

    async def _first(self, marks: Marks, mark: str, lasts: timedelta, now: datetime) -> bool:
        """Mark here and in the counters: these may be shared and outlive the process, or answer without knowing."""
        until = self._seen.get(mark)
        if until is not None and now < until:
            return False
        self._seen.put(mark, now + lasts)
        try:
            return await marks.once(f"qqbot:{mark}", lasts.total_seconds())
        except BaseException:
            self._seen.drop(mark)  # it was not taken: when it is sent again, it is new
            raise

    def _refuse(self, status: int, why: str) -> Answer:
        self.refused += 1
        return Answer(status, "", why)

    def _signed(self, bot: str, timestamp: str, signature: str, body: bytes) -> bool:
        if not (_DIGITS.fullmatch(timestamp) and _SIGNATURE.fullmatch(signature)):
            return False
        try:
            self._known[bot].verify(binascii.unhexlify(signature), timestamp.encode() + body)
        except InvalidSignature:
            return False
        return True

    def _fresh(self, timestamp: str, now: datetime) -> bool:
        """Say whether a moment, Unix time in seconds, is near enough."""
        if not _DIGITS.fullmatch(timestamp):
            return False
        at = datetime.fromtimestamp(int(timestamp), UTC)
        return abs((now - at).total_seconds()) <= self.config.qq_freshness_seconds

    def _challenged(self, bot: str, payload: dict[str, Any] | None, now: datetime) -> Answer:
        """Prove to the platform that the secret is known, and to nobody else anything.

        A challenge is not signed, and is answered with a signature over words its sender chose. Were these any
        words, a push could be had signed this way. They are digits and a token without punctuation, and what
        is signed of a push never reads so, since its body begins with a brace.
        """
        said = payload.get("d") if payload is not None and payload.get("op") == _CHALLENGE else None
        if not isinstance(said, dict):
            return self._refuse(401, "not signed")
        token, timestamp = said.get("plain_token"), word(said.get("event_ts"), 20)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType, reportUnknownArgumentType] - any shape
        if not (isinstance(token, str) and _PLAIN_TOKEN.fullmatch(token) and self._fresh(timestamp, now)):
            return self._refuse(401, "a challenge of the wrong form or of another time")
        signature = self._keys[bot].sign(f"{timestamp}{token}".encode()).hex()
        return Answer(200, json.dumps({"plain_token": token, "signature": signature}))


_CHALLENGE = 13


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        found: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None  # pyright: ignore[reportUnknownVariableType] - any shape


def _key(secret: str) -> Ed25519PrivateKey:
    """Give the key of a secret: repeated until it is long enough, and cut (official documentation)."""
    seed = secret.encode()
    return Ed25519PrivateKey.from_private_bytes((seed * (_SEED // len(seed) + 1))[:_SEED])


# — the configuration —


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """The configuration, looked over.

    Args:
        library: the library's own keys, with every bot's intents as they will be used.
        config: this adapter's keys.
    """

    library: LibraryConfig
    config: Config

    @property
    def bots(self) -> Mapping[str, BotInfo]:
        """App id → bot."""
        return MappingProxyType({bot.id: bot for bot in self.library.qq_bots})

    @property
    def pushed(self) -> Mapping[str, BotInfo]:
        """The bots that take pushes over HTTP."""
        return MappingProxyType({id_: bot for id_, bot in self.bots.items() if not bot.use_websocket})


def setup_now() -> Setup:
    """Give the configuration as NoneBot has it.

    Raises:
        ConfigError: the door would stand open, or a key does not hold; every fault is named.
    """
    return setup_of(_parsed(LibraryConfig), _parsed(Config))


def setup_of(library: LibraryConfig, config: Config) -> Setup:
    """Look the configuration over.

    Raises:
        ConfigError: the door would stand open; the text names every key and what to do.
    """
    faults = list(_faults(library))
    if faults:
        lines = "\n".join(f"  {fault}" for fault in faults)
        raise ConfigError(f"the adapter of official QQ bots does not start:\n{lines}")
    bots = [bot if "intent" in bot.model_fields_set else _subscribed(bot) for bot in library.qq_bots]
    return Setup(library=library.model_copy(update={"qq_bots": bots}), config=config)


def _subscribed(bot: BotInfo) -> BotInfo:
    return bot.model_copy(update={"intent": INTENTS})


def _faults(library: LibraryConfig) -> list[str]:
    faults: list[str] = []
    ids = [bot.id for bot in library.qq_bots]
    if not ids:
        faults.append('QQ_BOTS is empty: write [{"id":"<AppID>","secret":"<AppSecret>"}]')
    if len(set(ids)) < len(ids):
        faults.append("QQ_BOTS names one AppID twice; leave one of them out")
    for place, bot in enumerate(library.qq_bots):
        faults += _faults_of(place, bot)
    if any(not bot.use_websocket for bot in library.qq_bots) and not library.qq_verify_webhook:
        faults.append(
            "QQ_VERIFY_WEBHOOK=false while a bot takes pushes: anybody could push; leave it out or write true"
        )
    return faults


def _faults_of(place: int, bot: BotInfo) -> list[str]:
    faults: list[str] = []
    if not (bot.id.isascii() and bot.id.isdigit()):
        faults.append(
            f"QQ_BOTS[{place}].id is no AppID: it is the number shown in the open platform's console"
        )
    if len(bot.secret.strip()) < SHORTEST_SECRET:
        faults.append(f"QQ_BOTS[{place}].secret is too short for an AppSecret: copy it from the console")
    if "intent" in bot.model_fields_set and not bot.intent.c2c_group_at_messages:
        faults.append(
            f"QQ_BOTS[{place}].intent has c2c_group_at_messages off, so that no group is heard; "
            "switch it on, or leave `intent` out to subscribe to all that is needed"
        )
    return faults


def _parsed(model: Any) -> Any:
    try:
        return get_plugin_config(model)
    except ValidationError as error:
        lines = [f"  {_place(found['loc'])}: {found['msg']}" for found in error.errors(include_input=False)]
        raise ConfigError(
            "settings of the adapter of official QQ bots do not hold:\n" + "\n".join(lines)
        ) from None


def _place(at: tuple[int | str, ...]) -> str:
    """Give the key as it stands in `.env`."""
    key, *rest = at or ("?",)
    inner = "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in rest)
    return f"{str(key).upper()}{inner}"
