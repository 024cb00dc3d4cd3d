"""Sentences of scenarios: each means one thing, and what is not understood is answered with file, line and help."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupops.errors import ScenarioError
from groupops.scenario import Scenario, Step, registry
from groupops.scenario.language import PLACEHOLDERS, read_condition, read_span
from groupops.scenario.manual import Example, examples, parts
from groupops.scenario.reading import read_text
from groupops.scenario.words import Moment, filler

ROOT = Path(__file__).parents[2]
MANUAL = (ROOT / "docs" / "scenarios.md").read_text("utf-8")
SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY_NINE = datetime(2025, 3, 3, 9, 0, tzinfo=SHANGHAI)
HEAD = "# language: zh-CN\n功能: 试\n  场景: 一\n"


def read(steps: str) -> tuple[Scenario, ...]:
    return read_text(HEAD + steps, Path("x.feature"), registry())


def at(text: str, now: datetime = MONDAY_NINE) -> datetime:
    return Moment.read(text).after(now, MONDAY_NINE, SHANGHAI)


@pytest.mark.parametrize("step", registry().steps, ids=lambda step: step.pattern)
def test_the_example_of_every_step_means_that_step_and_no_other(step: Step) -> None:
    assert registry().read(step.example).step is step


@pytest.mark.parametrize("step", registry().steps, ids=lambda step: step.pattern)
def test_every_step_is_explained_in_one_sentence(step: Step) -> None:
    assert step.doc.endswith("。")


@given(
    st.text(alphabet="你好 说,::ab12@、", max_size=40),
    st.sampled_from([("「", "」"), ("“", "”"), ('"', '"')]),
)
def test_whatever_stands_in_quotes_is_text(text: str, quotes: tuple[str, str]) -> None:
    said = registry().read(f"员工甲 说{quotes[0]}{text}{quotes[1]}")

    assert said.values == ("员工甲", text)


def test_a_backslash_n_in_quotes_is_a_line_break() -> None:
    assert registry().read(r"员工甲 说「一\n二」").values == ("员工甲", "一\n二")


def test_names_are_listed_with_the_chinese_comma() -> None:
    assert registry().read("成员名单里有 群主、员工甲 、员工乙").values == (("群主", "员工甲", "员工乙"),)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("90 秒", timedelta(seconds=90)),
        ("1 小时 30 分", timedelta(minutes=90)),
        ("30分01秒", timedelta(minutes=30, seconds=1)),
        ("2 天", timedelta(days=2)),
        ("250 毫秒", timedelta(milliseconds=250)),
    ],
)
def test_lengths_of_time_are_read(text: str, span: timedelta) -> None:
    assert read_span(text) == span
    assert registry().read(f"过了 {text}").values == (span,)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("23:30", "2025-03-03 23:30"),
        ("次日 07:30", "2025-03-04 07:30"),
        ("第 3 天 09:00", "2025-03-05 09:00"),
        ("周一 08:44", "2025-03-10 08:44"),
        ("周五 08:44", "2025-03-07 08:44"),
        ("2025-12-31 23:45", "2025-12-31 23:45"),
    ],
)
def test_moments_are_meant_from_now(text: str, moment: str) -> None:
    assert at(text) == datetime.fromisoformat(moment).replace(tzinfo=SHANGHAI)


def test_moments_are_read_in_the_zone_of_the_group() -> None:
    assert at("09:00:00.5").astimezone(UTC) == datetime(2025, 3, 3, 1, 0, 0, 500_000, tzinfo=UTC)


@pytest.mark.parametrize("text", ["25:00", "2025-02-30 09:00", "次日"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ScenarioError, match="no moment"):
        Moment.read(text)


def test_before_a_sentence_stand_moment_group_and_condition() -> None:
    said = registry().read("在群「二群」里,能看到群消息但不能撤回消息时:员工甲 没有被提醒")

    assert said.group == "二群"
    assert said.conditions == (read_condition("能看到群消息但不能撤回消息"),)
    assert said.conditions[0].can == {"receive_all"}
    assert said.conditions[0].cannot == {"delete_message"}
    assert registry().read("次日 00:30,员工甲 又说「好」").at == Moment.read("次日 00:30")


def test_full_width_marks_are_read_as_half_width_ones_and_what_is_quoted_stays() -> None:
    said = registry().read("23:30\uff0c员工甲 说「好\uff0c是\uff1a对\uff0b」")

    assert said.at == Moment.read("23:30")
    assert said.values == ("员工甲", "好\uff0c是\uff1a对\uff0b")


def test_a_condition_holds_by_capabilities_and_by_profile() -> None:
    able = read_condition("能发消息且不能禁言")
    [named] = registry().read("在平台「advisor、full」上:没有立案").conditions

    assert able.holds({"send_text"}, "full")
    assert not able.holds({"send_text", "mute"}, "full")
    assert not able.holds(set(), "full")
    assert named.holds((), "advisor")
    assert not named.holds((), "qq-official")


def test_an_unknown_sentence_is_answered_with_file_line_step_and_the_nearest() -> None:
    with pytest.raises(ScenarioError) as caught:
        read("    当 员工甲 说道「好」\n    那么 没有立案\n")

    text = str(caught.value)
    assert "x.feature:4: 当 员工甲 说道「好」" in text
    assert "{account} [又]说{text}" in text


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ("    当 没有立案\n    那么 没有立案\n", "begins with 那么"),
        ("    那么 员工甲 说「好」\n", "begins with 假如 or 当"),
        ("    当 员工甲 说「好」\n", "checks nothing"),
        ("    当 员工甲 说\n    那么 没有立案\n", "belongs under this step"),
        ("    当 员工甲 说「好」\n      | a |\n      | b |\n    那么 没有立案\n", "nothing belongs under"),
        ("    假如 群里有成员\n    那么 没有立案\n", "a table belongs"),
        ("    当 能禁言时:员工甲 说「好」\n    那么 没有立案\n", "only an outcome"),
        ("    那么 09:30,没有立案\n", "moves no clock"),
        ("    那么 能飞时:没有立案\n", "“飞” is no capability"),
        ("    那么 该事项「已生郊」\n", "did you mean '已生效'"),
        ("    * 没有立案\n", "begin the step with"),
        ("    当 员工甲 说「好」\n    这不是步骤\n", "this is no Gherkin"),
        ("    那么 在平台「QQ」上:没有立案\n", "no profile"),
    ],
)
def test_a_scenario_that_cannot_be_meant_so_is_refused(steps: str, why: str) -> None:
    with pytest.raises(ScenarioError, match=r"x\.feature") as caught:
        read(steps)

    assert why in str(caught.value)


def test_a_file_must_name_its_language_and_hold_a_scenario() -> None:
    with pytest.raises(ScenarioError, match="first line must be"):
        read_text("功能: 试\n", Path("x.feature"), registry())
    with pytest.raises(ScenarioError, match="no scenario in it"):
        read_text("# language: zh-CN\n功能: 试\n", Path("x.feature"), registry())


def test_examples_and_backgrounds_are_filled_in() -> None:
    text = (
        "# language: zh-CN\n@needs-tasks\n功能: 试\n  背景:\n    假如 群规「s10」\n"
        "  @profiles\n  场景大纲: <谁>\n    当 <谁> 说「好」\n    那么 没有立案\n"
        "    例子:\n      | 谁 |\n      | 员工甲 |\n      | 员工乙 |\n"
    )

    one, two = read_text(text, Path("x.feature"), registry())

    assert [one.title, two.title] == ["员工甲", "员工乙"]
    assert one.lines[1].said.values == ("员工甲", "好")
    assert one.needs == {"tasks"}
    assert one.profiles(["full", "advisor"]) == ("full", "advisor")
    assert two.line == 13


@given(st.integers(min_value=0, max_value=3000))
def test_filler_has_the_length_that_is_asked_for(length: int) -> None:
    assert len(filler(length)) == length


def test_every_placeholder_is_used_and_explained() -> None:
    used = {one.name for step in registry().steps for one in step.readers}

    assert used == set(PLACEHOLDERS)


@pytest.mark.parametrize("name", list(parts()))
def test_the_manual_lists_the_steps_that_there_are(name: str) -> None:
    assert f"<!-- generated: {name} -->\n{parts()[name]()}<!-- end -->" in MANUAL


PACKS = (
    "s01 s02 s03 s05 s06 s08 s09 s10 s12 s14 s15a s15b s16a s16b s16c-defence s17 s18 s19 s20 s21 addon-essays common"
).split()


def test_the_manual_shows_lines_of_every_pack() -> None:
    shown = examples(MANUAL)

    assert len(shown) >= 40
    assert len({one.line for one in shown}) == len(shown)
    assert {one.pack for one in shown} == set(PACKS)


@pytest.mark.parametrize("example", examples(MANUAL), ids=lambda example: example.line)
def test_every_line_of_the_manual_can_be_said(example: Example) -> None:
    kinds = [registry().read(sentence).step.kind for _, sentence in example.steps]

    asked = [kind for kind, _ in example.steps]
    assert [kind == "then" for kind in kinds] == [kind == "then" for kind in asked]
    assert "when" in kinds
    assert "then" in kinds
