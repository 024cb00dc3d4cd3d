"""The operator takes a roster in, after having seen what it changes, writes it out, and all of it is noted."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from groupops.desk import Shell
from groupops_roster.desk import commands

Run = Callable[..., Result]
Write = Callable[..., Path]

HEAD = "工号,姓名,部门,QQ号"
FANG = "1,王芳,财务部,880000001"
LEI = "2,李雷,销售部,880000002"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder as an operator has it: migrated, and with one group."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / ".env").write_text("GROUPOPS_DATA_DIR=data\nGROUPOPS_ADAPTERS=[]\n")
    for words in (["migrate"], ["group", "bind", "qq:814", "--pack", "s10"]):
        subprocess.run(
            [sys.executable, "-c", "from groupops.cli import main; main()", *words],
            cwd=folder,
            check=True,
            capture_output=True,
            env=os.environ,
        )
    return folder


@pytest.fixture
def folder(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "here"
    shutil.copytree(prepared, made)
    monkeypatch.chdir(made)
    return made


@pytest.fixture
def run(folder: Path) -> Run:
    """`run("import", "roster.csv", "--apply")` is what `groupops roster import …` does."""

    def run(*words: str, code: int = 0) -> Result:
        result = CliRunner().invoke(commands(Shell("roster")), list(words))
        assert result.exit_code == code, result.output
        return result

    return run


@pytest.fixture
def write(folder: Path) -> Write:
    def write(*lines: str, name: str = "roster.csv") -> Path:
        path = folder / name
        path.write_text("\n".join(lines), "utf-8-sig")
        return path

    return write


def audit(folder: Path, what: str) -> list[dict[str, object]]:
    database = folder / "data" / "groupops.sqlite3"
    connection = sqlite3.connect(database)
    found = connection.execute("SELECT detail FROM core_audit WHERE what = ?", (what,)).fetchall()
    connection.close()
    return [json.loads(detail) for (detail,) in found]


def persons(run: Run) -> list[str]:
    """The names of who is in service, in order."""
    run("export", "seen.csv", "--columns", "姓名", "--in-service", "--force")
    return Path("seen.csv").read_text("utf-8-sig").splitlines()[1:]


def test_a_dry_run_shows_what_would_change_and_changes_nothing(run: Run, write: Write) -> None:
    write(HEAD, FANG, LEI)

    said = run("import", "roster.csv").output

    assert "新增 2" in said
    assert "王芳（财务部，1）" in said
    assert "预演" in said
    assert persons(run) == []


def test_what_is_applied_is_on_the_register_and_in_the_audit(run: Run, write: Write, folder: Path) -> None:
    write(HEAD, FANG, LEI)

    said = run("import", "roster.csv", "--apply").output

    assert "已生效:新增 2 人" in said
    assert persons(run) == ["王芳", "李雷"]
    [noted] = audit(folder, "roster imported")
    assert (noted["created"], noted["file"], len(str(noted["sha256"]))) == (2, "roster.csv", 64)


def test_the_same_file_again_changes_nothing(run: Run, write: Write) -> None:
    write(HEAD, FANG, LEI)
    run("import", "roster.csv", "--apply")

    assert "新增 0，变更 0" in run("import", "roster.csv").output


def test_nothing_of_a_file_with_one_fault_is_taken(run: Run, write: Write) -> None:
    write(HEAD, FANG, "2,李雷,销售部,12")

    said = run("import", "roster.csv", "--apply", code=1).output

    assert "第 3 行 D 列「QQ号」写的是“12”" in said
    assert persons(run) == []


def test_all_faults_go_into_a_report(run: Run, write: Write, folder: Path) -> None:
    write(HEAD, *(f"{n},李雷,销售部,{n}" for n in range(1, 40)))

    run("check", "roster.csv", "--report", "faults.csv", code=1)

    assert len((folder / "faults.csv").read_text("utf-8-sig").splitlines()) == 40


def test_many_do_not_leave_without_a_second_word(run: Run, write: Write) -> None:
    write(HEAD, FANG, LEI)
    run("import", "roster.csv", "--apply")
    write(HEAD, FANG)

    said = run("import", "roster.csv", "--apply", "--complete", code=1).output
    assert "加 --yes" in said
    assert persons(run) == ["王芳", "李雷"]

    run("import", "roster.csv", "--apply", "--complete", "--yes")
    assert persons(run) == ["王芳"]


def test_an_account_of_another_person_becomes_a_proposal(run: Run, write: Write) -> None:
    write(HEAD, FANG, LEI)
    run("import", "roster.csv", "--apply")
    write(HEAD, "1,王芳,财务部,880000002")

    said = run("import", "roster.csv", "--apply").output

    assert "待管理员决定 1 项" in said


def test_two_numbers_of_one_person_become_a_proposal(run: Run, write: Write) -> None:
    write("工号,姓名,同一人", "1,王芳,", "2,王芳,1")

    assert "待管理员决定 1 项" in run("import", "roster.csv", "--apply").output


def test_what_is_exported_is_imported_without_a_change(run: Run, write: Write, folder: Path) -> None:
    write("工号,姓名,部门,角色,QQ号,离职日期", "1,王芳,财务部,管理员,880000001,", "2,李雷,,,,2026-01-31")
    run("import", "roster.csv", "--apply")

    run("export", "all.xlsx")

    assert "新增 0，变更 0，离职 0，恢复 0，不变 2" in run("import", "all.xlsx", "--complete").output
    [noted] = audit(folder, "roster exported")
    assert noted["persons"] == 2


def test_accounts_are_known_on_platforms_that_have_no_group_yet(run: Run, write: Write, folder: Path) -> None:
    write("工号,姓名,微信号,其他账号", "1,王芳,wxid_1,matrix:@fang", "2,李雷,wxid_2,")
    run("import", "roster.csv", "--apply")

    run("export", "all.csv", "--columns", "微信号,其他账号")
    write("工号,姓名,微信号", "1,王芳,wxid_2")

    assert (folder / "all.csv").read_text("utf-8-sig").split() == [
        "微信号,其他账号",
        "wxid_1,matrix:@fang",
        "wxid_2,",
    ]
    assert "有争议的账号 1" in run("import", "roster.csv").output


def test_a_template_is_filled_in_and_taken(run: Run) -> None:
    assert "模板" in run("template", "roster.xlsx").output
    assert "一个人也没有" in run("check", "roster.xlsx", code=1).output


def test_json_says_the_same(run: Run, write: Write) -> None:
    write(HEAD, FANG)

    told = json.loads(run("import", "roster.csv", "--json").output)
    assert (told["diff"]["counts"]["new"], told["applied"]) == (1, False)

    write(HEAD, "1,,财务部,")
    told = json.loads(run("check", "roster.csv", "--json", code=1).output)
    assert told["faults"][0]["heading"] == "姓名"
