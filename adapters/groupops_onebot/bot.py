"""The bot, as NoneBot's own plugins use it: like the library's, and it asks nobody before an event is handled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nonebot.adapters.onebot.v11 import Bot as LibraryBot
from nonebot.adapters.onebot.v11 import Event, MessageEvent, MessageSegment
from typing_extensions import override

if TYPE_CHECKING:
    from groupops_onebot.adapter import Adapter


class Bot(LibraryBot):
    """A connected bot.

    The library asks the end for every message that is quoted, before anything else; here an event goes straight
    to NoneBot. `to_me` is worked out of the message alone, and nothing is cut from it.
    """

    def __init__(self, adapter: Adapter, self_id: str) -> None:
        super().__init__(adapter, self_id)
        self._home = adapter

    @override
    async def handle_event(self, event: Event) -> None:
        """Hand an event in."""
        if isinstance(event, MessageEvent):
            event.to_me = event.message_type == "private" or self._is_mentioned(event)
            if not event.message:  # a red packet; NoneBot looks at the first part of every message
                event.message.append(MessageSegment.text(""))
        await self._home.enter(self, event)

    def _is_mentioned(self, event: MessageEvent) -> bool:
        return any(part.type == "at" and str(part.data.get("qq")) == self.self_id for part in event.message)
