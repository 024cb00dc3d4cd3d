"""The operator sees at the shell what stewards see in the chat; each look leaves a line of audit."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from groupops import ConfigError
from groupops.desk import Shell, Sitting, offered
from groupops.hooks import Hooks
from groupops.testing import Rig, rig
from groupops_roster.operating import list_of, proposals_of
from tests.plugins.roster.stories import KICK, ONLY, STEWARDS, audit, card, cases, line, pack

F5 = '[roster.card]\nformat = "F5"'
GROUP = "sandbox:g1"


@dataclass
class RigDesk:
    """A desk on an engine that runs already; work is awaited, not run."""

    rig: Rig

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Sitting]:
        yield Sitting(self.rig.engine, "roster")

    def keys(self) -> dict[str, Any]:
        return {}

    def now(self, work: Coroutine[Any, Any, Any]) -> Any:
        return work

    def say(self, text: str) -> None:
        Shell("roster").say(text)


async def test_the_list_of_a_group_is_shown_and_nothing_follows() -> None:
    async with rig(pack=pack(KICK, F5), plugins=ONLY) as r:
        await r.enrol(*STEWARDS, line("李四", "li"))
        text = await list_of(RigDesk(r), GROUP)

        assert "不在名册(一.1)(1):wang" in text
        assert "群名片不合格式" in text
        assert await cases(r) == []
        assert await audit(r, "roster list shown") == 1


async def test_proposals_are_shown() -> None:
    async with rig(pack=pack(card=F5), plugins=ONLY) as r:
        await r.enrol(*STEWARDS, line("王五"))
        assert "没有等待确认的绑定" in await proposals_of(RigDesk(r), GROUP)
        await card(r, "wang", "王五")

        assert "1 | 王五[sandbox:wang] 是 王五(销售部)?" in await proposals_of(RigDesk(r), GROUP)


async def test_a_group_nobody_bound_is_an_error_that_says_so() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        with pytest.raises(ConfigError, match="sandbox:g9"):
            await list_of(RigDesk(r), "sandbox:g9")


async def test_a_group_without_the_roster_is_one_too() -> None:
    bare = pack().replace('enabled = ["roster"]', "enabled = []")
    async with rig(pack=bare, plugins=ONLY) as r:
        with pytest.raises(ConfigError, match="do not enable the roster"):
            await list_of(RigDesk(r), GROUP)


def test_both_stand_beside_the_commands_of_the_desk() -> None:
    hooks = Hooks()
    hooks.load_all(only=ONLY)

    words = {
        one.name or one.callback.__name__
        for one in offered(hooks)["roster"].registered_commands
        if one.callback
    }
    assert {"audit", "proposals", "import"} <= words
