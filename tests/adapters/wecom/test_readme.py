"""What the page for NoneBot's users says is so: its bot runs as it stands there, and every setting is named."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import sys
from pathlib import Path

import groupops_wecom
from groupops_wecom import Config, event, exception
from groupops_wecom.testing import FakeWeCom, running, until
from tests.support.wecom_bot import company

PAGE = (Path(groupops_wecom.__file__).parent / "README.md").read_text("utf-8")


def test_every_setting_is_named_with_its_default() -> None:
    for name, field in Config.model_fields.items():
        assert f"`{name.upper()}`" in PAGE
        default = field.get_default()
        if isinstance(default, bool | int | float):
            said = json.dumps(int(default) if isinstance(default, float) else default)
            assert f"| `{name.upper()}` | `{said}` |" in PAGE


def test_every_event_and_error_named_there_exists() -> None:
    named = set(re.findall(r"`([A-Z][A-Za-z]+)`", PAGE.partition("## 事件")[2].partition("## 没有证实")[0]))

    assert {name for name in named if not hasattr(event, name) and not hasattr(exception, name)} <= {
        "Throttled"
    }


def free_port() -> int:
    """Give a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_the_bot_of_the_page_answers(tmp_path: Path) -> None:
    code = re.search(r"```python\n(import nonebot.*?)```", PAGE, re.DOTALL)
    assert code is not None
    (tmp_path / "bot.py").write_text(code[1], encoding="utf-8")
    async with running(FakeWeCom()) as wecom:
        bot = company(wecom)
        bots = json.dumps([{"bot_id": bot.bot_id, "secret": bot.secret, "name": bot.name}])
        env = {
            "DRIVER": "~fastapi+~httpx+~websockets",
            "PORT": free_port(),
            "WECOM_WS_URL": wecom.link.url,
            "WECOM_API_BASE": wecom.rest.base,
            "WECOM_AIBOTS": f"'{bots}'",
        }
        lines = "".join(f"{key}={value}\n" for key, value in env.items())
        (tmp_path / ".env").write_text(lines, encoding="utf-8")
        group = wecom.world.groups[0]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "bot.py", cwd=tmp_path, stdout=asyncio.subprocess.DEVNULL
        )
        try:
            await until(lambda: wecom.link.connected(bot.bot_id), within=30)
            await wecom.say("zhangsan", group, f"@{bot.name} /你好")
            await until(lambda: any(said.by == bot.bot_id for said in group.said))
        finally:
            process.terminate()
            await process.wait()

    assert [said.text for said in group.said if said.by == bot.bot_id] == ["**在的**,@zhangsan"]
