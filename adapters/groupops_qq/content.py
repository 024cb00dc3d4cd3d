"""From what a message holds to groupops' segments; pure. Only what the platform vouches for is taken for markup."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator
from typing import Literal

from nonebot.adapters.qq.models import Attachment
from nonebot.adapters.qq.models.qq import GroupMentionEveryone, GroupMentionUser, QQMessage, QQReplyMessage

from groupops import AccountId, Card, File, Image, Media, Mention, Quote, Segment, Text, Voice
from groupops_qq.shapes import word

NAME = "qqbot"
"""The platform's name, the prefix of its ids."""

QUOTED = 300
"""Characters kept of a quoted message."""

A_QUOTE = 103
"""`message_type` of a message that quotes another."""

_MARK = re.compile(
    r"<@!?(?P<one>[0-9A-Za-z_-]{1,128})>|<faceType=\d+,faceId=\"\d+\",ext=\"(?P<ext>[\w+/=-]{1,400})\">"
)

MediaKind = Literal["image", "voice", "video", "file"]

Found = Callable[[str], tuple[str, AccountId | None, str]]
"""From a message's index (`REFIDX_…`) to its id, author and words, as far as they are remembered."""


def account(native: str) -> AccountId:
    """Give the account of an openid; empty for an empty one, which is nobody."""
    return AccountId(f"{NAME}:{native}" if native else "")


def parts(message: QQMessage, me: AccountId, found: Found) -> tuple[Segment, ...]:
    """Give the segments of a message in order: what it quotes, its words and mentions, what is attached.

    Args:
        message: the message.
        me: the bot's own account.
        found: what is remembered of a message that is quoted.
    """
    return (
        *_quote(message, me, found),
        *_words(message, me),
        *(_attached(one) for one in message.attachments or ()),
        *_other(message),
    )


def index_of(message: QQMessage, key: str = "msg_idx") -> str:
    """Give a message's own index, or with `ref_msg_idx` that of the message it quotes; empty when none is told."""
    ext = message.message_scene.ext if message.message_scene is not None else ()
    told = next((item.partition("=")[2] for item in ext if item.startswith(f"{key}=")), "")
    return word(told) or (message.msg_idx or "" if key == "msg_idx" else "")


# — words —


def _words(message: QQMessage, me: AccountId) -> Iterator[Segment]:
    """Give words and mentions. A mark counts only if the platform's own list of mentions names it."""
    meant = _meant(message, me)
    seen: set[AccountId | None] = set()
    plain: list[str] = []
    for piece in _pieces(message.content):
        mention = meant.get(piece.group("one") or "") if isinstance(piece, re.Match) else None
        if mention is None:
            plain.append(_plain(piece))
            continue
        seen.add(mention.account)
        yield from _joined(plain)
        plain.clear()
        yield mention
    rest = tuple({one.account: one for one in meant.values() if one.account not in seen}.values())
    # What the platform cut off stood at the beginning: it cuts the bot's own mention there.
    yield from rest if not seen else ()
    yield from _joined(plain)
    yield from rest if seen else ()


def _pieces(content: str) -> Iterator[str | re.Match[str]]:
    at = 0
    for mark in _MARK.finditer(content):
        yield content[at : mark.start()]
        yield mark
        at = mark.end()
    yield content[at:]


def _plain(piece: str | re.Match[str]) -> str:
    if isinstance(piece, str):
        return piece
    ext = piece.group("ext")
    return piece.group() if ext is None else _face(ext) or piece.group()


def _face(ext: str) -> str:
    """Give what a small picture (表情) is called; empty when it cannot be read."""
    try:
        said = json.loads(base64.b64decode(ext + "=" * (-len(ext) % 4), validate=True))
    except (ValueError, binascii.Error, RecursionError):
        return ""
    return word(said.get("text"), 40) if isinstance(said, dict) else ""  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType] - any shape


def _joined(plain: list[str]) -> Iterator[Segment]:
    text = "".join(plain)
    if text:
        yield Text(text=text)


def _meant(message: QQMessage, me: AccountId) -> dict[str, Mention]:
    """Give the mentions the platform vouches for, by every id that may stand in the words."""
    meant: dict[str, Mention] = {}
    for one in message.mentions or ():
        if isinstance(one, GroupMentionEveryone):
            everybody = Mention(account=None, name=one.username)
            meant |= {"all": everybody, "everyone": everybody}
        else:
            mention = Mention(account=me if one.is_you else account(one.member_openid), name=one.username)
            meant |= {one.id: mention, one.member_openid: mention}
    return meant


def own_openid(message: QQMessage) -> str:
    """Give under which openid the bot itself was mentioned; empty when it was not."""
    mentions = (one for one in message.mentions or () if isinstance(one, GroupMentionUser) and one.is_you)
    return next((one.member_openid for one in mentions), "")


# — a message that is quoted —


def _quote(message: QQMessage, me: AccountId, found: Found) -> Iterator[Segment]:
    index = index_of(message, "ref_msg_idx")
    if not index and message.message_type != A_QUOTE:
        return
    element = next((one for one in message.msg_elements or () if one.msg_idx == index), None)
    message_id, author, text = found(index) if index else ("", None, "")
    told, said = _told(element, me)
    if message_id or index:
        yield Quote(message_id=message_id or index, account=author or told, text=text or said)


def _told(element: QQReplyMessage | None, me: AccountId) -> tuple[AccountId | None, str]:
    """Give author and words of a quoted message as the message that quotes it has them."""
    if element is None:
        return None, ""
    author = element.author
    openid = (author.member_openid or author.user_openid or "") if author is not None else ""
    who = account(openid) or None
    return (me if who == me else who), element.content[:QUOTED]


# — what is attached —


def _attached(one: Attachment) -> Segment:
    kind = _kind(one.content_type)
    media = Media(id=one.url or "", media_kind=kind, size=one.size)
    if kind == "image":
        return Image(media=media)
    if kind == "voice":
        return Voice(media=media)
    return File(media=media, name=one.filename or "")


def _kind(content_type: str) -> MediaKind:
    head = content_type.split("/", maxsplit=1)[0].strip().lower()
    return _KINDS.get(head, "file")


_KINDS: dict[str, MediaKind] = {"image": "image", "voice": "voice", "audio": "voice", "video": "video"}


def _other(message: QQMessage) -> Iterator[Segment]:
    """A message of which nothing else is told is something all the same: its sender has posted."""
    if message.content.strip() or message.attachments or message.mentions or message.msg_elements:
        return
    yield Card(card_kind=f"qq:{message.message_type or 0}")
