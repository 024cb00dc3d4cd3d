"""Words stay words in every dialect of WeCom's, and are cut without harm."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from groupops_wecom import Message, MessageSegment, escape, unescape
from groupops_wecom.message import cut, defuse, markdown_of, mentioned, parts_of, size, text_of

MARKUP = [
    "# 标题",
    "**粗** *斜* _斜_ ~~删~~",
    "[链接](https://example.com)",
    "![图](https://example.com/a.png)",
    "<@zhangsan>",
    "<think>想</think>",
    '<font color="warning">红</font>',
    "> 引用",
    "- 列\n+ 列\n1. 列\n2) 列",
    "`码` ```块```",
    "| 表 | 格 |\n|---|---|",
    "&lt;@all&gt;",
    "标题\n===",
    "[image]",
    "\\*已转义\\*",
    "行\r# 标题",
]


@pytest.mark.parametrize("text", MARKUP)
def test_what_looks_like_markup_is_a_single_text(text: str) -> None:
    (segment,) = Message(text)

    assert (segment.type, segment.data) == ("text", {"text": text})
    assert str(Message(text)) == text


@pytest.mark.parametrize("text", MARKUP)
def test_markup_loses_its_meaning_in_markdown(text: str) -> None:
    made = markdown_of(Message(text), mentions=True)

    for mark in "`*_[]<>|~&":
        assert made.count(mark) == made.count(f"\\{mark}")
    assert not any(line.lstrip().startswith(("#", "-", "+", "=", "> ")) for line in made.splitlines())


@given(st.text())
@example("\\")
@example("1\\. x")
@example("10. x\n- y\n\t# z")
def test_escaped_words_are_given_back(text: str) -> None:
    assert unescape(escape(text)) == text


def test_ordinary_words_are_left_alone() -> None:
    text = "22:00-07:00 静默,详见 https://example.com/a?b=1 (第3条). 共 10.5 元!"

    assert escape(text) == text


@pytest.mark.parametrize("text", ['<a href="https://x">点</a>', "<A HREF=x>", "<@all>", "</a>"])
def test_neither_link_nor_mention_comes_of_words_in_plain_text(text: str) -> None:
    made = text_of(Message(text), mentions=True)

    assert "<a" not in made.lower()
    assert "<@" not in made
    assert made.replace("\u200b", "") == text


@given(st.text())
def test_plain_words_are_told_as_they_are_but_for_what_is_unseen(text: str) -> None:
    assert defuse(text).replace("\u200b", "") == text.replace("\u200b", "")


def test_a_mention_calls_only_where_it_can() -> None:
    said = MessageSegment.mention("zhangsan", "张三") + "请看"

    assert markdown_of(said, mentions=True) == "<@zhangsan>请看"
    assert markdown_of(said, mentions=False) == "@张三请看"
    assert text_of(said, mentions=True) == "<@zhangsan>请看"
    assert mentioned(said) == ["zhangsan"]


@pytest.mark.parametrize("user_id", ["a> <@all", "<@all>", "", "x\n# y"])
def test_an_id_that_could_end_its_mention_calls_nobody(user_id: str) -> None:
    made = markdown_of([MessageSegment.mention(user_id)], mentions=True)

    assert "<@" not in made.replace("\\<", "")


def test_a_link_cannot_be_ended_by_what_stands_in_it() -> None:
    made = markdown_of([MessageSegment.link("https://x/a)b (c", "甲]乙")], mentions=False)

    assert made == "[甲\\]乙](https://x/a%29b%20%28c)"


def test_a_message_is_taken_apart_in_its_order() -> None:
    card = {"card_type": "text_notice"}
    said = Message("一") + MessageSegment.mention("a") + MessageSegment.card(card) + "" + "二"

    parts = parts_of(said + MessageSegment.image("MEDIA"))

    assert [part.kind for part in parts] == ["words", "card", "words", "image"]
    assert parts[1].data["card"] == card


@pytest.mark.parametrize("message", ["", Message(), MessageSegment.markdown("")])
def test_of_nothing_nothing_is_sent(message: str | Message | MessageSegment) -> None:
    assert parts_of(message) == []


@given(st.text(), st.integers(8, 200))
@example("好" * 100, 20)
@example("👨‍👩‍👧‍👦" * 10, 30)
@example("\\*" * 50, 9)
def test_the_pieces_are_the_text_and_none_is_too_long(text: str, limit: int) -> None:
    pieces = cut(text, limit)

    assert "".join(pieces) == text
    assert all(0 < size(piece) <= limit for piece in pieces) or not text


@given(st.integers(10, 40))
def test_no_escape_is_parted(limit: int) -> None:
    pieces = cut(escape("*" * 60), limit)

    assert all((len(piece) - len(piece.rstrip("\\"))) % 2 == 0 for piece in pieces)


def test_no_character_and_no_mention_is_parted() -> None:
    words = "啊" * 6 + "e\u0301" * 3 + "👨‍👩‍👧" + "<@zhangsan_of_somewhere>" + "完"

    pieces = cut(words, 33)

    assert "".join(pieces) == words
    assert any("<@zhangsan_of_somewhere>" in piece for piece in pieces)
    assert any("👨‍👩‍👧" in piece for piece in pieces)
    assert not any(piece.startswith("\u0301") for piece in pieces)


def test_it_is_cut_at_the_end_of_a_line_where_one_is_near() -> None:
    assert cut("一二三四五六七八九\n十一十二十三", 31) == ["一二三四五六七八九\n", "十一十二十三"]


def test_neither_key_nor_address_of_a_medium_is_shown() -> None:
    segment = MessageSegment.image(url="https://signed/address", aeskey="geheim")

    assert "geheim" not in repr(segment) + str(segment)
    assert "signed" not in repr(segment) + str(segment)
    assert "geheim" not in repr(Message(segment))


def test_messages_are_put_together_from_either_side() -> None:
    both = "前" + MessageSegment.mention("a") + "后"

    assert [segment.type for segment in both] == ["text", "mention", "text"]
    assert both.extract_plain_text() == "前后"
    assert [segment.type for segment in Message.mixed("看", MessageSegment.image("M"))] == ["text", "image"]
