"""Payloads of the platform as events of the library, lenient: what lacks a field is not lost for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal, cast

from nonebot.adapters.qq import (
    C2CMessageCreateEvent,
    C2CMsgReceiveEvent,
    C2CMsgRejectEvent,
    Event,
    FriendAddEvent,
    FriendDelEvent,
    GroupAddRobotEvent,
    GroupDelRobotEvent,
    GroupJoinRequestEvent,
    GroupMemberAddEvent,
    GroupMemberRemoveEvent,
    GroupMsgReceiveEvent,
    GroupMsgRejectEvent,
    InteractionCreateEvent,
)
from nonebot.adapters.qq import GroupAtMessageCreateEvent as LibraryGroupAtMessage
from nonebot.adapters.qq import GroupMessageCreateEvent as LibraryGroupMessage
from nonebot.adapters.qq.event import EVENT_CLASSES, EventType, NoticeEvent
from nonebot.adapters.qq.exception import NoLogException
from nonebot.adapters.qq.models import GroupMemberAuthor
from nonebot.log import logger
from pydantic import ValidationError
from typing_extensions import override

from groupops_qq.shapes import LONGEST_TEXT, LONGEST_URL, moment, table, tables, whole, word, words

Data = dict[str, Any]

MOST_PARTS = 100
"""Attachments, mentions and quoted messages of one message that are looked at."""


class Unlogged(Event):
    """An event of which NoneBot logs no line: it would hold what was said, and is dear to make."""

    @override
    def get_log_string(self) -> str:
        raise NoLogException


class GroupAuthor(GroupMemberAuthor):
    """Who wrote in a group; the platform does not always say in what role."""

    member_role: Literal["member", "admin", "owner"] | None = None  # type: ignore[assignment] # pyright: ignore[reportIncompatibleVariableOverride] - that it may lack is the point


class GroupMessageCreateEvent(Unlogged, LibraryGroupMessage):
    """A message in a group that need not be for the bot."""

    author: GroupAuthor  # pyright: ignore[reportIncompatibleVariableOverride] - as above


class GroupAtMessageCreateEvent(Unlogged, LibraryGroupAtMessage):
    """A message in a group that mentions the bot; the mention itself may be cut off by the platform."""

    author: GroupAuthor  # pyright: ignore[reportIncompatibleVariableOverride] - as above


GROUP_MESSAGES = (GroupMessageCreateEvent, GroupAtMessageCreateEvent)


class OwnRoleEvent(Unlogged, NoticeEvent):
    """The bot's own role in a group has changed, as it was found by asking; the platform pushes no such event."""

    __type__ = cast("EventType", "OWN_ROLE")
    group_openid: str
    role: str
    found_at: datetime

    @override
    def get_event_name(self) -> str:
        return "OWN_ROLE"

    @override
    def get_event_description(self) -> str:
        return f"own role in {self.group_openid}: {self.role}"

    @override
    def get_user_id(self) -> str:
        return ""

    @override
    def get_session_id(self) -> str:
        return f"group_{self.group_openid}"


def own_role(group: str, role: str, at: datetime) -> OwnRoleEvent:
    """Make the event that the bot's own role in a group was found to have changed."""
    return OwnRoleEvent.model_validate({"group_openid": group, "role": role, "found_at": at})


def event_of(kind: str, id_: str, data: Data, now: datetime) -> Event | None:
    """Make an event of a dispatched payload.

    Args:
        kind: its type (`t`).
        id_: its id, if it has one.
        data: its data (`d`); of any shape.
        now: when it came, for what says no moment itself.

    Returns:
        The event; None for what has no use or cannot be one, which is logged without its contents.
    """
    made = _MODELS.get(kind)
    tidy, model = made if made is not None else (_as_it_is, EVENT_CLASSES.get(kind))
    if model is None:
        return None
    try:
        return model.model_validate({**tidy(data, now), "event_id": id_ or None})
    except ValidationError as error:
        fields = ", ".join(
            ".".join(map(str, found["loc"])) for found in error.errors(include_input=False)[:3]
        )
        logger.warning("an event {} of the QQ platform cannot be read: {}", word(kind, 60), fields)
        return None


# — what is made of each kind, so that the library's models take it —


def _as_it_is(data: Data, _: datetime) -> Data:
    return data


def _group_message(data: Data, now: datetime) -> Data:
    group = word(data.get("group_openid")) or word(data.get("group_id"))
    author = _author(table(data.get("author")))
    return {**_message(data, now), "group_openid": group, "group_id": group, "author": author}


def _private_message(data: Data, now: datetime) -> Data:
    said = table(data.get("author"))
    openid = word(said.get("user_openid")) or word(said.get("id"))
    author = {
        "id": word(said.get("id")) or openid,
        "user_openid": openid,
        "union_openid": word(said.get("union_openid")) or None,
        "username": word(said.get("username")) or None,
    }
    return {**_message(data, now), "author": author}


def _message(data: Data, now: datetime) -> Data:
    scene = table(data.get("message_scene"))
    return {
        "id": word(data.get("id")),
        "content": word(data.get("content"), LONGEST_TEXT),
        "timestamp": moment(data.get("timestamp"), now).isoformat(),
        "mentions": [found for one in tables(data.get("mentions"))[:MOST_PARTS] if (found := _mention(one))],
        "attachments": [_attachment(one) for one in tables(data.get("attachments"))[:MOST_PARTS]],
        "message_scene": {"ext": words(scene.get("ext"))[:MOST_PARTS], "source": word(scene.get("source"))},
        "message_type": whole(data.get("message_type")),
        "msg_idx": word(data.get("msg_idx")) or None,
        "msg_elements": [_element(one) for one in tables(data.get("msg_elements"))[:MOST_PARTS]],
    }


def _author(said: Data) -> Data:
    openid = word(said.get("member_openid")) or word(said.get("id"))
    role = said.get("member_role")
    return {
        "id": word(said.get("id")) or openid,
        "bot": said.get("bot") is True,
        "member_openid": openid,
        "member_role": role if role in _ROLES else None,
        "union_openid": word(said.get("union_openid")) or None,
        "username": word(said.get("username")) or None,
    }


_ROLES = ("member", "admin", "owner")


def _mention(said: Data) -> Data | None:
    """Give a mention of everybody, or of one account; None for what names nobody."""
    name = word(said.get("username"))
    if said.get("scope") == "all":
        return {"scope": "all", "is_you": True, "username": name}
    openid = word(said.get("member_openid")) or word(said.get("id"))
    if not openid:
        return None
    return {
        "scope": "single",
        "bot": said.get("bot") is True,
        "id": word(said.get("id")) or openid,
        "is_you": said.get("is_you") is True,
        "member_openid": openid,
        "username": name,
    }


def _attachment(said: Data) -> Data:
    return {
        "content_type": word(said.get("content_type")) or "file",
        "filename": word(said.get("filename")) or None,
        "height": whole(said.get("height")),
        "width": whole(said.get("width")),
        "size": whole(said.get("size")),
        "url": _address(said.get("url")),
    }


def _address(value: Any) -> str | None:
    """Give an address the library's model does not choke on; one without a scheme is a host of theirs."""
    url = word(value, LONGEST_URL + 1)
    if not url or len(url) > LONGEST_URL or any(letter in url for letter in "[] \n\t\r"):
        return None
    return url if url.startswith(("http://", "https://")) else f"https://{url}"


def _element(said: Data) -> Data:
    author = table(said.get("author"))
    return {
        "content": word(said.get("content"), LONGEST_TEXT),
        "attachments": [_attachment(one) for one in tables(said.get("attachments"))[:MOST_PARTS]],
        "message_type": whole(said.get("message_type")),
        "msg_idx": word(said.get("msg_idx")) or None,
        "author": {
            "id": word(author.get("id")) or None,
            "bot": author.get("bot") is True,
            "username": word(author.get("username")) or None,
            "user_openid": word(author.get("user_openid")) or None,
            "member_openid": word(author.get("member_openid")) or None,
        },
    }


def _notice(data: Data, now: datetime) -> Data:
    texts = ("group_openid", "member_openid", "op_member_openid", "openid")
    return {
        **{key: word(data.get(key)) for key in texts},
        "timestamp": moment(data.get("timestamp"), now),
    }


def _request(data: Data, now: datetime) -> Data:
    return {
        "group_openid": word(data.get("group_openid")),
        "join_request_id": word(data.get("join_request_id")),
        "risk_tips": word(data.get("risk_tips")) or None,
        "union_openid": word(data.get("union_openid")) or None,
        "member_openid": word(data.get("member_openid")),
        "username": word(data.get("username")),
        "apply_at": moment(data.get("apply_at"), now),
        "apply_source": "invited" if data.get("apply_source") == "invited" else "self_apply",
        "invited_by": word(data.get("invited_by")) or None,
        "bot": data.get("bot") is True,
        "verify_info": _verification(table(data.get("verify_info"))),
        "auto_approved": _approval(data.get("auto_approved")),
    }


def _verification(said: Data) -> Data:
    asked = [
        {"question": word(one.get("question"), 1_000), "answer": word(one.get("answer"), 1_000)}
        for one in tables(said.get("review_qa_list"))[:MOST_PARTS]
    ]
    message = word(said.get("verify_message"), 1_000) or None
    return {"method": word(said.get("method")), "verify_message": message, "review_qa_list": asked}


def _approval(said: Any) -> Data | None:
    return {"strategy_id": word(said.get("strategy_id"))} if isinstance(said, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType] - any shape


def _interaction(data: Data, now: datetime) -> Data:
    resolved = table(table(data.get("data")).get("resolved"))
    kind = data.get("type")
    return {
        "id": word(data.get("id")),
        "type": kind if kind in _INTERACTIONS else 13,
        "version": whole(data.get("version")) or 0,
        "timestamp": moment(data.get("timestamp"), now).isoformat(),
        "scene": word(data.get("scene")),
        "chat_type": whole(data.get("chat_type")) or 0,
        "user_openid": word(data.get("user_openid")) or None,
        "group_openid": word(data.get("group_openid")) or None,
        "group_member_openid": word(data.get("group_member_openid")) or None,
        "application_id": word(data.get("application_id")),
        "data": {
            "resolved": {
                "button_id": word(resolved.get("button_id")) or None,
                "button_data": word(resolved.get("button_data"), 1_000) or None,
                "user_id": word(resolved.get("user_id")) or None,
            }
        },
    }


_INTERACTIONS = (11, 12, 13)

Tidy = Callable[[Data, datetime], Data]


def _unlogged(model: type[Event]) -> type[Event]:
    """Give a model of the library as one of which no line is logged."""
    if issubclass(model, Unlogged):
        return model
    return type(model.__name__, (Unlogged, model), {"__module__": __name__, "__type__": model.__type__})


_KINDS: tuple[tuple[str, Tidy, type[Event]], ...] = (
    ("GROUP_MESSAGE_CREATE", _group_message, GroupMessageCreateEvent),
    ("GROUP_AT_MESSAGE_CREATE", _group_message, GroupAtMessageCreateEvent),
    ("C2C_MESSAGE_CREATE", _private_message, C2CMessageCreateEvent),
    ("GROUP_MEMBER_ADD", _notice, GroupMemberAddEvent),
    ("GROUP_MEMBER_REMOVE", _notice, GroupMemberRemoveEvent),
    ("GROUP_JOIN_REQUEST", _request, GroupJoinRequestEvent),
    ("GROUP_ADD_ROBOT", _notice, GroupAddRobotEvent),
    ("GROUP_DEL_ROBOT", _notice, GroupDelRobotEvent),
    ("GROUP_MSG_REJECT", _notice, GroupMsgRejectEvent),
    ("GROUP_MSG_RECEIVE", _notice, GroupMsgReceiveEvent),
    ("FRIEND_ADD", _notice, FriendAddEvent),
    ("FRIEND_DEL", _notice, FriendDelEvent),
    ("C2C_MSG_REJECT", _notice, C2CMsgRejectEvent),
    ("C2C_MSG_RECEIVE", _notice, C2CMsgReceiveEvent),
    ("INTERACTION_CREATE", _interaction, InteractionCreateEvent),
)

_MODELS: Mapping[str, tuple[Tidy, type[Event]]] = MappingProxyType(
    {kind: (tidy, _unlogged(model)) for kind, tidy, model in _KINDS}
)
