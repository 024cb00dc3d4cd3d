"""Cards that were sent, known again after a restart: what people see of them, and how an app's own are changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from nonebot.log import logger

from groupops import Clock
from groupops_wecom.letters import UPDATED_WITHIN
from groupops_wecom.memory import Memory, Offer, SentCard


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCard:
    """A card as it is kept.

    Args:
        task_id: the card.
        sent: what people see of it.
        offer: how the app takes its buttons off once; None where that is done, or cannot be.
    """

    task_id: str
    sent: SentCard
    offer: Offer | None = None


class Drawer(Protocol):
    """Where cards are kept."""

    async def load(self, since: datetime) -> Iterable[KeptCard]:
        """Give the cards that were sent since, the oldest first."""
        ...

    async def find(self, task_id: str) -> KeptCard | None:
        """Give a card, however old; None for one that is not kept, or no longer."""
        ...

    async def put(self, card: KeptCard, at: datetime) -> None:
        """Keep a card."""
        ...

    async def settle(self, task_id: str) -> None:
        """Remember that the app has nothing to change about a card any more."""
        ...


class Cards:
    """The cards in memory, and those in a drawer; a drawer that is stuck keeps nobody from sending or pressing.

    Args:
        memory: what the process remembers.
        clock: where time comes from.
        drawer: where cards outlive the process; None to forget them with it.
    """

    def __init__(self, memory: Memory, clock: Clock, drawer: Drawer | None) -> None:
        self._memory = memory
        self._clock = clock
        self._drawer = drawer

    async def recall(self) -> None:
        """Take up the cards that may still be changed, of the process before this one."""
        if self._drawer is None:
            return
        for card in await self._drawer.load(self._clock.now() - timedelta(seconds=UPDATED_WITHIN)):
            self._memory.cards.put(card.task_id, card.sent)
            if card.offer is not None:
                self._memory.offers.put(card.task_id, card.offer)

    async def keep(self, task_id: str) -> None:
        """Keep a card that was sent."""
        sent = self._memory.cards.get(task_id)
        if self._drawer is None or sent is None:
            return
        card = KeptCard(task_id=task_id, sent=sent, offer=self._memory.offers.get(task_id))
        try:
            await self._drawer.put(card, self._clock.now())
        except Exception as error:  # noqa: BLE001 - the card is there all the same, and known until the next restart
            logger.warning("a card of WeCom could not be kept: {}", type(error).__name__)

    async def sent(self, task_id: str) -> SentCard | None:
        """Give a card as people see it; None for one nobody remembers."""
        known = self._memory.cards.get(task_id)
        if known is not None or self._drawer is None:
            return known
        try:
            found = await self._drawer.find(task_id)
        except Exception as error:  # noqa: BLE001 - without its face it can be pressed all the same
            logger.warning("a card of WeCom could not be looked up: {}", type(error).__name__)
            return None
        return None if found is None else found.sent

    async def settle(self, task_id: str) -> None:
        """Forget how a card is changed: it is, or cannot be."""
        self._memory.offers.drop(task_id)
        if self._drawer is None:
            return
        try:
            await self._drawer.settle(task_id)
        except Exception as error:  # noqa: BLE001 - it is tried again after a restart, and WeCom takes a code once
            logger.warning("a changed card of WeCom could not be noted: {}", type(error).__name__)
