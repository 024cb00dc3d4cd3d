"""The doctor says of platforms without groups whether there is a bot, and what to know of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from groupops.cli import app


def findings(folder: Path, monkeypatch: pytest.MonkeyPatch, **env: str) -> list[dict[str, Any]]:
    monkeypatch.chdir(folder)
    (folder / ".env").write_text("".join(f"{key}={value}\n" for key, value in env.items()), "utf-8")
    found = json.loads(CliRunner().invoke(app, ["doctor", "--json"]).stdout)
    return [one for one in found if one["about"] in ("管理员的微信", "公众号")]


def test_who_named_no_bot_is_told_which_keys_name_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = findings(tmp_path, monkeypatch, GROUPOPS_ADAPTERS='["ilink","wxmp"]')

    assert [one["state"] for one in said] == ["bad", "bad"]
    assert "WECHATCLAW_ACCOUNTS" in said[0]["what"]
    assert "WXMP_BOTS" in said[1]["what"]


def test_who_named_one_is_told_that_people_speak_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = findings(
        tmp_path,
        monkeypatch,
        GROUPOPS_ADAPTERS='["ilink","wxmp"]',
        WECHATCLAW_TOKEN="t" * 20,
        WXMP_BOTS='[{"appid":"wx1","token":"abc","secret":"s","type":"official"}]',
    )

    assert [one["state"] for one in said] == ["ok", "ok"]
    assert "先说话" in said[0]["what"]


def test_where_there_is_neither_nothing_is_said_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert findings(tmp_path, monkeypatch, GROUPOPS_ADAPTERS='["sandbox"]') == []
