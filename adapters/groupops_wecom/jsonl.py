"""Archived messages out of files that somebody else decrypts into: JSON lines, in one file or in a folder that grows."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from groupops_wecom.archive import Archived, read_message, unreadable
from groupops_wecom.clockwork import Clockwork, Now
from groupops_wecom.lenient import table, tables, text, whole

AT_ONCE = 1_000
"""Messages given in one reading, as many as the platform gives in one pull."""

CHUNK = 1 << 16

LONGEST_LINE = 8 << 20
"""Bytes of a line; a longer one is of no interest and passed over."""

_DECODER = json.JSONDecoder(strict=False)  # one for all lines: making it costs as much as a short line

REMEMBERED = 1_024
"""Bytes before a place by which a file is known again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """How far a file has been read.

    Args:
        name: its name in its folder.
        offset: bytes from its beginning.
        length: bytes before the offset by which it is known again.
        mark: their hash.
        passing: whether the place lies within a line that is too long.
        inode: the file's number; by it a file is known again of which nothing was read yet.
    """

    name: str
    offset: int = 0
    length: int = 0
    mark: str = ""
    passing: bool = False
    inode: int = 0


_Reached = tuple[int, dict[str, _Place]]
"""How many lines were read, and how far each file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    seq: int
    place: _Place


class JsonlArchive:
    """Reads what grows, and remembers how far.

    A line counts once it has its end. A file that was renamed (`a.jsonl` → `a.jsonl.1`) is read to its end under
    its new name; one that was emptied or written anew is read from its beginning. A message may come twice, for
    files may be written twice, with the same `msgid`; none is left out as long as files turn more slowly than they
    are read. `seq` counts the lines that were read.

    Args:
        path: a file, or a folder of `*.jsonl`, read in the order of their names; it may come into being later.
        position: where it is remembered how far was read; None to begin anew with each start.
        lag: seconds a place has to be old before it is remembered: what was given later is given again after a
            restart, for whoever was given it may not have booked it before the power was cut.
        now: the present in seconds; only with a lag.
    """

    def __init__(
        self, path: Path, position: Path | None = None, *, lag: float = 0.0, now: Now | None = None
    ) -> None:
        self._path = path
        self._position = position
        self._seq = 0
        self._places: dict[str, _Place] = {}
        self._steps: deque[_Step] = deque()
        self._loaded = position is None
        self._noted: _Reached = (0, {})
        self._late: deque[tuple[float, _Reached]] = deque()
        self._lag = lag
        self._now = now or Clockwork().now
        self._more = False
        self._turn = 0

    async def read(self, after: int) -> AsyncIterator[Archived]:
        """Give what stands behind a place; see `archive.Provider`. At most a thousand at a time.

        Only the latest reading goes on: an earlier one ends when a new one begins.

        Raises:
            OSError: a file is there and cannot be read, or the position cannot be written.
        """
        self._turn += 1
        turn = self._turn
        await self._settle(after)
        given, seq = 0, self._seq
        for name in await asyncio.to_thread(self._ready):
            place = self._places[name]
            if not await asyncio.to_thread(_same, self._folder / name, place):
                continue  # it turned just now; the next reading finds it again
            async for line, reached in self._lines(place):
                if turn != self._turn:
                    return
                seq += 1
                self._steps.append(_Step(seq=seq, place=reached))
                if seq > after:
                    yield _message(line, seq)
                    given += 1
                if given >= AT_ONCE:
                    self._more = True
                if self._more or turn != self._turn:
                    return

    # — how far —

    async def _settle(self, after: int) -> None:
        """Take what stands up to there as read, and go back to there."""
        if not self._loaded:
            await asyncio.to_thread(self._load)
            self._loaded = True
        if after < self._seq:  # who asks has forgotten more than is remembered here
            self._seq, self._places, self._more = 0, {}, False
        while self._steps and self._steps[0].seq <= after:
            step = self._steps.popleft()
            self._seq, self._places[step.place.name] = step.seq, step.place
        self._steps.clear()

    def _load(self) -> None:
        try:
            written = (self._position or self._path).read_text("utf-8")
            found = table(json.loads(written))
        except (FileNotFoundError, ValueError):
            return
        self._seq = whole(found.get("seq")) or 0
        places = (_place(row) for row in tables(found.get("files")))
        self._places = {place.name: place for place in places if place is not None}

    def _note(self, position: Path) -> None:
        """Note what was reached, and remember the newest place that is old enough."""
        now = self._now()
        if self._noted != (self._seq, self._places):
            self._noted = (self._seq, dict(self._places))
            self._late.append((now, self._noted))
        old: _Reached | None = None
        while self._late and self._late[0][0] + self._lag <= now:
            old = self._late.popleft()[1]
        if old is not None:
            self._save(position, *old)

    def _save(self, position: Path, seq: int, places: Mapping[str, _Place]) -> None:
        written = {"seq": seq, "files": [asdict(place) for place in places.values()]}
        position.parent.mkdir(parents=True, exist_ok=True)
        beside = position.with_name(f"{position.name}.new")
        with beside.open("w", encoding="utf-8") as file:
            json.dump(written, file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(position)

    # — which files —

    @property
    def _folder(self) -> Path:
        return self._path if self._path.is_dir() else self._path.parent

    def _ready(self) -> list[str]:
        """Give what to read: the rest of a long history at once, else after looking which file is which."""
        if not self._more:
            self._recognise()
        self._more = False
        if self._position is not None:
            self._note(self._position)
        return self._grown()

    def _recognise(self) -> None:
        """Find the files again that were read before, under whatever name, and take up new ones."""
        folder = self._folder
        present = self._present(folder)
        places: dict[str, _Place] = {}
        lost: list[_Place] = []
        for place in self._places.values():
            if place.name in present and _same(folder / place.name, place):
                places[place.name] = place
            else:
                lost.append(place)
        for place in lost:
            others = [folder / name for name in present if name not in places]
            renamed = next((path for path in (*others, *self._beside(place)) if _same(path, place)), None)
            if renamed is not None and renamed.name not in places:
                places[renamed.name] = replace(place, name=renamed.name)
        for name in present:
            places.setdefault(name, _Place(name=name, inode=_inode(folder / name)))
        self._places = places

    def _present(self, folder: Path) -> list[str]:
        """Give the names to read: those of the setting, and those a file that was read before has now."""
        known = {name for name in self._places if (folder / name).is_file()}
        if self._path.is_dir():
            return sorted(known | {path.name for path in folder.glob("*.jsonl") if path.is_file()})
        return sorted(known | ({self._path.name} if self._path.is_file() else set()))

    def _beside(self, place: _Place) -> list[Path]:
        """Give the files that may be the one of this place under a new name, such as `a.jsonl.1`."""
        stem = place.name if self._path.is_dir() else self._path.name
        folder = self._folder
        found = folder.glob(f"{_escaped(stem)}?*") if folder.is_dir() else ()
        return sorted(path for path in found if path.is_file())

    def _grown(self) -> list[str]:
        """Give the files that hold more than was read, in the order in which they are read."""
        grown = (
            place.name for place in self._places.values() if _size(self._folder / place.name) > place.offset
        )
        return sorted(grown, key=self._order)

    def _order(self, name: str) -> tuple[bool, str]:
        """Put a file that was renamed before the one that has its name now."""
        return name.endswith(".jsonl") or name == self._path.name, name

    # — lines —

    async def _lines(self, place: _Place) -> AsyncIterator[tuple[bytes | None, _Place]]:
        """Give whole lines with the place behind each; None for one that is too long."""
        path, rest, offset, passing = self._folder / place.name, bytearray(), place.offset, place.passing
        while chunk := await asyncio.to_thread(_chunk, path, offset + len(rest)):
            rest += chunk
            while (end := rest.find(b"\n")) >= 0:
                line = bytes(rest[: end + 1])
                del rest[: end + 1]
                offset += len(line)
                if not passing and line.strip():
                    yield line, _reached(place.name, offset, line)
                passing = False
            if len(rest) > LONGEST_LINE:
                offset += len(rest)
                reached = replace(_reached(place.name, offset, bytes(rest)), passing=True)
                rest.clear()
                if not passing:
                    passing = True
                    yield None, reached


def _message(line: bytes | None, seq: int) -> Archived:
    if line is None:
        return unreadable(seq, f"the line is longer than {LONGEST_LINE} bytes")
    try:
        raw = _DECODER.decode(line.decode("utf-8", errors="replace"))
    except (ValueError, RecursionError):
        return unreadable(seq, "the line is no JSON")
    return read_message(raw, seq) if isinstance(raw, dict) else unreadable(seq, "the line is no JSON object")


def _reached(name: str, offset: int, before: bytes) -> _Place:
    tail = before[-REMEMBERED:]
    return _Place(name=name, offset=offset, length=len(tail), mark=_mark(tail))


def _mark(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _same(path: Path, place: _Place) -> bool:
    """Say whether a file still is the one that was read up to there."""
    if not place.offset:
        return _inode(path) == place.inode
    try:
        with path.open("rb") as file:
            file.seek(place.offset - place.length)
            return _mark(file.read(place.length)) == place.mark
    except FileNotFoundError:
        return False


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return 0


def _chunk(path: Path, offset: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(CHUNK)
    except FileNotFoundError:
        return b""


def _escaped(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _place(row: dict[str, Any]) -> _Place | None:
    name, offset, length = text(row.get("name")), whole(row.get("offset")), whole(row.get("length"))
    if not name or Path(name).name != name or offset is None or length is None or length > offset:
        return None
    return _Place(
        name=name,
        offset=offset,
        length=length,
        mark=text(row.get("mark")),
        passing=row.get("passing") is True,
        inode=whole(row.get("inode")) or 0,
    )
