"""The plugin's own record: what was agreed to, days, moves and petitions, in its tables."""
# pyright: reportUnknownMemberType=false
# Tortoise says `dict` where it takes the columns of a new row.

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from groupops import AccountId, GroupId, GroupOpsError, PersonId
from groupops_check_in.consent import KEPT_AFTER, Said, Word
from groupops_check_in.day import Entry, State
from groupops_check_in.models import ConsentWord, DayRow, MoveRow, PetitionRow
from groupops_check_in.settings import MAX_RETENTION_DAYS

ATTEMPTS = 8
"""How often a day is decided anew when somebody else changed it first."""


class Busy(GroupOpsError):
    """A row kept changing under our hands."""


class What(StrEnum):
    """What a petition asks for."""

    LEAVE = "leave"
    CORRECTION = "correction"


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A later check-in that set the place right; `was` and `place` are labels."""

    group_id: GroupId
    person_id: PersonId
    account: AccountId
    day: date
    was: str
    place: str
    at: datetime
    event_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Petition:
    """Leave or a correction that waits for approval, or was decided.

    Args:
        id: the number people use; 0 before it is filed.
        group_id, person_id, account: where and who.
        what: leave or correction.
        day, until: first and last day.
        place: the label a correction asks for.
        reason: why, in the person's words.
        status: `open`, `approved` or `refused`.
        asked_at: when it was filed.
        event_id: the command it came from; the same one files it once.
    """

    id: int = 0
    group_id: GroupId
    person_id: PersonId
    account: AccountId
    what: What
    day: date
    until: date
    place: str = ""
    reason: str = ""
    status: str = "open"
    asked_at: datetime
    event_id: str = ""


# — consent —


async def say(said: Said) -> None:
    """Write a line of consent."""
    await ConsentWord.create(
        group_id=said.group_id,
        person_id=said.person_id,
        account=said.account,
        word=said.word.value,
        terms=said.terms,
        purpose=said.purpose,
        at=said.at,
    )


async def last_said(group_id: GroupId, person_id: PersonId) -> Said | None:
    """Give a person's last word, deletions aside."""
    rows = ConsentWord.filter(group_id=group_id, person_id=person_id).exclude(word=Word.ERASED.value)
    row = await rows.order_by("-id").first()
    return None if row is None else _said(row)


async def all_said(group_id: GroupId) -> dict[PersonId, Said]:
    """Give everybody's last word in a group, deletions aside."""
    rows = await ConsentWord.filter(group_id=group_id).exclude(word=Word.ERASED.value).order_by("id")
    return {PersonId(row.person_id): _said(row) for row in rows}


async def said_of(person_id: PersonId) -> list[Said]:
    """Give a person's last word in every group."""
    rows = await ConsentWord.filter(person_id=person_id).exclude(word=Word.ERASED.value).order_by("id")
    return list({row.group_id: _said(row) for row in rows}.values())


def _said(row: ConsentWord) -> Said:
    return Said(
        group_id=GroupId(row.group_id),
        person_id=PersonId(row.person_id),
        account=AccountId(row.account),
        word=Word(row.word),
        terms=row.terms,
        purpose=row.purpose,
        at=row.at,
    )


# — days —


async def entry_of(group_id: GroupId, person_id: PersonId, day: date) -> Entry | None:
    """Give a person's day, or None."""
    row = await DayRow.get_or_none(group_id=group_id, person_id=person_id, day=day)
    return None if row is None else _entry(row)


async def entries(
    group_id: GroupId, first: date, last: date, person_id: PersonId | None = None
) -> list[Entry]:
    """Give the days from `first` to `last`, of everybody or of one person, in order."""
    rows = DayRow.filter(group_id=group_id, day__gte=first, day__lte=last)
    if person_id is not None:
        rows = rows.filter(person_id=person_id)
    return [_entry(row) for row in await rows.order_by("day", "id")]


async def change(blank: Entry, decide: Callable[[Entry | None], Entry]) -> tuple[Entry | None, Entry]:
    """Change a day by what it is now, again when somebody was faster; gives it before and after.

    Args:
        blank: who and which day.
        decide: from the day as it stands, or None, to the day as it shall be; may be asked more than once.

    Raises:
        Busy: the day changed `ATTEMPTS` times meanwhile.
    """
    key: dict[str, Any] = {"group_id": blank.group_id, "person_id": blank.person_id, "day": blank.day}
    for _ in range(ATTEMPTS):
        row = await DayRow.get_or_none(**key)
        before = None if row is None else _entry(row)
        after = decide(before)
        if after == before:
            return before, after
        if await _written(row, key, _columns(after)):
            return before, after
    raise Busy(f"check-in of {blank.day} changed {ATTEMPTS} times meanwhile: try again")


async def _written(row: DayRow | None, key: dict[str, Any], columns: dict[str, Any]) -> bool:
    """Write a day down, in one statement, unless somebody was faster."""
    if row is not None:
        standing = DayRow.filter(id=row.id, version=row.version)
        return bool(await standing.update(**columns, version=row.version + 1))
    return await DayRow.begun(**key, **columns)


def _columns(entry: Entry) -> dict[str, Any]:
    return {
        "account": entry.account,
        "shift": entry.shift,
        "state": entry.state.value,
        "place": entry.place,
        "means": entry.means,
        "unsure": entry.unsure,
        "at": entry.at,
        "place_at": entry.place_at,
    }


def _entry(row: DayRow) -> Entry:
    return Entry(
        group_id=GroupId(row.group_id),
        person_id=PersonId(row.person_id),
        account=AccountId(row.account),
        day=row.day,
        shift=row.shift,
        state=State(row.state),
        place=row.place,
        means=row.means,
        unsure=row.unsure,
        at=row.at,
        place_at=row.place_at,
    )


async def moved(move: Move) -> None:
    """Keep a correction by a later check-in; the same fact again is the same row."""
    await MoveRow.get_or_create(
        group_id=move.group_id,
        event_id=move.event_id,
        defaults={
            "person_id": move.person_id,
            "account": move.account,
            "day": move.day,
            "was": move.was,
            "place": move.place,
            "at": move.at,
        },
    )


async def moves(group_id: GroupId, person_id: PersonId, first: date, last: date) -> list[Move]:
    """Give a person's corrections by later check-ins, in order."""
    rows = MoveRow.filter(group_id=group_id, person_id=person_id, day__gte=first, day__lte=last)
    return [
        Move(
            group_id=GroupId(row.group_id),
            person_id=PersonId(row.person_id),
            account=AccountId(row.account),
            day=row.day,
            was=row.was,
            place=row.place,
            at=row.at,
            event_id=row.event_id,
        )
        for row in await rows.order_by("at", "id")
    ]


# — petitions —


async def file(petition: Petition) -> tuple[Petition, bool]:
    """File a petition; gives it with its number, and whether it is new."""
    row, made = await PetitionRow.get_or_create(
        group_id=petition.group_id,
        event_id=petition.event_id,
        defaults={
            "person_id": petition.person_id,
            "account": petition.account,
            "what": petition.what.value,
            "day": petition.day,
            "until": petition.until,
            "place": petition.place,
            "reason": petition.reason,
            "asked_at": petition.asked_at,
        },
    )
    return _petition(row), made


async def petition(group_id: GroupId, number: int) -> Petition | None:
    """Give a group's petition by its number."""
    row = await PetitionRow.get_or_none(id=number, group_id=group_id)
    return None if row is None else _petition(row)


async def open_petitions(group_id: GroupId, person_id: PersonId | None = None) -> list[Petition]:
    """Give what waits for approval, of everybody or of one person."""
    rows = PetitionRow.filter(group_id=group_id, status="open")
    if person_id is not None:
        rows = rows.filter(person_id=person_id)
    return [_petition(row) for row in await rows.order_by("id")]


async def decide(number: int, *, approved: bool, by: AccountId, at: datetime) -> bool:
    """Decide an open petition; gives False when somebody was faster."""
    status = "approved" if approved else "refused"
    rows = PetitionRow.filter(id=number, status="open")
    return await rows.update(status=status, decided_by=by, decided_at=at) > 0


def _petition(row: PetitionRow) -> Petition:
    return Petition(
        id=row.id,
        group_id=GroupId(row.group_id),
        person_id=PersonId(row.person_id),
        account=AccountId(row.account),
        what=What(row.what),
        day=row.day,
        until=row.until,
        place=row.place,
        reason=row.reason,
        status=row.status,
        asked_at=row.asked_at,
        event_id=row.event_id,
    )


# — forgetting —


async def erase(person_id: PersonId) -> int:
    """Delete a person's days, moves and petitions in every group, at once; gives how many days there were."""
    await MoveRow.filter(person_id=person_id).delete()
    await PetitionRow.filter(person_id=person_id).delete()
    return await DayRow.filter(person_id=person_id).delete()


async def erase_places(person_id: PersonId, today: date) -> int:
    """Delete a person's past days and every place in every group; that the person was there today stays.

    Gives how many days were touched.
    """
    await MoveRow.filter(person_id=person_id).delete()
    await PetitionRow.filter(person_id=person_id, what=What.CORRECTION.value).delete()
    gone = await DayRow.filter(person_id=person_id, day__lt=today).delete()
    for row in await DayRow.filter(person_id=person_id).exclude(place=""):
        emptied = {"place": "", "means": "", "unsure": False, "version": row.version + 1}
        gone += await DayRow.filter(id=row.id).update(**emptied)
    return gone


async def purge(group_id: GroupId, today: date, days: int) -> int:
    """Delete a group's days that would be older than `days` before the next night; gives how many.

    Whatever is older than the longest term goes too, of any group: one that is no longer looked after has no nights.
    """
    gone = await _forget(today - timedelta(days=days), group_id)
    return gone + await _forget(today - timedelta(days=MAX_RETENTION_DAYS))


async def purge_unattended(today: date) -> int:
    """Delete what is older than the longest term in every group; gives how many days."""
    return await _forget(today - timedelta(days=MAX_RETENTION_DAYS))


async def _forget(last: date, group_id: GroupId | None = None) -> int:
    group = {} if group_id is None else {"group_id": group_id}
    await MoveRow.filter(day__lte=last, **group).delete()
    await PetitionRow.filter(until__lte=last, **group).delete()
    return await DayRow.filter(day__lte=last, **group).delete()


async def purge_consents(now: datetime) -> int:
    """Delete the log of whoever's consent ended, or was never given, longer ago than `KEPT_AFTER`."""
    latest: dict[tuple[str, int], ConsentWord] = {}
    for row in await ConsentWord.exclude(word=Word.ERASED.value).order_by("id"):
        latest[row.group_id, row.person_id] = row
    gone = 0
    for (group_id, person_id), row in latest.items():
        if row.word != Word.AGREED.value and row.at < now - KEPT_AFTER:
            gone += await ConsentWord.filter(group_id=group_id, person_id=person_id).delete()
    return gone


# — persons —


async def merged(former: Sequence[PersonId], into: PersonId) -> None:
    """Have everything of former persons be one person's; of two entries of a day the earlier check-in stays."""
    for model in (ConsentWord, MoveRow, PetitionRow):
        await model.filter(person_id__in=former).update(person_id=into)
    await _hand_over(await DayRow.filter(person_id__in=former), into)


async def parted(person_id: PersonId, accounts: Sequence[AccountId], to: PersonId) -> None:
    """Have what came from some accounts of a person be another's."""
    for model in (ConsentWord, MoveRow, PetitionRow):
        await model.filter(person_id=person_id, account__in=accounts).update(person_id=to)
    await _hand_over(await DayRow.filter(person_id=person_id, account__in=accounts), to)


async def _hand_over(rows: Sequence[DayRow], to: PersonId) -> None:
    for row in rows:
        mine = await DayRow.get_or_none(group_id=row.group_id, person_id=to, day=row.day)
        if mine is None:
            await DayRow.filter(id=row.id).update(person_id=to)
            continue
        if _sooner(_entry(row), _entry(mine)):
            await DayRow.filter(id=mine.id).update(**_columns(_entry(row)), version=mine.version + 1)
        await DayRow.filter(id=row.id).delete()


def _sooner(one: Entry, other: Entry) -> bool:
    return one.at is not None and (other.at is None or one.at < other.at)
