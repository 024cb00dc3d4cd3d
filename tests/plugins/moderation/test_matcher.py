"""One automaton finds every group's own words, whole and in their place."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupops_moderation.fold import load_fold
from groupops_moderation.matcher import OWN_WEIGHT, Allow, Hit, Term, TermError, Union, fold_term

LETTERS = "加微信群赌博兼职刷单天返利"
WORDS = st.lists(
    st.text(st.sampled_from(LETTERS), min_size=2, max_size=5), min_size=1, max_size=8, unique=True
)
TEXT = st.text(st.sampled_from(LETTERS + " ，\u200b🔥"), max_size=40)
GLUE = st.sampled_from(["", " ", "\u200b", "🔥", "\n", "】【", "\u0336"])


def union(*words: str, allowed: tuple[str, ...] = ()) -> Union:
    return Union(
        [Term(text=word, category="c") for word in words], [Allow(text=phrase) for phrase in allowed]
    )


def found(hits: list[Hit]) -> list[str]:
    return [hit.term for hit in hits]


def test_a_hit_says_where_it_stands_in_the_original() -> None:
    text = "您好，加\u200b微 信领红包"

    (hit,) = union("加微信").find(text)

    assert text[hit.start : hit.end] == "加\u200b微 信"
    assert hit.folded_only


def test_a_word_spelled_plainly_shows_without_folding() -> None:
    (hit,) = union("加微信").find("请加微信")

    assert (hit.start, hit.end, hit.folded_only) == (1, 4, False)


def test_a_typist_s_gap_between_scripts_is_no_disguise() -> None:
    (hit,) = union("日赚300元").find("日赚 300 元")

    assert not hit.folded_only


def test_a_group_sees_its_own_words_and_those_of_everybody() -> None:
    words = Union(
        [
            Term(text="公共词", category="c"),
            Term(text="甲群词", category="c", group_id="a"),
            Term(text="乙群词", category="c", group_id="b"),
        ]
    )

    assert found(words.find("公共词甲群词乙群词", "a")) == ["公共词", "甲群词"]
    assert found(words.find("公共词甲群词乙群词", "b")) == ["公共词", "乙群词"]
    assert found(words.find("公共词甲群词乙群词", "unknown")) == ["公共词"]


def test_another_group_s_longer_word_does_not_hide_ours() -> None:
    words = Union(
        [
            Term(text="微信", category="c", group_id="a"),
            Term(text="加微信群聊", category="c", group_id="b"),
        ]
    )

    assert found(words.find("加微信群聊", "a")) == ["微信"]


def test_a_longer_word_of_the_same_weight_speaks_for_those_inside_it() -> None:
    assert found(union("微信", "加微信").find("加微信")) == ["加微信"]


def test_a_weightier_word_inside_a_longer_one_still_speaks() -> None:
    words = Union(
        [Term(text="兼职日结", category="c", weight=1), Term(text="兼职", category="c", weight=OWN_WEIGHT)]
    )

    assert found(words.find("兼职日结")) == ["兼职日结", "兼职"]


def test_one_word_may_mean_different_things_to_different_categories() -> None:
    words = Union([Term(text="上分群", category="ads"), Term(text="上分群", category="gambling")])

    assert {hit.category for hit in words.find("上分群")} == {"ads", "gambling"}


def test_an_allowed_phrase_silences_the_words_inside_it_and_no_others() -> None:
    words = union("加微信", allowed=("加微信登录",))

    assert words.find("新增加微信登录") == []
    assert found(words.find("加微信登录失败，加微信找我")) == ["加微信"]


def test_an_allowed_phrase_of_one_group_does_not_silence_another() -> None:
    words = Union([Term(text="加微信", category="c")], [Allow(text="加微信登录", group_id="a")])

    assert words.find("加微信登录", "a") == []
    assert found(words.find("加微信登录", "b")) == ["加微信"]


@pytest.mark.parametrize(
    "text", ["usdt", "出USDT", "ＵＳＤＴ现货", "u s d t", "U.S.D.T", "usdt100", "买u\u200bs\u200bd\u200bt"]
)
def test_a_latin_word_is_found_as_a_whole_word(text: str) -> None:
    assert found(union("USDT").find(text)) == ["usdt"]


@pytest.mark.parametrize("text", ["usdts", "xusdt", "us dt", "bus dtype", "xus\u200bdt"])
def test_letters_of_other_words_are_no_latin_word(text: str) -> None:
    assert union("USDT").find(text) == []


def test_a_mixed_word_may_run_into_a_handle_but_not_into_a_word() -> None:
    words = union("加V")

    assert found(words.find("加Vkf12345")) == ["加v"]
    assert found(words.find("加v：老王")) == ["加v"]
    assert words.find("交换机加VLAN") == []


@pytest.mark.parametrize("text", ["加加微微信信", "加微微信", "加加加微信", "加 加 微 微 信"])
def test_doubled_characters_hide_nothing(text: str) -> None:
    assert "加微信" in found(union("加微信").find(text))


def test_a_word_with_a_double_of_its_own_needs_that_double() -> None:
    words = union("天天返利")

    assert found(words.find("天天天返返利")) == ["天天返利"]
    assert words.find("谢谢，今天返返利") == []


def test_a_number_is_not_another_one_with_a_digit_repeated() -> None:
    words = union("返29元")

    assert words.find("返299元元") == []
    assert found(words.find("返返29元元")) == ["返29元"]


def test_codes_are_read_where_they_stand() -> None:
    text = "找&#21152;微%E4%BF%A1吧"

    (hit,) = union("加微信").find(text)

    assert text[hit.start : hit.end] == "&#21152;微%E4%BF%A1"


def test_a_word_split_over_three_messages_is_found_with_its_parts() -> None:
    messages = ["兼职请加", "微\u200b", "信哦"]

    (hit,) = union("加微信").find_across(messages)

    assert [messages[part.index][part.start : part.end] for part in hit.parts] == ["加", "微", "信"]


def test_a_split_word_is_told_only_by_the_message_that_completes_it() -> None:
    words = union("加微信")

    assert words.find_across(["加微", "信"])
    assert words.find_across(["加微", "信", "你好"]) == []
    assert words.find_across(["加微信", "你好"]) == []


def test_a_latin_word_is_not_pieced_together_over_messages() -> None:
    assert union("usdt").find_across(["us", "dt"]) == []


@pytest.mark.parametrize("term", ["", "赌", "！！", "\u200b", "v"])
def test_a_word_that_would_hit_nearly_everything_is_refused_by_name(term: str) -> None:
    with pytest.raises(TermError, match="at least 2"):
        fold_term(term)


def test_no_words_find_nothing() -> None:
    assert Union([]).find("\0\0加微信") == []


def test_a_list_is_built_in_a_thread() -> None:
    built: list[Union] = []
    terms = [Term(text=f"词{number}号", category="c") for number in range(300)]

    thread = threading.Thread(target=lambda: built.append(Union(terms)))
    thread.start()
    thread.join()

    assert found(built[0].find("第词299号在")) == ["词299号"]


@given(words=WORDS, text=TEXT)
def test_folding_and_matching_agree_with_looking_for_each_word(words: list[str], text: str) -> None:
    folded = load_fold().text(text)

    terms = set(found(union(*words).find(text)))

    outermost = {
        w for w in words if w in folded and not any(w != o and w in o and o in folded for o in words)
    }
    assert outermost <= terms
    assert terms <= set(words)


@given(
    words=WORDS,
    before=TEXT,
    after=TEXT,
    glue=GLUE,
    repeats=st.lists(st.integers(1, 3), min_size=5, max_size=5),
    data=st.data(),
)
def test_no_lossless_disguise_hides_a_word_and_its_place_folds_back(
    words: list[str], before: str, after: str, glue: str, repeats: list[int], data: st.DataObject
) -> None:
    word = data.draw(st.sampled_from(words))
    text = before + glue.join(char * repeats[i] for i, char in enumerate(word)) + after

    hits = union(*words).find(text)

    assert any(word in hit.term for hit in hits)
    assert all(squeezed(hit.term) == squeezed(load_fold().text(text[hit.start : hit.end])) for hit in hits)


def squeezed(text: str) -> str:
    return "".join(char for i, char in enumerate(text) if i == 0 or char != text[i - 1])


@given(words=WORDS, parts=st.lists(TEXT, min_size=2, max_size=3))
def test_words_across_messages_are_those_of_the_joined_text_that_cross_into_the_last(
    words: list[str], parts: list[str]
) -> None:
    hits = union(*words).find_across(parts)

    for hit in hits:
        assert hit.parts[-1].index == len(parts) - 1
        assert hit.parts[0].index < len(parts) - 1
        spelled = "".join(parts[part.index][part.start : part.end] for part in hit.parts)
        assert squeezed(load_fold().text(spelled)) == squeezed(hit.term)
