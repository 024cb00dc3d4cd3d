"""How often the platform may be asked: counters that hold over any window, and bans that are waited out."""

from __future__ import annotations

import asyncio
import tomllib
from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cache
from importlib import resources
from types import MappingProxyType

from groupops_wecom.clockwork import Clockwork, Now
from groupops_wecom.exception import ActionFailed

MOST_KEYS = 20_000
"""Counters kept at once; one that is still counting is never forgotten for a new one."""

SLACK = 1.0
"""Seconds by which a window is longer than the platform's: a call may take longer to arrive than the next one."""

EXACT = 64
"""Up to this many a window remembers each call; above, calls of a while are counted as made at its end."""

SHARES = 32
"""Into so many whiles a window is cut that does not remember each call."""

PATIENCE = 30.0
"""Seconds a call waits for its turn before its caller is told to come again."""

MIDNIGHT_OFFSET = 8 * 3600
"""The platform's day begins at midnight in China: seconds east of UTC."""

FORGIVEN_AFTER = 60.0
"""Seconds after the end of a ban in which a refusal means that the ban was too short."""

DAY = 86_400

TOO_OFTEN = 45009


class Throttled(ActionFailed):
    """Too often: nothing was done, and nothing will be for a while.

    Args:
        api: path of the interface.
        wait: seconds after which it may be tried again.
        errmsg: the platform's words; empty when it was not even asked.
    """

    def __init__(self, api: str, wait: float, errmsg: str = "") -> None:
        super().__init__(api, TOO_OFTEN, errmsg or f"held back here; again in {wait:.0f} seconds")
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Rate:
    """So many within so many seconds.

    Args:
        number: how many.
        span: seconds.
    """

    number: int
    span: float


@dataclass(frozen=True, slots=True)
class Claim:
    """What a call uses up.

    Args:
        kind: a table of `rates.toml`.
        key: whose counter: a conversation, a member, a robot, an interface.
        cost: how many of it, at least 1.
    """

    kind: str
    key: str
    cost: int = 1


def rate_of(text: str) -> Rate:
    """Read a rate such as `20/60`: so many in so many seconds.

    Raises:
        ValueError: it is none.
    """
    number, _, span = text.partition("/")
    if not (number.isdecimal() and span.isdecimal() and int(number) and int(span)):
        raise ValueError(f'{text!r} is no rate; write "<number>/<seconds>", e.g. "20/60"')
    return Rate(int(number), float(span))


@cache
def platform_rates() -> Mapping[str, tuple[Rate, ...]]:
    """Give the rates of `rates.toml` by kind."""
    raw = tomllib.loads(resources.files(__package__ or "").joinpath("rates.toml").read_text("utf-8"))
    return MappingProxyType({kind: tuple(map(rate_of, entry["rates"])) for kind, entry in raw.items()})


class Window:
    """One counter: never more than the rate's number within its span, wherever the span begins.

    Args:
        rate: the rate.
        slack: seconds by which the span is lengthened.
    """

    __slots__ = ("_entries", "_grain", "_number", "_span", "_total")

    def __init__(self, rate: Rate, slack: float = SLACK) -> None:
        self._number = rate.number
        self._span = rate.span + slack
        self._grain = 0.0 if rate.number <= EXACT else rate.span / SHARES
        self._entries: deque[tuple[float, float, int]] = deque()  # first moment, last moment, how many
        self._total = 0

    @property
    def number(self) -> int:
        """How many fit into the window."""
        return self._number

    def __len__(self) -> int:
        return len(self._entries)

    def idle_in(self, now: float) -> float:
        """Give the seconds until nothing counts any more: at most 0 for none."""
        return self._entries[-1][1] + self._span - now if self._entries else 0.0

    def wait(self, now: float, cost: int = 1) -> float:
        """Give the seconds until `cost` more fit in: 0 for now."""
        self._forget(now)
        lacking = self._total + cost - self._number
        if lacking <= 0:
            return 0.0
        for _, last, number in self._entries:
            lacking -= number
            if lacking <= 0:
                return max(last + self._span - now, 0.0)
        raise ValueError(f"{cost} at once never fit into a window of {self._number}; ask for less")

    def take(self, now: float, cost: int = 1) -> None:
        """Count `cost` more, whether they fit or not."""
        self._total += cost
        if self._entries and now - self._entries[-1][0] < self._grain:
            first, _, number = self._entries.pop()
            self._entries.append((first, now, number + cost))
        else:
            self._entries.append((now, now, cost))

    def arrived(self, now: float) -> None:
        """Count the youngest as made now: it cannot have arrived later than its answer."""
        if self._entries:
            first, _, number = self._entries.pop()
            self._entries.append((first, now, number))

    def _forget(self, now: float) -> None:
        while self._entries and self._entries[0][1] + self._span <= now:
            self._total -= self._entries.popleft()[2]


class Ban(IntEnum):
    """How long the platform refuses after too many calls: which of its windows was overrun."""

    MINUTE = 0
    HOUR = 1
    DAY = 2


@dataclass(frozen=True, slots=True)
class _Banned:
    until: float
    ban: Ban


_BAN_WORDS = ((Ban.DAY, ("day", "天")), (Ban.HOUR, ("hour", "小时")), (Ban.MINUTE, ("minute", "分钟")))
_BAN_SPAN = {Ban.MINUTE: 60.0, Ban.HOUR: 3600.0}


def until_midnight(now: float) -> float:
    """Give the seconds until the next midnight in China.

    Args:
        now: seconds since the epoch.
    """
    return DAY - (now + MIDNIGHT_OFFSET) % DAY


class Budget:
    """All counters of one enterprise, or of one robot.

    Args:
        now: the present in seconds since the epoch.
        rates: the rates by kind; the platform's own by default. A kind without rates is not counted.
        most_keys: counters kept at once.
    """

    def __init__(
        self,
        now: Now | None = None,
        rates: Mapping[str, tuple[Rate, ...]] | None = None,
        most_keys: int = MOST_KEYS,
    ) -> None:
        self._clock = now or Clockwork().now
        self._rates = platform_rates() if rates is None else rates
        self._most = most_keys
        self._windows: OrderedDict[tuple[str, str], tuple[Window, ...]] = OrderedDict()
        self._bans: OrderedDict[tuple[str, str], _Banned] = OrderedDict()
        self._latest = float("-inf")

    def __len__(self) -> int:
        return len(self._windows)

    def number(self, kind: str) -> int:
        """Give how many of a kind fit into its smallest window; 0 for a kind that is not counted."""
        return min((rate.number for rate in self._rates.get(kind, ())), default=0)

    def wait(self, claims: Iterable[Claim]) -> float:
        """Give the seconds until all of it may be used up at once: 0 for now.

        Raises:
            ValueError: a cost is larger than a whole window.
        """
        return self._wait_for_all(together(claims), self._now())

    def take(self, claims: Iterable[Claim]) -> float:
        """Use it up, all or nothing.

        Returns:
            0 when it was used up; else the seconds after which to ask again, and nothing was.
        """
        wanted, now = together(claims), self._now()
        wait = self._wait_for_all(wanted, now)
        if wait > 0:
            return wait
        for claim in wanted:
            for window in self._opened((claim.kind, claim.key)):
                window.take(now, claim.cost)
        return 0.0

    def count(self, claims: Iterable[Claim]) -> None:
        """Count something that is done all the same, whether it fits or not: what comes after it waits for longer."""
        now = self._now()
        for claim in together(claims):
            for window in self._opened((claim.kind, claim.key)):
                window.take(now, claim.cost)

    def arrived(self, claim: Claim) -> None:
        """Count the youngest use of a counter as made now; only where one call follows the other."""
        for window in self._windows.get((claim.kind, claim.key), ()):
            window.arrived(self._now())

    def refused(self, claim: Claim, words: str = "") -> float:
        """Note that the platform refuses a claim as too often.

        The window it means is taken from its words, else it is the next longer one with each refusal soon after
        the last: a minute, an hour, until midnight.

        Returns:
            The seconds it is waited out.
        """
        now, place = self._now(), (claim.kind, claim.key)
        if self.banned(claim) > 0:
            return self.banned(claim)  # several calls were under way when the first was refused
        ban = _ban_of(words) or self._next_ban(place, now)
        span = until_midnight(now) if ban is Ban.DAY else _BAN_SPAN[ban]
        self._bans[place] = _Banned(now + span, ban)
        self._bans.move_to_end(place)
        while len(self._bans) > self._most:
            self._bans.popitem(last=False)
        return span

    def banned(self, claim: Claim) -> float:
        """Give the seconds that a ban on a counter still lasts; 0 for none."""
        banned = self._bans.get((claim.kind, claim.key))
        return max(banned.until - self._now(), 0.0) if banned is not None else 0.0

    def _next_ban(self, place: tuple[str, str], now: float) -> Ban:
        last = self._bans.get(place)
        if last is None or now > last.until + FORGIVEN_AFTER:
            return Ban.MINUTE
        return Ban(min(last.ban + 1, Ban.DAY))

    def _wait_for_all(self, claims: Iterable[Claim], now: float) -> float:
        return max((self._wait(claim, now) for claim in claims), default=0.0)

    def _wait(self, claim: Claim, now: float) -> float:
        windows, room = self._windows.get((claim.kind, claim.key)), 0.0
        if windows is None:
            windows = tuple(map(Window, self._rates.get(claim.kind, ())))
            room = self._room(now) if windows else 0.0
        return max(self.banned(claim), room, *(window.wait(now, claim.cost) for window in windows))

    def _room(self, now: float) -> float:
        """Give the seconds until there is a place for one more counter."""
        while len(self._windows) >= self._most:
            place, oldest = next(iter(self._windows.items()))
            idle_in = max(window.idle_in(now) for window in oldest)
            if idle_in > 0:
                return idle_in
            del self._windows[place]
        return 0.0

    def _opened(self, place: tuple[str, str]) -> tuple[Window, ...]:
        windows = self._windows.get(place)
        if windows is None:
            rates = self._rates.get(place[0], ())
            if not rates:
                return ()
            windows = self._windows[place] = tuple(map(Window, rates))
        self._windows.move_to_end(place)
        return windows

    def _now(self) -> float:
        self._latest = max(self._latest, self._clock())  # a clock that is set back gives nothing away twice
        return self._latest


def together(claims: Iterable[Claim]) -> tuple[Claim, ...]:
    """Give the claims with those on one counter added up."""
    costs: dict[tuple[str, str], int] = {}
    for claim in claims:
        costs[claim.kind, claim.key] = costs.get((claim.kind, claim.key), 0) + claim.cost
    return tuple(Claim(kind, key, cost) for (kind, key), cost in costs.items())


def _ban_of(words: str) -> Ban | None:
    said = words.lower()
    return next((ban for ban, marks in _BAN_WORDS if any(mark in said for mark in marks)), None)


@dataclass(slots=True)
class _Place:
    """Where those stand who want the same counter."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    standing: int = 0


class Turnstile:
    """Lets calls through as the budget allows, first come first served on every counter: nobody is overtaken.

    Args:
        budget: the counters.
        clock: what is waited on.
        patience: seconds that a caller waits at most before it is told to come again.
    """

    def __init__(self, budget: Budget, clock: Clockwork, patience: float = PATIENCE) -> None:
        self._budget = budget
        self._clock = clock
        self._patience = patience
        self._places: dict[tuple[str, str], _Place] = {}

    def __len__(self) -> int:
        return len(self._places)

    async def enter(self, api: str, claims: Iterable[Claim]) -> None:
        """Wait for one's turn and use the claims up.

        Args:
            api: who asks, for the error.
            claims: what the call uses up.

        Raises:
            Throttled: it would take longer than is waited here; nothing was used up.
            ValueError: a cost is larger than a whole window.
        """
        wanted = together(claims)
        nobody_stands = not any((claim.kind, claim.key) in self._places for claim in wanted)
        if nobody_stands and self._budget.take(wanted) <= 0:
            return
        # The narrow counters first: who waits for a conversation of its own holds up no other conversation.
        line = sorted(wanted, key=lambda claim: (self._budget.number(claim.kind), claim.kind, claim.key))
        until = self._clock.now() + self._patience
        async with AsyncExitStack() as stack:
            for claim in line:
                await self._stand(stack, (claim.kind, claim.key))
                await self._until_free(api, (claim,), until)
            await self._until_free(api, wanted, until)
            self._budget.take(wanted)

    async def _stand(self, stack: AsyncExitStack, place: tuple[str, str]) -> None:
        found = self._places.setdefault(place, _Place())
        found.standing += 1
        stack.callback(self._leave, place)
        await stack.enter_async_context(found.lock)

    def _leave(self, place: tuple[str, str]) -> None:
        found = self._places[place]
        found.standing -= 1
        if not found.standing:
            del self._places[place]

    async def _until_free(self, api: str, claims: tuple[Claim, ...], until: float) -> None:
        while (wait := self._budget.wait(claims)) > 0:
            if self._clock.now() + wait > until:
                raise Throttled(api, wait)
            await self._clock.sleep(wait)
