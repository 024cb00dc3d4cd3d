"""The week's board as a table: a sheet of days, one of persons, one of every single entry."""

import io
from collections.abc import Iterable, Sequence
from typing import Any

from groupops import Texts
from groupops_check_in.board import ORDER, Week, mark, weekday
from groupops_check_in.day import Entry

Cells = Iterable[Sequence[Any]]


def table(week: Week, texts: Texts) -> bytes:
    """Give a week's board as an XLSX file. Texts stay texts: nothing in them becomes a formula or a link."""
    import xlsxwriter  # type: ignore[import-untyped]

    made = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book: Any = xlsxwriter.Workbook(made, options)
    head = book.add_format({"bold": True, "bg_color": "#0f766e", "font_color": "#ffffff", "border": 1})
    for name, titles, rows in _sheets(week, texts):
        _fill(book.add_worksheet(name), titles, rows, head)
    book.close()
    return made.getvalue()


def _fill(sheet: Any, titles: Sequence[str], rows: Cells, head: Any) -> None:
    sheet.freeze_panes(1, 0)
    widths = [len(title) for title in titles]
    sheet.write_row(0, 0, titles, head)
    for number, row in enumerate(rows, start=1):
        sheet.write_row(number, 0, row)
        widths = [max(width, len(str(cell))) for width, cell in zip(widths, row, strict=True)]
    for column, width in enumerate(widths):
        sheet.set_column(column, column, min(40, 2 + 2 * width))


def _sheets(week: Week, texts: Texts) -> list[tuple[str, Sequence[str], Cells]]:
    states = [texts(f"state_{one.value}") for one in ORDER]
    days = [f"{day:%m-%d} {weekday(day, texts)}" for day in week.days]
    column = {key: texts(f"column_{key}") for key in _COLUMNS}
    return [
        (texts("sheet_days"), [column["day"], column["all"], *states], _by_day(week)),
        (texts("sheet_persons"), [column["name"], column["department"], *days], _by_person(week, texts)),
        (texts("sheet_entries"), [column[key] for key in _COLUMNS if key != "all"], _entries(week, texts)),
    ]


_COLUMNS = ("day", "all", "name", "department", "shift", "state", "time", "place", "means")


def _by_day(week: Week) -> Cells:
    for day in week.days:
        tally = week.tally(day)
        yield [day.isoformat(), tally.total(), *(tally[one] for one in ORDER)]


def _by_person(week: Week, texts: Texts) -> Cells:
    for line in week.lines:
        marks = [mark(line.days[day], texts) if day in line.days else "" for day in week.days]
        yield [line.name, line.department, *marks]


def _entries(week: Week, texts: Texts) -> Cells:
    for line in week.lines:
        for entry in (line.days[day] for day in week.days if day in line.days):
            yield [entry.day.isoformat(), line.name, line.department, *_entry(entry, week, texts)]


def _entry(entry: Entry, week: Week, texts: Texts) -> list[str]:
    there = entry.at is not None
    unsure = texts("unsure_mark") if entry.unsure else ""
    return [
        entry.shift,
        texts(f"state_{entry.state.value}"),
        week.clock(entry.at) if entry.at else "",
        f"{entry.place or (texts('nowhere') if there else '')}{unsure}",
        texts(f"means_{entry.means}") if entry.means else "",
    ]
