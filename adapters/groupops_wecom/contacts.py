"""Who works here: departments and members as far as an app sees them, and the ids an AI bot uses instead of theirs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from itertools import islice
from typing import Any

from groupops_wecom.lenient import Recent, rows, tables, text, whole, word, words
from groupops_wecom.qyapi import QyApi

IDS_AT_ONCE = 1_000
PAGE = 10_000
"""Members in one answer of `user/list_id`."""

MOST_IDS = 100_000
"""Ids that are kept."""

KEPT_FOR = 24 * 3600.0
"""Seconds for which an id that could not be resolved is taken as it is: it may come into the app's range later."""

ROOT = 1


class Status(IntEnum):
    """How it stands with a member."""

    UNKNOWN = 0
    ACTIVE = 1
    DISABLED = 2
    NOT_ACTIVATED = 4
    LEFT = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    """A department.

    Args:
        id: its number; 1 is the enterprise itself.
        name: its name.
        parent: the department it belongs to; 0 for none.
        leaders: user ids.
    """

    id: int
    name: str
    parent: int = 0
    leaders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member of the enterprise; mobile numbers, mail and pictures are not given to apps.

    Args:
        userid: its id.
        name: its name; empty where the app may not see it.
        departments: those it belongs to.
        main_department: the one that counts; 0 where it is not told.
        position: as what.
        alias: another name.
        leads: the departments it leads.
        leaders: user ids of those above.
        status: how it stands.
    """

    userid: str
    name: str = ""
    departments: tuple[int, ...] = ()
    main_department: int = 0
    position: str = ""
    alias: str = ""
    leads: tuple[int, ...] = ()
    leaders: tuple[str, ...] = ()
    status: Status = Status.UNKNOWN


class Contacts:
    """The contacts of an enterprise.

    Args:
        api: its interfaces; what an app sees is a matter of its range.
    """

    def __init__(self, api: QyApi) -> None:
        self._api = api

    async def departments(self) -> tuple[Department, ...]:
        """Give the departments the app sees, those above before those below, as far as they hang together.

        Raises:
            ActionFailed: it sees none (60011), or the platform refused; NetworkError: it cannot be reached.
        """
        answer = await self._api.call("department/list", method="GET")
        found = {one.id: one for one in map(_department, tables(answer.get("department"))) if one is not None}
        return tuple(_from_above(found))

    async def members(self, department: int) -> tuple[Member, ...]:
        """Give the members of one department, without those of the departments below.

        Raises:
            ActionFailed: as `departments`.
        """
        params = {"department_id": str(department)}
        answer = await self._api.call("user/list", params=params, method="GET")
        return tuple(one for one in map(_member, tables(answer.get("userlist"))) if one is not None)

    async def everybody(self) -> tuple[Member, ...]:
        """Walk all departments; who belongs to several stands there once, with all of them.

        Raises:
            ActionFailed: as `departments`; nobody is given then, for half a list would look like people leaving.
        """
        found: dict[str, Member] = {}
        for department in await self.departments() or (Department(id=ROOT, name=""),):
            for member in await self.members(department.id):
                known = found.get(member.userid)
                found[member.userid] = member if known is None else _joined(known, member)
        return tuple(found.values())

    async def ids(self) -> AsyncIterator[tuple[str, tuple[int, ...]]]:
        """Give user ids and their departments; the only list the contacts secret may ask for.

        Raises:
            ActionFailed: as `departments`.
        """
        cursor, departments = "", dict[str, list[int]]()
        while True:
            body = {"cursor": cursor, "limit": PAGE}
            answer = await self._api.call("user/list_id", body, secret="contacts")  # noqa: S106 - a name
            for row in tables(answer.get("dept_user")):
                if userid := word(row.get("userid")):
                    departments.setdefault(userid, []).append(whole(row.get("department")) or 0)
            after = text(answer.get("next_cursor"))
            if not after or after == cursor:
                break
            cursor = after
        for userid, found in departments.items():
            yield userid, tuple(dict.fromkeys(found))

    async def member(self, userid: str) -> Member:
        """Give one member.

        Raises:
            ActionFailed: there is none (60111), or as `departments`.
        """
        answer = await self._api.call("user/get", params={"userid": userid}, method="GET")
        return _member(answer) or Member(userid=userid)


class OpenIds:
    """Plain user ids of the encrypted ones an AI bot hears (`openuserid`), each asked for once.

    Args:
        api: the enterprise's interfaces; only members in the app's range are resolved.
    """

    def __init__(self, api: QyApi) -> None:
        self._api = api
        self._plain: Recent[str, str] = Recent(MOST_IDS)
        self._as_they_are: Recent[str, float] = Recent(MOST_IDS)

    def known(self, openid: str) -> str | None:
        """Give a plain id that is known without asking, or None."""
        return self._plain.get(openid)

    async def plain(self, openids: Iterable[str]) -> Mapping[str, str]:
        """Give the plain id of each; one that is plain already, or cannot be resolved, is left as it is.

        Raises:
            ActionFailed: the platform refused; NetworkError: it cannot be reached. What was resolved is kept.
        """
        wanted = list(dict.fromkeys(openids))
        rest = iter([one for one in wanted if self._plain.get(one) is None and not self._is_as_it_is(one)])
        while some := list(islice(rest, IDS_AT_ONCE)):
            await self._ask(some)
        return {one: self._plain.get(one) or one for one in wanted}

    async def _ask(self, some: list[str]) -> None:
        answer = await self._api.call("batch/openuserid_to_userid", {"open_userid_list": some})
        for row in tables(answer.get("userid_list")):
            openid, userid = word(row.get("open_userid")), word(row.get("userid"))
            if openid and userid:
                self._plain.put(openid, userid)
        for one in some:
            if self._plain.get(one) is None:
                self._as_they_are.put(one, self._api.clock.now())

    def _is_as_it_is(self, openid: str) -> bool:
        since = self._as_they_are.get(openid)
        return since is not None and self._api.clock.now() - since < KEPT_FOR


def _department(row: Mapping[str, Any]) -> Department | None:
    number = whole(row.get("id"))
    if not number:
        return None
    return Department(
        id=number,
        name=text(row.get("name")),
        parent=whole(row.get("parentid")) or 0,
        leaders=words(row.get("department_leader")),
    )


def _from_above(found: Mapping[int, Department]) -> Iterable[Department]:
    below: dict[int, list[Department]] = {}
    for one in sorted(found.values(), key=lambda department: department.id):
        below.setdefault(one.parent if one.parent in found and one.parent != one.id else 0, []).append(one)
    given: set[int] = set()
    turn = list(below.get(0, ()))
    while turn:
        one = turn.pop(0)
        given.add(one.id)
        yield one
        turn += below.get(one.id, ())
    yield from (one for one in found.values() if one.id not in given)  # those that go round in a circle


def _member(row: Mapping[str, Any]) -> Member | None:
    userid = word(row.get("userid"))
    if not userid:
        return None
    departments = _numbers(row.get("department"))
    leads = zip(departments, rows(row.get("is_leader_in_dept")), strict=False)
    status = whole(row.get("status"))
    return Member(
        userid=userid,
        name=text(row.get("name")),
        departments=departments,
        main_department=whole(row.get("main_department")) or 0,
        position=text(row.get("position")),
        alias=text(row.get("alias")),
        leads=tuple(department for department, leading in leads if leading == 1),
        leaders=words(row.get("direct_leader")),
        status=next((one for one in Status if one == status), Status.UNKNOWN),
    )


def _numbers(value: Any) -> tuple[int, ...]:
    return tuple(number for one in rows(value) if (number := whole(one)) is not None)


def _joined(known: Member, again: Member) -> Member:
    return replace(
        known,
        departments=tuple(dict.fromkeys(known.departments + again.departments)),
        leads=tuple(dict.fromkeys(known.leads + again.leads)),
    )
