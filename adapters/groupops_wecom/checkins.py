"""Check-ins of the office application (打卡): asked for in the shares the platform takes, for it tells of none itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from groupops_wecom.budget import Claim
from groupops_wecom.lenient import number, tables, text, whole, word, words
from groupops_wecom.qyapi import QyApi

USERS_AT_ONCE = 100
LONGEST_SPAN = 30 * 24 * 3600
"""Seconds of one question."""

EVERYTHING = 3
"""On duty, off duty and outside."""

SCALE = 1_000_000
"""Latitude and longitude come as whole numbers, so many to a degree."""

MOST_DEGREES_NORTH, MOST_DEGREES_EAST = 90, 180


class CheckInKind(StrEnum):
    """What a check-in is for, as the platform writes it."""

    ON_DUTY = "上班打卡"
    OFF_DUTY = "下班打卡"
    OUTSIDE = "外出打卡"
    OTHER = ""


class Oddity(StrEnum):
    """What is not in order about a check-in, as the platform writes it."""

    TIME = "时间异常"
    PLACE = "地点异常"
    MISSING = "未打卡"
    WIFI = "wifi异常"
    DEVICE = "非常用设备"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckIn:
    """One line of the office application.

    Args:
        userid: who.
        kind: what for.
        at: when, seconds since the epoch; 0 where it is missing.
        due: when it was due, seconds since the epoch; 0 where it is not told.
        oddities: what is not in order; what is not known stands as the platform writes it.
        latitude: degrees, GCJ-02; None without a place.
        longitude: degrees, GCJ-02; None without a place.
        title: name of the place.
        detail: address of the place.
        group: name of the rule it counts for.
        group_id: number of the rule.
        wifi: name of the WiFi.
        device: id of the device.
        notes: what was written along.
        media: ids of pictures that were taken along.
    """

    userid: str
    kind: CheckInKind
    at: float
    due: float = 0
    oddities: tuple[Oddity | str, ...] = ()
    latitude: float | None = None
    longitude: float | None = None
    title: str = ""
    detail: str = ""
    group: str = ""
    group_id: int | None = None
    wifi: str = ""
    device: str = ""
    notes: str = ""
    media: tuple[str, ...] = ()

    @property
    def in_order(self) -> bool:
        """Whether nothing is odd about it."""
        return not self.oddities

    @property
    def happened(self) -> bool:
        """Whether somebody checked in at all: the platform has a line for one who did not."""
        return Oddity.MISSING not in self.oddities


class CheckIns:
    """Asks for check-ins.

    Args:
        api: the enterprise's interfaces; the app must be among those that may (可调用接口的应用).
    """

    def __init__(self, api: QyApi) -> None:
        self._api = api

    async def between(
        self, users: Sequence[str], since: float, until: float, kind: int = EVERYTHING
    ) -> AsyncIterator[CheckIn]:
        """Give check-ins, share by share: a hundred people and thirty days at a time.

        Args:
            users: user ids.
            since: first moment, seconds since the epoch.
            until: last moment, seconds since the epoch.
            kind: 1 on and off duty, 2 outside, 3 everything.

        Raises:
            ActionFailed: the platform refused (301021 to 301024, 48002).
            Throttled: more than 600 questions a minute.
            NetworkError: it cannot be reached; asked again, the same are given.
        """
        for start, end in spans(since, until):
            for share in shares(users):
                body = {"opencheckindatatype": kind, "starttime": start, "endtime": end, "useridlist": share}
                claims = (Claim("checkin", self._api.corp_id),)
                answer = await self._api.call("checkin/getcheckindata", body, claims=claims)
                for row in tables(answer.get("checkindata")):
                    if found := read(row):
                        yield found


def spans(since: float, until: float) -> Iterator[tuple[int, int]]:
    """Cut a time into spans of at most thirty days, in whole seconds; they do not overlap."""
    start, last = int(since), int(until)
    while start <= last:
        end = min(start + LONGEST_SPAN - 1, last)
        yield start, end
        start = end + 1


def shares(users: Sequence[str]) -> Iterator[list[str]]:
    """Cut users into shares of at most a hundred, each once."""
    everybody = list(dict.fromkeys(users))
    for first in range(0, len(everybody), USERS_AT_ONCE):
        yield everybody[first : first + USERS_AT_ONCE]


def read(row: Mapping[str, Any]) -> CheckIn | None:
    """Read a line; None for one that is nobody's."""
    userid = word(row.get("userid"))
    if not userid:
        return None
    latitude, longitude = _degrees(row.get("lat"), row.get("lng"))
    said = text(row.get("checkin_type"))
    return CheckIn(
        userid=userid,
        kind=next((kind for kind in CheckInKind if kind == said), CheckInKind.OTHER),
        at=number(row.get("checkin_time")) or 0,
        due=number(row.get("sch_checkin_time")) or 0,
        oddities=oddities(text(row.get("exception_type"))),
        latitude=latitude,
        longitude=longitude,
        title=text(row.get("location_title")),
        detail=text(row.get("location_detail")),
        group=text(row.get("groupname")),
        group_id=whole(row.get("groupid")),
        wifi=text(row.get("wifiname")),
        device=word(row.get("deviceid")),
        notes=text(row.get("notes")),
        media=words(row.get("mediaids")),
    )


def oddities(said: str) -> tuple[Oddity | str, ...]:
    """Read what is not in order: words joined by `;`."""
    parts = [part.strip() for part in said.replace("；", ";").split(";") if part.strip()]
    return tuple(next((one for one in Oddity if one == part), part) for part in dict.fromkeys(parts))


def _degrees(lat: Any, lng: Any) -> tuple[float | None, float | None]:
    """Give a place; both are 0 where there is none, such as for a check-in by WiFi."""
    north, east = number(lat), number(lng)
    if north is None or east is None or (north == 0 and east == 0):
        return None, None
    if abs(north) > MOST_DEGREES_NORTH * SCALE or abs(east) > MOST_DEGREES_EAST * SCALE:
        return None, None
    return north / SCALE, east / SCALE
