"""The operator's commands, as an operator types them, in a folder of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from groupops.cli import app


@pytest.fixture
def type_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    runner = CliRunner()
    return lambda *words: runner.invoke(app, list(words))


def test_three_commands_lead_from_nothing_to_a_bound_group(type_in: Any) -> None:
    type_in("steward", "add", "sandbox:admin")
    bound = type_in("group", "bind", "sandbox:g1", "--pack", "s10", "--name", "全员群")

    listed = json.loads(type_in("group", "list", "--json").stdout)

    assert bound.exit_code == 0
    assert [(row["group"], row["name"], row["packs"], row["stage"]) for row in listed] == [
        ("sandbox:g1", "全员群", ["s10"], "shadow")
    ]


def test_a_command_prints_what_was_asked_for_and_no_log(
    type_in: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    bound = type_in("group", "bind", "sandbox:g1", "--pack", "s10")

    assert bound.stdout.splitlines() == ["已绑定 sandbox:g1:s10,阶段 shadow,第 1 版。"]
    assert bound.stderr + "".join(capfd.readouterr()) == ""


def test_an_id_that_reads_like_an_emoji_stays_an_id(type_in: Any) -> None:
    bound = type_in("group", "bind", "wechat:x", "--pack", "s10")

    assert "wechat:x:s10" in bound.stdout


def test_a_setting_is_changed_shown_and_rolled_back(type_in: Any) -> None:
    type_in("group", "bind", "sandbox:g1", "--pack", "s10")
    changed = type_in("group", "set", "sandbox:g1", "quiet_hours.mute_after", "5")
    back = type_in("group", "rollback", "sandbox:g1", "1")

    shown = json.loads(type_in("group", "show", "sandbox:g1", "--json").stdout)
    history = json.loads(type_in("group", "show", "sandbox:g1", "--history", "--json").stdout)

    assert changed.exit_code == back.exit_code == 0
    assert {row["key"]: row["value"] for row in shown}["quiet_hours.mute_after"] == 3
    assert [row["number"] for row in history] == [1, 2, 3]
    assert history[1]["diff"]["quiet_hours.mute_after"][1] == 5


def test_a_wrong_value_is_refused_with_what_was_expected_and_nothing_changes(type_in: Any) -> None:
    type_in("group", "bind", "sandbox:g1", "--pack", "s10")

    refused = type_in("group", "set", "sandbox:g1", "quiet_hours.mute_after", "0")

    assert refused.exit_code == 1
    assert "quiet_hours.mute_after" in refused.stderr
    assert len(json.loads(type_in("group", "show", "sandbox:g1", "--history", "--json").stdout)) == 1


def test_a_group_that_is_not_bound_is_told_how_to_bind_it(type_in: Any) -> None:
    refused = type_in("group", "stage", "sandbox:nowhere", "shadow")

    assert refused.exit_code == 1
    assert "groupops group bind sandbox:nowhere --pack" in refused.stderr


def test_a_stage_climbs_one_step_at_a_time_unless_forced(type_in: Any) -> None:
    type_in("group", "bind", "sandbox:g1", "--pack", "s10")

    assert type_in("group", "stage", "sandbox:g1", "enforced").exit_code == 1
    assert type_in("group", "stage", "sandbox:g1", "warn_only").exit_code == 0
    assert type_in("group", "stage", "sandbox:g1", "enforced").exit_code == 0


def test_an_unbound_group_is_gone_from_the_list(type_in: Any) -> None:
    type_in("group", "bind", "sandbox:g1", "--pack", "s10")

    type_in("group", "unbind", "sandbox:g1")

    assert json.loads(type_in("group", "list", "--json").stdout) == []


def test_stewards_are_added_listed_and_removed(type_in: Any) -> None:
    type_in("steward", "add", "qq:10001")
    type_in("steward", "add", "qq:10002", "--group", "qq:1")
    type_in("steward", "remove", "qq:10001")

    listed = json.loads(type_in("steward", "list", "--json").stdout)

    assert listed == [{"account": "qq:10002", "group": "qq:1"}]
    assert type_in("steward", "remove", "qq:10001").exit_code == 1


@pytest.mark.parametrize("words", [("steward", "add", "10001"), ("group", "unbind", "1234")])
def test_an_id_without_its_platform_is_refused_with_the_right_form(
    type_in: Any, words: tuple[str, ...]
) -> None:
    refused = type_in(*words)

    assert refused.exit_code == 1
    assert "<platform>:" in refused.stderr


def test_a_pack_reads_like_the_regulation_it_came_from(type_in: Any) -> None:
    shown = type_in("pack", "show", "s10").stdout

    assert "员工微信群管理办法" in shown
    assert "篇十" in shown
    assert "处理办法" in shown


def test_a_pack_of_ones_own_is_checked_and_its_fault_named(type_in: Any, tmp_path: Path) -> None:
    good = tmp_path / "good.toml"
    good.write_text('[pack]\nid = "good"\ntitle = "好"\n[plugins]\nenabled = ["quiet_hours"]\n', "utf-8")
    bad = tmp_path / "bad.toml"
    bad.write_text('[pack]\nid = "bad"\ntitle = "坏"\n[quiet_hours]\nactoin = "remind"\n', "utf-8")

    assert type_in("pack", "check", str(good)).exit_code == 0
    refused = type_in("pack", "check", str(bad))

    assert refused.exit_code == 1
    assert "actoin" in refused.stderr
    assert "action" in refused.stderr


def test_migrating_twice_finds_nothing_more_to_do(type_in: Any) -> None:
    first = type_in("migrate")
    again = type_in("migrate", "--check")

    assert first.exit_code == again.exit_code == 0
    assert "已是最新" in again.stdout


def test_the_doctor_says_of_an_empty_installation_what_to_do(type_in: Any) -> None:
    findings = json.loads(type_in("doctor", "--json").stdout)

    todo = {finding["about"]: finding["todo"] for finding in findings if finding["state"] == "warn"}
    assert "groupops group bind" in todo["群"]
    assert "groupops steward add" in todo["管理员"]
    assert not [finding for finding in findings if finding["state"] == "bad"]


def test_the_doctor_finds_a_database_that_cannot_be_opened(
    type_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROUPOPS_DATABASE_URL", "sqlite:///nowhere/at/all/x.sqlite3")

    examined = type_in("doctor", "--json")

    assert examined.exit_code == 1
    assert "数据库" in {f["about"] for f in json.loads(examined.stdout) if f["state"] == "bad"}


def test_the_doctor_finds_a_wrong_key_in_the_configuration(
    type_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROUPOPS_DEFAULT_STAGE", "enforcedd")

    examined = type_in("doctor", "--json")

    assert examined.exit_code == 1
    assert "GROUPOPS_DEFAULT_STAGE" in json.loads(examined.stdout)[0]["what"]


def test_plugins_are_listed_with_their_titles_and_commands(type_in: Any) -> None:
    listed = {row["name"]: row for row in json.loads(type_in("plugins", "--json").stdout)}

    assert {"quiet_hours", "moderation", "sandbox"} <= set(listed)
    assert all(row["title"] for row in listed.values())


def test_a_bus_is_refused_because_this_release_runs_in_one_process(
    type_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROUPOPS_BUS", "redis://127.0.0.1:6379")

    refused = type_in("group", "list")

    assert refused.exit_code == 1
    assert "GROUPOPS_BUS" in refused.stderr


def test_the_operators_own_calendar_is_read_and_its_faulty_rows_are_named(
    type_in: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "days.csv").write_text("date,kind,name\n2027-01-01,rest,元旦\n2027-13-01,rest,无\n", "utf-8")
    monkeypatch.setenv("GROUPOPS_CALENDAR_FILE", "days.csv")

    refused = type_in("group", "list")

    assert refused.exit_code == 1
    assert "2027-13-01" in refused.stderr
