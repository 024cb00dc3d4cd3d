"""Makes facts of a transcript: in a stream as the file has them, or sorted and ready to be replayed."""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from groupops.errors import ImportFailed
from groupops.events import Event, MessagePosted
from groupops.importers import chatlab_rows
from groupops.importers.chatlab import read_chatlab
from groupops.importers.chatlab_facts import HEARD, SOURCE, Facts, tellable
from groupops.importers.chatlab_rows import BrokenLineError, Row
from groupops.importers.plain_lines import PlainLine, as_bytes, moments, runs
from groupops.importers.quick_facts import posted
from groupops.importers.transcript import Identity, Remark, Transcript
from groupops.importers.transcripts.chatlab_values import looked_over
from groupops.importers.transcripts.desk import Desk
from groupops.importers.transcripts.detect import Detected, detect
from groupops.importers.transcripts.ids import SeenIds
from groupops.importers.transcripts.interchange import Names, header, member, row_of, write
from groupops.importers.transcripts.reading import Reading, read
from groupops.importers.transcripts.source import HEAD, MAX_LINE, opened
from groupops.importers.transcripts.values import Asked, Report, Value
from groupops.people import AccountId, GroupId, platform_of

REMEMBERED = 100_000
"""Messages whose sender is remembered for recalls that name only the message."""

_OWN = "chatlab-jsonl"
_PLATFORM = "unknown"


# — sorted —


@contextmanager
def opened_transcript(
    path: Path, *, lenient: bool = False, asked: Asked | None = None
) -> Generator[Transcript]:
    """Open a transcript of any known format, checked from end to end, ready to be replayed while it is open.

    What is no ChatLab JSONL is turned into it first, in a file of its own that goes when this ends.

    Args:
        path: a file, or the folder of an export in pieces.
        lenient: True skips rows that cannot be read and lists them in `faults`.
        asked: what the operator says of it.

    Raises:
        ImportFailed: it is no transcript that can be read, holds several groups and none was named, or, unless
            `lenient`, a row cannot be read; every faulty row is listed with its place.
    """
    asked = asked or Asked()
    detected = _detected(path)
    if detected is None or (detected.format.id == _OWN and detected.source.encoding.startswith("utf-8")):
        yield read_chatlab(path, lenient=lenient)
        return
    report = surveyed(detected, asked, path.name)
    if report.faulty and not lenient:
        more = report.faulty - len(report.faults)
        raise ImportFailed(path.name, [*report.faults, *([f"… and {more} more"] if more else [])])
    asked = replace(asked, chat=chosen(report, asked))
    with tempfile.TemporaryDirectory(prefix="groupops-") as folder:
        made = Path(folder) / "transcript.jsonl"
        second = Reading(detected, asked, path.name)
        with made.open("wb") as file:
            write(file, interchange(report, asked, second))
        yield _as_read(read_chatlab(made), path, second.report)


def _detected(path: Path) -> Detected | None:
    """Find out what a file is; None for one that means to be ChatLab JSONL, whose own reader says what is wrong."""
    try:
        return detect(path)
    except ImportFailed:
        if path.is_file() and _means_chatlab(path):
            return None
        raise


def _means_chatlab(path: Path) -> bool:
    with opened(path) as file:
        head = file.read(HEAD)
    return path.suffix == ".jsonl" or b'"_type"' in head


def surveyed(detected: Detected, asked: Asked, name: str) -> Report:
    """Read a transcript to its end for what is found in it."""
    reading = Reading(detected, asked, name)
    for _ in reading:
        pass
    return reading.report


def chosen(report: Report, asked: Asked) -> str:
    """Give the talk that is meant.

    Raises:
        ImportFailed: the file holds several groups and none was named, or not the one that was.
    """
    groups = {key: talk for key, talk in report.chats.items() if talk.rows and not talk.private}
    if asked.chat:
        known = [key for key, talk in report.chats.items() if asked.chat in (key, talk.name)]
        if report.chats and not known:
            raise ImportFailed(report.name, [f"it has no talk {asked.chat!r}; there are: {_listed(report)}"])
        return known[0] if known else ""
    if len(groups) > 1:
        raise ImportFailed(report.name, [f"it holds several groups, name one of them: {_listed(report)}"])
    talks = groups or {key: talk for key, talk in report.chats.items() if talk.rows}
    return next(iter(talks), "")


def _listed(report: Report) -> str:
    return ", ".join(f"{key} ({talk.name or '-'}, {talk.rows})" for key, talk in report.chats.items())


def group_of(report: Report, asked: Asked) -> GroupId:
    """Give the group's id: as the operator or the file says it; one without an id is named by its name."""
    native = asked.group or asked.chat or report.group_id
    talk = report.chats.get(native)
    if not asked.group and talk is not None and talk.name == native:
        native = f"name:{native}"
    if not native:
        native = f"name:{report.group_name or Path(report.name).stem}"
    return GroupId(f"{(report.platform or report.format.platform or _PLATFORM).lower()}:{native}")


def interchange(report: Report, asked: Asked, values: Iterable[Value]) -> Iterator[Row]:
    """Give the rows of an interchange file.

    Args:
        report: of the whole file, read before.
        asked: what the operator says of it, with the talk that is meant.
        values: those of that talk.
    """
    group_id, names = group_of(report, asked), Names.of(report)
    talk = report.chats.get(asked.chat)
    yield header(
        group_id,
        name=report.group_name or (talk.name if talk else ""),
        exported_at=report.last or datetime.fromtimestamp(0, UTC),
        timezone=report.timezone,
        precision=report.precision,
        identity=report.identity,
        has=report.tells,
        source=report.format.id,
        private=talk.private if talk else report.private,
    )
    yield from (member(party) for party in report.members.values())
    yield from (row_of(value, names) for value in values)


def _as_read(made: Transcript, path: Path, report: Report) -> Transcript:
    """Say of what was made what the file itself was found to be."""
    remarks = [one for one in made.remarks if one.key != "after_export"]
    if not report.sure:
        remarks.append(Remark(key="unsure", values={"format": report.format.title}))
    if report.doubts:
        remarks.append(Remark(key="doubts", values={"count": report.doubts.total()}))
    return replace(
        made,
        path=path,
        rows=report.rows,
        dropped=dict(sorted((report.dropped + type(report.dropped)(made.dropped)).items())),
        faults=tuple(report.faults),
        remarks=tuple(remarks),
    )


# — in a stream —


@dataclass(slots=True)
class _Authors(Mapping[str, str]):
    """Message → its sender, for the last hundred thousand at least."""

    young: dict[str, str] = field(default_factory=dict[str, str])
    old: dict[str, str] = field(default_factory=dict[str, str])

    def __getitem__(self, message_id: str) -> str:
        return self.young[message_id] if message_id in self.young else self.old[message_id]

    def __iter__(self) -> Iterator[str]:
        yield from {**self.old, **self.young}

    def __len__(self) -> int:
        return len({**self.old, **self.young})

    def note(self, messages: Iterable[tuple[str, str]]) -> None:
        """Remember whose messages are; the older half is forgotten when the younger one is full."""
        self.young.update(messages)
        if len(self.young) >= REMEMBERED:
            self.old, self.young = self.young, {}


def stream_facts(path: Path, report: Report | None = None) -> Iterator[Event]:
    """Give the facts of ChatLab JSONL one by one, in the order of the file; the memory it takes does not grow with it.

    Args:
        path: the file, in UTF-8.
        report: is told of faults and what was dropped; the facts come without one, too.

    Raises:
        ImportFailed: it cannot be read, or is no ChatLab JSONL.
    """
    reading = read(path)
    if reading.report.format.id != _OWN or not reading.report.encoding.startswith("utf-8"):
        raise ImportFailed(
            path.name, [f"it is {reading.report.format.title}, expected ChatLab JSONL in UTF-8"]
        )
    return _streamed(reading, report or reading.report)


def _streamed(reading: Reading, told: Report) -> Iterator[Event]:
    first, start, _ = next(reading.lines(), (0, 0, b""))
    desk = reading.desk
    stream = _Stream(group_of(reading.report, Asked()), reading.report.identity, desk, told)
    with opened(desk.source.path) as file:
        file.seek(start)
        for number, lines in runs(file, first, desk.source.path, MAX_LINE):
            if isinstance(lines, bytes):
                yield from stream.odd(number, lines)
            elif stream.of_members(lines) and stream.are_new(lines):
                yield from stream.plain(lines)
            else:
                yield from stream.singly(number, lines)


class _Stream:
    """The facts of one file, made of runs of plain lines at once and of other lines one by one."""

    def __init__(self, group_id: GroupId, identity: Identity, desk: Desk, told: Report) -> None:
        self._group_id, self._desk, self._told = group_id, desk, told
        self._authors, self._seen, self._accounts = _Authors(), SeenIds(), dict[str, AccountId]()
        self._facts = Facts(group_id, self._authors, identity)

    def of_members(self, lines: Sequence[PlainLine]) -> bool:
        """Say whether all lines are of somebody who has an account and a name."""
        platform = platform_of(self._group_id)
        for sender in {line.sender for line in lines}.difference(self._accounts):
            if sender == chatlab_rows.SYSTEM or sender.startswith("name:") or sender.isspace():
                return False
            self._accounts[sender] = AccountId(f"{platform}:{sender}")
        return not any([line.accountName.isspace() for line in lines])  # noqa: C419 - a list is twice as fast

    def are_new(self, lines: Sequence[PlainLine]) -> bool:
        """Say whether none of the lines was seen before; then all of them are from now on."""
        return self._seen.add_all([line.platformMessageId for line in lines])

    def singly(self, number: int, lines: Sequence[PlainLine]) -> Iterator[Event]:
        """Take a run one by one, for one of it is nobody's or was seen before."""
        for further, line in enumerate(lines, start=number):
            if not self.of_members([line]):
                yield from self.odd(further, as_bytes(line))
            elif self.are_new([line]):
                yield from self.plain([line])
            else:
                self._told.rows += 1
                self._told.drop("duplicate")

    def plain(self, lines: Sequence[PlainLine]) -> Iterator[MessagePosted]:
        """Give the facts of lines of members, which are new."""
        self._told.rows += len(lines)
        self._authors.note([(line.platformMessageId, line.sender) for line in lines])
        group_id, accounts = self._group_id, self._accounts
        prefix = f"{group_id}/"
        for line, at in zip(lines, moments(lines), strict=True):
            message_id = line.platformMessageId
            yield posted(
                prefix + message_id,
                at,
                group_id,
                SOURCE,
                accounts[line.sender],
                message_id,
                line.content,
                line.accountName,
                line.groupNickname or "",
            )

    def odd(self, number: int, raw: bytes) -> Iterator[Event]:
        """Take a line that has more to it than words, or less than it must have."""
        if not raw or raw[:1] == b"#" or raw.isspace():
            return
        told = self._told
        try:
            row = chatlab_rows.parsed(raw)
            if row.get("_type") in ("member", "header"):
                return
            told.rows += 1
            looked_over(number, row, self._desk)
        except BrokenLineError as error:
            told.fault(f"line {number}", error)
            return
        message_id = chatlab_rows.id_of(row, "platformMessageId")
        if message_id and not self._seen.add(message_id):
            told.drop("duplicate")
        elif row["type"] in chatlab_rows.OF_SYSTEM and not _is_told(row):
            told.drop("system")
        else:
            if message_id:
                self._authors.note([(message_id, row["sender"])])
            yield from self._facts.of(row)


def _is_told(row: Row) -> bool:
    event = chatlab_rows.object_of(chatlab_rows.object_of(row, "groupops"), "event")
    return event.get("kind") in HEARD and tellable(event)
