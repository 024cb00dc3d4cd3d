"""Words vote, and none of them is left that harmless talk runs into."""

from pathlib import Path

import pytest

from groupops_moderation.matcher import Hit, Union
from groupops_moderation.packs import (
    Facet,
    Pack,
    Tally,
    load_harmless,
    load_packs,
    read_pack,
    tally,
)
from groupops_moderation.purge import WEAKENED, accused, purge

PACK = Pack(
    category="ads",
    title="广告",
    report=2,
    act=4,
    contact=1,
    facets=(
        Facet(name="offer", weight=2, cap=6, supports=False, words=("日结兼职", "刷单返佣")),
        Facet(name="hint", weight=1, cap=2, supports=False, words=("佣金", "日入", "现结")),
        Facet(name="invite", weight=1, cap=1, supports=True, words=("加微信", "私聊我")),
        Facet(name="warning", weight=-2, cap=-2, supports=True, words=("谨防", "骗局")),
    ),
    harmless=("佣金结算表",),
)
MATCHER = Union(PACK.terms(), PACK.allowed())


def count(text: str, *, reachable: bool = False) -> Tally | None:
    return next(iter(tally(MATCHER.find(text), {"ads": PACK}, lambda: reachable)), None)


def level(text: str, *, reachable: bool = False) -> str | None:
    counted = count(text, reachable=reachable)
    return counted.level if counted else None


def test_one_outspoken_word_is_reported() -> None:
    assert level("招日结兼职") == "report"


def test_an_outspoken_word_with_company_is_acted_upon() -> None:
    assert level("日结兼职，佣金高，加微信") == "act"


def test_hints_alone_never_act() -> None:
    assert level("佣金现结日入，私聊我", reachable=True) == "report"


def test_an_invitation_alone_is_no_advert() -> None:
    assert level("加微信，私聊我", reachable=True) is None


def test_a_way_to_reach_somebody_counts_beside_other_words_only() -> None:
    assert level("佣金", reachable=True) == "report"
    assert level("佣金") is None


def test_nobody_looks_for_a_contact_where_no_word_spoke() -> None:
    asked: list[str] = []
    tally(MATCHER.find("加微信"), {"ads": PACK}, lambda: bool(asked.append("asked")))

    assert asked == []


def test_nobody_looks_for_a_contact_where_the_words_say_enough() -> None:
    asked: list[str] = []
    (counted,) = tally(MATCHER.find("日结兼职，刷单返佣"), {"ads": PACK}, lambda: bool(asked.append("asked")))

    assert (counted.level, asked) == ("act", [])


def test_a_word_counts_once_however_often_it_stands_there() -> None:
    counted = count("佣金佣金佣金")

    assert counted is not None
    assert counted.score == 1


def test_a_warning_that_names_the_fraud_is_no_advert() -> None:
    assert level("谨防日结兼职骗局") is None


def test_a_harmless_phrase_does_not_vote() -> None:
    assert count("佣金结算表发我") is None


def test_an_operator_s_own_word_needs_no_pack() -> None:
    own = Hit(term="某词", category="religion", weight=100, facet="own", start=0, end=2, folded_only=False)

    assert [(t.category, t.level) for t in tally([own], {})] == [("religion", "act")]


def test_political_and_religious_categories_ship_no_list() -> None:
    assert not {"bad_tendency", "religion", "incite"} & set(load_packs())


def test_every_shipped_pack_holds_at_most_five_hundred_words_a_kind() -> None:
    assert all(len(facet.words) <= 500 for pack in load_packs().values() for facet in pack.facets)


def test_no_shipped_word_hits_harmless_talk() -> None:
    findings = [finding for pack in load_packs().values() for finding in purge(pack, load_harmless())[1]]

    assert findings == []


def test_no_harmless_line_is_acted_upon_and_hardly_any_reported() -> None:
    lines = load_harmless()

    held = accused(load_packs(), lines)

    assert [a for a in held if a.level == "act"] == []
    assert len(held) <= len(lines) // 100


def test_the_harmless_lines_are_hundreds_and_none_stands_twice() -> None:
    lines = load_harmless()

    assert len(lines) >= 430
    assert len(set(lines)) == len(lines)


def test_an_outspoken_word_in_one_harmless_line_becomes_a_hint() -> None:
    purged, findings = purge(PACK, ["培训讲了日结兼职", "别的话"])

    assert [(f.term, f.advice) for f in findings] == [("日结兼职", "weaken")]
    assert [f.words for f in purged.facets if f.name == WEAKENED] == [("日结兼职",)]
    assert purged.facets[0].words == ("刷单返佣",)


def test_an_outspoken_word_in_several_harmless_lines_is_dropped() -> None:
    purged, findings = purge(PACK, ["培训讲了日结兼职", "又讲日结兼职"])

    assert [(f.term, f.lines, f.advice) for f in findings] == [("日结兼职", 2, "drop")]
    assert all("日结兼职" not in facet.words for facet in purged.facets)


def test_a_hint_may_hit_a_few_harmless_lines_and_no_more() -> None:
    assert purge(PACK, ["佣金", "佣金表"])[1] == []
    assert [f.term for f in purge(PACK, ["佣金", "佣金表", "算佣金"])[1]] == ["佣金"]


def test_purging_what_was_purged_changes_nothing() -> None:
    lines = ["日结兼职", "佣金", "佣金表", "算佣金", "刷单返佣", "刷单返佣案例"]

    purged, _ = purge(PACK, lines)

    assert purge(purged, lines) == (purged, [])


GOOD = 'category = "x"\ntitle = "某"\nreport = 2\nact = 4\n[[facet]]\nname = "a"\nweight = 2\nwords = ["甲词 乙词"]\n'


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (GOOD.replace("report = 2\n", ""), "report"),
        (GOOD.replace("act = 4", 'act = "viel"'), "viel"),
        ("colour = 1\n" + GOOD, "unknown key 'colour'"),
        (GOOD + "shape = 1\n", "shape"),
        (GOOD + '[[facet]]\nname = "b"\nweight = 1\nwords = ["甲 词", "甲词"]\n', "'甲' *"),
        (GOOD + '[[facet]]\nname = "b"\nweight = 1\nwords = ["甲词"]\n', "facet 'a' and in 'b'"),
        ("category =", "not readable as TOML"),
    ],
)
def test_a_broken_pack_is_refused_with_file_and_key(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "broken.toml"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(ValueError, match=complaint):
        read_pack(file)
