"""What WeCom's own check-in (OA 打卡) has, as facts: asked for by name, kept as little as it must be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from groupops import CheckedInElsewhere, Location, ReadCheckIns
from groupops_wecom.checkins import CheckIn, CheckInKind, CheckIns, Oddity
from groupops_wecom.qyapi import QyApi
from groupops_wecom.rooms import NAME, account

SOURCE = "oa"
"""Who saw it: the company's attendance."""

LONGEST_LABEL = 100
"""Characters of a place's name that are told."""

LONGEST_ODDITY = 40

ODDITIES: Mapping[Oddity | str, str] = MappingProxyType(
    {Oddity.TIME: "time", Oddity.PLACE: "place", Oddity.WIFI: "place", Oddity.DEVICE: "device"}
)
"""What the attendance finds odd, in the core's words."""


async def pull(api: QyApi, action: ReadCheckIns, *, now: datetime) -> tuple[CheckedInElsewhere, ...]:
    """Ask for check-ins and give them as facts, oldest first.

    Raises:
        ActionFailed, NetworkError: as `QyApi.call`; nothing is given then, and asking again gives the same facts.
    """
    userids = userids_of(action)
    if not userids:
        return ()
    since, until = action.since.timestamp(), max(action.until.timestamp(), action.since.timestamp() + 1)
    found = [line async for line in CheckIns(api).between(userids, since, until)]
    return facts(found, action, now=now)


def userids_of(action: ReadCheckIns) -> list[str]:
    """Give whom is asked about, in order; accounts of another platform are left out."""
    prefix = f"{NAME}:"
    return sorted({one.removeprefix(prefix) for one in action.accounts if one.startswith(prefix)})


def facts(lines: Iterable[CheckIn], action: ReadCheckIns, *, now: datetime) -> tuple[CheckedInElsewhere, ...]:
    """Give the facts of lines; who was not asked for, and what is no check-in, is left out.

    A line has the same fact however often it is told.
    """
    made = {fact.id: fact for line in lines if (fact := _fact(line, action, now)) is not None}
    return tuple(sorted(made.values(), key=lambda fact: (fact.at, fact.id)))


def _fact(line: CheckIn, action: ReadCheckIns, now: datetime) -> CheckedInElsewhere | None:
    """Give the fact of a line; whoever goes home does not say where a day begins."""
    at = _moment(line.at)
    if at is None or not action.since <= at <= action.until or account(line.userid) not in action.accounts:
        return None
    if not line.happened or line.kind is CheckInKind.OFF_DUTY:
        return None
    return CheckedInElsewhere(
        id=f"{NAME}:oa:{action.group_id}:{line.userid}:{int(at.timestamp())}",
        at=at,
        group_id=action.group_id,
        source=SOURCE,
        received_at=now,
        account=account(line.userid),
        location=_place(line),
        label=line.title.strip()[:LONGEST_LABEL],
        odd=tuple(sorted({ODDITIES.get(one, one[:LONGEST_ODDITY]) for one in line.oddities})),
    )


def _moment(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else None
    except (OverflowError, OSError, ValueError):
        return None


def _place(line: CheckIn) -> Location | None:
    if line.latitude is None or line.longitude is None:
        return None
    return Location(latitude=line.latitude, longitude=line.longitude, crs="gcj02")
