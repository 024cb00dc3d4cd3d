"""Folding takes disguises off and finds the way back."""

import html
from itertools import pairwise
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from groupops_moderation.fold import decode, load_fold

FOLD = load_fold()

INVISIBLE = "\u200b\u200d\u2060\ufeff\u00ad\u0336\u20dd\ufe0f\U000e0101\U000e0041\u202e\u202c🔥👍🏻⭐"
SEPARATING = " \u3000\u00a0\n\t.。·…-_【】()（）「」<>*"
ANYTHING = st.text(
    st.one_of(
        st.sampled_from("加微信賺錢ＶＸ①⑩Ⅴㄅﬁ㈱㍿ß&#;%0123456789ABab" + INVISIBLE + SEPARATING),
        st.characters(),
    ),
    max_size=40,
)
WORD = st.text(st.sampled_from("加微信群赌博兼职刷单abc123"), min_size=2, max_size=6)


@pytest.mark.parametrize(
    ("disguised", "plain"),
    [
        ("加\u200b微\u2060信", "加微信"),
        ("加\u0336微\u20dd信\u0332", "加微信"),
        ("加\ufe0f微\U000e0101信\U000e0041", "加微信"),
        ("加🔥微👍🏻信⭐", "加微信"),
        ("加 微\u3000信", "加微信"),
        ("加\n微\r\n信", "加微信"),
        ("【加】(微)〖信〗", "加微信"),
        ("ＵＳＤＴ", "usdt"),
        ("uSdT", "usdt"),
        ("⾦⽔⼭", "金水山"),
        ("賺錢網賭", "赚钱网赌"),
        ("&#21152;&#x5fae;信&nbsp;", "加微信"),
        ("%E5%8A%A0微%E4%BF%A1", "加微信"),
        ("①⑩❷🅰Ⓑ𝟗", "1102ab9"),
        ("\u202e信微加\u202c", "信微加"),
    ],
)
def test_a_disguise_comes_off(disguised: str, plain: str) -> None:
    assert FOLD.text(disguised) == plain


def test_a_percentage_and_an_ampersand_stay_what_they_are() -> None:
    assert decode("涨了50%，A&B 公司，&nosuchthing;") == "涨了50%，A&B 公司，&nosuchthing;"


def test_percent_codes_that_are_no_utf8_stay_what_they_are() -> None:
    assert decode("%FF%FE") == "%FF%FE"


def test_the_soft_fold_keeps_separators() -> None:
    assert FOLD.softly("ｗｗｗ．ａ.ｃｏｍ 賬號") == "www.a.com 账号"


@given(ANYTHING)
@example("\U00020000赌\U000e0101博")
def test_the_fast_table_folds_like_the_full_one(text: str) -> None:
    assert FOLD.text(text) == decode(text).translate(dict(FOLD.hard))


@given(ANYTHING)
def test_folding_twice_is_folding_once(text: str) -> None:
    once = FOLD.text(text)
    assert once.translate(dict(FOLD.hard)) == once


@given(ANYTHING)
def test_every_folded_character_knows_where_it_came_from(text: str) -> None:
    folded = FOLD.text(text)

    spans = FOLD.spans(text, folded)

    assert len(spans) == len(folded)
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert all(one[0] <= other[0] for one, other in pairwise(spans))


@given(ANYTHING)
def test_the_soft_fold_knows_its_places_as_well(text: str) -> None:
    soft = FOLD.softly(text)
    assert len(FOLD.spans(text, soft, soft=True)) == len(soft)


@given(ANYTHING)
def test_text_coded_as_entities_or_percent_codes_reads_the_same(text: str) -> None:
    plain = text.replace("&", "").replace("%", "").encode("utf-8", "ignore").decode()

    assert decode("".join(f"&#{ord(char)};" for char in plain if char > "\x9f")) == html.unescape(
        "".join(f"&#{ord(char)};" for char in plain if char > "\x9f")
    )
    assert decode(quote(plain, safe="")) == plain


@given(
    before=ANYTHING,
    word=WORD,
    glue=st.text(st.sampled_from(INVISIBLE + SEPARATING), max_size=2),
    after=ANYTHING,
)
def test_the_place_of_a_disguised_word_folds_back_to_the_word(
    before: str, word: str, glue: str, after: str
) -> None:
    text = f"{before}\n{glue.join(word)}\n{after}"
    folded = FOLD.text(text)
    at = folded.index(word)

    start, end = FOLD.source(text, at, at + len(word))

    assert word in FOLD.text(text[start:end])
