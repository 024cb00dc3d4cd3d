"""The bot of the make-believe platform, as other NoneBot plugins use it."""

from __future__ import annotations

from typing import Any

from nonebot.adapters import Bot as BaseBot
from nonebot.adapters import Event as BaseEvent
from typing_extensions import override

from groupops_sandbox.event import Event
from groupops_sandbox.message import Message


class Bot(BaseBot):
    """A connected bot. `bot.send_text(group_id=…, text=…)`: every action of groupops is an API by its kind."""

    @override
    async def send(self, event: BaseEvent, message: str | Any, **kwargs: Any) -> Any:
        """Answer an event where it happened: in the group, or privately to whom wrote to the bot alone.

        Raises:
            ActionFailed: the platform did not take it; `receipt` says why.
            TypeError: the event is not of this adapter.
        """
        if not isinstance(event, Event):
            raise TypeError(f"{event!r} is not an event of the sandbox")
        parts = message if isinstance(message, Message) else Message(message)
        fact = event.fact
        if fact.private:
            words = parts.extract_plain_text()
            return await self.call_api(
                "direct_message", group_id=fact.group, account=fact.account, text=words, **kwargs
            )
        mentions = tuple(part.data["account"] for part in parts if part.type == "mention")
        words = "".join(str(part) for part in parts if part.type != "mention")
        return await self.call_api("send_text", group_id=fact.group, text=words, mentions=mentions, **kwargs)
