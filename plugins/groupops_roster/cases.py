"""The cases the roster asks for: each once, remembered with what became of it, and closed by a steward's word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from groupops import AccountId, CaseChanged, DismissCase, OpenCase, Tools
from groupops_roster.models import OwnCase
from groupops_roster.scene import Answer, Scene

ASKED = "asked"
"""Asked for, and its number not told yet."""

PREFIX = "roster."
"""What the ids of its rules begin with."""

GONE = frozenset({"lapsed"})
"""What nobody decided in time may be put before the stewards again."""

CLEARED = frozenset({"dismissed", "waived", "reversed"})
"""A steward said that there is nothing to it; that holds for as long as the member stays."""

UNDECIDED = frozenset({"flagged", "proposed", "appealed"})

TOLD_WITHIN = timedelta(days=1)
"""A case whose number was not told by then was lost with its process, and is asked for again."""


async def open_case(
    scene: Scene,
    account: AccountId,
    rule: str,
    reason: str,
    *,
    ladder: str = "",
    reporter: AccountId | None = None,
) -> Answer:
    """Put somebody before the stewards, unless that was done; nothing is done to anybody by it.

    Args:
        scene: where.
        account: whom it is about.
        rule: by which rule.
        reason: why, in words.
        ladder: what a confirmed case leads to; empty = a reminder at most.
        reporter: who reported it, if anybody did.
    """
    if await standing_case(scene, account, rule) is not None:
        return []
    await OwnCase.create(group_id=scene.group_id, account=account, rule=rule, opened_at=scene.now)
    return [
        OpenCase(
            group_id=scene.group_id,
            account=account,
            rule=rule,
            reason=reason,
            ladder=ladder,
            reporter=reporter,
        )
    ]


async def standing_case(scene: Scene, account: AccountId, rule: str) -> OwnCase | None:
    """Give the case that keeps another from being asked for: undecided, decided, or called no offence."""
    row = await _latest(scene, account, rule)
    if row is None or row.status in GONE:
        return None
    lost = row.status == ASKED and scene.now - row.opened_at > TOLD_WITHIN
    return None if lost else row


async def cleared(scene: Scene, rule: str) -> frozenset[str]:
    """Give the accounts of whom a steward said that there is nothing to it."""
    rows = await OwnCase.filter(group_id=scene.group_id, rule=rule, status__in=tuple(CLEARED), closed_at=None)
    return frozenset(row.account for row in rows)


async def undecided(scene: Scene) -> list[OwnCase]:
    """Give the cases of the group that wait for a decision."""
    rows = OwnCase.filter(group_id=scene.group_id, status__in=tuple(UNDECIDED), closed_at=None)
    return await rows.exclude(case_id=None).order_by("id")


def is_own(rule: str) -> bool:
    """Say whether a case by this rule can be one the roster asked for; the many others are not looked up."""
    return rule.startswith(PREFIX)


async def hear_case(scene: Scene, event: CaseChanged) -> None:
    """Remember what became of a case of ours."""
    row = await OwnCase.filter(group_id=scene.group_id, case_id=event.case_id).first()
    if row is None:
        row = await _latest(scene, event.account, event.rule)
        if row is None or row.case_id is not None:
            return
    row.case_id = event.case_id
    row.status = event.status
    await row.save()


async def numbers_told(group_id: str) -> list[int]:
    """Give the numbers of a group's undecided cases, to be looked up before anything is written."""
    rows = OwnCase.filter(group_id=group_id, status__in=tuple(UNDECIDED), closed_at=None)
    return [row.case_id for row in await rows.exclude(case_id=None) if row.case_id is not None]


async def look_up(group_id: str, tools: Tools) -> Mapping[int, str]:
    """Ask the core how a group's undecided cases stand: a process may have died before it was told."""
    found: dict[int, str] = {}
    for number in await numbers_told(group_id):
        case = await tools.cases.case(number)
        if case is not None:
            found[number] = case.status.value
    return found


async def reconcile(scene: Scene, statuses: Mapping[int, str]) -> None:
    """Write down how cases stand, by their numbers."""
    for number, status in statuses.items():
        await OwnCase.filter(group_id=scene.group_id, case_id=number).update(status=status)


async def dismissed(
    scene: Scene, account: AccountId, steward: AccountId, note: str, rules: Iterable[str]
) -> Answer:
    """Have a steward's word close the undecided cases of an account; the core sees who may say it."""
    rows = OwnCase.filter(
        group_id=scene.group_id,
        account=account,
        rule__in=tuple(rules),
        status__in=tuple(UNDECIDED),
        closed_at=None,
    )
    return [
        DismissCase(group_id=scene.group_id, case_id=row.case_id, account=steward, note=note)
        for row in await rows
        if row.case_id is not None
    ]


async def member_left(scene: Scene, account: AccountId) -> None:
    """A case is held against a stay; whoever comes again begins anew."""
    await OwnCase.filter(group_id=scene.group_id, account=account, closed_at=None).update(closed_at=scene.now)


async def _latest(scene: Scene, account: AccountId, rule: str) -> OwnCase | None:
    rows = OwnCase.filter(group_id=scene.group_id, account=account, rule=rule, closed_at=None)
    return await rows.order_by("-id").first()
