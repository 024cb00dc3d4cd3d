"""A bot on iLink keeps the contract of a platform, though it is in no group."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from groupops.contracts_platform import PlatformContract, Rig
from tests.support.ilink_end import ILinkEnd
from tests.support.ilink_rig import ILinkRig, connected
from tests.support.qq_rig import Told

pytestmark = pytest.mark.filterwarnings("ignore:Setting per-request cookies:DeprecationWarning")


class TestILink(PlatformContract):
    @pytest.fixture
    async def rig(self) -> AsyncIterator[Rig]:
        end, told = ILinkEnd(), Told()
        try:
            async with connected(end, told) as platform:
                rig = ILinkRig(platform, end, told)
                await rig.begin()
                yield rig
        finally:
            end.end()
