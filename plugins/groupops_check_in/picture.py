"""The week's board as a picture: counts, a calendar of persons and days, and when people check in."""

import functools
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any

from groupops import Texts
from groupops_check_in.board import ORDER, Bar, Line, Week, mark, weekday
from groupops_check_in.day import Entry, State
from groupops_check_in.fonts import Face, NoFont, faces

WIDTH = 1080
"""Width of the picture in pixels; it is drawn twice as large and made smaller, which smooths corners."""

ROWS = 40
"""Persons shown; the table has all of them."""

_SCALE = 2
_EDGE = 28
_PAD = 26
_HEAD = 118
_TILES = 104
_ROW = 44
_BARS = 230
_NAME = 190
_LONG_NAME, _LONG_TITLE = 9, 24

_PAGE, _CARD, _RIM = "#f4f6f8", "#ffffff", "#e2e8f0"
_INK, _SOFT, _FAINT, _RING = "#0f172a", "#64748b", "#cbd5e1", "#4f46e5"
_REST, _EMPTY = "#e5e7eb", "#f8fafc"
_FILL: Mapping[State, str] = MappingProxyType(
    {
        State.ON_TIME: "#0f766e",
        State.LATE: "#f97316",
        State.MISSING: "#dc2626",
        State.EXCUSED: "#94a3b8",
        State.CORRECTED: "#2563eb",
    }
)
"""What each state is coloured in: the board's teal and orange, told apart without colour by their marks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pen:
    """Draws in the picture's own pixels, twice as large underneath."""

    on: Any
    font_of: Callable[[Face, int], Any]
    regular: Face
    bold: Face

    def box(self, x: float, y: float, width: float, height: float, fill: str, **more: Any) -> None:
        """Draw a box with round corners; `rim` is its outline, `round_` the radius of its corners."""
        radius = min(more.get("round_", 8), width / 2, height / 2)
        self.on.rounded_rectangle(
            [x * _SCALE, y * _SCALE, (x + width) * _SCALE - 1, (y + height) * _SCALE - 1],
            radius * _SCALE,
            fill=fill,
            outline=more.get("rim"),
            width=more.get("thick", 1) * _SCALE,
        )

    def write(self, x: float, y: float, text: str, size: int, fill: str = _INK, **more: Any) -> None:
        """Write a text; `anchor` is Pillow's, `bold` makes it so."""
        font = self.font_of(self.bold if more.get("bold") else self.regular, size * _SCALE)
        shown = "".join(sign for sign in text if sign.isprintable())
        self.on.text((x * _SCALE, y * _SCALE), shown, font=font, fill=fill, anchor=more.get("anchor", "la"))

    def line(self, x: float, y: float, to_x: float, to_y: float, fill: str) -> None:
        """Draw a thin line."""
        self.on.line([x * _SCALE, y * _SCALE, to_x * _SCALE, to_y * _SCALE], fill=fill, width=_SCALE)


def draw(week: Week, texts: Texts, font: str = "") -> bytes:
    """Draw a week's board.

    Args:
        week: what is shown.
        texts: the plugin's texts.
        font: a font file with Chinese characters; empty asks fontconfig.

    Returns:
        A PNG, `WIDTH` pixels wide.

    Raises:
        NoFont: there is no such font, or it cannot be read.
    """
    from PIL import Image, ImageDraw

    lines = week.lines[:ROWS]
    height = _height(len(lines), more=len(week.lines) > ROWS)
    image: Any = Image.new("RGB", (WIDTH * _SCALE, height * _SCALE), _PAGE)
    pen = _pen(ImageDraw.Draw(image), font)
    _head(pen, week, texts)
    _tiles(pen, week, texts)
    top = _calendar(pen, lines, week, texts)
    _bars(pen, top, week, texts)
    made = io.BytesIO()
    # Packed hardest it is a twelfth smaller and takes twice as long.
    image.reduce(_SCALE).save(made, "PNG", compress_level=1)
    return made.getvalue()


def _pen(on: Any, path: str) -> _Pen:

    from PIL import ImageFont

    regular, bold = faces(path)

    @functools.cache
    def font_of(face: Face, size: int) -> Any:
        try:
            return ImageFont.truetype(face.path, size, index=face.index, layout_engine=ImageFont.Layout.BASIC)
        except OSError:
            raise NoFont(f"font {face.path!r} cannot be read: set another file in check_in.font") from None

    return _Pen(on=on, font_of=font_of, regular=regular, bold=bold)


def _height(rows: int, *, more: bool) -> int:
    return _HEAD + _TILES + _calendar_height(rows, more=more) + _EDGE + _BARS + _EDGE


def _calendar_height(rows: int, *, more: bool) -> int:
    return _PAD * 2 + 60 + rows * _ROW + (30 if more else 0) + 34


# — head and counts —


def _head(pen: _Pen, week: Week, texts: Texts) -> None:
    title = texts("picture_title", title=_short(week.title, _LONG_TITLE))
    pen.write(_EDGE, _EDGE, title, 32, bold=True)
    span = texts("picture_span", first=f"{week.days[0]:%Y-%m-%d}", last=f"{week.days[-1]:%m-%d}")
    pen.write(_EDGE, _EDGE + 50, span, 18, _SOFT)


def _tiles(pen: _Pen, week: Week, texts: Texts) -> None:
    tally = week.tally()
    shown = [(texts("picture_all"), sum(tally.values()), _INK)]
    shown += [(texts(f"state_{one.value}"), tally[one], _FILL[one]) for one in ORDER]
    gap = 14
    width = (WIDTH - 2 * _EDGE - gap * (len(shown) - 1)) / len(shown)
    for number, (name, count, colour) in enumerate(shown):
        x = _EDGE + number * (width + gap)
        pen.box(x, _HEAD, width, _TILES - 20, _CARD, rim=_RIM, round_=12)
        pen.box(x + 16, _HEAD + 18, 5, 48, colour, round_=3)
        pen.write(x + 34, _HEAD + 14, name, 16, _SOFT)
        pen.write(x + 34, _HEAD + 36, str(count), 28, bold=True)


# — persons and days —


def _calendar(pen: _Pen, lines: Sequence[Line], week: Week, texts: Texts) -> float:
    """Draw the calendar; gives where it ends."""
    top = _HEAD + _TILES
    more = len(week.lines) > len(lines)
    height = _calendar_height(len(lines), more=more)
    pen.box(_EDGE, top, WIDTH - 2 * _EDGE, height, _CARD, rim=_RIM, round_=14)
    left = _EDGE + _PAD + _NAME
    step = (WIDTH - _EDGE - _PAD - left) / len(week.days)
    _dates(pen, top + _PAD, left, step, week, texts)
    y = top + _PAD + 60.0
    for line in lines:
        _row(pen, y, (left, step), line, week, texts)
        y += _ROW
    if more:
        rest = texts("picture_more", count=len(week.lines) - len(lines))
        pen.write(_EDGE + _PAD, y + 4, rest, 15, _SOFT)
        y += 30
    _legend(pen, y + 16, week, texts)
    return top + height + _EDGE


def _dates(pen: _Pen, y: float, left: float, step: float, week: Week, texts: Texts) -> None:
    for number, day in enumerate(week.days):
        middle = left + (number + 0.5) * step
        colour = _FAINT if day in week.rest else _INK
        pen.write(middle, y, texts("picture_weekday", weekday=weekday(day, texts)), 17, colour, anchor="ma")
        pen.write(middle, y + 25, f"{day:%m-%d}", 14, _SOFT, anchor="ma")


def _row(pen: _Pen, y: float, columns: tuple[float, float], line: Line, week: Week, texts: Texts) -> None:
    (left, step), middle = columns, y + _ROW / 2
    pen.write(_EDGE + _PAD, middle, _short(line.name, _LONG_NAME), 18, anchor="lm")
    for number, day in enumerate(week.days):
        x = left + number * step + 4
        _cell(pen, (x, y + 4, step - 8, _ROW - 8), day, line.days.get(day), week, texts)


def _short(name: str, longest: int) -> str:
    return name if len(name) <= longest else f"{name[:longest]}…"


def _cell(
    pen: _Pen,
    box: tuple[float, float, float, float],
    day: date,
    entry: Entry | None,
    week: Week,
    texts: Texts,
) -> None:
    x, y, width, height = box
    ring = {"rim": _RING, "thick": 2} if day in week.made_up else {}
    if entry is None:
        pen.box(x, y, width, height, _REST if day in week.rest else _EMPTY, **ring)
        return
    pen.box(x, y, width, height, _FILL[entry.state], **ring)
    shown = week.clock(entry.at) if entry.at else mark(entry, texts)
    pen.write(x + width / 2, y + height / 2, shown, 17, "#ffffff", anchor="mm", bold=True)


def _legend(pen: _Pen, y: float, week: Week, texts: Texts) -> None:
    x: float = _EDGE + _PAD
    for state in ORDER:
        pen.box(x, y + 3, 14, 14, _FILL[state], round_=4)
        pen.write(x + 20, y, texts(f"state_{state.value}"), 14, _SOFT)
        x += 86
    pen.box(x, y + 3, 14, 14, _REST, round_=4)
    pen.write(x + 20, y, texts("picture_rest"), 14, _SOFT)
    if week.made_up:
        pen.box(x + 76, y + 3, 14, 14, _CARD, round_=4, rim=_RING, thick=2)
        pen.write(x + 98, y, texts("picture_made_up"), 14, _SOFT)


# — when —


def _bars(pen: _Pen, top: float, week: Week, texts: Texts) -> None:
    pen.box(_EDGE, top, WIDTH - 2 * _EDGE, _BARS, _CARD, rim=_RIM, round_=14)
    pen.write(_EDGE + _PAD, top + 18, texts("picture_when"), 18, bold=True)
    bars = week.bars()
    if not bars:
        pen.write(WIDTH / 2, top + _BARS / 2, texts("picture_none"), 16, _SOFT, anchor="mm")
        return
    left, right = _EDGE + _PAD, WIDTH - _EDGE - _PAD
    base, room = top + _BARS - 44, _BARS - 134.0
    pen.line(left, base, right, base, _FAINT)
    step = min(110.0, (right - left) / len(bars))
    most = max(bar.count for bar in bars)
    every = max(1, -(-60 // int(step)))
    for number, bar in enumerate(bars):
        _bar(pen, left + number * step, base, step, room * bar.count / most, bar)
        if number % every == 0:
            pen.write(left + (number + 0.5) * step, base + 10, bar.clock, 14, _SOFT, anchor="ma")


def _bar(pen: _Pen, x: float, base: float, step: float, height: float, bar: Bar) -> None:
    if bar.count == 0:
        return
    width = step * 0.7
    colour = _FILL[State.LATE if bar.late else State.ON_TIME]
    pen.box(x + (step - width) / 2, base - max(height, 4), width, max(height, 4), colour, round_=6)
    pen.write(x + step / 2, base - max(height, 4) - 8, str(bar.count), 14, anchor="md")
