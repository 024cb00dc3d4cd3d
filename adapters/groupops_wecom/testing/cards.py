"""Looks at template cards as WeCom does before it shows one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar, cast

from groupops_wecom.testing.refusals import RefusalError, WorldError
from groupops_wecom.testing.world import Card, Json

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
    require(title.get("title") or card.get("sub_title_text"), "main_title.title")
    if kind in WITH_TASK or "action_menu" in card:
        require(TASK_ID.fullmatch(str(card.get("task_id", ""))), f"task_id {card.get('task_id')!r}")
    for name, most in MOST.items():
        require(len(card.get(name, ())) <= most, f"{name} has more than {most}")
    _check_kind(card, kind, of_app=of_app, update=update)
    _check_more(card, of_app=of_app)


def _check_more(card: Json, *, of_app: bool) -> None:
    """Look at what any card may have."""
    for line in card.get("horizontal_content_list", ()):
        require(line.get("keyname"), "horizontal_content_list.keyname")
        require(
            line.get("type", 0) in ({0, 1, 2, 3} if of_app else {0, 1, 3}), "horizontal_content_list.type"
        )
    for jump in card.get("jump_list", ()):
        require(jump.get("type", 0) in ({0, 1, 2} if of_app else {0, 1, 2, 3}), "jump_list.type")
        require(_bytes(jump, "question") <= 200, "jump_list.question")  # noqa: PLR2004
    require(_bytes(card.get("feedback", {}), "id") <= 256, "feedback.id")  # noqa: PLR2004
    if "action_menu" in card:
        actions = card["action_menu"].get("action_list", [])
        require(1 <= len(actions) <= 3, "action_menu.action_list")  # noqa: PLR2004
        require(all(_is_key(one) for one in actions), "action_menu.action_list.key")


def _bytes(where: Json, name: str) -> int:
    return len(str(where.get(name, "")).encode())


def _is_key(where: Json) -> bool:
    return 0 < _bytes(where, "key") <= 1024  # noqa: PLR2004


def _check_kind(card: Json, kind: str, *, of_app: bool, update: bool) -> None:
    match kind:
        case "text_notice" | "news_notice":
            action: Json = card.get("card_action", {})
            need = {1: "url", 2: "appid"}.get(action.get("type", 0))
            require(need is not None and action.get(need), "card_action")
            if kind == "news_notice":
                image: Json = card.get("card_image", {})
                require(image.get("url") or card.get("image_text_area"), "card_image")
                require(1.3 <= image.get("aspect_ratio", 1.3) <= 2.25, "aspect_ratio")  # noqa: PLR2004
        case "button_interaction":
            _check_buttons(card, of_app=of_app)
        case "vote_interaction":
            checkbox: Json = card.get("checkbox", {})
            _check_options([checkbox], 20)
            require(checkbox.get("mode", 0) in {0, 1}, "checkbox.mode")
            _check_submit(card)
        case _:
            require(card.get("select_list"), "select_list")
            _check_options(card["select_list"], 10, update=update)
            _check_submit(card)


def _check_buttons(card: Json, *, of_app: bool) -> None:
    buttons = card.get("button_list", [])
    require(buttons, "button_list")
    require(of_app or all(one.get("type", 0) == 0 for one in buttons), "button_list.type")
    clicks = [one for one in buttons if one.get("type", 0) != 1]
    for one in buttons:
        require(one.get("text"), "button_list.text")
        require(one.get("style", 1) in {1, 2, 3, 4}, "button_list.style")
        require(one in clicks or one.get("url"), "button_list.url")
    keys = [str(one.get("key", "")) for one in clicks]
    require(all(_is_key(one) for one in clicks), "button_list.key")
    require(len(set(keys)) == len(keys), "button_list.key twice")
    if "button_selection" in card:
        _check_options([card["button_selection"]], 10)


def _check_submit(card: Json) -> None:
    button: Json = card.get("submit_button", {})
    require(button.get("text") and _is_key(button), "submit_button")


def _check_options(questions: Sequence[Json], most: int, *, update: bool = False) -> None:
    keys = [one.get("question_key") for one in questions]
    require(all(keys) and len(set(keys)) == len(keys), "question_key")
    for one in questions:
        options = one.get("option_list", [])
        require(1 <= len(options) <= most or (update and not options), "option_list")
        ids = [str(option.get("id", "")) for option in options]
        require(all(0 < len(id_.encode()) <= 128 for id_ in ids), "option_list.id")  # noqa: PLR2004
        require(len(set(ids)) == len(ids), "option_list.id twice")
        require(all(option.get("text") for option in options), "option_list.text")


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
