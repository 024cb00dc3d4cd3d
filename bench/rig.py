"""What measurements stand on: the real engine on a platform that takes everything at once, and a stream of talk."""
# ruff: noqa: D102, ARG002 - the port of a platform, as short as it can be

from __future__ import annotations

import json
import random
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

from nonebot.adapters import Event as BaseEvent
from nonebot.adapters.onebot.v11 import Adapter, GroupMessageEvent, Message
from nonebot.adapters.onebot.v11.exception import NoLogException
from pydantic import InstanceOf

from groupops import (
    AccountId,
    Action,
    Capability,
    Done,
    Event,
    GroupId,
    Listed,
    Manifest,
    Media,
    MembersListed,
    MessagePosted,
    PlatformError,
    Receipt,
    Role,
    Stage,
    Text,
    hookimpl,
)
from groupops.clock import SystemClock
from groupops.counters import MemoryCounters
from groupops.engine import Engine, Parts
from groupops.hooks import Hooks
from groupops.records import Records
from groupops.shelf import PackShelf, parse_pack
from groupops.store.memory import MemoryRecords
from groupops.store.passing import tables_of
from groupops.testing import QuietLog

GROUPS = 20
USERS = 200
"""People of the stream (`performance.md`: 20 groups, 200 users); each sits in one of the groups."""

OFFENDING = 0.055
"""Share of messages that hold a listed word."""

SEED = 20_260_302
BEGUN = 1_772_424_000
"""Unix time of the first message; one comes every second, whatever the speed at which they are handed in."""

SELF_ID = "10000"
FIRST_USER = 10_000_000
ROLES = {"owner": Role.OWNER, "admin": Role.ADMIN, "member": Role.MEMBER}


class Unlogged(GroupMessageEvent):
    """A message in a group, read and checked by the library as ever, of which no line is made for the log."""

    def get_log_string(self) -> str:
        raise NoLogException


class Taker:
    """A OneBot platform that does everything at once; the figures are about us, not about a network."""

    name = "qq"
    adapter_name = "OneBot V11"

    def __init__(self) -> None:
        self.done = 0

    def can(self, group_id: GroupId) -> frozenset[Capability]:
        return ABLE

    def hears(self, group_id: GroupId) -> frozenset[str]:
        return HEARS

    async def perform(self, action: Action, *, key: str) -> Receipt:
        self.done += 1
        return Done(ref=str(self.done))

    async def members(self, group_id: GroupId) -> tuple[tuple[Listed, ...], bool]:
        return (), False

    def open(self, media: Media, *, cap: int) -> AsyncIterator[bytes]:
        raise PlatformError("there are no media in a measurement")

    def direct(self, account: AccountId) -> bool:
        return True

    def attach(self, driver: Any) -> None:
        """Have no line made of what was said, as our adapters do; the stream itself is fed by hand."""
        Adapter.add_custom_model(Unlogged)

    def read(self, bot: Any, event: Any) -> Event | None:
        """Read a message in a group, as an adapter of ours does."""
        if not isinstance(event, GroupMessageEvent):
            return None
        sender = event.sender
        return MessagePosted(
            id=f"qq:{event.message_id}",
            at=datetime.fromtimestamp(event.time, UTC),
            group_id=GroupId(f"qq:{event.group_id}"),
            account=AccountId(f"qq:{event.user_id}"),
            message_id=str(event.message_id),
            segments=_texts(event.original_message),
            name=sender.nickname or "",
            card=sender.card or "",
            role=ROLES.get(sender.role or "", Role.UNKNOWN),
            to_bot=event.to_me,
        )


def _texts(message: Message) -> tuple[Text, ...]:
    return tuple([Text(text=part.data["text"]) for part in message if part.type == "text"])


class Told(BaseEvent):
    """A NoneBot event that is nothing but a fact."""

    fact: InstanceOf[MessagePosted]
    message: Message

    def get_type(self) -> str:
        return "message"

    def get_event_name(self) -> str:
        return "message.told"

    def get_event_description(self) -> str:
        return self.fact.text

    def get_user_id(self) -> str:
        return self.fact.account

    def get_session_id(self) -> str:
        return self.fact.account

    def get_message(self) -> Any:
        return self.message

    def is_tome(self) -> bool:
        return False


class HandedIn(Taker):
    """The same platform where facts need not be read any more."""

    def read(self, bot: Any, event: Any) -> Event | None:
        """Give the fact."""
        return event.fact


ABLE = frozenset(Capability) - {Capability.ASK_STEWARDS, Capability.DEDUPE_SENDS}
HEARS = frozenset({"message_posted"})


@dataclass(slots=True)
class Flowing:
    """A started engine and what it stands on.

    Args:
        engine: the engine; `engine.flow` takes facts.
        platform: where its actions go.
        listed: the words its groups forbid.
    """

    engine: Engine
    platform: Taker
    listed: Sequence[str]
    log: QuietLog = field(default_factory=QuietLog)


@asynccontextmanager
async def flowing(
    plugins: Sequence[str], *, idle: int = 0, words: int = 0, records: Records | None = None
) -> AsyncGenerator[Flowing, None]:
    """Build and start the real engine with `GROUPS` enforced groups; stop it at the end of the block.

    Args:
        plugins: installed plugins to load, as `SIX`.
        idle: besides, how many plugins that look at every message and say nothing.
        words: forbidden words, matched in every message by moderation.
        records: where cases go; in memory if not given, since writing is measured elsewhere.
    """
    hooks, listed = Hooks(), vocabulary(words)
    hooks.load_all(only=plugins)
    for number in range(idle):
        hooks.load(f"idle_{number}", _idle())
    log, platform = QuietLog(), Taker()
    parts = Parts(
        hooks=hooks,
        records=records or MemoryRecords(),
        counters=MemoryCounters(SystemClock()),
        clock=SystemClock(),
        platforms={"qq": platform},
        shelf=PackShelf.load().plus(parse_pack(_pack(hooks, listed), path="bench")),
        log=log,
    )
    engine = Engine.build(parts)
    async with tables_of(hooks.manifests):
        await engine.start()
        try:
            await engine.steward(AccountId("qq:10000001"))
            for group in groups():
                await engine.bind_group(group, packs=["bench"], stage=Stage.ENFORCED, name="bench")
                await engine.flow.handle(_list_of(group))
            platform.done = 0
            yield Flowing(engine, platform, listed, log)
        finally:
            await engine.stop()


SIX = ("quiet_hours", "moderation", "welcome", "roster", "red_packet", "check_in")
"""The plugins of the design card, all of which are on in the figures that say so."""


def _list_of(group: GroupId) -> MembersListed:
    """The member list an adapter reads when it connects."""
    number = groups().index(group)
    people = (FIRST_USER + user for user in range(USERS) if user % GROUPS == number)
    return MembersListed(
        id=f"{group}/list",
        at=datetime.fromtimestamp(BEGUN, UTC),
        group_id=group,
        members=tuple(
            Listed(
                account=AccountId(f"qq:{user}"),
                name=f"member {user}",
                card=f"销售部-{user}",
                role=Role.MEMBER,
            )
            for user in people
        ),
    )


def groups() -> tuple[GroupId, ...]:
    """The groups of the stream."""
    return tuple(GroupId(f"qq:{100_000 + number}") for number in range(GROUPS))


def vocabulary(size: int) -> tuple[str, ...]:
    """Give `size` made-up words of two to six characters, the same ones every time."""
    dice, found = random.Random(SEED), dict[str, None]()
    while len(found) < size:
        found["".join(dice.choices(RARE, k=dice.randint(2, 6)))] = None
    return tuple(found)


RARE = "".join(chr(0x5A00 + number) for number in range(700))
COMMON = "".join(chr(0x4E00 + number * 3) for number in range(400)) + "，。！？的了在是我有"


def payloads(count: int, listed: Sequence[str], first: int = 1) -> Iterator[str]:
    """Give `count` OneBot group messages as JSON, `OFFENDING` of them with a listed word in it.

    Args:
        count: how many.
        listed: the forbidden words.
        first: number of the first message; numbers are ids, and an id that was seen is not handled again.
    """
    dice = random.Random(SEED + first)
    for number in range(first, first + count):
        text = "".join(dice.choices(COMMON, k=dice.randint(5, 30)))
        if listed and dice.random() < OFFENDING:
            text = text[:4] + dice.choice(listed) + text[4:]
        user = dice.randrange(USERS)
        yield json.dumps(
            _message(number, 100_000 + user % GROUPS, FIRST_USER + user, text), ensure_ascii=False
        )


def told(count: int) -> list[Told]:
    """Give `count` harmless messages that were read already."""
    read, parse, message = Taker().read, Adapter.json_to_event, Message("told")
    facts = (read(None, parse(json.loads(payload))) for payload in payloads(count, ()))
    return [Told(fact=fact, message=message) for fact in facts if isinstance(fact, MessagePosted)]


def _message(number: int, group: int, user: int, text: str) -> dict[str, Any]:
    return {
        "self_id": int(SELF_ID),
        "user_id": user,
        "time": BEGUN + number,
        "message_id": number,
        "message_seq": number,
        "real_id": number,
        "message_type": "group",
        "sender": {
            "user_id": user,
            "nickname": f"member {user}",
            "card": f"销售部-{user}",
            "role": "member",
            "title": "",
            "level": "12",
            "sex": "unknown",
            "age": 0,
            "area": "",
        },
        "raw_message": text,
        "font": 14,
        "sub_type": "normal",
        "message": [{"type": "text", "data": {"text": text}}],
        "message_format": "array",
        "post_type": "message",
        "group_id": group,
    }


def _pack(hooks: Hooks, listed: Sequence[str]) -> str:
    lines = ["[pack]", 'id = "bench"', 'title = "bench"']
    lines += ["[plugins]", f"enabled = {json.dumps(list(hooks.loaded))}"]
    if "quiet_hours" in hooks.loaded:
        lines += ["[quiet_hours]", 'windows = [{ start = "03:00", end = "03:01", days = "all" }]']
    if "moderation" in hooks.loaded:
        words = json.dumps(list(listed), ensure_ascii=False)
        lines += ["[moderation]", 'use = ["gambling"]', f"operator_words = {{ gambling = {words} }}"]
    return "\n".join(lines)


def _idle() -> ModuleType:
    """A plugin that looks at every message and says nothing."""
    module = ModuleType("idle")

    @hookimpl
    def judge(event: Event, member: Any) -> None:
        if event.kind == "message_posted" and not member.account:
            raise AssertionError("a message of nobody")

    vars(module).update(manifest=Manifest(title="idle", hears=HEARS), judge=judge)
    return module
