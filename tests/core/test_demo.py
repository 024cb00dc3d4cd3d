"""The demo tells a company group's week and the end of its month, and leaves the board and the statement behind."""

import io
import os
import shutil
import subprocess
import sys
import time
import tomllib
from decimal import Decimal
from importlib import resources
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from groupops.actions import SendFile
from groupops.demo import demo_pack, demo_report, demo_roster, demo_story, run_demo
from groupops.demo.ending import Ending, books_of, read_sheets
from groupops.demo.keepsakes import Keepsakes
from groupops.demo.lines import folded
from groupops.demo.stage import Scenery, scenery
from groupops.demo.story import kind_of
from groupops.demo.telling import Telling
from groupops.errors import ConfigError
from groupops.people import GroupId
from groupops.plugin import texts_of
from groupops.records import CaseStatus, ObligationStatus, OutboxState

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "pictures"
SIX = {"check_in", "welcome", "roster", "quiet_hours", "moderation", "red_packet"}


def has_font() -> bool:
    lister = shutil.which("fc-list")
    return lister is not None and bool(subprocess.check_output([lister, ":lang=zh-cn"]))


FONTS = pytest.mark.skipif(
    not has_font(), reason="no font with Chinese characters here: apt-get install fontconfig fonts-noto-cjk"
)


def play_headless(out: Path) -> str:
    said = io.StringIO()
    assert run_demo(headless=True, console=Console(file=said), out=out) == 0
    return said.getvalue()


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def told(out: Path) -> str:
    return play_headless(out)


# — what it tells —


def test_it_is_a_timeline_of_many_lines_without_colours(told: str) -> None:
    assert len(told.splitlines()) > 100
    assert "\x1b" not in told


@pytest.mark.parametrize(
    "words",
    [
        # check-in: consent first, and who says no is left in peace
        "打卡告知(依据第 1 条)。在您同意之前,什么也不会记录。",
        "不再问您",
        "已记录 03-24 08:41,准时,地点:总部",
        "已记录 03-24 09:12,迟到,地点:客户A处",
        "请假申请(03-24)已批准",
        # a newcomer: roster, welcome, rules, card
        "同意了 张三 的入群申请",
        "编号 1 已确认,账号归于 张三(销售部)",
        "群里说:欢迎 张三!",
        "已记下您读过群规",
        "22:00 至 07:30 不在群里聊天",
        "建议改为:销售部-张三",
        # a stranger and an advert
        "您还没有与名册对上,目前处于试用",
        "撤回了 轻松日结 的消息",
        "第 6 条 → 待核准(移出本群)",
        "把 轻松日结 移出了群",
        # night
        "确有急事,请在消息里加上 #紧急",
        "放行:标有 #紧急",
        # red packets
        "已生效(红包事项)",
        "不从工资扣除,也不催收",
        "已记录您选择「分享一篇行业文章」",
        "申诉已获支持,处理已撤销",
        "第 5 条 → 已撤销(红包事项)",
        "看到 研发部-张帆 发了一个红包",
        "已确认结清",
        # somebody leaves the organisation
        "已离职仍在群(第 2.3 条)(1):财务部-孙浩",
        "已记录对事项 6 的核准(1/2)",
        "把 孙浩 移出了群",
        "“★恭喜发财★”看起来不像规定的格式(第 3 条)",
        # the end of the month
        "新登记 3 项,了结 3 项,月末尚有 0 项",
        "您的台账(只有您本人看到): 3 2025-03-25 第 5 条 已用替代方式完成 20 元",
        "事项 1 条,待办 0 条,被管理员查询 0 次",
        "账平。",
        "groupops group bind",
    ],
)
def test_every_chapter_comes_to_what_it_is_about(told: str, words: str) -> None:
    assert words.replace(" ", "") in "".join(told.split())


def test_who_does_not_agree_to_check_in_is_in_no_list(told: str) -> None:
    board = told.partition("打卡周报(2025-03-24")[2].partition("没有同意打卡的人不在表里")[0]

    assert "唐果" in board
    assert "陈露" not in board
    assert "陈露" not in told.partition("不再问您")[2].partition("换规则之前")[0]


def test_it_ends_with_the_board_and_the_statement(told: str) -> None:
    story, _, ending = told.partition("换规则之前")

    assert "月结 2025-03" in story
    assert ending.index("打卡周报") < ending.index("红包台账") < ending.index("账平。")


def test_the_story_comes_out_the_same_twice(out: Path, told: str) -> None:
    files = {file.name: file.read_bytes() for file in out.glob("*.png")}

    assert play_headless(out) == told
    assert {file.name: file.read_bytes() for file in out.glob("*.png")} == files


def test_it_needs_under_a_minute_for_somebody_who_reads_along(told: str) -> None:
    from groupops.demo import PACE_S

    rows = [line for line in told.splitlines() if line.strip()[:1] == "↳" or line[2:3] == ":"]

    assert len(rows) * PACE_S < 50


# — what happens behind it —


async def played(stage: Scenery, kept: Keepsakes) -> None:
    quiet = Console(file=io.StringIO())
    await Telling(stage, quiet, texts_of("groupops.demo"), 0.0, kept).tell(demo_story())


async def test_each_of_the_six_plugins_acts_and_nothing_is_left_open(tmp_path: Path) -> None:
    story = demo_story()
    async with scenery(story.room, demo_pack(), demo_roster(), story.scenes[0].day) as stage:
        await played(stage, Keepsakes(tmp_path))
        records = stage.engine.parts.records
        rows, cases = await records.outbox(), await records.cases()
        owed, tickets = await records.obligations(), await records.tickets(open_only=False)

    acted = {row.plugin for row in rows} | {case.plugin for case in cases}
    assert acted >= SIX
    assert {row.state for row in rows} == {OutboxState.DONE}
    assert not {case.status for case in cases} & {
        CaseStatus.PROPOSED, CaseStatus.FLAGGED, CaseStatus.APPEALED
    }  # fmt: skip
    assert ObligationStatus.OPEN not in {one.status for one in owed}
    assert tickets


def test_a_scene_says_which_plugins_it_needs() -> None:
    story = demo_story()

    assert {plugin for scene in story.scenes for plugin in scene.needs} == SIX
    assert set(demo_pack().tables["plugins"]["enabled"]) == SIX


def test_every_step_is_done_by_somebody_who_is_there() -> None:
    story = demo_story()
    for scene in story.scenes:
        for step in scene.steps:
            assert kind_of(step)
            assert step.get("who", "he") in story.room.cast


def test_a_step_that_does_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="09:00"):
        kind_of({"at": "09:00"})


def test_the_demos_rules_name_a_clause_for_everything_the_story_breaks() -> None:
    assert {
        "moderation.insult",
        "moderation.ads",
        "quiet_hours.rest",
        "roster.leaver",
        "roster.card",
        "check_in.report",
        "red_packet.sanction",
    } <= set(demo_pack().tables["clause"])


# — what it leaves behind —


def test_the_statement_is_a_workbook_whose_journal_sums_up_to_its_balances(out: Path, told: str) -> None:
    flows, items, _ = read_sheets(out / "红包台账-2025-03.xlsx")
    books = books_of(flows, items)

    assert books.balanced
    assert books.charged == Decimal(60)
    assert [row[6] for row in items[1:]] == ["已用替代方式完成", "已撤销", "已结清"]
    assert f"登记 {books.charged}" in told


def test_books_that_do_not_balance_are_said_to_be_off(out: Path, told: str, tmp_path: Path) -> None:
    assert "账平" in told
    flows, items, _ = read_sheets(out / "红包台账-2025-03.xlsx")
    owing = [*items, [*items[1][:5], 20.0, *items[1][6:]]]

    assert not books_of(flows, owing).balanced


def test_the_board_is_a_workbook_of_one_week(out: Path, told: str) -> None:
    days, persons, entries = read_sheets(out / "打卡周报-20250324.xlsx")

    assert len(persons) == 1 + 7
    assert {row[4] for row in entries[1:]} == {"准时", "迟到", "未打卡", "请假", "已更正"}
    assert len(days) == 1 + 7
    assert "03-28" in told


@FONTS
def test_the_board_is_a_picture_beside_it(out: Path, told: str) -> None:
    picture = out / "board.png"

    assert picture.read_bytes().startswith(b"\x89PNG")
    assert str(picture) in told


def test_without_a_font_one_sentence_says_how_to_get_the_picture(out: Path, told: str) -> None:
    assert told
    kept = Keepsakes(out)
    kept.files += sorted(out.glob("*.xlsx"))
    said = io.StringIO()

    assert Ending(Console(file=said, width=120), kept, texts_of("groupops.demo")).show()

    assert "打卡周报" in said.getvalue()
    assert said.getvalue().count("fonts-noto-cjk)再运行一次,就有图片") == 1


def test_a_machine_without_fonts_plays_the_whole_demo(tmp_path: Path) -> None:
    done = demo_in(tmp_path, PATH=str(tmp_path))

    assert done.returncode == 0, done.stderr
    assert "fonts-noto-cjk" in done.stdout
    assert not list(tmp_path.rglob("*.png"))


def test_it_plays_from_anywhere_and_writes_into_one_folder_alone(tmp_path: Path) -> None:
    begun = time.monotonic()

    done = demo_in(tmp_path)

    assert done.returncode == 0, done.stderr
    assert "文件写在 groupops-demo/ 里" in done.stdout
    assert time.monotonic() - begun < 60
    assert [path.name for path in tmp_path.iterdir()] == ["groupops-demo"]


def demo_in(folder: Path, **env: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [Path(sys.executable).with_name("groupops"), "demo", "--headless"],
        cwd=folder,
        env=os.environ | env,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_folder_that_cannot_be_written_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file stands here", encoding="utf-8")
    action = SendFile(group_id=GroupId("qq:work"), name="a.xlsx", data=b"x")

    with pytest.raises(ConfigError, match=r"taken.*--out"):
        Keepsakes(tmp_path / "taken").keep(action)


def test_a_files_name_leads_nowhere_else(tmp_path: Path) -> None:
    action = SendFile(group_id=GroupId("qq:work"), name="../../a.xlsx", data=b"x")

    assert Keepsakes(tmp_path / "kept").keep(action) == tmp_path / "kept" / "a.xlsx"


# — the rehearsal in it —


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


# — lines and pictures —


def test_a_text_is_broken_between_signs_but_not_inside_an_address() -> None:
    lines = folded(Text("请看这里的规定 https://example.com/a/b 谢谢大家配合"), 24)

    assert [line.plain for line in lines] == ["请看这里的规定 ", "https://example.com/a/b ", "谢谢大家配合"]
    assert all(cell_len(line.plain) <= 24 for line in lines)


def test_the_pictures_of_the_readme_show_the_story_the_statement_and_the_board() -> None:
    story = resources.files("groupops.demo").joinpath("story.toml").read_text("utf-8")
    demo, statement = (
        (PICTURES / name).read_text("utf-8").replace("&#160;", " ") for name in ("demo.svg", "statement.svg")
    )

    assert tomllib.loads(story)["title"] in demo
    assert "账平。" in statement
    assert (PICTURES / "board.png").read_bytes().startswith(b"\x89PNG")
    assert max(file.stat().st_size for file in PICTURES.iterdir()) <= 200_000
