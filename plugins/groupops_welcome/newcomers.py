"""The newcomers on record: found, put down and changed; everything that touches their table."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from groupops_welcome.checklist import Items, kept, read
from groupops_welcome.models import Newcomer

WAITING = "waiting"
"""Came in, not greeted yet."""
GUEST = "guest"
"""A guest of honour, whose introduction a steward is asked for."""
GREETED = "greeted"
PASSED = "passed"
"""Not greeted: left before, or came with too many others."""

STALE = timedelta(days=14)
"""Who waited longer (nothing ran, or the group was at rest) has settled in by now and is not greeted."""

NEW, BACK, AGAIN = "new", "back", "again"
"""How a newcomer is met: for the first time, after a while, or so soon that nothing need be said."""


def items_of(row: Newcomer) -> Items:
    """Give a newcomer's checklist."""
    return read(row.items)


async def last_stay(group_id: str, account: str) -> Newcomer | None:
    """Give the latest stay of an account in a group, whether it has ended or not."""
    return await Newcomer.filter(group_id=group_id, account=account).order_by("-id").first()


async def stay(group_id: str, account: str) -> Newcomer | None:
    """Give the stay of an account that is in the group and was put down as a newcomer."""
    return await Newcomer.filter(group_id=group_id, account=account, left_at=None).order_by("-id").first()


async def to_greet(group_id: str, event_id: str) -> list[Newcomer]:
    """Give those who wait, and those whom this very fact greeted before the process died."""
    greeted = await Newcomer.filter(group_id=group_id, greeted_by=event_id)
    return _in_order(greeted, await Newcomer.filter(group_id=group_id, state=WAITING))


async def to_remind(group_id: str, event_id: str, now: datetime) -> list[Newcomer]:
    """Give those whose follow-up is due, and those whom this very fact reminded before the process died."""
    there = Newcomer.filter(group_id=group_id, left_at=None)
    return _in_order(await there.filter(followed_by=event_id), await there.filter(follow_at__lte=now))


def _in_order(*found: Sequence[Newcomer]) -> list[Newcomer]:
    return sorted({row.id: row for rows in found for row in rows}.values(), key=lambda row: row.id)


async def guests_waited_for(group_id: str, now: datetime) -> list[Newcomer]:
    """Give the guests of honour for whom no introduction came in time."""
    return await Newcomer.filter(group_id=group_id, state=GUEST, wait_until__lte=now).order_by("id")


async def since(group_id: str, moment: datetime) -> list[Newcomer]:
    """Give who came in from a moment on, oldest first."""
    return await Newcomer.filter(group_id=group_id, joined_at__gte=moment).order_by("id")


async def put_items(row: Newcomer, items: Items) -> None:
    """Keep a checklist as it is now."""
    row.items = kept(items)
    await row.save(update_fields=["items"])


async def pass_over(rows: Sequence[Newcomer]) -> None:
    """Put down that these are not greeted."""
    if rows:
        await Newcomer.filter(id__in=[row.id for row in rows]).update(state=PASSED)
