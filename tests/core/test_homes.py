"""What is said where there are no groups belongs to the groups of whoever says it, and is answered where it was said."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from groupops import (
    AccountId,
    Command,
    CommandGiven,
    DirectMessage,
    Event,
    GroupId,
    LocationShared,
    Role,
    SendText,
)
from groupops.records import OutboxState, Ticket
from groupops.testing import Rig, rig
from tests.support.confidant import Confidant
from tests.support.stories import PACK, done, plugin, rude

G1, G2 = GroupId("sandbox:g1"), GroupId("sandbox:g2")
CHANG = AccountId("secret:chang")


@asynccontextmanager
async def told(
    *, console: bool = True, answers: int = 10, **more: Any
) -> AsyncIterator[tuple[Rig, Confidant]]:
    """A rig whose engine has a platform without groups beside the sandbox."""
    options = {"pack": PACK, "plugins": (), "extra": {"rude": plugin(judge=rude(auto="flag"))}} | more
    async with rig(**options) as r:
        confidant = Confidant(r.clock, console=console, answers=answers)
        r.engine.parts.platforms["secret"] = confidant
        await r.engine.people.load()
        yield r, confidant


async def bind(r: Rig, confidant: Confidant, who: str, account: str, group: str = "g1") -> None:
    """Bind somebody's account in the sandbox to one on the other platform, by a code."""
    await r.whisper(group, account, "绑定")
    code = done(r, "direct_message")[-1].text.split("绑定 ")[-1].split("」")[0].split(" ")[0]  # type: ignore[union-attr]
    await r.tell(confidant.hear(who, f"绑定 {code}"))


# — who is who —


async def test_a_stranger_is_told_once_how_to_become_known() -> None:
    async with told() as (r, confidant):
        await r.tell(confidant.hear("nobody", "你好"))
        await r.tell(confidant.hear("nobody", "在吗"))

        assert [account for account, _ in confidant.said] == ["secret:nobody"]
        assert "绑定" in confidant.said[0][1]


async def test_a_fact_of_no_group_binds_none_by_the_operator_s_defaults() -> None:
    async with told(default_packs=("story",)) as (r, confidant):
        await r.tell(confidant.hear("nobody", "你好"))

        assert {group.id for group in await r.records.groups()} == {G1}


async def test_a_code_of_the_group_s_platform_makes_a_stranger_known() -> None:
    async with told() as (r, confidant):
        await bind(r, confidant, "chang", "admin")

        person = r.engine.people.person(CHANG)
        assert person is not None
        assert r.engine.people.accounts(person.id) == ("sandbox:admin", "secret:chang")
        assert "绑定" in confidant.said[-1][1]


async def test_whoever_is_known_is_at_home_where_the_person_is_and_first_where_it_decides() -> None:
    async with told(groups=("g1", "g2"), stewards=()) as (r, confidant):
        await r.engine.steward(AccountId("sandbox:wang"), G2)
        await bind(r, confidant, "chang", "wang")

        assert r.engine.people.homes(CHANG) == (G2, G1)
        assert r.engine.people.homes(AccountId("secret:nobody")) == ()


async def test_the_group_s_owner_decides_by_an_account_of_another_platform_too() -> None:
    async with told(stewards=()) as (r, confidant):
        await bind(r, confidant, "chang", "owner")

        member = r.engine.people.member(G1, CHANG)
        assert member.steward
        assert member.called == r.engine.people.member(G1, AccountId("sandbox:owner")).called


# — a steward's tickets —


async def test_a_steward_s_approval_is_asked_for_and_given_at_the_console() -> None:
    async with told() as (r, confidant):
        await bind(r, confidant, "chang", "admin")
        await r.say("g1", "wang", "坏")
        asked = confidant.said[-1][1]
        case = next(iter(await r.records.cases(group_id=G1)))

        await r.tell(confidant.hear("chang", f"批准 {case.id} 属实"))

        assert asked.startswith("【g1】")
        assert f"批准 {case.id}" in asked
        found = await r.records.case(case.id)
        assert found is not None
        assert found.status.value == "effective"
        assert confidant.said[-1][0] == CHANG


async def test_who_has_a_console_that_is_open_is_not_written_to_twice() -> None:
    async with told(stewards=("sandbox:admin",)) as (r, confidant):
        await bind(r, confidant, "chang", "admin")
        before = len(_letters(r, "admin"))
        await r.say("g1", "wang", "坏")

        assert len(_letters(r, "admin")) == before


async def test_while_a_console_is_not_open_the_word_waits_there_and_is_said_in_the_group_s_platform() -> None:
    async with told(stewards=("sandbox:admin",), answers=1) as (r, confidant):
        await bind(r, confidant, "chang", "admin")
        before, said = len(_letters(r, "admin")), len(confidant.said)
        await r.say("g1", "wang", "坏")
        await r.advance(timedelta(days=3))
        held = len(confidant.said)

        confidant._left[CHANG] = 1
        await r.advance(timedelta(minutes=3))

        assert len(_letters(r, "admin")) == before + 1
        assert held == said
        assert "批准" in confidant.said[-1][1]


async def test_what_waits_for_a_contact_says_so_and_is_given_up_after_its_time() -> None:
    async with told(stewards=("secret:chang",)) as (r, confidant):
        confidant.know("chang")
        await r.say("g1", "wang", "坏")
        (row,) = await r.records.outbox(states=frozenset({OutboxState.WAITING}))
        await r.advance(timedelta(days=15))

        assert row.receipt is not None
        assert getattr(row.receipt, "why", "") == "has to write first"
        assert row.group_id == CHANG
        assert not await r.records.outbox(states=frozenset({OutboxState.WAITING}))


async def test_while_nobody_can_be_told_now_the_group_hears_of_a_ticket_and_no_details() -> None:
    async with told(stewards=("secret:chang",), cast={"wang": Role.MEMBER}) as (r, confidant):
        confidant.know("chang")
        await r.say("g1", "wang", "坏")

        assert any(isinstance(action, SendText) and "工单" in action.text for action in done(r))


async def test_a_ticket_is_closed_from_the_console_by_its_number() -> None:
    async with told(stewards=("secret:chang",), profile="advisor") as (r, confidant):
        await r.tell(confidant.hear("chang", "帮助"))
        ticket = await r.records.open_ticket(_ticket(r, "请看一看"))

        await r.tell(confidant.hear("chang", f"完成 {ticket.id}"))

        assert not await r.records.tickets(group_id=G1)


async def test_a_ticket_of_a_group_in_which_one_decides_nothing_stays_open() -> None:
    async with told(groups=("g1", "g2"), stewards=()) as (r, confidant):
        await r.engine.steward(AccountId("secret:chang"), G2)
        ticket = await r.records.open_ticket(_ticket(r, "请看一看"))

        await r.tell(confidant.hear("chang", f"完成 {ticket.id}"))

        assert [one.id for one in await r.records.tickets(group_id=G1)] == [ticket.id]


async def test_a_platform_that_is_no_console_gets_no_tickets() -> None:
    async with told(stewards=("sandbox:admin",), console=False) as (r, confidant):
        await bind(r, confidant, "chang", "admin")
        said = len(confidant.said)
        await r.say("g1", "wang", "坏")

        assert len(confidant.said) == said
        assert _letters(r, "admin")


async def test_a_private_word_that_cannot_be_said_on_the_group_s_platform_is_said_at_the_console() -> None:
    async with told(stewards=("sandbox:admin",)) as (r, confidant):
        await bind(r, confidant, "chang", "admin")
        digest = DirectMessage(group_id=G1, account=AccountId("sandbox:admin"), text="本月合计")
        row = r.engine.outbox.rows("digest", "react", (digest,))[0]

        (instead,) = r.engine.outbox._elsewhere(row)

        assert isinstance(instead, DirectMessage)
        assert (instead.account, instead.text) == (CHANG, "【g1】本月合计")


# — commands and places —


def _listener(seen: list[Event], word: str) -> Any:
    def react(event: Event) -> None:
        if isinstance(event, (CommandGiven, LocationShared)):
            seen.append(event)

    return plugin(
        word,
        hears=("command_given", "location_shared"),
        react=react,
        commands=(Command(word=f"{word}令", title="测试"),),
    )


async def test_a_plugin_s_command_goes_to_the_group_that_has_it() -> None:
    seen: list[Event] = []
    extra = {"rude": plugin(judge=rude()), "ear": _listener(seen, "ear")}
    async with told(groups=("g1", "g2"), extra=extra) as (r, confidant):
        await r.engine.set(G2, "plugins.enabled", ["rude", "ear"], author="test")
        await bind(r, confidant, "chang", "wang")

        await r.tell(confidant.hear("chang", "ear令"))

        assert [event.group_id for event in seen] == [G2]


async def test_a_place_is_told_in_every_group_whose_rules_hear_of_places() -> None:
    seen: list[Event] = []
    extra = {"rude": plugin(judge=rude()), "ear": _listener(seen, "ear")}
    async with told(groups=("g1", "g2", "g3"), extra=extra) as (r, confidant):
        for group in (G1, G2):
            await r.engine.set(group, "plugins.enabled", ["rude", "ear"], author="test")
        await bind(r, confidant, "chang", "wang")

        await r.tell(confidant.see("chang", 31.2, 121.5))

        assert [event.group_id for event in seen] == [G1, G2]
        assert len({event.id for event in seen}) == 2


def _letters(r: Rig, native: str) -> list[str]:
    return [
        action.text
        for action in done(r, "direct_message")
        if isinstance(action, DirectMessage) and action.account == f"sandbox:{native}"
    ]


def _ticket(r: Rig, text: str) -> Ticket:
    return Ticket(group_id=G1, text=text, key=f"t/{text}", opened_at=r.clock.now())
