"""QQ over OneBot v11 keeps the contract of a platform, over a real websocket, whatever the end and the bot's role."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from groupops.contracts_platform import PlatformContract, Rig
from tests.support.onebot_end import OneBotEnd
from tests.support.onebot_rig import OneBotRig, serving

KINDS = [
    ("napcat", "member", True),
    ("napcat", "admin", True),
    ("napcat", "owner", True),
    ("napcat", "admin", False),
    ("luckylillia", "admin", True),
    ("lagrange", "admin", False),
    ("other", "admin", False),
]


@pytest.mark.parametrize(
    ("app", "role", "debug"), KINDS, ids=[f"{app}-{role}-{debug}" for app, role, debug in KINDS]
)
class TestOneBot(PlatformContract):
    @pytest.fixture
    async def rig(self, app: str, role: str, debug: bool) -> AsyncIterator[Rig]:
        async with serving() as served:
            end = OneBotEnd(app, debug=debug)
            rig = OneBotRig(served, end, role)
            await served.join(end)
            await rig.message()
            yield rig
            await end.close()
