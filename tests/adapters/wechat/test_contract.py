"""WeChat accounts keep the contract of a platform, as the owner of a room and as a plain member."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from groupops.contracts_platform import PlatformContract, Rig
from tests.support.wechat_rig import WeChatRig, serving
from tests.support.wechaty_end import ME, WechatyEnd


@pytest.mark.parametrize("owner", [ME, "wang"], ids=["an owner", "a member"])
class TestWeChatAccounts(PlatformContract):
    @pytest.fixture
    async def rig(self, owner: str, services: Callable[[bool], WechatyEnd]) -> AsyncIterator[Rig]:
        async with serving(services(False), owner=owner) as served:
            yield WeChatRig(served)
