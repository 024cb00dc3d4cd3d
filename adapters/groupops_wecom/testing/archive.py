"""Keeps what is said in archived rooms, as the message archive gives it: a line of decrypted JSON for each message."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from groupops_wecom.testing.world import Group, Json, Person, Said, World

CHINA: Final = timedelta(hours=8)


class Archive:
    """A folder of JSON lines, one file for each day in China.

    Args:
        world: what there is; what is said in it is kept from now on.
        folder: where the files grow.
    """

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.folder = folder
        self.lines: list[Json] = []
        folder.mkdir(parents=True, exist_ok=True)
        world.hears.append(self._hear)

    def _hear(self, where: Group | Person, said: Said) -> None:
        if not isinstance(where, Group) or not where.room_id or not set(where.seats) & self.world.archived:
            return
        by = f"wb{said.by}" if said.by not in self.world.people else said.by
        line: Json = {
            "msgid": f"{said.id}_{int(said.at)}" + ("_external" if where.customer_id else ""),
            "action": "recall" if said.kind == "revoke" else "send",
            "from": by,
            "tolist": [one for one in where.seats if one != by],
            "roomid": where.room_id,
            "msgtime": int(said.at * 1000),
            "msgtype": said.kind,
        }
        self.add({**line, "info" if said.kind in {"markdown", "news"} else said.kind: said.body})

    def add(self, line: Json) -> None:
        """Write any line at all."""
        self.lines.append(line)
        day = (datetime.fromtimestamp(self.world.now(), UTC) + CHINA).date()
        with (self.folder / f"{day}.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
