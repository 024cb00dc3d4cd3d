"""Official QQ bots keep the contract of a platform, whatever the owner allows and whatever the bot's role."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from groupops.contracts_platform import PlatformContract, Rig
from tests.support.qq_platform import QQPlatform
from tests.support.qq_rig import QQRig, serving


@dataclass(frozen=True)
class Kind:
    """One way in which a group may be set up.

    Args:
        role: the bot's role.
        receives: what the owner lets it hear.
        proactive: whether it may speak unasked.
        speaks: whether a member has just spoken.
        keyboards: whether buttons were granted.
    """

    role: str = "admin"
    receives: str = "all"
    proactive: bool = True
    speaks: bool = False
    keyboards: bool = False


KINDS = {
    "a member that is spoken to": Kind(role="member", speaks=True),
    "an admin": Kind(),
    "an admin that is spoken to": Kind(speaks=True),
    "an owner": Kind(role="owner"),
    "an admin that may only answer, and is": Kind(proactive=False, speaks=True),
    "an admin that may only answer, and is not": Kind(proactive=False),
    "an admin that hears mentions only": Kind(receives="only_mention"),
    "an admin with buttons": Kind(keyboards=True, speaks=True),
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
class TestOfficialBots(PlatformContract):
    @pytest.fixture
    async def rig(self, kind: Kind) -> AsyncIterator[Rig]:
        far = QQPlatform()
        far.hall(role=kind.role, receives=kind.receives, proactive=kind.proactive)
        far.markup = kind.keyboards
        async with serving(far, qq_media_hosts=["127.0.0.1"], qq_keyboards=kind.keyboards) as served:
            rig = QQRig(served)
            await rig.begin(speaks=kind.speaks)
            yield rig
