"""Texts are parted, filled and matched without loss, and names are said so that nobody is had by them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupops import AccountId, Member
from groupops.plugin import texts_of
from groupops.policy import Policy
from groupops_roster.settings import Cards, Roster
from groupops_welcome.card import CardRule, card_rule, settles
from groupops_welcome.checklist import checklist, kept, kind_of, read
from groupops_welcome.faq import lookup
from groupops_welcome.portions import portions
from groupops_welcome.reminders import next_turn
from groupops_welcome.scene import name_of
from groupops_welcome.settings import Question, Welcome
from groupops_welcome.templates import without

TEXTS = texts_of("groupops_welcome")


def zhang(**more: str) -> Member:
    return Member(account=AccountId("qq:1"), **more)  # type: ignore[arg-type]


# — portions —


@given(st.lists(st.text(alphabet="群规第一条。;\n ", max_size=60), max_size=12), st.integers(1, 40))
def test_portions_fit_and_lose_nothing(lines: list[str], limit: int) -> None:
    made = portions(lines, limit)

    assert all(len(text) <= limit for text in made)
    assert "".join("".join(made).split()) == "".join("".join(lines).split())


def test_lines_are_kept_together_as_long_as_they_fit() -> None:
    assert portions(("一二", "三四", "五六七"), 5) == ("一二\n三四", "五六七")


def test_a_long_line_is_parted_behind_a_sentence() -> None:
    assert portions(("先说一句。再说一句。",), 6) == ("先说一句。", "再说一句。")


# — the template —


def test_the_sentence_about_cards_is_left_out_and_the_rest_stays_a_sentence() -> None:
    assert without(Welcome().template, "format_hint") == "欢迎 {name} 加入本群。请先阅读群规(发送“/群规”)。"


@pytest.mark.parametrize(
    ("template", "rest"),
    [
        ("欢迎 {name}!昵称请写 {format_hint}。群里见。", "欢迎 {name}!群里见。"),
        ("{format_hint}", ""),
        ("昵称:{format_hint},欢迎 {name}。", "欢迎 {name}。"),
        ("欢迎 {name}。", "欢迎 {name}。"),
    ],
)
def test_only_the_clause_with_the_slot_goes(template: str, rest: str) -> None:
    assert without(template, "format_hint") == rest


_PIECES = st.sampled_from(
    ["欢迎", "{name}", "{format_hint}", "{rules}", ",", "。", "!", "\n", " ", ":", "请看群规"]
)


@given(st.lists(_PIECES, max_size=15))
def test_a_slot_that_is_left_out_is_gone_and_no_comma_is_left_hanging(pieces: list[str]) -> None:
    template = "".join(pieces)
    rest = without(template, "format_hint")

    assert "{format_hint}" not in rest
    assert "{format_hint}" not in template or template.endswith((",", ":")) or not rest.endswith((",", ":"))


# — cards —


@pytest.mark.parametrize(
    ("card", "real", "nick", "form", "settled"),
    [
        ("人资中心张静", "张静", "张静", "F4", True),
        ("张静", "张静", "张静", "F4", False),
        ("张静", "张静", "张静", "F6", True),
        ("人资中心", "张静", "静静", "F4", False),
        ("销售部-李四🌟", "李四", "小李", "F1", True),
        ("", "李四", "小李", "F1", False),
        ("销售部-李四", "", "小李", "F1", True),
        (" 小 李 ", "", "小李", "F1", False),
    ],
)
def test_a_card_settles_what_is_owed_once_it_names_its_person(
    card: str, real: str, nick: str, form: str, settled: bool
) -> None:
    rule = CardRule(asked=True, by_name=form in ("F5", "F6"))

    assert settles(card, zhang(real_name=real), nick, rule) is settled


def test_where_nothing_is_asked_of_cards_any_card_will_do() -> None:
    assert settles("随便", zhang(), "随便", CardRule())
    assert not settles(" ", zhang(), "随便", CardRule())


def test_the_hint_is_read_from_what_the_roster_asks() -> None:
    roster = Roster(card=Cards(format="F1", separators=("+", "-"), canonical_separator="+"))
    rule = card_rule(Policy(enabled=("roster",), settings={"roster": roster}), TEXTS)

    assert rule.asked
    assert "销售部+张三" in rule.hint


@pytest.mark.parametrize(
    "policy",
    [
        Policy(),
        Policy(settings={"roster": Roster()}),
        Policy(enabled=("roster",), settings={"roster": Roster(card=Cards(enforce=False))}),
    ],
)
def test_nothing_is_asked_of_cards_where_no_roster_does(policy: Policy) -> None:
    assert not card_rule(policy, TEXTS).asked


# — checklists —


def test_what_settles_a_line_is_told_from_its_words() -> None:
    lines = ["阅读群规", "群名片改为 中心名称+姓名,如 人资中心张静", "有问题问信息管理专员"]

    assert [kind_of(line) for line in lines] == ["rules", "card", "item"]


def test_a_line_about_cards_is_left_out_where_nothing_is_asked_and_ticked_by_word_where_none_is_seen() -> (
    None
):
    titles = ("阅读群规", "修改群昵称")

    none = checklist(titles, cards_asked=False, cards_seen=True, done=())
    blind = checklist(titles, cards_asked=True, cards_seen=False, done=("阅读群规",))

    assert [item.title for item in none] == ["阅读群规"]
    assert [(item.kind, item.state) for item in blind] == [("rules", "done"), ("item", "open")]
    assert read(kept(blind)) == blind


# — names —


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("张 三\n", "张 三"),
        ("\u202e三张\u200b", "三张"),
        ("加V 13800138000", "新朋友"),
        ("免费领 www.x.top", "新朋友"),
        ("", "1"),
        ("长" * 30, "长" * 20 + "…"),
    ],
)
def test_a_newcomer_is_called_by_a_name_and_never_by_an_advert(name: str, called: str) -> None:
    assert name_of(zhang(name=name), "新朋友") == called


@given(st.text(max_size=60))
def test_no_nickname_breaks_a_greeting(name: str) -> None:
    called = name_of(zhang(name=name), "新朋友")

    assert called
    assert len(called) <= 21
    assert "\n" not in called


# — frequent questions —

FAQ = (
    Question(ask=("怎么改昵称", "改名片"), answer="群设置里改。"),
    Question(ask=("请假找谁", "怎么请假"), answer="找人资中心。"),
    Question(ask=("WIFI密码",), answer="见前台。"),
)


@pytest.mark.parametrize(
    ("put", "answer"),
    [
        ("怎么改昵称", "群设置里改。"),
        ("请问怎么改群昵称呢?", "群设置里改。"),
        ("改名片", "群设置里改。"),
        ("怎么请假啊", "找人资中心。"),
        ("wifi 密码", "见前台。"),
        ("ＷＩＦＩ密码是多少", "见前台。"),
    ],
)
def test_a_question_is_known_however_it_is_put(put: str, answer: str) -> None:
    found = lookup(put, FAQ, 60)

    assert found.question is not None
    assert found.question.answer == answer


@pytest.mark.parametrize("put", ["今天天气怎么样", "食堂几点开门", "?", ""])
def test_what_nobody_listed_is_not_answered(put: str) -> None:
    assert lookup(put, FAQ, 60).question is None


@given(st.text(max_size=30))
def test_an_answer_reaches_its_floor_or_is_not_given(put: str) -> None:
    found = lookup(put, FAQ, 100)

    assert found.question is None or lookup(put, FAQ, 1).question is not None
    assert len(found.near) <= 3


# — rotation —


@given(st.integers(1, 12), st.integers(1, 5))
def test_each_portion_is_said_once_before_any_is_said_again(articles: int, count: int) -> None:
    refs = tuple(map(str, range(articles)))
    shown: tuple[str, ...] = ()
    heard: list[str] = []
    while len(heard) < articles:
        said, shown = next_turn(refs, shown, count)
        heard += said

    assert tuple(heard) == refs
    assert next_turn(refs, shown, count)[0] == refs[:count]


def test_an_article_that_was_added_has_its_turn_in_the_same_round() -> None:
    assert next_turn(("a", "new", "b", "c"), ("a", "b"), 3)[0] == ("new", "c")


def test_an_article_that_is_gone_is_not_waited_for() -> None:
    assert next_turn(("b",), ("a",), 2) == (("b",), ("a", "b"))
