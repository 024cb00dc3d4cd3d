"""The operator's commands for roster files: look at one, take one in, write one out, give an empty one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from groupops import AtDesk, ConfigError, Desk, Enrolled, Group, GroupId, Note, Person, PersonId
from groupops.importers import (
    Diff,
    Page,
    Roster,
    RosterFailed,
    columns_named,
    compare,
    diff_json,
    diff_page,
    diff_text,
    faults_json,
    faults_page,
    people_page,
    read_people,
    roster_json,
    roster_text,
    save,
    template_pages,
)
from groupops_roster.bindings import propose_disputed, propose_merge

BY = "operator"
"""Who is named as the giver of what a command changes."""

File = Annotated[Path, typer.Argument(help="名册文件:CSV、XLSX、XLS 或 ODS")]
Target = Annotated[Path, typer.Argument(help="写到哪里,以 .csv 或 .xlsx 结尾")]
SheetName = Annotated[str, typer.Option("--sheet", help="读哪一张工作表")]
Ignore = Annotated[bool, typer.Option("--ignore-unknown", help="跳过不认识的列")]
ReportFile = Annotated[Path | None, typer.Option("--report", help="把全部问题或变动写进 .csv 或 .xlsx")]
Force = Annotated[bool, typer.Option("--force", help="文件已存在时覆盖")]
Json = Annotated[bool, typer.Option("--json", help="以 JSON 输出")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked of an import.

    Args:
        file: the roster.
        sheet: which sheet of it.
        ignore_unknown: pass over columns nobody knows.
        apply: do it, rather than show what would be done.
        complete: the file is the whole truth; whoever it does not name has left.
        yes: do it although much of the organisation would leave.
        report: where all faults or changes are to be written.
        force: write over that file.
        as_json: answer as JSON.
    """

    file: Path
    sheet: str = ""
    ignore_unknown: bool = False
    apply: bool = False
    complete: bool = False
    yes: bool = False
    report: Path | None = None
    force: bool = False
    as_json: bool = False


def commands(desk: Desk) -> typer.Typer:
    """Give `groupops roster …`."""
    app = typer.Typer(no_args_is_help=True, help="名册文件:检查、导入、导出、模板。")

    @app.command("check", help="检查名册文件,说明每处问题;不需要数据库。")
    def check(  # pyright: ignore[reportUnusedFunction]
        file: File,
        sheet: SheetName = "",
        ignore_unknown: Ignore = False,
        report: ReportFile = None,
        force: Force = False,
        as_json: Json = False,
    ) -> None:
        asked = Asked(
            file=file,
            sheet=sheet,
            ignore_unknown=ignore_unknown,
            report=report,
            force=force,
            as_json=as_json,
        )
        desk.now(check_file(desk, asked))

    @app.command("import", help="对照登记册显示名册会带来的变动;加 --apply 才生效,要么全部生效,要么都不。")
    def import_(  # noqa: PLR0913, PLR0917 - typer turns parameters into options  # pyright: ignore[reportUnusedFunction]
        file: File,
        apply: Annotated[bool, typer.Option("--apply", help="生效")] = False,
        complete: Annotated[
            bool, typer.Option("--complete", help="名册是全部人员:没列的人按离职处理")
        ] = False,
        yes: Annotated[bool, typer.Option("--yes", help="在职人数减少三成以上也照办")] = False,
        sheet: SheetName = "",
        ignore_unknown: Ignore = False,
        report: ReportFile = None,
        force: Force = False,
        as_json: Json = False,
    ) -> None:
        asked = Asked(
            file=file,
            sheet=sheet,
            ignore_unknown=ignore_unknown,
            apply=apply,
            complete=complete,
            yes=yes,
            report=report,
            force=force,
            as_json=as_json,
        )
        desk.now(import_file(desk, asked))

    @app.command("export", help="把登记册写成名册文件;没有手机号和证件号。")
    def export(  # pyright: ignore[reportUnusedFunction]
        file: Target,
        columns: Annotated[str, typer.Option("--columns", help="只写这些列,如“工号,姓名,部门”")] = "",
        in_service: Annotated[bool, typer.Option("--in-service", help="只写在职的人")] = False,
        force: Force = False,
    ) -> None:
        desk.now(export_file(desk, file, columns=columns, in_service=in_service, force=force))

    @app.command("template", help="写一份空名册,第二张表说明每一列。")
    def template(file: Target, force: Force = False) -> None:  # pyright: ignore[reportUnusedFunction]
        desk.now(template_file(desk, file, force=force))

    return app


# — checking —


async def check_file(desk: Desk, asked: Asked) -> None:
    """Say whether a file can be imported.

    Raises:
        RosterFailed: it cannot.
    """
    roster = _read(desk, asked, today=None, zone=None)
    desk.say(_dumps(roster_json(roster)) if asked.as_json else f"{roster_text(roster)}\n没有问题。")


def _read(desk: Desk, asked: Asked, *, today: Any, zone: tzinfo | None) -> Roster:
    more = {} if zone is None else {"zone": zone}
    try:
        return read_people(
            asked.file, sheet=asked.sheet, ignore_unknown=asked.ignore_unknown, today=today, **more
        )
    except RosterFailed as failed:
        _report(desk, asked, faults_page(failed.faults))
        if asked.as_json:
            desk.say(_dumps({"faults": faults_json(failed.faults)}))
            raise typer.Exit(1) from None
        raise


def _report(desk: Desk, asked: Asked, page: Page) -> None:
    if asked.report is None:
        return
    save(asked.report, [page], force=asked.force)
    if not asked.as_json:
        desk.say(f"报告:{asked.report}")


# — importing —


async def import_file(desk: Desk, asked: Asked) -> None:
    """Show what a file would change, and do it when that was asked.

    Raises:
        RosterFailed: the file is wrong.
        ConfigError: it may not be applied as it is.
    """
    async with desk.open() as at:
        zone = _zone(at)
        roster = _read(desk, asked, today=at.tools.clock.now().astimezone(zone).date(), zone=zone)
        diff = _diff(at, roster, zone, complete=asked.complete)
        _report(desk, asked, diff_page(diff))
        if not asked.as_json:
            desk.say(f"{roster_text(roster)}\n\n{diff_text(diff)}\n")
        if asked.apply:
            _may_be_applied(diff, asked)
            did = await _apply(at, roster, diff)
        else:
            did = {}
    _say_outcome(desk, asked, roster, diff, did)


def _diff(at: AtDesk, roster: Roster, zone: tzinfo, *, complete: bool) -> Diff:
    people = at.tools.people
    persons = people.persons()
    accounts = {account: person.id for person in persons for account in people.accounts(person.id)}
    return compare(roster, persons, accounts, now=at.tools.clock.now(), complete=complete, zone=zone)


def _may_be_applied(diff: Diff, asked: Asked) -> None:
    if diff.unclear:
        raise ConfigError(
            f"有 {len(diff.unclear)} 行分不清是谁,什么都没有改动;按上面的提示补上工号或账号再导入。"
        )
    if diff.shrinks and not asked.yes:
        raise ConfigError(
            f"在职的 {diff.in_service} 人中有 {len(diff.left)} 人会变为离职,什么都没有改动;"
            "确认名册无误后加 --yes 再导入。"
        )


async def _apply(at: AtDesk, roster: Roster, diff: Diff) -> dict[str, int]:
    """Do it: one enrolment, then what is left for a steward to decide, then the line of audit."""
    now = at.tools.clock.now()
    enrolled = await at.enrol(diff.lines, by=BY) if diff.lines else Enrolled()
    proposed = await propose_disputed(enrolled.disputed, at=now)
    for kept, gone in _merges(diff, at.tools.people.persons()):
        proposed += await propose_merge(kept, gone, at=now) is not None
    did = {"created": enrolled.created, "changed": enrolled.changed, "bound": len(enrolled.bound)}
    did["proposed"] = proposed
    await _note(at, "roster imported", {**diff.counts, **did, "file": roster.file, "sha256": roster.sha256})
    return did


def _merges(diff: Diff, persons: Sequence[Person]) -> list[tuple[PersonId, PersonId]]:
    """Give who is said to be one, by the numbers they have now; the person of the row stays."""
    refs = {person.ref: person.id for person in persons if person.ref}
    pairs = [(refs.get(one.same.ref), refs.get(one.same.other)) for one in diff.merges]
    return [(kept, gone) for kept, gone in pairs if kept is not None and gone is not None]


def _say_outcome(desk: Desk, asked: Asked, roster: Roster, diff: Diff, did: dict[str, int]) -> None:
    if asked.as_json:
        told = {"roster": roster_json(roster), "diff": diff_json(diff), "applied": asked.apply, "did": did}
        desk.say(_dumps(told))
    elif asked.apply:
        desk.say(
            f"已生效:新增 {did['created']} 人,变更 {did['changed']} 人,绑定 {did['bound']} 个账号,"
            f"待管理员决定 {did['proposed']} 项。"
        )
    else:
        desk.say("这是预演,什么都没有改动;确认后加 --apply。")


# — exporting —


async def export_file(desk: Desk, file: Path, *, columns: str, in_service: bool, force: bool) -> None:
    """Write the register as a roster, and note that it was.

    Raises:
        ConfigError: the columns or the file's name are wrong, or the file is there already.
    """
    wanted = columns_named(re.split("[,\uff0c、]", columns)) if columns else ()
    async with desk.open() as at:
        people = at.tools.people
        persons = [person for person in people.persons() if person.active or not in_service]
        page = people_page(persons, people.accounts, columns=wanted, zone=_zone(at))
        sha = save(file, [page], force=force)
        head = "、".join(page.head)
        detail: dict[str, str | int] = {
            "persons": len(persons),
            "columns": head,
            "file": file.name,
            "sha256": sha,
        }
        await _note(at, "roster exported", detail)
    desk.say(f"已写 {len(persons)} 人到 {file}。里面是个人信息,用完请删除。")


async def template_file(desk: Desk, file: Path, *, force: bool) -> None:
    """Write an empty roster.

    Raises:
        ConfigError: the file's name is wrong, or the file is there already.
    """
    save(file, template_pages(), force=force)
    desk.say(f"模板:{file}")


# — both —


async def _note(at: AtDesk, what: str, detail: Mapping[str, str | int]) -> None:
    """Write a line of audit; it stands with the first group, as a roster belongs to all of them."""
    groups = at.groups()
    if groups:
        group = groups[0].id
        await at.do(group, [Note(group_id=group, what=what, subject="roster", actor=BY, detail=detail)])


def _zone(at: AtDesk) -> tzinfo:
    """Give the timezone that a roster's dates are meant in: the first group's."""
    groups = at.groups()
    return at.tools.people.timezone(groups[0].id) if groups else ZoneInfo(Group(id=GroupId("")).timezone)


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1)
