"""Looks at template cards as WeCom does before it shows one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeVar, cast

from .refusals import RefusalError, WorldError
from .world import Card, Json

T = TypeVar("T")

KINDS: Final = (
    "text_notice",
    "news_notice",
    "button_interaction",
    "vote_interaction",
    "multiple_interaction",
)
WITH_TASK: Final = KINDS[2:]
TASK_ID: Final = re.compile(r"[0-9A-Za-z_@-]{1,128}")
MOST: Final[Mapping[str, int]] = {
    "button_list": 6,
    "select_list": 3,
    "horizontal_content_list": 6,
    "vertical_content_list": 4,
    "jump_list": 3,
}


def require(holds: object, errmsg: str, errcode: int = 40058) -> None:
    """Refuse when it does not hold."""
    if not holds:
        raise RefusalError(errcode, errmsg)


def given(value: T | None, errmsg: str, errcode: int = 40058) -> T:
    """Give what is there, or refuse."""
    if value is None:
        raise RefusalError(errcode, errmsg)
    return value


def table(value: Any, errmsg: str, errcode: int = 40058) -> Json:
    """Give a table with something in it, or refuse."""
    require(isinstance(value, dict), errmsg, errcode)
    found = cast("Json", value)
    require(found, errmsg, errcode)
    return found


def check_card(card: Any, *, of_app: bool = False, update: bool = False) -> None:
    """Refuse a card that WeCom would not take.

    Args:
        card: the template.
        of_app: the rules for a self-built app's cards, which differ a little.
        update: it replaces one that is shown.

    Raises:
        RefusalError: 40058, with the field.
    """
    require(isinstance(card, dict), "template_card is missing")
    kind = card.get("card_type")
    require(kind in KINDS, f"card_type {kind!r}")
    title: Json = card.get("main_title", {})
    require(title.get("title") or card.get("sub_title_text") or title.get("desc"), "main_title.title")
    if kind in WITH_TASK or "action_menu" in card:
        require(TASK_ID.fullmatch(str(card.get("task_id", ""))), f"task_id {card.get('task_id')!r}")
    for name, most in MOST.items():
        require(len(card.get(name, ())) <= most, f"{name} has more than {most}")
    _check_kind(card, kind, of_app=of_app, update=update)
    allowed = {0, 1, 2, 3} if of_app else {0, 1, 3}
    for line in card.get("horizontal_content_list", ()):
        require(line.get("keyname"), "horizontal_content_list.keyname")
        require(line.get("type", 0) in allowed, "horizontal_content_list.type")
    require(len(str(card.get("feedback", {}).get("id", "")).encode()) <= 256, "feedback.id")  # noqa: PLR2004


def _check_kind(card: Json, kind: str, *, of_app: bool, update: bool) -> None:
    match kind:
        case "text_notice" | "news_notice":
            action: Json = card.get("card_action", {})
            need = {1: "url", 2: "appid"}.get(action.get("type", 0))
            require(need is not None and action.get(need), "card_action")
            picture = "card_image" in card or "image_text_area" in card
            require(kind == "text_notice" or picture, "card_image")
        case "button_interaction":
            _check_buttons(card, of_app=of_app)
        case "vote_interaction":
            _check_options([card.get("checkbox", {})], 20)
            require(card.get("submit_button", {}).get("key"), "submit_button.key")
        case _:
            require(card.get("select_list"), "select_list")
            _check_options(card["select_list"], 10, update=update)
            require(card.get("submit_button", {}).get("key"), "submit_button.key")


def _check_buttons(card: Json, *, of_app: bool) -> None:
    buttons = card.get("button_list", [])
    require(buttons, "button_list")
    clicks = [one for one in buttons if not (of_app and one.get("type", 0) == 1)]
    for one in buttons:
        require(one.get("text"), "button_list.text")
        require(one.get("style", 1) in {1, 2, 3, 4}, "button_list.style")
        require(one in clicks or one.get("url"), "button_list.url")
        require(of_app or "url" not in one, "button_list.url is not for AI bots")
    keys = [str(one.get("key", "")) for one in clicks]
    require(all(0 < len(key.encode()) <= 1024 for key in keys), "button_list.key")  # noqa: PLR2004
    require(len(set(keys)) == len(keys), "button_list.key twice")
    if "button_selection" in card:
        _check_options([card["button_selection"]], 10)


def _check_options(questions: Iterable[Json], most: int, *, update: bool = False) -> None:
    for one in questions:
        options = one.get("option_list", [])
        require(one.get("question_key"), "question_key")
        require(1 <= len(options) <= most or (update and not options), "option_list")
        require(all(option.get("id") and option.get("text") for option in options), "option_list.id")


def pressed(card: Card, userid: str, key: str) -> None:
    """Look whether this person can press this.

    Raises:
        WorldError: they see no such button.
    """
    seen = card.seen_by(userid)
    keys = [str(one.get("key", "")) for one in seen.get("button_list", ())]
    keys += [str(one.get("key", "")) for one in seen.get("action_menu", {}).get("action_list", ())]
    if "submit_button" in seen:
        keys.append(str(seen["submit_button"].get("key", "")))
    if userid in card.done or key not in keys:
        raise WorldError(
            f"{userid} sees no button {key!r} on the card {card.task_id!r}, only {keys}; {card.done}"
        )
