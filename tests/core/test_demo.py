"""The demo tells a week in a company group, rehearses its transcript and says where to go next."""

import io
import os
import subprocess
import sys
import time
import tomllib
from importlib import resources
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from groupops.demo import demo_pack, demo_report, run_demo
from groupops.demo.story import folded, kind_of, read_story
from groupops.errors import ConfigError

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def told() -> str:
    out = io.StringIO()
    assert run_demo(headless=True, console=Console(file=out)) == 0
    return out.getvalue()


def story_text() -> str:
    return resources.files("groupops.demo").joinpath("story.toml").read_text("utf-8")


def test_it_is_a_timeline_of_many_lines_without_colours(told: str) -> None:
    assert len(told.splitlines()) > 100
    assert "\x1b" not in told


@pytest.mark.parametrize(
    "words",
    [
        "请先不要在群里聊天",
        "放行:标有 #紧急",
        "(第 4 条:对事不对人)",
        "已生效(提醒)",
        "已生效(警告)",
        "申诉中(警告)",
        "已撤销(警告)",
        "放行名单,以后不再命中",
        "按反映诉求对待",
        "撤回了 钱多多 的消息",
        "已豁免",
        "经群成员举报",
        "工单 9 自动关闭:名单证实已办",
        "名单比对:吴桐 已不在群里",
        "绑定成功",
        "→ 逾期",
        "→ 已接受说明",
        "按规则",
        "摘要 sha256:",
        "groupops group bind",
    ],
)
def test_every_chapter_comes_to_what_it_is_about(told: str, words: str) -> None:
    assert words in " ".join(told.split())


def test_a_scene_whose_plugin_is_not_installed_is_left_out_and_said() -> None:
    story = read_story(story_text())
    needed = {plugin for scene in story.scenes for plugin in scene.needs}

    assert needed == {"quiet_hours", "moderation"}


def test_every_step_is_done_by_somebody_who_is_there() -> None:
    story = read_story(story_text())
    rooms = {room.key: room for room in story.rooms}
    for scene in story.scenes:
        for step in scene.steps:
            assert kind_of(step)
            assert step.get("who", "he") in rooms[step.get("where", scene.where)].cast


def test_a_step_that_does_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="09:00"):
        kind_of({"at": "09:00"})


async def test_the_shipped_transcript_is_rehearsed_the_same_every_time() -> None:
    first, second = await demo_report(), await demo_report()

    assert first.digest == second.digest
    assert 150 <= first.facts <= 250
    assert set(first.by_rule()) >= {
        "quiet_hours.rest",
        "moderation.insult",
        "moderation.gambling",
        "moderation.ads",
    }
    assert first.failures == ()


async def test_a_number_that_was_taken_back_in_time_is_no_strike() -> None:
    [pii] = (await demo_report()).by_rule()["moderation.pii"]

    assert (pii.opened, pii.ended) == ("effective", "withdrawn")
    assert pii.text == ""


def test_the_demos_rules_name_a_clause_for_everything_the_story_breaks() -> None:
    assert {"moderation.insult", "moderation.gambling", "quiet_hours.rest"} <= set(
        demo_pack().tables["clause"]
    )


def test_a_text_is_broken_between_signs_but_not_inside_an_address() -> None:
    lines = folded(Text("请看这里的规定 https://example.com/a/b 谢谢大家配合"), 24)

    assert [line.plain for line in lines] == ["请看这里的规定 ", "https://example.com/a/b ", "谢谢大家配合"]
    assert all(cell_len(line.plain) <= 24 for line in lines)


def test_it_needs_under_a_minute_for_somebody_who_reads_along(told: str) -> None:
    from groupops.demo import PACE_S

    story_lines = told.partition("最后")[0].count("↳") + told.partition("最后")[0].count("私信机器人")

    assert story_lines * PACE_S < 50


def test_it_plays_from_anywhere(tmp_path: Path) -> None:
    code = "from rich.console import Console; from groupops.demo import run_demo; run_demo(headless=True, console=Console())"
    begun = time.monotonic()

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) > 20
    assert time.monotonic() - begun < 60
    assert list(tmp_path.iterdir()) == []


def test_the_picture_of_the_readme_shows_the_first_scenes() -> None:
    picture = (ROOT / "docs" / "pictures" / "demo.svg").read_text("utf-8")

    assert picture.startswith("<svg")
    assert tomllib.loads(story_text())["title"] in picture.replace("&#160;", " ")
