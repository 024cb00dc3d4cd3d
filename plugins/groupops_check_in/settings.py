"""What an operator may set about check-in; everything wrong is found here, once."""

from collections.abc import Iterable
from datetime import datetime, time
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from groupops import ConfigError, Settings, Window
from groupops_check_in.fences import REACH_M, Circle, Corner, Polygon, Precision, Site, circle, polygon
from groupops_check_in.places import Crs
from groupops_check_in.shifts import Shift

MAX_RETENTION_DAYS = 30
"""Check-ins are kept no longer, whatever anybody sets."""

MAX_SITES = 200
DAY_MINUTES = 24 * 60
MAX_CORNERS = 200

_Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]


def _each_once(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


def _clock(text: str) -> str:
    _time(text)
    return text


def _time(text: str) -> time:
    try:
        return datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007 - in the group's own zone
    except ValueError:
        raise ValueError(f"{text!r} is no time of day: expected 00:00 to 23:59, as in 08:50") from None


_Clock = Annotated[str, AfterValidator(_clock)]
_Words = Annotated[tuple[_Word, ...], AfterValidator(_each_once)]
_Clocks = Annotated[tuple[_Clock, ...], AfterValidator(_each_once)]


class SiteTable(Settings):
    """One site: a circle (`at` and `radius_m`) or a polygon."""

    label: _Word = Field(title="名称(只保存它)")
    crs: Crs = Field(default="gcj02", title="坐标系")
    at: Corner | None = Field(default=None, title="圆心:[经度, 纬度]")
    radius_m: float = Field(default=300.0, gt=0, le=REACH_M, title="半径(米)")
    polygon: tuple[Corner, ...] = Field(
        default=(), max_length=MAX_CORNERS, title="多边形顶点:[[经度, 纬度], …],沿边界依次写"
    )
    city: str = Field(default="", max_length=40, title="所在城市")
    also: _Words = Field(default=(), title="别称(文字打卡时同样认作该站点)")

    @model_validator(mode="after")
    def _can_be_drawn(self) -> Self:
        """Draw it once, so that a wrong one is found where it was written."""
        if (self.at is None) == (not self.polygon):
            raise ValueError(
                f"site {self.label!r}: give either at = [longitude, latitude] with radius_m, or polygon = [[…], …]"
            )
        try:
            _ = self.site
        except ValueError as fault:
            raise ValueError(f"site {self.label!r}: {fault}") from None
        return self

    @cached_property
    def site(self) -> Site:
        """The same as a value that can be asked about points."""
        return Site(label=self.label, fence=self._fence(), city=self.city, also=self.also)

    def _fence(self) -> Circle | Polygon:
        if self.at is None:
            return polygon(self.polygon, self.crs)
        return circle(self.at[1], self.at[0], self.radius_m, self.crs)


class ShiftTable(Settings):
    """One shift; what is not said is as the table of the plugin says."""

    name: _Word = Field(title="班次名称")
    roles: _Words = Field(min_length=1, title="上这个班的岗位")
    open: _Clock | None = Field(default=None, title="开始时刻")
    due: _Clock | None = Field(default=None, title="准时的最后时刻")
    close: _Clock | None = Field(default=None, title="结束时刻(不含)")
    days: str | None = Field(default=None, title="适用日(按开始那天算)")
    remind_at: _Clocks | None = Field(default=None, title="提醒时刻")


class CheckIn(Settings):
    """Who says where they are, when, and what is kept of it (C44)."""

    roles: _Words = Field(default=(), title="须打卡的岗位(all 为名册上所有人;空为不打卡)")
    open: _Clock = Field(default="08:30", title="开始时刻")
    due: _Clock = Field(default="09:00", title="准时的最后时刻")
    close: _Clock = Field(default="09:30", title="结束时刻(不含),此时出名单")
    days: str = Field(default="workdays", title="适用日")
    remind_at: _Clocks = Field(default=("08:50", "09:05"), title="私下提醒的时刻")
    shifts: tuple[ShiftTable, ...] = Field(default=(), title="班次(先于上面的缺省时刻)")
    methods: tuple[Literal["location", "text"], ...] = Field(
        default=("location", "text"), title="打卡方式(须含 text)"
    )
    precision: Precision = Field(
        default="site", title="保存到多细(site 站点名、city 城市、cell_0.01 约一公里的格)"
    )
    sites: tuple[SiteTable, ...] = Field(default=(), max_length=MAX_SITES, title="站点")
    city_km: float = Field(default=50.0, gt=0, le=500, title="离站点多远仍算其城市(公里,用于 city)")
    purpose: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)] = Field(
        default="了解业务同事当天上班时所在的地点,以便派工", title="目的(写进告知同意书)"
    )
    on_missing: Literal["notify_dispatcher", "record"] = Field(
        default="notify_dispatcher", title="结束时(把名单私下发给派单人、只记录)"
    )
    dispatcher_role: _Word = Field(default="dispatcher", title="派单人的岗位(没有这样的人时为管理员)")
    attendance_minutes: int = Field(
        default=0, ge=0, le=120, title="每隔几分钟向单位的考勤系统查已同意者的打卡(0 为不查)"
    )
    consent_required: bool = Field(default=True, title="须本人同意(不能关闭)")
    consent_at: _Clock = Field(default="10:00", title="征求尚未表态者同意的时刻,每人一次")
    retention_days: int = Field(default=7, ge=1, le=MAX_RETENTION_DAYS, title="打卡记录保存天数")
    purge_at: _Clock = Field(default="03:30", title="每天清理的时刻")
    board_at: _Clock | Literal[""] = Field(default="", title="自动发周报的时刻(空为不发)")
    board_days: str = Field(default="fri", title="自动发周报的日子")
    font: str = Field(default="", title="图片所用中文字体文件(空为向系统查找)")

    @model_validator(mode="after")
    def _holds(self) -> Self:
        """Whatever spans several settings."""
        if not self.consent_required:
            raise ValueError(
                "consent_required = false: where somebody is, is sensitive personal information; "
                "nobody checks in without having agreed. Leave the key out"
            )
        if "text" not in self.methods:
            raise ValueError(
                f"methods = {list(self.methods)}: expected text among them; "
                "words must be as good as a location"
            )
        self._require_labels()
        _ = (
            self.all_shifts,
            Window.parse({"start": "00:00", "end": "24:00", "days": self.board_days}, "board_days"),
        )
        return self

    def _require_labels(self) -> None:
        seen: dict[str, str] = {}
        for site in self.sites:
            for word in (site.label, *site.also):
                if seen.setdefault(word, site.label) != site.label:
                    raise ValueError(f"sites: {word!r} means both {seen[word]!r} and {site.label!r}")
        labels = [site.label for site in self.sites]
        twice = next((label for label in labels if labels.count(label) > 1), "")
        if twice:
            raise ValueError(f"sites: {twice!r} stands there twice; give each a name of its own")

    @cached_property
    def places(self) -> tuple[Site, ...]:
        """The sites as values."""
        return tuple(one.site for one in self.sites)

    @cached_property
    def all_shifts(self) -> tuple[Shift, ...]:
        """The shifts in the order in which they are asked, the table's own last."""
        named = tuple(self._shift(one) for one in self.shifts)
        own = self._shift(ShiftTable.model_construct(name="", roles=self.roles))
        return (*named, own) if self.roles else named

    def _shift(self, one: ShiftTable) -> Shift:
        reminders = self._reminders(one)
        try:
            return Shift(
                name=one.name,
                roles=frozenset(one.roles),
                opens=_time(one.open or self.open),
                due=_time(one.due or self.due),
                closes=_time(one.close or self.close),
                remind_at=tuple(_time(text) for text in reminders),
                days=one.days or self.days,
            )
        except ConfigError as fault:
            raise ValueError(str(fault)) from None

    def _reminders(self, one: ShiftTable) -> tuple[str, ...]:
        """A shift with moments of its own is not reminded at those of another."""
        if one.remind_at is not None:
            return one.remind_at
        return () if one.open or one.due or one.close else self.remind_at

    @property
    def city_m(self) -> float:
        """The reach of a city in metres."""
        return self.city_km * 1000

    @cached_property
    def openings(self) -> tuple[str, ...]:
        """When people are asked, as the clocks show it."""
        return _clocks(shift.opens for shift in self.all_shifts)

    @cached_property
    def remindings(self) -> tuple[str, ...]:
        """When people are reminded."""
        return _clocks(at for shift in self.all_shifts for at in shift.remind_at)

    @cached_property
    def closings(self) -> tuple[str, ...]:
        """When lists are made."""
        return _clocks(shift.closes for shift in self.all_shifts)

    @cached_property
    def lookings(self) -> tuple[str, ...]:
        """When the company's attendance is asked: at its pace, and a minute before anybody is reminded or listed."""
        if not self.attendance_minutes:
            return ()
        return _clocks(at for shift in self.all_shifts for at in _lookings(shift, self.attendance_minutes))


def _lookings(shift: Shift, pace: int) -> Iterable[time]:
    """Give the moments between a shift's opening and one pace after its close."""
    opens = shift.opens.hour * 60 + shift.opens.minute
    length = (shift.closes.hour * 60 + shift.closes.minute - opens) % DAY_MINUTES
    marks = {*range(pace, length, pace), length - 1, length + pace}
    marks |= {(at.hour * 60 + at.minute - opens) % DAY_MINUTES - 1 for at in shift.remind_at}
    for mark in sorted(marks):
        if mark > 0:
            hour, minute = divmod((opens + mark) % DAY_MINUTES, 60)
            yield time(hour, minute)


def _clocks(moments: Iterable[time]) -> tuple[str, ...]:
    return tuple(sorted({f"{moment:%H:%M}" for moment in moments}))
