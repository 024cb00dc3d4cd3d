"""A puppet service is killed, refuses, is taken, floods and falls silent: no task is lost, and nothing is judged twice."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from groupops.actions import Mute, RemoveMember, SendText
from groupops.records import Case, OutboxRow, OutboxState, Ticket
from groupops_wechat.client import Client
from groupops_wechat.config import Account, Config
from groupops_wechat.exception import Taken
from tests.soak.qq.started import PATIENCE
from tests.soak.wechat.room import Room, room
from tests.support.soak import Soak

CUTS = 20
LIVES = 5
"""How often the service is killed, and the bot."""

FLOOD = 5_000
SILENCE_HOURS = 12
GROWS_MB = 10.0
ALL = 1_000_000
OPEN = (OutboxState.WAITING, OutboxState.PERFORMING)


@pytest.mark.soak
async def test_however_often_the_service_goes_no_task_is_lost_and_nothing_is_judged_twice(
    tmp_path: Path, soak: Soak, capsys: pytest.CaptureFixture[str]
) -> None:
    began = time.monotonic()
    async with room(tmp_path / "bot", soak.random(), times=200, tls=True) as scene:
        cuts = soak.rounds(CUTS)
        await somebody_else_reads(scene)
        await a_wrong_token(scene)
        for number in range(cuts):
            await scene.talk(5)
            await scene.cut()
            if number % (CUTS // LIVES) == CUTS // LIVES - 1:
                await scene.restart(scene.dice.choice((signal.SIGTERM, signal.SIGKILL)))
        stays = await scene.ask_out()
        await scene.talk(5)
        rows = await at_rest(scene)
        await happens(lambda: gone_by_the_list(scene) == set(scene.left))
        cases, tickets = await kept(scene)

        nothing_was_handled_twice_in_one_life(scene)
        every_offence_that_was_surely_heard_is_one_case(scene, cases)
        every_case_is_before_the_stewards(cases, tickets)
        who_is_gone_is_off_the_list_of_tasks(scene, tickets, stays)
        thanks_were_said_once_or_shown(scene, rows, tickets)
        assert scene.bot.harm() == []
        with capsys.disabled():
            states = Counter(str(row.state) for row in rows)
            print(  # noqa: T201 - the figures of the soak
                f"\nsoak WeChat: {cuts} cuts, {len(scene.said)} messages ({len(scene.sure)} surely heard), "
                f"{len(cases)} cases, {len(tickets)} tickets, {len(rows)} actions {dict(states)}, "
                f"{time.monotonic() - began:.1f} s"
            )


@pytest.mark.soak
async def test_a_flood_and_a_long_silence_leave_nothing_behind(
    tmp_path: Path, soak: Soak, capsys: pytest.CaptureFixture[str]
) -> None:
    began, sizes = time.monotonic(), list[float]()
    async with room(tmp_path / "bot", soak.random(), times=1_200) as scene:
        asked = await scene.ask_out()
        for _ in range(3):
            await flood(scene, soak.rounds(FLOOD))
            sizes.append(scene.bot.rss)
        await at_rest(scene)
        lost = await scene.ask_out()
        await scene.end.do("slip", room="1@chatroom", who=lost)
        scene.slips_out(lost)
        await silence(scene, soak.rounds(SILENCE_HOURS * 10) / 10)
        sizes.append(scene.bot.rss)
        await scene.talk(5)
        _, (cases, tickets) = await at_rest(scene), await kept(scene)

        nothing_was_handled_twice_in_one_life(scene)
        in_the_order_in_which_they_came(scene)
        every_offence_that_was_surely_heard_is_one_case(scene, cases)
        every_case_is_before_the_stewards(cases, tickets)
        who_is_gone_is_off_the_list_of_tasks(scene, tickets, asked)
        assert "again in" not in scene.bot.log, "twelve quiet hours are no reason to connect anew"
        assert scene.bot.harm() == []
        assert max(after - before for before, after in pairwise(sizes[1:])) < GROWS_MB
        with capsys.disabled():
            print(  # noqa: T201 - the figures of the soak
                f"\nsoak WeChat flood and silence: {len(scene.said)} messages, {len(cases)} cases, "
                f"{[round(size, 1) for size in sizes]} MB, {time.monotonic() - began:.1f} s"
            )


# — what happens —


async def somebody_else_reads(scene: Room) -> None:
    """Somebody else wants the stream; whoever has it goes on hearing."""
    account = Account.model_validate(
        {"endpoint": f"127.0.0.1:{scene.end.port}", "token": scene.end.token, "tls": scene.end.tls}
    )
    other = Client(account, Config())
    await other.open()
    for _ in range(5):
        with pytest.raises(Taken):
            _ = [event async for event in other.events()]
        await scene.talk(2)
    await other.close()


async def a_wrong_token(scene: Room) -> None:
    """The bot is started with a token that is not the service's, and then with the right one."""
    await scene.talk(8)
    await scene.bot.stop(signal.SIGKILL)
    scene.bot.write_env(scene.end, token="insecure_not-this-one-but-another")
    await scene.bot.start()
    await happens(lambda: "does not accept the token" in scene.bot.log)
    await scene.talk_on(3)
    await asyncio.sleep(1)
    assert "not-this-one" not in scene.bot.log
    assert scene.bot.log.count("does not accept the token") < 5
    await scene.bot.stop()
    scene.bot.forget()
    scene.bot.write_env(scene.end)
    await scene.bot.start()
    await scene.listens()


async def flood(scene: Room, times: int) -> None:
    """Everybody talks at once."""
    words = [scene.word(calm=198) for _ in range(times)]
    await scene.end.do("flood", to="1@chatroom", said=words)
    await scene.hears(words[-1][2])
    scene.sure.update(text for _, _, text in words)


async def silence(scene: Room, hours: float) -> None:
    """Nobody says anything for hours of the bot's clock."""
    await asyncio.sleep(hours * 3600 / scene.bot.times)
    await happens(lambda: gone_by_the_list(scene) == set(scene.left))


async def happens(holds: Callable[[], Any]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - a journal rings no bell
            await asyncio.sleep(0.05)


async def at_rest(scene: Room) -> tuple[OutboxRow, ...]:
    """Wait until no action waits any more; gives all of them."""
    async with scene.bot.records() as records, asyncio.timeout(4 * PATIENCE):
        while await records.outbox(states=OPEN):  # noqa: ASYNC110 - rows of a database ring no bell
            await asyncio.sleep(0.1)
        return await records.outbox(limit=ALL)


async def kept(scene: Room) -> tuple[tuple[Case, ...], tuple[Ticket, ...]]:
    async with scene.bot.records() as records:
        return await records.cases(limit=ALL), await records.tickets(open_only=False)


# — what must hold —


def gone_by_the_list(scene: Room) -> set[str]:
    """Who is known to be gone."""
    lines = scene.bot.journal()
    return {line["account"].partition(":")[2] for line in lines if line["kind"] == "member_left"}


def nothing_was_handled_twice_in_one_life(scene: Room) -> None:
    lines = [line for line in scene.bot.journal() if line["kind"] == "message_posted"]
    lives = Counter((line["pid"], line["id"]) for line in lines)
    assert [key for key, times in lives.items() if times > 1] == []
    heard = {line["text"] for line in lines}
    assert scene.sure - heard == set()
    assert heard - scene.said.keys() == set()


def in_the_order_in_which_they_came(scene: Room) -> None:
    heard = [line["text"] for line in scene.bot.journal() if line["kind"] == "message_posted"]
    assert [text for text in heard if text in scene.sure] == [
        text for text in scene.said if text in scene.sure
    ]


def every_offence_that_was_surely_heard_is_one_case(scene: Room, cases: tuple[Case, ...]) -> None:
    judged = Counter(case.event_id for case in cases)
    offences = {f"wechat:message/{id_}": text for text, id_ in scene.said.items() if "坏" in text}
    assert [key for key, times in judged.items() if times > 1] == []
    assert judged.keys() - offences.keys() == set()
    assert {text for text in offences.values() if text in scene.sure} <= {offences[key] for key in judged}


def every_case_is_before_the_stewards(cases: tuple[Case, ...], tickets: tuple[Ticket, ...]) -> None:
    """A mute is beyond the account: each is a task for a steward, once."""
    muted = Counter(ticket.case_id for ticket in tickets if isinstance(ticket.wanted, Mute))
    assert muted == {case.id: 1 for case in cases}


def who_is_gone_is_off_the_list_of_tasks(scene: Room, tickets: tuple[Ticket, ...], stays: str) -> None:
    asked = {
        ticket.wanted.account.partition(":")[2]: ticket
        for ticket in tickets
        if isinstance(ticket.wanted, RemoveMember)
    }
    assert asked.keys() == scene.asked_out
    assert {who: asked[who].closed_by for who in scene.left} == dict.fromkeys(scene.left, "list")
    assert asked[stays].closed_at is None


def thanks_were_said_once_or_shown(
    scene: Room, rows: tuple[OutboxRow, ...], tickets: tuple[Ticket, ...]
) -> None:
    """What is called done was said once; what nobody can know was tried once at most, and a steward is shown it."""
    shown = {ticket.key for ticket in tickets}
    said = Counter(one["said"].rpartition("第")[2] for one in scene.end.said() if "谢谢" in one["said"])
    thanks = [row for row in rows if isinstance(row.action, SendText) and "谢谢" in row.action.text]
    assert {text for text in scene.sure if "好" in text} <= {
        row.action.text.partition(" ")[2].partition(" ")[2]
        for row in thanks
        if isinstance(row.action, SendText)
    }
    for row in thanks:
        assert isinstance(row.action, SendText)
        times = said[row.action.text.rpartition("第")[2]]
        if row.state is OutboxState.DONE:
            assert times == 1, f"done, and said {times} times: {row}"
        else:
            assert row.state is OutboxState.IN_DOUBT, f"neither done nor in doubt: {row}"
            assert times <= 1, f"in doubt, and said {times} times: {row}"
            assert f"doubt:{row.key}" in shown
