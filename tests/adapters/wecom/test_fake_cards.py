"""Two who read the same page by themselves, the make-believe WeCom and our look at cards before they go, agree."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from groupops_wecom.templates import Button, Choice, Home, Question, faults_of, news_notice, text_notice
from groupops_wecom.templates import button_interaction as buttons
from groupops_wecom.templates import multiple_interaction as lists
from groupops_wecom.templates import vote_interaction as vote
from groupops_wecom.testing.cards import check_card
from groupops_wecom.testing.refusals import RefusalError

QUESTION = Question("q1", "哪天", [Choice("mon", "周一"), Choice("tue", "周二")])
SUBMIT = Button("提交", "submit")
WHOLE: list[dict[str, Any]] = [
    text_notice("已打卡", url="https://example.com"),
    news_notice("新规", url="https://example.com", picture="https://example.com/a.png", ratio=2.0),
    buttons("打卡", task_id="t_1", buttons=[Button("到岗", "here"), Button("请假", "away", 2)]),
    buttons(
        "请假",
        task_id="t_2",
        buttons=[Button("批准", "yes")],
        horizontal_content_list=[{"keyname": "谁", "value": "张三", "type": 3, "userid": "zhangsan"}],
        action_menu={"desc": "更多", "action_list": [{"text": "不再提醒", "key": "mute"}]},
        feedback={"id": "fb"},
        jump_list=[{"type": 1, "title": "群规", "url": "https://example.com"}],
    ),
    vote("聚餐", task_id="t_3", question=QUESTION, submit=SUBMIT),
    lists("排班", task_id="t_4", questions=[QUESTION], submit=SUBMIT),
]
VALUES = st.sampled_from(["", "x", "y" * 129, "z" * 1025, "a b", 0, 1, 2, 3, 4, 5, 1.2, 2.3, [], {}])


def paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a card."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(path for key, one in inner for path in paths(one, (*at, key)))]


def fits(there: Any, value: Any) -> bool:
    """Whether one may stand in the other's place: numbers for numbers, words for words."""
    kinds = ((int, float), (str,), (list,), (dict,))
    return any(isinstance(there, kind) and isinstance(value, kind) for kind in kinds)


@st.composite
def cards(draw: st.DrawFn) -> dict[str, Any]:
    """A card that is whole, or one in which one thing is missing, another, or doubled."""
    card = copy.deepcopy(draw(st.sampled_from(WHOLE)))
    places = [path for path in paths(card) if path and path != ("card_type",)]
    for path in draw(st.lists(st.sampled_from(places), max_size=2)):
        where: Any = card
        try:
            for key in path[:-1]:
                where = where[key]
            there = where[path[-1]]
        except (KeyError, IndexError):
            continue
        _spoil(draw, where, path[-1], there)
    return card


def _spoil(draw: st.DrawFn, where: Any, key: Any, there: Any) -> None:
    how = draw(st.sampled_from(["remove", "replace", "double"]))
    value = draw(VALUES)
    if how == "remove":
        del where[key]
    elif how == "replace" and fits(there, value):
        where[key] = value
    elif isinstance(where, list):
        where += [copy.deepcopy(there)] * draw(st.sampled_from([1, 5, 10, 20]))


def refused(card: dict[str, Any], home: Home) -> bool:
    try:
        check_card(card, of_app=home is Home.APP)
    except RefusalError as no:
        return no.errcode == 40058
    return False


@given(cards(), st.sampled_from([Home.AIBOT, Home.APP]))
@example(WHOLE[0], Home.AIBOT)
def test_what_we_call_fit_is_taken_and_what_we_call_unfit_is_not(card: dict[str, Any], home: Home) -> None:
    faults = list(faults_of(card, home))
    rows = card.get("horizontal_content_list", ())
    if all(row.get("keyname") for row in rows):  # what a row is called WeCom wants, and says nowhere
        assert refused(card, home) == bool(faults), faults


def test_every_whole_card_is_taken() -> None:
    assert [refused(card, Home.AIBOT) for card in WHOLE] == [False] * len(WHOLE)
