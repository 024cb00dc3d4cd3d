"""What AI bots may do, over either transport: answers and their windows, cards, pushes, uploads, rates."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass, field
from typing import Any, Final

from groupops_wecom.testing.cards import check_card, given, require, table
from groupops_wecom.testing.meters import Meter
from groupops_wecom.testing.refusals import RefusalError
from groupops_wecom.testing.world import AiBot, Card, Group, Json, Person, Said, World

BAD_REQ_ID: Final = 846605
STREAM_EXPIRED: Final = 846608
NOT_SUBSCRIBED: Final = 846609
BAD_CHAT: Final = 93006
TOO_LONG: Final = 45002

ANSWER_WINDOW: Final = 24 * 3600
STREAM_WINDOW: Final = 6 * 60
EVENT_WINDOW: Final = 5
CONTENT_BYTES: Final = 20480
CHUNK_BYTES: Final = 512 * 1024
CHUNKS: Final = 100
UPLOAD_WINDOW: Final = 30 * 60
MEDIA_WINDOW: Final = 3 * 24 * 3600
MEDIA_BYTES: Final = {"image": 10 << 20, "video": 10 << 20, "voice": 2 << 20, "file": 20 << 20}


@dataclass(kw_only=True, slots=True)
class Anchor:
    """Something a bot was told, and may answer.

    Args:
        id: the `req_id` it came with.
        kind: `message`, or the event's type.
        card: the card that was pressed.
        used: whether what may be answered once was.
        streams: the streams begun in answer, by the bot's own ids for them.
        response_code: of the `response_url`, in callback mode.
    """

    id: str
    bot: AiBot
    kind: str
    where: Group | Person
    userid: str
    at: float
    body: Json
    card: Card | None = None
    used: bool = False
    streams: dict[str, Said] = field(default_factory=dict[str, Said])
    response_code: str = ""


@dataclass(kw_only=True, slots=True)
class Upload:
    """A file that comes in chunks."""

    id: str
    bot: str
    kind: str
    name: str
    size: int
    chunks: int
    md5: str
    at: float
    parts: dict[int, bytes] = field(default_factory=dict[int, bytes])


class AiBots:
    """The rules.

    Args:
        world: what there is.

    Attributes:
        from_first_frame: whether the six minutes of a stream count from its first frame. The vendor's pages disagree;
            they count from the user's message unless this is set, which is the stricter reading.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.from_first_frame = False
        self.anchors: dict[str, Anchor] = {}
        self.uploads: dict[str, Upload] = {}
        self.spoken: set[tuple[str, str]] = set()
        self._talk = Meter((30, 60), (1000, 3600))
        self._inits = Meter((30, 60), (1000, 3600))

    # — names —

    def seen(self, bot: AiBot, userid: str) -> str:
        """The id this bot sees for a person."""
        return userid if bot.plain_ids else self.world.people[userid].open_userid

    def meant(self, bot: AiBot, id_: str) -> Person | None:
        """The person this bot means."""
        people = self.world.people.values()
        return next((one for one in people if self.seen(bot, one.userid) == id_ and not one.external), None)

    # — what a bot is told —

    def anchor(self, bot: AiBot, kind: str, where: Group | Person, userid: str, body: Json) -> Anchor:
        """Let something be told to a bot; gives what its answer hangs on."""
        made = Anchor(
            id=self.world.fresh("SRVREQ"),
            bot=bot,
            kind=kind,
            where=where,
            userid=userid,
            at=self.world.now(),
            body=body,
        )
        self.anchors[made.id] = made
        if kind == "message":
            self.spoken.add((bot.bot_id, _key(where)))
        return made

    # — what a bot does —

    def respond(self, bot: AiBot, req_id: str, body: Json) -> None:
        """Answer a message.

        Raises:
            RefusalError: with WeCom's number.
        """
        anchor = self._anchored(bot, req_id, {"message"}, ANSWER_WINDOW)
        if body.get("msgtype") in {"stream", "stream_with_template_card"}:
            require(
                body["msgtype"] == "stream" or bot.callback, "stream_with_template_card is not supported here"
            )
            self._stream(anchor, body.get("stream", {}))
            if "template_card" in body:
                self._posted(bot, anchor.where, {**body, "msgtype": "template_card"})
            return
        self._posted(bot, anchor.where, body)

    def welcome(self, bot: AiBot, req_id: str, body: Json) -> None:
        """Greet somebody who opened the chat, once and within five seconds.

        Raises:
            RefusalError: with WeCom's number.
        """
        anchor = self._anchored(bot, req_id, {"enter_chat"}, EVENT_WINDOW)
        self._posted(bot, anchor.where, body, kinds=("text", "template_card"))
        anchor.used = True

    def update(self, bot: AiBot, req_id: str, body: Json) -> None:
        """Replace a card that was pressed, once and within five seconds.

        Raises:
            RefusalError: with WeCom's number.
        """
        anchor = self._anchored(bot, req_id, {"template_card_event"}, EVENT_WINDOW)
        card = given(anchor.card, "invalid req_id", BAD_REQ_ID)
        require(body.get("response_type") == "update_template_card", "response_type")
        template: Json = body.get("template_card", {})
        check_card(template, update=True)
        require(template.get("task_id") == card.task_id, "task_id is not the event's")
        people = [self.meant(bot, one) for one in body.get("userids", ())]
        require(None not in people, "userids")
        if not people:
            card.template = template
            card.shown.clear()
        card.shown.update({one.userid: template for one in people if one is not None})
        anchor.used = True

    def push(self, bot: AiBot, body: Json) -> None:
        """Say something of the bot's own accord, where somebody has spoken to it before.

        Raises:
            RefusalError: with WeCom's number; 93006 also where nobody has spoken, for which none is published.
        """
        where = self._target(bot, str(body.get("chatid", "")), body.get("chat_type"))
        self._posted(bot, where, body)

    def by_response_url(self, code: str, body: Json) -> None:
        """Say something by a `response_url`: once, within an hour.

        Raises:
            RefusalError: with WeCom's number.
        """
        known = next((one for one in self.anchors.values() if code and one.response_code == code), None)
        anchor = given(known, "response_code", BAD_REQ_ID)
        require(self.world.now() - anchor.at <= 3600, "response_code is too old", BAD_REQ_ID)  # noqa: PLR2004
        self._posted(anchor.bot, anchor.where, body, kinds=("markdown", "template_card"))
        anchor.response_code = ""

    # — uploads —

    def upload_init(self, bot: AiBot, body: Json) -> Json:
        """Begin an upload; gives its id.

        Raises:
            RefusalError: with WeCom's number.
        """
        kind, chunks, size = body.get("type"), body.get("total_chunks"), body.get("total_size")
        require(kind in MEDIA_BYTES, "type", 40004)
        require(isinstance(size, int) and 5 < size <= MEDIA_BYTES[str(kind)], "total_size", 40006)  # noqa: PLR2004
        require(isinstance(chunks, int) and 1 <= chunks <= CHUNKS, "total_chunks")
        require(body.get("filename"), "filename")
        require(self._inits.admits(bot.bot_id, self.world.now()), "uploads", 45009)
        upload = Upload(
            id=self.world.fresh("UPLOAD"),
            bot=bot.bot_id,
            kind=str(kind),
            name=str(body["filename"]),
            size=int(str(size)),
            chunks=int(str(chunks)),
            md5=str(body.get("md5", "")),
            at=self.world.now(),
        )
        self.uploads[upload.id] = upload
        return {"upload_id": upload.id}

    def upload_chunk(self, bot: AiBot, body: Json) -> None:
        """Take a chunk; the first has the index 0, and one that comes again changes nothing.

        Raises:
            RefusalError: with WeCom's number.
        """
        upload = self._upload(bot, body)
        index = body.get("chunk_index")
        require(isinstance(index, int) and 0 <= index < upload.chunks, "chunk_index")
        try:
            data = base64.b64decode(str(body.get("base64_data", "")), validate=True)
        except binascii.Error:
            raise RefusalError(40058, "base64_data") from None
        require(0 < len(data) <= CHUNK_BYTES, "base64_data is too long")
        upload.parts[int(str(index))] = data

    def upload_finish(self, bot: AiBot, body: Json) -> Json:
        """Put the chunks together; gives the media id.

        Raises:
            RefusalError: with WeCom's number.
        """
        upload = self._upload(bot, body)
        require(len(upload.parts) == upload.chunks, "chunks are missing")
        data = b"".join(upload.parts[index] for index in range(upload.chunks))
        require(len(data) == upload.size, "total_size")
        digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
        require(upload.md5 in {"", digest}, "md5")
        media = self.world.keep(upload.kind, upload.name, data)
        del self.uploads[upload.id]
        return {"type": upload.kind, "media_id": media.id, "created_at": int(media.at)}

    # — within —

    def _anchored(self, bot: AiBot, req_id: str, kinds: set[str], lasts: float) -> Anchor:
        anchor = given(self.anchors.get(req_id), "invalid req_id", BAD_REQ_ID)
        fits = anchor.bot is bot and anchor.kind in kinds and not anchor.used
        require(fits, "invalid req_id", BAD_REQ_ID)
        require(self.world.now() - anchor.at <= lasts, "invalid req_id: too late", BAD_REQ_ID)
        return anchor

    def _stream(self, anchor: Anchor, stream: Json) -> None:
        id_, content = stream.get("id"), str(stream.get("content", ""))
        require(isinstance(id_, str) and id_, "stream.id")
        _fits(content)
        require(
            not stream.get("msg_item") or (anchor.bot.callback and stream.get("finish")), "stream.msg_item"
        )
        said = anchor.streams.get(str(id_))
        require(said is None or not said.finished, "invalid req_id: the stream is finished", BAD_REQ_ID)
        now = self.world.now()
        since = (said.at if said else now) if self.from_first_frame else anchor.at
        require(now - since <= STREAM_WINDOW, "stream message update expired", STREAM_EXPIRED)
        require(said is None or "feedback" not in stream, "stream.feedback belongs to the first frame")
        require(len(str(stream.get("feedback", {}).get("id", "")).encode()) <= 256, "stream.feedback.id")  # noqa: PLR2004
        if said is None:
            self._talks(anchor.bot, anchor.where)
            said = self.world.post(anchor.where, anchor.bot.bot_id, "markdown", {})
            anchor.streams[str(id_)] = said
        said.body = {"content": content, **{k: v for k, v in stream.items() if k in {"feedback", "msg_item"}}}
        said.finished = bool(stream.get("finish"))

    def _posted(
        self,
        bot: AiBot,
        where: Group | Person,
        body: Json,
        kinds: tuple[str, ...] = ("markdown", "template_card", "image", "file", "voice", "video"),
    ) -> Said:
        kind = str(body.get("msgtype", ""))
        require(kind in kinds, f"msgtype {kind!r}", 40008)
        content = table(body.get(kind), f"{kind} is empty", 44004)
        card = None
        if kind == "template_card":
            card = self._new_card(bot, content)
        elif kind in MEDIA_BYTES:
            self._media(kind, content)
        else:
            require(content.get("content"), "content", 44004)
            _fits(str(content["content"]))
        self._talks(bot, where)
        return self.world.post(where, bot.bot_id, kind, content, card)

    def _new_card(self, bot: AiBot, template: Json) -> Card:
        check_card(template)
        task_id = str(template.get("task_id", ""))
        known = [
            one for place in self._places() for one in place.said if one.card and one.card.task_id == task_id
        ]
        require(not task_id or all(one.by != bot.bot_id for one in known), "task_id was used before")
        return Card(task_id=task_id, template=template, maker=bot.bot_id)

    def _places(self) -> list[Group | Person]:
        return [*self.world.groups, *self.world.people.values()]

    def _media(self, kind: str, content: Json) -> None:
        media = self.world.media.get(str(content.get("media_id")))
        fresh = media is not None and media.kind == kind and self.world.now() - media.at <= MEDIA_WINDOW
        require(fresh, "media_id", 40007)

    def _talks(self, bot: AiBot, where: Group | Person) -> None:
        inside = (
            bot.bot_id in where.bots and not where.dismissed
            if isinstance(where, Group)
            else where.status == 1
        )
        require(inside, "invalid chatid", BAD_CHAT)
        admitted = self._talk.admits(f"{bot.bot_id} {_key(where)}", self.world.now())
        require(admitted, "api freq out of limit", 45009)

    def _target(self, bot: AiBot, chatid: str, chat_type: Any) -> Group | Person:
        require(chat_type in {None, 1, 2}, "chat_type")
        group = self.world.find("chat", chatid) if chat_type != 1 else None
        person = self.meant(bot, chatid) if chat_type != 2 else None  # noqa: PLR2004
        where = group or person
        if where is None:
            raise RefusalError(BAD_CHAT, "invalid chatid")
        require((bot.bot_id, _key(where)) in self.spoken, "invalid chatid", BAD_CHAT)
        return where

    def _upload(self, bot: AiBot, body: Json) -> Upload:
        upload = given(self.uploads.get(str(body.get("upload_id"))), "upload_id")
        require(upload.bot == bot.bot_id, "upload_id")
        require(self.world.now() - upload.at <= UPLOAD_WINDOW, "upload_id is too old")
        return upload


def _key(where: Group | Person) -> str:
    return where.chat_id if isinstance(where, Group) else where.userid


def _fits(content: str) -> None:
    require(len(content.encode()) <= CONTENT_BYTES, "content is too long", TOO_LONG)
