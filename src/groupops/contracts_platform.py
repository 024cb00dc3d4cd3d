"""One suite that every platform has to pass, the sandbox and a third party's adapter alike."""
# ruff: noqa: S101 - a suite speaks by assert, in a package as in tests

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

from groupops.actions import (
    Action,
    Announce,
    AskStewards,
    Capability,
    DecideJoin,
    DeleteMessage,
    DirectMessage,
    Done,
    Impossible,
    Mute,
    MuteAll,
    Option,
    ReadCheckIns,
    Receipt,
    RemoveMember,
    RenameGroup,
    Reply,
    SendCard,
    SendFile,
    SendImage,
    SendText,
    SetCard,
    Unmute,
    UpdateCard,
)
from groupops.errors import PlatformError
from groupops.events import EVENT_KINDS, Event, Media, MessagePosted
from groupops.people import AccountId, GroupId, platform_of
from groupops.platform import Health, Pace, Paced, Platform, Watched

MARKUP = "[CQ:at,qq=all] <@all> &#91; {name} **b** <script>alert(1)</script> \\n 100%"
"""A text that some platform's parser would make something else of."""

DOT = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c020000000b4944415478da6364f80f00010501012718e3"
    "660000000049454e44ae426082"
)
"""A picture of one pixel (PNG)."""

_SINCE = datetime(2026, 1, 5, tzinfo=UTC)
"""From when on check-ins are asked for; whether there are any does not matter."""

CORE_ONLY: frozenset[str] = frozenset({"case_changed", "obligation_missed", "person_changed", "time_came"})
"""Kinds that no platform can tell of."""


class Rig(Protocol):
    """What the suite needs around a platform: a group with the bot in it, and people who do things there."""

    platform: Platform
    """The platform under test."""
    group: GroupId
    """A group in which the bot is, in the role under test."""
    member: AccountId
    """A plain member of it, who can be written to privately if the platform can do that at all."""

    async def say(self, text: str) -> MessagePosted | None:
        """Let the member post a text that mentions the bot; give what the platform told of it."""
        ...

    async def provoke(self, kind: str) -> Sequence[Event]:
        """Make something of that kind happen in the group; give all that the platform told of it."""
        ...

    async def message(self) -> str:
        """Give the id of a message of the member that stands."""
        ...

    async def card(self) -> str:
        """Give the id of a card that the bot has sent; empty where it cannot."""
        ...

    async def request(self) -> tuple[AccountId, str]:
        """Give an account that asks to come in, and the id of its request."""
        ...

    async def somebody(self) -> AccountId:
        """Give a plain member who may be removed."""
        ...

    async def medium(self) -> Media:
        """Give a medium of exactly ten bytes that can be opened, if the platform shows media."""
        ...

    def said(self) -> Sequence[str]:
        """Give the texts the bot has posted in the group, as people see them, oldest first."""
        ...


async def deeds(rig: Rig) -> Mapping[str, Action]:
    """Give one action of every kind that the core hands to a platform, all of them doable: kind → action."""
    group, member = rig.group, rig.member
    asking, request = await rig.request()
    made: tuple[Action, ...] = (
        SendText(group_id=group, text="hello", mentions=(member,)),
        Reply(group_id=group, message_id=await rig.message(), text="yes", account=member),
        SendImage(group_id=group, data=DOT, caption="a dot"),
        SendFile(group_id=group, name="a.txt", data=b"a"),
        SendCard(group_id=group, title="t", text="x", options=(Option(word="ok"),), subject="case:1"),
        UpdateCard(group_id=group, card_id=await rig.card(), title="t", text="done"),
        DirectMessage(group_id=group, account=member, text="a word"),
        DeleteMessage(group_id=group, message_id=await rig.message(), account=member),
        Mute(group_id=group, account=member, span=timedelta(minutes=1)),
        Unmute(group_id=group, account=member),
        MuteAll(group_id=group, on=True),
        SetCard(group_id=group, account=member, card="new"),
        DecideJoin(group_id=group, account=asking, request_id=request, accept=True),
        Announce(group_id=group, text="notice"),
        RenameGroup(group_id=group, name="another"),
        ReadCheckIns(group_id=group, accounts=(member,), since=_SINCE, until=_SINCE + timedelta(hours=1)),
        RemoveMember(group_id=group, account=await rig.somebody()),
    )
    return {action.kind: action for action in made}


class PlatformContract:
    """Derive a test class from it and give it a fixture `rig` (a `Rig`); pytest does the rest.

    Each method is one clause of the contract and says in its name what holds.
    """

    async def test_it_has_everything_the_port_asks_for(self, rig: Rig) -> None:
        """The platform satisfies the protocol, and its name is the prefix of its ids."""
        assert isinstance(rig.platform, Platform)
        assert platform_of(rig.group) == rig.platform.name == platform_of(rig.member)

    async def test_what_it_declares_can_be_done_and_the_rest_is_impossible(self, rig: Rig) -> None:
        """A declared capability ends in `Done`; an undeclared one in `Impossible`, which names it."""
        for kind, action in (await deeds(rig)).items():
            able = action.needs in rig.platform.can(rig.group)
            receipt = await rig.platform.perform(action, key=f"contract#{kind}")
            wanted = Done if able else Impossible
            assert isinstance(receipt, wanted), f"{kind}: {receipt} although able is {able}"
            if isinstance(receipt, Impossible):
                assert receipt.capability == action.needs, kind

    async def test_a_task_for_the_stewards_is_left_to_the_core(self, rig: Rig) -> None:
        """No platform declares `ask_stewards`; the core carries it out itself."""
        action = AskStewards(group_id=rig.group, text="please look")

        assert Capability.ASK_STEWARDS not in rig.platform.can(rig.group)
        assert isinstance(await rig.platform.perform(action, key="contract#ask"), Impossible)

    async def test_a_target_that_is_gone_is_a_receipt_and_no_error(self, rig: Rig) -> None:
        """Messages and members that are not there are answered, whatever is asked of them."""
        stranger = AccountId(f"{rig.platform.name}:contract-stranger")
        for action in _on_nothing(rig.group, stranger):
            receipt = await rig.platform.perform(action, key=f"contract#gone-{action.kind}")
            assert isinstance(receipt, Receipt), action.kind
            assert not isinstance(receipt, Done), action.kind

    async def test_a_key_is_done_once_exactly_where_that_is_declared(self, rig: Rig) -> None:
        """The same key twice is one text with `dedupe_sends`, and two without."""
        able = rig.platform.can(rig.group)
        if Capability.SEND_TEXT not in able:
            assert Capability.DEDUPE_SENDS not in able
            return
        action = SendText(group_id=rig.group, text="only once")

        first = await rig.platform.perform(action, key="contract#once")
        again = await rig.platform.perform(action, key="contract#once")

        assert isinstance(first, Done)
        assert isinstance(again, Done)
        times = sum("only once" in text for text in rig.said())
        assert times == (1 if Capability.DEDUPE_SENDS in able else 2)

    async def test_another_key_is_another_text(self, rig: Rig) -> None:
        """Keys that differ are done each."""
        if Capability.SEND_TEXT not in rig.platform.can(rig.group):
            return
        action = SendText(group_id=rig.group, text="twice")

        for key in ("contract#one", "contract#two"):
            await rig.platform.perform(action, key=key)

        assert sum("twice" in text for text in rig.said()) == len(("one", "two"))

    async def test_it_hears_what_it_says_it_hears_and_nothing_else(self, rig: Rig) -> None:
        """Every declared kind arrives when it happens; an undeclared kind never does."""
        hears = rig.platform.hears(rig.group)
        assert hears <= EVENT_KINDS - CORE_ONLY
        for kind in sorted(EVENT_KINDS - CORE_ONLY):
            told = {event.kind for event in await rig.provoke(kind)}
            assert (kind in told) == (kind in hears), f"{kind}: heard {told}, declared {sorted(hears)}"

    async def test_events_are_whole(self, rig: Rig) -> None:
        """Every event has its own id, an aware moment, its group, and accounts with the platform's prefix."""
        events = [event for kind in sorted(EVENT_KINDS - CORE_ONLY) for event in await rig.provoke(kind)]
        ids = [event.id for event in events]

        assert len(ids) == len(set(ids))
        assert all(event.at.tzinfo is not None for event in events)
        assert all(event.group_id == rig.group for event in events)
        accounts = [account for event in events if (account := getattr(event, "account", ""))]
        assert all(platform_of(account) == rig.platform.name for account in accounts)

    async def test_a_text_that_looks_like_markup_arrives_as_it_is(self, rig: Rig) -> None:
        """What people write is never parsed."""
        event = await rig.say(MARKUP)

        if event is None:
            assert "message_posted" not in rig.platform.hears(rig.group)
            return
        assert event.text == MARKUP

    async def test_a_text_that_looks_like_markup_is_sent_as_it_is(self, rig: Rig) -> None:
        """What the bot writes is never parsed either."""
        if Capability.SEND_TEXT not in rig.platform.can(rig.group):
            return

        await rig.platform.perform(SendText(group_id=rig.group, text=MARKUP), key="contract#markup")

        assert rig.said()[-1] == MARKUP

    async def test_a_member_list_is_whole_or_says_that_it_is_not(self, rig: Rig) -> None:
        """Where lists can be read, the member is in a complete one; elsewhere reading one is an error."""
        if Capability.LIST_MEMBERS not in rig.platform.can(rig.group):
            assert await _fails(rig.platform, rig.group)
            return

        members, complete = await rig.platform.members(rig.group)

        assert complete
        assert rig.member in {listed.account for listed in members}

    async def test_who_can_be_written_to_is_known_beforehand(self, rig: Rig) -> None:
        """`direct` is true only where a private message then arrives."""
        able = Capability.DIRECT_MESSAGE in rig.platform.can(rig.group)
        action = DirectMessage(group_id=rig.group, account=rig.member, text="a word")

        receipt = await rig.platform.perform(action, key="contract#direct")

        assert rig.platform.direct(rig.member) == able
        assert isinstance(receipt, Done) == able

    async def test_a_stranger_cannot_be_written_to(self, rig: Rig) -> None:
        """`direct` does not promise what cannot be kept."""
        assert not rig.platform.direct(AccountId(f"{rig.platform.name}:contract-stranger"))

    async def test_what_it_says_of_itself_besides_is_of_the_port_s_words(self, rig: Rig) -> None:
        """A pace and a state of health are optional; whoever offers them gives them at once, and they are whole."""
        pace = rig.platform.pace() if isinstance(rig.platform, Paced) else Pace()
        assert isinstance(pace, Pace)
        assert 0 <= pace.jitter <= 1
        health = rig.platform.health() if isinstance(rig.platform, Watched) else Health(connected=True)
        assert isinstance(health, Health)
        moments = [moment for moment in (health.since, health.last_event_at) if moment is not None]
        assert all(moment.tzinfo is not None for moment in moments)

    async def test_a_medium_is_opened_up_to_the_cap(self, rig: Rig) -> None:
        """Ten bytes pass a cap of ten; a cap of nine, or a platform without media, is an error."""
        media = await rig.medium()
        able = Capability.SEE_MEDIA in rig.platform.can(rig.group)

        assert await _opened(rig.platform.open(media, cap=9)) is None
        whole = await _opened(rig.platform.open(media, cap=10))
        assert (whole is not None) == able


def _on_nothing(group: GroupId, stranger: AccountId) -> tuple[Action, ...]:
    nothing = "contract-no-such-message"
    return (
        Reply(group_id=group, message_id=nothing, text="?"),
        DeleteMessage(group_id=group, message_id=nothing, account=stranger),
        Mute(group_id=group, account=stranger, span=timedelta(minutes=1)),
        RemoveMember(group_id=group, account=stranger),
        SetCard(group_id=group, account=stranger, card="x"),
        DirectMessage(group_id=group, account=stranger, text="x"),
        DecideJoin(group_id=group, account=stranger, request_id="contract-none", accept=True),
        UpdateCard(group_id=group, card_id=nothing, title="t", text="x"),
    )


async def _fails(platform: Platform, group: GroupId) -> bool:
    try:
        await platform.members(group)
    except PlatformError:
        return True
    return False


async def _opened(stream: AsyncIterator[bytes]) -> bytes | None:
    try:
        return b"".join([chunk async for chunk in stream])
    except PlatformError:
        return None
