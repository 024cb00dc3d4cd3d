"""That a message was taken back closes its ticket where an export proves it; where one only hints, a human looks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupops import AccountId, DeleteMessage
from groupops.advise import Advice, as_page
from groupops.advise.recalls import Recalls
from groupops.advise.show import as_text
from groupops.records import CaseStatus, Ticket

from .conftest import GROUP, Office, later
from .exports import chatlab, mailed

TEN = datetime(2025, 3, 12, 2, 0, tzinfo=UTC)
BEFORE, BAD, AFTER = (0, "a", "早"), (5, "b", "坏话"), (30, "a", "好")


@pytest.fixture
async def handed_in(office: Office) -> Office:
    """A group in which something is to be taken back."""
    advice = await office.hand_in(office.write("one.jsonl", chatlab(BEFORE, BAD, AFTER)))
    assert [step.deed for step in advice.steps if step.deed] == ["撤回该条消息"]
    later(office, hours=1)
    return office


def _open(advice: Advice) -> list[str]:
    return [step.hint for step in advice.steps if step.deed]


async def test_a_message_that_is_gone_from_between_others_and_was_taken_back_closes_the_ticket(
    handed_in: Office,
) -> None:
    text = chatlab(BEFORE, AFTER, (60, "a", "早"), noticed=((5, "b"),))

    advice = await handed_in.hand_in(handed_in.write("two.jsonl", text))

    assert [one.by for one in advice.closed] == ["export"]
    assert _open(advice) == []


async def test_a_message_that_stands_there_still_was_not_the_one_that_was_taken_back(
    handed_in: Office,
) -> None:
    text = chatlab(BEFORE, BAD, AFTER, noticed=((40, "b"),))

    advice = await handed_in.hand_in(handed_in.write("two.jsonl", text))

    assert advice.closed == ()
    assert _open(advice) == [""]


async def test_a_recall_that_may_have_been_another_messages_is_only_for_a_human_to_look_at(
    handed_in: Office,
) -> None:
    text = chatlab((35, "b", "另一句"), (60, "a", "早"), noticed=((40, "b"),))

    advice = await handed_in.hand_in(handed_in.write("two.jsonl", text))

    (hint,) = _open(advice)
    assert advice.closed == ()
    assert "03-12 09:40" in hint
    assert hint in as_text(advice)
    assert hint in as_page(advice)


async def test_what_somebody_else_took_back_says_nothing(handed_in: Office) -> None:
    text = chatlab(BEFORE, AFTER, noticed=((40, "a"),))

    advice = await handed_in.hand_in(handed_in.write("two.jsonl", text))

    assert advice.closed == ()
    assert _open(advice) == [""]


async def test_that_a_message_is_gone_proves_nothing_while_nobody_is_said_to_have_taken_one_back(
    handed_in: Office,
) -> None:
    advice = await handed_in.hand_in(handed_in.write("two.jsonl", chatlab(BEFORE, AFTER)))

    assert advice.closed == ()
    assert _open(advice) == [""]


async def test_of_two_messages_that_are_gone_one_recall_proves_neither(office: Office) -> None:
    await office.hand_in(office.write("one.jsonl", chatlab(BEFORE, BAD, (9, "b", "坏人"), AFTER)))
    later(office, hours=1)

    advice = await office.hand_in(office.write("two.jsonl", chatlab(BEFORE, AFTER, noticed=((10, "b"),))))

    assert advice.closed == ()
    assert len(_open(advice)) == 2
    assert all(_open(advice))


async def test_two_messages_that_are_gone_and_two_recalls_prove_both(office: Office) -> None:
    await office.hand_in(office.write("one.jsonl", chatlab(BEFORE, BAD, (9, "b", "坏人"), AFTER)))
    later(office, hours=1)
    text = chatlab(BEFORE, AFTER, noticed=((5, "b"), (9, "b")))

    advice = await office.hand_in(office.write("two.jsonl", text))

    assert len(advice.closed) == 2
    assert _open(advice) == []


async def test_a_message_that_is_marked_as_taken_back_closes_the_ticket_and_withdraws_the_case(
    handed_in: Office,
) -> None:
    text = chatlab(BEFORE, BAD, AFTER, marked={"m5b": 6})

    advice = await handed_in.hand_in(handed_in.write("two.jsonl", text))
    again = await handed_in.hand_in(handed_in.write("three.jsonl", text))

    cases = await handed_in.look(lambda engine: engine.parts.records.cases(group_id=GROUP))
    assert [one.by for one in advice.closed] == ["case", "case"]
    assert [case.status for case in cases] == [CaseStatus.WITHDRAWN]
    assert (again.fresh, again.closed) == (0, ())


async def test_what_was_taken_back_already_is_asked_of_nobody(office: Office) -> None:
    text = chatlab(BEFORE, BAD, AFTER, marked={"m5b": 45})

    advice = await office.hand_in(office.write("one.jsonl", text))

    assert _open(advice) == []


async def test_by_shown_names_nobody_can_tell_who_took_what_back(office: Office) -> None:
    await office.hand_in(
        office.write("one.txt", mailed((0, "王芳", "早"), (3, "李军", "坏话"), (9, "王芳", "好")))
    )
    later(office, hours=1)

    advice = await office.hand_in(office.write("two.txt", mailed((0, "王芳", "早"), (9, "王芳", "好"))))

    assert advice.closed == ()


@given(
    gone=st.lists(st.booleans(), min_size=1, max_size=4),
    notices=st.integers(0, 5),
    spans=st.booleans(),
    by_name=st.booleans(),
)
def test_a_ticket_is_closed_only_if_each_missing_message_has_its_recall(
    gone: list[bool], notices: int, spans: bool, by_name: bool
) -> None:
    author = AccountId("wechat:b")
    tickets = [
        Ticket(
            id=number,
            group_id=GROUP,
            text="t",
            wanted=DeleteMessage(group_id=GROUP, message_id=f"m{number}", account=author),
            opened_at=TEN,
        )
        for number in range(len(gone))
    ]
    recalls = Recalls(asked=frozenset(f"m{number}" for number in range(len(gone))), by_name=by_name)
    for number, is_gone in enumerate(gone):
        if not is_gone:
            recalls.meet(f"m{number}", recalled=False)
    recalls.know(TEN - timedelta(minutes=1))
    if spans:
        recalls.know(TEN + timedelta(minutes=1))
    recalls.notices += [(TEN, author)] * notices

    proved = {ticket.id for ticket in recalls.proved(tickets)}

    missing = {number for number, is_gone in enumerate(gone) if is_gone}
    certain = spans and not by_name and missing and notices >= len(missing)
    assert proved == (missing if certain else set())
