"""Options become buttons that say of themselves what they are about, on cards that WeCom takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupops import Option
from groupops_wecom.buttons import (
    WORDS,
    Press,
    card_of,
    face_of,
    fits,
    key_of,
    press_of,
    pressed_card,
    task_of,
)
from groupops_wecom.testing.cards import check_card

NAMES = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=40)


@given(NAMES, NAMES, NAMES)
def test_a_key_says_what_the_button_is_about(subject: str, word: str, room: str) -> None:
    press = Press(subject=subject, word=word, room=room)

    assert press_of(key_of(press)) == press


@given(st.text())
def test_a_key_that_is_none_of_ours_is_no_press(key: str) -> None:
    assert press_of(key) is None


@pytest.mark.parametrize(
    "key", ['["g1","case:1","好"]', '["g2","case:1","好","r"]', '["g1","","好","r"]', "[" * 5000]
)
def test_a_key_that_is_nearly_ours_is_none(key: str) -> None:
    assert press_of(key) is None


@given(
    title=st.text(max_size=60),
    text=st.text(min_size=1, max_size=400).filter(str.strip),
    words=st.lists(NAMES, min_size=1, max_size=6, unique=True),
)
def test_every_card_that_fits_is_taken_and_no_word_of_it_is_lost(
    title: str, text: str, words: list[str]
) -> None:
    options = [Option(word=word) for word in words]
    face = face_of(title, text, "aibot", "请选择")
    if not fits(options, "case:1", "wrA"):
        return

    card = card_of(face, options, "case:1", "wrA", task_of("event#0"))

    check_card(card)
    shown = f"{face.title}\n{face.text}\n{face.before}"
    assert all(part in shown for part in text.partition("\n")[0].split())
    assert len(face.text) <= WORDS["aibot"]


def test_the_card_of_a_key_has_the_same_id_however_often_it_is_made() -> None:
    assert task_of("event#0") == task_of("event#0") != task_of("event#1")


def test_what_no_card_holds_is_offered_in_words() -> None:
    many = [Option(word=str(number)) for number in range(7)]

    assert not fits(many, "case:1", "wrA")
    assert not fits(many[:2], "", "wrA")
    assert not fits([Option(word="好" * 400)], "case:1", "wrA")
    assert not fits([Option(word="好"), Option(word="好")], "case:1", "wrA")


def test_a_pressed_card_says_what_came_of_it_and_is_taken_too() -> None:
    face = face_of("待核准", "王芳 涉及赌博", "aibot", "请选择")

    card = pressed_card(
        face,
        "事项 1 已核准。" * 20,
        "已选:批准",
        key_of(Press(subject="case:1", word="批准", room="r")),
        "t1",
    )

    check_card(card, update=True)
    assert "已核准" in card["sub_title_text"]
    assert len(card["sub_title_text"]) <= WORDS["aibot"]
