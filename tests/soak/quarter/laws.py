"""What must be so whatever happened: each law is one function, its name and first line a true sentence."""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from tortoise import fields
from tortoise.models import Model

from groupops import DirectMessage, Gone, Mute, RemoveMember, Reply, SendText
from groupops.actions import AskStewards
from groupops.policy import Retention
from groupops.records import (
    Audit,
    Case,
    CaseStatus,
    Obligation,
    ObligationStatus,
    OutboxRow,
    OutboxState,
    Ticket,
)
from groupops.store import models
from groupops.store.retention import Kept, holds_text
from groupops.store.schema import kept_models
from groupops_red_packet.journal import Entry, Move, Pot, State, is_lawful, replayed
from groupops_red_packet.models import entries as ledger_entries
from groupops_red_packet.models import items as ledger_items
from tests.soak.quarter import mornings
from tests.soak.quarter.life import OFFENCES, ZONE, Life, Said

ALL = 1_000_000
NIGHT = timedelta(hours=27)
"""A purge comes once a night; the one of last night is at most this old."""

IN_FORCE = frozenset({CaseStatus.EFFECTIVE, CaseStatus.APPEALED})
HALF_AN_HOUR = timedelta(minutes=30)
_RESPONSES = ("contain", "step", "reversal", "notice")


@dataclass
class Papers:
    """Everything on record at one moment, beside what is true.

    `since`: when the laws were last looked at; `seen`: how far the platforms' logs were read then.
    """

    life: Life
    since: datetime
    seen: dict[str, int]
    cases: tuple[Case, ...] = ()
    rows: tuple[OutboxRow, ...] = ()
    tickets: tuple[Ticket, ...] = ()
    obligations: tuple[Obligation, ...] = ()
    audit: tuple[Audit, ...] = ()
    due: list[models.Due] = field(default_factory=list)
    tables: dict[type[Model], Kept] = field(default_factory=dict)
    logged: list[str] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        return self.life.now

    @property
    def records(self) -> Any:
        return self.life.bot.engine.parts.records

    def requests(self) -> Iterable[Any]:
        """What the platforms were asked for since the last look."""
        for name, box in self.life.bot.sandboxes.items():
            yield from box.world.requests[self.seen.get(name, 0) :]

    def policy(self, group: str) -> Any:
        plan = self.life.bot.engine.plans.of(cast("Any", group))
        assert plan is not None
        return plan.policy


async def papers(life: Life, since: datetime, seen: dict[str, int]) -> Papers:
    """Read everything."""
    records = life.bot.engine.parts.records
    return Papers(
        life,
        since,
        seen,
        cases=await records.cases(limit=ALL),
        rows=await records.outbox(limit=ALL),
        tickets=await records.tickets(open_only=False),
        obligations=await records.obligations(),
        audit=await records.audit(limit=ALL),
        due=await models.Due.all(),
        tables=kept_models(life.bot.context),
    )


# — offences, cases, strikes —


async def what_is_said_once_is_one_strike_at_most(p: Papers) -> None:
    """However often a message was told, seen, reported and told again, at most one strike stands for it."""
    standing: dict[Any, list[Case]] = defaultdict(list)
    for case in p.cases:
        if _strikes(case) and case.message_id:
            standing[case.group_id, case.message_id].append(case)
    for cases in standing.values():
        assert len(cases) == 1, f"two strikes for one message: {cases}"


async def a_burst_is_one_strike(p: Papers) -> None:
    """Of what one person does within two minutes in one group and on one ladder, one case at most is in force."""
    of_person: dict[Any, list[Case]] = defaultdict(list)
    for case in p.cases:
        if _strikes(case) and not _reported(case):
            of_person[case.person_id, case.group_id, case.ladder].append(case)
    for cases in of_person.values():
        cases.sort(key=lambda case: case.opened_at)
        for one, other in itertools.pairwise(cases):
            burst = timedelta(seconds=p.policy(one.group_id).discipline.burst_s)
            assert other.opened_at - one.opened_at > burst, f"two strikes in one burst: {one}\n{other}"


async def every_offence_that_was_heard_is_on_record(p: Papers) -> None:
    """What offended since the last look is a case of its own or a further hit of one."""
    cases = {case.event_id for case in p.cases}
    hits = {seen.detail for case in p.cases for seen in case.evidence if seen.what == "repeat"}
    released = {(entry.group_id, entry.phrase) for entry in await _table(p, "moderation_allow_entries").all()}
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
        in_hand = set(lives[number - 1].due[-1:]) if number and lives[number - 1].killed else set[str]()
        assert again <= in_hand, f"life {number} had again: {sorted(again - in_hand)}"
        before |= set(life.due)


async def nothing_due_is_forgotten(p: Papers) -> None:
    """What was due ten minutes ago was claimed and handed over, and everybody's next purge is put in."""
    for row in p.due:
        overdue = p.now - row.due_at > timedelta(minutes=10)
        assert not overdue or row.spent_at is not None, f"due and not done: {row.job} at {row.due_at}"
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
    reminded = Counter(
        getattr(row.action, "subject", "")
        for row in p.rows
        if row.purpose == "reminder" and not row.degraded_from
    )
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
        columns = cast("Any", model)._meta.fields_map
        for row in await model.filter(**{name: _plain(values) for name, values in kept.only.items()}):
            group = getattr(row, "group_id", None) if "group_id" in columns else None
            term = timedelta(days=_terms(p, group)[kept.by])
            moment = getattr(row, kept.since)
            old = moment is not None and moment < p.now - term - NIGHT
            expires = getattr(row, "expires_at", None)
            assert not old or (expires is not None and expires > p.now - NIGHT), (
                f"{model.__name__} of {group}: {dict(row)}"
            )
    for case in p.cases:
        term = timedelta(days=_terms(p, case.group_id)["excerpt"])
        if not case.status.open and holds_text(case):
            settled = max(case.opened_at + term, case.decided_at or case.opened_at)
            assert settled > p.now - NIGHT, f"words kept: {case}"


async def every_night_is_purged(p: Papers) -> None:
    """Each group is purged once each day, also when the bot was down at three in the morning."""
    purged = Counter(
        (line.group_id, line.at.astimezone(ZONE).date()) for line in p.audit if line.what == "purged"
    )
    killed = any(life.killed for life in p.life.bot.lives)
    day = p.since.astimezone(ZONE).date() + timedelta(days=1)
    while day < p.now.astimezone(ZONE).date():
        for room in p.life.company.rooms:
            times = purged[room.id, day]
            assert times == 1 or (killed and times == 2), f"{room.id} was purged {times} times on {day}"
        day += timedelta(days=1)


async def no_place_is_kept(p: Papers) -> None:
    """In no column of any table, in no line of the log and in nothing the bot said stands a coordinate."""
    for model in p.tables:
        names = [
            name for name, one in cast("Any", model)._meta.fields_map.items() if not isinstance(one, _DATES)
        ]
        for row in await model.all().values(*names):
            told = COORDINATE.search(repr(row))
            assert told is None, f"{model.__name__} holds {told and told[0]}: {row}"
    for line in p.life.bot.log.lines:
        assert not COORDINATE.search(repr(line)), f"logged: {line}"
    for said in p.logged:
        assert not COORDINATE.search(said), f"logged: {said}"
    for request in p.requests():
        assert not COORDINATE.search(repr(request.action)), f"said: {request}"


COORDINATE = re.compile(r"(?<![:\d])(?:3[01]|12[012])\.\d{3,}|71829354")
"""Anything with a degree of Shanghai and three decimals, in whatever datum, and the digits of the soak's own points."""

_DATES = (fields.DatetimeField, fields.DateField)


# — persons and plugins —


async def the_register_says_who_is_there(p: Papers) -> None:
    """After the day's lists the record has the members that sit in the groups, and who left the company is so marked."""
    for room in p.life.company.rooms:
        known = set(await p.records.members(room.id))
        seats = set(p.life.sandbox(room).world.room(room.name).seats)
        assert known == seats, f"{room.id}: {sorted(known ^ seats)}"
    refs = {one.ref: one for one in await p.records.persons() if one.ref}
    for number in p.life.truth.gone:
        assert not refs[p.life.company.people[number].ref].active


async def no_plugin_failed(p: Papers) -> None:
    """No plugin raised, hung or answered nonsense, however its process ended."""
    bot = p.life.bot
    assert [*bot.faults, *bot.engine.parts.hooks.faults] == []


# — check-in —


async def nobody_without_consent_is_in_the_book(p: Papers) -> None:
    """Every day, move and petition on record is of somebody whose last word was yes and who is with the company."""
    numbers = await _numbers(p)
    for name in ("check_in_days", "check_in_moves", "check_in_petitions"):
        for row in await _table(p, name).all():
            number = numbers.get(row.person_id)
            assert number is not None, f"of nobody's: {dict(row)}"
            assert _agrees(p, number, p.now), (
                f"without consent ({p.life.truth.agreed.get(number)}): {dict(row)}"
            )
            assert number not in p.life.truth.gone, f"left the company: {dict(row)}"


async def nobody_without_consent_is_named_to_others(p: Papers) -> None:
    """No list, board or word of check-in names to anybody else somebody who had not agreed, or no longer did."""
    for row in p.rows:
        if row.plugin != "check_in" or row.created_at < p.since:
            continue
        text = " ".join(str(getattr(row.action, part, "")) for part in ("text", "caption", "name"))
        for one in p.life.company.people.values():
            if one.name in text and getattr(row.action, "account", None) not in one.accounts:
                assert _agrees(p, one.number, row.created_at), f"{one.name} is named: {row}"


async def a_day_says_when_somebody_came(p: Papers) -> None:
    """Who is on time or late showed a place at that very moment; nobody who showed one while it counted is missing."""
    numbers = await _numbers(p)
    for row in await _table(p, "check_in_days").all():
        number = numbers[row.person_id]
        moments = p.life.truth.seen.get((number, row.day), [])
        if row.state in ("on_time", "late"):
            assert row.at in moments, f"never came: {dict(row)} {moments}"
            in_time = mornings.hour_of(row.at, p.life) <= mornings.DUE
            assert (row.state == "on_time") == in_time, f"{dict(row)}"
        if row.state == "missing":
            counted = [at for at in moments if mornings.OPEN <= mornings.hour_of(at, p.life) < mornings.CLOSE]
            lost = [at for at in counted if p.life.unheard(at) or not _agrees(p, number, at)]
            assert counted == lost, f"came and is missing: {dict(row)} {counted}"


async def days_of_check_in_are_forgotten(p: Papers) -> None:
    """No day is kept longer than the group says."""
    for row in await _table(p, "check_in_days").all():
        days = p.policy(row.group_id).settings["check_in"].retention_days
        assert p.now.astimezone(ZONE).date() - row.day <= timedelta(days=days), f"kept: {dict(row)}"


# — promises —


async def every_fen_is_accounted_for(p: Papers) -> None:
    """The journal of each item follows the table, its sums are what the item says, and so are group's and person's."""
    lines: dict[int, list[Entry]] = defaultdict(list)
    for entry in await ledger_entries():
        lines[entry.case_id].append(entry)
    items = {item.case_id: item for item in await ledger_items()}
    assert items.keys() == lines.keys()
    for number, item in items.items():
        pots = replayed(lines[number]).pots
        assert sum(pots.values()) == 0, f"{item}"
        assert is_lawful(lines[number]), f"{item}: {lines[number]}"
        assert (pots[Pot.OPEN], pots[Pot.REDUCED], -pots[Pot.OUTSIDE]) == (
            item.open_fen,
            item.reduced_fen,
            item.charged_fen,
        )
        assert lines[number][-1].state is item.state, f"{item}"
        assert min(pots[pot] for pot in Pot if pot is not Pot.OUTSIDE) >= 0, f"{item}"
    for whose in ("group_id", "person_id"):
        owed: Counter[Any] = Counter()
        for item in items.values():
            owed[getattr(item, whose)] += item.open_fen
            last = lines[item.case_id][-1]
            assert getattr(last, whose) == getattr(item, whose), f"{item}"
            owed[getattr(last, whose)] -= replayed(lines[item.case_id]).pots[Pot.OPEN]
        assert not any(owed.values())


async def no_amount_comes_from_nowhere(p: Papers) -> None:
    """Money enters by a proposal alone, for a case and by the tariff; what is owed or was paid keeps to the month's cap."""
    charged: Counter[Any] = Counter()
    for entry in await ledger_entries():
        assert (entry.source is Pot.OUTSIDE) == (entry.move is Move.PROPOSE), f"{entry}"
    known = {case.id: case for case in p.cases}
    for item in await ledger_items():
        settings = p.policy(item.group_id).settings["red_packet"]
        assert item.charged_fen <= settings.tariff_fen(item.rule), f"beyond the tariff: {item}"
        case = known.get(item.case_id)
        assert case is None or case.step == "redpacket", f"{item}: {case}"
        if item.person_id and case is not None:
            month = case.opened_at.astimezone(ZONE)
            paid = item.closed_fen if item.state is State.SETTLED else 0
            charged[item.person_id, month.year, month.month] += item.open_fen + paid
    cap = (
        p.policy(next(room.id for room in p.life.company.rooms if "quarter_chamber" in room.packs))
        .settings["red_packet"]
        .cap_fen
    )
    beyond = {who: fen for who, fen in charged.items() if fen > cap}
    assert not beyond, f"more than {cap} fen for a month: {beyond}"


async def nothing_is_settled_twice_or_by_whom_it_is_not_for(p: Papers) -> None:
    """An item is settled once, by a steward who is not its person, after that person accepted or chose."""
    stewards = {
        account for number in p.life.company.stewards for account in p.life.company.people[number].accounts
    }
    moves: dict[int, list[Entry]] = defaultdict(list)
    for entry in await ledger_entries():
        moves[entry.case_id].append(entry)
    for item in await ledger_items():
        done = [entry for entry in moves[item.case_id] if entry.move in (Move.SETTLE, Move.SUBSTITUTE)]
        assert len(done) <= 1, f"{item}: {done}"
        own = [entry for entry in moves[item.case_id] if entry.move in (Move.ACCEPT, Move.CHOOSE)]
        if done and item.account:
            assert own, f"settled and never promised: {item}"
            assert {entry.actor for entry in own} <= set(p.life.accounts_beside(item.account)), f"{item}"
            worded = done[0].move is Move.SUBSTITUTE and done[0].actor == own[-1].actor
            assert worded or done[0].actor in stewards - set(p.life.accounts_beside(item.account)), (
                f"{item}: {done}"
            )
        agreed = {
            entry.actor.partition(":")[2][1:] for entry in moves[item.case_id] if entry.move is Move.AGREE
        }
        if item.notified_at is not None and item.account:
            assert len(agreed) >= item.approvals, f"told before it was approved: {item}"


async def an_item_follows_its_case_and_its_person(p: Papers) -> None:
    """Nothing is open of a case that came to nothing or of who left the company; who is out of the group is frozen."""
    numbers = await _numbers(p)
    cases = {case.id: case for case in p.cases}
    for item in await ledger_items():
        if not item.state.open:
            continue
        case = cases.get(item.case_id)
        assert case is None or case.status in IN_FORCE | {CaseStatus.PROPOSED}, f"{item}: {case}"
        assert numbers.get(item.person_id) not in p.life.truth.gone, f"left the company: {item}"
        room = next(one for one in p.life.company.rooms if one.id == item.group_id)
        inside = set(p.life.accounts_beside(item.account)) & set(p.life.members(room))
        assert item.frozen == (not inside), f"{item}"


async def old_items_name_nobody(p: Papers) -> None:
    """Once the term of the ledger is over the persons are taken out; the sums stay."""
    for item in await ledger_items():
        term = timedelta(days=_terms(p, item.group_id)["ledger"], hours=36)
        assert item.closed_at is None or item.closed_at > p.now - term or not item.person_id, f"{item}"


# — the roster —


async def nobody_is_put_out_without_two_who_agreed(p: Papers) -> None:
    """Whoever is removed had a case that two stewards agreed to, and was told before."""
    cases = {case.id: case for case in p.cases}
    for row in p.rows:
        if isinstance(row.action, RemoveMember) and row.case_id in cases:
            case = cases[row.case_id]
            assert len({line.person_id for line in case.decisions if line.word == "approve"}) >= 2, (
                f"{row}: {case}"
            )
            assert case.noticed_at is not None, f"{case}"


async def the_roster_asks_once(p: Papers) -> None:
    """Of one member and rule one case at most waits for a decision, and a card is reminded of as often as set."""
    waiting = Counter(
        (case.group_id, case.account, case.rule)
        for case in p.cases
        if case.plugin == "roster" and case.status.open
    )
    assert not (wrong := {what: times for what, times in waiting.items() if times > 1}), f"{wrong}"
    for row in await _table(p, "roster_card_watches").all():
        assert row.reminders <= p.policy(row.group_id).settings["roster"].card.max_reminders, f"{dict(row)}"


LAWS: tuple[Callable[[Papers], Awaitable[None]], ...] = (
    no_plugin_failed,
    what_is_said_once_is_one_strike_at_most,
    a_burst_is_one_strike,
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
    nobody_without_consent_is_in_the_book,
    nobody_without_consent_is_named_to_others,
    a_day_says_when_somebody_came,
    days_of_check_in_are_forgotten,
    every_fen_is_accounted_for,
    no_amount_comes_from_nowhere,
    nothing_is_settled_twice_or_by_whom_it_is_not_for,
    an_item_follows_its_case_and_its_person,
    old_items_name_nobody,
    nobody_is_put_out_without_two_who_agreed,
    the_roster_asks_once,
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

    def __post_init__(self) -> None:
        self._since = self.life.now

    async def at_the_laws(self, when: str) -> None:
        """Hold every law; whichever does not hold is named with when that was.

        Raises:
            AssertionError: of the first broken law, with its name, its sentence, and those of the others.
        """
        self.life.bot.immortal()
        read = await papers(self.life, self._since, self._seen)
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


def _terms(p: Papers, group: str | None) -> dict[str, int]:
    plan = p.life.bot.engine.plans.of(cast("Any", group)) if group else None
    return Retention().terms() if plan is None else plan.policy.retention.terms()


def _plain(values: Iterable[Any]) -> list[Any]:
    return sorted(getattr(value, "value", value) for value in values)


async def _numbers(p: Papers) -> dict[int, int]:
    """Give whose number in the company a person on record has."""
    by_ref = {one.ref: one.number for one in p.life.company.people.values()}
    return {one.id: by_ref[one.ref] for one in await p.records.persons() if one.ref in by_ref}


def _agrees(p: Papers, number: int, moment: datetime) -> bool:
    """Say whether somebody's last word on check-in up to a moment was yes."""
    words = [word for at, word in p.life.truth.agreed.get(number, []) if at <= moment]
    return bool(words) and words[-1] == mornings.AGREE


def _table(p: Papers, name: str) -> Any:
    return next(model for model in p.tables if cast("Any", model)._meta.db_table == name)
