"""The operator's side: settings that say what is wrong, sites checked in the shell, pictures and fonts."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError

from groupops import AccountId, Group, GroupId, Person, PersonId, Policy
from groupops.plugin import texts_of
from groupops_check_in.board import Week, week_of
from groupops_check_in.day import Entry, State
from groupops_check_in.fonts import Face, NoFont, chosen
from groupops_check_in.picture import ROWS, draw
from groupops_check_in.settings import CheckIn
from groupops_check_in.view import view_of
from tests.plugins.check_in.stories import at, pack

TEXTS = texts_of("groupops_check_in")
MONDAY = date(2025, 9, 22)


# — settings —


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ({"consent_required": False}, "nobody checks in without having agreed"),
        ({"methods": ["location"]}, "words must be as good"),
        ({"retention_days": 31}, "less than or equal to 30"),
        ({"due": "08:00"}, "expected them in this order"),
        ({"remind_at": ["10:00"]}, "remind_at 10:00"),
        ({"open": "8 o'clock"}, "no time of day"),
        ({"days": "mony"}, "mony"),
        ({"board_days": "mony"}, "mony"),
        ({"sites": [{"label": "总部"}]}, "either at"),
        (
            {"sites": [{"label": "总部", "at": [116.4, 39.9], "polygon": [[1, 1], [2, 1], [1, 2]]}]},
            "either at",
        ),
        ({"sites": [{"label": "总部", "at": [39.9, 116.4]}]}, "latitude"),
        ({"sites": [{"label": "总部", "polygon": [[116.4, 39.9], [116.5, 39.9]]}]}, "'总部'.*three or more"),
        (
            {"sites": [{"label": "甲", "at": [116.4, 39.9]}, {"label": "乙", "at": [1, 1], "also": ["甲"]}]},
            "'甲' means both",
        ),
        ({"sites": [{"label": "甲", "at": [116.4, 39.9]}] * 2}, "stands there twice"),
        ({"shifts": [{"name": "夜班", "roles": []}]}, "roles"),
        ({"sanction": "warn"}, "Extra inputs"),
    ],
)
def test_what_cannot_be_is_said_where_it_was_written(table: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        CheckIn.model_validate({"roles": ["业务人员"], **table})


def test_shifts_take_from_the_table_what_they_do_not_say() -> None:
    found = CheckIn.model_validate(
        {
            "roles": ["业务人员"],
            "shifts": [
                {"name": "早班", "roles": ["司机"], "open": "05:30", "due": "06:00", "close": "06:30"},
                {"name": "门店", "roles": ["店员"], "days": "all"},
            ],
        }
    )
    early, shop, own = found.all_shifts
    assert (early.days, early.remind_at) == ("workdays", ())
    assert (shop.days, shop.remind_at) == ("all", own.remind_at)
    assert found.openings == ("05:30", "08:30")


def test_without_roles_nobody_is_asked_and_nothing_fires() -> None:
    assert CheckIn().all_shifts == ()
    assert CheckIn().openings == ()


# — picture —


def week(persons: int, title: str = "华东销售群") -> Week:
    people = {PersonId(n): Person(id=PersonId(n), name=f"员工{n}") for n in range(1, persons + 1)}
    states = list(State)
    entries = [
        Entry(
            group_id=GroupId("qq:1"),
            person_id=person,
            account=AccountId("qq:2"),
            day=MONDAY + timedelta(days=day),
            state=states[(person + day) % len(states)],
            at=at("2025-09-22T08:30") + timedelta(days=day, minutes=person % 60)
            if states[(person + day) % len(states)] in (State.ON_TIME, State.LATE)
            else None,
        )
        for person in people
        for day in (0, 1, 2, 3, 4, 6)
    ]
    worked = {MONDAY + timedelta(days=n): n != 5 for n in range(7)}
    group = Group(id=GroupId("qq:1"), name=title)
    return week_of(MONDAY, entries, view_of(group, CheckIn(), Policy()), people, worked, TEXTS)


def picture(of: Week) -> Image.Image:
    return Image.open(io.BytesIO(draw(of, TEXTS)))


def test_the_picture_shows_every_state_in_its_colour() -> None:
    with picture(week(5)) as image:
        pixels = image.convert("RGB")
        colours = {pixels.getpixel((x, y)) for x in range(0, 1080, 3) for y in range(0, pixels.height, 3)}
    for shown in ((15, 118, 110), (249, 115, 22), (220, 38, 38), (148, 163, 184), (37, 99, 235)):
        assert shown in colours


def test_a_large_group_is_cut_in_the_picture_and_not_in_the_table() -> None:
    with picture(week(ROWS + 25)) as large, picture(week(ROWS)) as full, picture(week(0)) as empty:
        assert empty.height < full.height < large.height < full.height + 60


@given(st.text(max_size=60))
@settings(max_examples=20)
def test_no_name_of_a_group_crashes_the_picture(title: str) -> None:
    assert draw(week(1, title), TEXTS).startswith(b"\x89PNG")


# — fonts —


def test_a_sans_regular_face_is_preferred_and_its_number_in_the_file_kept() -> None:
    lines = [
        "/f/serif.ttc\t2\tNoto Serif CJK SC\tRegular",
        "/f/sans-bold.ttc\t2\tNoto Sans CJK SC\tBold",
        "/f/sans.ttc\t0\tNoto Sans CJK JP\tRegular",
        "/f/sans.ttc\t2\tNoto Sans CJK SC\tRegular",
        "/f/sans-light.ttc\t2\tNoto Sans CJK SC\tLight",
        "not a line",
    ]
    assert chosen(lines) == (Face(path="/f/sans.ttc", index=2), Face(path="/f/sans-bold.ttc", index=2))


def test_any_font_with_chinese_will_do_and_a_missing_one_says_what_to_install() -> None:
    only = ["/f/odd.ttf\t0\tOdd Song\tBook"]
    assert chosen(only) == (Face(path="/f/odd.ttf"), Face(path="/f/odd.ttf"))
    with pytest.raises(NoFont, match="fonts-noto-cjk"):
        chosen([])


def test_a_font_file_that_cannot_be_read_is_named() -> None:
    with pytest.raises(NoFont, match="gone"):
        draw(week(1), TEXTS, "gone.ttf")


# — the shell —

SITES = """
sites = [
    { label = "总部", at = [116.3975, 39.9087], radius_m = 300, also = ["公司"], city = "北京" },
    { label = "北门", at = [116.3975, 39.9110], radius_m = 100 },
    { label = "仓库", crs = "wgs84", polygon = [[116.50, 39.90], [116.51, 39.90], [116.51, 39.91]] },
]
"""


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shell")
    (folder / "packs").mkdir()
    (folder / "packs" / "furniture.toml").write_text(pack(SITES), "utf-8")
    (folder / ".env").write_text(
        "GROUPOPS_DATA_DIR=data\nGROUPOPS_ADAPTERS=[]\nGROUPOPS_PACKS_DIR=packs\n", "utf-8"
    )
    groupops(folder, "migrate")
    groupops(folder, "group", "bind", "sandbox:g1", "--pack", "furniture")
    return folder


def groupops(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from groupops.cli import main; main()", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "200"},
    )


def test_sites_are_checked_and_a_point_is_tried_in_every_system(shell: Path) -> None:
    told = groupops(shell, "check-in", "sites", "--group", "sandbox:g1", "--at", "116.3975,39.9087")

    assert told.returncode == 0, told.stderr
    assert "总部:圆,半径 300 米,坐标系 gcj02,换算误差至多 0.5 米,城市 北京,又称 公司" in told.stdout
    assert "仓库:多边形,3 个顶点" in told.stdout
    assert "「总部」与「北门」重叠" in told.stdout
    assert "坐标系 gcj02:总部" in told.stdout
    assert "坐标系 wgs84:站点外" in told.stdout


def test_a_point_that_is_none_is_one_sentence(shell: Path) -> None:
    told = groupops(shell, "check-in", "sites", "--group", "sandbox:g1", "--at", "here")

    assert told.returncode == 1
    assert "expected longitude,latitude" in told.stderr
    assert "Traceback" not in told.stderr


def test_the_board_is_written_to_files_and_the_look_is_noted(shell: Path) -> None:
    told = groupops(
        shell,
        "check-in",
        "board",
        "--group",
        "sandbox:g1",
        "--week",
        "上周",
        "--png",
        "w.png",
        "--xlsx",
        "w.xlsx",
    )

    assert told.returncode == 0, told.stderr
    assert "打卡周报" in told.stdout
    assert (shell / "w.png").read_bytes().startswith(b"\x89PNG")
    assert (shell / "w.xlsx").read_bytes().startswith(b"PK")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("board", "--group", "sandbox:g1", "--week", "someday"), "--week"),
        (("board", "--group", "sandbox:g1", "--png", "no/such/folder.png"), "cannot be written"),
    ],
)
def test_what_is_wrong_in_the_shell_is_one_sentence(shell: Path, words: tuple[str, ...], why: str) -> None:
    told = groupops(shell, "check-in", *words)

    assert told.returncode == 1
    assert why in told.stderr
    assert "Traceback" not in told.stderr
