"""Passive replies of an app: what goes in the answer to WeCom's post itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from groupops_wecom.message import APP_TEXT, Message, MessageSegment, parts_of, size, text_of


def passive_of(message: str | Message | MessageSegment) -> dict[str, Any] | None:
    """Give a message as the content of a passive reply; None when it is not one text or one medium."""
    parts = parts_of(message)
    if len(parts) != 1 or parts[0].kind == "card":
        return None
    (part,) = parts
    if part.kind == "words":
        content = text_of(part.segments, mentions=False)
        plain = all(segment.type != "markdown" for segment in part.segments)
        return {"MsgType": "text", "Content": content} if plain and size(content) <= APP_TEXT else None
    media_id = part.data.get("media_id")
    if not media_id or part.kind == "file":
        return None
    return {"MsgType": part.kind, part.kind.capitalize(): {"MediaId": media_id}}


def news(articles: list[Mapping[str, str]]) -> dict[str, Any]:
    """Give articles, each with Title, Description, PicUrl and Url, as the content of a passive reply."""
    return {
        "MsgType": "news",
        "ArticleCount": len(articles),
        "Articles": {"item": [dict(one) for one in articles]},
    }


def pressed(label: str) -> dict[str, Any]:
    """Give what the buttons of a pressed card say from now on, to who pressed."""
    return {"MsgType": "update_button", "Button": {"ReplaceName": label}}


def replaced(card: Mapping[str, Any]) -> dict[str, Any]:
    """Give the card that stands for the pressed one, to who pressed; its tags in CamelCase as WeCom wants them."""
    return {"MsgType": "update_template_card", "TemplateCard": _camel(card)}


def _camel(found: Any) -> Any:
    if isinstance(found, Mapping):
        return {_tag(str(key)): _camel(value) for key, value in found.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - any shape
    if isinstance(found, list):
        return [_camel(one) for one in found]  # pyright: ignore[reportUnknownVariableType] - any shape
    return found


_TAGS = {"keyname": "KeyName", "userid": "UserId", "appid": "AppId", "pagepath": "PagePath"}
"""Tags that two words make where the key of a card does not part them."""


def _tag(key: str) -> str:
    return _TAGS.get(key) or "".join(part[:1].upper() + part[1:] for part in key.split("_"))
