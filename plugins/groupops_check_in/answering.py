"""Check-ins as they come: by a location or by words, judged by their own moment, with nothing kept but words."""

from dataclasses import dataclass
from datetime import datetime

from groupops import CheckedInElsewhere, CommandGiven, LocationShared, Tools
from groupops_check_in import book
from groupops_check_in.consent import holds, is_before
from groupops_check_in.day import Entry, Sighting, State, checked_in, counted_at, state_at
from groupops_check_in.fences import Placed, place
from groupops_check_in.places import NoPlace
from groupops_check_in.said import Unsaid, read_place
from groupops_check_in.shifts import Hours
from groupops_check_in.view import Answer, View, Worker, answer, can_write, in_group, worker_of

_ONCE_S = 365 * 86_400.0
"""A member is told once that a location is better sent to the bot alone."""

Given = LocationShared | CommandGiven

ATTENDANCE = "oa"
"""What is kept as the means of a check-in that the company's attendance told of."""

_DOUBTED = frozenset({"place", "device"})
"""What attendance finds odd that makes the place unsure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    """Somebody whose check-in counts: who, which day, and what it is by its moment."""

    worker: Worker
    hours: Hours
    state: State


async def by_location(event: LocationShared, view: View, tools: Tools) -> Answer | None:
    """Take a location as a check-in. One shared in the group that is none is talk, and gets no answer."""
    turn = await _turn(event, view, tools, at=counted_at(event))
    if isinstance(turn, str):
        return None if in_group(event) else [answer(event, tools.texts(turn))]
    if "location" not in view.settings.methods:
        return [answer(event, tools.texts("words_only"), tools.texts("neutral"))]
    where = event.location
    try:
        found = place(
            where.latitude,
            where.longitude,
            where.crs,
            view.sites,
            view.settings.precision,
            view.settings.city_m,
        )
    except NoPlace:
        return [answer(event, tools.texts("no_place"), tools.texts("neutral"))]
    return await _taken(event, turn, found, "location", view, tools)


async def by_words(event: CommandGiven, view: View, tools: Tools) -> Answer:
    """Take a place in words as a check-in, as good as a location."""
    turn = await _turn(event, view, tools, at=counted_at(event))
    if isinstance(turn, str):
        return [answer(event, tools.texts(turn), tools.texts("neutral"))]
    found = read_place(event.args[0], view.sites, view.settings.precision)
    if isinstance(found, Unsaid):
        return [answer(event, tools.texts(f"unsaid_{found.why}"), tools.texts("unsaid_neutral"))]
    return await _taken(event, turn, found, "text", view, tools)


async def by_attendance(event: CheckedInElsewhere, view: View, tools: Tools) -> Answer:
    """Take what the company's attendance was asked for; nothing is answered, since nobody here said anything.

    Its own moment counts, however late it was asked: a company's attendance keeps its own clock.
    """
    turn = await _turn(event, view, tools, at=event.at)
    if isinstance(turn, str):
        return []
    found = _placed_elsewhere(event, view)
    seen = Sighting(
        state=turn.state,
        place=found.label,
        means=ATTENDANCE,
        unsure=found.unsure or bool(found.label and not _DOUBTED.isdisjoint(event.odd)),
        at=event.at,
        account=event.account,
    )
    await _written(event, turn, seen, view, tools)
    return []


def _placed_elsewhere(event: CheckedInElsewhere, view: View) -> Placed:
    """Give what is kept of the place: as of any location; without one, the site that its words name, and no others."""
    where, settings = event.location, view.settings
    if where is not None:
        try:
            return place(
                where.latitude,
                where.longitude,
                where.crs,
                view.sites,
                settings.precision,
                settings.city_m,
            )
        except NoPlace:
            return Placed(label="")
    said = read_place(event.label, view.sites, settings.precision)
    return said if isinstance(said, Placed) and said.site else Placed(label="")


async def _turn(event: Given | CheckedInElsewhere, view: View, tools: Tools, *, at: datetime) -> _Turn | str:
    """Find out whether a check-in counts now; else the key of the text that says why not."""
    worker = worker_of(event.account, view, tools)
    if worker is None:
        return "not_owed"
    last = await book.last_said(view.group_id, worker.person.id)
    if last is None or not holds(last, view.terms) or is_before(at, last):
        return "no_consent"
    hours = worker.shift.around(at, view.zone, tools.calendar)
    state = state_at(at, hours) if hours else None
    return _Turn(worker=worker, hours=hours, state=state) if hours and state else "not_now"


async def _taken(event: Given, turn: _Turn, found: Placed, means: str, view: View, tools: Tools) -> Answer:
    """Write a check-in down and say so."""
    at = counted_at(event)
    seen = Sighting(
        state=turn.state, place=found.label, means=means, unsure=found.unsure, at=at, account=event.account
    )
    key, after = await _written(event, turn, seen, view, tools)
    text = await _said(key, event, after, found, view, tools)
    return [answer(event, text, tools.texts("neutral_taken"))]


async def _written(
    event: Given | CheckedInElsewhere, turn: _Turn, seen: Sighting, view: View, tools: Tools
) -> tuple[str, Entry]:
    """Write a check-in down; gives the key of what is to be said of it, and the day as it stands."""
    blank = view.blank(turn.worker, turn.hours.day)
    before, after = await book.change(blank, lambda entry: checked_in(blank, entry, seen))
    moved = before is not None and before.at is not None and before.place != after.place
    if before is not None and moved:
        await _keep_move(event, before, after, seen.at)
    tools.log.info("checked in", group=event.group_id, state=after.state.value, means=seen.means)
    return "moved" if moved else "repeated" if before == after else "taken", after


async def _keep_move(event: Given | CheckedInElsewhere, before: Entry, after: Entry, at: datetime) -> None:
    await book.moved(
        book.Move(
            group_id=event.group_id,
            person_id=after.person_id,
            account=event.account,
            day=after.day,
            was=before.place,
            place=after.place,
            at=at,
            event_id=event.id,
        )
    )


async def _said(key: str, event: Given, entry: Entry, found: Placed, view: View, tools: Tools) -> str:
    texts = tools.texts
    lines = [
        texts(
            key,
            day=f"{entry.day:%m-%d}",
            time=view.clock(entry.at) if entry.at else "",
            state=texts(f"state_{entry.state.value}"),
            place=entry.place or texts("nowhere"),
        )
    ]
    if found.unsure:
        lines.append(texts("unsure"))
    if not found.label:
        lines.append(texts("say_where"))
    if await _better_alone(event, view, tools):
        lines.append(texts("better_alone"))
    return "\n".join(lines)


async def _better_alone(event: Given, view: View, tools: Tools) -> bool:
    """Say whether a member is to be told, once, that a place is better sent to the bot alone."""
    if not in_group(event) or not can_write(view, tools):
        return False
    return await tools.counters.once(f"check_in/{event.group_id}/alone/{event.account}", _ONCE_S)
