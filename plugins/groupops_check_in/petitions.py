"""Leave and corrections: asked for by the person, decided by a dispatcher or a steward, never by oneself."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

from groupops import AccountId, ChoiceMade, CommandGiven, Member, Note, Option, Texts, Tools
from groupops_check_in import book
from groupops_check_in.board import called
from groupops_check_in.book import Petition, What
from groupops_check_in.consent import holds
from groupops_check_in.dates import NoDay, read_day, read_days
from groupops_check_in.day import Entry, corrected, excused
from groupops_check_in.places import holds_coordinates
from groupops_check_in.said import Unsaid, read_place
from groupops_check_in.view import (
    Answer,
    View,
    Worker,
    answer,
    can_write,
    dispatchers,
    may_see,
    names,
    openly,
    privately,
    stewards,
    worker_of,
)

SUBJECT = "check_in:"
"""Before a petition's number: what a press on one of its buttons is about."""

LONGEST_REASON = 200

_AHEAD = timedelta(days=366)
_DAY = timedelta(days=1)


class _Wrong(Exception):
    """What was asked cannot be; carries the key of the text that says why."""


async def leave(event: CommandGiven, view: View, tools: Tools) -> Answer:
    """Ask for leave: `请假 今天 看病`, `请假 3月5日至3月7日 事假`."""
    return await _filed(event, What.LEAVE, view, tools)


async def correction(event: CommandGiven, view: View, tools: Tools) -> Answer:
    """Ask for a correction: `更正打卡 昨天 客户A处 忘了发`."""
    return await _filed(event, What.CORRECTION, view, tools)


async def _filed(event: CommandGiven, what: What, view: View, tools: Tools) -> Answer:
    texts = tools.texts
    try:
        worker = await _agreed(event, view, tools)
        petition = _read(event, what, worker, view, tools)
    except _Wrong as wrong:
        key = str(wrong)
        return [answer(event, texts(key, days=view.settings.retention_days), texts("neutral"))]
    petition, new = await book.file(petition)
    told = answer(
        event, texts("petition_filed", id=petition.id, what=texts(f"what_{what.value}")), texts("neutral")
    )
    return [told, *_asked(petition, worker, view, tools)] if new else [told]


async def _agreed(event: CommandGiven, view: View, tools: Tools) -> Worker:
    worker = worker_of(event.account, view, tools)
    if worker is None:
        raise _Wrong("not_owed")
    last = await book.last_said(view.group_id, worker.person.id)
    if not holds(last, view.terms):
        raise _Wrong("nothing_to_ask")
    return worker


def _read(event: CommandGiven, what: What, worker: Worker, view: View, tools: Tools) -> Petition:
    """Read what is asked for; raises `_Wrong`."""
    first, last = _span(event, what, worker, view, tools)
    reason = event.args[-1].strip()
    if len(reason) > LONGEST_REASON:
        raise _Wrong("reason_long")
    if holds_coordinates(reason):
        raise _Wrong("unsaid_numbers")
    return Petition(
        group_id=view.group_id,
        person_id=worker.person.id,
        account=event.account,
        what=what,
        day=first,
        until=last,
        place=_place(event.args[1], view) if what is What.CORRECTION else "",
        reason=reason,
        asked_at=event.at,
        event_id=event.id,
    )


def _span(event: CommandGiven, what: What, worker: Worker, view: View, tools: Tools) -> tuple[date, date]:
    today = view.today(event.at)
    try:
        single = what is What.CORRECTION
        day = read_day(event.args[0], today) if single else None
        first, last = (day, day) if day else read_days(event.args[0], today)
    except NoDay:
        raise _Wrong("no_day") from None
    if first <= today - view.settings.retention_days * _DAY:
        raise _Wrong("too_old")
    if last > (today if what is What.CORRECTION else today + _AHEAD):
        raise _Wrong("too_far")
    if not any(worker.shift.hours(one, view.zone, tools.calendar) for one in _days(first, last)):
        raise _Wrong("no_shift")
    return first, last


def _days(first: date, last: date) -> list[date]:
    return [first + number * _DAY for number in range((last - first).days + 1)]


def _place(text: str, view: View) -> str:
    found = read_place(text, view.sites, view.settings.precision)
    if isinstance(found, Unsaid):
        raise _Wrong(f"unsaid_{found.why}")
    return found.label


def _asked(petition: Petition, worker: Worker, view: View, tools: Tools) -> Answer:
    """Put a petition before those who decide, its author not among them."""
    texts = tools.texts
    if not can_write(view, tools):
        return openly(view, texts("petition_open", id=petition.id))
    text = texts(
        f"petition_{petition.what.value}",
        id=petition.id,
        name=worker.person.name,
        days=span_text(petition, texts),
        place=petition.place,
        reason=petition.reason,
    )
    options = (Option(word=texts("word_approve")), Option(word=texts("word_refuse")))
    subject = f"{SUBJECT}{petition.id}"
    return [*privately(view, _deciders(worker, view, tools), text, options=options, subject=subject)]


def _deciders(worker: Worker, view: View, tools: Tools) -> list[AccountId]:
    """Give the dispatchers besides the person who asks, or else the stewards besides."""
    own = tools.people.accounts(worker.person.id)
    others = [one for one in dispatchers(view, tools) if one not in own]
    return others or [one for one in stewards(view, tools) if one not in own]


def span_text(petition: Petition, texts: Texts) -> str:
    """Write the day or days of a petition."""
    if petition.day == petition.until:
        return f"{petition.day:%m-%d}"
    return texts("span", first=f"{petition.day:%m-%d}", last=f"{petition.until:%m-%d}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What somebody decides on a petition.

    Args:
        number: the petition's number.
        approved: yes or no.
        what: what the command is for; None for a press.
        note: why, in words.
    """

    number: int
    approved: bool
    what: What | None = None
    note: str = ""


async def decide(
    event: CommandGiven | ChoiceMade, member: Member, decision: Decision, view: View, tools: Tools
) -> Answer:
    """Decide a petition, and tell who decided and who asked."""
    texts, number = tools.texts, decision.number
    if not may_see(member, view):
        return [answer(event, texts("not_dispatcher"), texts("not_dispatcher"))]
    found = await book.petition(view.group_id, number)
    refusal = _refusal(found, member, decision.what)
    if found is None or refusal:
        return [answer(event, texts(refusal, id=number), texts("neutral"))]
    if not await book.decide(number, approved=decision.approved, by=event.account, at=tools.clock.now()):
        return [answer(event, texts("petition_done", id=number), texts("neutral"))]
    if decision.approved:
        await _apply(found, view, tools)
    return _told(event, found, decision, view, tools)


def _refusal(petition: Petition | None, member: Member, what: What | None) -> str:
    if petition is None or (what is not None and petition.what is not what):
        return "petition_none"
    if petition.status != "open":
        return "petition_done"
    return "petition_own" if petition.person_id == member.person_id else ""


async def _apply(petition: Petition, view: View, tools: Tools) -> None:
    """Write an approved petition into its days, as far as the shift opens on them."""
    worker = worker_of(petition.account, view, tools)
    at = tools.clock.now()
    for day in _days(petition.day, petition.until):
        if worker is not None and worker.shift.hours(day, view.zone, tools.calendar) is None:
            continue
        blank = Entry(
            group_id=view.group_id,
            person_id=petition.person_id,
            account=petition.account,
            day=day,
            shift=worker.shift.name if worker else "",
        )
        await book.change(blank, _decided(petition, blank, at))


def _decided(petition: Petition, blank: Entry, at: datetime) -> Callable[[Entry | None], Entry]:
    if petition.what is What.LEAVE:
        return partial(excused, blank)
    return partial(corrected, blank, petition.place, at)


def _told(
    event: CommandGiven | ChoiceMade, petition: Petition, decision: Decision, view: View, tools: Tools
) -> Answer:
    texts = tools.texts
    values = {
        "id": petition.id,
        "what": texts(f"what_{petition.what.value}"),
        "days": span_text(petition, texts),
        "name": called(petition.person_id, names(tools), texts),
        "note": texts("because", note=decision.note) if decision.note else "",
    }
    verdict = "approved" if decision.approved else "refused"
    return [
        answer(event, texts(f"decided_{verdict}", **values), texts("neutral")),
        *privately(view, [petition.account], texts(f"told_{verdict}", **values)),
        Note(
            group_id=view.group_id,
            what=f"check-in {petition.what.value} {verdict}",
            subject=f"check_in:{petition.id}",
            actor=event.account,
        ),
    ]


def number_of(event: ChoiceMade) -> int | None:
    """Give the number of the petition a press is about, or None when it is about none."""
    tail = event.subject.removeprefix(SUBJECT)
    is_petition = event.subject.startswith(SUBJECT) and tail.isascii() and tail.isdigit()
    return int(tail) if is_petition else None
