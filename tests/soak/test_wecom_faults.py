"""Whatever breaks at WeCom, at whatever byte: nothing is lost, nothing comes twice that need not, doubt is shown."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count, groupby
from pathlib import Path
from typing import Any

import pytest

from groupops import (
    AccountId,
    Action,
    DeleteMessage,
    DirectMessage,
    Done,
    GroupId,
    MessagePosted,
    Option,
    PlatformError,
    ReadCheckIns,
    RemoveMember,
    RenameGroup,
    Reply,
    SendFile,
    SendText,
    UpdateCard,
)
from groupops.clock import StoppedClock
from groupops.records import CaseStatus, OutboxRow, OutboxState, Ticket
from groupops.testing import Rig, rig
from groupops_wecom.testing import BROKEN, BUSY, CROWDED, LOST, MUTE, THROTTLED, Card, Fault, Said, until
from tests.support.soak import Soak
from tests.support.wecom_cases import Casebook
from tests.support.wecom_rig import BOT, CALLED, MEMBER, ROOM, Modes, Served, serving
from tests.support.wecom_stub import OVER_HTTPX
from tests.support.wecom_wire import BAD_GATEWAY, Cut

pytestmark = OVER_HTTPX

GROUP = GroupId(f"wecom:{ROOM}")
LI = AccountId(f"wecom:{MEMBER}")
OPTIONS = (Option(word="好"), Option(word="不好"))
HEARTBEAT = 30.0
LONG = 10
"""Times in a row that something goes wrong which lasts."""


class Hurried:
    """The engine's clock as the platform has it: who waits for a short while moves it on."""

    def __init__(self, clock: StoppedClock) -> None:
        self.clock = clock

    def now(self) -> datetime:
        return self.clock.now()

    def nanos(self) -> int:
        return self.clock.nanos()

    async def sleep(self, seconds: float) -> None:
        if seconds >= HEARTBEAT:  # heartbeats and looks at lists are not what is measured
            await StoppedClock(self.clock.now()).sleep(seconds)
        self.clock.advance(timedelta(seconds=max(seconds, 0)))
        await self.clock.sleep(0)


@dataclass
class Scene:
    """A group at WeCom, looked after by an engine, over wires that may be cut."""

    served: Served
    rig: Rig
    cases: Casebook
    numbers: Any = field(default_factory=lambda: count(1))

    async def carry_out(self, action: Action, meanwhile: Callable[[], Awaitable[None]] | None) -> OutboxRow:
        """Have the engine do something, and try again for as long as it wants to; gives what became of it."""
        outbox, records = self.rig.engine.outbox, self.rig.records
        number = next(self.numbers)
        rows = outbox.rows(f"fault{number}", "notice", (action,), plugin="core")
        [row] = await records.enqueue(rows)
        await outbox.send((row,))
        if meanwhile is not None:
            await meanwhile()
        for _ in range(LONG + 2):
            found = await self._again(row)
            if found.state is not OutboxState.WAITING:
                return found
            await self.connected()
            self.rig.clock.advance(timedelta(minutes=5))
            await outbox.pump()
        return await self._again(row)

    async def _again(self, row: OutboxRow) -> OutboxRow:
        found = await self.rig.records.outbox(limit=100_000)
        return next(one for one in found if one.id == row.id)

    async def connected(self) -> None:
        """Wait until every bot is there again."""
        platform = self.served.platform
        await until(lambda: all(platform.is_up(bot.self_id) for bot in platform.bots()))

    async def doubts(self, row: OutboxRow) -> list[Ticket]:
        """Give the tickets that show a row in doubt."""
        found = await self.rig.records.tickets(group_id=GROUP, open_only=False)
        return [one for one in found if one.key == f"doubt:{row.key}"]

    def calm(self) -> None:
        """Let nothing more go wrong."""
        for wire in (self.served.wires.rest, self.served.wires.link):
            wire.disarm()
        for faults in (self.served.far.rest.faults, self.served.far.link.faults):
            faults.clear()

    @property
    def said(self) -> list[Said]:
        return self.served.chat.said

    @property
    def changes(self) -> list[Any]:
        """What WeCom has changed of cards."""
        return self.served.far.rest.asked("message/update_template_card")

    @property
    def inbox(self) -> list[Said]:
        return self.served.far.world.people[MEMBER].inbox


def with_word(word: str, said: list[Said]) -> int:
    """Count what shows a word."""
    return sum(word in f"{one.body}" for one in said)


@asynccontextmanager
async def scene(modes: Modes, folder: Path) -> AsyncIterator[Scene]:
    """A group that is reached in these modes only."""
    async with rig(groups=(), plugins=[]) as r:
        clock: Any = Hurried(r.clock)
        cases = Casebook()
        more = {"clock": clock, "over_wires": True, "wecom_ack_seconds": 0.3, "cases": cases}
        async with serving(modes, folder, **more) as served:
            r.engine.parts.platforms["wecom"] = served.platform
            await r.engine.bind_group(GROUP, packs=[])
            yield Scene(served, r, cases)


# — what is done, and how it shows —


@dataclass(frozen=True, kw_only=True)
class Deed:
    """Something that is done by one interface.

    Args:
        modes: the modes in which there is no other way to do it.
        call: the interface's name, or the command's.
        make: makes the action, with a word nothing else has.
        shows: counts how often it was done.
        once: whether the interface knows repetitions, so that one fault leaves nothing in doubt.
        again: whether doing it again comes out the same, so that how often it was done does not matter.
        frame: over the long connection, how many frames go before the one that is meant.
        fleeting: whether it is worth nothing later, or asked anew: nothing is lost by giving it up.
    """

    modes: Modes
    call: str
    make: Callable[[Scene, str], Awaitable[Action]]
    shows: Callable[[Scene, str], int]
    once: bool = False
    again: bool = False
    frame: int = 0
    fleeting: bool = False

    @property
    def by_link(self) -> bool:
        return self.call.startswith("aibot_")


LINK = Modes(aibot="link")
URL = Modes(aibot="url")
APP = Modes(app=True, sides=frozenset({"archive"}))
APPCHAT = Modes(app=True, sides=frozenset({"appchat"}))
ROBOT = Modes(app=True, sides=frozenset({"archive", "robot"}))


async def words(_: Scene, word: str) -> Action:
    return SendText(group_id=GROUP, text=f"通知 {word}")


async def words_by_url(s: Scene, word: str) -> Action:
    await s.served.far.say(MEMBER, s.served.chat, f"@{CALLED} {word[::-1]}")
    await s.served.settled()
    return SendText(group_id=GROUP, text=f"通知 {word}")


async def offer(_: Scene, word: str) -> Action:
    return SendText(group_id=GROUP, text=f"请选 {word}", options=OPTIONS, subject=f"obligation:{word}")


async def paper(_: Scene, word: str) -> Action:
    return SendFile(group_id=GROUP, name=f"{word}.txt", data=f"文件 {word}".encode())


async def answer(s: Scene, word: str) -> Action:
    s.served.told.take()
    await s.served.far.say(MEMBER, s.served.chat, f"@{CALLED} {word[::-1]}")
    [fact] = [one for one in await s.served.facts() if isinstance(one, MessagePosted)]
    return Reply(group_id=GROUP, message_id=fact.message_id, text=f"答 {word}")


async def letter(_: Scene, word: str) -> Action:
    return DirectMessage(group_id=GROUP, account=LI, text=f"提醒 {word}")


async def private_offer(_: Scene, word: str) -> Action:
    return DirectMessage(
        group_id=GROUP, account=LI, text=f"请选 {word}", options=OPTIONS, subject=f"obligation:{word}"
    )


async def private_paper(_: Scene, word: str) -> Action:
    return SendFile(group_id=GROUP, name=f"{word}.txt", data=f"文件 {word}".encode(), account=LI)


async def taken_back(s: Scene, word: str) -> Action:
    sent = await s.carry_out(await letter(s, word), None)
    assert isinstance(sent.receipt, Done)
    return DeleteMessage(group_id=GROUP, message_id=sent.receipt.ref)


async def outcome(s: Scene, word: str) -> Action:
    await s.served.platform.perform(await offer(s, word), key=word)
    card = s.said[-1].card
    assert card is not None
    await s.served.far.press(MEMBER, card, card.template["button_list"][0]["key"])
    await s.served.settled()
    return UpdateCard(group_id=GROUP, card_id=card.task_id, title="结果", text=f"已办 {word[::-1]}")


async def put_out(s: Scene, word: str) -> Action:
    s.served.far.world.hire(word, word)
    await s.served.far.join(word, s.served.chat)
    return RemoveMember(group_id=GROUP, account=AccountId(f"wecom:{word}"))


async def renamed(_: Scene, word: str) -> Action:
    return RenameGroup(group_id=GROUP, name=word)


async def looked_up(s: Scene, word: str) -> Action:
    s.served.far.world.hire(word, word)
    s.served.far.check_in(word, 31.2304, 121.4737)
    now, who = s.rig.clock.now(), AccountId(f"wecom:{word}")
    return ReadCheckIns(
        group_id=GROUP, accounts=(who,), since=now - timedelta(hours=1), until=now + timedelta(hours=1)
    )


def in_group(s: Scene, word: str) -> int:
    return with_word(word, s.said)


def in_private(s: Scene, word: str) -> int:
    return with_word(word, s.inbox)


def files(s: Scene, word: str) -> int:
    return named(s, word, s.said)


def private_files(s: Scene, word: str) -> int:
    return named(s, word, s.inbox)


def named(s: Scene, word: str, said: list[Said]) -> int:
    """Count the files of a name."""
    media = s.served.far.world.media
    return sum(media[one.body["media_id"]].name == f"{word}.txt" for one in said if "media_id" in one.body)


def outcomes(s: Scene, word: str) -> int:
    cards = [one.card for one in s.said if one.card is not None and word in f"{one.body}"]
    return sum(word[::-1] in f"{one.template}" for one in cards)


def recalled(s: Scene, word: str) -> int:
    return sum(one.recalled for one in s.inbox if word in f"{one.body}")


def heard_of(s: Scene, word: str) -> int:
    return len({one.id for one in s.served.told.facts if getattr(one, "account", "") == f"wecom:{word}"})


DEEDS: tuple[Deed, ...] = (
    Deed(modes=LINK, call="aibot_send_msg", make=words, shows=in_group),
    Deed(modes=LINK, call="aibot_send_msg", make=offer, shows=in_group),
    Deed(modes=LINK, call="aibot_send_msg", make=letter, shows=in_private),
    Deed(modes=LINK, call="aibot_respond_msg", make=answer, shows=in_group),
    *(
        Deed(modes=LINK, call=call, make=paper, shows=files, once=only, frame=frame)
        for frame, (call, only) in enumerate(
            (
                ("aibot_upload_media_init", True),
                ("aibot_upload_media_chunk", True),
                ("aibot_upload_media_finish", True),
                ("aibot_send_msg", False),
            )
        )
    ),
    Deed(modes=LINK, call="aibot_respond_update_msg", make=outcome, shows=outcomes, fleeting=True),
    Deed(modes=URL, call="aibot/response", make=words_by_url, shows=in_group),
    Deed(modes=APP, call="message/send", make=letter, shows=in_private, once=True),
    Deed(modes=APP, call="message/send", make=private_offer, shows=in_private, once=True),
    *(
        Deed(modes=APPCHAT, call=call, make=private_paper, shows=private_files, once=True)
        for call in ("media/upload", "message/send")
    ),
    *(
        Deed(modes=APP, call=call, make=private_paper, shows=private_files, once=True)
        for call in ("media/upload", "message/send")
    ),
    Deed(modes=APP, call="message/recall", make=taken_back, shows=recalled, once=True, again=True),
    Deed(modes=APP, call="checkin/getcheckindata", make=looked_up, shows=heard_of, once=True, fleeting=True),
    Deed(modes=APPCHAT, call="appchat/send", make=words, shows=in_group),
    Deed(
        modes=APPCHAT,
        call="appchat/update",
        make=put_out,
        shows=lambda s, w: int(w not in s.served.chat.seats),
        once=True,
        again=True,
    ),
    Deed(
        modes=APPCHAT,
        call="appchat/update",
        make=renamed,
        shows=lambda s, w: int(s.served.chat.name == w),
        once=True,
        again=True,
    ),
    Deed(modes=ROBOT, call="webhook/send", make=words, shows=in_group),
)


# — what goes wrong —

Trouble = Callable[[Scene, Deed], Awaitable[Callable[[], Awaitable[None]] | None]]


def cut(way: Any, share: float, times: int = 1, instead: bytes = b"") -> Trouble:
    """The wire is cut while the call is under way."""

    async def befall(s: Scene, deed: Deed) -> None:
        if deed.by_link:
            s.served.wires.link.arm("", *[Cut(way=way, share=share, after=deed.frame)] * times)
        else:
            s.served.wires.rest.arm(deed.call, *[Cut(way=way, share=share, instead=instead)] * times)

    return befall


def refused(fault: Fault, times: int = 1) -> Trouble:
    """WeCom says no, or nothing."""

    async def befall(s: Scene, deed: Deed) -> None:
        where = s.served.far.link if deed.by_link else s.served.far.rest
        where.faults.add(deed.call, *[fault] * times)

    return befall


async def nobody_there(s: Scene, deed: Deed) -> Callable[[], Awaitable[None]]:
    """Nobody takes calls when it begins, and somebody does later."""
    wires = s.served.wires
    wire = wires.link if deed.by_link else wires.rest
    await wire.refuse()
    if deed.by_link:
        await until(lambda: not s.served.platform.is_up(BOT))
    return wire.mend


def token(lose: Callable[[Scene], None], befall: Trouble | None = None) -> Trouble:
    """The token is no longer good; and when a new one is asked for, something befalls that too."""

    async def both(s: Scene, deed: Deed) -> None:
        if deed.by_link or deed.call in {"aibot/response", "webhook/send"}:
            return  # these have no token
        lose(s)
        if befall is not None:
            await befall(s, Deed(modes=deed.modes, call="gettoken", make=deed.make, shows=deed.shows))

    return both


def expired(s: Scene) -> None:
    s.served.far.rest.expire_tokens()


def revoked(s: Scene) -> None:
    s.served.far.rest.revoke_tokens()


TROUBLES: dict[str, Trouble] = {
    "nobody takes the call": nobody_there,
    **{f"cut at {share} on the way there": cut("there", share) for share in (0.0, 0.01, 0.5, 0.99)},
    **{f"cut at {share} of the answer": cut("back", share) for share in (0.0, 0.01, 0.5, 0.99)},
    "done, and then a gateway gave up": cut("back", 0, instead=BAD_GATEWAY),
    "a gateway gave up": refused(BROKEN),
    "busy": refused(BUSY),
    "too many at once": refused(CROWDED),
    "too often": refused(THROTTLED),
    "no answer": refused(LOST),
    "no answer, and the connection stays": refused(MUTE),
    "the token expired": token(expired),
    "the token was revoked": token(revoked),
    "the token was revoked and a new one is cut off": token(revoked, cut("back", 0.5)),
    "the token was revoked and a new one is refused": token(revoked, refused(THROTTLED)),
    "the token was revoked and a gateway gave up": token(revoked, refused(BROKEN)),
}
LASTING: dict[str, Trouble] = {
    "cut on the way there for long": cut("there", 0.5, LONG),
    "no answer for long": cut("back", 0, LONG),
    "a gateway gave up for long": refused(BROKEN, LONG),
    "busy for long": refused(BUSY, LONG),
    "too many at once for long": refused(CROWDED, LONG),
    "a new token is cut off for long": token(revoked, cut("there", 0, LONG)),
}

Case = tuple[int, str]
"""Which deed, and what befalls it."""

CASES: tuple[Case, ...] = tuple(
    (number, trouble) for number, _ in enumerate(DEEDS) for trouble in (*TROUBLES, *LASTING)
)


async def befallen(s: Scene, deed: Deed, trouble: str, word: str) -> str:
    """Do something while something goes wrong; gives what does not hold, or nothing."""
    action = await deed.make(s, word)
    meanwhile = await {**TROUBLES, **LASTING}[trouble](s, deed)
    row = await s.carry_out(action, meanwhile)
    s.calm()
    await s.connected()
    await s.served.settled()
    times, doubts = deed.shows(s, word), await s.doubts(row)
    lost = row.state is OutboxState.DONE and times != 1
    hidden = row.state is OutboxState.IN_DOUBT and len(doubts) != 1
    given_up = row.state not in {OutboxState.DONE, OutboxState.IN_DOUBT} and not deed.fleeting
    doubtful = deed.once and trouble in TROUBLES and row.state is not OutboxState.DONE
    if lost or hidden or given_up or doubtful or (times > 1 and not deed.again):
        return f"{deed.call} {trouble}: {row.state}, done {times} times, {len(doubts)} tickets, {row.receipt}"
    return ""


def chosen(soak: Soak) -> list[Case]:
    """Give the cases of this run, those of one set-up together; a tenth has every deed and every trouble all the same."""
    cases = list(CASES)
    if not soak.full:
        deeds, troubles = list(range(len(DEEDS))), [*TROUBLES, *LASTING]
        dice = soak.random()
        dice.shuffle(deeds)
        dice.shuffle(troubles)
        many = max(len(CASES) // 10, len(deeds), len(troubles))
        cases = [(deeds[at % len(deeds)], troubles[at % len(troubles)]) for at in range(many)]
    return sorted(cases, key=lambda case: (repr(DEEDS[case[0]].modes), case))


@pytest.mark.soak
async def test_whatever_breaks_nothing_is_lost_nothing_comes_twice_and_doubt_is_shown(
    soak: Soak, tmp_path: Path
) -> None:
    wrong: list[str] = []
    words = count(1)

    for place, (modes, cases) in enumerate(groupby(chosen(soak), key=lambda case: DEEDS[case[0]].modes)):
        async with scene(modes, tmp_path / f"{place}") as s:
            for number, trouble in cases:
                if found := await befallen(s, DEEDS[number], trouble, f"w{next(words):05}w"):
                    wrong.append(found)

    assert wrong == []


# — what is changed about a card that was sent, and of which nobody waits for a receipt —


@dataclass(frozen=True, kw_only=True)
class Turn:
    """How a card of the app's comes to be changed.

    Args:
        subject: what it is about.
        befall: makes it so.
        shows: says whether it was changed.
    """

    subject: str
    befall: Callable[[Scene, Card], Awaitable[None]]
    shows: Callable[[Card], bool]


async def pressed(s: Scene, card: Card) -> None:
    """Somebody presses the first button."""
    await s.served.far.press(MEMBER, card, card.template["button_list"][0]["key"])
    await s.served.settled()
    await s.served.platform.settled()


async def decided(s: Scene, _: Card) -> None:
    """The case is decided elsewhere."""
    s.cases.status = CaseStatus.DISMISSED
    await s.served.platform.outcomes.look()


TURNS: tuple[Turn, ...] = (
    Turn(subject="obligation:12", befall=pressed, shows=lambda card: "已选" in f"{card.seen_by(MEMBER)}"),
    Turn(subject="case:12", befall=decided, shows=lambda card: card.done == {MEMBER: "已有决定"}),
)
CHANGE = Deed(modes=APP, call="message/update_template_card", make=private_offer, shows=in_private)


async def changed(s: Scene, turn: Turn, trouble: str, number: int) -> str:
    """Have a card changed while something goes wrong; gives what does not hold, or nothing."""
    s.cases.status = CaseStatus.PROPOSED
    offer = DirectMessage(
        group_id=GROUP, account=LI, text=f"请选 {number}", options=OPTIONS, subject=turn.subject
    )
    await s.carry_out(offer, None)
    card = s.inbox[-1].card
    assert card is not None
    before = len(s.changes)
    meanwhile = await {**TROUBLES, **LASTING}[trouble](s, CHANGE)
    await turn.befall(s, card)
    if meanwhile is not None:
        await meanwhile()
    for _ in range(LONG + 2):
        s.rig.clock.advance(timedelta(minutes=1))
        await s.served.platform.outcomes.look()
    s.calm()
    memory = s.served.platform.memory
    times, left = len(s.changes) - before, len(memory.owed) + len(memory.offers)
    if times != 1 or left or not turn.shows(card):
        return f"{turn.subject} {trouble}: changed {times} times, {left} left"
    return ""


@pytest.mark.soak
async def test_whatever_breaks_a_card_of_the_app_s_is_changed_once_and_once_only(
    soak: Soak, tmp_path: Path
) -> None:
    cases = [(turn, trouble) for turn in TURNS for trouble in (*TROUBLES, *LASTING)]
    some = cases if soak.full else soak.random().sample(cases, len(cases) // 3)

    async with scene(APP, tmp_path) as s:
        found = [await changed(s, turn, trouble, number) for number, (turn, trouble) in enumerate(some)]

    assert [one for one in found if one] == []


# — what is asked for: a list is whole, or there is none —

CUSTOMER = Modes(app=True, sides=frozenset({"customer"}))
LISTS: tuple[Deed, ...] = tuple(
    Deed(modes=modes, call=call, make=words, shows=in_group)
    for modes, call in (
        (APPCHAT, "appchat/get"),
        (CUSTOMER, "externalcontact/groupchat/get"),
        (APP, "msgaudit/groupchat/get"),
    )
)


async def listed(s: Scene) -> set[str] | None:
    """Ask who is in the group; None where that is not known."""
    try:
        found, whole = await s.served.platform.members(GROUP)
    except PlatformError:
        return None
    return {one.account.partition(":")[2] for one in found} if whole else None


@pytest.mark.soak
async def test_whatever_breaks_a_list_is_whole_or_there_is_none_and_the_next_one_is_whole(
    soak: Soak, tmp_path: Path
) -> None:
    troubles = [*TROUBLES, *LASTING]
    wrong: list[str] = []

    for place, deed in enumerate(LISTS):
        async with scene(deed.modes, tmp_path / f"{place}") as s:
            there = set(s.served.chat.seats)
            for trouble in troubles if soak.full else soak.random().sample(troubles, len(troubles) // 3):
                meanwhile = await {**TROUBLES, **LASTING}[trouble](s, deed)
                found = await listed(s)
                if meanwhile is not None:
                    await meanwhile()
                s.calm()
                s.rig.clock.advance(timedelta(hours=1))  # what was called too often is let through again
                if found not in (None, there) or await listed(s) != there:
                    wrong.append(f"{deed.call} {trouble}: {found}")

    assert wrong == []
