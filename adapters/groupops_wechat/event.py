"""Events: everything a puppet service tells, as NoneBot's plugins see it."""

from __future__ import annotations

import re
from typing import Any, Literal

from nonebot.adapters import Event as BaseEvent
from nonebot.utils import escape_tag
from pydantic import Field
from typing_extensions import override

from groupops_wechat.message import Message


class Event(BaseEvent):
    """Something the service told.

    Args:
        self_id: the account that was told.
        event_id: the same for the same event; made up where the service gives none.
        moment: when it happened, seconds since the epoch; when it came, where the service does not say.
        raw: what the service said.
    """

    self_id: str
    event_id: str
    moment: float
    raw: dict[str, Any] = Field(default_factory=dict, repr=False)

    @override
    def get_type(self) -> str:
        return "notice"

    @override
    def get_event_name(self) -> str:
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower().removesuffix("_event")
        return f"{self.get_type()}.{name}"

    @override
    def get_event_description(self) -> str:
        return escape_tag(self.event_id)

    @override
    def get_user_id(self) -> str:
        raise ValueError("this event is about nobody")

    @override
    def get_session_id(self) -> str:
        return self.get_user_id()

    @override
    def get_message(self) -> Message:
        raise ValueError("this event carries no message")

    @override
    def is_tome(self) -> bool:
        return False


# — messages —


class MessageEvent(Event):
    """Somebody said something.

    Args:
        message_id: the service's id.
        user_id: who said it.
        kind: kind of the message, as `kinds.py` names it.
        message: what was said, without the bot's own name at the beginning.
        original_message: what was said.
        text: the words as they came; of some kinds, the client's own XML.
        mentions: whom it calls.
        quoted_id: the message it answers, where the dialect says so.
        to_me: whether it is meant for the bot.
    """

    message_id: str
    user_id: str
    kind: str
    message: Message
    original_message: Message
    text: str = ""
    mentions: tuple[str, ...] = ()
    quoted_id: str = ""
    to_me: bool = False

    @override
    def get_type(self) -> str:
        return "message"

    @override
    def get_user_id(self) -> str:
        return self.user_id

    @override
    def get_message(self) -> Message:
        return self.message

    @override
    def is_tome(self) -> bool:
        return self.to_me


class GroupMessageEvent(MessageEvent):
    """Somebody said something in a room.

    Args:
        room_id: the room.
    """

    room_id: str

    @override
    def get_session_id(self) -> str:
        return f"{self.room_id}/{self.user_id}"


class PrivateMessageEvent(MessageEvent):
    """Somebody wrote to the account alone."""

    to_me: bool = True


# — what happens in a room —


class RoomNotice(Event):
    """Something happened in a room.

    Args:
        room_id: the room.
    """

    room_id: str


class _AboutMember(RoomNotice):
    user_id: str

    @override
    def get_user_id(self) -> str:
        return self.user_id

    @override
    def get_session_id(self) -> str:
        return f"{self.room_id}/{self.user_id}"


class MemberJoinedEvent(_AboutMember):
    """Somebody came into a room; one event for each who came.

    Args:
        user_id: who came.
        inviter_id: who let them in; empty when that is not known.
    """

    inviter_id: str = ""

    @override
    def is_tome(self) -> bool:
        return self.user_id == self.self_id


class MemberLeftEvent(_AboutMember):
    """Somebody is out of a room; most clients do not tell of those who leave by themselves.

    Args:
        user_id: who is out.
        operator_id: who put them out; the same as `user_id` where they left themselves.
    """

    operator_id: str = ""

    @override
    def is_tome(self) -> bool:
        return self.user_id == self.self_id


class TopicChangedEvent(RoomNotice):
    """A room has another name.

    Args:
        old, new: the names.
        operator_id: who changed it.
    """

    old: str = ""
    new: str = ""
    operator_id: str = ""


class AnnouncedEvent(RoomNotice):
    """A room has another announcement (a dialect's event).

    Args:
        text: the announcement.
        operator_id: who made it.
    """

    text: str = ""
    operator_id: str = ""


class RecalledEvent(_AboutMember):
    """Somebody took a message back.

    Args:
        user_id: who.
        recalled_id: the message; empty when the puppet does not say which.
    """

    recalled_id: str = ""


# — what is asked of the account —


class RequestEvent(Event):
    """Somebody asks the account for something.

    Args:
        request_id: handle for the answer.
    """

    request_id: str

    @override
    def get_type(self) -> str:
        return "request"


class RoomInvitedEvent(RequestEvent):
    """The account is invited into a room."""


class FriendAskedEvent(RequestEvent):
    """Somebody wants to be a contact, or has become one."""


# — the connection —


class MetaEvent(Event):
    """Something about the connection itself."""

    @override
    def get_type(self) -> str:
        return "meta_event"


class ScanEvent(MetaEvent):
    """A code is to be scanned with the phone of the account.

    Args:
        status: 0 unknown, 1 cancelled, 2 waiting, 3 scanned, 4 confirmed, 5 timed out.
        code: what the picture says; whoever scans it logs the service in, so it is shown to nobody else.
    """

    status: int = 0
    code: str = Field(default="", repr=False)


class DirtyEvent(MetaEvent):
    """Something that was known is out of date.

    Args:
        what: `message`, `contact`, `room`, `room_member`, `friendship` or `post`.
        about: its id.
    """

    what: str
    about: str


class TroubleEvent(MetaEvent):
    """The puppet says that something went wrong with it.

    Args:
        why: its first line.
    """

    why: str = ""


class GapEvent(MetaEvent):
    """Events may have been missed: the stream was closed for a while, and the service keeps none.

    Args:
        since: since when, seconds since the epoch; 0 when that is not known.
        why: how that came.
    """

    since: float = 0.0
    why: Literal["connected", "reconnected"] = "connected"
