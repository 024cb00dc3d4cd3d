"""The lines of ChatLab JSONL: which keys they have, what may stand there, and a sentence for what may not."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, Literal, TypeGuard, TypeVar, cast
from zoneinfo import available_timezones

import msgspec

from groupops.people import GroupId, Role

VERSIONS: Final = frozenset({"0.0.1", "0.0.2"})
TOLERATED: Final = frozenset({"1.0.0"})
"""Written by programs although there is no such version; its lines are those of 0.0.2."""

MAX_LINE = 1024**2
"""Bytes of the longest line."""
MAX_TEXT = 64 * 1024
"""Characters of the longest text of a message."""

MILLISECONDS_FROM = 10**11
"""A timestamp above this is told in milliseconds: in seconds it would be the year 5138."""
EARLIEST = int(datetime(2009, 1, 1, tzinfo=UTC).timestamp())
"""Before this no platform we know of kept a message; such a time is a mistake."""
LATEST = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp())
"""From here on a time is a mistake too."""

SYSTEM: Final = "SYSTEM"
"""The sender that is reserved for what the platform itself says (types 80 and 81)."""

TEXT, LINK, LOCATION, RED_PACKET, REPLY, SYSTEM_TEXT, RECALL = 0, 7, 8, 20, 25, 80, 81
CARDS: Final[Mapping[int, str]] = {
    5: "emoji",
    21: "transfer",
    22: "poke",
    23: "call",
    24: "share",
    26: "forward",
    27: "contact",
    99: "other",
}
MEDIA: Final[Mapping[int, Literal["image", "voice", "video", "file"]]] = {
    1: "image",
    2: "voice",
    3: "video",
    4: "file",
}
TYPES: Final = frozenset({TEXT, LINK, LOCATION, RED_PACKET, REPLY, SYSTEM_TEXT, RECALL, *CARDS, *MEDIA})
OF_SYSTEM: Final = frozenset({SYSTEM_TEXT, RECALL})

_ROLES: Final[Mapping[str, Role]] = {"owner": Role.OWNER, "admin": Role.ADMIN}
_SHOWN = 40
_DECODER = json.JSONDecoder()
_quick = msgspec.json.Decoder().decode

Row = dict[str, Any]
_Word = TypeVar("_Word", bound=str)


class BrokenLineError(Exception):
    """A line says something it may not; the text names key, value and what was expected."""


def parsed(line: bytes) -> Row:
    """Read one line.

    Raises:
        BrokenLineError: it is no object of JSON in UTF-8, or longer than `MAX_LINE`.
    """
    if len(line) > MAX_LINE:
        raise BrokenLineError(f"has {len(line)} bytes, at most {MAX_LINE} are read")
    try:
        quick = _quick(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _slowly(line)
    return cast("Row", quick) if type(quick) is dict else _slowly(line)


def _slowly(line: bytes) -> Row:
    """Read a line the quick reader has no words for: this one says what is wrong, and takes some that are odd."""
    try:
        text = line.decode()
        row, end = _DECODER.raw_decode(text)
    except UnicodeDecodeError as error:
        raise BrokenLineError(f"is not UTF-8 (byte {error.start}); save the file as UTF-8") from error
    except json.JSONDecodeError as error:
        raise BrokenLineError(f"is not JSON: {error.msg} at character {error.colno}") from error
    except (RecursionError, ValueError) as error:
        raise BrokenLineError(f"is nested too deeply or has a number too long: {error}") from error
    if not isinstance(row, dict):
        raise BrokenLineError(f"is {shown(row)}, expected an object with _type")
    if text[end:].strip():
        raise BrokenLineError(f"has more behind its object: {shown(text[end:].strip())}")
    return cast("Row", row)


def is_row(value: object) -> TypeGuard[Row]:
    """Say whether a value is an object of JSON."""
    return isinstance(value, dict)


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def shown(value: object) -> str:
    """Show a wrong value so that it is found again, without a whole message."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


# — single values —


def required(row: Row, key: str, where: str = "") -> str:
    """Give a text that must be there.

    Raises:
        BrokenLineError: it is missing, empty or no text.
    """
    value = row.get(key)
    if not isinstance(value, str) or not value.strip():
        raise BrokenLineError(f"{where}{key} is {shown(value)}, expected a text that is not empty")
    return value


def text_of(row: Row, key: str, where: str = "") -> str:
    """Give a text that may be missing or null.

    Raises:
        BrokenLineError: it is something else.
    """
    value = row.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BrokenLineError(f"{where}{key} is {shown(value)}, expected a text")
    return value


def id_of(row: Row, key: str) -> str:
    """Give an id as text; numbers are taken, for some writers do not quote them.

    Raises:
        BrokenLineError: it is neither.
    """
    value = row.get(key)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BrokenLineError(f"{key} is {shown(value)}, expected a text")
    return str(value)


def object_of(row: Row, key: str, where: str = "") -> Row:
    """Give an object that may be missing or null.

    Raises:
        BrokenLineError: it is something else.
    """
    value = row.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BrokenLineError(f"{where}{key} is {shown(value)}, expected an object")
    return cast("Row", value)


def objects_of(row: Row, key: str, where: str = "") -> list[Row]:
    """Give a list of objects that may be missing or null.

    Raises:
        BrokenLineError: it is something else.
    """
    value = row.get(key)
    if value is None:
        return []
    if not _is_list(value) or not all(isinstance(one, dict) for one in value):
        raise BrokenLineError(f"{where}{key} is {shown(value)}, expected a list of objects")
    return value


def whole(value: object, where: str) -> int:
    """Give a whole number.

    Raises:
        BrokenLineError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise BrokenLineError(f"{where} is {shown(value)}, expected a whole number")
    return value


def one_of(value: object, words: Iterable[_Word], where: str) -> _Word:
    """Give the word that was written.

    Raises:
        BrokenLineError: it is none of those that may be written.
    """
    known = tuple(words)
    for word in known:
        if value == word:
            return word
    raise BrokenLineError(f"{where} is {shown(value)}, expected one of {', '.join(known)}")


@cache
def timezones() -> frozenset[str]:
    """Give the names of all timezones, looked up once."""
    return frozenset(available_timezones())


def timezone_of(value: object) -> str:
    """Give the name of a timezone, or nothing.

    Raises:
        BrokenLineError: there is no such timezone.
    """
    if value in ("", None):
        return ""
    if not isinstance(value, str) or value not in timezones():
        raise BrokenLineError(f"groupops.tz is {shown(value)}, expected an IANA name such as Asia/Shanghai")
    return value


def group_of(meta: Row) -> GroupId:
    """Give the group's id; one without an id of its own is named by its name.

    Raises:
        BrokenLineError: platform or name is missing.
    """
    platform = required(meta, "platform", "meta.").strip().lower().replace(":", "_")
    native = id_of(meta, "groupId") or f"name:{required(meta, 'name', 'meta.').strip()}"
    return GroupId(f"{platform}:{native}")


def role_of(roles: object) -> Role:
    """Give the highest role of a member's list of roles; unknown where the line tells none.

    Raises:
        BrokenLineError: it is no list of objects with an id.
    """
    ids = [one.get("id") for one in objects_of({"roles": roles}, "roles")]
    return next((role for word, role in _ROLES.items() if word in ids), Role.UNKNOWN)


# — messages —


def moment_of(row: Row) -> int:
    """Give a message's moment in milliseconds since 1970.

    Raises:
        BrokenLineError: it is no whole number or lies where no message can.
    """
    stamp = row.get("timestamp")
    if type(stamp) is not int:
        raise BrokenLineError(f"timestamp is {shown(stamp)}, expected whole seconds since 1970")
    more = row.get("groupops")
    return _milliseconds(stamp, "timestamp") + (_extra(more) if more else 0)


def _milliseconds(stamp: int, where: str) -> int:
    moment = stamp if stamp > MILLISECONDS_FROM else stamp * 1000
    if not EARLIEST <= moment // 1000 < LATEST:
        raise BrokenLineError(f"{where} is {stamp}, expected seconds between 2009 and 2100")
    return moment


def _extra(more: object) -> int:
    ms = cast("Row", more).get("ms", 0) if isinstance(more, dict) else 0
    return ms if type(ms) is int and 0 <= ms < 1000 else 0  # noqa: PLR2004 - `checked_extension` says what is wrong


def type_of(row: Row, sender: str) -> int:
    """Give a message's type.

    Raises:
        BrokenLineError: there is no such type, or the reserved sender says something of a member's.
    """
    kind = row.get("type")
    if type(kind) is not int or kind not in TYPES:
        raise BrokenLineError(f"type is {shown(kind)}, expected one of {', '.join(map(str, sorted(TYPES)))}")
    if sender == SYSTEM and kind not in OF_SYSTEM:
        raise BrokenLineError(f"type is {kind}, but {SYSTEM} says types 80 and 81 only")
    return kind


def checked_content(row: Row) -> None:
    """See that a message's content is text or null.

    Raises:
        BrokenLineError: it is something else, missing or too long.
    """
    content = row.get("content", False)
    if content is None:
        return
    if not isinstance(content, str):
        told = "missing" if content is False else shown(content)
        raise BrokenLineError(f"content is {told}, expected a text or null")
    if len(content) > MAX_TEXT:
        raise BrokenLineError(f"content has {len(content)} characters, at most {MAX_TEXT} are read")


def checked_extension(row: Row) -> None:
    """See that a message's `groupops` object says what the interchange allows; other keys are left alone.

    Raises:
        BrokenLineError: a key of it says something else.
    """
    more = object_of(row, "groupops")
    if not 0 <= whole(more.get("ms", 0), "groupops.ms") < 1000:  # noqa: PLR2004 - milliseconds
        raise BrokenLineError(f"groupops.ms is {more['ms']}, expected 0 to 999")
    whole(more.get("order", 0), "groupops.order")
    if "recalled_at" in more:
        recalled_of(more)
    for mention in objects_of(more, "mentions", "groupops."):
        id_of(mention, "id")
    for medium in objects_of(more, "media", "groupops."):
        text_of(medium, "name", "groupops.media.")
    id_of(object_of(more, "reply", "groupops."), "id")
    _checked_place(object_of(more, "location", "groupops."))
    _checked_packet(object_of(more, "red_packet", "groupops."))
    _checked_event(object_of(more, "event", "groupops."))


def recalled_of(more: Row) -> int:
    """Give the moment at which a message was taken back, in milliseconds since 1970.

    Raises:
        BrokenLineError: it is no moment.
    """
    return _milliseconds(whole(more["recalled_at"], "groupops.recalled_at"), "groupops.recalled_at")


def _checked_place(place: Row) -> None:
    for key, limit in (("lat", 90), ("lng", 180)) if place else ():
        value = place.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not -limit <= value <= limit:
            raise BrokenLineError(
                f"groupops.location.{key} is {shown(value)}, expected degrees from -{limit} to {limit}"
            )


def _checked_packet(packet: Row) -> None:
    amount = packet.get("amount_fen")
    if amount is not None and whole(amount, "groupops.red_packet.amount_fen") < 0:
        raise BrokenLineError(f"groupops.red_packet.amount_fen is {amount}, expected fen or null")


def _checked_event(event: Row) -> None:
    if not event:
        return
    required(event, "kind", "groupops.event.")
    targets = event.get("targets", [])
    if not _is_list(targets) or not all(isinstance(one, str) and one for one in targets):
        raise BrokenLineError(f"groupops.event.targets is {shown(targets)}, expected a list of ids")
    for key in ("actor", "name", "message_id"):
        id_of(event, key)
