"""From `.env` alone: the operator's shell takes contacts in and publishes the lexicon over real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from groupops.cli import app as core
from groupops.desk import offered
from groupops.operations import load_hooks, read_start
from groupops_wecom.testing import CORP, FakeWeCom, running
from tests.support.wecom_stub import OVER_HTTPX

pytestmark = OVER_HTTPX

GROUP = "wecom:wrCustomers"
PACK = """schema = 1
[pack]
id = "own"
title = "自备"
[plugins]
enabled = ["moderation"]
[moderation]
use = ["gambling"]
[moderation.operator_words]
gambling = ["澳门首家"]
"""


@dataclass
class Shell:
    """An operator's shell in a folder with a `.env`; each command has an event loop of its own, as in a process."""

    folder: Path
    wecom: FakeWeCom

    async def run(self, *words: str, code: int = 0) -> str:
        """`run("wecom", "contacts")` is what `groupops wecom contacts` says."""
        return await asyncio.to_thread(self._run, words, code)

    def _run(self, words: tuple[str, ...], code: int) -> str:
        plugins = offered(load_hooks(read_start().config))
        app: typer.Typer = plugins.get(words[0], core)
        result = CliRunner().invoke(app, list(words[1:] if words[0] in plugins else words))
        assert result.exit_code == code, result.output
        return result.output

    @property
    def rules(self) -> dict[str, list[str]]:
        return {one["rule_name"]: one["word_list"] for one in self.wecom.rest.offices.rules.values()}


@pytest.fixture
async def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Shell]:
    async with running(FakeWeCom()) as wecom:
        world = wecom.world
        world.department(2, "财务部")
        world.hire("wangfang", "王芳", 2, position="会计")
        world.hire("zhangsan", "张三", 1)
        app = world.app(customers=True)
        key = {
            "corp_id": CORP,
            "agent_id": app.agent_id,
            "secret": app.secret,
            "callback": False,
            "customers": True,
        }
        lines = [
            "GROUPOPS_DATA_DIR=data",
            "GROUPOPS_PACKS_DIR=packs",
            'GROUPOPS_ADAPTERS=["wecom"]',
            f"WECOM_APPS={json.dumps([key])}",
            f"WECOM_API_BASE={wecom.rest.base}",
        ]
        (tmp_path / ".env").write_text("\n".join(lines), "utf-8")
        (tmp_path / "packs").mkdir()
        (tmp_path / "packs" / "own.toml").write_text(PACK, "utf-8")
        monkeypatch.chdir(tmp_path)
        made = Shell(tmp_path, wecom)
        await made.run("migrate")
        await made.run("group", "bind", GROUP, "--pack", "own")
        yield made


async def test_contacts_are_looked_at_then_taken_in(shell: Shell) -> None:
    looked = await shell.run("wecom", "contacts", "--dry-run")
    assert "新增 2" in looked
    assert "预演" in looked

    assert "已生效:新增 2 人" in await shell.run("wecom", "contacts", "--apply")
    assert "新增 0" in await shell.run("wecom", "contacts")

    await shell.run("roster", "export", "seen.csv", "--columns", "姓名,部门,职务,企业微信号")
    seen = (shell.folder / "seen.csv").read_text("utf-8-sig").splitlines()
    assert sorted(seen[1:]) == ["张三,公司,,zhangsan", "王芳,财务部,会计,wangfang"]


async def test_the_lexicon_is_planned_published_shown_and_rolled_back(shell: Shell) -> None:
    asked = ("--group", GROUP, "--user", "zhangsan", "--also", "red_packet")

    assert "预演" in await shell.run("wecom", "intercept", "plan", *asked)
    assert shell.rules == {}

    assert "读回核对一致" in await shell.run("wecom", "intercept", "publish", *asked)
    assert shell.rules == {"groupops-001": ["澳门首家"]}
    assert "另识别:红包;约束:员工 zhangsan" in await shell.run("wecom", "intercept", "show")

    assert "已生效" in await shell.run("wecom", "intercept", "rollback")
    assert shell.rules == {}
    assert "没有可以撤回的发布" in await shell.run("wecom", "intercept", "rollback", code=1)


async def test_a_wrong_secret_is_an_error_that_names_no_secret(shell: Shell) -> None:
    path = shell.folder / ".env"
    path.write_text(path.read_text("utf-8").replace("app-secret", "wrong-7f3a"), "utf-8")

    said = await shell.run("wecom", "contacts", code=1)

    assert "gettoken" in said
    assert "7f3a" not in said
