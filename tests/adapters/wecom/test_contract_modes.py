"""The WeCom platform keeps the contract of a platform in each of its modes, and in all of them together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from groupops.contracts_platform import PlatformContract, Rig
from tests.support.wecom_rig import Modes, WeComRig, serving

MODES = {
    "an AI bot on the long connection": Modes(aibot="link"),
    "an AI bot on a callback URL": Modes(aibot="url"),
    "an AI bot and an app": Modes(aibot="link", app=True),
    "an app in a group of its own": Modes(app=True, sides=frozenset({"appchat"})),
    "a customer group": Modes(app=True, sides=frozenset({"customer"})),
    "the archive and a robot": Modes(app=True, sides=frozenset({"archive", "robot"})),
    "all sides of one group": Modes(aibot="link", app=True, sides=frozenset({"appchat", "archive", "robot"})),
}


@pytest.mark.parametrize("modes", MODES.values(), ids=MODES)
class TestWeCom(PlatformContract):
    @pytest.fixture
    async def rig(self, modes: Modes, tmp_path: Path) -> AsyncIterator[Rig]:
        async with serving(modes, tmp_path) as served:
            yield WeComRig(served, modes)
