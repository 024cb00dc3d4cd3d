"""`groupops advise` as an operator types it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from groupops.cli import app

from .exports import chatlab, mailed


@pytest.fixture
def type_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("GROUPOPS_ADAPTERS", "[]")
    runner = CliRunner()
    return lambda *words, **more: runner.invoke(app, list(words), **more)


def test_a_list_may_be_pasted_and_the_advice_is_written_where_it_is_asked_to(
    type_in: Any, tmp_path: Path
) -> None:
    (tmp_path / "day.txt").write_text(mailed((870, "王芳", "还在吗"), (871, "王芳", "好吧")), "utf-8")
    type_in("group", "bind", "wechat:g1", "--pack", "s10", "--stage", "enforced")

    done = type_in(
        "advise", "day.txt", "--group", "wechat:g1", "--members", "-", "--out", "a", input="王芳\n"
    )

    assert done.exit_code == 0, done.output
    assert "篇十 二.9" in done.stdout
    assert "提示即可" in done.stdout
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == [
        "advice-notices.txt",
        "advice.html",
        "advice.json",
    ]


def test_json_is_one_object(type_in: Any, tmp_path: Path) -> None:
    (tmp_path / "day.jsonl").write_text(chatlab((0, "a", "早")), "utf-8")
    type_in("group", "bind", "wechat:g1", "--pack", "s10")

    told = json.loads(type_in("advise", "day.jsonl", "--group", "wechat:g1", "--json").stdout)

    assert (told["group"], told["files"][0]["fresh"], told["stage"]) == ("wechat:g1", 1, "shadow")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--group", "wechat:g1"), "nothing was handed in"),
        (("day.txt", "--group", "wechat:g1"), "is not bound"),
        (("day.txt", "--group", "g1"), "names no group"),
        (("--group", "wechat:g1", "--say", "批准 1", "--by", "boss"), "names no account"),
    ],
)
def test_what_is_missing_is_said(type_in: Any, words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    (tmp_path / "day.txt").write_text(mailed((0, "王芳", "早")), "utf-8")

    refused = type_in("advise", *words)

    assert refused.exit_code == 1
    assert said in refused.stderr
