"""The doctor says what a WeChat account risks, whether or not its owner has accepted that."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from groupops.cli import app


def findings(folder: Path, monkeypatch: pytest.MonkeyPatch, **env: str) -> list[dict[str, Any]]:
    monkeypatch.chdir(folder)
    lines = {"GROUPOPS_ADAPTERS": '["wechat"]', **env}
    (folder / ".env").write_text("".join(f"{key}={value}\n" for key, value in lines.items()), "utf-8")
    found = json.loads(CliRunner().invoke(app, ["doctor", "--json"]).stdout)
    return [one for one in found if one["about"] == "微信账号"]


def test_who_has_not_accepted_the_risk_is_told_that_nothing_will_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (said,) = findings(tmp_path, monkeypatch)

    assert said["state"] == "bad"
    assert "WECHATY_ACCEPT_UNOFFICIAL_RISK" in said["what"]


def test_who_has_accepted_it_is_told_of_it_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (said,) = findings(tmp_path, monkeypatch, WECHATY_ACCEPT_UNOFFICIAL_RISK="true")

    assert said["state"] == "warn"
    assert "封禁" in said["what"]


def test_where_there_is_no_wechat_nothing_is_said_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert findings(tmp_path, monkeypatch, GROUPOPS_ADAPTERS='["sandbox"]') == []
