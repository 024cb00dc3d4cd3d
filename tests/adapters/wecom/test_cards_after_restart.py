"""A card that was sent before a restart of ours keeps its meaning after it: pressed, answered, changed, closed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest

from groupops import AccountId, ChoiceMade, DirectMessage, Done, Event, GroupId, Option, SendText
from groupops.records import CaseStatus
from groupops.store.sql import open_records
from groupops_wecom.cards import KeptCard
from groupops_wecom.models import CardRows, SentCardRow
from groupops_wecom.testing import CORP, Card
from tests.support.wecom_cases import Casebook
from tests.support.wecom_rig import AGENT, MEMBER, OWNER, ROOM, Modes, Served, There, being_there, serving

GROUP = GroupId(f"wecom:{ROOM}")
MODES = Modes(aibot="link", app=True)
OPTIONS = (Option(word="批准"), Option(word="驳回"))
ASKED = "待核准:发广告"


@dataclass
class Company:
    """A company whose WeCom and whose database are there all the time, while our process comes and goes."""

    there: There
    folder: Path
    cases: Casebook = field(default_factory=Casebook)

    def start(self) -> AbstractAsyncContextManager[Served]:
        """Start a process: a new platform on the same database."""
        return serving(MODES, self.folder, there=self.there, cases=self.cases, drawer=CardRows())


@pytest.fixture(params=["sqlite", "postgres"])
async def company(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Company]:
    """A company, with the adapter's tables on either database."""
    url = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_database")
    apps = {"wecom": "groupops_wecom.models"}
    async with open_records(str(url), apps=apps, migrate=True) as records:
        with records.context:
            async with being_there(MODES, tmp_path) as there:
                yield Company(there, tmp_path)


async def asked(served: Served, who: str = OWNER, subject: str = "case:12") -> Card:
    """Have somebody asked in private; gives the card."""
    action = DirectMessage(
        group_id=GROUP, account=AccountId(f"wecom:{who}"), text=ASKED, options=OPTIONS, subject=subject
    )
    receipt = await served.platform.perform(action, key=f"{subject}/{who}#0")
    assert isinstance(receipt, Done)
    card = served.far.world.people[who].inbox[-1].card
    assert card is not None
    return card


async def press(served: Served, who: str, card: Card) -> list[Event]:
    """Have somebody press the first button, and wait until all that follows is done; gives what was told."""
    await served.far.press(who, card, card.template["button_list"][0]["key"])
    facts = await served.facts()
    await served.platform.settled()
    return facts


async def test_a_press_after_the_restart_says_who_chose_what_and_changes_the_card_as_it_looked(
    company: Company,
) -> None:
    async with company.start() as before:
        card = await asked(before)

    async with company.start() as after:
        [fact] = await press(after, OWNER, card)

    assert isinstance(fact, ChoiceMade)
    assert (fact.group_id, fact.account, fact.subject, fact.word) == (
        GROUP,
        AccountId(f"wecom:{OWNER}"),
        "case:12",
        "批准",
    )
    shown = card.seen_by(OWNER)
    assert shown["main_title"]["title"] == ASKED
    assert "已选:批准" in shown["sub_title_text"]


async def test_the_answer_to_a_press_after_the_restart_stands_on_the_card(company: Company) -> None:
    async with company.start() as before:
        card = await asked(before)

    async with company.start() as after:
        await after.far.press(OWNER, card, card.template["button_list"][0]["key"])
        [fact] = await after.facts()
        answer = DirectMessage(group_id=GROUP, account=AccountId(f"wecom:{OWNER}"), text="事项 12 已核准。")
        await after.platform.perform(answer, key=f"{fact.id}#0")
        await after.platform.settled()

    assert "事项 12 已核准。" in card.seen_by(OWNER)["sub_title_text"]


async def test_a_card_in_the_group_is_changed_as_it_looked_when_it_is_pressed_after_the_restart(
    company: Company,
) -> None:
    async with company.start() as before:
        offer = SendText(group_id=GROUP, text=ASKED, options=OPTIONS, subject="obligation:3")
        await before.platform.perform(offer, key="group#0")
        card = before.chat.said[-1].card
        assert card is not None

    async with company.start() as after:
        facts = await press(after, MEMBER, card)

    assert [one.kind for one in facts] == ["choice_made"]
    assert card.seen_by(MEMBER)["main_title"]["title"] == ASKED
    assert card.seen_by(OWNER)["button_list"] == card.template["button_list"]


async def test_a_press_that_wecom_tells_again_after_the_restart_is_the_same_fact_and_changes_nothing(
    company: Company,
) -> None:
    async with company.start() as before:
        card = await asked(before)
        [first] = await press(before, OWNER, card)
    pusher = company.there.far.pusher
    told = pusher.posts[-1].plain
    shown = card.seen_by(OWNER)

    async with company.start() as after:
        callback = after.far.world.apps[AGENT].callback
        assert callback is not None
        query, encrypted = pusher.sealed(callback, told)
        body = f"<xml><ToUserName>{CORP}</ToUserName><AgentID>{AGENT}</AgentID><Encrypt>{encrypted}</Encrypt></xml>"
        answer = await pusher.post_raw(callback.url, query, body.encode())
        [again] = await after.facts()
        await after.platform.settled()

    assert (answer.status_code, again.id) == (200, first.id)
    assert card.seen_by(OWNER) == shown


async def test_a_case_that_was_decided_while_we_were_away_takes_the_buttons_off_the_cards(
    company: Company,
) -> None:
    async with company.start() as before:
        cards = [await asked(before, steward) for steward in (OWNER, "wangwu")]
        other = await asked(before, OWNER, "case:13")
    company.cases.status = CaseStatus.DISMISSED

    async with company.start() as after:
        await after.platform.outcomes.look()
        asks = [one for one in after.far.rest.calls if one.name == "message/update_template_card"]

    assert [card.done for card in cards] == [{OWNER: "已有决定"}, {"wangwu": "已有决定"}]
    assert (other.done, len(asks)) == ({}, 2)


async def test_a_card_that_was_changed_is_not_changed_again_after_the_next_restart(company: Company) -> None:
    async with company.start() as before:
        await asked(before)
        company.cases.status = CaseStatus.DISMISSED
        await before.platform.outcomes.look()

    async with company.start() as after:
        await after.platform.outcomes.look()
        asks = [one for one in after.far.rest.calls if one.name == "message/update_template_card"]

    assert len(asks) == 1
    assert [row.code for row in await SentCardRow.all()] == [""]


class Stuck(CardRows):
    """A drawer that cannot be opened."""

    async def load(self, since: datetime) -> list[KeptCard]:
        return []

    async def put(self, card: KeptCard, at: datetime) -> None:
        raise OSError

    async def find(self, task_id: str) -> None:
        raise OSError

    async def settle(self, task_id: str) -> None:
        raise OSError


async def test_a_database_that_refuses_keeps_nobody_from_asking_or_pressing(tmp_path: Path) -> None:
    async with serving(MODES, tmp_path, cases=Casebook(), drawer=Stuck()) as served:
        card = await asked(served)
        facts = await press(served, OWNER, card)

    assert [one.kind for one in facts] == ["choice_made"]
    assert "已选:批准" in card.seen_by(OWNER)["sub_title_text"]
