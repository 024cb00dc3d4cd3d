"""Watches a folder: what is put in is read once it is there entirely, and then lies in `done` or in `failed`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from groupops.advise.findings import Advice
from groupops.advise.members import words
from groupops.advise.show import as_json, as_notices, as_page
from groupops.clock import Clock
from groupops.errors import GroupOpsError, StoreError

EVERY_S: Final = 5.0
"""Seconds between two looks; a file is there entirely when it did not change from one look to the next."""

DONE, FAILED, ADVICE = "done", "failed", "advice"
PARTIAL: Final = (".part", ".tmp", ".crdownload", ".download", ".partial")
"""Endings of files that another program is still writing."""

Read = Callable[[Path, bool], Awaitable[Advice]]
"""Reads one file; True for a member list."""

_Shape = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of a file: the advice, or where it is written why it could not be read.

    With `later` nothing was taken: the database is away, and the folder is looked at again.
    """

    name: str
    advice: Advice | None = None
    why: Path | None = None
    later: str = ""


@dataclass(slots=True)
class Inbox:
    """A folder that is looked at again and again.

    Args:
        folder: where files are put in.
        read: reads one of them.
        clock: for the names of what is written.
    """

    folder: Path
    read: Read
    clock: Clock
    _shapes: dict[Path, _Shape] = field(default_factory=dict[Path, _Shape])

    def ready(self) -> None:
        """Make the folders for what was read."""
        for name in ("", DONE, FAILED, ADVICE):
            (self.folder / name).mkdir(parents=True, exist_ok=True)

    async def look(self) -> list[Taken]:
        """Take every file that did not change since the last look, oldest first.

        Raises:
            StoreError: the database refuses; the file stays where it is and is taken the next time.
        """
        shapes = {path: _shape(path) for path in self._files()}
        still = [path for path, shape in shapes.items() if self._shapes.get(path) == shape]
        self._shapes = shapes
        return [
            await self._take(path) for path in sorted(still, key=lambda path: (shapes[path][1], path.name))
        ]

    def _files(self) -> list[Path]:
        with os.scandir(self.folder) as entries:
            return [
                Path(entry.path)
                for entry in entries
                if entry.is_file(follow_symlinks=False)
                and not entry.name.startswith((".", "~"))
                and not entry.name.lower().endswith(PARTIAL)
            ]

    async def _take(self, path: Path) -> Taken:
        try:
            advice = await self.read(path, path.name.lower().startswith(words().members))
        except StoreError:
            raise
        except GroupOpsError as error:
            return Taken(name=path.name, why=self._fail(path, str(error)))
        written(advice, self.folder / ADVICE, self._name(path))
        self._move(path, DONE)
        return Taken(name=path.name, advice=advice)

    def _fail(self, path: Path, why: str) -> Path:
        moved = self._move(path, FAILED)
        note = moved.with_name(f"{moved.name}.txt")
        note.write_text(why + "\n", "utf-8")
        return note

    def _name(self, path: Path) -> str:
        return f"{self.clock.now():%Y%m%dT%H%M%SZ}_{path.stem}"

    def _move(self, path: Path, where: str) -> Path:
        """Move a file out of the way; one of the same name that lies there stays."""
        target = self.folder / where / path.name
        number = 1
        while target.exists():
            number += 1
            target = self.folder / where / f"{path.stem}-{number}{path.suffix}"
        shutil.move(path, target)
        return target


def _shape(path: Path) -> _Shape:
    try:
        told = path.stat()
    except FileNotFoundError:
        return -1, -1
    return told.st_size, told.st_mtime_ns


def written(advice: Advice, folder: Path, name: str = "advice") -> Path:
    """Write advice as a page, as JSON and, if there are any, its notices; gives the folder.

    Args:
        advice: what was found.
        folder: where; made if it is not there.
        name: of the files, without ending.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.html").write_text(as_page(advice), "utf-8")
    (folder / f"{name}.json").write_text(as_json(advice) + "\n", "utf-8")
    notices = as_notices(advice)
    if notices:
        (folder / f"{name}-notices.txt").write_text(notices, "utf-8")
    return folder


async def watch(
    inbox: Inbox, told: Callable[[Taken], None], *, every: float = EVERY_S, rounds: int | None = None
) -> None:
    """Look again and again.

    Args:
        inbox: the folder.
        told: told of every file that was taken.
        every: seconds between two looks.
        rounds: after how many looks to end; None never ends.
    """
    inbox.ready()
    number = 0
    while rounds is None or number < rounds:
        try:
            for taken in await inbox.look():
                told(taken)
        except StoreError as error:
            told(Taken(name=inbox.folder.name, later=str(error)))
        number += 1
        await inbox.clock.sleep(every)
