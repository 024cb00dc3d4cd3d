"""The operator's shell commands: `groupops red-packet statement` and `totals`; every look leaves a line of audit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from groupops import AtDesk, CommandError, ConfigError, Desk, Group, GroupId, Note, Settings
from groupops_red_packet.ledger import Ledger
from groupops_red_packet.room import Room, Terms
from groupops_red_packet.settings import RedPacket
from groupops_red_packet.statement import as_text, as_xlsx, first_of, totals
from groupops_red_packet.stating import statement_of

_GROUP = Annotated[str, typer.Option("--group", help="群号,例如 qq:123456。")]
_MONTH = Annotated[str, typer.Option("--month", help="月份,例如 2025-03;不写为上个月。")]
_FILE = Annotated[Path | None, typer.Option("--xlsx", help="另存为表格的文件名。")]


def commands(desk: Desk) -> typer.Typer:
    """Give the commands, standing on a desk."""
    app = typer.Typer(no_args_is_help=True)

    @app.command(help="一个群一个月的红包台账。")
    def statement(group: _GROUP, month: _MONTH = "", xlsx: _FILE = None) -> None:
        """Print the month, and save it as a workbook where a file is named."""
        desk.say(desk.now(_statement(desk, group, month, xlsx)))

    @app.command(name="totals", help="一个群红包台账的合计,不含姓名。")
    def shown(group: _GROUP) -> None:
        """Print what all items of the group come to."""
        desk.say(desk.now(_totals(desk, group)))

    return app


async def _statement(desk: Desk, group_id: str, month: str, file: Path | None) -> str:
    async with desk.open() as at:
        room = _room(at, group_id)
        first = first_of(month, room.zone, room.now)
        if first is None:
            raise CommandError(
                f"--month is {month!r}: expected a month that has begun, as 2025-03; leave it out for last month"
            )
        made = await statement_of(room.group, first, room.ledger)
        await _note(at, room, "red packet statement exported", month=made.month)
        if file is not None:
            _write(file, as_xlsx(made, room.called, room.texts))
        return as_text(made, room.texts)


def _write(file: Path, data: bytes) -> None:
    try:
        file.write_bytes(data)
    except OSError as error:
        raise CommandError(
            f"--xlsx {file} cannot be written: {error.strerror}; name a file that can"
        ) from error


async def _totals(desk: Desk, group_id: str) -> str:
    async with desk.open() as at:
        room = _room(at, group_id)
        await _note(at, room, "red packet totals looked up")
        return totals(await room.ledger.items(group_id=room.group.id), room.day(room.now), room.texts)


async def _note(at: AtDesk, room: Room, what: str, **detail: str) -> None:
    note = Note(
        group_id=room.group.id, what=what, subject=f"group:{room.group.id}", actor="operator", detail=detail
    )
    await at.do(room.group.id, (note,))


def _room(at: AtDesk, group_id: str) -> Room:
    """Give the room of a group the operator names.

    Raises:
        ConfigError: the group is not looked after, or the ledger is not there.
    """
    policy = at.policy(GroupId(group_id))
    settings: Settings | None = policy.settings.get("red_packet")
    if not isinstance(at.own, Ledger):
        raise ConfigError("the plugin red_packet is not running; take it out of GROUPOPS_DISABLED_PLUGINS")
    group: Group = next(one for one in at.groups() if one.id == group_id)
    return Room(
        group=group,
        settings=settings if isinstance(settings, RedPacket) else RedPacket(),
        terms=Terms.of(policy),
        ledger=at.own,
        tools=at.tools,
    )
