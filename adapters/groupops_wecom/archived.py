"""From messages of the archive to facts; pure, as `read` is."""

from __future__ import annotations

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
from groupops_wecom import archive
from groupops_wecom.archive import Action, Archived
from groupops_wecom.faces import is_robot
from groupops_wecom.read import Facts, Sight, base_of, moment_of, place_at, shared
from groupops_wecom.rooms import account

ARCHIVE = "archive"
"""The source of what the archive tells."""

MILLIS = 1000


def read_archived(message: Archived, sight: Sight) -> Facts:
    """Give what a message of the archive tells; nothing for what `no_interest` says is nobody's business.

    Args:
        message: the message.
        sight: what may be looked up.
    """
    if no_interest(message):
        return ()
    user = sight.plain(message.sender) or ""
    at = moment_of(message.at / MILLIS, sight.now)
    base = base_of(sight, sight.room(message.room), at, ARCHIVE, message.msgid, source=ARCHIVE)
    match message.content:
        case archive.Revoked(pre_msgid=gone):
            return (MessageRecalled(**base, account=account(user), message_id=sight.known(gone)),)
        case archive.Location() as found:
            label = " ".join(part for part in (found.title, found.address) if part)
            place = place_at(found.latitude or 0.0, found.longitude or 0.0, label)
            return shared(base, user, place, message.msgid, private=False)
        case archive.RedPacket() as found:
            return (
                RedPacketSent(
                    **base,
                    account=account(user),
                    red_packet=_packet(found, amounts=sight.amounts),
                    message_id=message.msgid,
                ),
            )
        case _:
            return _posted(base, user, message, sight)


def no_interest(message: Archived) -> str:
    """Say why a message is nobody's business here; nothing for one that is."""
    content = message.content
    if isinstance(content, archive.OfNoInterest):
        return content.why
    if message.action is Action.SWITCH:
        return "somebody switched to another enterprise"
    if message.action is Action.OTHER or not message.sender:
        return "it is no message"
    if not message.room:
        return "it was said outside groups"
    if is_robot(message.sender):
        return "a robot said it"
    if isinstance(content, archive.Revoked):
        return "" if content.pre_msgid else "it does not say which message was taken back"
    if isinstance(content, archive.Location):
        return "" if content.latitude is not None else "it is a place nowhere"
    if isinstance(content, archive.RedPacket) or next(_parts(content, message.msgid), None) is not None:
        return ""
    return f"nobody's words: {type(content).__name__}"


def _packet(found: archive.RedPacket, *, amounts: bool) -> RedPacket:
    """Read a red packet: what the total is counted in is not documented, so only the operator's word makes it fen."""
    return RedPacket(wish=found.wish, amount_fen=found.totalamount or None if amounts else None)


def _posted(base: dict[str, Any], user: str, message: Archived, sight: Sight) -> Facts:
    said, to_bot = uncalled(tuple(_parts(message.content, message.msgid)), sight.calls)
    return (
        MessagePosted(
            **base,
            account=account(user),
            message_id=message.msgid,
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


def _parts(content: archive.Content, id_: str) -> Iterator[Segment]:
    """Give the segments of a message; none for what nobody says: calls, meetings, approvals of being kept."""
    if isinstance(content, archive.Mixed):
        for item in content.items:
            yield from _parts(item.content, id_)
        return
    if isinstance(content, archive.News):
        for article in content.item:
            yield Link(url=article.url, title=article.title)
        return
    made = _MADE.get(type(content))
    if made is not None:
        yield made(content)


def _media(id_: str, kind: Any, size: int | None, seconds: int | None = None) -> Media:
    return Media(
        id=f"{ARCHIVE}/{id_}",
        media_kind=kind,
        size=size,
        duration=timedelta(seconds=seconds) if seconds else None,
    )


def _image(found: Any) -> Segment:
    size = found.filesize if isinstance(found, archive.Image) else found.imagesize
    return Image(media=_media(found.sdkfileid, "image", size))


def _voice(found: Any) -> Segment:
    return Voice(media=_media(found.sdkfileid, "voice", found.voice_size, found.play_length))


def _video(found: Any) -> Segment:
    return File(media=_media(found.sdkfileid, "video", found.filesize, found.play_length))


def _file(found: Any) -> Segment:
    return File(media=_media(found.sdkfileid, "file", found.filesize), name=found.filename)


def _card(kind: str, title: str, text: str = "") -> Callable[[Any], Segment]:
    def made(found: Any) -> Segment:
        return Card(card_kind=kind, title=getattr(found, title), text=getattr(found, text) if text else "")

    return made


_MADE: Mapping[type[Any], Callable[[Any], Segment]] = MappingProxyType(
    {
        archive.Text: lambda found: Text(text=found.content),
        archive.Markdown: lambda found: Text(text=found.content),
        archive.Image: _image,
        archive.Emotion: _image,
        archive.Voice: _voice,
        archive.Video: _video,
        archive.File: _file,
        archive.Link: lambda found: Link(url=found.link_url, title=found.title),
        archive.Card: _card("card", "corpname"),
        archive.WeApp: _card("weapp", "title", "description"),
        archive.ChatRecord: _card("chatrecord", "title"),
        archive.Vote: _card("vote", "votetitle"),
        archive.Collect: _card("collect", "title", "room_name"),
        archive.Todo: _card("todo", "title", "content"),
        archive.Document: _card("document", "title", "link_url"),
        archive.Calendar: _card("calendar", "title", "remarks"),
        archive.ChannelPost: _card("channel_post", "sph_name", "feed_desc"),
        archive.DiskFile: _card("disk_file", "filename", "url"),
        archive.Solitaire: _card("solitaire", "solitaire_content"),
    }
)
"""What somebody says or shares; all other kinds are nobody's words."""
