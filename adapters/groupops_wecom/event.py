"""Events: everything WeCom tells, over the long connection or to a callback URL, as NoneBot's plugins see it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Protocol

from nonebot.adapters import Event as BaseEvent
from nonebot.utils import escape_tag
from pydantic import Field, SkipValidation
from typing_extensions import override

from groupops_wecom.message import Message

ChatType = Literal["private", "group"]


class Exchange(Protocol):
    """An HTTP request that waits for its answer to be made while the event is handled."""

    def answer(self, body: Mapping[str, Any]) -> bool:
        """Answer with this body; False when the request was answered already."""
        ...


class Event(BaseEvent):
    """Something WeCom told.

    Args:
        self_id: the bot it was told to.
        event_id: the same for the same event, whenever it is told again.
        moment: when it happened, seconds since the epoch; when it came, where WeCom does not say.
        received: when it came, seconds since the epoch.
        user_id: whom it is about; may be empty.
        chat_id: the group; empty in a private chat.
        chat_type: where it happened.
        raw: everything WeCom said.
    """

    self_id: str
    event_id: str
    moment: float
    received: float
    user_id: str = ""
    chat_id: str = ""
    chat_type: ChatType = "private"
    raw: Annotated[dict[str, Any], SkipValidation] = Field(default_factory=dict, repr=False)
    req_id: str = Field(default="", repr=False)
    """Handle for replies over the long connection."""
    response_url: str = Field(default="", repr=False)
    """Handle for one later reply where a callback URL is used; whoever has it can speak."""
    exchange: Any = Field(default=None, repr=False, exclude=True)
    """The HTTP request that brought it, an `Exchange`, while it may be answered; else None."""

    @override
    def get_type(self) -> str:
        return "notice"

    @override
    def get_event_name(self) -> str:
        return f"{self.get_type()}.{_snake(type(self).__name__)}"

    @override
    def get_event_description(self) -> str:
        where = f"{self.user_id}@[{self.chat_id}]" if self.chat_id else self.user_id
        return escape_tag(where)

    @override
    def get_user_id(self) -> str:
        if not self.user_id:
            raise ValueError("this event is about nobody")
        return self.user_id

    @override
    def get_session_id(self) -> str:
        """Ids are told apart by their case, so it is kept."""
        return f"wecom_{self.chat_id}_{self.user_id}" if self.chat_id else f"wecom_{self.get_user_id()}"

    @override
    def get_message(self) -> Message:
        raise ValueError("this event carries no message")

    @override
    def is_tome(self) -> bool:
        return False


# — messages —


class MessageEvent(Event):
    """Somebody said something to the bot.

    Args:
        message_id: WeCom's id of the message.
        msgtype: WeCom's word for its kind.
        message: what was said, without the name the bot was called by.
        original_message: what was said.
        quoted: what it quotes.
    """

    message_id: str
    msgtype: str
    message: Message
    original_message: Message
    quoted: Message | None = None
    to_me: bool = True

    @override
    def get_type(self) -> str:
        return "message"

    @override
    def get_event_name(self) -> str:
        return f"message.{self.chat_type}.{self.msgtype}"

    @override
    def get_event_description(self) -> str:
        return f"Message {escape_tag(self.message_id)} from {super().get_event_description()}: {escape_tag(str(self.message))}"

    @override
    def get_message(self) -> Message:
        return self.message

    @override
    def is_tome(self) -> bool:
        return self.to_me


class AiBotMessageEvent(MessageEvent):
    """Somebody spoke to an AI bot; in a group WeCom shows it only what calls it."""


class GroupMessageEvent(AiBotMessageEvent):
    """It was said in a group."""

    chat_type: ChatType = "group"


class PrivateMessageEvent(AiBotMessageEvent):
    """It was said in private."""


class AppMessageEvent(MessageEvent):
    """Somebody spoke to an app, in the app's own private chat: there is no other."""


class UnknownMessage(Event):
    """A message of a kind this adapter does not know.

    Args:
        msgtype: WeCom's word for its kind.
    """

    msgtype: str


# — cards —


class CardEvent(Event):
    """Somebody pressed a button, submitted a choice, or used the menu of a card.

    Args:
        event_key: the key of what was pressed.
        task_id: the card's task id.
        card_type: the card's type.
        selected: question key → option ids.
        menu: whether it was the card's menu.
    """

    event_key: str
    task_id: str
    card_type: str = ""
    selected: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    menu: bool = False

    @override
    def is_tome(self) -> bool:
        return True


class AiBotCardEvent(CardEvent):
    """A card of an AI bot; it may be replaced within five seconds."""


class AppCardEvent(CardEvent):
    """A card of an app.

    Args:
        response_code: opens one update of the card within 72 hours.
    """

    response_code: str = Field(default="", repr=False)


# — what happens to an AI bot —


class EnterChat(Event):
    """Somebody opened the bot's private chat for the first time today; a welcome is taken for five seconds."""

    @override
    def is_tome(self) -> bool:
        return True


class Feedback(Event):
    """Somebody rated a reply.

    Args:
        feedback_id: what the reply carried.
        verdict: 1 good, 2 bad, 3 taken back.
        content: what was said of it.
        reasons: 1 irrelevant, 2 incomplete, 3 wrong, 4 the data was analysed wrongly.
    """

    feedback_id: str
    verdict: int = 0
    content: str = ""
    reasons: tuple[int, ...] = ()


# — what happens to an app —


class Subscribe(Event):
    """Somebody came into the app's visible range."""


class Unsubscribe(Event):
    """Somebody left the app's visible range or the company, or was disabled."""


class EnterAgent(Event):
    """Somebody opened the app."""


class LocationReported(Event):
    """Where somebody is who opened the app's chat, if the admin lets it be told.

    Args:
        latitude: degrees, GCJ-02.
        longitude: degrees, GCJ-02.
        precision: metres.
    """

    latitude: float
    longitude: float
    precision: float = 0.0


class LocationSelected(Event):
    """Somebody chose a place from the app's menu.

    Args:
        event_key: the menu's key.
        latitude: degrees, GCJ-02.
        longitude: degrees, GCJ-02.
        label: the address.
        place: the name of the place.
    """

    event_key: str
    latitude: float
    longitude: float
    label: str = ""
    place: str = ""


class MenuEvent(Event):
    """Somebody used the app's menu.

    Args:
        event: WeCom's word for what was done, in lower case.
        event_key: the menu's key.
        scanned: what a scan gave.
    """

    event: str
    event_key: str = ""
    scanned: str = ""


class ChangeContact(Event):
    """The register of the company changed; told by WeCom itself, and little of it.

    Args:
        change: WeCom's word: create_user, update_user, delete_user, create_party, …
        new_user_id: the id a member has from now on, when it changed.
        departments: ids of the departments a member is in, where told.
        party_id: the department a party change is about.
    """

    change: str
    new_user_id: str = ""
    departments: tuple[int, ...] = ()
    party_id: int = 0


class ChangeExternalContact(Event):
    """Who is whose customer changed.

    Args:
        change: WeCom's word.
        external_user_id: the customer.
        state: what the way by which they came carries.
        welcome_code: opens one welcome within 20 seconds.
    """

    change: str
    external_user_id: str = ""
    state: str = ""
    welcome_code: str = Field(default="", repr=False)


class ExternalChatEvent(Event):
    """A customer group changed.

    Args:
        change: WeCom's words: create, dismiss, or what was updated.
        last_version: version of the member list before; other than the one known means that something was missed.
        version: version of the member list now.
    """

    change: str
    chat_type: ChatType = "group"
    last_version: str = ""
    version: str = ""


class ChatCreated(ExternalChatEvent):
    """There is a new customer group."""


class ChatDismissed(ExternalChatEvent):
    """A customer group is no more."""


class AddMembers(ExternalChatEvent):
    """Members came into a customer group.

    Args:
        members: who came; staff by user id, others by external user id.
        scene: 0 let in by a member, 3 by a QR code.
        count: how many, which may be more than are named.
    """

    members: tuple[str, ...] = ()
    scene: int = 0
    count: int = 0


class DelMembers(ExternalChatEvent):
    """Members are gone from a customer group.

    Args:
        members: who is gone.
        scene: 0 left, 1 put out by the owner or an admin.
        count: how many, which may be more than are named.
    """

    members: tuple[str, ...] = ()
    scene: int = 0
    count: int = 0


class ChangeOwner(ExternalChatEvent):
    """A customer group has another owner."""


class ChangeName(ExternalChatEvent):
    """A customer group has another name."""


class ChangeNotice(ExternalChatEvent):
    """A customer group has another notice."""


class ArchiveNotify(Event):
    """The message archive has something new."""


class UnknownEvent(Event):
    """An event of a kind this adapter reads no further.

    Args:
        event: WeCom's word for it, in lower case.
        change: WeCom's word for what changed, if there is one.
    """

    event: str
    change: str = ""


# — the connection —


class MetaEvent(Event):
    """Something about the bot's own connection."""

    @override
    def get_type(self) -> str:
        return "meta_event"


class Connected(MetaEvent):
    """The long connection is subscribed."""


class Disconnected(MetaEvent):
    """The long connection is gone.

    Args:
        note: why.
        final: whether it will not come back by itself.
    """

    note: str = ""
    final: bool = False


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
