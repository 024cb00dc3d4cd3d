"""Keys that stand only in the process environment arrive typed in the adapter's own configuration."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.qq_platform import APP_ID, SECRET

READ = """
import json
from nonebot import get_plugin_config
from nonebot.adapters.qq.config import Config as Library
from groupops.bridge import start_nonebot
from groupops.operations import read_start
from groupops_qq.config import Config
from groupops_qq.door import setup_now

start_nonebot(read_start().nonebot, log_level="CRITICAL")
bots = get_plugin_config(Library).qq_bots
own = get_plugin_config(Config)
print(json.dumps({
    "id": bots[0].id,
    "type": type(bots[0].id).__name__,
    "websocket": bots[0].use_websocket,
    "quotas": own.qq_proactive_quotas,
    "groups": {group: one.role for group, one in own.qq_groups.items()},
    "freshness": own.qq_freshness_seconds,
    "intents": int(next(iter(setup_now().bots.values())).intent.to_int()),
}))
"""

KEYS = {
    "QQ_BOTS": json.dumps([{"id": APP_ID, "secret": SECRET, "use_websocket": False}]),
    "QQ_PROACTIVE_QUOTAS": '["4/month"]',
    "QQ_GROUPS": '{"GRP":{"role":"admin"}}',
    "QQ_FRESHNESS_SECONDS": "60",
}


def run(folder: Path, source: str, **environ: str) -> subprocess.CompletedProcess[str]:
    clean = {
        name: value for name, value in os.environ.items() if not name.upper().startswith(("QQ_", "GROUPOPS_"))
    }
    return subprocess.run(
        [sys.executable, "-c", source],
        cwd=folder,
        env={**clean, **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("where", ["environment", "file"])
def test_the_keys_arrive_typed(tmp_path: Path, where: str) -> None:
    if where == "file":
        lines = "\n".join(f"{key}='{value}'" for key, value in KEYS.items())
        (tmp_path / ".env").write_text(lines, encoding="utf-8")

    done = run(tmp_path, READ, **(KEYS if where == "environment" else {}))

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "id": APP_ID,
        "type": "str",
        "websocket": False,
        "quotas": ["4/month"],
        "groups": {"GRP": "admin"},
        "freshness": 60.0,
        "intents": 1 << 24 | 1 << 25 | 1 << 26,
    }


def test_the_bot_does_not_start_without_its_secret(tmp_path: Path) -> None:
    bot = Path(__file__).parents[3] / "bot.py"
    keys = {"GROUPOPS_ADAPTERS": '["qq"]', "QQ_BOTS": f'[{{"id":"{APP_ID}","secret":""}}]'}

    done = run(tmp_path, bot.read_text("utf-8"), **keys)

    assert done.returncode == 1
    assert "QQ_BOTS[0].secret is too short" in done.stderr
