"""A make-believe WeCom on loopback, for tests of whatever talks to WeCom: AI bots, apps, customer groups, archive.

    async with running(FakeWeCom()) as wecom:
        bot = wecom.world.ai_bot()
        ...                                     # connect to wecom.link.url, call wecom.rest.base
        await wecom.say("zhangsan", bot, "在吗")

It keeps the rules of WeCom's pages: windows, rates, sizes, what each product sees and may do. What those pages leave
open is marked where it is decided.
"""

from __future__ import annotations

from groupops_wecom.testing.aibots import AiBots, Anchor
from groupops_wecom.testing.archive import Archive
from groupops_wecom.testing.clock import Clock
from groupops_wecom.testing.fake import BlockedError, FakeWeCom
from groupops_wecom.testing.longlink import Frame, LongLink
from groupops_wecom.testing.pusher import Post, Pusher
from groupops_wecom.testing.refusals import (
    BROKEN,
    BUSY,
    CROWDED,
    CUT,
    LOST,
    MUTE,
    THROTTLED,
    Fault,
    RefusalError,
    WorldError,
)
from groupops_wecom.testing.rest import Call, Rest
from groupops_wecom.testing.serving import listening, running, until
from groupops_wecom.testing.world import (
    AES_KEY,
    CORP,
    AiBot,
    App,
    Callback,
    Card,
    CheckIn,
    Department,
    Group,
    Media,
    Person,
    Robot,
    Said,
    Seat,
    World,
)

__all__ = [
    "AES_KEY",
    "BROKEN",
    "BUSY",
    "CORP",
    "CROWDED",
    "CUT",
    "LOST",
    "MUTE",
    "THROTTLED",
    "AiBot",
    "AiBots",
    "Anchor",
    "App",
    "Archive",
    "BlockedError",
    "Call",
    "Callback",
    "Card",
    "CheckIn",
    "Clock",
    "Department",
    "FakeWeCom",
    "Fault",
    "Frame",
    "Group",
    "LongLink",
    "Media",
    "Person",
    "Post",
    "Pusher",
    "RefusalError",
    "Rest",
    "Robot",
    "Said",
    "Seat",
    "World",
    "WorldError",
    "listening",
    "running",
    "until",
]
