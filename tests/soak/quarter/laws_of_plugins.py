"""What must be so of check-ins, promises and the roster, whatever happened; in the manner of `laws.py`."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta
from typing import Any

from groupops import RemoveMember
from groupops.records import CaseStatus
from groupops_red_packet.journal import Entry, Move, Pot, State, is_lawful, replayed
from groupops_red_packet.models import entries as ledger_entries
from groupops_red_packet.models import items as ledger_items
from tests.soak.quarter import mornings
from tests.soak.quarter.life import ZONE
from tests.soak.quarter.papers import Law, Papers, agreed_to, numbers_of, table, terms_in

# — check-in —


async def nobody_without_consent_is_in_the_book(p: Papers) -> None:
    """Every day, move and petition on record is of somebody whose last word was yes and who is with the company."""
    numbers = await numbers_of(p)
    for name in ("check_in_days", "check_in_moves", "check_in_petitions"):
        for row in await table(p, name).all():
            number = numbers.get(row.person_id)
            assert number is not None, f"of nobody's: {dict(row)}"
            assert agreed_to(p, number, p.now), (
                f"without consent ({p.life.truth.agreed.get(number)}): {dict(row)}"
            )
            assert number not in p.life.truth.gone, f"left the company: {dict(row)}"


async def nobody_without_consent_is_named_to_others(p: Papers) -> None:
    """No list, board or word of check-in names to anybody else somebody who had not agreed, or no longer did."""
    rows = {row.key: row for row in p.rows}
    for asked in p.requests():
        row = rows.get(asked.key)
        if row is None or row.plugin != "check_in":
            continue
        text = " ".join(str(getattr(asked.action, part, "")) for part in ("text", "caption", "name"))
        for one in p.life.company.people.values():
            if one.name in text and getattr(asked.action, "account", None) not in one.accounts:
                just_before = (
                    row.created_at - timedelta.resolution
                )  # what is said at the very moment comes after
                agreed = agreed_to(p, one.number, row.created_at) or agreed_to(p, one.number, just_before)
                assert agreed, f"{one.name} is named: {asked}"


async def a_day_says_when_somebody_came(p: Papers) -> None:
    """Who is on time or late showed a place at that very moment; nobody who showed one while it counted is missing."""
    numbers = await numbers_of(p)
    for row in await table(p, "check_in_days").all():
        number = numbers[row.person_id]
        moments = p.life.truth.seen.get((number, row.day), [])
        if row.state in ("on_time", "late"):
            assert row.at in moments, f"never came: {dict(row)} {moments}"
            in_time = mornings.hour_of(row.at, p.life) <= mornings.DUE
            assert (row.state == "on_time") == in_time, f"{dict(row)}"
        if row.state == "missing":
            counted = [at for at in moments if mornings.OPEN <= mornings.hour_of(at, p.life) < mornings.CLOSE]
            lost = [at for at in counted if p.life.unheard(at) or not agreed_to(p, number, at)]
            assert counted == lost, f"came and is missing: {dict(row)} {counted}"


async def days_of_check_in_are_forgotten(p: Papers) -> None:
    """No day is kept longer than the group says."""
    for row in await table(p, "check_in_days").all():
        days = p.policy(row.group_id).settings["check_in"].retention_days
        assert p.now.astimezone(ZONE).date() - row.day <= timedelta(days=days), f"kept: {dict(row)}"


# — promises —

_OPEN_FOR = frozenset({CaseStatus.EFFECTIVE, CaseStatus.APPEALED, CaseStatus.PROPOSED})
"""What a case may be whose item is open."""


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
        told = (item.open_fen, item.reduced_fen, item.charged_fen)
        added = (pots[Pot.OPEN], pots[Pot.REDUCED], -pots[Pot.OUTSIDE])
        assert added == told, f"the journal comes to {added}, the item says {told}: {item}"
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
    numbers = await numbers_of(p)
    cases = {case.id: case for case in p.cases}
    for item in await ledger_items():
        if not item.state.open:
            continue
        case = cases.get(item.case_id)
        assert case is None or case.status in _OPEN_FOR, f"{item}: {case}"
        assert numbers.get(item.person_id) not in p.life.truth.gone, f"left the company: {item}"
        room = next(one for one in p.life.company.rooms if one.id == item.group_id)
        inside = set(p.life.accounts_beside(item.account)) & set(p.life.members(room))
        assert item.frozen == (not inside), f"{item}"


async def old_items_name_nobody(p: Papers) -> None:
    """Once the term of the ledger is over the persons are taken out; the sums stay."""
    for item in await ledger_items():
        term = timedelta(days=terms_in(p, item.group_id)["ledger"], hours=36)
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
    for row in await table(p, "roster_card_watches").all():
        assert row.reminders <= p.policy(row.group_id).settings["roster"].card.max_reminders, f"{dict(row)}"


LAWS_OF_PLUGINS: tuple[Law, ...] = (
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
