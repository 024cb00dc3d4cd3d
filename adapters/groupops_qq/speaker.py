"""Says something once: as an answer in a window if one is open, else unasked, and knows a repetition as one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from nonebot.adapters.qq.exception import RateLimitException

from groupops import Capability, Done, Gone, Impossible, InDoubt, Receipt, Throttled
from groupops_qq.answers import FAILURES, NotSent, meaning_of, receipt_of, why_of
from groupops_qq.quota import Quota
from groupops_qq.shapes import table, word
from groupops_qq.standing import LONGEST_WAIT
from groupops_qq.windows import Pin, Pins, Window, Windows

TRIES = 4
"""Windows the platform may call closed before it is said unasked."""

Post = Callable[[dict[str, Any]], Awaitable[Any]]
"""Send a message's body; gives the answer's JSON."""


class Place(Protocol):
    """Where something is said: a group, or one person."""

    @property
    def id(self) -> str:
        """The openid."""
        ...

    @property
    def windows(self) -> Windows:
        """Where may be answered."""
        ...

    @property
    def quota(self) -> Quota:
        """How much may be said unasked."""
        ...

    @property
    def unasked(self) -> bool:
        """Whether anything may be said unasked at all."""
        ...

    async def post(self, body: dict[str, Any]) -> Any:
        """Send a message; raises one of `answers.FAILURES`."""
        ...

    def spoke(self, answer: dict[str, Any]) -> None:
        """It was said."""
        ...

    def refused(self, meaning: str) -> None:
        """The platform refused, and why, in a word of `codes.toml`."""
        ...


@dataclass(slots=True)
class Speaker:
    """Says things.

    Args:
        now: gives the present.
        pins: with what every key was sent.
    """

    now: Callable[[], datetime]
    pins: Pins

    async def say(
        self, place: Place, body: dict[str, Any], key: str, needs: Capability, *, answers: str = ""
    ) -> Receipt:
        """Say something.

        Args:
            place: where.
            body: the message.
            key: idempotency key.
            needs: the capability it is for.
            answers: the message it answers, which then has to exist.
        """
        pin = self.pins.get(key)
        if pin is not None and pin.window is not None and pin.window.kind == "message":
            return await self._again(place, body, pin, needs)
        if pin is not None and pin.doubted:
            return InDoubt(why="it may have been said already, and the platform could not tell a repetition")
        for _ in range(TRIES):
            window = place.windows.pick(place.id, self.now(), answers or key)
            if window is None:
                break
            receipt = await self._into(window, place, body, key, needs)
            if receipt is not None:
                return receipt
            if answers and window.id == answers and window.unknown:
                return Gone(why="there is no such message to answer")
        return await self._unasked(place, body, key, needs)

    async def _into(
        self, window: Window, place: Place, body: dict[str, Any], key: str, needs: Capability
    ) -> Receipt | None:
        """Answer in a window; None when the platform says that it is closed, and nothing was said."""
        pin = self.pins.into(window, key)
        window.left -= 1
        try:
            return self._said(place, pin, await place.post({**body, **_anchor(pin)}))
        except FAILURES as error:
            meaning = meaning_of(error)
            if meaning in {"window_closed", "window_unknown"}:
                window.close(unknown=meaning == "window_unknown")
                self.pins.drop(key)
                return None
            receipt = self._failed(place, pin, error, needs)
            if not isinstance(receipt, Done | InDoubt):
                self.pins.drop(key)
                window.left += 1
            return receipt

    async def _again(self, place: Place, body: dict[str, Any], pin: Pin, needs: Capability) -> Receipt:
        """Repeat what was sent before, exactly as it was: what has arrived is refused as a duplicate."""
        try:
            return self._said(place, pin, await place.post({**body, **_anchor(pin)}))
        except FAILURES as error:
            if meaning_of(error) not in {"window_closed", "window_unknown"}:
                return self._failed(place, pin, error, needs)
            if pin.ref:
                return Done(ref=pin.ref)
            return InDoubt(why="the window in which it may have been said has closed")

    async def _unasked(self, place: Place, body: dict[str, Any], key: str, needs: Capability) -> Receipt:
        """Say it of the bot's own accord, within the quota."""
        wait = place.quota.wait(place.id, self.now())
        if not place.unasked or wait is None or wait > LONGEST_WAIT:
            return Impossible(capability=needs)
        if wait > timedelta():
            return Throttled(retry_after=wait)
        pin = self.pins.unasked(key)
        try:
            answer = await place.post(body)
        except FAILURES as error:
            receipt = self._failed(place, pin, error, needs)
            if not isinstance(receipt, InDoubt):
                self.pins.drop(key)
            if meaning_of(error) == "too_often":
                rest = place.quota.refused(place.id, self.now())
                return Throttled(retry_after=rest) if rest <= LONGEST_WAIT else Impossible(capability=needs)
            return receipt
        place.quota.said(place.id, self.now())
        return self._said(place, pin, answer)

    def _said(self, place: Place, pin: Pin, answer: Any) -> Done:
        pin.doubted = False
        pin.ref = word(table(answer).get("id"), 512)
        place.spoke(table(answer))
        return Done(ref=pin.ref)

    def _failed(self, place: Place, pin: Pin, error: Exception, needs: Capability) -> Receipt:
        place.refused(meaning_of(error))
        receipt = receipt_of(error, needs)
        if isinstance(receipt, Done):
            return Done(ref=pin.ref)
        pin.doubted = isinstance(receipt, InDoubt) or (pin.doubted and _proves_nothing(error))
        return InDoubt(why=why_of(error)) if pin.doubted else receipt


def _proves_nothing(error: Exception) -> bool:
    """Say whether a failure leaves open what became of an earlier try: it did not get as far as that."""
    return isinstance(error, NotSent | RateLimitException)


def _anchor(pin: Pin) -> dict[str, Any]:
    if pin.window is None:
        return {}
    key = "msg_id" if pin.window.kind == "message" else "event_id"
    return {key: pin.window.id, "msg_seq": pin.seq}
