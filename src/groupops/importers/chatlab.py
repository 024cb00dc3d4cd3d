"""Reads ChatLab JSONL (0.0.1, 0.0.2, with care 1.0.0) and the `groupops` object that may stand on its lines.

Every line is checked before anything is replayed. A short transcript is kept meanwhile; the lines of a long
one are read again for the replay, so that it never lies in memory.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from heapq import heappop, heappush
from itertools import pairwise
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import BinaryIO

from groupops.errors import ImportFailed
from groupops.events import Event, Listed
from groupops.importers import chatlab_rows as rows
from groupops.importers import plain_lines
from groupops.importers.chatlab_facts import HEARD, Facts, heard_as, tellable
from groupops.importers.chatlab_rows import BrokenLineError, Row
from groupops.importers.plain_lines import PlainLine
from groupops.importers.transcript import Head, Remark, Transcript
from groupops.people import AccountId, GroupId, Role, platform_of

MAX_FILE = 2 * 1024**3
"""Bytes of the largest file that is read."""

KEPT = 50_000
"""Messages kept in memory, about 50 MB; a file with more is read again for each replay."""

_BOM = b"\xef\xbb\xbf"
_ID = re.compile(r"[\w@.:+/=-]+", re.ASCII)
_FLAGS = {"joins": "member_joined", "leaves": "member_left", "recalls": "message_recalled"}
"""What a header may promise → the kind of fact that is told then, even if the file has none of them."""


def read_chatlab(path: Path, *, lenient: bool = False) -> Transcript:
    """Check a transcript from end to end and make it ready to be replayed.

    Args:
        path: the file, UTF-8 with or without a byte order mark.
        lenient: True skips lines that are broken and lists them in `faults`.

    Returns:
        The transcript; its `replay` gives the facts sorted by time.

    Raises:
        ImportFailed: the file cannot be read, its header is wrong or, unless `lenient`, a line is; every
            faulty line is listed with its number.
    """
    survey = _Survey(path)
    try:
        size = path.stat().st_size
        if size > MAX_FILE:
            raise ImportFailed(path.name, [f"it has {size} bytes, at most {MAX_FILE} are read"])
        with path.open("rb") as file:
            survey.read(file)
    except OSError as error:
        raise ImportFailed(path.name, [f"it cannot be read: {error.strerror}"]) from error
    if survey.faults and not lenient:
        raise ImportFailed(path.name, survey.faults)
    return survey.transcript()


@dataclass(slots=True)
class _Survey:
    """What one pass over a file finds out; of the messages that are kept it remembers when and where."""

    path: Path
    faults: list[str] = field(default_factory=list[str])
    head: Head | None = None
    members: dict[str, Listed] = field(default_factory=dict[str, Listed])
    lines: int = 0
    dropped: Counter[str] = field(default_factory=Counter[str])
    remarks: list[Remark] = field(default_factory=list[Remark])
    hears: set[str] = field(default_factory=set[str])
    seen: dict[str, int] = field(default_factory=dict[str, int])
    authors: dict[str, str] = field(default_factory=dict[str, str])
    senders: set[str] = field(default_factory=set[str])
    joined: set[str] = field(default_factory=set[str])
    exported_at: int = 0
    rows: list[Row | PlainLine] = field(default_factory=list["Row | PlainLine"])
    moments: array[int] = field(default_factory=lambda: array("q"))
    orders: array[int] = field(default_factory=lambda: array("q"))
    offsets: array[int] = field(default_factory=lambda: array("q"))
    lengths: array[int] = field(default_factory=lambda: array("q"))

    # — looking —

    def read(self, file: BinaryIO) -> None:
        """Look at every line: at the header first, then at a block of lines at once."""
        first, offset = self._find_head(file)
        for start, lines in plain_lines.blocks(file, first, self.path, MAX_FILE):
            read = plain_lines.all_plain(lines) or map(plain_lines.plain, lines)
            for number, (plain, line) in enumerate(zip(read, lines, strict=True), start=start):
                if plain is not None and plain_lines.from_somebody(plain):
                    self._plain(number, plain, offset, line)
                else:
                    self._odd(number, offset, line)
                offset += len(line)

    def _find_head(self, file: BinaryIO) -> tuple[int, int]:
        """Read the header and what stands before it; give number and offset of the line behind it."""
        offset = 0
        for number, line in enumerate(iter(file.readline, b""), start=1):
            self._odd(number, offset, line.removeprefix(_BOM) if number == 1 else line)
            offset += len(line)
            if self.head is not None:
                return number + 1, offset
        raise ImportFailed(self.path.name, ["it is empty; expected a header of ChatLab as its first line"])

    def _plain(self, number: int, message: PlainLine, offset: int, line: bytes) -> None:
        self.lines += 1
        try:
            again = self._came_before(message.platformMessageId, message.sender, line)
        except BrokenLineError as error:
            self.faults.append(f"line {number}: {error}")
            return
        if again:
            self.dropped["duplicate"] += 1
            return
        self.hears.add("message_posted")
        self.orders.append(0)
        self._keep(message, message.timestamp * 1000, offset, len(line))
        self.senders.add(message.sender)

    def _odd(self, number: int, offset: int, line: bytes) -> None:
        """Look at a line that is none of a plain message, or a blank one or a comment."""
        if line[:1] == b"#" or not line or line.isspace():
            return
        self.lines += 1
        try:
            self._line(rows.parsed(line), offset, line)
        except BrokenLineError as error:
            if self.head is None:
                raise ImportFailed(self.path.name, [f"line {number}: {error}"]) from error
            self.faults.append(f"line {number}: {error}")

    def _line(self, row: Row, offset: int, line: bytes) -> None:
        kind = row.get("_type")
        if self.head is None:
            self._header(row, kind)
        elif kind == "message":
            self._message(row, offset, line)
        elif kind == "member":
            self._member(row, self.head.group_id)
        else:
            raise BrokenLineError(f"_type is {rows.shown(kind)}, expected member or message")

    def _header(self, row: Row, kind: object) -> None:
        if kind != "header" or not isinstance(row.get("chatlab"), dict):
            raise BrokenLineError(
                f"this is no header of ChatLab (_type is {rows.shown(kind)}); expected "
                '{"_type": "header", "chatlab": {"version": "0.0.2", …}, "meta": {…}}'
            )
        chatlab, meta = rows.object_of(row, "chatlab"), rows.object_of(row, "meta")
        more = rows.object_of(row, "groupops")
        self._version(chatlab.get("version"))
        self.exported_at = rows.whole(chatlab.get("exportedAt", 0), "chatlab.exportedAt")
        talk = rows.one_of(meta.get("type", "group"), ("group", "private"), "meta.type")
        self.head = Head(
            group_id=rows.group_of(meta),
            name=rows.text_of(meta, "name", "meta."),
            timezone=rows.timezone_of(more.get("tz")),
            precision=rows.one_of(more.get("precision", "s"), ("ms", "s", "min"), "groupops.precision"),
            identity=rows.one_of(more.get("identity", "id"), ("id", "name"), "groupops.identity"),
            private=talk == "private",
            generator=rows.text_of(chatlab, "generator", "chatlab."),
        )
        flags = rows.object_of(more, "has", "groupops.")
        self.hears |= {heard for flag, heard in _FLAGS.items() if flags.get(flag) is True}

    def _version(self, version: object) -> None:
        if version in rows.VERSIONS:
            return
        if version not in rows.TOLERATED:
            known = ", ".join(sorted(rows.VERSIONS | rows.TOLERATED))
            raise BrokenLineError(f"chatlab.version is {rows.shown(version)}, this reader knows {known}")
        self.remarks.append(Remark(key="version", values={"version": version}))

    def _member(self, row: Row, group_id: GroupId) -> None:
        if self.offsets:
            raise BrokenLineError("a member stands behind the first message; members come before messages")
        native = rows.required(row, "platformId")
        if native in self.members:
            raise BrokenLineError(f"platformId {native!r} is listed already")
        self.members[native] = Listed(
            account=AccountId(f"{platform_of(group_id)}:{native}"),
            name=rows.text_of(row, "accountName"),
            card=rows.text_of(row, "groupNickname"),
            role=rows.role_of(row.get("roles")),
        )

    def _message(self, row: Row, offset: int, line: bytes) -> None:
        """Take a message that has more to it than words, or less than it must have."""
        sender = rows.required(row, "sender")
        rows.required(row, "accountName")
        rows.text_of(row, "groupNickname")
        rows.id_of(row, "replyToMessageId")
        moment, kind, more = rows.moment_of(row), rows.type_of(row, sender), row.get("groupops")
        rows.checked_content(row)
        if more is not None:
            rows.checked_extension(row)
        if self._came_before(rows.id_of(row, "platformMessageId"), sender, line):
            self.dropped["duplicate"] += 1
        elif self._tells(kind, more):
            self.orders.append(more.get("order", 0) if more else 0)
            self._keep(row, moment, offset, len(line))
            if sender != rows.SYSTEM:
                self.senders.add(sender)

    def _keep(self, row: Row | PlainLine, moment: int, offset: int, length: int) -> None:
        self.moments.append(moment)
        self.offsets.append(offset)
        self.lengths.append(length)
        if len(self.offsets) <= KEPT:
            self.rows.append(row)
        else:
            self.rows.clear()

    def _came_before(self, message_id: str, sender: str, line: bytes) -> bool:
        """Say whether the same line came before, word for word; another line with its id is broken."""
        if not message_id:
            return False
        words = hash(line.strip())
        before = self.seen.setdefault(message_id, words)
        if message_id not in self.authors:
            self.authors[message_id] = sender
            return False
        if before != words:
            raise BrokenLineError(f"platformMessageId {message_id!r} was given to another message before")
        return True

    def _tells(self, kind: int, more: Row | None) -> bool:
        """Say whether a message becomes a fact, and note which kind of fact; else count why it does not."""
        if kind not in rows.OF_SYSTEM:
            self.hears.add(heard_as(kind, more))
            if more and "recalled_at" in more:
                self.hears.add("message_recalled")
            return True
        event: Row = (more or {}).get("event") or {}
        heard = HEARD.get(event.get("kind", "")) if tellable(event) else None
        if heard is None:
            self.dropped["unheard" if event else "system"] += 1
            return False
        self.hears.add(heard)
        if heard == "member_joined":
            self.joined.update(event.get("targets") or ())
        return True

    # — telling —

    def transcript(self) -> Transcript:
        """Give what was found, ready to be replayed."""
        assert self.head is not None  # noqa: S101 - `read` raised otherwise
        members = self._seated()
        self._note_what_is_odd()
        return Transcript(
            path=self.path,
            head=self.head,
            members=members,
            rows=self.lines,
            kept=len(self.offsets),
            dropped=dict(sorted(self.dropped.items())),
            faults=tuple(self.faults),
            remarks=tuple(self.remarks),
            hears=frozenset(self.hears),
            roles_known=any(line.role is not Role.UNKNOWN for line in members),
            senders=len(self.senders),
            first=_moment(min(self.moments, default=None)),
            last=_moment(max(self.moments, default=None)),
            replay=self._replay,
        )

    def _seated(self) -> tuple[Listed, ...]:
        """Leave out who only took part in a merged forward: some writers list them by a name in place of an id.

        Where the list tells roles at all, whoever has none is a plain member.
        """
        seated = [
            line for native, line in self.members.items() if native in self.senders or _ID.fullmatch(native)
        ]
        if all(line.role is Role.UNKNOWN for line in seated):
            return tuple(seated)
        return tuple(
            Listed(
                account=line.account,
                name=line.name,
                card=line.card,
                role=Role.MEMBER if line.role is Role.UNKNOWN else line.role,
            )
            for line in seated
        )

    def _note_what_is_odd(self) -> None:
        unlisted = len(self.senders - self.members.keys() - self.joined) if self.members else 0
        if unlisted:
            self.remarks.append(Remark(key="unlisted", values={"count": unlisted}))
        if self._unsorted():
            self.remarks.append(Remark(key="unsorted"))
        exported = self.exported_at // 1000 if self.exported_at > rows.MILLISECONDS_FROM else self.exported_at
        late = sum(moment > exported * 1000 for moment in self.moments) if exported else 0
        if late:
            self.remarks.append(Remark(key="after_export", values={"count": late}))

    def _unsorted(self) -> bool:
        return any(later < earlier for earlier, later in pairwise(self.moments))

    def _replay(self) -> Iterator[Event]:
        """Give the facts sorted by moment, order and line, a recall noted on its message at its own moment."""
        assert self.head is not None  # noqa: S101 - `read` raised otherwise
        facts = Facts(self.head.group_id, self.authors, self.head.identity)
        later: list[tuple[datetime, int, Event]] = []
        for number, row in enumerate(self._again()):
            if isinstance(row, PlainLine):
                fact: Event = facts.said(row)
                while later and later[0][0] <= fact.at:
                    yield heappop(later)[2]
                yield fact
                continue
            for turn, fact in enumerate(facts.of(row)):
                if turn and fact.kind == "message_recalled":
                    heappush(later, (fact.at, number, fact))
                    continue
                while later and later[0][0] <= fact.at:
                    yield heappop(later)[2]
                yield fact
        while later:
            yield heappop(later)[2]

    def _again(self) -> Iterator[Row | PlainLine]:
        """Give the messages in order of time."""
        order = self._in_order()
        if len(self.rows) == len(order):
            yield from (self.rows[number] for number in order)
            return
        with self.path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as text:
            for number in order:
                start = self.offsets[number]
                line = text[start : start + self.lengths[number]]
                yield plain_lines.plain(line) or rows.parsed(line)

    def _in_order(self) -> list[int]:
        moments, orders = self.moments, self.orders
        return sorted(range(len(moments)), key=lambda number: (moments[number], orders[number]))


def _moment(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)
