"""Customer groups (客户群): who is in them, how newcomers are greeted, and what staff may not write to customers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Literal

from groupops_wecom.lenient import number, rows, table, tables, text, whole, word, words
from groupops_wecom.message import size
from groupops_wecom.qyapi import QyApi
from groupops_wecom.templates import Unfit

PAGE = 1_000

LONGEST_WELCOME = 3_000
"""Bytes."""

MOST_RULES = 100
MOST_WORDS = 300
LONGEST_WORD = 32
LONGEST_NAME = 20
"""Characters."""

MOST_NODES = 1_000
"""Users of a rule, and departments."""

_PATH = "externalcontact"

Attachment = Literal["image", "link", "miniprogram", "file", "video"]
ATTACHMENTS: tuple[Attachment, ...] = ("image", "link", "miniprogram", "file", "video")


class GroupStatus(IntEnum):
    """Which groups to list."""

    ALL = 0
    OWNER_LEFT = 1
    BEING_HANDED_OVER = 2
    HANDED_OVER = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMember:
    """Somebody in a customer group.

    Args:
        id: user id of staff, or external user id.
        staff: whether it is one of the enterprise.
        joined: when, seconds since the epoch; 0 where it is not told.
        scene: 1 invited, 2 by a link, 3 by a code; 0 where it is not told.
        invited_by: user id; empty where nobody invited.
        name: as the platform has it; empty where it was not asked for.
        nickname: as in this group.
        union_id: of WeChat's open platform, where it is bound.
    """

    id: str
    staff: bool
    joined: float = 0
    scene: int = 0
    invited_by: str = ""
    name: str = ""
    nickname: str = ""
    union_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerGroup:
    """A customer group.

    Args:
        chat_id: its id.
        name: its name.
        owner: user id of its owner.
        created: when, seconds since the epoch.
        notice: its announcement.
        members: who is in it.
        admins: user ids of its administrators.
        version: changes with every change of members; that of an event tells whether one was missed.
    """

    chat_id: str
    name: str
    owner: str
    created: float
    notice: str
    members: tuple[GroupMember, ...]
    admins: tuple[str, ...]
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """How newcomers of a group are greeted; a member must attach it to the group in the client.

    Args:
        text: words, at most 3000 bytes; `%NICKNAME%` becomes the newcomer's name.
        kind: of what is attached; None for nothing.
        attached: what is attached, as the platform has it: a link has `title` and `url`, a file `media_id`.
        notify: whether the owners of groups are told; with `add` only.
    """

    text: str
    kind: Attachment | None = None
    attached: Mapping[str, Any] = field(default_factory=dict[str, Any])
    notify: bool = True

    def body(self) -> dict[str, Any]:
        """Give it as the platform has it.

        Raises:
            Unfit: it is empty, or too long.
        """
        if size(self.text) > LONGEST_WELCOME:
            raise Unfit(
                "the welcome", [f"text.content has {size(self.text)} bytes, at most {LONGEST_WELCOME}"]
            )
        if not self.text.strip() and not self.attached:
            raise Unfit("the welcome", ["it has neither words nor anything attached"])
        if (self.kind is None) != (not self.attached):
            raise Unfit("the welcome", ["what is attached needs both its kind and its fields"])
        words_ = {"text": {"content": self.text}} if self.text.strip() else {}
        return words_ | ({self.kind: dict(self.attached)} if self.kind is not None else {})


class Semantics(IntEnum):
    """What is recognised by its meaning."""

    PHONE = 1
    EMAIL = 2
    RED_PACKET = 3


class Reaction(IntEnum):
    """What follows."""

    BLOCK = 1
    WARN = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Whom of the staff a rule binds; customers are bound by none.

    Args:
        users: user ids, at most 1000.
        departments: department ids, at most 1000.
    """

    users: tuple[str, ...] = ()
    departments: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.users or self.departments)

    def body(self) -> dict[str, Any]:
        """Give it as the platform has it."""
        return {"user_list": list(self.users), "department_list": list(self.departments)}

    def without(self, other: Range) -> Range:
        """Give what is in this one and not in the other."""
        return Range(
            users=tuple(user for user in self.users if user not in other.users),
            departments=tuple(one for one in self.departments if one not in other.departments),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class InterceptRule:
    """What staff may not write to customers (聊天敏感词).

    Args:
        name: 1 to 20 characters.
        words: at most 300 of 1 to 32 characters.
        semantics: what is recognised by its meaning.
        reaction: whether the message is stopped, or its writer warned.
        range: whom it binds.
        id: the platform's; empty for a rule that is not published.
    """

    name: str
    words: tuple[str, ...] = ()
    semantics: tuple[Semantics, ...] = ()
    reaction: Reaction = Reaction.BLOCK
    range: Range
    id: str = ""

    def faults(self) -> Iterable[str]:
        """Give what the platform would refuse it for."""
        if not 1 <= len(self.name.strip()) <= LONGEST_NAME:
            yield f"rule_name has 1 to {LONGEST_NAME} characters"
        if not self.words and not self.semantics:
            yield "word_list and semantics_list are both empty"
        if len(self.words) > MOST_WORDS:
            yield f"word_list has at most {MOST_WORDS} words, not {len(self.words)}; make several rules"
        for one in self.words:
            if not 1 <= len(one.strip()) <= LONGEST_WORD:
                yield f"word_list: {one[:40]!r} has {len(one)} characters, 1 to {LONGEST_WORD} are taken"
        if len(set(self.words)) < len(self.words):
            yield "word_list has a word twice"
        yield from self._range_faults()

    def _range_faults(self) -> Iterable[str]:
        if not self.range:
            yield "applicable_range is empty: a rule binds somebody of the staff"
        for name, nodes in (("user_list", self.range.users), ("department_list", self.range.departments)):
            if len(nodes) > MOST_NODES:
                yield f"applicable_range.{name} has at most {MOST_NODES}, not {len(nodes)}"

    def body(self) -> dict[str, Any]:
        """Give it as `add_intercept_rule` takes it.

        Raises:
            Unfit: the platform would refuse it.
        """
        if faults := list(self.faults()):
            raise Unfit(f"the rule {self.name!r}", faults)
        return {
            "rule_name": self.name,
            "word_list": list(self.words),
            "semantics_list": [int(one) for one in self.semantics],
            "intercept_type": int(self.reaction),
            "applicable_range": self.range.body(),
        }


class Customers:
    """The customer groups of an enterprise.

    Args:
        api: its interfaces; the app must be among those that may (可调用接口的应用).
    """

    def __init__(self, api: QyApi) -> None:
        self._api = api

    # — groups —

    async def groups(
        self, owners: Sequence[str] = (), status: GroupStatus = GroupStatus.ALL
    ) -> AsyncIterator[tuple[str, int]]:
        """Give ids and statuses of groups.

        Args:
            owners: user ids; everybody in the app's range by default, which the platform refuses (81017) where
                that is more than a thousand.
            status: which.

        Raises:
            ActionFailed: the platform refused; NetworkError: it cannot be reached.
        """
        cursor = ""
        while True:
            body: dict[str, Any] = {"status_filter": int(status), "cursor": cursor, "limit": PAGE}
            if owners:
                body["owner_filter"] = {"userid_list": list(owners)}
            answer = await self._api.call(f"{_PATH}/groupchat/list", body)
            for row in tables(answer.get("group_chat_list")):
                if chat_id := word(row.get("chat_id")):
                    yield chat_id, whole(row.get("status")) or 0
            after = text(answer.get("next_cursor"))
            if not after or after == cursor:
                return
            cursor = after

    async def group(self, chat_id: str, *, names: bool = True) -> CustomerGroup:
        """Give a group with everybody in it; it may lag two seconds behind an event.

        Raises:
            ActionFailed: the platform refused; NetworkError: it cannot be reached.
        """
        body = {"chat_id": chat_id, "need_name": int(names)}
        found = table((await self._api.call(f"{_PATH}/groupchat/get", body)).get("group_chat"))
        return CustomerGroup(
            chat_id=word(found.get("chat_id")) or chat_id,
            name=text(found.get("name")),
            owner=word(found.get("owner")),
            created=number(found.get("create_time")) or 0,
            notice=text(found.get("notice")),
            members=tuple(one for one in map(_member, tables(found.get("member_list"))) if one is not None),
            admins=tuple(word(row.get("userid")) for row in tables(found.get("admin_list"))),
            version=word(found.get("member_version")),
        )

    # — welcome —

    async def add_welcome(self, welcome: Welcome) -> str:
        """Put a welcome into the library, which holds a hundred; gives its id.

        Raises:
            Unfit: the platform would refuse it.
            InDoubt: the answer was lost; it may be there.
            ActionFailed: the platform refused; NetworkError: it cannot be reached.
        """
        body = {**welcome.body(), "notify": int(welcome.notify)}
        answer = await self._api.call(f"{_PATH}/group_welcome_template/add", body)
        return word(answer.get("template_id"))

    async def edit_welcome(self, template_id: str, welcome: Welcome) -> None:
        """Change a welcome. Raises as `add_welcome`."""
        body = {"template_id": template_id, **welcome.body()}
        await self._api.call(f"{_PATH}/group_welcome_template/edit", body)

    async def welcome(self, template_id: str) -> Welcome:
        """Give a welcome. Raises as `add_welcome`."""
        answer = await self._api.call(f"{_PATH}/group_welcome_template/get", {"template_id": template_id})
        content = text(table(answer.get("text")).get("content"))
        for kind in ATTACHMENTS:
            if attached := table(answer.get(kind)):
                return Welcome(text=content, kind=kind, attached=attached)
        return Welcome(text=content)

    async def remove_welcome(self, template_id: str) -> None:
        """Take a welcome out of the library. Raises as `add_welcome`."""
        await self._api.call(f"{_PATH}/group_welcome_template/del", {"template_id": template_id})

    # — intercept rules —

    async def rules(self) -> tuple[InterceptRule, ...]:
        """Give all rules, in full.

        Raises:
            ActionFailed: the platform refused; NetworkError: it cannot be reached. No rule is given then.
        """
        return tuple([await self.rule(rule_id) for rule_id in await self._rule_ids()])

    async def _rule_ids(self) -> list[str]:
        answer = await self._api.call(f"{_PATH}/get_intercept_rule_list", method="GET")
        return [rule_id for row in tables(answer.get("rule_list")) if (rule_id := word(row.get("rule_id")))]

    async def rule(self, rule_id: str) -> InterceptRule:
        """Give a rule. Raises as `rules`."""
        answer = await self._api.call(f"{_PATH}/get_intercept_rule", {"rule_id": rule_id})
        return _rule(table(answer.get("rule")), rule_id)

    async def add_rule(self, rule: InterceptRule) -> str:
        """Publish a rule; gives its id. There are at most a hundred.

        Raises:
            Unfit: the platform would refuse it, or there are a hundred already.
            InDoubt: the answer was lost; look into `rules` before it is published again.
            ActionFailed: the platform refused; NetworkError: it cannot be reached.
        """
        body = rule.body()
        if len(await self._rule_ids()) >= MOST_RULES:
            raise Unfit(f"the rule {rule.name!r}", [f"there are {MOST_RULES} rules already; remove one"])
        return word((await self._api.call(f"{_PATH}/add_intercept_rule", body)).get("rule_id"))

    async def update_rule(self, rule: InterceptRule, before: Range) -> None:
        """Change a rule of the app's own to what it says now.

        Args:
            rule: as it is to be, with its id.
            before: whom it binds now: the platform is told who comes in and who goes.

        Raises:
            Unfit: the platform would refuse it, or it has no id.
            ActionFailed: the platform refused; NetworkError: it cannot be reached.
        """
        if not rule.id:
            raise Unfit(f"the rule {rule.name!r}", ["it has no id; publish it first"])
        body = rule.body()
        semantics, _ = body.pop("semantics_list"), body.pop("applicable_range")
        changes = {
            "add_applicable_range": rule.range.without(before),
            "remove_applicable_range": before.without(rule.range),
        }
        await self._api.call(
            f"{_PATH}/update_intercept_rule",
            {
                "rule_id": rule.id,
                **body,
                "extra_rule": {"semantics_list": semantics},
                **{name: change.body() for name, change in changes.items() if change},
            },
        )

    async def remove_rule(self, rule_id: str) -> None:
        """Take a rule of the app's own away.

        Raises:
            InDoubt: the answer was lost; look into `rules`.
            ActionFailed: the platform refused; NetworkError: it cannot be reached.
        """
        await self._api.call(f"{_PATH}/del_intercept_rule", {"rule_id": rule_id})


def _member(row: Mapping[str, Any]) -> GroupMember | None:
    id_ = word(row.get("userid"))
    if not id_:
        return None
    return GroupMember(
        id=id_,
        staff=row.get("type") == 1,
        joined=number(row.get("join_time")) or 0,
        scene=whole(row.get("join_scene")) or 0,
        invited_by=word(table(row.get("invitor")).get("userid")),
        name=text(row.get("name")),
        nickname=text(row.get("group_nickname")),
        union_id=word(row.get("unionid")),
    )


def _rule(found: Mapping[str, Any], rule_id: str) -> InterceptRule:
    """Read a rule; the meanings it recognises stand in one of two places."""
    whom = table(found.get("applicable_range"))
    meanings = rows(found.get("semantics_list")) or rows(table(found.get("extra_rule")).get("semantics_list"))
    return InterceptRule(
        id=word(found.get("rule_id")) or rule_id,
        name=text(found.get("rule_name")),
        words=words(found.get("word_list")),
        semantics=tuple(one for one in Semantics if one in meanings),
        reaction=Reaction.WARN if found.get("intercept_type") == Reaction.WARN else Reaction.BLOCK,
        range=Range(
            users=words(whom.get("user_list")),
            departments=tuple(
                one for node in rows(whom.get("department_list")) if (one := whole(node)) is not None
            ),
        ),
    )
