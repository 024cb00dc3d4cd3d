"""Contacts taken in as a roster: looked at first, applied whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from groupops import (
    AskStewards,
    AtDesk,
    ConfigError,
    Desk,
    Disputed,
    Enrolled,
    Group,
    GroupId,
    Note,
    Person,
    PersonId,
)
from groupops.importers import diff_json, diff_page, diff_text, save
from groupops_wecom import models
from groupops_wecom.exception import ActionFailed, NetworkError
from groupops_wecom.office import office, refused
from groupops_wecom.people import Found, Register, held_against, read_staff

BY = "operator"
"""Who is named as the giver of what a command changes."""

SHOWN = 20
"""User ids that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """What was asked of the contacts.

    Args:
        apply: do it, rather than show what would be done.
        keep_details: leave department and position of whom the register knows.
        yes: do it although many are gone.
        app: AgentId of the app to ask by; 0 for the only one.
        report: where all changes are to be written, one row for each field.
        force: write over that file.
        as_json: answer as JSON.
    """

    apply: bool = False
    keep_details: bool = False
    yes: bool = False
    app: int = 0
    report: Path | None = None
    force: bool = False
    as_json: bool = False


async def take_contacts(desk: Desk, asked: Taking) -> None:
    """Show what the contacts would change, and do it when that was asked.

    Raises:
        PlatformError: WeCom does not give them.
        ConfigError: the configuration, or the contacts, may not be applied as they are.
    """
    at_wecom = office(desk, asked.app)
    try:
        read = await read_staff(at_wecom.api)
    except (ActionFailed, NetworkError) as error:
        raise refused(error, "read the contacts") from None
    corp = at_wecom.info.corp_id
    async with desk.open() as at:
        found = held_against(
            read,
            _register(at),
            await models.known_contacts(corp),
            now=at.tools.clock.now(),
            zone=zone_of(at),
            keep_details=asked.keep_details,
        )
        if asked.report is not None:
            save(asked.report, [diff_page(found.diff)], force=asked.force)
        if not asked.as_json:
            desk.say(f"{_read_text(found)}\n\n{diff_text(found.diff)}\n")
        did: dict[str, int] = {}
        if asked.apply:
            _may_be_applied(found, asked)
            did = await _apply(at, found, corp)
    _say_taken(desk, found, asked, did)


def _register(at: AtDesk) -> Register:
    people = at.tools.people
    persons = people.persons()
    return Register(
        persons, {account: person.id for person in persons for account in people.accounts(person.id)}
    )


def zone_of(at: AtDesk) -> tzinfo:
    """Give the timezone dates are shown in: the first group's."""
    groups = at.groups()
    return at.tools.people.timezone(groups[0].id) if groups else ZoneInfo(Group(id=GroupId("")).timezone)


def _read_text(found: Found) -> str:
    staff = found.staff
    said = (
        f"企业微信通讯录:{staff.departments} 个部门,{len(staff.employees)} 人(内容指纹 {staff.sha256[:12]})。"
    )
    if staff.unseen:
        said += f"\n另有 {len(staff.unseen)} 人看不到姓名(应用的可见范围或权限不够),不作处理。"
    if found.gone:
        said += f"\n比上次少了 {len(found.gone)} 人:{'、'.join(found.gone[:SHOWN])}{'…' if len(found.gone) > SHOWN else ''}"
    return said


def _may_be_applied(found: Found, asked: Taking) -> None:
    if not found.staff.employees:
        raise ConfigError("通讯录是空的,什么都没有改动;请检查应用的可见范围。")
    if found.diff.unclear:
        raise ConfigError(
            f"有 {len(found.diff.unclear)} 人分不清是登记册上的谁,什么都没有改动;"
            "请先用“绑定”或名册文件写明他们的企业微信账号,再来一次。"
        )
    if found.shrinks and not asked.yes:
        raise ConfigError(
            f"上次的 {found.known} 人里有 {len(found.gone)} 人不见了,什么都没有改动;"
            "先看看应用的可见范围是不是变小了,确认无误后加 --yes。"
        )


async def _apply(at: AtDesk, found: Found, corp: str) -> dict[str, int]:
    """Do it: one enrolment, all of it or nothing; then remember who was there, ask, and note."""
    enrolled = await at.enrol(found.diff.lines, by=BY) if found.diff.lines else Enrolled()
    await models.keep_contacts(corp, found.staff.userids)
    did = {
        "created": enrolled.created,
        "changed": enrolled.changed,
        "bound": len(enrolled.bound),
        "disputed": len(enrolled.disputed),
    }
    groups = at.groups()
    if groups:
        group = groups[0].id
        asked = [_dispute(group, one, at.tools.people.persons()) for one in enrolled.disputed]
        detail: dict[str, str | int] = {**found.diff.counts, **did, "sha256": found.staff.sha256}
        note = Note(group_id=group, what="contacts taken in", subject="roster", actor=BY, detail=detail)
        await at.do(group, [note, *asked])
    return did


def _dispute(group: GroupId, one: Disputed, persons: Sequence[Person]) -> AskStewards:
    names = {person.id: person.name for person in persons}
    return AskStewards(
        group_id=group,
        text=f"企业微信通讯录说账号 {one.account} 是 {_name(names, one.said)} 的,登记册上它是 {_name(names, one.holder)} 的;"
        "请核对后绑定。",
        subject=f"account:{one.account}",
    )


def _name(names: Mapping[PersonId, str], id_: PersonId) -> str:
    return names.get(id_) or str(id_)


def _say_taken(desk: Desk, found: Found, asked: Taking, did: Mapping[str, int]) -> None:
    if asked.as_json:
        told = {
            "contacts": {
                "departments": found.staff.departments,
                "employees": len(found.staff.employees),
                "unseen": len(found.staff.unseen),
                "sha256": found.staff.sha256,
            },
            "gone": list(found.gone),
            "diff": diff_json(found.diff),
            "applied": asked.apply,
            "did": dict(did),
        }
        desk.say(json.dumps(told, ensure_ascii=False, indent=1))
    elif asked.apply:
        desk.say(
            f"已生效:新增 {did['created']} 人,变更 {did['changed']} 人,绑定 {did['bound']} 个账号,"
            f"待管理员决定 {did['disputed']} 项。"
        )
    else:
        desk.say("这是预演,什么都没有改动;确认后加 --apply。")
