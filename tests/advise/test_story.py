"""A week of a group of two hundred without a bot: handed in, worked off by humans, and closed by what is handed in next."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from groupops.advise import as_json, as_notices, as_page
from groupops.records import CaseStatus

from .conftest import GROUP, Office, later
from .week import AT_NIGHT, INSULT, MONDAY, Line, mail, people, week


@pytest.fixture
def names() -> list[str]:
    return people(199)


async def test_a_week_of_two_hundred_people_is_advised_on_and_the_next_week_closes_what_was_done(
    office: Office, names: list[str]
) -> None:
    stranger, insulter, night_owl = "路过的人", names[3], names[9]
    await office.bind("s10")
    await office.enrol(names)
    first = week(names)
    first += [
        Line(MONDAY + timedelta(days=1, hours=14, minutes=5), insulter, INSULT),
        Line(MONDAY + timedelta(days=2, hours=23, minutes=40), night_owl, AT_NIGHT),
    ]
    listed = "\n".join([*names, stranger])

    # Monday: the week is handed in, with the member list.
    advice = await office.hand_in(office.write("week.txt", mail(first)), members=listed)

    by_rule = {one.rule: one for one in advice.findings if one.message_id}
    assert (advice.fresh, advice.members) == (562, 200)
    assert by_rule["moderation.insult"].standing == "review"
    assert (by_rule["moderation.insult"].name, by_rule["moderation.insult"].clause) == (insulter, "篇十 二.7")
    assert (by_rule["quiet_hours.rest"].name, by_rule["quiet_hours.rest"].standing) == (night_owl, "remind")
    assert ("stranger", stranger) in {(line.kind, line.name) for line in advice.roster}
    assert sum("名册核对" in step.text for step in advice.steps) == 1, "one audit is asked for, not seven"
    outsider = next(one for one in advice.findings if one.name == stranger)
    assert (outsider.standing, outsider.clause, outsider.notice) == ("case", "篇十 一.1", "")
    notices = as_notices(advice)
    assert f"@{insulter}" in notices
    assert f"@{night_owl}" in notices
    assert json.loads(as_json(advice))["findings"]
    page = as_page(advice)
    assert INSULT in page
    assert "篇十 二.9" in page
    assert "<script" not in page

    # Two stewards agree that the stranger has to go; somebody has to do it by hand.
    for who in ("wechat:boss", "wechat:boss", "wechat:boss2"):
        await office.say(f"批准 {outsider.case} 外单位人员", by=who)
    tickets = await office.look(lambda engine: engine.parts.records.tickets(group_id=GROUP))
    assert [one.wanted.kind for one in tickets if one.wanted] == ["remove_member"]

    # A week later: an export that overlaps by two days, and a list without the stranger.
    later(office, days=7)
    tail = [line for line in first if line.at >= MONDAY + timedelta(days=5)]
    second = week(names, day=MONDAY + timedelta(days=7), seed=12)
    advice = await office.hand_in(office.write("next.txt", mail(tail + second)), members="\n".join(names))

    assert advice.files[0].again == len(tail)
    assert advice.fresh == len(second)
    assert [(one.by, stranger in one.text) for one in advice.closed] == [("list", True)]
    assert {(line.kind, line.name) for line in advice.roster if line.kind == "left"} == {("left", stranger)}
    assert not any(one.rule == "moderation.insult" for one in advice.findings)
    cases = await office.look(lambda engine: engine.parts.records.cases(group_id=GROUP))
    assert {one.status for one in cases if one.ladder and one.message_id} <= {CaseStatus.FLAGGED}
