"""Cards that were pressed, changed to what came of it; and others about the same case, which lose their buttons."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from nonebot.log import logger

from groupops import Action, Case, DirectMessage, Reply, SendText
from groupops_wecom.answers import PAUSES, kind_of, why_of
from groupops_wecom.bot import AiBot, AppBot, Bot
from groupops_wecom.buttons import Face, asks_why, press_of, pressed_card
from groupops_wecom.event import AiBotCardEvent, AppCardEvent
from groupops_wecom.exception import NetworkError, WeComAdapterException
from groupops_wecom.letters import UPDATED_WITHIN
from groupops_wecom.memory import Change, Pressed

if TYPE_CHECKING:
    from groupops_wecom.wecom import WeCom

OPEN = frozenset({"flagged", "proposed", "appealed"})
"""How a case stands that waits for somebody to decide."""

LOOKED_AT = 60.0
"""Seconds between two looks at cases that were decided by words, or elsewhere."""


class Cases(Protocol):
    """Where it is known how a case stands."""

    async def case(self, case_id: int) -> Case | None:
        """Give a case as it stands, or None when there is none."""
        ...


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
        decided = await self._is_decided(press.subject)
        self._host.memory.open_cards.drop(event.task_id)
        self._host.memory.offers.drop(event.task_id)
        label = texts("card.pressed", word=press.word)
        known = await self._host.cards.sent(event.task_id)
        face = known.face if known is not None else Face(title=texts("card.title"))
        card = pressed_card(face, pressed.outcome or label, label, event.event_key, event.task_id)
        if isinstance(event, AiBotCardEvent) and isinstance(bot, AiBot):
            await self._replaced(bot, event, card, (event.user_id,) if event.chat_id and not decided else ())
        elif isinstance(event, AppCardEvent) and isinstance(bot, AppBot):
            await self._change(event.task_id, _change(event, card))
        if decided:
            await self.close(press.subject)

    async def _replaced(
        self, bot: AiBot, event: AiBotCardEvent, card: dict[str, Any], users: tuple[str, ...]
    ) -> None:
        """Replace an AI bot's card, within the seconds in which that is possible at all."""
        try:
            await bot.update_card(event, card, users)
        except WeComAdapterException as error:
            logger.warning("a pressed card of WeCom could not be changed: {}", why_of(error))

    def _is_done(self, pressed: Pressed) -> bool:
        """Say whether the core itself has replaced the card meanwhile."""
        event = pressed.event
        return isinstance(event, AiBotCardEvent) and event.task_id not in self._host.memory.open_cards

    # — the others' cards —

    async def keep_looking(self) -> None:
        """Take the buttons off cards whose case was decided by words, by the clock, or on another platform."""
        while True:
            await self._host.clock.sleep(LOOKED_AT)
            await self.look()

    async def look(self) -> None:
        """Make the changes that could not be made, and take the buttons off cards whose case is decided."""
        owed, offers = self._host.memory.owed, self._host.memory.offers
        for task_id in list(owed):
            change = owed.get(task_id)
            if change is not None:
                await self._change(task_id, change)
        for subject in {offer.subject for offer in map(offers.get, list(offers)) if offer is not None}:
            if await self._is_decided(subject):
                await self.close(subject)

    async def _is_decided(self, subject: str) -> bool:
        """Say whether a case waits for nobody any more; of what is no case that is not known."""
        number = subject.partition(":")[2]
        if self._host.cases is None or not (asks_why(subject) and number.isdecimal()):
            return False
        try:
            case = await self._host.cases.case(int(number))
        except Exception as error:  # noqa: BLE001 - a database that is away: looked at again in a minute
            logger.warning("a case could not be looked at for its cards: {}", type(error).__name__)
            return False
        return case is not None and str(case.status) not in OPEN

    async def close(self, subject: str) -> None:
        """Take the buttons off every card the app has sent about a case."""
        offers = self._host.memory.offers
        for task_id in list(offers):
            offer = offers.get(task_id)
            if offer is not None and offer.subject == subject:
                await self._change(
                    task_id, Change(app=offer.app, user=offer.user, code=offer.code, at=offer.at)
                )

    async def _change(self, task_id: str, change: Change) -> None:
        """Change a card of the app's; what could not be done, or may not have been, is tried at the next look."""
        if await self._changed(change):
            self._host.memory.owed.drop(task_id)
            await self._host.cards.settle(task_id)
        elif change.card is not None:
            self._host.memory.owed.put(task_id, change)

    async def _changed(self, change: Change) -> bool:
        """Change a card; False when that is to be tried again."""
        app, now = self._host.bot(change.app), self._host.clock.now().timestamp()
        if not isinstance(app, AppBot) or now - change.at > UPDATED_WITHIN:
            return True
        how: Any = (
            {"button": self._host.texts("card.decided")} if change.card is None else {"card": change.card}
        )
        try:
            await app.letters.update_card(change.code, users=(change.user,), issued=change.at, **how)
        except WeComAdapterException as error:
            logger.warning("a card of WeCom could not be changed: {}", why_of(error))
            return not (isinstance(error, NetworkError) or kind_of(error) in PAUSES)
        return True


def _change(event: AppCardEvent, card: dict[str, Any]) -> Change:
    return Change(
        app=event.self_id, user=event.user_id, code=event.response_code, at=event.received, card=card
    )
