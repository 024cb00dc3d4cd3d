"""The regulation is found by number, by its own numbering and by word, however it is asked for."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupops.people import Clause
from groupops.shelf import PackShelf
from groupops_welcome.numerals import number_of, written
from groupops_welcome.rulebook import Numbering, Page, RuleBook, Words, asked, numbering_of, rulebook

WIDE = {**{ord(d): ord(d) + 0xFEE0 for d in "0123456789"}, ord("."): "．"}


def book(*refs: str, inactive: tuple[str, ...] = ()) -> RuleBook:
    """A book with one rule under each reference, saying so."""
    return rulebook({f"p.r{n}": Clause(ref=ref, text=f"条文{n}") for n, ref in enumerate(refs, 1)}, inactive)


def shipped(pack: str) -> RuleBook:
    table = PackShelf.load().get(pack).tables["clause"]
    return rulebook({rule: Clause(**clause) for rule, clause in table.items()}, ())


def found(of: RuleBook, text: str) -> list[str]:
    return [article.ref for article in of.find(asked(text))]


# — numbers —


@given(st.integers(1, 9999))
def test_a_number_written_in_chinese_is_read_back(number: int) -> None:
    assert number_of(written(number)) == number


@given(st.integers(0, 999_999))
def test_a_number_is_read_in_any_width(number: int) -> None:
    assert number_of(str(number)) == number_of(str(number).translate(WIDE)) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [("一十", 10), ("二〇", 20), ("一〇五", 105), ("两百", 200), ("一百零五", 105), ("０", 0)],
)
def test_numbers_are_read_as_people_put_them(text: str, number: int) -> None:
    assert number_of(text) == number


@pytest.mark.parametrize("text", ["", "一二百三", "百", "十百", "一百五", "12a", "9" * 5000, "٣", "万"])
def test_what_is_no_number_is_none(text: str) -> None:
    assert number_of(text) is None


# — what is asked —


@pytest.mark.parametrize(
    "text", ["二.9", "二。９", "二、9", "二 9", "二·九", "2.9", "第二章第9条", "二(9)", "二9?"]
)
def test_own_numbering_is_read_however_it_is_written(text: str) -> None:
    query = asked(text)

    assert isinstance(query, Numbering)
    assert query.path == (2, 9)


@pytest.mark.parametrize("text", ["篇十 二.9", "篇10 2.9", "篇十、二、9", "第十篇 二.9"])
def test_the_text_meant_may_be_named(text: str) -> None:
    query = asked(text)

    assert isinstance(query, Numbering)
    assert (query.part, query.path) == ("10", (2, 9))


@pytest.mark.parametrize(
    ("text", "page"), [("", 1), ("  ", 1), ("第2页", 2), ("第二页", 2), ("3页", 3), ("p2", 2)]
)
def test_pages_are_asked_for_by_number(text: str, page: int) -> None:
    assert asked(text) == Page(number=page)


@pytest.mark.parametrize("text", ["休息", "万一", "一起吃饭", "10086号文件是什么", "第", "9" * 40])
def test_everything_else_is_words(text: str) -> None:
    assert isinstance(asked(text), Words)


@given(st.text(max_size=30) | st.text(alphabet="第篇条章页.、。 ()12９十百二零-/甲", max_size=12))
def test_whatever_is_asked_is_read_and_looked_for(text: str) -> None:
    of = book("篇十 一.1", "篇十 二.9", "篇三 第10条", "第九条", "末句")
    query = asked(text)

    assert set(of.find(query)) <= set(of.articles)
    assert set(of.near(query)) <= set(of.articles)


_PATHS = st.lists(st.integers(1, 99), min_size=2, max_size=3)


@given(_PATHS, st.sampled_from([".", "、", "-", " ", "。"]), st.booleans(), st.booleans())
def test_a_reference_and_a_question_of_the_same_numbers_meet(
    path: list[int], dot: str, chinese: bool, wide: bool
) -> None:
    ref = "篇三 " + ".".join(map(str, path))
    parts = [written(number) if chinese else str(number) for number in path]
    question = dot.join(parts).translate(WIDE) if wide else dot.join(parts)

    assert found(book("篇三 末句", ref), question) == [ref]


@given(st.text(max_size=20))
def test_any_reference_a_pack_may_have_is_read(ref: str) -> None:
    assert all(number >= 0 for number in numbering_of(ref).path)


@given(st.text(alphabet=st.characters(categories=["Lo"]), min_size=1, max_size=6))
def test_a_word_of_a_clause_finds_it(word: str) -> None:
    of = rulebook({"a.b": Clause(ref="第一条", text=f"请勿{word}。")}, ())
    query = asked(word)

    if isinstance(query, Words) and unicodedata.normalize("NFKC", word) == word:
        assert [article.number for article in of.find(query)] == [1]


# — which article a number means —


def test_a_number_means_the_article_that_calls_itself_so() -> None:
    of = book("篇三 第3条", "篇三 第9条", "篇三 第10条")

    assert found(of, "10") == found(of, "第十条") == found(of, "十") == ["篇三 第10条"]


def test_articles_counted_through_chapters_are_found_by_their_number_alone() -> None:
    of = book("第四章 第21条", "第五章 第22条")

    assert found(of, "22") == found(of, "第五章第22条") == ["第五章 第22条"]


def test_a_number_no_article_calls_itself_by_means_the_place_in_the_order() -> None:
    assert found(shipped("s10"), "10") == ["篇十 二.8"]
    assert found(shipped("s10"), "4") == ["篇十 二.2"]


def test_a_text_that_counts_its_clauses_through_is_asked_by_these_numbers() -> None:
    assert (
        found(shipped("s09"), "4")
        == found(shipped("s09"), "四")
        == found(shipped("s09"), "第4条")
        == ["篇九 4"]
    )


def test_a_chinese_number_is_the_clause_or_the_chapter_so_numbered() -> None:
    assert found(shipped("s10"), "四") == ["篇十 四"]
    assert found(shipped("s10"), "二") == [f"篇十 二.{n}" for n in range(1, 10)]


def test_several_texts_that_have_the_article_are_all_given_unless_one_is_named() -> None:
    of = book("篇三 第10条", "篇六 第十条")

    assert found(of, "10") == ["篇三 第10条", "篇六 第十条"]
    assert found(of, "篇六 10") == ["篇六 第十条"]


def test_a_text_alone_gives_all_its_articles() -> None:
    assert found(book("篇三 第1条", "篇六 第1条", "篇六 第2条"), "篇六") == ["篇六 第1条", "篇六 第2条"]


def test_rules_of_one_reference_stand_together() -> None:
    of = shipped("s10")
    (article,) = of.find(asked("二.6"))

    assert [entry.rule for entry in article.entries] == [
        "moderation.unhealthy",
        "moderation.porn",
        "pacing.flood",
    ]


def test_the_deeper_numbers_of_a_clause_are_given_where_there_is_no_such_one_itself() -> None:
    assert found(book("三.1.1", "三.1.2", "三.2"), "三.1") == ["三.1.1", "三.1.2"]


def test_what_is_not_there_has_neighbours() -> None:
    of = shipped("s10")

    assert found(of, "二.12") == []
    assert of.near(asked("二.12"))[0].ref == "篇十 二.9"
    assert "篇十 二.9" in [article.ref for article in of.near(asked("休息时间段"))]


@pytest.mark.parametrize("pack", ["s02", "s09", "s10", "s18"])
def test_every_clause_of_a_shipped_pack_is_found_by_its_own_reference(pack: str) -> None:
    of = shipped(pack)

    for article in of.articles:
        assert article in of.find(asked(article.ref))


def test_rules_of_plugins_that_are_not_installed_are_marked() -> None:
    (article,) = book("第一条", inactive=("p",)).articles

    assert article.entries[0].inactive
