"""What WeChat itself writes inside its messages: XML of places, red packets, quotes, joins and recalls; pure functions.

For a bridge that hands on raw messages and for exports that keep them. Nothing here trusts what it reads: texts of
documents are bounded, and a document with a DTD is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from groupops.events import Location, RedPacket

MAX_XML = 1024**2
"""Characters of the longest document that is looked into."""
MAX_MEMBERS = 500
"""Members of the largest group there is; a document that names more is wrong."""

WeChatKind = Literal[
    "text",
    "image",
    "voice",
    "video",
    "file",
    "emoji",
    "link",
    "location",
    "live_location",
    "red_packet",
    "transfer",
    "poke",
    "call",
    "share",
    "reply",
    "forward",
    "contact",
    "announcement",
    "invitation",
    "joined",
    "removed",
    "recalled",
    "notice",
    "friend_request",
    "status",
    "other",
]
"""What a raw message is."""

_KINDS: Final[Mapping[int, WeChatKind]] = {
    1: "text",
    3: "image",
    34: "voice",
    37: "friend_request",
    42: "contact",
    43: "video",
    47: "emoji",
    48: "location",
    50: "call",
    51: "status",
    10000: "notice",
}
_OF_APPS: Final[Mapping[int, WeChatKind]] = {
    1: "link",
    4: "link",
    5: "link",
    6: "file",
    8: "emoji",
    17: "live_location",
    19: "forward",
    33: "share",
    36: "share",
    51: "share",
    57: "reply",
    62: "poke",
    74: "file",
    87: "announcement",
    2000: "transfer",
    2001: "red_packet",
}
_NEWCOMERS: Final = ("names", "adder")
"""Names of the links that hold who came in; `username` and `from` hold who let them in."""
_HOSTS: Final = ("username", "from")
_SYSTEM: Final[Mapping[str, WeChatKind]] = {
    "pat": "poke",
    "mmchatroombarannouncememt": "announcement",
    "roomtoolstips": "notice",
}
_SENDER = re.compile(r"([^\s:<>]{1,128}):\r?\n")
_EVERYBODY: Final = "notify@all"
_ROOM: Final = "@chatroom"
_PLACEHOLDER = re.compile(r"\$(\w+)\$")


class WeChatXmlError(ValueError):
    """A message's XML cannot be read; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeChatMember:
    """Somebody as a document names them."""

    id: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeChatPayload:
    """What a raw message says.

    Args:
        kind: what it is; `joined`, `removed` and `recalled` are told by the platform.
        sender: wxid in front of the content of a group's message; empty where there is none.
        text: the words, or the title of a card.
        description, url: of a card.
        location: where told; WeChat's own coordinates (GCJ-02). A pin the sender chose.
        red_packet: of a red packet; its amount is not visible.
        quote_id, quote_sender, quote_text: of what is answered.
        members: who came in, or was put out.
        by: who let them in or put them out; empty where it is not told.
        recalled_id: of the message that was taken back.
    """

    kind: WeChatKind
    sender: str = ""
    text: str = ""
    description: str = ""
    url: str = ""
    location: Location | None = None
    red_packet: RedPacket | None = None
    quote_id: str = ""
    quote_sender: str = ""
    quote_text: str = ""
    members: tuple[WeChatMember, ...] = ()
    by: WeChatMember | None = None
    recalled_id: str = ""


def split_sender(content: str) -> tuple[str, str]:
    """Split a group's raw content into the wxid in front of it and the rest; old accounts have ids of any look."""
    match = _SENDER.match(content)
    return (match[1], content[match.end() :]) if match else ("", content)


def read_payload(code: int, content: str, *, group: bool = True) -> WeChatPayload:
    """Read a raw message.

    Args:
        code: its MsgType; newer programs' `type | subtype << 32` is taken apart.
        content: its Content.
        group: True when it is of a group, whose messages have their sender in front.

    Raises:
        WeChatXmlError: its XML is broken, too long, or has a DTD.
    """
    sender, body = split_sender(content) if group else ("", content)
    sender = "" if sender.endswith(_ROOM) else sender
    code &= 0xFFFFFFFF
    if code == 49:  # noqa: PLR2004 - a card of an app
        return _app(sender, _document(body))
    if code == 48:  # noqa: PLR2004 - a place
        return _place(sender, _document(body))
    if code == 10002:  # noqa: PLR2004 - the platform speaks
        return _system(_document(body))
    return WeChatPayload(
        kind=_KINDS.get(code, "other"), sender=sender, text=body if code in (1, 10000) else ""
    )


def mentioned(source: str) -> tuple[str, ...]:
    """Give the wxids a message's MsgSource says it mentions; `notify@all` stands for everybody.

    A source that cannot be read mentions nobody: it is written by other people's programs.
    """
    if "<atuserlist" not in source:
        return ()
    try:
        document = _document(source)
    except WeChatXmlError:
        return ()
    ids = (document.findtext(".//atuserlist") or "").split(",")
    return tuple(dict.fromkeys(one.strip() for one in ids if one.strip()))[:MAX_MEMBERS]


def is_everybody(mention: str) -> bool:
    """Say whether one of `mentioned` stands for everybody."""
    return mention == _EVERYBODY


def _document(text: str) -> Any:
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    start = text.find("<")
    if start < 0:
        raise WeChatXmlError("has no XML")
    if len(text) > MAX_XML:
        raise WeChatXmlError(f"its XML has {len(text)} characters, at most {MAX_XML} are read")
    try:
        return fromstring(text[start:].rstrip("\0 \r\n\t"), forbid_dtd=True)
    except DefusedXmlException as error:
        raise WeChatXmlError("its XML has a DTD, which is refused") from error
    except (ParseError, ValueError, RecursionError, MemoryError) as error:
        raise WeChatXmlError(f"its XML is broken: {error}") from error


def _text(node: Any, path: str) -> str:
    return (node.findtext(path) or "").strip()


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0  # noqa: PLR2004 - no kind has more digits


# — cards —


def _app(sender: str, document: Any) -> WeChatPayload:
    card = document if document.tag == "appmsg" else document.find("appmsg")
    if card is None:
        raise WeChatXmlError("its XML has no appmsg")
    sub = _number(_text(card, "type"))
    kind: WeChatKind = _OF_APPS.get(sub, "other")
    title, quote = _text(card, "title"), card.find("refermsg")
    wish = _text(card, "wcpayinfo/sendertitle") or _text(card, "wcpayinfo/receivertitle") or title
    quoted = quote is not None and kind == "reply"
    return WeChatPayload(
        kind=kind,
        sender=sender,
        text=title,
        description=_text(card, "des"),
        url=_text(card, "url"),
        red_packet=RedPacket(wish=wish) if kind == "red_packet" else None,
        quote_id=_text(quote, "svrid") if quoted else "",
        quote_sender=(_text(quote, "chatusr") or _text(quote, "fromusr")) if quoted else "",
        quote_text=_text(quote, "content") if quoted else "",
    )


def _place(sender: str, document: Any) -> WeChatPayload:
    place = document if document.tag == "location" else document.find("location")
    if place is None:
        raise WeChatXmlError("its XML has no location")
    try:
        latitude, longitude = float(place.get("x", "")), float(place.get("y", ""))
    except ValueError as error:
        raise WeChatXmlError(
            f"its place is {place.get('x')!r}, {place.get('y')!r}, expected degrees"
        ) from error
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):  # noqa: PLR2004 - degrees
        raise WeChatXmlError(f"its place is {latitude}, {longitude}, which is nowhere")
    label = place.get("poiname") or place.get("label") or ""
    where = Location(latitude=latitude, longitude=longitude, crs="gcj02", label=label)
    return WeChatPayload(kind="location", sender=sender, text=label, location=where)


# — the platform —


def _system(document: Any) -> WeChatPayload:
    told: str = document.get("type", "")
    if document.tag == "revokemsg" or told == "revokemsg":
        inner = document if document.tag == "revokemsg" else document.find("revokemsg")
        if inner is None:
            raise WeChatXmlError("its XML has no revokemsg")
        message = _text(inner, "newmsgid") or _text(inner, "msgid")
        return WeChatPayload(kind="recalled", text=_text(inner, "replacemsg"), recalled_id=message)
    if told == "sysmsgtemplate":
        return _template(document)
    return WeChatPayload(kind=_SYSTEM.get(told, "other"), text=_text(document, ".//text"))


def _template(document: Any) -> WeChatPayload:
    inner = document.find(".//content_template")
    if inner is None:
        raise WeChatXmlError("its XML has no content_template")
    template = _text(inner, "template")
    links = {link.get("name", ""): tuple(_members(link)) for link in inner.iterfind("link_list/link")}
    names = {name: "、".join(one.name for one in members) for name, members in links.items()}
    text = _PLACEHOLDER.sub(lambda match: names.get(match[1], ""), template)
    if out := links.get("kickoutname"):
        return WeChatPayload(kind="removed", text=text, members=out)
    for name in _NEWCOMERS:
        if (came := links.get(name)) and f"${name}$" in template:
            host = next((one for key in _HOSTS for one in links.get(key, ())), None)
            return WeChatPayload(kind="joined", text=text, members=came, by=host)
    return WeChatPayload(kind="notice", text=text)


def _members(link: Any) -> Iterator[WeChatMember]:
    for count, member in enumerate(link.iterfind("memberlist/member")):
        id_ = _text(member, "username")
        if count >= MAX_MEMBERS:
            raise WeChatXmlError(f"names more than {MAX_MEMBERS} members")
        if id_:
            yield WeChatMember(id=id_, name=_text(member, "nickname"))
