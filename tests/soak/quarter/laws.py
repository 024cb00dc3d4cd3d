"""What must be so whatever happened: each law is one function, its name and first line a true sentence."""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from groupops import DirectMessage, Gone, Mute, Reply, SendText
from groupops.actions import AskStewards
from groupops.records import Case, CaseStatus, ObligationStatus, OutboxState
from groupops.store import models
from groupops.store.retention import holds_text
from tests.soak.quarter.laws_of_plugins import LAWS_OF_PLUGINS
from tests.soak.quarter.life import OFFENCES, ZONE, Life, Said
from tests.soak.quarter.papers import Law, Papers, papers, table, terms_in

NIGHT = timedelta(hours=27)
"""A purge comes once a night; the one of last night is at most this old."""

IN_FORCE = frozenset({CaseStatus.EFFECTIVE, CaseStatus.APPEALED})
HALF_AN_HOUR = timedelta(minutes=30)
_RESPONSES = ("contain", "step", "reversal", "notice")


# — offences, cases, strikes —


async def what_is_said_once_is_one_strike_at_most(p: Papers) -> None:
    """However often a message was told, seen, reported and told again, at most one strike stands for it."""
    standing: dict[Any, list[Case]] = defaultdict(list)
    for case in p.cases:
        if _strikes(case) and case.message_id:
            standing[case.group_id, case.message_id].append(case)
    for cases in standing.values():
        assert len(cases) == 1, f"two strikes for one message: {cases}"


async def a_burst_is_one_case(p: Papers) -> None:
    """What one person does within two minutes in one group and on one ladder is one case, unless that came to nothing."""
    of_person: dict[Any, list[Case]] = defaultdict(list)
    for case in p.cases:
        if case.ladder and not _reported(case):
            of_person[case.person_id, case.group_id, case.ladder].append(case)
    for cases in of_person.values():
        cases.sort(key=lambda case: case.opened_at)
        for one, other in itertools.pairwise(cases):
            burst = timedelta(seconds=p.policy(one.group_id).discipline.burst_s)
            over = one.decided_at is not None and one.decided_at <= other.opened_at
            assert over or other.opened_at - one.opened_at > burst, f"two cases of one burst: {one}\n{other}"


async def every_offence_that_was_heard_is_on_record(p: Papers) -> None:
    """What offended since the last look is a case of its own or a further hit of one."""
    cases = {case.event_id for case in p.cases}
    hits = {seen.detail for case in p.cases for seen in case.evidence if seen.what == "repeat"}
    released = {(entry.group_id, entry.phrase) for entry in await table(p, "moderation_allow_entries").all()}
    for said in p.life.truth.said.values():
        if said.at < p.since or not _forbidden(p, said) or p.life.unheard(said.at):
            continue
        text = p.life.text_of(said)
        if not any(group == said.group and phrase in text for group, phrase in released):
            assert said.event_id in cases | hits, f"an offence was overheard: {said}"


async def harmless_words_and_complaints_are_held_against_nobody(p: Papers) -> None:
    """Talk, commands, reports and words about wages, arbitration or safety never lead to a strike."""
    for case in p.cases:
        said = p.life.truth.said.get(case.event_id)
        if said is not None and said.what not in OFFENCES:
            assert not case.ladder, f"{said.what} was booked: {case}"


async def nobody_is_sanctioned_without_clause_and_evidence(p: Papers) -> None:
    """A case that is in force says which clause it is about, where the pack has one, and what was seen."""
    for case in p.cases:
        if case.status not in IN_FORCE | {CaseStatus.MEASURE}:
            continue
        clause = p.policy(case.group_id).clauses.get(case.rule)
        assert clause is None or case.clause is not None, f"no clause: {case}"
        assert any(seen.what != "source" for seen in case.evidence), f"no evidence: {case}"


async def beyond_a_first_reminder_somebody_entitled_decided(p: Papers) -> None:
    """Who decides is a steward, neither the subject nor the reporter, and as many as the step needs are different."""
    entitled = {number: set(p.life.company.people[number].accounts) for number in p.life.company.stewards}
    accounts = {account for held in entitled.values() for account in held}
    persons = {account: number for number, held in entitled.items() for account in held}
    for case in p.cases:
        for line in case.decisions:
            if line.word.startswith("appeal"):
                assert p.life.company.of(line.account) == p.life.company.of(case.account), (
                    f"not theirs: {case}"
                )
                continue
            if not line.account:
                assert line.word == "waive", f"the clock decides in the member's favour alone: {case}"
                continue
            assert line.account in accounts, f"decided by {line.account}: {case}"
            assert line.account not in p.life.accounts_beside(case.account), f"decided about oneself: {case}"
            assert case.reporter is None or line.account not in p.life.accounts_beside(case.reporter), (
                f"{case}"
            )
        if case.status in IN_FORCE and case.ladder:
            _enough_agreed(case, {persons[line.account] for line in case.decisions if line.word == "approve"})


def _enough_agreed(case: Case, agreed: set[int]) -> None:
    if case.status is CaseStatus.APPEALED and any(line.word == "appeal:proposed" for line in case.decisions):
        return
    if not agreed:
        assert (case.step, case.step_index) == ("remind", 0), f"nobody decided: {case}"
        assert case.strike == 1, f"a second reminder by itself: {case}"
    else:
        assert len(agreed) >= case.approvals_needed, f"too few agreed: {case}"


async def the_machine_mutes_nobody_for_more_than_half_an_hour_a_day(p: Papers) -> None:
    """Mutes that no human decided add up to thirty minutes per person and day at most."""
    whose = {case.id: case.person_id for case in p.cases}
    muted: dict[Any, timedelta] = defaultdict(timedelta)
    for row in p.rows:
        if (
            isinstance(row.action, Mute)
            and row.purpose == "contain"
            and row.state is OutboxState.DONE
            and row.case_id in whose
        ):
            muted[whose[row.case_id], row.created_at.astimezone(ZONE).date()] += row.action.span
    assert not (wrong := {who: span for who, span in muted.items() if span > HALF_AN_HOUR}), f"{wrong}"


async def nothing_takes_from_a_member_without_a_case(p: Papers) -> None:
    """Whatever mutes, removes or takes a message back belongs to a case that is on record or was taken back."""
    for row in p.rows:
        if row.action.bites and row.purpose != "reversal":
            assert row.case_id is not None, f"no case: {row}"


# — time —


async def every_due_row_fires_once(p: Papers) -> None:
    """In no life does a moment come twice, and in a later one only what a killed life had in hand."""
    lives = p.life.bot.lives
    before: set[str] = set()
    for number, life in enumerate(lives):
        assert len(set(life.due)) == len(life.due), f"life {number}: {Counter(life.due).most_common(1)}"
        again = set(life.due) & before
        in_hand = {one.due[-1] for one in lives[:number] if one.killed and one.due}
        assert again <= in_hand, f"life {number} had again: {sorted(again - in_hand)}"
        before |= set(life.due)


async def nothing_due_is_forgotten(p: Papers) -> None:
    """What was due ten minutes ago was claimed and handed over, and everybody's next purge is put in."""
    for row in p.due:
        assert p.now - row.due_at <= timedelta(minutes=10), f"due and not done: {row.job} at {row.due_at}"
    waiting = {row.job for row in p.due if row.claimed_at is None}
    assert {f"purge/{room.id}" for room in p.life.company.rooms} <= waiting


async def every_deadline_is_missed_once_and_judged_once(p: Papers) -> None:
    """Nothing stays open beyond its deadline, and who missed one has one case for it."""
    cases = Counter(case.event_id for case in p.cases)
    hits = Counter(seen.detail for case in p.cases for seen in case.evidence if seen.what == "repeat")
    for owed in p.obligations:
        late = p.now - owed.due_at > timedelta(minutes=10)
        assert not (late and owed.status is ObligationStatus.OPEN), f"still open: {owed}"
        if owed.plugin == "duties" and owed.status is ObligationStatus.MISSED:
            fact = f"obligation/{owed.id}/missed/{owed.due_at.isoformat()}"
            assert cases[fact] + hits[fact] == 1, f"{cases[fact]} cases and {hits[fact]} hits for {owed}"


async def nobody_is_reminded_more_often_than_was_planned(p: Papers) -> None:
    """Of one duty at most two reminders are sent."""
    said = await models.Outbox.filter(purpose="reminder", degraded_from="")
    reminded = Counter(json.loads(row.action).get("subject", "") for row in said)
    assert not (wrong := {subject: times for subject, times in reminded.items() if times > 2}), f"{wrong}"


# — actions —


async def no_action_is_lost(p: Papers) -> None:
    """Every action is done, or shown to a steward, stood in for, called off with its case, or waits for its moment."""
    keys = {row.event_id for row in p.rows}
    doubts = {ticket.key for ticket in p.tickets}
    for row in p.rows:
        match row.state:
            case OutboxState.WAITING:
                assert row.not_before is not None, f"left lying: {row}"
                assert row.not_before > p.now, f"left lying: {row}"
            case OutboxState.IN_DOUBT:
                assert f"doubt:{row.key}" in doubts, f"in doubt and not shown: {row}"
            case OutboxState.FAILED:
                excused = isinstance(row.receipt, Gone) or isinstance(
                    row.action, (AskStewards, DirectMessage, Reply, SendText)
                )
                assert excused or row.purpose not in _RESPONSES or row.key in keys, (
                    f"failed in silence: {row}"
                )
            case _:
                assert row.state is not OutboxState.PERFORMING, f"in hand for ever: {row}"


async def what_is_done_was_booked_and_is_done_once(p: Papers) -> None:
    """The platforms were asked for nothing that is not on record, and no words were said twice."""
    booked = {row.key for row in p.rows}
    done: Counter[str] = Counter()
    for line in p.requests():
        assert line.key in booked, f"nobody booked this: {line}"
        if line.done and not line.repeated and not line.action.repeatable:
            done[line.key] += 1
    assert not (wrong := {key: times for key, times in done.items() if times > 1}), f"{wrong}"


async def what_counts_as_done_was_done(p: Papers) -> None:
    """Behind every row that counts as done there is something the platform did."""
    world = {key for box in p.life.bot.sandboxes.values() for key in box.world.done}
    for row in p.rows:
        if row.state is OutboxState.DONE and not isinstance(row.action, AskStewards):
            assert row.key in world, f"never done: {row}"


async def nobody_is_greeted_more_often_than_they_came(p: Papers) -> None:
    """A newcomer is greeted once per coming at most, whatever lists, restarts and second tellings say."""
    came = Counter((group, account) for group, account, _ in p.life.comings)
    greeted: Counter[Any] = Counter()
    for box in p.life.bot.sandboxes.values():
        for line in box.world.requests:
            if (
                line.done
                and not line.repeated
                and line.action.kind == "send_text"
                and line.action.subject == "welcome:rules"
            ):
                greeted.update((line.action.group_id, account) for account in line.action.mentions)
    assert not (wrong := {who: times for who, times in greeted.items() if times > came[who]}), f"{wrong}"


# — what is kept —


async def nothing_is_kept_beyond_its_term(p: Papers) -> None:
    """Every table lets go what its term and last night's purge let go, and excerpts go before their cases."""
    for model, kept in p.tables.items():
        if kept.by is None or not kept.since:
            continue
        only = {name: _plain(values) for name, values in kept.only.items()}
        for group in _groups_of(p, model):
            before = p.now - timedelta(days=terms_in(p, group)[kept.by]) - NIGHT
            whose = {"group_id": group} if group else {}
            for row in await model.filter(**{f"{kept.since}__lt": before}, **only, **whose):
                expires = getattr(row, "expires_at", None)
                assert expires is not None, f"{model.__name__} of {group}: {dict(row)}"
                assert expires > p.now - NIGHT, f"{model.__name__} of {group}: {dict(row)}"
    for case in p.cases:
        term = timedelta(days=terms_in(p, case.group_id)["excerpt"])
        if not case.status.open and holds_text(case):
            settled = max(case.opened_at + term, case.decided_at or case.opened_at)
            assert settled > p.now - NIGHT, f"words kept: {case}"


def _groups_of(p: Papers, model: Any) -> list[str]:
    """Give the groups whose rows a table has; one empty name where its rows name none."""
    return [room.id for room in p.life.company.rooms] if "group_id" in model._meta.fields_map else [""]


async def every_night_is_purged(p: Papers) -> None:
    """Each group is purged once each day, also when the bot was down at three in the morning."""
    purged = Counter((line.group_id, line.at.astimezone(ZONE).date()) for line in p.purged)
    killed = any(life.killed for life in p.life.bot.lives)
    day = p.since.astimezone(ZONE).date()
    while day < p.now.astimezone(ZONE).date():
        for room in p.life.company.rooms:
            times = purged[room.id, day]
            assert times == 1 or (killed and times == 2), f"{room.id} was purged {times} times on {day}"
        day += timedelta(days=1)


async def no_place_is_kept(p: Papers) -> None:
    """In no column of any table, in no line of the log and in nothing the bot said stands a coordinate."""
    for model in p.tables:
        name = cast("Any", model)._meta.db_table
        for row in await p.life.bot.context.db().execute_query_dict(f'SELECT * FROM "{name}"'):  # noqa: S608 - our own
            if p.is_new(name, row):
                held = COORDINATE.search(repr(row))
                assert held is None, f"{name} holds {held and held[0]}: {row}"
    for line in p.life.bot.log.lines[p.lines_read :]:
        assert not COORDINATE.search(repr(line)), f"logged: {line}"
    for said in p.logged:
        assert not COORDINATE.search(said), f"logged: {said}"
    for request in p.requests():
        assert not COORDINATE.search(repr(request.action)), f"said: {request}"


COORDINATE = re.compile(r"(?<![:\d])(?:3[01]|12[012])\.\d{3,}|71829354")
"""Anything with a degree of Shanghai and three decimals, in whatever datum, and the digits of the soak's own points."""


# — persons and plugins —


async def the_register_says_who_is_there(p: Papers) -> None:
    """After the day's lists the record has the members that sit in the groups, and who left the company is so marked."""
    for room in p.life.company.rooms:
        known = {one for one in await p.records.members(room.id) if not one.endswith(":bot")}
        seats = set(p.life.members(room))
        assert known == seats, f"{room.id}: {sorted(known ^ seats)}"
    refs = {one.ref: one for one in await p.records.persons() if one.ref}
    for number in p.life.truth.gone:
        assert not refs[p.life.company.people[number].ref].active


async def no_plugin_failed(p: Papers) -> None:
    """No plugin raised, hung or answered nonsense, however its process ended."""
    bot = p.life.bot
    faults = [*bot.faults, *bot.engine.parts.hooks.faults]
    assert faults == [], f"{len(faults)} faults: {faults[:3]}"


LAWS: tuple[Law, ...] = (
    no_plugin_failed,
    what_is_said_once_is_one_strike_at_most,
    a_burst_is_one_case,
    every_offence_that_was_heard_is_on_record,
    harmless_words_and_complaints_are_held_against_nobody,
    nobody_is_sanctioned_without_clause_and_evidence,
    beyond_a_first_reminder_somebody_entitled_decided,
    the_machine_mutes_nobody_for_more_than_half_an_hour_a_day,
    nothing_takes_from_a_member_without_a_case,
    every_due_row_fires_once,
    nothing_due_is_forgotten,
    every_deadline_is_missed_once_and_judged_once,
    nobody_is_reminded_more_often_than_was_planned,
    no_action_is_lost,
    what_is_done_was_booked_and_is_done_once,
    what_counts_as_done_was_done,
    nobody_is_greeted_more_often_than_they_came,
    nothing_is_kept_beyond_its_term,
    every_night_is_purged,
    no_place_is_kept,
    the_register_says_who_is_there,
    *LAWS_OF_PLUGINS,
)


@dataclass
class Look:
    """Looks at the laws from time to time, each time at what is new and at what is kept.

    `caplog`: what the standard log was told.
    """

    life: Life
    caplog: pytest.LogCaptureFixture
    _since: datetime = field(init=False)
    _seen: dict[str, int] = field(default_factory=dict)
    _lines: int = 0
    _rows: set[tuple[Any, ...]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._since = self.life.now

    async def at_the_laws(self, when: str) -> None:
        """Hold every law; whichever does not hold is named with when that was.

        Raises:
            AssertionError: of the first broken law, with its name, its sentence, and those of the others.
        """
        self.life.bot.immortal()
        read = await papers(self.life, self._since, self._seen)
        read.lines_read, read.rows_read = self._lines, self._rows
        read.logged = [record.getMessage() for record in self.caplog.records]
        broken: list[str] = []
        for law in LAWS:
            try:
                await law(read)
            except AssertionError as error:
                broken.append(f"{law.__name__}: {law.__doc__}\n{error}")
        assert not broken, f"{when}:\n" + "\n\n".join(broken)
        self.caplog.clear()
        self._since = self.life.now
        self._lines = len(self.life.bot.log.lines)
        self._seen = {name: len(box.world.requests) for name, box in self.life.bot.sandboxes.items()}
        self.life.bot.mortal_again()


# — small helps —


def _strikes(case: Case) -> bool:
    return bool(case.ladder) and case.status in IN_FORCE and not _before_decision(case)


def _before_decision(case: Case) -> bool:
    """An appeal against what was only proposed is no strike."""
    return case.status is CaseStatus.APPEALED and not any(
        line.word == "appeal:effective" for line in case.decisions
    )


def _reported(case: Case) -> bool:
    return case.reporter is not None


def _forbidden(p: Papers, said: Said) -> bool:
    """Say whether what was said is an offence in its group, by the words that come with the bot or the group's own."""
    category = {"defame": "defame_org"}.get(said.what, said.what)
    settings = p.policy(said.group).settings["moderation"]
    listed = category not in ("incite", "defame_org") or category in settings.operator_words
    return said.what in OFFENCES and category in settings.use and listed


def _plain(values: Iterable[Any]) -> list[Any]:
    return sorted(getattr(value, "value", value) for value in values)
