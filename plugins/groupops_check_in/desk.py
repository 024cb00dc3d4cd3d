"""The operator's shell: `groupops check-in board` and `groupops check-in sites`."""

from itertools import combinations
from pathlib import Path
from typing import Annotated

import typer

from groupops import AtDesk, ConfigError, Desk, GroupId, Note, Texts
from groupops_check_in.board import week_text
from groupops_check_in.dates import NoDay, read_week
from groupops_check_in.fences import Circle, Polygon, Site, nearest, place
from groupops_check_in.lists import load_week
from groupops_check_in.picture import draw
from groupops_check_in.places import ERROR_M, SYSTEMS, NoPlace, Point, candidates
from groupops_check_in.settings import CheckIn, SiteTable
from groupops_check_in.sheet import table
from groupops_check_in.view import View, view_of

PLUGIN = "check_in"


def commands(desk: Desk) -> typer.Typer:
    """Make the commands that stand on a desk."""
    app = typer.Typer(no_args_is_help=True)

    @app.command()
    def board(  # pyright: ignore[reportUnusedFunction]
        group: Annotated[str, typer.Option("--group", help="群,写“平台:群号”")],
        week: Annotated[str, typer.Option("--week", help="周:本周、上周、2025-W10,或其中一天")] = "",
        png: Annotated[Path | None, typer.Option("--png", help="把图片写到这个文件")] = None,
        xlsx: Annotated[Path | None, typer.Option("--xlsx", help="把表格写到这个文件")] = None,
    ) -> None:
        """一周的打卡周报:文字,并可写成图片和表格;查看会留下记录。"""  # noqa: D415 - it is help in Chinese
        desk.now(_board(desk, GroupId(group), week, png, xlsx))

    @app.command()
    def sites(  # pyright: ignore[reportUnusedFunction]
        group: Annotated[str, typer.Option("--group", help="群,写“平台:群号”")],
        at: Annotated[str, typer.Option("--at", help="试一个坐标:经度,纬度")] = "",
        crs: Annotated[str, typer.Option("--crs", help="坐标系:gcj02、wgs84、bd09 或 unknown")] = "unknown",
    ) -> None:
        """检查站点:形状、换算误差、重叠;可试一个坐标会被认作哪里。"""  # noqa: D415 - it is help in Chinese
        desk.now(_sites(desk, GroupId(group), at, crs))

    return app


async def _board(desk: Desk, group: GroupId, week: str, png: Path | None, xlsx: Path | None) -> None:
    async with desk.open() as at:
        view = _view(at, group)
        try:
            monday = read_week(week, view.today(at.tools.clock.now()))
        except NoDay:
            raise ConfigError(f"--week {week!r}: expected 本周, 上周, 2025-W10 or a day in it") from None
        found = await load_week(monday, view, at.tools)
        await at.do(
            group, [Note(group_id=group, what="check-in board looked at", subject=f"check_in:{monday}")]
        )
        texts = at.tools.texts
        desk.say(week_text(found, texts))
        if png is not None:
            _save(desk, png, draw(found, texts, view.settings.font), texts)
        if xlsx is not None:
            _save(desk, xlsx, table(found, texts), texts)


def _save(desk: Desk, path: Path, data: bytes, texts: Texts) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written: {error.strerror}; name a file in a folder that is there"
        ) from None
    desk.say(texts("desk_written", path=path))


def _view(at: AtDesk, group_id: GroupId) -> View:
    policy = at.policy(group_id)
    settings = policy.settings.get(PLUGIN)
    if not isinstance(settings, CheckIn):
        raise ConfigError(f"group {group_id!r}: check_in is not enabled by any of its packs")
    group = next(one for one in at.groups() if one.id == group_id)
    return view_of(group, settings, policy)


# — sites —


async def _sites(desk: Desk, group_id: GroupId, at_text: str, crs: str) -> None:
    async with desk.open() as at:
        view, texts = _view(at, group_id), at.tools.texts
        if not view.sites:
            desk.say(texts("desk_no_sites", group=group_id))
        for written in view.settings.sites:
            desk.say(_site_line(written, texts))
        for one, other in combinations(view.sites, 2):
            if _overlap(one, other):
                desk.say(texts("desk_overlap", one=one.label, other=other.label))
        if at_text:
            for line in _tried(at_text, crs, view, texts):
                desk.say(line)


def _site_line(one: SiteTable, texts: Texts) -> str:
    fence = one.site.fence
    shape = (
        texts("desk_circle", radius=f"{fence.radius_m:g}")
        if isinstance(fence, Circle)
        else texts("desk_polygon", corners=len(fence.corners))
    )
    return texts(
        "desk_site",
        label=one.label,
        shape=shape,
        crs=one.crs,
        error=f"{ERROR_M[one.crs]:g}",
        city=texts("desk_city", city=one.city) if one.city else "",
        also=texts("desk_also", also="、".join(one.also)) if one.also else "",
    )


def _overlap(one: Site, other: Site) -> bool:
    """Say whether two sites surely share ground: a centre or a corner of one lies in the other, or circles meet."""
    pairs = ((one.fence, other.fence), (other.fence, one.fence))
    return any(_reaches(fence) >= to.beyond_m(point) for fence, to in pairs for point in _marks(fence))


def _marks(fence: Circle | Polygon) -> tuple[Point, ...]:
    return (fence.centre,) if isinstance(fence, Circle) else fence.corners


def _reaches(fence: Circle | Polygon) -> float:
    return fence.radius_m if isinstance(fence, Circle) else 0.0


def _tried(text: str, crs: str, view: View, texts: Texts) -> list[str]:
    """Say what a point would be taken for: in its system, or in each of them."""
    try:
        lon, lat = (float(part) for part in text.replace(",", ",").split(","))
        systems = [one for one in SYSTEMS if one == crs] or list(SYSTEMS)
        points = candidates(lat, lon, crs)
    except (ValueError, NoPlace):
        raise ConfigError(
            f"--at {text!r}: expected longitude,latitude in degrees, as in 116.39,39.90"
        ) from None
    lines: list[str] = []
    for system, point in zip(systems, points, strict=True):
        found = nearest(point, view.sites)
        if found is None:
            continue
        site, beyond = found
        key = "desk_inside" if beyond <= 0 else "desk_outside"
        label = place(lat, lon, system, view.sites, view.settings.precision, view.settings.city_m).label
        lines.append(
            texts(
                "desk_place",
                crs=system,
                label=label or texts("nowhere"),
                nearest=site.label,
                away=texts(key, metres=f"{abs(beyond):.0f}"),
            )
        )
    return lines
