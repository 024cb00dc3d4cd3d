"""What is offered, as cards with buttons: what a button says of itself, how a card is made, what it shows afterwards."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from groupops import Option
from groupops_wecom.shapes import rows, table, word

BUTTONS = 6
"""Buttons on a card at most (protocol sheet 4)."""

KEY_BYTES = 1024
"""Bytes of a button's key at most."""

LABEL = 12
"""Characters of a button that are surely shown."""

TITLE = 26
"""Characters of a card's title that are surely shown."""

Maker = Literal["aibot", "app"]

WORDS: Mapping[Maker, int] = {"aibot": 112, "app": 160}
"""Characters of a card's text that are surely shown; what is longer is said before the card."""

REASON = "reason"
"""Key of the question for a reason."""

_MARK = "g1"
_FIRST, _OTHER = 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """What a button says of itself when it is pressed.

    Args:
        subject: what the card is about.
        word: the option.
        room: the group on whose behalf it was sent.
    """

    subject: str
    word: str
    room: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """A card as people see it.

    Args:
        title: its first line.
        text: what stands below; empty for nothing.
        before: what is said before it because it does not fit.
    """

    title: str
    text: str = ""
    before: str = ""


def key_of(press: Press) -> str:
    """Give a button's key."""
    said = [_MARK, press.subject, press.word, press.room]
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


def press_of(key: str) -> Press | None:
    """Read a button's key; None for one that is none of ours."""
    try:
        found: Any = json.loads(key)
    except (ValueError, RecursionError):
        return None
    said = [word(one) for one in rows(found)]
    if len(said) != len((_MARK, "subject", "word", "room")) or said[0] != _MARK or not all(said):
        return None
    return Press(subject=said[1], word=said[2], room=said[3])


def subject_of(card: Mapping[str, Any]) -> str:
    """Give what a card is about, as its first button says; nothing for one of others."""
    first = next(iter(rows(card.get("button_list"))), None)
    press = press_of(word(table(first).get("key")))
    return press.subject if press is not None else ""


def fits(options: Iterable[Option], subject: str, room: str) -> bool:
    """Say whether options can be shown as buttons."""
    offered = list(options)
    words = {option.word for option in offered}
    if not (subject and 1 <= len(offered) <= BUTTONS and len(words) == len(offered)):
        return False
    keys = (key_of(Press(subject=subject, word=option.word, room=room)) for option in offered)
    return all(len(key.encode()) <= KEY_BYTES for key in keys)


def face_of(title: str, text: str, maker: Maker, otherwise: str) -> Face:
    """Give a card's face: what fits stands on it, and what does not is said before.

    Args:
        title: its title; empty to take the first line of the text.
        text: its words.
        maker: who sends it.
        otherwise: its title where the words do not fit.
    """
    head, body = (title.strip(), text.strip()) if title.strip() else _first_line(text)
    if len(head) <= TITLE and len(body) <= WORDS[maker]:
        return Face(title=head, text=body)
    if len(text.strip()) <= WORDS[maker] and not title.strip():
        return Face(title=otherwise, text=text.strip())
    return Face(title=otherwise, before="\n".join(part for part in (title.strip(), text.strip()) if part))


def _first_line(text: str) -> tuple[str, str]:
    head, _, body = text.strip().partition("\n")
    return head.strip(), body.strip()


def task_of(key: str) -> str:
    """Give a card's id: the same for the same key, so that a repetition is known as one."""
    return f"g_{hashlib.sha256(key.encode()).hexdigest()[:40]}"


def asks_why(subject: str) -> bool:
    """Say whether whoever presses is asked for a reason: those who decide cases owe one, and a button has none."""
    return subject.startswith("case:")


def card_of(
    face: Face,
    options: Iterable[Option],
    subject: str,
    room: str,
    task_id: str,
    *,
    why: tuple[str, tuple[str, ...]] = ("", ()),
) -> dict[str, Any]:
    """Give the card.

    Args:
        face: what stands on it.
        options: what is offered.
        subject: what it is about.
        room: the group on whose behalf it is sent.
        task_id: the card's.
        why: the question for a reason, and the answers to choose from; none is chosen beforehand.
    """
    title, reasons = why
    buttons = [
        {
            "text": (option.label or option.word)[:LABEL],
            "style": _FIRST if place == 0 else _OTHER,
            "key": key_of(Press(subject=subject, word=option.word, room=room)),
        }
        for place, option in enumerate(options)
    ]
    return {
        "card_type": "button_interaction",
        "main_title": {"title": face.title},
        **({"sub_title_text": face.text} if face.text else {}),
        **({"button_selection": _question(title, reasons)} if reasons else {}),
        "button_list": buttons,
        "task_id": task_id,
    }


def _question(title: str, reasons: Iterable[str]) -> dict[str, Any]:
    """Ask for a reason; an answer's id is its words, so that they are known whenever it comes."""
    options = [{"id": reason, "text": reason} for reason in reasons]
    return {"question_key": REASON, "title": title, "option_list": options}


def pressed_card(face: Face, outcome: str, label: str, key: str, task_id: str) -> dict[str, Any]:
    """Give the card as it looks once it was pressed: with the outcome, and one button that says what was chosen.

    A card without a button has to lead to an address; the button that is left does, pressed again, what it did.

    Args:
        face: what it looked like; its text is kept where there is room.
        outcome: what came of it.
        label: what the button says.
        key: the pressed button's key.
        task_id: the card's.
    """
    text = "\n".join(part for part in (face.text, outcome) if part)
    return {
        "card_type": "button_interaction",
        "main_title": {"title": face.title},
        "sub_title_text": text if len(text) <= WORDS["aibot"] else outcome[: WORDS["aibot"]],
        "button_list": [{"text": label[:LABEL], "style": _OTHER, "key": key}],
        "task_id": task_id,
    }


def told_card(title: str, text: str, task_id: str, key: str, label: str) -> dict[str, Any]:
    """Give the card that replaces one on the core's word."""
    return pressed_card(Face(title=title[:TITLE]), text, label, key, task_id)
