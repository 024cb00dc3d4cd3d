"""The table of chats: which of WeCom's ids are one group."""
# pyright: reportIncompatibleVariableOverride=false
# ruff: noqa: D106 - `Meta` is Tortoise's word, described in its documentation

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, cast

from tortoise import fields
from tortoise.models import Model

from groupops_wecom.rooms import Kind, Placed, Side


class RoomSide(Model):
    """A chat as one of WeCom's products knows it, and the group it is a side of."""

    retention: ClassVar = {
        "why": "a group is written to by what is known of its chats, as long as there is one"
    }

    id = fields.IntField(primary_key=True)
    kind = fields.CharField(16)
    native = fields.CharField(255)
    keeper = fields.CharField(255)
    room = fields.CharField(255)
    name = fields.CharField(255)
    by = fields.CharField(255)
    at = fields.DatetimeField()

    class Meta:
        table = "wecom_room_sides"
        unique_together = (("kind", "native", "keeper"),)


class Rows:
    """Where sides are kept; satisfies `rooms.Shelf`."""

    async def load(self) -> list[Placed]:
        """Give all that is kept."""
        return [_placed(row) for row in await RoomSide.all().order_by("id")]

    async def put(self, placed: Placed, at: datetime) -> None:
        """Keep a side, or where it belongs now."""
        side = placed.side
        kept = {"room": placed.room, "name": side.name[:255], "by": placed.by, "at": at}
        await RoomSide.update_or_create(defaults=kept, kind=side.kind, native=side.native, keeper=side.keeper)

    async def drop(self, side: Side) -> None:
        """Forget a side."""
        await RoomSide.filter(kind=side.kind, native=side.native, keeper=side.keeper).delete()


def _placed(row: RoomSide) -> Placed:
    side = Side(kind=cast("Kind", row.kind), native=row.native, keeper=row.keeper, name=row.name)
    return Placed(side=side, room=row.room, by=row.by)
