"""Cards that were pressed, changed to what came of it: within WeCom's five seconds, and for who pressed."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from nonebot.log import logger

from groupops import Action, DirectMessage, Reply, SendText
from groupops_wecom.answers import why_of
from groupops_wecom.bot import AiBot, AppBot, Bot
from groupops_wecom.buttons import Face, press_of, pressed_card
from groupops_wecom.event import AiBotCardEvent, AppCardEvent
from groupops_wecom.exception import WeComAdapterException
from groupops_wecom.memory import Pressed

if TYPE_CHECKING:
    from groupops_wecom.wecom import WeCom


class Outcomes:
    """Watches what is said to whoever pressed a button, and shows it on the card.

    Args:
        host: the platform.
    """

    def __init__(self, host: WeCom) -> None:
        self._host = host

    def hear(self, action: Action, key: str) -> None:
        """Learn what is said because of a press; `key` begins with the id of the fact the press became."""
        pressed = self._host.memory.presses.get(key.partition("#")[0])
        if pressed is not None and isinstance(action, DirectMessage | SendText | Reply):
            pressed.tell(action.text)

    async def show(self, bot: Bot, pressed: Pressed) -> None:
        """Wait for what comes of a press, a short while, and change the card; without word, say what was chosen."""
        with suppress(TimeoutError):  # nothing is said of it: what was chosen is what came of it
            await asyncio.wait_for(pressed.told.wait(), self._host.options.wecom_card_seconds)
        event, texts = pressed.event, self._host.texts
        press = press_of(event.event_key)
        if press is None or self._is_done(pressed):
            return
        self._host.memory.open_cards.drop(event.task_id)
        label = texts("card.pressed", word=press.word)
        known = self._host.memory.cards.get(event.task_id)
        face = known.face if known is not None else Face(title=texts("card.title"))
        card = pressed_card(face, pressed.outcome or label, label, event.event_key, event.task_id)
        try:
            if isinstance(event, AiBotCardEvent) and isinstance(bot, AiBot):
                await bot.update_card(event, card, (event.user_id,) if event.chat_id else ())
            elif isinstance(event, AppCardEvent) and isinstance(bot, AppBot):
                await bot.update_card(event, card=card)
        except WeComAdapterException as error:
            logger.warning("a pressed card of WeCom could not be changed: {}", why_of(error))

    def _is_done(self, pressed: Pressed) -> bool:
        """Say whether the core itself has replaced the card meanwhile."""
        event = pressed.event
        return isinstance(event, AiBotCardEvent) and event.task_id not in self._host.memory.open_cards
