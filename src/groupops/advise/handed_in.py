"""What was handed in: transcripts of which only the part is taken that is new, and where each message stands in them."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from groupops.advise.names import NameBook
from groupops.advise.quotes import Quoted
from groupops.advise.recalls import Recalls
from groupops.advise.windows import Windows
from groupops.errors import ConfigError, ImportFailed
from groupops.importers.chatlab import read_chatlab
from groupops.importers.transcript import Remark, Transcript
from groupops.importers.transcripts.detect import Detected, detect
from groupops.importers.transcripts.facts import chosen, interchange, surveyed
from groupops.importers.transcripts.interchange import Names, write
from groupops.importers.transcripts.merge import keyed
from groupops.importers.transcripts.reading import Reading
from groupops.importers.transcripts.values import Asked, Party, Recalled, Report, Said, Value
from groupops.people import AccountId, GroupId, native_of, platform_of
from groupops.records import Records

MARK: Final = 12
"""Characters by which a value is known again: 72 bits, so that among a hundred million none is taken for another."""
PAGE: Final = 4_000
"""Marks that are kept in one row."""
MAX_PLACES: Final = 300_000
"""Messages whose line is remembered, for the report."""

_SEEN = "seen/"
_UNTIL = "until"
_WINDOWS = "windows"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What the operator says about what is handed in.

    Args:
        chat: which talk of a file that holds several.
        day: the (last) day of times that have none.
        lenient: True skips rows that cannot be read and reports them.
    """

    chat: str = ""
    day: Any = None
    lenient: bool = False


@dataclass(slots=True)
class Memory:
    """What was read of a group before: kept in the record, so that nothing is told twice.

    Args:
        group_id: the group.
        known: marks of all values read so far.
        pages: how many rows of them are kept.
        until: the moment up to which history was replayed; None before the first time.
        windows: what reaches beyond that moment.
    """

    group_id: GroupId
    known: set[str] = field(default_factory=set[str])
    pages: int = 0
    until: datetime | None = None
    windows: Windows = field(default_factory=Windows)
    fresh: list[str] = field(default_factory=list[str])

    @classmethod
    async def load(cls, records: Records, group_id: GroupId) -> Memory:
        """Read what is kept."""
        kept = await records.keepsakes(_owner(group_id))
        pages = [value for key, value in kept.items() if key.startswith(_SEEN)]
        known = {page[at : at + MARK] for page in pages for at in range(0, len(page), MARK)}
        until = datetime.fromisoformat(kept[_UNTIL]) if _UNTIL in kept else None
        windows = Windows.read(kept.get(_WINDOWS, ""))
        return cls(group_id=group_id, known=known, pages=len(pages), until=until, windows=windows)

    def first(self, key: str) -> bool:
        """Say whether a value is met for the first time; from now on it is known."""
        digest = blake2b(key.encode("utf-8", "replace"), digest_size=MARK * 3 // 4).digest()
        mark = urlsafe_b64encode(digest).decode()
        if mark in self.known:
            return False
        self.known.add(mark)
        self.fresh.append(mark)
        return True

    async def keep(
        self, records: Records, until: datetime | None, at: datetime, windows: Windows | None = None
    ) -> None:
        """Keep what was met for the first time, up to when history was replayed, and what reaches beyond that."""
        pages = [self.fresh[start : start + PAGE] for start in range(0, len(self.fresh), PAGE)]
        values: dict[str, str | None] = {
            f"{_SEEN}{self.pages + number:06}": "".join(page) for number, page in enumerate(pages)
        }
        if until is not None:
            values[_UNTIL] = until.isoformat()
        if windows is not None:
            values[_WINDOWS] = windows.text()
        if values:
            await records.keep(_owner(self.group_id), values, at)
        self.pages, self.fresh, self.until = self.pages + len(pages), [], until or self.until


def _owner(group_id: GroupId) -> str:
    return f"advise/{blake2b(group_id.encode(), digest_size=8).hexdigest()}"


@dataclass(slots=True, kw_only=True)
class HandedIn:
    """A transcript that was read, with what of it is new.

    Args:
        path: the file.
        report: on the whole file.
        transcript: the new part, ready to be replayed; None when nothing is new.
        listed: the members it lists.
        fresh, again: how many values were new, and how many were known.
        recalls: what it shows of messages that were taken back.
        places: message → line or item in the file.
    """

    path: Path
    report: Report
    listed: tuple[Party, ...]
    transcript: Transcript | None = None
    fresh: int = 0
    again: int = 0
    recalls: Recalls = field(default_factory=Recalls)
    places: dict[str, int] = field(default_factory=dict[str, int])


@dataclass(slots=True)
class Desk:
    """Where transcripts of one group are read.

    Args:
        memory: what was read before.
        names: whose a shown name is.
        asking: what the operator says.
        timezone: zone of times that have none.
        now: the real moment; what is told of tomorrow is a mistake.
        known: names as they are shown, so that a line that begins with one is a sender's.
        asked_back: ids of messages that stewards are asked to have taken back.
    """

    memory: Memory
    names: NameBook
    asking: Asking
    timezone: str
    now: datetime
    known: frozenset[str] = frozenset()
    asked_back: frozenset[str] = frozenset()
    _stack: ExitStack = field(default_factory=ExitStack)

    def close(self) -> None:
        """Let go of what was made of the transcripts."""
        self._stack.close()

    def read(self, path: Path) -> HandedIn:
        """Read a transcript and make its new part ready to be replayed.

        Raises:
            ImportFailed: it cannot be read; every faulty row is named. Nothing was changed.
            ConfigError: it is of another group or platform, or of a talk of two.
        """
        detected = detect(path)
        asked = self._asked()
        report = surveyed(detected, asked, path.name)
        if report.faulty and not self.asking.lenient:
            more = report.faulty - len(report.faults)
            raise ImportFailed(path.name, [*report.faults, *([f"… and {more} more"] if more else [])])
        asked = replace(asked, chat=chosen(report, asked))
        self._check(report, asked, path.name)
        return self._made(detected, report, replace(asked, group=native_of(self.memory.group_id)), path)

    def _asked(self) -> Asked:
        return Asked(
            timezone=self.timezone,
            chat=self.asking.chat,
            day=self.asking.day,
            latest=(self.now + timedelta(days=2)).date(),
            known=self.known,
        )

    def _check(self, report: Report, asked: Asked, name: str) -> None:
        group_id = self.memory.group_id
        platform, native = platform_of(group_id), native_of(group_id)
        told = (report.platform or report.format.platform).lower()
        if told and told != platform:
            raise ConfigError(f"{name} is of {told}, but the group is {group_id}")
        talk = report.chats.get(asked.chat)
        if talk.private if talk else report.private:
            raise ConfigError(f"{name} is a talk of two; rules of a group cannot be held against it")
        theirs = report.group_id
        if theirs and theirs != native and not self.asking.chat:
            raise ConfigError(
                f"{name} is of the group {theirs}, not of {native}; if they are the same, say --chat {theirs}"
            )

    def _made(self, detected: Detected, report: Report, asked: Asked, path: Path) -> HandedIn:
        folder = Path(self._stack.enter_context(TemporaryDirectory(prefix="groupops-")))
        made = folder / "new.jsonl"
        read = HandedIn(
            path=path,
            report=report,
            listed=tuple(map(self.names.meant, report.members.values())),
            recalls=Recalls(asked=self.asked_back, by_name=report.identity == "name"),
        )
        second = Reading(detected, asked, path.name, noting=False)
        with made.open("wb") as file:
            write(file, interchange(report, asked, self._fresh(second, read)))
        if read.fresh:
            transcript = read_chatlab(made)
            read.transcript = replace(transcript, path=path, remarks=_remarks(transcript, report))
        return read

    def _fresh(self, values: Iterable[Value], read: HandedIn) -> Iterator[Value]:
        """Give the values that are new, each with an id of its own and, where that is sure, whose it is."""
        quoted, quotes = Quoted(), read.report.kinds["reply"] > 0
        recalls, shown = read.recalls, Names.of(read.report)
        for key, value in keyed(replace(one, chat="") if one.chat else one for one in values):
            first = self.memory.first(key)
            read.again, read.fresh = read.again + (not first), read.fresh + first
            if not first:
                recalls.know(value.at)
            if isinstance(value, Said):
                message_id = value.message_id or f"~{blake2b(key.encode(), digest_size=9).hexdigest()}"
                recalls.meet(message_id, recalled=value.recalled)
                reply = quoted.found(value.reply) if quotes else value.reply
                if quotes:
                    quoted.note(value, message_id)
                if first:
                    answers = value if reply is value.reply else replace(value, reply=reply)
                    yield self._message(answers, message_id, read)
                elif value.recalled_at is not None and self.memory.first(f"{key}/recalled"):
                    read.fresh += 1
                    yield self._taken_back(value, message_id, value.recalled_at)
                continue
            if not first:
                continue
            if isinstance(value, Recalled) and not value.message_id:
                whose = value.author or value.by
                if whose is not None:
                    party = self.names.meant(whose)
                    native = shown.key(whose) or party.id if party.id.startswith("name:") else party.id
                    recalls.notices.append((value.at, AccountId(f"{self.names.platform}:{native}")))
            yield self._known(value)

    def _taken_back(self, value: Said, message_id: str, at: datetime) -> Recalled:
        """Give that a message was taken back which was read before that happened."""
        author = self.names.meant(value.sender)
        return Recalled(row=value.row, at=at, precision=value.precision, message_id=message_id, author=author)

    def _message(self, value: Said, message_id: str, read: HandedIn) -> Said:
        """Give a new message with its id and whose it is, and note where it stands."""
        if len(read.places) < MAX_PLACES:
            read.places[message_id] = value.row
        sender = self._whose(value.sender, read.report)
        if message_id == value.message_id and sender is value.sender:
            return value  # as nearly all with ids: copying one takes as long as writing it
        return replace(value, message_id=message_id, sender=sender)

    def _whose(self, party: Party, report: Report) -> Party:
        """Where a format shows names only, give whose it is; one that has ids knows better itself."""
        return self.names.meant(party) if report.identity == "name" else party

    def _known(self, value: Value) -> Value:
        more: dict[str, Any] = {}
        for key in ("by", "author"):
            if isinstance(party := getattr(value, key, None), Party):
                more[key] = self.names.meant(party)
        if who := getattr(value, "who", ()):
            more["who"] = tuple(map(self.names.meant, who))
        return replace(value, **more) if more else value


def _remarks(transcript: Transcript, report: Report) -> tuple[Remark, ...]:
    remarks = [one for one in transcript.remarks if one.key not in ("after_export", "unsorted", "unlisted")]
    if not report.sure:
        remarks.append(Remark(key="unsure", values={"format": report.format.title}))
    if report.doubts:
        remarks.append(Remark(key="doubts", values={"count": report.doubts.total()}))
    return tuple(remarks)
