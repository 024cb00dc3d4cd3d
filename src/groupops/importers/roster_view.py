"""Shows what a roster would change, and what is wrong with one: as a text, as tables for a report, as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from groupops.importers.roster import Roster
from groupops.importers.roster_diff import Changed, Diff, New, Proposal
from groupops.importers.roster_faults import SHOWN, Fault
from groupops.importers.roster_words import words
from groupops.importers.sheet_files import Page
from groupops.people import Person, PersonLine

Section = tuple[str, Sequence[str]]


def who(one: Person | PersonLine) -> str:
    """Name a person with what tells it from others of that name."""
    more = "，".join(part for part in (one.company, one.department, one.ref) if part)
    name = one.name or words().says("unnamed")
    return f"{name}（{more}）" if more else name


def roster_text(roster: Roster) -> str:
    """Say what was read of a file."""
    says = words().says
    key = "head" if roster.sheet else "head_csv"
    lines = [says(key, file=roster.file, sheet=roster.sheet, rows=len(roster.lines), sha=roster.sha256)]
    if roster.ignored:
        lines.append(says("ignored", columns="、".join(roster.ignored)))
    known = words().columns
    looked = [known[key].title for key in known if key in roster.columns and not known[key].kept]
    if looked:
        lines.append(says("checked_only", columns="、".join(looked)))
    if roster.future:
        lines.append(says("future", count=roster.future))
    return "\n".join(lines)


def diff_text(diff: Diff, *, shown: int = SHOWN) -> str:
    """Say what would change: everything counted, the first of each spelled out.

    Args:
        diff: what would change.
        shown: how many of each are spelled out.
    """
    says = words().says
    lines = [says("counts", **diff.counts)]
    for title, entries in _sections(diff):
        if entries:
            lines += ["", f"{title} {len(entries)}"]
            lines += [f"  {entry}" for entry in entries[:shown]]
            if len(entries) > shown:
                lines.append(says("list_more", count=len(entries) - shown))
    return "\n".join(lines)


def _sections(diff: Diff) -> Iterator[Section]:
    says = words().says
    yield says("new"), [_new(one) for one in diff.new]
    yield says("changed"), [_changed(one) for one in diff.changed]
    yield says("left"), [_changed(one) for one in diff.left]
    yield says("returned"), [_changed(one) for one in diff.returned]
    yield says("missing"), [who(one) for one in diff.missing]
    yield says("bind"), [says("bind_line", who=who(one.line), account=one.account) for one in diff.bind]
    yield (
        says("disputed"),
        [
            says("disputed_line", account=one.account, who=who(one.line), holder=who(one.holder))
            for one in diff.disputed
        ],
    )
    yield says("merges"), [_merge(one) for one in diff.merges]
    yield (
        says("unclear"),
        [says("unclear_line", row=one.row, who=who(one.line), there=who(one.person)) for one in diff.unclear],
    )


def _new(one: New) -> str:
    says = words().says
    if one.alike and not one.line.ref:
        return says("same_name", who=who(one.line), there="、".join(map(who, one.alike)))
    return says("new_line", who=who(one.line))


def _changed(one: Changed) -> str:
    says, known = words().says, words().columns
    fields = "；".join(
        says(
            "field",
            title=known[change.field].title,
            before=change.before or says("blank"),
            after=change.after or says("blank"),
        )
        for change in one.fields
    )
    return f"{who(one.person)} {fields}".rstrip()


def _merge(one: Proposal) -> str:
    says = words().says
    there = f"（{who(one.other)}）" if one.other else "" if one.known else says("merge_unknown")
    name = who(one.person) if one.person else f"{one.same.name}（{one.same.ref}）"
    return says("merge_line", who=name, other=one.same.other, there=there)


# — tables —


def faults_page(faults: Sequence[Fault]) -> Page:
    """Give all that is wrong as a table."""
    rows = [[str(one.row or ""), one.column, one.heading, one.value, one.wrong, one.do] for one in faults]
    return Page(
        name=words().sheets["faults"], head=words().report_faults, rows=rows, widths=(8, 6, 14, 24, 50, 50)
    )


def diff_page(diff: Diff) -> Page:
    """Give all that would change as a table, one row for each field that does."""
    return Page(
        name=words().sheets["diff"],
        head=words().report_diff,
        rows=list(_diff_rows(diff)),
        widths=(12, 8, 12, 12, 18, 18, 12, 24, 24),
    )


def _diff_rows(diff: Diff) -> Iterator[list[str]]:
    says = words().says
    for new in diff.new:
        yield [says("new"), str(new.row), *_told(new.line), "", "", "、".join(map(who, new.alike))]
    for key, changes in (("changed", diff.changed), ("left", diff.left), ("returned", diff.returned)):
        for one in changes:
            yield from _field_rows(says(key), one)
    for person in diff.missing:
        yield [says("missing"), "", *_told(person), "", "", ""]
    for bind in diff.bind:
        yield [says("bind"), "", *_told(bind.line), "", "", bind.account]
    yield from _open_rows(diff)


def _field_rows(title: str, one: Changed) -> Iterator[list[str]]:
    head = [title, str(one.row or ""), *_told(one.person)]
    for change in one.fields:
        yield [*head, words().columns[change.field].title, change.before, change.after]
    if not one.fields:
        yield [*head, "", "", ""]


def _open_rows(diff: Diff) -> Iterator[list[str]]:
    """Give what a human has to decide."""
    says = words().says
    for one in diff.disputed:
        yield [says("disputed"), "", *_told(one.line), one.account, who(one.holder), who(one.line)]
    for merge in diff.merges:
        same = merge.same
        yield [says("merges"), str(same.row), same.ref, same.name, "", "", "", "", _merge(merge)]
    for unclear in diff.unclear:
        yield [says("unclear"), str(unclear.row), *_told(unclear.line), "", "", who(unclear.person)]


def _told(one: Person | PersonLine) -> list[str]:
    return [one.ref, one.name, one.department, one.company]


# — JSON —


def roster_json(roster: Roster) -> dict[str, Any]:
    """Give what was read of a file, as JSON has it."""
    return {
        "file": roster.file,
        "sheet": roster.sheet,
        "sha256": roster.sha256,
        "rows": len(roster.lines),
        "columns": sorted(roster.columns),
        "ignored": list(roster.ignored),
        "future": roster.future,
    }


def diff_json(diff: Diff) -> dict[str, Any]:
    """Give what would change, as JSON has it."""
    return {
        "counts": diff.counts,
        "shrinks": diff.shrinks,
        "new": [{"row": one.row, **_line_json(one.line)} for one in diff.new],
        "changed": [_changed_json(one) for one in diff.changed],
        "left": [_changed_json(one) for one in diff.left],
        "returned": [_changed_json(one) for one in diff.returned],
        "missing": [_person_json(one) for one in diff.missing],
        "bind": [{"account": one.account, **_line_json(one.line)} for one in diff.bind],
        "disputed": [
            {"account": one.account, "said": _line_json(one.line), "holder": _person_json(one.holder)}
            for one in diff.disputed
        ],
        "merges": [
            {"row": one.same.row, "ref": one.same.ref, "other": one.same.other, "known": one.known}
            for one in diff.merges
        ],
        "unclear": [
            {"row": one.row, "line": _line_json(one.line), "person": _person_json(one.person)}
            for one in diff.unclear
        ],
    }


def faults_json(faults: Sequence[Fault]) -> list[dict[str, Any]]:
    """Give what is wrong, as JSON has it."""
    return [
        {
            "row": one.row,
            "column": one.column,
            "heading": one.heading,
            "value": one.value,
            "wrong": one.wrong,
            "do": one.do,
        }
        for one in faults
    ]


def _changed_json(one: Changed) -> dict[str, Any]:
    fields = {change.field: [change.before, change.after] for change in one.fields}
    return {"row": one.row, **_person_json(one.person), "fields": fields}


def _line_json(line: PersonLine) -> dict[str, Any]:
    return {"ref": line.ref, "name": line.name, "department": line.department}


def _person_json(person: Person) -> dict[str, Any]:
    return {"id": person.id, "ref": person.ref, "name": person.name, "department": person.department}
