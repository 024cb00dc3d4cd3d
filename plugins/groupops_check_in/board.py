"""What the dispatcher is shown: a day's list and a week's board, as values and as text. Nobody is ranked."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from groupops import Person, PersonId, Texts
from groupops_check_in.day import Entry, State
from groupops_check_in.view import View

ORDER = (State.ON_TIME, State.LATE, State.MISSING, State.EXCUSED, State.CORRECTED)
"""The order in which states are shown."""

BIN = timedelta(minutes=10)
"""The width of a bar in the picture of when people check in."""

_WEEK = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Roll:
    """One day of one shift; an empty name is the only shift there is, or all of them."""

    day: date
    shift: str
    entries: tuple[Entry, ...]


def roll_text(roll: Roll, view: View, people: Mapping[PersonId, Person], texts: Texts) -> str:
    """Write a day's list: who was on time, late, missing, excused, where."""
    head = texts(
        "roll_head",
        day=f"{roll.day:%Y-%m-%d}",
        shift=texts("roll_shift", name=roll.shift) if roll.shift else "",
        counts=counts_text(roll.entries, texts),
    )
    return "\n".join((head, *_groups(roll.entries, view, people, texts)))


def counts_text(entries: Iterable[Entry], texts: Texts) -> str:
    """Write how many there are of each state, and of all."""
    tally = Counter(entry.state for entry in entries)
    parts = [
        texts("count", state=texts(f"state_{one.value}"), count=tally[one]) for one in ORDER if tally[one]
    ]
    return "、".join((texts("count_all", count=tally.total()), *parts))


def _groups(
    entries: Iterable[Entry], view: View, people: Mapping[PersonId, Person], texts: Texts
) -> list[str]:
    lines: list[str] = []
    for state in ORDER:
        named = [entry for entry in entries if entry.state is state]
        if named:
            shown = ";".join(_shown(entry, view, people, texts) for entry in _by_name(named, people))
            lines.append(texts("roll_line", state=texts(f"state_{state.value}"), people=shown))
    return lines


def _by_name(entries: Iterable[Entry], people: Mapping[PersonId, Person]) -> list[Entry]:
    return sorted(entries, key=lambda entry: name_key(people.get(entry.person_id), entry.person_id))


def name_key(person: Person | None, person_id: PersonId) -> tuple[str, str, int]:
    """Give by what people are put in order: department, name, number."""
    return (person.department, person.name, person_id) if person else ("", "", person_id)


def called(person_id: PersonId, people: Mapping[PersonId, Person], texts: Texts) -> str:
    """Give a person's name as lists show it."""
    person = people.get(person_id)
    return person.name if person and person.name else texts("unnamed", id=person_id)


def _shown(entry: Entry, view: View, people: Mapping[PersonId, Person], texts: Texts) -> str:
    parts = [called(entry.person_id, people, texts)]
    if entry.at is not None:
        parts.append(view.clock(entry.at))
    if entry.at is not None or entry.place:
        parts.append(entry.place or texts("nowhere"))
    if entry.unsure:
        parts.append(texts("unsure_mark"))
    return " ".join(parts)


# — a week —


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One person's week: date → entry."""

    name: str
    department: str
    days: Mapping[date, Entry]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """How many checked in from a time of day on, for `BIN`; `late` when that is after the due moment."""

    clock: str
    count: int
    late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """A group's week.

    Args:
        title: the group's name.
        days: its seven dates.
        rest: those among them that are not worked.
        made_up: worked days of a weekend.
        lines: persons by department and name.
        zone: the timezone moments are shown in.
        kept_days: how long days are kept; an earlier day of the week may be gone.
    """

    title: str
    days: tuple[date, ...]
    rest: frozenset[date]
    made_up: frozenset[date]
    lines: tuple[Line, ...]
    zone: ZoneInfo
    kept_days: int

    @property
    def entries(self) -> list[Entry]:
        """All days of all persons."""
        return [entry for line in self.lines for entry in line.days.values()]

    def tally(self, day: date | None = None) -> Counter[State]:
        """Count the states of a day, or of the week."""
        return Counter(entry.state for entry in self.entries if day is None or entry.day == day)

    def clock(self, moment: datetime) -> str:
        """Show a moment by the group's clocks."""
        return f"{moment.astimezone(self.zone):%H:%M}"

    def bars(self) -> tuple[Bar, ...]:
        """Give when people checked in, without gaps between the first and the last."""
        found = Counter(
            (self._bin(entry.at), entry.state is State.LATE) for entry in self.entries if entry.at is not None
        )
        if not found:
            return ()
        starts = [start for start, _ in found]
        return tuple(
            Bar(clock=f"{start // 60:02}:{start % 60:02}", count=found[start, late], late=late)
            for start in range(min(starts), max(starts) + 1, _BIN_MIN)
            for late in (False, True)
            if found[start, late] or (not late and not found[start, True])
        )

    def _bin(self, moment: datetime) -> int:
        local = moment.astimezone(self.zone)
        return (local.hour * 60 + local.minute) // _BIN_MIN * _BIN_MIN


_BIN_MIN = int(BIN.total_seconds() // 60)


def week_of(
    monday: date,
    entries: Iterable[Entry],
    view: View,
    people: Mapping[PersonId, Person],
    worked: Mapping[date, bool],
    texts: Texts,
) -> Week:
    """Put a week together.

    Args:
        monday: its first date.
        entries: the days that are kept of it.
        view: the group.
        people: the register by number.
        worked: date → whether it is a working day.
        texts: the plugin's texts.
    """
    of: dict[PersonId, dict[date, Entry]] = {}
    for entry in entries:
        of.setdefault(entry.person_id, {})[entry.day] = entry
    days = tuple(monday + timedelta(days=number) for number in range(_WEEK))
    return Week(
        title=view.name,
        days=days,
        rest=frozenset(day for day in days if not worked[day]),
        made_up=frozenset(day for day in days if worked[day] and day.weekday() >= _SATURDAY),
        lines=tuple(
            Line(
                name=called(person_id, people, texts),
                department=people[person_id].department if person_id in people else "",
                days=of[person_id],
            )
            for person_id in sorted(of, key=lambda one: name_key(people.get(one), one))
        ),
        zone=view.zone,
        kept_days=view.settings.retention_days,
    )


_SATURDAY = 5


def week_text(week: Week, texts: Texts) -> str:
    """Write a week as text: a line for each day, and one for each person."""
    head = texts(
        "week_head",
        title=week.title,
        first=f"{week.days[0]:%m-%d}",
        last=f"{week.days[-1]:%m-%d}",
        counts=counts_text(week.entries, texts),
    )
    if not week.lines:
        return f"{head}\n{texts('week_empty', days=week.kept_days)}"
    days = [_day_line(week, day, texts) for day in week.days if week.tally(day)]
    return "\n".join((head, *days, *(_person_line(line, week, texts) for line in week.lines)))


def _day_line(week: Week, day: date, texts: Texts) -> str:
    counts = counts_text((entry for entry in week.entries if entry.day == day), texts)
    return texts("week_day", day=f"{day:%m-%d}", weekday=weekday(day, texts), counts=counts)


def _person_line(line: Line, week: Week, texts: Texts) -> str:
    marks = " ".join(
        texts("week_mark", weekday=weekday(day, texts), mark=mark(line.days[day], texts))
        for day in week.days
        if day in line.days
    )
    return texts("week_person", name=line.name, marks=marks)


def weekday(day: date, texts: Texts) -> str:
    """Give the one character a weekday is shown by."""
    return texts("weekdays")[day.weekday()]


def mark(entry: Entry, texts: Texts) -> str:
    """Give the short mark of a state."""
    return texts(f"mark_{entry.state.value}")
