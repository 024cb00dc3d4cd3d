"""Template cards: all five kinds pass as they are made, and each field that is wrong is named before it is sent."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupops_wecom.templates import (
    Button,
    Choice,
    Home,
    Kind,
    Question,
    Unfit,
    button_interaction,
    checked,
    faults_of,
    multiple_interaction,
    news_notice,
    text_notice,
    vote_interaction,
)

QUESTION = Question("q1", "去不去", [Choice("yes", "去"), Choice("no", "不去")])
SUBMIT = Button("提交", "submit")

CARDS: dict[Kind, dict[str, Any]] = {
    Kind.TEXT_NOTICE: text_notice("群规", "第四条", url="https://example.com"),
    Kind.NEWS_NOTICE: news_notice("群规", url="https://example.com", picture="https://example.com/a.png"),
    Kind.BUTTONS: button_interaction(
        "每日位置打卡",
        task_id="checkin_20260101_01",
        buttons=[Button("已到岗", "ok"), Button("请假", "leave", 2)],
    ),
    Kind.VOTE: vote_interaction("聚餐", task_id="vote@1", question=QUESTION, submit=SUBMIT),
    Kind.MULTIPLE: multiple_interaction("登记", task_id="form-1", questions=[QUESTION], submit=SUBMIT),
}


@pytest.mark.parametrize("kind", sorted(Kind))
@pytest.mark.parametrize("home", [Home.APP, Home.AIBOT])
def test_a_card_of_every_kind_passes_as_it_is_made(kind: Kind, home: Home) -> None:
    assert checked(CARDS[kind], home) == CARDS[kind]
    assert CARDS[kind]["card_type"] == kind


@pytest.mark.parametrize("kind", sorted(Kind))
def test_a_robot_sends_notices_only(kind: Kind) -> None:
    faults = list(faults_of(CARDS[kind], Home.ROBOT))

    assert (faults == []) == (kind in {Kind.TEXT_NOTICE, Kind.NEWS_NOTICE})


def with_(kind: Kind, **fields: Any) -> dict[str, Any]:
    return CARDS[kind] | fields


TEN = [{"id": str(number), "text": "x"} for number in range(10)]
ELEVEN = [*TEN, {"id": "11", "text": "x"}]
BUTTON = {"text": "a", "key": "k"}

WRONG = {
    "card_type is 'hologram'": {"card_type": "hologram"},
    "main_title.title and sub_title_text": with_(Kind.TEXT_NOTICE, main_title={}),
    "card_action is needed": with_(Kind.TEXT_NOTICE, card_action={"type": 1}),
    "card_action is needed: type 1": with_(Kind.NEWS_NOTICE, card_action={}),
    "card_image.url or image_text_area": with_(Kind.NEWS_NOTICE, card_image={}),
    "aspect_ratio": with_(Kind.NEWS_NOTICE, card_image={"url": "u", "aspect_ratio": 3}),
    "task_id is 1 to 128": with_(Kind.BUTTONS, task_id="has space"),
    "and there must be one": with_(Kind.VOTE, task_id=""),
    "task_id": with_(Kind.TEXT_NOTICE, action_menu={"desc": "d", "action_list": [BUTTON]}),
    "button_list has 1 to 6, not 0": with_(Kind.BUTTONS, button_list=[]),
    "button_list has 1 to 6, not 7": with_(
        Kind.BUTTONS, button_list=[{"text": "a", "key": str(n)} for n in range(7)]
    ),
    "two buttons have the same key": with_(Kind.BUTTONS, button_list=[BUTTON, BUTTON]),
    "button_list[0].text is empty": with_(Kind.BUTTONS, button_list=[{"key": "k"}]),
    "button_list[0].style": with_(Kind.BUTTONS, button_list=[BUTTON | {"style": 5}]),
    "button_list[0].key has 1 to 1024": with_(Kind.BUTTONS, button_list=[{"text": "a", "key": "长" * 342}]),
    "button_list[0].url is empty": with_(Kind.BUTTONS, button_list=[{"text": "a", "type": 1}]),
    "checkbox.option_list has 1 to 20": with_(Kind.VOTE, checkbox={"question_key": "q", "option_list": []}),
    "checkbox.question_key": with_(Kind.VOTE, checkbox={"option_list": TEN}),
    "checkbox.mode": with_(Kind.VOTE, checkbox={"question_key": "q", "mode": 2, "option_list": TEN}),
    "two options have the same id": with_(
        Kind.VOTE, checkbox={"question_key": "q", "option_list": [*TEN, TEN[0]]}
    ),
    "submit_button.text": with_(Kind.VOTE, submit_button={"key": "k"}),
    "submit_button.key": with_(Kind.MULTIPLE, submit_button={"text": "t"}),
    "select_list has 1 to 3, not 0": with_(Kind.MULTIPLE, select_list=[]),
    "select_list[0].option_list has 1 to 10, not 11": with_(
        Kind.MULTIPLE, select_list=[{"question_key": "q", "option_list": ELEVEN}]
    ),
    "two lists have the same question_key": with_(
        Kind.MULTIPLE, select_list=[{"question_key": "q", "option_list": TEN}] * 2
    ),
    "button_selection.question_key": with_(Kind.BUTTONS, button_selection={"option_list": TEN}),
    "horizontal_content_list has at most 6": with_(
        Kind.TEXT_NOTICE, horizontal_content_list=[{"keyname": "k"}] * 7
    ),
    "jump_list has at most 3": with_(Kind.TEXT_NOTICE, jump_list=[{"title": "t"}] * 4),
    "jump_list[0].type": with_(Kind.TEXT_NOTICE, jump_list=[{"type": 3}]),
    "question has at most 200": with_(Kind.TEXT_NOTICE, jump_list=[{"question": "长" * 67}]),
    "vertical_content_list": with_(Kind.TEXT_NOTICE, vertical_content_list=[{}] * 5),
    "feedback.id": with_(Kind.TEXT_NOTICE, feedback={"id": "x" * 257}),
    "action_menu.action_list has 1 to 3": with_(Kind.BUTTONS, action_menu={"action_list": []}),
}


@pytest.mark.parametrize("words", sorted(WRONG))
def test_a_field_that_is_wrong_is_named(words: str) -> None:
    with pytest.raises(Unfit) as caught:
        checked(WRONG[words], Home.APP)

    assert words in str(caught.value)


def test_what_only_an_app_has_is_refused_for_an_ai_bot() -> None:
    by_url = with_(Kind.BUTTONS, button_list=[{"text": "a", "type": 1, "url": "https://example.com"}])
    file = with_(Kind.TEXT_NOTICE, horizontal_content_list=[{"keyname": "k", "type": 2, "media_id": "M"}])

    assert [len(list(faults_of(card, Home.APP))) for card in (by_url, file)] == [0, 0]
    assert all(list(faults_of(card, Home.AIBOT)) for card in (by_url, file))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=9,
)


@given(data=st.data())
def test_a_card_of_any_shape_is_looked_over(data: st.DataObject) -> None:
    card = dict(CARDS[data.draw(st.sampled_from(sorted(Kind)))])
    names = [*card, "horizontal_content_list", "jump_list", "action_menu", "feedback", "button_selection"]
    card[data.draw(st.sampled_from(sorted(names)))] = data.draw(JSON)

    assert all(isinstance(fault, str) for home in Home for fault in faults_of(card, home))
