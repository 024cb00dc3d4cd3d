"""From decrypted messages of the archive to facts; pure, as `read` is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from groupops import (
    Card,
    File,
    Image,
    Link,
    Media,
    MessagePosted,
    MessageRecalled,
    RedPacket,
    RedPacketSent,
    Segment,
    Text,
    Voice,
)
from groupops_wecom.faces import is_robot
from groupops_wecom.read import Facts, Sight, base_of, moment_of, place_at, shared
from groupops_wecom.rooms import account
from groupops_wecom.shapes import real, rows, table, whole, word

ARCHIVE = "archive"
"""The source of what the archive tells."""

MILLIS = 1000


def read_archived(raw: Mapping[str, Any], sight: Sight) -> Facts:
    """Give what a decrypted message of the archive tells; nothing for talk between two, robots, and housekeeping.

    Args:
        raw: the message as WeCom's library gives it.
        sight: what may be looked up.
    """
    if no_interest(raw):
        return ()
    chat, sender, id_ = (word(raw.get(key)) for key in ("roomid", "from", "msgid"))
    action, kind = word(raw.get("action")), word(raw.get("msgtype"))
    user = sight.plain(sender) or ""
    at = moment_of(real(raw.get("msgtime")) / MILLIS, sight.now)
    base = base_of(sight, sight.room(chat), at, ARCHIVE, id_, source=ARCHIVE)
    if action == "recall" or kind == "revoke":
        return _recalled(base, user, table(raw.get("revoke")), sight)
    match kind:
        case "location":
            return _archived_place(base, user, table(raw.get("location")), id_)
        case "redpacket" | "external_redpacket":
            return _packet(base, user, table(raw.get("redpacket")), id_, amounts=sight.amounts)
        case _:
            return _archived_words(base, user, raw, id_, sight)


def no_interest(raw: Mapping[str, Any]) -> str:
    """Say why a message is nobody's business here; nothing for one that is.

    Args:
        raw: the message as WeCom's library gives it.
    """
    action, kind = word(raw.get("action")), word(raw.get("msgtype"))
    if action not in {"send", "recall"}:
        return f"no message: {action[:20] or 'nothing'}"
    if not (word(raw.get("from")) and word(raw.get("msgid"))):
        return "it is nobody's"
    if not word(raw.get("roomid")):
        return "it was said outside groups"
    if is_robot(word(raw.get("from"))):
        return "a robot said it"
    if action == "recall" or kind in _PLAIN_KINDS or kind in _CARDS:
        return ""
    return f"nobody's words: {kind[:40]}"


def _recalled(base: dict[str, Any], user: str, revoke: dict[str, Any], sight: Sight) -> Facts:
    gone = word(revoke.get("pre_msgid"))
    if not gone:
        return ()
    return (MessageRecalled(**base, account=account(user), message_id=sight.known(gone)),)


def _archived_place(base: dict[str, Any], user: str, found: dict[str, Any], id_: str) -> Facts:
    label = " ".join(part for part in (word(found.get("title")), word(found.get("address"))) if part)
    place = place_at(real(found.get("latitude")), real(found.get("longitude")), label)
    return shared(base, user, place, id_, private=False)


def _packet(base: dict[str, Any], user: str, found: dict[str, Any], id_: str, *, amounts: bool) -> Facts:
    """Read a red packet: what the total is counted in is not documented, so it is believed on the operator's word only."""
    total = whole(found.get("totalamount"))
    packet = RedPacket(wish=word(found.get("wish")), amount_fen=total if amounts and total > 0 else None)
    return (RedPacketSent(**base, account=account(user), red_packet=packet, message_id=id_),)


def _archived_words(base: dict[str, Any], user: str, raw: Mapping[str, Any], id_: str, sight: Sight) -> Facts:
    segments = tuple(archived_parts(raw, id_))
    if not segments:
        return ()
    said, to_bot = uncalled(segments, sight.calls)
    return (
        MessagePosted(
            **base,
            account=account(user),
            message_id=id_,
            segments=said,
            name=sight.called(user),
            to_bot=to_bot,
        ),
    )


def uncalled(segments: tuple[Segment, ...], calls: Iterable[str]) -> tuple[tuple[Segment, ...], bool]:
    """Leave out the name a bot is called by, once, as the bot itself is told; and say whether it was called.

    The same utterance comes from the AI bot without its name; only so the two are known to be one.
    """
    for call in sorted(calls, key=len, reverse=True):
        pattern = re.compile(rf"@{re.escape(call)}(?:\s|$)")
        for place, part in enumerate(segments):
            if isinstance(part, Text) and pattern.search(part.text):
                left = Text(text=pattern.sub("", part.text, count=1).strip())
                return (*segments[:place], left, *segments[place + 1 :]), True
    return segments, False


def archived_parts(raw: Mapping[str, Any], id_: str, depth: int = 0) -> Iterator[Segment]:
    """Give the segments of an archived message; none for what nobody says: calls, meetings, approvals of keeping."""
    kind = word(raw.get("msgtype"))
    found = table(raw.get(_KEYS.get(kind, kind)))
    if kind in _MEDIA:
        yield _MEDIA[kind](found)
    elif kind in _CARDS:
        title, text = (word(found.get(key), 4096) for key in _CARDS[kind])
        yield Card(card_kind=kind, title=title, text=text)
    elif kind in {"text", "markdown"} and found.get("content"):
        yield Text(text=word(found.get("content"), 1 << 20))
    elif kind == "link":
        yield Link(url=word(found.get("link_url"), 4096), title=word(found.get("title")))
    elif kind == "news":
        for one in map(table, rows(found.get("item"))):
            yield Link(url=word(one.get("url"), 4096), title=word(one.get("title")))
    elif kind == "mixed" and depth == 0:
        for one in map(table, rows(found.get("item"))):
            yield from _mixed_part(one, id_)


def _mixed_part(item: dict[str, Any], id_: str) -> Iterator[Segment]:
    """Read a part of a mixed message; its content is JSON written as a text."""
    kind = word(item.get("type")).lower()
    try:
        content = table(json.loads(word(item.get("content"), 1 << 20) or "{}"))
    except (ValueError, RecursionError):
        return
    yield from archived_parts({"msgtype": kind, kind: content}, id_, depth=1)


def _archived_media(found: dict[str, Any], kind: Any) -> Media:
    size = whole(found.get("filesize")) or whole(found.get("imagesize")) or whole(found.get("voice_size"))
    length = whole(found.get("play_length"))
    return Media(
        id=f"{ARCHIVE}/{word(found.get('sdkfileid'), 2048)}",
        media_kind=kind,
        size=size or None,
        duration=timedelta(seconds=length) if length else None,
    )


def _image(found: dict[str, Any]) -> Segment:
    return Image(media=_archived_media(found, "image"))


def _voice(found: dict[str, Any]) -> Segment:
    return Voice(media=_archived_media(found, "voice"))


def _video(found: dict[str, Any]) -> Segment:
    return File(media=_archived_media(found, "video"))


def _file(found: dict[str, Any]) -> Segment:
    return File(media=_archived_media(found, "file"), name=word(found.get("filename")))


_MEDIA: Mapping[str, Callable[[dict[str, Any]], Segment]] = MappingProxyType(
    {"image": _image, "emotion": _image, "voice": _voice, "video": _video, "file": _file}
)

_PLAIN_KINDS = frozenset(
    "text markdown image emotion voice video file link mixed news location redpacket external_redpacket".split()
)

_KEYS: Mapping[str, str] = MappingProxyType(
    {"docmsg": "doc", "markdown": "info", "news": "info", "note": "info"}
)
"""Kinds whose content stands under another name (protocol sheet 12)."""

_CARDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "card": ("corpname", "userid"),
        "weapp": ("title", "description"),
        "chatrecord": ("title", ""),
        "vote": ("votetitle", ""),
        "collect": ("room_name", "title"),
        "todo": ("title", "content"),
        "docmsg": ("title", "link_url"),
        "calendar": ("title", "remarks"),
        "sphfeed": ("sph_name", "feed_desc"),
        "note": ("title", "description"),
    }
)
"""Kinds that somebody shares, and under which keys their title and words are; all other kinds are nobody's words."""
