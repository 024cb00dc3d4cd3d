"""The operator's commands for chats: which there are, and which of them are one group."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from groupops import ConfigError, Desk
from groupops_wecom.models import Rows
from groupops_wecom.rooms import Placed, Rooms

BY = "operator"


def add_commands(app: typer.Typer, desk: Desk) -> None:
    """Add `rooms`, `link` and `part` to `groupops wecom`."""

    @app.command("rooms", help="列出已知的群,以及各产品里的编号。")
    def rooms() -> None:  # pyright: ignore[reportUnusedFunction]
        desk.now(_show(desk))

    @app.command("link", help="说明两个编号是同一个群:第二个并入第一个。机器人至多一分钟后照办。")
    def link(  # pyright: ignore[reportUnusedFunction]
        into: Annotated[str, typer.Argument(help="群的编号,以后就用它")],
        other: Annotated[str, typer.Argument(help="并入的编号")],
    ) -> None:
        desk.now(_link(desk, into, other))

    @app.command("part", help="取消关联:这个编号重新算作单独的群。")
    def part(id_: Annotated[str, typer.Argument(metavar="ID", help="编号")]) -> None:  # pyright: ignore[reportUnusedFunction]
        desk.now(_part(desk, id_))


async def known() -> Rooms:
    """Give the chats that are kept."""
    rooms = Rooms()
    rooms.replace(await Rows().load())
    return rooms


async def _show(desk: Desk) -> None:
    async with desk.open():
        rooms = await known()
        for room in rooms:
            desk.say(room)
            for side in rooms.sides(room):
                desk.say(f"  {side.kind:9}{side.id}" + (f"  {side.name}" if side.name else ""))
        if not list(rooms):
            desk.say("还不知道任何群;在群里 @ 机器人说一句话,或写 WECOM_APPCHATS。")


async def _link(desk: Desk, into: str, other: str) -> None:
    async with desk.open() as at:
        rooms = await known()
        for id_ in (into, other):
            if rooms.room_of(id_) not in rooms:
                raise ConfigError(f"{id_!r} is no chat that is known; see: groupops wecom rooms")
        placed = rooms.link(into, other, BY)
        await _keep(placed, at.tools.clock.now())
        desk.say(f"已关联:{rooms.room_of(into)},{len(placed)} 处改动。")


async def _part(desk: Desk, id_: str) -> None:
    async with desk.open() as at:
        placed = (await known()).part(id_, BY)
        await _keep(placed, at.tools.clock.now())
        desk.say(f"已取消关联,{len(placed)} 处改动。")


async def _keep(placed: tuple[Placed, ...], now: datetime) -> None:
    rows = Rows()
    for one in placed:
        await rows.put(one, now)
