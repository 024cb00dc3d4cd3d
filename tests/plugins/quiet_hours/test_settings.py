"""What an operator may write about quiet hours, and what is said when it is wrong."""

from collections.abc import Mapping
from datetime import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import groupops_quiet_hours
from groupops import ConfigError, Window
from groupops.policy import Policy
from groupops.settings import flat, pack_schema, resolve
from groupops.shelf import PackShelf, parse_pack
from groupops_quiet_hours.settings import QuietHours
from tests.plugins.quiet_hours.desk import NIGHT

MANIFESTS = {"quiet_hours": groupops_quiet_hours.manifest}
HEAD = """schema = 1
[pack]
id = "t"
title = "t"
[plugins]
enabled = ["quiet_hours"]
[quiet_hours]
"""


def policy(table: str, env: Mapping[str, str] | None = None) -> Policy:
    shelf = PackShelf.load().plus(parse_pack(HEAD + table, path="t.toml"))
    return resolve(shelf, MANIFESTS, env or {}, ["t"], {})


def settings(table: str, env: Mapping[str, str] | None = None) -> QuietHours:
    found = policy(table, env).settings["quiet_hours"]
    assert isinstance(found, QuietHours)
    return found


def test_without_windows_a_group_never_rests() -> None:
    assert settings("").rest == ()


def test_a_window_is_read_once_and_may_cross_midnight() -> None:
    one = settings('windows = [{ start = "23:30", end = "07:30", days = "mon,fri" }]')

    assert one.rest == (Window(time(23, 30), time(7, 30), "mon,fri"),)
    assert one.rest is one.rest


def test_a_whole_day_is_written_to_midnight() -> None:
    assert settings('windows = [{ start = "00:00", end = "24:00" }]').rest == (Window(time(0), time(0)),)


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (
            'windows = [{ start = "25:00", end = "07:30" }]',
            r"quiet_hours\.windows\.0.*start '25:00': expected a time",
        ),
        (
            'windows = [{ start = "23:30", end = "late" }]',
            r"quiet_hours\.windows\.0.*end 'late': expected a time",
        ),
        ('windows = [{ start = "23:30", end = "23:30" }]', r"windows\.0.*is empty.*00:00-24:00"),
        (
            'windows = [{ start = "23:30", end = "07:30", days = "funday" }]',
            r"windows\.0.*'funday' is no day",
        ),
        ('windows = [{ start = "23:30" }]', r"quiet_hours\.windows\.0\.end.*field required"),
        ('windows = [{ start = "23:30", end = "07:30", day = "all" }]', r"windows\.0\.day is no key.*'days'"),
        ('windows = "23:30-07:30"', r"quiet_hours\.windows = '23:30-07:30'.*JSON list"),
        ("mute_minutes = 11", r"quiet_hours\.mute_minutes = 11.*less than or equal to 10"),
        ("mute_after = 0", r"quiet_hours\.mute_after = 0"),
        ('action = "kick"', r"quiet_hours\.action = 'kick'.*'mute_member'"),
        ('emergency_tags = [" "]', r"quiet_hours\.emergency_tags\.0.*at least 1 character"),
        ('exempt_roles = [""]', r"quiet_hours\.exempt_roles\.0.*at least 1 character"),
        ("remind_once = false", r"quiet_hours\.remind_once is no key.*remind_once_per_window"),
    ],
)
def test_what_is_wrong_is_named_with_its_key_and_what_was_expected(table: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        settings(table)


def test_the_environment_may_set_windows_as_json() -> None:
    env = {
        "GROUPOPS_QUIET_HOURS__REMIND_ONCE_PER_WINDOW": "false",
        "GROUPOPS_QUIET_HOURS__WINDOWS": '[{"start": "22:00", "end": "06:00"}]',
    }

    one = settings("", env)

    assert not one.remind_once_per_window
    assert one.rest == (Window(time(22), time(6)),)


def test_every_setting_can_be_shown_and_has_a_chinese_title() -> None:
    table = 'windows = [{ start = "22:00", end = "06:00" }]'

    assert flat(policy(table))["quiet_hours.windows"] == [{"start": "22:00", "end": "06:00", "days": "all"}]
    titles = [field.title or "" for field in QuietHours.model_fields.values()]
    assert all(any("一" <= sign <= "鿿" for sign in title) for title in titles)


def test_the_schema_of_packs_knows_the_windows() -> None:
    shown = str(pack_schema(MANIFESTS))

    assert "休息时段" in shown
    assert "开始时刻" in shown


@pytest.mark.parametrize("name", ["s10", "s18"])
def test_the_shipped_regulations_hold(name: str) -> None:
    found = resolve(PackShelf.load(), MANIFESTS, {}, [name], {}).settings["quiet_hours"]

    assert isinstance(found, QuietHours)
    assert len(found.rest) == 1


def test_reading_the_windows_leaves_equal_settings_equal() -> None:
    one, other = (QuietHours.model_validate({"windows": [NIGHT]}) for _ in range(2))

    assert one.rest
    assert one == other
    assert hash(one) == hash(other)


@pytest.mark.parametrize(
    ("table", "asked"),
    [
        ({"windows": [NIGHT]}, False),
        ({"windows": [NIGHT], "calendar": "cn"}, True),
        ({"windows": [{**NIGHT, "days": "sat, workdays"}]}, True),
        ({"windows": [{**NIGHT, "days": "restdays"}]}, True),
        ({"windows": [{**NIGHT, "days": "sat,sun"}]}, False),
        ({"calendar": "cn"}, False),
    ],
)
def test_the_work_calendar_matters_where_days_or_the_operator_ask_for_it(
    table: dict[str, Any], asked: bool
) -> None:
    one = QuietHours.model_validate(table)

    assert one.by_calendar is asked
    (_, look) = groupops_quiet_hours.manifest.schedules
    assert bool(list(look.at(one))) is asked


@given(before=st.text(), after=st.text())
def test_a_tag_marks_a_text_wherever_it_stands(before: str, after: str) -> None:
    assert QuietHours().urgent(f"{before}#紧急{after}") == "#紧急"


@pytest.mark.parametrize("text", ["＃紧急 机房漏水", "机房漏水 #sos", "ＳＯＳ:机房 ＃ＳＯＳ"])
def test_width_and_case_of_a_tag_do_not_matter(text: str) -> None:
    assert QuietHours(emergency_tags=("#紧急", "#SOS")).urgent(text)


@pytest.mark.parametrize("text", ["", "紧急", "# 紧急", "不紧急"])
def test_a_word_alone_is_no_tag(text: str) -> None:
    assert not QuietHours().urgent(text)
