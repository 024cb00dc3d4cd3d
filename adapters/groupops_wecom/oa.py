"""What WeCom's own check-in (OA 打卡) has, as facts: asked for by name, kept as little as it must be."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any, Protocol

from groupops import CheckedInElsewhere, Location, ReadCheckIns
from groupops_wecom.budget import Claim
from groupops_wecom.lenient import number, tables, text, word
from groupops_wecom.rooms import NAME, account

SOURCE = "oa"
"""Who saw it: the company's attendance."""

AT_ONCE = 100
"""User ids in one call, at most."""

SPAN = timedelta(days=30)
"""The longest span of one call."""

ALL_KINDS = 3
"""Both what is said at the office and what is said outside."""

SCALE = 1_000_000
"""Latitude and longitude come as whole numbers, so many to a degree, in GCJ-02."""

LONGEST_LABEL = 100


class Asks(Protocol):
    """What asks WeCom: `qyapi.QyApi`."""

    corp_id: str

    async def call(
        self, path: str, body: Mapping[str, Any] | None = None, *, claims: tuple[Claim, ...] = ()
    ) -> dict[str, Any]:
        """Call an interface; raises the adapter's errors."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one call asks for.

    Args:
        userids: at most `AT_ONCE`.
        start, end: seconds since the epoch, both included, at most `SPAN` apart.
    """

    userids: tuple[str, ...]
    start: int
    end: int

    @property
    def body(self) -> dict[str, Any]:
        """The body of the call."""
        return {
            "opencheckindatatype": ALL_KINDS,
            "starttime": self.start,
            "endtime": self.end,
            "useridlist": list(self.userids),
        }


def shares(action: ReadCheckIns) -> Iterator[Share]:
    """Cut what is asked into calls that WeCom takes; accounts of another platform are left out."""
    prefix = f"{NAME}:"
    userids = sorted({one.removeprefix(prefix) for one in action.accounts if one.startswith(prefix)})
    # A call wants a span longer than nothing; the second more is cut off again by `facts`.
    last = max(int(action.until.timestamp()), int(action.since.timestamp()) + 1)
    start = int(action.since.timestamp())
    while start < last:
        end = min(start + int(SPAN.total_seconds()), last)
        for at in range(0, len(userids), AT_ONCE):
            yield Share(userids=tuple(userids[at : at + AT_ONCE]), start=start, end=end)
        start = end


async def pull(api: Asks, action: ReadCheckIns, *, now: datetime) -> tuple[CheckedInElsewhere, ...]:
    """Ask for check-ins and give them as facts, oldest first.

    Raises:
        ActionFailed, NetworkError: as `QyApi.call`; nothing is given then, and asking again gives the same facts.
    """
    found: list[Mapping[str, Any]] = []
    for share in shares(action):
        answer = await api.call("checkin/getcheckindata", share.body, claims=(Claim("checkin", api.corp_id),))
        found += tables(answer.get("checkindata"))
    return facts(found, action, now=now)


def facts(
    lines: Iterable[Mapping[str, Any]], action: ReadCheckIns, *, now: datetime
) -> tuple[CheckedInElsewhere, ...]:
    """Read lines of `getcheckindata`; who was not asked for, and what is no check-in, is left out.

    A line has the same fact however often it is told.
    """
    made = {fact.id: fact for line in lines if (fact := _fact(line, action, now)) is not None}
    return tuple(sorted(made.values(), key=lambda fact: (fact.at, fact.id)))


def _fact(line: Mapping[str, Any], action: ReadCheckIns, now: datetime) -> CheckedInElsewhere | None:
    userid, kind = word(line.get("userid"), 128), text(line.get("checkin_type"))
    at = _moment(line.get("checkin_time"))
    odd = tuple(part for part in text(line.get("exception_type")).split(";") if part)
    if at is None or not action.since <= at <= action.until or account(userid) not in action.accounts:
        return None
    if kind == _words()["home"]["kind"] or _words()["none"]["exception"] in odd:
        return None
    return CheckedInElsewhere(
        id=f"{NAME}:oa:{action.group_id}:{userid}:{int(at.timestamp())}",
        at=at,
        group_id=action.group_id,
        source=SOURCE,
        received_at=now,
        account=account(userid),
        location=_place(line),
        label=text(line.get("location_title")).strip()[:LONGEST_LABEL],
        odd=tuple(sorted({_words()["odd"].get(part, part[:40]) for part in odd})),
    )


def _moment(value: Any) -> datetime | None:
    seconds = number(value)
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds is not None and seconds > 0 else None
    except (OverflowError, OSError, ValueError):
        return None


def _place(line: Mapping[str, Any]) -> Location | None:
    """Give where it was; a check-in by WiFi comes with zeros, which is nowhere."""
    lat, lng = number(line.get("lat")), number(line.get("lng"))
    if lat is None or lng is None or (lat == 0 and lng == 0):
        return None
    if abs(lat) > 90 * SCALE or abs(lng) > 180 * SCALE:
        return None
    return Location(latitude=lat / SCALE, longitude=lng / SCALE, crs="gcj02")


@cache
def _words() -> dict[str, dict[str, str]]:
    raw: dict[str, dict[str, str]] = tomllib.loads(
        resources.files("groupops_wecom").joinpath("oa.toml").read_text("utf-8")
    )
    return raw
