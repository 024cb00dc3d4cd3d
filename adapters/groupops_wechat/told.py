"""From what a service tells to events: pure, and nothing a service may tell makes it raise."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from groupops_wechat.dialect import QUOTE_OF_MESSAGE, text_of
from groupops_wechat.event import (
    AnnouncedEvent,
    DirtyEvent,
    Event,
    FriendAskedEvent,
    GroupMessageEvent,
    MemberJoinedEvent,
    MemberLeftEvent,
    MessageEvent,
    PrivateMessageEvent,
    RecalledEvent,
    RoomInvitedEvent,
    ScanEvent,
    TopicChangedEvent,
    TroubleEvent,
)
from groupops_wechat.kinds import DIRTY, kind_of, seconds
from groupops_wechat.message import Message, MessageSegment, without_name

LONGEST_ID = 256
"""Characters of an id; a longer one is nobody's."""

_TROUBLE = 100_000
_WRAPPED = 3

MEDIA = frozenset({"attachment", "audio", "emoticon", "image", "video"})

_RECALLED = tuple(re.compile(rf"<{name}>\s*(\d{{1,24}})\s*</{name}>") for name in ("newmsgid", "msgid"))
_PREFIX = re.compile(r"\A[^\s:<>]{1,64}:\n")


def payload_of(text: str) -> dict[str, Any]:
    """Give the JSON object of an event; empty for anything else."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def word(value: object, longest: int = LONGEST_ID) -> str:
    """Give a text; anything else, and a text that is too long to be an id, is empty."""
    return value if isinstance(value, str) and len(value) <= longest else ""


def words(value: object) -> tuple[str, ...]:
    """Give the texts of a list."""
    if not isinstance(value, list):
        return ()
    found = [word(one) for one in cast("list[object]", value)]
    return tuple(dict.fromkeys(one for one in found if one))


def when(payload: Mapping[str, Any], now: float) -> float:
    """Give when it happened; the present, where that is not said or is no time."""
    stamp = payload.get("timestamp")
    if isinstance(stamp, bool) or not isinstance(stamp, int | float) or not 0 < stamp < 1e14:  # noqa: PLR2004 - year 5138 in milliseconds
        return now
    return seconds(float(stamp))


def notices(kind: str, payload: Mapping[str, Any], me: str, now: float) -> Sequence[Event]:
    """Give the events of a number that is no message.

    Args:
        kind: what `kinds.EVENTS` calls it.
        payload: its JSON.
        me: the account, empty before it is known.
        now: the present, seconds since the epoch.

    Returns:
        The events, one for each person they are about; none for what is of no interest or makes no sense.
    """
    at, room = when(payload, now), word(payload.get("roomId"))
    raw = dict(payload)
    match kind:
        case "room_join" if room:
            inviter = word(payload.get("inviterId"))
            return [
                MemberJoinedEvent(
                    self_id=me, event_id=f"join/{room}/{one}/{at:.3f}", moment=at, raw=raw,
                    room_id=room, user_id=one, inviter_id=inviter,
                )
                for one in words(payload.get("inviteeIdList"))
            ]  # fmt: skip
        case "room_leave" if room:
            remover = word(payload.get("removerId"))
            return [
                MemberLeftEvent(
                    self_id=me, event_id=f"leave/{room}/{one}/{at:.3f}", moment=at, raw=raw,
                    room_id=room, user_id=one, operator_id=remover,
                )
                for one in words(payload.get("removeeIdList"))
            ]  # fmt: skip
        case "room_topic" if room:
            return [
                TopicChangedEvent(
                    self_id=me, event_id=f"topic/{room}/{at:.3f}", moment=at, raw=raw, room_id=room,
                    old=word(payload.get("oldTopic")), new=word(payload.get("newTopic")),
                    operator_id=word(payload.get("changerId")),
                )
            ]  # fmt: skip
        case "room_announce" if room:
            return [
                AnnouncedEvent(
                    self_id=me, event_id=f"announce/{room}/{at:.3f}", moment=at, raw=raw, room_id=room,
                    text=word(payload.get("newAnnounce"), 10_000), operator_id=word(payload.get("changerId")),
                )
            ]  # fmt: skip
        case _:
            return _asked_or_meta(kind, payload, me, now)


def _asked_or_meta(kind: str, payload: Mapping[str, Any], me: str, now: float) -> Sequence[Event]:
    raw = dict(payload)
    match kind:
        case "room_invite" if handle := word(payload.get("roomInvitationId")):
            return [
                RoomInvitedEvent(
                    self_id=me, event_id=f"invited/{handle}", moment=now, raw=raw, request_id=handle
                )
            ]
        case "friendship" if handle := word(payload.get("friendshipId")):
            return [
                FriendAskedEvent(
                    self_id=me, event_id=f"friend/{handle}", moment=now, raw=raw, request_id=handle
                )
            ]
        case "scan":
            status = payload.get("status")
            known = status if isinstance(status, int) and not isinstance(status, bool) else 0
            code = word(payload.get("qrcode"), 4_000)
            return [ScanEvent(self_id=me, event_id=f"scan/{now:.3f}", moment=now, status=known, code=code)]
        case "dirty":
            number, about = payload.get("payloadType"), word(payload.get("payloadId"))
            what = DIRTY.get(number, "") if isinstance(number, int) else ""
            if not what or not about:
                return []
            return [
                DirtyEvent(
                    self_id=me, event_id=f"dirty/{what}/{about}/{now:.3f}", moment=now, what=what, about=about
                )
            ]
        case "error":
            why = trouble(payload)
            return [TroubleEvent(self_id=me, event_id=f"error/{now:.3f}", moment=now, why=why)]
        case _:
            return []


def trouble(payload: Mapping[str, Any]) -> str:
    """Give the first line of an error, which comes as JSON in a text, at times wrapped twice, or plainly."""
    said = word(payload.get("gerror"), _TROUBLE) or word(payload.get("data"), _TROUBLE)
    for _ in range(_WRAPPED):
        inner = payload_of(said)
        said = word(inner.get("message"), _TROUBLE) or word(inner.get("gerror"), _TROUBLE) or said
    return said.partition("\n")[0][:200]


def message_of(
    told: Any, *, me: str, names: Sequence[str], numbering: str, now: float, extra: Message | None = None
) -> MessageEvent | RecalledEvent:
    """Make an event of a message.

    Args:
        told: the answer of `MessagePayload`.
        me: the account.
        names: what the account is called, in that room and by itself.
        numbering: which numbers the service uses for kinds.
        now: the present, seconds since the epoch.
        extra: what had to be asked for besides: the place, the shared page.
    """
    kind = kind_of(int(told.type), numbering)
    room, talker, text = str(told.room_id), str(told.talker_id), str(told.text)
    at = _moment(told, now)
    if kind == "recalled" and room:
        return RecalledEvent(
            self_id=me, event_id=f"recall/{told.id}", moment=at, room_id=room, user_id=talker,
            recalled_id=recalled_id(text),
        )  # fmt: skip
    called = tuple(dict.fromkeys(map(str, told.mention_ids)))
    original = extra if extra is not None else _segments(kind, str(told.id), text, str(told.filename))
    message = original
    if kind == "text" and me in called:
        message = Message(MessageSegment.text(without_name(text, names)))
    common: dict[str, Any] = {
        "self_id": me,
        "event_id": f"message/{told.id}",
        "moment": at,
        "message_id": str(told.id),
        "user_id": talker,
        "kind": kind,
        "message": message,
        "original_message": original,
        "text": text,
        "mentions": called,
        "quoted_id": text_of(told, QUOTE_OF_MESSAGE),
    }
    if not room:
        return PrivateMessageEvent(**common, to_me=True)
    return GroupMessageEvent(**common, room_id=room, to_me=me in called)


def _moment(told: Any, now: float) -> float:
    if told.HasField("receive_time") and told.receive_time.seconds > 0:
        return float(told.receive_time.seconds) + float(told.receive_time.nanos) / 1e9
    stamp = float(told.timestamp_deprecated)
    return seconds(stamp) if stamp > 0 else now


def _segments(kind: str, message_id: str, text: str, filename: str) -> Message:
    if kind == "text":
        return Message(MessageSegment.text(text))
    if kind in MEDIA:
        return Message(MessageSegment.media(kind, message_id, filename))
    return Message(MessageSegment.other(kind, message_id, text))


def recalled_id(text: str) -> str:
    """Give the id of the message that was taken back: it is the text itself, or stands in the client's XML."""
    if "<" not in text:
        return _PREFIX.sub("", text).strip()[:LONGEST_ID]
    found = (one.search(text[:20_000]) for one in _RECALLED)  # the new id is the one that messages go by
    return next((one[1] for one in found if one), "")
