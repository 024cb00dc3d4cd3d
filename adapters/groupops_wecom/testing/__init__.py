"""A make-believe WeCom on loopback, for tests of whatever talks to WeCom: AI bots, apps, customer groups, archive.

    async with running(FakeWeCom()) as wecom:
        bot = wecom.world.ai_bot()
        ...                                     # connect to wecom.link.url, call wecom.rest.base
        await wecom.say("zhangsan", bot, "在吗")

It keeps the rules of WeCom's pages: windows, rates, sizes, what each product sees and may do. What those pages leave
open is marked where it is decided.
"""

from __future__ import annotations

from .aibots import AiBots, Anchor
from .archive import Archive
from .clock import Clock
from .fake import BlockedError, FakeWeCom
from .longlink import Frame, LongLink
from .pusher import Post, Pusher
from .refusals import BROKEN, BUSY, CROWDED, CUT, LOST, MUTE, THROTTLED, Fault, RefusalError, WorldError
from .rest import Call, Rest
from .serving import listening, running, until
from .world import (
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
