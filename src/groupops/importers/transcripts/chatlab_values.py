"""Gives ChatLab's lines, and those of its documents, as values; lines and keys are checked as everywhere else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

from groupops.errors import ImportFailed
from groupops.events import Location, RedPacket
from groupops.importers import chatlab_rows as rows
from groupops.importers.chatlab_rows import BrokenLineError, Row
from groupops.importers.plain_lines import PlainLine, as_bytes, from_somebody, moments, runs
from groupops.importers.transcripts.desk import Desk
from groupops.importers.transcripts.notices import Style, noticed
from groupops.importers.transcripts.quick_values import said
from groupops.importers.transcripts.source import MAX_LINE, opened
from groupops.importers.transcripts.values import (
    Joined,
    Kind,
    Left,
    Named,
    Noticed,
    Party,
    Recalled,
    Renamed,
    Reply,
    Said,
    Value,
)
from groupops.people import platform_of

TYPES: Final[Mapping[Kind, int]] = {
    "text": 0,
    "image": 1,
    "voice": 2,
    "video": 3,
    "file": 4,
    "emoji": 5,
    "link": 7,
    "location": 8,
    "red_packet": 20,
    "transfer": 21,
    "poke": 22,
    "call": 23,
    "share": 24,
    "reply": 25,
    "forward": 26,
    "contact": 27,
    "other": 99,
}
"""Kinds → ChatLab's numbers."""
KINDS: Final[Mapping[int, Kind]] = {number: kind for kind, number in TYPES.items()}

MAX_PARTIES: Final = 20_000
"""Senders that are kept at hand with the names they show."""

_FLAGS: Final = ("joins", "leaves", "recalls", "replies", "mentions")


def behind_heading(desk: Desk) -> Iterator[tuple[int, int, bytes]]:
    """Read the heading of JSONL; give the lines behind it, comments and blank ones too.

    Raises:
        ImportFailed: the heading is wrong.
    """
    lines = desk.source.raw_lines()
    for number, _, raw in lines:
        if raw[:1] == b"#" or raw.isspace():
            continue
        try:
            _head(desk, rows.parsed(_utf8(desk, raw)))
        except BrokenLineError as error:
            raise ImportFailed(desk.source.path.name, [f"line {number}: {error}"]) from error
        break
    return lines


def read_lines(desk: Desk) -> Iterator[Value]:
    """Read JSONL.

    Raises:
        ImportFailed: its header is wrong.
    """
    lines = behind_heading(desk)
    if not desk.source.encoding.startswith("utf-8"):
        for number, _, raw in lines:
            yield from _line(desk, number, raw)
        return
    first, start, _ = next(lines, (0, 0, b""))
    if not first:
        return
    with opened(desk.source.path) as file:
        file.seek(start)
        quick = _Quick(desk)
        for number, run in runs(file, first, desk.source.path, MAX_LINE):
            yield from _line(desk, number, run) if isinstance(run, bytes) else quick.values(number, run)


def _line(desk: Desk, number: int, raw: bytes) -> Iterator[Value]:
    if not raw or raw[:1] == b"#" or raw.isspace():
        return
    try:
        row = rows.parsed(_utf8(desk, raw))
        if rows.one_of(row.get("_type"), ("member", "message"), "_type") == "member":
            _member(desk, row)
            return
        desk.report.rows += 1
        yield value_of(number, row, desk)
    except BrokenLineError as error:
        desk.report.fault(f"line {number}", error)


@dataclass(slots=True)
class _Quick:
    """Makes the values of plain lines, a run at a time."""

    desk: Desk
    _parties: dict[tuple[str, str, str | None], Party] = field(
        default_factory=dict[tuple[str, str, "str | None"], Party]
    )

    def values(self, number: int, run: Sequence[PlainLine]) -> Iterator[Value]:
        """Give the values of a run whose first line has that number."""
        report, at = self.desk.report, moments(run)
        if not (self.desk.can_be(min(at)) and self.desk.can_be(max(at)) and all(map(from_somebody, run))):
            for further, line in enumerate(run, start=number):
                yield from _line(self.desk, further, as_bytes(line))
            return
        report.rows += len(run)
        precision, parties = report.precision, self._parties
        for further, (line, moment) in enumerate(zip(run, at, strict=True), start=number):
            who = (line.sender, line.accountName, line.groupNickname)
            party = parties.get(who) or self._party(who)
            yield said(further, moment, precision, party, line.content, line.platformMessageId)

    def _party(self, who: tuple[str, str, str | None]) -> Party:
        if len(self._parties) >= MAX_PARTIES:
            self._parties.clear()
        sender, name, card = who
        id_ = "" if sender.startswith("name:") else sender
        return self._parties.setdefault(who, Party(id=id_, name=name, card=card or ""))


def _utf8(desk: Desk, raw: bytes) -> bytes:
    if desk.source.encoding != "gb18030":
        return raw
    try:
        return raw.decode("gb18030").encode()
    except UnicodeError as error:
        raise BrokenLineError(f"is not GB18030: {error}") from error


def read_document(desk: Desk) -> Iterator[Value]:
    """Read a document.

    Raises:
        ImportFailed: it is no JSON, or its head is wrong.
    """
    told: Row = {}

    def head(key: str, value: Any) -> None:
        told[key] = value
        try:
            if (key == "meta" and "chatlab" in told) or (key == "chatlab" and "meta" in told):
                _head(desk, told)
            if key == "members":
                for one in rows.objects_of(told, "members"):
                    _member(desk, one)
        except BrokenLineError as error:
            raise ImportFailed(desk.source.path.name, [str(error)]) from error

    items = desk.document(("messages",), head)
    yield from desk.each(items, lambda number, row: (value_of(number, row, desk),), "message")
    if not desk.report.platform:
        raise ImportFailed(desk.source.path.name, ["it has no meta that names platform and group"])


def _head(desk: Desk, row: Row) -> None:
    chatlab, meta = rows.object_of(row, "chatlab"), rows.object_of(row, "meta")
    more, report = rows.object_of(row, "groupops"), desk.report
    version = chatlab.get("version")
    if not isinstance(version, str) or version not in rows.VERSIONS | rows.TOLERATED:
        known = ", ".join(sorted(rows.VERSIONS | rows.TOLERATED))
        raise BrokenLineError(f"chatlab.version is {rows.shown(version)}, this reader knows {known}")
    group = rows.group_of(meta)
    report.platform = platform_of(group)
    report.group_id = rows.id_of(meta, "groupId")
    report.group_name = rows.text_of(meta, "name", "meta.")
    report.private = rows.one_of(meta.get("type", "group"), ("group", "private"), "meta.type") == "private"
    report.generator = rows.text_of(chatlab, "generator", "chatlab.")
    report.timezone = rows.timezone_of(more.get("tz")) or report.timezone
    report.precision = rows.one_of(more.get("precision", "s"), ("ms", "s", "min"), "groupops.precision")
    report.identity = rows.one_of(more.get("identity", "id"), ("id", "name"), "groupops.identity")
    report.me = rows.id_of(meta, "ownerId")
    has = rows.object_of(more, "has", "groupops.")
    report.tells |= {flag for flag in _FLAGS if has.get(flag) is True}


def _member(desk: Desk, row: Row) -> None:
    native = rows.required(row, "platformId")
    desk.report.members[native] = Party(
        id=native,
        name=rows.text_of(row, "accountName"),
        card=rows.text_of(row, "groupNickname"),
        role=rows.role_of(row.get("roles")),
    )


def looked_over(number: int, row: Row, desk: Desk) -> None:
    """See that a message line says nothing it may not, as `value_of` does, without making a value of most.

    Raises:
        BrokenLineError: a key of it says what it may not.
    """
    sender = rows.required(row, "sender")
    rows.required(row, "accountName")
    if rows.type_of(row, sender) in rows.OF_SYSTEM or row.get("groupops") is not None:
        value_of(number, row, desk)
        return
    rows.checked_content(row)
    desk.checked(datetime.fromtimestamp(rows.moment_of(row) // 1000, UTC))
    rows.text_of(row, "groupNickname")
    for key in ("platformMessageId", "replyToMessageId"):
        rows.id_of(row, key)


def value_of(number: int, row: Row, desk: Desk) -> Value:
    """Give what a message line says.

    Raises:
        BrokenLineError: a key of it says what it may not.
    """
    sender = rows.required(row, "sender")
    name = rows.required(row, "accountName")
    kind = rows.type_of(row, sender)
    rows.checked_content(row)
    more: Row = {}
    if row.get("groupops") is not None:
        rows.checked_extension(row)
        more = row["groupops"]
    seconds, ms = divmod(rows.moment_of(row), 1000)
    at = datetime.fromtimestamp(seconds, UTC)
    at = desk.checked(at + timedelta(milliseconds=ms) if ms else at)
    base: dict[str, Any] = {"row": number, "at": at, "precision": desk.report.precision}
    text = row["content"] or ""
    if kind in rows.OF_SYSTEM:
        return _notice(base, text, more, desk)
    if not more:  # of most lines: what only our own writing tells need not be looked for
        return Said(
            **base,
            sender=_party(sender, name, row),
            kind=KINDS[kind],
            text=text,
            message_id=rows.id_of(row, "platformMessageId"),
            reply=_reply(row, more) if row.get("replyToMessageId") is not None else None,
            red_packet=_packet(more, text) if kind == rows.RED_PACKET else None,
            raw_kind=str(kind),
        )
    return Said(
        **base,
        sender=_party(sender, name, row),
        kind=KINDS[kind],
        text=text,
        message_id=rows.id_of(row, "platformMessageId"),
        mentions=tuple(_mentions(more)),
        reply=_reply(row, more),
        media=tuple(filter(None, (rows.text_of(one, "name") for one in rows.objects_of(more, "media")))),
        location=_place(more),
        red_packet=_packet(more, text) if kind == rows.RED_PACKET else None,
        recalled="recalled_at" in more,
        recalled_at=_recalled_at(more),
        order=more.get("order", 0),
        doubt="kind" if more.get("confidence") == "text" else "",
        raw_kind=str(more.get("raw_type") or kind),
    )


def _party(sender: str, name: str, row: Row) -> Party:
    id_ = "" if sender.startswith("name:") else sender
    return Party(id=id_, name=name, card=rows.text_of(row, "groupNickname"))


def _mentions(more: Row) -> Iterable[Named]:
    for one in rows.objects_of(more, "mentions"):
        everybody = one.get("all") is True
        yield Named(
            id="" if everybody else rows.id_of(one, "id"), name=rows.id_of(one, "name"), everybody=everybody
        )


def _reply(row: Row, more: Row) -> Reply | None:
    told = rows.object_of(more, "reply")
    message_id = rows.id_of(row, "replyToMessageId") or rows.id_of(told, "id")
    if not (message_id or told):
        return None
    return Reply(message_id=message_id, sender=rows.id_of(told, "sender"), text=rows.id_of(told, "text"))


def _place(more: Row) -> Location | None:
    place = rows.object_of(more, "location")
    if not place:
        return None
    crs: Any = place.get("crs") if place.get("crs") in ("gcj02", "wgs84", "bd09") else "unknown"
    label = rows.id_of(place, "name") or rows.id_of(place, "address")
    return Location(latitude=place["lat"], longitude=place["lng"], crs=crs, label=label)


def _packet(more: Row, text: str) -> RedPacket:
    told = rows.object_of(more, "red_packet")
    return RedPacket(wish=rows.id_of(told, "wish") or text, amount_fen=told.get("amount_fen"))


def _recalled_at(more: Row) -> datetime | None:
    if "recalled_at" not in more:
        return None
    ms = rows.recalled_of(more)
    return datetime.fromtimestamp(ms // 1000, UTC) + timedelta(milliseconds=ms % 1000)


def _notice(base: Mapping[str, Any], text: str, more: Row, desk: Desk) -> Value:
    event = rows.object_of(more, "event")
    if not event:
        style: Style = "qq" if desk.report.platform == "qq" else "wechat"
        return noticed(style, text, base)
    by = _named(rows.id_of(event, "actor"))
    unknown = tuple(Party(name=name) for name in _texts(event.get("unknown")))
    who = (*filter(None, map(_named, event.get("targets", []))), *unknown)
    match event["kind"]:
        case "member_join" if who or by:
            how: Any = (
                event.get("how") if event.get("how") in ("invite", "qr", "link", "approve") else "unknown"
            )
            return Joined(**base, who=who or _alone(by), by=by if who else None, how=how, text=text)
        case "member_leave" | "member_kick" if who or by:
            removed = event["kind"] == "member_kick"
            return Left(**base, who=who or _alone(by), by=by if who else None, removed=removed, text=text)
        case "rename":
            return Renamed(**base, name=rows.id_of(event, "name"), by=by, text=text)
        case "recall":
            message_id = rows.id_of(event, "message_id")
            return Recalled(**base, message_id=message_id, by=by, author=next(iter(who), None), text=text)
        case kind:
            return Noticed(**base, event=str(kind), who=who, by=by, text=text)


def _texts(value: object) -> list[str]:
    """Give the names of those nobody knows an id of; other programs may write anything there."""
    if not isinstance(value, list):
        return []
    listed = cast("list[object]", value)
    return [one for one in listed if isinstance(one, str) and one.strip()]


def _alone(by: Party | None) -> tuple[Party, ...]:
    return (by,) if by else ()


def _named(key: str) -> Party | None:
    if not key:
        return None
    return Party(name=key.removeprefix("name:")) if key.startswith("name:") else Party(id=key)
