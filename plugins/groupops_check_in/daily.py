"""What a day does by itself: asks, reminds, closes, purges; every moment fires once, late if nothing ran."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from groupops import Capability, Note, ReadCheckIns, TimeCame, Tools
from groupops_check_in import book
from groupops_check_in.board import Roll, roll_text
from groupops_check_in.consent import holds
from groupops_check_in.day import Entry, State, closed
from groupops_check_in.shifts import Hours, Shift
from groupops_check_in.view import (
    Answer,
    View,
    Worker,
    can_write,
    cited,
    dispatchers,
    how,
    names,
    openly,
    privately,
    workers,
)

UNREACHED_S = 30 * 3600.0
"""How long it is remembered that somebody could not be written to alone: until after the next day's question."""

_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A shift of which a moment came: on its day, with those who owe."""

    shift: Shift
    hours: Hours
    owing: tuple[Worker, ...]


async def _turns(view: View, due_at: datetime, moments: str, tools: Tools) -> list[Turn]:
    """Give the shifts one of whose `opens`, `closes` or `reminders` is this very moment."""
    found = [
        (shift, hours)
        for shift in view.settings.all_shifts
        for hours in shift.lately(due_at, view.zone, tools.calendar)
        if due_at in _moments(hours, moments)
    ]
    if not found:
        return []
    everybody = await _agreed(view, tools)
    return [
        Turn(
            shift=shift,
            hours=hours,
            owing=tuple(one for one, since in everybody if _owes(one, since, shift, hours)),
        )
        for shift, hours in found
    ]


def _moments(hours: Hours, which: str) -> tuple[datetime, ...]:
    return hours.reminders if which == "reminders" else (getattr(hours, which),)


async def _agreed(view: View, tools: Tools) -> list[tuple[Worker, datetime]]:
    """Give whoever's consent holds, and since when; of all others nothing is asked or said."""
    said = await book.all_said(view.group_id)
    return [
        (worker, said[worker.person.id].at)
        for worker in workers(view, tools)
        if holds(said.get(worker.person.id), view.terms)
    ]


def _owes(worker: Worker, since: datetime, shift: Shift, hours: Hours) -> bool:
    """Who agreed after the opening may check in, and owes it from the next day on."""
    return worker.shift == shift and since <= hours.opens


async def _missing(turn: Turn, view: View) -> list[Worker]:
    there = {entry.person_id for entry in await book.entries(view.group_id, turn.hours.day, turn.hours.day)}
    return [worker for worker in turn.owing if worker.person.id not in there]


async def ask(event: TimeCame, view: View, tools: Tools) -> Answer:
    """Ask those who owe, at the opening; too late for that once the day is closed."""
    said: Answer = []
    for turn in await _turns(view, event.due_at, "opens", tools):
        if event.at < turn.hours.closes:
            said += await _asked("ask", turn, view, tools)
    return said


async def remind(event: TimeCame, view: View, tools: Tools) -> Answer:
    """Remind those of whom nothing is known yet."""
    said: Answer = []
    for turn in await _turns(view, event.due_at, "reminders", tools):
        if event.at < turn.hours.closes:
            key = "remind" if event.at <= turn.hours.due else "remind_late"
            said += await _asked(key, turn, view, tools)
    return said


async def _asked(key: str, turn: Turn, view: View, tools: Tools) -> Answer:
    """Write to each alone; for those whom that does not reach there is one word to all, naming nobody."""
    owing = await _missing(turn, view)
    if not owing:
        return []
    values = {
        "due": view.clock(turn.hours.due),
        "close": view.clock(turn.hours.closes),
        "clause": cited(view, tools.texts),
    }
    text = tools.texts(key, how=how(view, tools.texts, tools), **values)
    if not can_write(view, tools):
        return openly(view, text) if key == "ask" else []
    said: Answer = [*privately(view, [one.account for one in owing], text)]
    if await _unreached(owing, view, tools) and await _first_today(turn, view, tools):
        said += openly(view, tools.texts("ask_open", how=how(view, tools.texts, tools), **values))
    return said


async def _first_today(turn: Turn, view: View, tools: Tools) -> bool:
    return await tools.counters.once(
        f"check_in/{view.group_id}/open/{turn.hours.day}/{turn.shift.name}", _DAY_S
    )


async def _unreached(owing: Iterable[Worker], view: View, tools: Tools) -> bool:
    peeks = [await tools.counters.peek(unreached(view.group_id, one.account), UNREACHED_S) for one in owing]
    return any(peeks)


def unreached(group_id: str, account: str) -> str:
    """Name the counter that remembers that somebody could not be written to."""
    return f"check_in/{group_id}/unreached/{account}"


async def look(event: TimeCame, view: View, tools: Tools) -> Answer:
    """Ask the company's attendance about those who owe, consented to it, and have not been seen today."""
    if Capability.READ_CHECK_INS not in tools.people.can(view.group_id):
        return []
    after = timedelta(minutes=view.settings.attendance_minutes)
    asked: Answer = []
    everybody = await _agreed(view, tools)
    for shift in view.settings.all_shifts:
        for hours in shift.lately(event.due_at, view.zone, tools.calendar):
            if not hours.opens < event.due_at <= hours.closes + after:
                continue
            owing = [one for one, since in everybody if _owes(one, since, shift, hours)]
            unseen = await _unseen(owing, hours, view)
            if unseen:
                asked.append(
                    ReadCheckIns(
                        group_id=view.group_id,
                        accounts=tuple(one.account for one in unseen),
                        since=hours.opens,
                        until=min(event.at, hours.closes),
                    )
                )
    return asked


async def _unseen(owing: Iterable[Worker], hours: Hours, view: View) -> list[Worker]:
    entries = await book.entries(view.group_id, hours.day, hours.day)
    seen = {entry.person_id for entry in entries if entry.state is not State.MISSING}
    return [worker for worker in owing if worker.person.id not in seen]


async def close(event: TimeCame, view: View, tools: Tools) -> Answer:
    """Close the day: who owed and did not answer is missing, and whoever sends people out is given the list."""
    said: Answer = []
    for turn in await _turns(view, event.due_at, "closes", tools):
        for worker in await _missing(turn, view):
            blank = view.blank(worker, turn.hours.day)
            await book.change(blank, partial(closed, blank))
        if view.settings.on_missing == "notify_dispatcher":
            said += await _listed(turn, view, tools, late=event.late)
    return said


async def _listed(turn: Turn, view: View, tools: Tools, *, late: bool) -> Answer:
    entries = await _of_shift(turn, view)
    if not entries:
        return []
    roll = Roll(day=turn.hours.day, shift=turn.shift.name, entries=tuple(entries))
    text = roll_text(roll, view, names(tools), tools.texts)
    if late:
        text = f"{text}\n{tools.texts('roll_late')}"
    to = dispatchers(view, tools)
    if not can_write(view, tools):
        return openly(view, tools.texts("roll_waits"))
    return [*privately(view, to, text), sent(view, "check-in list sent", roll.day.isoformat(), len(to))]


async def _of_shift(turn: Turn, view: View) -> list[Entry]:
    day = turn.hours.day
    return [entry for entry in await book.entries(view.group_id, day, day) if entry.shift == turn.shift.name]


def sent(view: View, what: str, subject: str, count: int, actor: str = "") -> Note:
    """Give the line of audit for a list that was given to somebody."""
    return Note(
        group_id=view.group_id,
        what=what,
        subject=f"check_in:{subject}",
        actor=actor,
        detail={"readers": count},
    )


async def purge(event: TimeCame, view: View, tools: Tools) -> None:
    """Forget what is older than its term; says nothing."""
    gone = await book.purge(view.group_id, view.today(event.at), view.settings.retention_days)
    words = await book.purge_consents(event.at)
    tools.log.info("check-ins purged", group=view.group_id, days=gone, consents=words)
