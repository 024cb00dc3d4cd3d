"""Template cards of all five kinds: made, and looked over before they are sent, for WeCom names no field that is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from groupops_wecom.exception import WeComAdapterException
from groupops_wecom.lenient import number, rows, table, tables, text
from groupops_wecom.message import size

Card = dict[str, Any]

TASK_ID = re.compile(r"[0-9A-Za-z_@-]{1,128}")

LONGEST_KEY = 1024
LONGEST_OPTION_ID = 128
LONGEST_QUESTION = 200
LONGEST_FEEDBACK = 256
"""Bytes."""

MOST_BUTTONS = 6
MOST_SELECTIONS = 3
MOST_OPTIONS = 10
MOST_CHECKS = 20
MOST_ROWS = 6
MOST_JUMPS = 3
MOST_ACTIONS = 3
MOST_VERTICAL = 4

NARROWEST, WIDEST = 1.3, 2.25
"""How many times as wide as high a picture is."""


class Unfit(WeComAdapterException, ValueError):
    """It would be refused, so it is not sent.

    Args:
        what: what was to be sent.
        faults: one sentence for each, naming the field and what it may be.
    """

    def __init__(self, what: str, faults: Iterable[str]) -> None:
        self.what = what
        self.faults = tuple(faults)
        super().__init__(f"{what} cannot be sent: {'; '.join(self.faults)}")


class Kind(StrEnum):
    """What a card looks like and what can be pressed on it."""

    TEXT_NOTICE = "text_notice"
    NEWS_NOTICE = "news_notice"
    BUTTONS = "button_interaction"
    VOTE = "vote_interaction"
    MULTIPLE = "multiple_interaction"


class Home(StrEnum):
    """Who sends a card: each takes other cards."""

    AIBOT = "aibot"
    APP = "app"
    ROBOT = "robot"


NOTICES = frozenset({Kind.TEXT_NOTICE, Kind.NEWS_NOTICE})

_ROW_TYPES = {Home.AIBOT: {0, 1, 3}, Home.APP: {0, 1, 2, 3}, Home.ROBOT: {0, 1, 2, 3}}
_JUMP_TYPES = {Home.AIBOT: {0, 1, 2, 3}, Home.APP: {0, 1, 2}, Home.ROBOT: {0, 1, 2}}
_BUTTON_STYLES = frozenset({1, 2, 3, 4})


@dataclass(frozen=True, slots=True)
class Button:
    """A button.

    Args:
        text: what it says.
        key: what comes back when it is pressed.
        style: 1 blue, 2 grey, 3 red, 4 plain.
    """

    text: str
    key: str
    style: int = 1


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the answers to choose from.

    Args:
        id: what comes back when it is chosen.
        text: what it says.
        checked: whether it is chosen from the start, in a vote.
    """

    id: str
    text: str
    checked: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """A list to choose one answer from.

    Args:
        key: what its answer comes back under.
        title: what it says.
        choices: 1 to 10.
    """

    key: str
    title: str
    choices: Sequence[Choice]


def text_notice(title: str, desc: str = "", *, url: str, **more: Any) -> Card:
    """Make a card of words that leads to an address; `more` are further fields."""
    return _card(Kind.TEXT_NOTICE, title, desc, card_action={"type": 1, "url": url}, **more)


def news_notice(
    title: str, desc: str = "", *, url: str, picture: str, ratio: float = 1.3, **more: Any
) -> Card:
    """Make a card with a picture that leads to an address; `ratio` is width to height, 1.3 to 2.25."""
    image = {"url": picture, "aspect_ratio": ratio}
    return _card(Kind.NEWS_NOTICE, title, desc, card_image=image, card_action={"type": 1, "url": url}, **more)


def button_interaction(
    title: str, desc: str = "", *, task_id: str, buttons: Sequence[Button], **more: Any
) -> Card:
    """Make a card with 1 to 6 buttons."""
    made = [{"text": one.text, "style": one.style, "key": one.key} for one in buttons]
    return _card(Kind.BUTTONS, title, desc, task_id=task_id, button_list=made, **more)


def vote_interaction(
    title: str,
    desc: str = "",
    *,
    task_id: str,
    question: Question,
    submit: Button,
    several: bool = False,
    **more: Any,
) -> Card:
    """Make a card to vote on, with 1 to 20 choices; `several` may be chosen together."""
    choices = [{"id": one.id, "text": one.text, "is_checked": one.checked} for one in question.choices]
    checkbox = {"question_key": question.key, "mode": int(several), "option_list": choices}
    button = {"text": submit.text, "key": submit.key}
    return _card(Kind.VOTE, title, desc, task_id=task_id, checkbox=checkbox, submit_button=button, **more)


def multiple_interaction(
    title: str, desc: str = "", *, task_id: str, questions: Sequence[Question], submit: Button, **more: Any
) -> Card:
    """Make a card with 1 to 3 lists to choose from."""
    lists = [
        {
            "question_key": one.key,
            "title": one.title,
            "option_list": [{"id": choice.id, "text": choice.text} for choice in one.choices],
        }
        for one in questions
    ]
    button = {"text": submit.text, "key": submit.key}
    return _card(Kind.MULTIPLE, title, desc, task_id=task_id, select_list=lists, submit_button=button, **more)


def _card(kind: Kind, title: str, desc: str, **fields: Any) -> Card:
    heading = {"title": title} | ({"desc": desc} if desc else {})
    return {"card_type": kind.value, "main_title": heading, **fields}


def checked(card: Mapping[str, Any], home: Home) -> Card:
    """Give the card back when it will be taken.

    Raises:
        Unfit: it would be refused; every field that is wrong is named.
    """
    faults = list(faults_of(card, home))
    if faults:
        raise Unfit("the card", faults)
    return dict(card)


def faults_of(card: Mapping[str, Any], home: Home) -> Iterator[str]:
    """Give what is wrong with a card, field by field."""
    kind = next((kind for kind in Kind if kind == card.get("card_type")), None)
    if kind is None:
        yield f"card_type is {text(card.get('card_type'))!r}; it is one of {', '.join(Kind)}"
        return
    if home is Home.ROBOT and kind not in NOTICES:
        yield f"card_type is {kind}: a webhook robot sends only {' and '.join(sorted(NOTICES))}"
    yield from _headed(card)
    yield from _task(card, kind)
    if kind in NOTICES:
        yield from _action(card)
    for check in _CHECKS.get(kind, ()):
        yield from check(card, home)
    yield from _optional(card, home)


def _headed(card: Mapping[str, Any]) -> Iterator[str]:
    if not text(table(card.get("main_title")).get("title")) and not text(card.get("sub_title_text")):
        yield "main_title.title and sub_title_text are both empty; write at least one"


def _task(card: Mapping[str, Any], kind: Kind) -> Iterator[str]:
    task_id = text(card.get("task_id"))
    if not task_id and kind in NOTICES and "action_menu" not in card:
        return
    if not TASK_ID.fullmatch(task_id):
        yield "task_id is 1 to 128 of the characters 0-9 A-Z a-z _ @ -, and there must be one"


def _action(card: Mapping[str, Any]) -> Iterator[str]:
    action = table(card.get("card_action"))
    match action.get("type"):
        case 1 if text(action.get("url")):
            return
        case 2 if text(action.get("appid")):
            return
        case _:
            yield "card_action is needed: type 1 with url, or type 2 with appid"


def _picture(card: Mapping[str, Any], _: Home) -> Iterator[str]:
    image = table(card.get("card_image"))
    if not text(image.get("url")) and not card.get("image_text_area"):
        yield "card_image.url or image_text_area is needed"
    ratio = number(image.get("aspect_ratio", NARROWEST))
    if ratio is None or not NARROWEST <= ratio <= WIDEST:
        yield f"card_image.aspect_ratio is {NARROWEST} to {WIDEST}"


def _buttons(card: Mapping[str, Any], home: Home) -> Iterator[str]:
    buttons = tables(card.get("button_list"))
    yield from _counted("button_list", buttons, MOST_BUTTONS)
    keys = [text(button.get("key")) for button in buttons if text(button.get("key"))]
    if len(set(keys)) < len(keys):
        yield "button_list: two buttons have the same key"
    for place, button in enumerate(buttons):
        yield from _button(f"button_list[{place}]", button, home)
    if "button_selection" in card:
        yield from _question("button_selection", table(card["button_selection"]), MOST_OPTIONS)


def _button(where: str, button: Mapping[str, Any], home: Home) -> Iterator[str]:
    by_url = button.get("type") == 1
    if not text(button.get("text")):
        yield f"{where}.text is empty"
    if button.get("style", 1) not in _BUTTON_STYLES:
        yield f"{where}.style is 1 to 4"
    if by_url and home is not Home.APP:
        yield f"{where}.type is 1: only an app has buttons that lead to an address"
    if by_url and not text(button.get("url")):
        yield f"{where}.url is empty"
    if not by_url:
        yield from _key(where, button)


def _key(where: str, button: Mapping[str, Any]) -> Iterator[str]:
    if not 1 <= size(text(button.get("key"))) <= LONGEST_KEY:
        yield f"{where}.key has 1 to {LONGEST_KEY} bytes"


def _question(where: str, question: Mapping[str, Any], most: int) -> Iterator[str]:
    if not text(question.get("question_key")):
        yield f"{where}.question_key is empty"
    options = tables(question.get("option_list"))
    yield from _counted(f"{where}.option_list", options, most)
    ids = [text(option.get("id")) for option in options]
    if len(set(ids)) < len(ids):
        yield f"{where}.option_list: two options have the same id"
    for place, option in enumerate(options):
        if not 1 <= size(text(option.get("id"))) <= LONGEST_OPTION_ID:
            yield f"{where}.option_list[{place}].id has 1 to {LONGEST_OPTION_ID} bytes"
        if not text(option.get("text")):
            yield f"{where}.option_list[{place}].text is empty"


def _vote(card: Mapping[str, Any], _: Home) -> Iterator[str]:
    checkbox = table(card.get("checkbox"))
    yield from _question("checkbox", checkbox, MOST_CHECKS)
    if checkbox.get("mode", 0) not in {0, 1}:
        yield "checkbox.mode is 0 for one choice or 1 for several"


def _lists(card: Mapping[str, Any], _: Home) -> Iterator[str]:
    lists = tables(card.get("select_list"))
    yield from _counted("select_list", lists, MOST_SELECTIONS)
    keys = [text(one.get("question_key")) for one in lists]
    if len(set(keys)) < len(keys):
        yield "select_list: two lists have the same question_key"
    for place, one in enumerate(lists):
        yield from _question(f"select_list[{place}]", one, MOST_OPTIONS)


def _submit(card: Mapping[str, Any], _: Home) -> Iterator[str]:
    button = table(card.get("submit_button"))
    if not text(button.get("text")):
        yield "submit_button.text is empty"
    yield from _key("submit_button", button)


def _optional(card: Mapping[str, Any], home: Home) -> Iterator[str]:
    """Give what is wrong with fields that any card may have."""
    yield from _typed(card, "horizontal_content_list", MOST_ROWS, _ROW_TYPES[home])
    yield from _typed(card, "jump_list", MOST_JUMPS, _JUMP_TYPES[home])
    for place, jump in enumerate(tables(card.get("jump_list"))):
        if size(text(jump.get("question"))) > LONGEST_QUESTION:
            yield f"jump_list[{place}].question has at most {LONGEST_QUESTION} bytes"
    if len(rows(card.get("vertical_content_list"))) > MOST_VERTICAL:
        yield f"vertical_content_list has at most {MOST_VERTICAL}"
    if size(text(table(card.get("feedback")).get("id"))) > LONGEST_FEEDBACK:
        yield f"feedback.id has at most {LONGEST_FEEDBACK} bytes"
    if "action_menu" in card:
        actions = tables(table(card["action_menu"]).get("action_list"))
        yield from _counted("action_menu.action_list", actions, MOST_ACTIONS)
        for place, action in enumerate(actions):
            yield from _key(f"action_menu.action_list[{place}]", action)


def _typed(card: Mapping[str, Any], name: str, most: int, types: set[int]) -> Iterator[str]:
    found = tables(card.get(name))
    if len(found) > most:
        yield f"{name} has at most {most}"
    for place, row in enumerate(found):
        if row.get("type", 0) not in types:
            yield f"{name}[{place}].type is one of {', '.join(map(str, sorted(types)))}"


def _counted(where: str, found: Sequence[Any], most: int) -> Iterator[str]:
    if not 1 <= len(found) <= most:
        yield f"{where} has 1 to {most}, not {len(found)}"


_Check = Callable[[Mapping[str, Any], Home], Iterator[str]]

_CHECKS: Mapping[Kind, tuple[_Check, ...]] = {
    Kind.NEWS_NOTICE: (_picture,),
    Kind.BUTTONS: (_buttons,),
    Kind.VOTE: (_vote, _submit),
    Kind.MULTIPLE: (_lists, _submit),
}
