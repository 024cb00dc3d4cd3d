"""Every profile of the sandbox, in every role of the bot, keeps the contract of a platform."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from groupops import (
    AccountId,
    Action,
    Capability,
    Event,
    Gone,
    GroupId,
    Location,
    Media,
    MessagePosted,
    Option,
    PersonLine,
    PlatformError,
    ReadCheckIns,
    Receipt,
    Role,
)
from groupops.clock import StoppedClock
from groupops.contracts_platform import PlatformContract, Rig
from groupops_sandbox import Sandbox, profiles

PLACE = Location(latitude=31.2, longitude=121.5, crs="gcj02")


class SandboxRig:
    """A sandbox with a group in which a few people do what is asked of them."""

    def __init__(self, profile: str, role: Role, kind: type[Sandbox] = Sandbox) -> None:
        self.platform = kind(StoppedClock(datetime(2026, 3, 2, 2, 0, tzinfo=UTC)), profile, name="make")
        self.group: GroupId = self.platform.group("g", bot_role=role)
        self.member: AccountId = self.platform.member("g", "zhang", card="张三")
        self.platform.member("g", "owner", role=Role.OWNER)
        self.platform.world.befriend("zhang")
        self.platform.whisper("g", "zhang", "帮助")
        self._people = 0

    async def say(self, text: str) -> MessagePosted | None:
        return self.platform.say("g", "zhang", text, mentions=["bot"])

    async def provoke(self, kind: str) -> Sequence[Event]:
        self.platform.take()
        await getattr(self, f"_{kind}")()
        return self.platform.take()

    async def message(self) -> str:
        return self.platform.world.post("g", "zhang", ()).message_id

    async def card(self) -> str:
        options = (Option(word="ok"),)
        fact = self.platform.world.post("g", "bot", (), title="t", options=options, subject="case:1")
        return fact.message_id

    async def request(self) -> tuple[AccountId, str]:
        fact = self.platform.world.knock("g", self._newcomer())
        return fact.account, fact.request_id

    async def somebody(self) -> AccountId:
        return self.platform.member("g", self._newcomer())

    async def medium(self) -> Media:
        return self.platform.world.keep(Media(id="ten", media_kind="file", size=10), b"0123456789")

    def said(self) -> Sequence[str]:
        return [post.text for post in self.platform.world.said_by_bot("g")]

    def _newcomer(self) -> str:
        self._people += 1
        return f"new{self._people}"

    async def _message_posted(self) -> None:
        await self.say("早")

    async def _message_recalled(self) -> None:
        self.platform.recall("g", await self.message(), by="zhang")

    async def _member_joined(self) -> None:
        self.platform.join("g", self._newcomer(), by="zhang", how="invite")

    async def _member_left(self) -> None:
        self.platform.leave("g", await self.somebody())

    async def _member_renamed(self) -> None:
        self.platform.card("g", "zhang", f"张三{self._newcomer()}")
        self.platform.say("g", "zhang", "我改名片了")

    async def _role_changed(self) -> None:
        self.platform.role("g", await self.somebody(), Role.ADMIN)

    async def _group_renamed(self) -> None:
        self.platform.rename("g", "新群名", by="owner")

    async def _members_listed(self) -> None:
        self.platform.census("g")

    async def _join_requested(self) -> None:
        await self.request()

    async def _location_shared(self) -> None:
        self.platform.locate("g", "zhang", PLACE)
        self.platform.locate("g", "zhang", PLACE, private=True)

    async def _checked_in_elsewhere(self) -> None:
        now = self.platform.world.now()
        self.platform.world.punch("zhang", location=PLACE)
        action = ReadCheckIns(group_id=self.group, accounts=(self.member,), since=now, until=now)
        await self.platform.perform(action, key=f"make#{self._newcomer()}")

    async def _persons_told(self) -> None:
        self.platform.world.tell_persons("g", PersonLine(name="张三", accounts=(self.member,)))

    async def _red_packet_sent(self) -> None:
        self.platform.red_packet("g", "zhang", amount_fen=800)

    async def _choice_made(self) -> None:
        self.platform.press("g", "zhang", await self.card(), "ok")

    async def _command_given(self) -> None:
        self.platform.whisper("g", "zhang", "我的记录")


ROLES = (Role.MEMBER, Role.ADMIN, Role.OWNER)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("profile", profiles())
class TestSandbox(PlatformContract):
    @pytest.fixture
    def rig(self, profile: str, role: Role) -> Rig:
        return SandboxRig(profile, role)


class TooMuch(Sandbox):
    """Promises whatever there is."""

    def can(self, group_id: GroupId) -> frozenset[Capability]:
        return frozenset(Capability) - {Capability.ASK_STEWARDS}

    def hears(self, group_id: GroupId) -> frozenset[str]:
        return super().hears(group_id) | {"join_requested"}


class Forgetful(Sandbox):
    """Does not know a key again."""

    async def perform(self, action: Action, *, key: str) -> Receipt:
        return await super().perform(action, key=f"{key}/{len(self.world.requests)}")


class Raising(Sandbox):
    """Lets the world's errors through."""

    async def perform(self, action: Action, *, key: str) -> Receipt:
        receipt = await super().perform(action, key=key)
        if isinstance(receipt, Gone):
            raise PlatformError(receipt.why)
        return receipt


class Parsing(Sandbox):
    """Takes what people write for markup."""

    def say(self, group: str, account: str, text: str = "", **rest: Any) -> MessagePosted | None:
        return super().say(group, account, text.replace("&#91;", "["), **rest)


CLAUSES = {
    "promises too much": (TooMuch, "test_what_it_declares_can_be_done_and_the_rest_is_impossible"),
    "hears less than it says": (TooMuch, "test_it_hears_what_it_says_it_hears_and_nothing_else"),
    "forgets keys": (Forgetful, "test_a_key_is_done_once_exactly_where_that_is_declared"),
    "raises": (Raising, "test_a_target_that_is_gone_is_a_receipt_and_no_error"),
    "parses texts": (Parsing, "test_a_text_that_looks_like_markup_arrives_as_it_is"),
}


@pytest.mark.parametrize(("kind", "clause"), CLAUSES.values(), ids=CLAUSES)
async def test_a_platform_is_caught_that(kind: type[Sandbox], clause: str) -> None:
    rig = SandboxRig("full", Role.MEMBER, kind)

    with pytest.raises((AssertionError, PlatformError)):
        await getattr(PlatformContract(), clause)(rig)
