"""What an app is told, its own messages, contacts and customer groups: from XML, read as a table, to events."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from groupops_wecom.event import (
    AddMembers,
    AppCardEvent,
    AppMessageEvent,
    ArchiveNotify,
    ChangeContact,
    ChangeExternalContact,
    ChangeName,
    ChangeNotice,
    ChangeOwner,
    ChatCreated,
    ChatDismissed,
    DelMembers,
    EnterAgent,
    Event,
    ExternalChatEvent,
    LocationReported,
    LocationSelected,
    MenuEvent,
    Subscribe,
    UnknownEvent,
    UnknownMessage,
    Unsubscribe,
)
from groupops_wecom.message import Message, MessageSegment
from groupops_wecom.shapes import mark_of, real, rows, selected, table, whole, word


def app_event(raw: Mapping[str, Any], self_id: str, now: float) -> Event:
    """Read what an app was told; whatever its shape, an event comes of it."""
    kind = word(raw.get("MsgType"), 60)
    common = _app_common(raw, self_id, now)
    if kind.lower() == "event":
        return _app_notice(raw, word(raw.get("Event"), 60).lower(), common)
    read = _APP_MESSAGES.get(kind.lower())
    if read is None:
        return UnknownMessage(msgtype=kind, **common)
    full = Message.of(read(raw))
    return AppMessageEvent(
        **common,
        message_id=common["event_id"],
        msgtype=kind.lower(),
        message=full.apart(),
        original_message=full,
    )


def _app_common(raw: Mapping[str, Any], self_id: str, now: float) -> dict[str, Any]:
    sender = word(raw.get("FromUserName"))
    return {
        "self_id": self_id,
        "event_id": word(raw.get("MsgId")) or mark_of(raw),
        "moment": real(raw.get("CreateTime")) or now,
        "received": now,
        "user_id": "" if sender == "sys" else sender,
        "raw": dict(raw),
    }


def _app_text(raw: Mapping[str, Any]) -> Iterator[MessageSegment]:
    content = word(raw.get("Content"), 1 << 20)
    if content:
        yield MessageSegment.text(content)


def _app_image(raw: Mapping[str, Any]) -> Iterator[MessageSegment]:
    yield MessageSegment.image(word(raw.get("MediaId")), url=word(raw.get("PicUrl"), 4096))


def _app_voice(raw: Mapping[str, Any]) -> Iterator[MessageSegment]:
    yield MessageSegment.voice(word(raw.get("MediaId")), format=word(raw.get("Format"), 20))


def _app_video(raw: Mapping[str, Any]) -> Iterator[MessageSegment]:
    yield MessageSegment.video(word(raw.get("MediaId")), thumb=word(raw.get("ThumbMediaId")))


def _app_location(raw: Mapping[str, Any]) -> Iterator[MessageSegment]:
    latitude, longitude = real(raw.get("Location_X")), real(raw.get("Location_Y"))
    yield MessageSegment.location(latitude, longitude, word(raw.get("Label"), 1024), whole(raw.get("Scale")))


def _app_link(raw: Mapping[str, Any]) -> Iterator[MessageSegment]:
    said = [word(raw.get(key), 4096) for key in ("Url", "Title", "Description", "PicUrl")]
    yield MessageSegment.link(*said)


_APP_MESSAGES: Mapping[str, Callable[[Mapping[str, Any]], Iterator[MessageSegment]]] = {
    "text": _app_text,
    "image": _app_image,
    "voice": _app_voice,
    "video": _app_video,
    "location": _app_location,
    "link": _app_link,
}

_MENU = frozenset(
    {
        "click",
        "view",
        "view_miniprogram",
        "scancode_push",
        "scancode_waitmsg",
        "pic_sysphoto",
        "pic_photo_or_album",
        "pic_weixin",
    }
)


def _app_notice(raw: Mapping[str, Any], event: str, common: dict[str, Any]) -> Event:
    simple = _SIMPLE.get(event)
    if simple is not None:
        return simple(**common)
    read = _APP_NOTICES.get(event)
    if read is not None:
        return read(raw, common)
    if event in _MENU:
        scan = table(raw.get("ScanCodeInfo"))
        return MenuEvent(
            **common,
            event=event,
            event_key=word(raw.get("EventKey"), 1024),
            scanned=word(scan.get("ScanResult"), 4096),
        )
    return UnknownEvent(**common, event=event, change=word(raw.get("ChangeType"), 60))


_SIMPLE: Mapping[str, type[Event]] = {
    "subscribe": Subscribe,
    "unsubscribe": Unsubscribe,
    "enter_agent": EnterAgent,
    "msgaudit_notify": ArchiveNotify,
}


def _app_reported(raw: Mapping[str, Any], common: dict[str, Any]) -> Event:
    return LocationReported(
        **common,
        latitude=real(raw.get("Latitude")),
        longitude=real(raw.get("Longitude")),
        precision=real(raw.get("Precision")),
    )


def _app_selected(raw: Mapping[str, Any], common: dict[str, Any]) -> Event:
    place = table(raw.get("SendLocationInfo"))
    return LocationSelected(
        **common,
        event_key=word(raw.get("EventKey"), 1024),
        latitude=real(place.get("Location_X")),
        longitude=real(place.get("Location_Y")),
        label=word(place.get("Label"), 1024),
        place=word(place.get("Poiname"), 1024),
    )


def _app_card(raw: Mapping[str, Any], common: dict[str, Any]) -> Event:
    return AppCardEvent(
        **common,
        event_key=word(raw.get("EventKey"), 1024),
        task_id=word(raw.get("TaskId")),
        card_type=word(raw.get("CardType"), 60),
        selected=selected(raw.get("SelectedItems"), "SelectedItem", "QuestionKey", "OptionIds", "OptionId"),
        menu=word(raw.get("Event")).lower() == "template_card_menu_event",
        response_code=word(raw.get("ResponseCode"), 2048),
    )


def _about(raw: Mapping[str, Any], common: dict[str, Any]) -> dict[str, Any]:
    """Give what is common with the member a change is about: its sender is WeCom itself."""
    common["user_id"] = word(raw.get("UserID"))
    return common


def _app_contact(raw: Mapping[str, Any], common: dict[str, Any]) -> Event:
    departments = word(raw.get("Department"), 4096).split(",")
    return ChangeContact(
        **_about(raw, common),
        change=word(raw.get("ChangeType"), 60),
        new_user_id=word(raw.get("NewUserID")),
        departments=tuple(whole(one) for one in departments if whole(one)),
        party_id=whole(raw.get("Id")),
    )


def _app_customer(raw: Mapping[str, Any], common: dict[str, Any]) -> Event:
    return ChangeExternalContact(
        **_about(raw, common),
        change=word(raw.get("ChangeType"), 60),
        external_user_id=word(raw.get("ExternalUserID")),
        state=word(raw.get("State")),
        welcome_code=word(raw.get("WelcomeCode"), 2048),
    )


_CHAT_CHANGES: Mapping[str, type[ExternalChatEvent]] = {
    "create": ChatCreated,
    "dismiss": ChatDismissed,
    "add_member": AddMembers,
    "del_member": DelMembers,
    "change_owner": ChangeOwner,
    "change_name": ChangeName,
    "change_notice": ChangeNotice,
}


def _app_chat(raw: Mapping[str, Any], common: dict[str, Any]) -> Event:
    change = word(raw.get("ChangeType"), 60)
    detail = word(raw.get("UpdateDetail"), 60) if change == "update" else change
    shared: dict[str, Any] = {
        **common,
        "chat_id": word(raw.get("ChatId")),
        "chat_type": "group",
        "change": detail,
        "last_version": word(raw.get("LastMemVer")),
        "version": word(raw.get("CurMemVer")),
    }
    made = _CHAT_CHANGES.get(detail)
    if made is AddMembers or made is DelMembers:
        scene = "JoinScene" if made is AddMembers else "QuitScene"
        members = [word(one) for one in rows(table(raw.get("MemChangeList")).get("Item"))]
        return made(
            **shared,
            members=tuple(one for one in members if one),
            scene=whole(raw.get(scene)),
            count=whole(raw.get("MemChangeCnt")),
        )
    return (made or ExternalChatEvent)(**shared)


_APP_NOTICES: Mapping[str, Callable[[Mapping[str, Any], dict[str, Any]], Event]] = {
    "location": _app_reported,
    "location_select": _app_selected,
    "template_card_event": _app_card,
    "template_card_menu_event": _app_card,
    "change_contact": _app_contact,
    "change_external_contact": _app_customer,
    "change_external_chat": _app_chat,
}
