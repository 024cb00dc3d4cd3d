"""Event classes the library does not have, and messages that ask less of an end."""
# pyright: reportIncompatibleVariableOverride=false
# The library tells its classes apart by fields narrowed to one word, and so do these.

from __future__ import annotations

from typing import Any, Literal

from nonebot.adapters.onebot.v11 import (
    Event,
    Message,
    NoticeEvent,
    NotifyEvent,
)
from nonebot.adapters.onebot.v11 import GroupMessageEvent as LibraryGroupMessage
from nonebot.adapters.onebot.v11 import MessageSegment as Part
from nonebot.adapters.onebot.v11 import PrivateMessageEvent as LibraryPrivateMessage
from nonebot.adapters.onebot.v11.event import Sender
from nonebot.adapters.onebot.v11.exception import NoLogException
from pydantic import Field, model_validator
from typing_extensions import override

from groupops_onebot.shapes import table


def _copied(message: Any) -> Any:
    """Copy a message and its parts, so that whoever changes one leaves the other as it came."""
    if not isinstance(message, Message):
        return message
    copied = Message()
    list[Part].extend(copied, [Part(part.type, dict(part.data)) for part in message])
    return copied


class Unlogged:
    """A message of which no line is made: it would hold what was said, and is left out of the log anyhow."""

    def get_log_string(self) -> str:
        """Give nothing to log."""
        raise NoLogException


class GroupMessageEvent(Unlogged, LibraryGroupMessage):
    """A message in a group; what an end leaves out is not missed.

    `wallet`: the kernel's message said it was a red packet. `kernel_shown`: there was a kernel's message.
    `from_history`: it was asked for later, and did not come by itself; no frame can say so.
    """

    sub_type: str = "normal"
    font: int = 0
    raw_message: str = ""
    sender: Sender = Field(default_factory=Sender)
    wallet: bool = False
    kernel_shown: bool = False
    from_history: bool = False

    @model_validator(mode="before")
    @classmethod
    def check_message(cls, values: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Keep the message as it came; a copy of two levels is enough and a tenth of the price."""
        return _with_original(values)


class PrivateMessageEvent(Unlogged, LibraryPrivateMessage):
    """A message to the bot alone. `group_id` is the group a temporary session came from, where the end says so."""

    sub_type: str = "friend"
    font: int = 0
    raw_message: str = ""
    sender: Sender = Field(default_factory=Sender)
    group_id: int | None = None

    @model_validator(mode="before")
    @classmethod
    def check_message(cls, values: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Keep the message as it came."""
        return _with_original(values)


def _with_original(values: Any) -> Any:
    data = table(values)
    return {**data, "original_message": _copied(data["message"])} if "message" in data else values


class GroupNotice(NoticeEvent):
    """A notice about one account in one group."""

    group_id: int
    user_id: int

    @override
    def get_user_id(self) -> str:
        return str(self.user_id)

    @override
    def get_session_id(self) -> str:
        return f"group_{self.group_id}_{self.user_id}"


class GroupCardNoticeEvent(GroupNotice):
    """A member's card changed; NapCat tells it only when that member next speaks."""

    notice_type: Literal["group_card"]
    card_new: str = ""
    card_old: str = ""


class GroupDismissNoticeEvent(GroupNotice):
    """The group was dissolved, as LuckyLillia says it."""

    notice_type: Literal["group_dismiss"]
    user_id: int = 0
    operator_id: int = 0


class BotOfflineNoticeEvent(NoticeEvent):
    """The account is no longer logged in, though the socket stands."""

    notice_type: Literal["bot_offline"]
    tag: str = ""
    message: str = ""


class GroupNameNotifyEvent(NotifyEvent):
    """The group has another name."""

    sub_type: Literal["group_name"]
    user_id: int = 0
    name_new: str


class GrayTipNotifyEvent(NotifyEvent):
    """A grey line between messages; `busi_id` says what it is about."""

    sub_type: Literal["gray_tip"]
    user_id: int = 0
    busi_id: int | str = ""
    message_id: int | str = ""


class OwnRoleEvent(GroupNotice):
    """What the adapter itself learnt of the bot's role; never parsed from a frame."""

    notice_type: Literal["groupops_own_role"] = "groupops_own_role"
    role: str


OWN_MODELS: tuple[type[Event], ...] = (
    GroupMessageEvent,
    PrivateMessageEvent,
    GroupCardNoticeEvent,
    GroupDismissNoticeEvent,
    BotOfflineNoticeEvent,
    GroupNameNotifyEvent,
    GrayTipNotifyEvent,
)
"""Classes that frames are read into, beside the library's."""
