"""What can be seen of a scenario so far: who was told what, what was done to whom, what stands in the record."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO
from typing import Any, cast

from groupops.actions import Action, SendFile
from groupops.flow import Outcome
from groupops.people import AccountId
from groupops.records import Audit, Case, Obligation, OutboxRow, OutboxState, Ticket
from groupops.scenario.stage import Place, Stageplay, Unmet
from groupops.scenario.words import words

_TALK = frozenset(
    {"send_text", "reply", "send_image", "send_file", "send_card", "announce", "direct_message"}
)
_ASKED_FOR = frozenset({"answer", "steward"})
"""Purposes of messages that remind nobody: answers to commands, and words to the stewards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message of the bot that reached the platform.

    Args:
        to: whom it addresses; empty when everybody.
        text: what it says.
        private: True when only its addressee saw it.
        purpose: what it was for.
        place: id of the group.
        action: the action.
    """

    to: frozenset[AccountId]
    text: str
    private: bool
    purpose: str
    place: str
    action: Action


async def sent(stage: Stageplay, *, whole_story: bool = False) -> tuple[Sent, ...]:
    """Give the bot's messages of this block, or of the whole story, oldest first."""
    rows = {row.key: row for row in await stage.records.outbox(limit=1_000_000)}
    asked = frozenset(one.event.id for one in outcomes(stage, first=0) if one.event.kind == "command_given")
    found: list[Sent] = []
    for platform in stage.platforms:
        first = 0 if whole_story else stage.mark.requests.get(platform.name, 0)
        found += [
            _sent(request.action, _purpose(rows.get(request.key), asked))
            for request in platform.world.requests[first:]
            if request.done and request.action.kind in _TALK
        ]
    return tuple(found)


def outcomes(stage: Stageplay, *, first: int | None = None) -> tuple[Outcome, ...]:
    """Give what became of the facts of this block, or from a number on, with all that followed."""
    waiting = list(stage.outcomes[stage.mark.outcomes if first is None else first :])
    found: list[Outcome] = []
    while waiting:
        found.append(waiting.pop(0))
        waiting += found[-1].further
    return tuple(found)


def _purpose(row: OutboxRow | None, asked: frozenset[str]) -> str:
    """Say what a message was for; what a plugin answers to a command is an answer."""
    if row is None:
        return ""
    return "answer" if row.event_id.partition("#")[0] in asked and row.purpose == "react" else row.purpose


def _sent(action: Any, purpose: str) -> Sent:
    account = getattr(action, "account", None)
    mentions: tuple[AccountId, ...] = getattr(action, "mentions", ())
    parts = (getattr(action, name, "") for name in ("title", "text", "caption", "name"))
    return Sent(
        to=frozenset({account} if account else mentions),
        text="\n".join(part for part in parts if part),
        private=action.kind == "direct_message"
        or (action.kind in ("send_card", "send_file", "send_image") and bool(account)),
        purpose=purpose,
        place=str(action.group_id),
        action=action,
    )


async def reminders(stage: Stageplay, name: str, *, whole_story: bool = False) -> tuple[Sent, ...]:
    """Give what somebody was told without having asked, in the group or alone."""
    account = stage.account(name)
    return tuple(
        one
        for one in await sent(stage, whole_story=whole_story)
        if account in one.to and one.purpose not in _ASKED_FOR
    )


async def letters(stage: Stageplay, name: str) -> tuple[Sent, ...]:
    """Give what somebody was told privately, for whatever purpose."""
    account = stage.account(name)
    return tuple(one for one in await sent(stage) if one.private and account in one.to)


async def said_in_group(stage: Stageplay) -> tuple[Sent, ...]:
    """Give what the bot said in the present group."""
    return tuple(one for one in await sent(stage) if not one.private and one.place == stage.place.id)


async def answers(stage: Stageplay) -> tuple[str, ...]:
    """Give the answers to commands of this block, those that the platform could not send included."""
    found = [one.text for one in await sent(stage) if one.purpose == "answer"]
    for outcome in outcomes(stage):
        if outcome.event.kind == "command_given":
            found += [_sent(row.action, "").text for row, _ in outcome.receipts if row.action.kind in _TALK]
        if outcome.answer is not None:
            found.append(outcome.answer.text)
    return tuple(text for text in found if text)


async def files(stage: Stageplay) -> tuple[SendFile, ...]:
    """Give the files the bot sent in this block."""
    return tuple(one.action for one in await sent(stage) if isinstance(one.action, SendFile))


async def pictures(stage: Stageplay) -> tuple[Sent, ...]:
    """Give the messages of this block that are pictures."""
    return tuple(one for one in await sent(stage) if one.action.kind == "send_image")


def content(file: SendFile) -> str:
    """Give what stands in a table or text file, cell by cell, as text."""
    if not file.name.lower().endswith((".xlsx", ".xls", ".ods")):
        return file.data.decode("utf-8-sig", errors="replace")
    book = import_module("python_calamine").CalamineWorkbook.from_object(BytesIO(file.data))
    rows = [row for name in book.sheet_names for row in book.get_sheet_by_name(name).to_python()]
    return "\n".join("\t".join(str(cell) for cell in row) for row in rows)


async def kept(stage: Stageplay) -> str:
    """Give all that is in the record now, the tables of the plugins included, as one text."""
    records = stage.records
    rows: list[object] = [
        *await records.cases(),
        *await records.audit(limit=1_000_000),
        *await records.outbox(limit=1_000_000),
        *await records.tickets(open_only=False),
        *await records.obligations(),
    ]
    for manifest in stage.engine.parts.hooks.manifests.values():
        if manifest.models:
            rows += await _rows_of(manifest.models)
    return "\n".join(str(row) for row in rows)


async def _rows_of(module: str) -> list[object]:
    """Give the rows of all tables that a module declares."""
    made = [
        thing
        for thing in vars(import_module(module)).values()
        if isinstance(thing, type) and thing.__module__ == module and hasattr(thing, "_meta")
    ]
    return [row for table in made for row in await cast("Any", table).all().values()]


def deeds(stage: Stageplay, kind: str, *, done: bool = True) -> tuple[Any, ...]:
    """Give the requests of one kind in this block that the platform carried out, or all that it was asked."""
    platform = stage.sandbox
    fresh = platform.world.requests[stage.mark.requests.get(platform.name, 0) :]
    return tuple(
        one
        for one in fresh
        if one.action.kind == kind and one.action.group_id == stage.place.id and (one.done or not done)
    )


def bites(stage: Stageplay) -> tuple[Any, ...]:
    """Give all that was taken from anybody in this block."""
    return tuple(
        request
        for platform in stage.platforms
        for request in platform.world.requests[stage.mark.requests.get(platform.name, 0) :]
        if request.done and request.action.bites
    )


async def tickets(
    stage: Stageplay, *, whole_story: bool = False, open_only: bool = False
) -> tuple[Ticket, ...]:
    """Give the tasks of stewards opened in this block, or in the whole story."""
    found = await stage.records.tickets(open_only=open_only)
    return tuple(one for one in found if whole_story or one.id > stage.mark.ticket)


async def audit(stage: Stageplay) -> tuple[Audit, ...]:
    """Give the lines of audit of this block; the nightly forgetting is no part of any story."""
    lines = (await stage.records.audit(limit=1_000_000))[stage.mark.audit :]
    return tuple(line for line in lines if line.what != "purged")


async def obligation(stage: Stageplay, name: str, title: str) -> Obligation:
    """Give what somebody owes under a title.

    Raises:
        Unmet: nothing of that title.
    """
    account = stage.account(name)
    owed = [one for one in await stage.records.obligations(group_id=stage.place.id) if one.account == account]
    found = [one for one in owed if title in one.title]
    if not found:
        raise Unmet(f"{name} owes nothing called “{title}”; owed: {_listed(one.title for one in owed)}")
    return found[-1]


async def waiting(stage: Stageplay) -> tuple[OutboxRow, ...]:
    """Give the actions that wait for their moment."""
    rows = await stage.records.outbox(states=frozenset({OutboxState.WAITING}))
    return tuple(row for row in rows if row.group_id == stage.place.id)


def seat(stage: Stageplay, name: str) -> Any:
    """Give somebody's seat in the present group, or None when they are not in it."""
    return stage.world.room(stage.native).seats.get(stage.account(name))


def last_post(stage: Stageplay, name: str = "", place: Place | None = None) -> Any:
    """Give the last message in the group, or the last one of somebody; the bot's do not count.

    Raises:
        Unmet: there is none.
    """
    posts = stage.world.room((place or stage.place).native).posts.values()
    account = stage.account(name) if name else None
    found = [post for post in posts if post.account != stage.world.bot and account in (None, post.account)]
    if not found:
        raise Unmet(f"{name or 'nobody'} has not said anything yet")
    return found[-1]


def bitten(case: Case) -> str:
    """Say a case in one line, for errors."""
    names = {value: word for word, value in words()["status"].items()}
    return f"事项 {case.id} {case.rule} “{case.reason}” {names.get(case.status.value, case.status.value)}"


async def what_happened(stage: Stageplay) -> str:
    """Say in a few lines what happened in this block, for whoever reads a failed outcome."""
    if not stage.open:
        return "nothing has happened yet"
    lines = [f"  said {_to(stage, one)}: {one.text!r}" for one in await sent(stage)]
    lines += [f"  did {one.action.kind}" for one in bites(stage)]
    lines += [f"  case {bitten(case)}" for case in await stage.cases()]
    lines += [f"  ticket {one.id}: {one.text!r}" for one in await tickets(stage)]
    lines += [f"  audit {one.what} {dict(one.detail)}" for one in await audit(stage)]
    faults = {fault for outcome in outcomes(stage) for fault in outcome.faults}
    lines += [f"  plugin {fault} failed" for fault in sorted(faults)]
    return "what happened since:\n" + "\n".join(lines) if lines else "nothing happened since"


def _to(stage: Stageplay, one: Sent) -> str:
    named = _listed(sorted(stage.called(account) for account in one.to)) if one.to else "everybody"
    return f"to {named}{' alone' if one.private else ''}"


def _listed(names: Iterable[str]) -> str:
    return "、".join(names) or "nothing"
