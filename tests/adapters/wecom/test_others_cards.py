"""Once a case is decided nobody is asked about it any more: the cards of the other stewards lose their buttons."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from groupops import AccountId, DirectMessage, GroupId, Option, SendText
from groupops.clock import StoppedClock
from groupops.records import CaseStatus
from groupops_wecom.letters import UPDATED_WITHIN
from groupops_wecom.testing import BROKEN, CUT, LOST, THROTTLED, Card, Fault, until
from tests.support.wecom_cases import Casebook
from tests.support.wecom_rig import OWNER, ROOM, Modes, Served, serving

GROUP = GroupId(f"wecom:{ROOM}")
STEWARDS = (OWNER, "wangwu")
OPTIONS = (Option(word="批准"), Option(word="驳回"))


@pytest.fixture
def book() -> Casebook:
    """The case waits for somebody to decide it."""
    return Casebook()


@pytest.fixture
async def wecom(tmp_path: Path, book: Casebook) -> AsyncIterator[Served]:
    """A group that an AI bot and an app reach."""
    async with serving(Modes(aibot="link", app=True), tmp_path, cases=book) as served:
        yield served


async def asked(served: Served, subject: str = "case:12") -> list[Card]:
    """Have both stewards asked in private; gives their cards."""
    cards: list[Card] = []
    for steward in STEWARDS:
        account = AccountId(f"wecom:{steward}")
        action = DirectMessage(
            group_id=GROUP, account=account, text=f"待核准:{subject}", options=OPTIONS, subject=subject
        )
        await served.platform.perform(action, key=f"{subject}/{steward}#0")
        card = served.far.world.people[steward].inbox[-1].card
        assert card is not None
        cards.append(card)
    return cards


async def press(served: Served, who: str, card: Card) -> None:
    """Have a steward press the first button, and wait until all that follows is done."""
    await served.far.press(who, card, card.template["button_list"][0]["key"])
    await served.settled()
    await served.platform.settled()


async def test_when_one_decides_the_other_s_card_loses_its_buttons(wecom: Served, book: Casebook) -> None:
    mine, other = await asked(wecom)
    book.status = CaseStatus.EFFECTIVE

    await press(wecom, OWNER, mine)

    assert other.done == {"wangwu": "已有决定"}
    assert "已选:批准" in mine.seen_by(OWNER)["sub_title_text"]


async def test_while_another_approval_is_needed_the_other_can_still_press(
    wecom: Served, book: Casebook
) -> None:
    mine, other = await asked(wecom)

    await press(wecom, OWNER, mine)
    assert other.done == {}
    book.status = CaseStatus.EFFECTIVE
    await press(wecom, "wangwu", other)

    assert mine.done == {}
    assert "已选:批准" in other.seen_by("wangwu")["sub_title_text"]


async def test_cards_about_another_case_or_about_none_are_left_alone(wecom: Served, book: Casebook) -> None:
    (mine, _), elsewhere, nothing = (
        await asked(wecom),
        await asked(wecom, "case:13"),
        await asked(wecom, "obligation:12"),
    )
    book.status = CaseStatus.EFFECTIVE

    await press(wecom, OWNER, mine)

    assert [card.done for card in (*elsewhere, *nothing)] == [{}] * 4


@pytest.mark.parametrize("fault", [CUT, LOST, THROTTLED, BROKEN], ids=["cut", "lost", "too often", "broken"])
async def test_a_card_that_could_not_be_closed_is_closed_at_the_next_look(
    wecom: Served, book: Casebook, fault: Fault
) -> None:
    _, other = await asked(wecom)
    book.status = CaseStatus.DISMISSED
    wecom.far.rest.faults.add("message/update_template_card", *[fault] * len(STEWARDS))

    await wecom.platform.outcomes.close("case:12")
    assert len(wecom.platform.memory.offers) == len(STEWARDS)
    app = wecom.platform.standing.app()
    assert app is not None
    app.api.budget._bans.clear()  # a minute passes
    wecom.far.rest.faults.clear()
    await wecom.platform.outcomes.look()

    assert (len(wecom.platform.memory.offers), other.done) == (0, {"wangwu": "已有决定"})


async def test_a_press_whose_card_could_not_be_changed_shows_its_outcome_at_the_next_look(
    wecom: Served,
) -> None:
    mine, _ = await asked(wecom, "obligation:12")
    wecom.far.rest.faults.add("message/update_template_card", CUT)

    await press(wecom, OWNER, mine)
    before = mine.seen_by(OWNER).get("sub_title_text", "")
    await wecom.platform.outcomes.look()

    assert "已选" not in before
    assert "已选:批准" in mine.seen_by(OWNER)["sub_title_text"]
    assert len(wecom.platform.memory.owed) == 0


async def test_after_three_days_nothing_is_asked_of_wecom(wecom: Served) -> None:
    await asked(wecom)
    offers = wecom.platform.memory.offers
    for task_id in list(offers):
        offer = offers.get(task_id)
        assert offer is not None
        offers.put(task_id, replace(offer, at=offer.at - UPDATED_WITHIN - 1))

    await wecom.platform.outcomes.close("case:12")

    assert len(offers) == 0
    assert not [one for one in wecom.far.rest.calls if one.name == "message/update_template_card"]


@pytest.mark.parametrize("decided", [True, False])
async def test_a_card_in_a_group_changes_for_all_once_its_case_is_decided(
    wecom: Served, book: Casebook, decided: bool
) -> None:
    action = SendText(group_id=GROUP, text="请核准", options=OPTIONS, subject="case:12")
    await wecom.platform.perform(action, key="group#0")
    card = wecom.chat.said[-1].card
    assert card is not None
    book.status = CaseStatus.EFFECTIVE if decided else CaseStatus.PROPOSED

    await press(wecom, OWNER, card)

    buttons = [one["text"] for one in card.seen_by("wangwu")["button_list"]]
    assert buttons == (["已选:批准"] if decided else ["批准", "驳回"])


async def test_a_case_decided_by_words_takes_the_buttons_off_within_a_minute(
    wecom: Served, book: Casebook
) -> None:
    cards = await asked(wecom)
    clock = StoppedClock(wecom.platform.clock.now())
    wecom.platform.clock = clock
    looking = asyncio.create_task(wecom.platform.outcomes.keep_looking())
    await until(lambda: clock.next_due is not None)
    book.status = CaseStatus.DISMISSED

    clock.advance(timedelta(seconds=60))
    await until(lambda: all(card.done for card in cards))

    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    assert [card.done for card in cards] == [{steward: "已有决定"} for steward in STEWARDS]
