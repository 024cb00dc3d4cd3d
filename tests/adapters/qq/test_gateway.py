"""The websocket to the platform comes back by itself: what was missed arrives, what comes twice is taken once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from groupops import MessagePosted
from tests.support.qq_platform import APP_ID, GROUP, Gateway, QQPlatform, RefusalError, until
from tests.support.qq_rig import MEMBER, Served, serving


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for the next try."""
    monkeypatch.setattr("groupops_qq.gateway.WAITS", (0.02,))
    monkeypatch.setattr("groupops_qq.adapter.WAITS", (0.02,))
    monkeypatch.setattr("groupops_qq.gateway.REFUSED_WAIT", 0.05)


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    far = QQPlatform()
    far.seat(MEMBER, "张三")
    async with serving(far, push=False) as made:
        yield made


def gate(served: Served) -> Gateway:
    return served.far.gateway


async def heard(served: Served, *words: str) -> list[str]:
    """Wait until the last of some words was heard; give all that were."""

    def texts() -> list[str]:
        return [fact.text for fact in served.told.facts if isinstance(fact, MessagePosted)]

    await until(lambda: words[-1] in texts())
    await served.settled()
    return texts()


async def test_a_bot_introduces_itself_with_what_it_wants_to_hear(served: Served) -> None:
    (greeting,) = gate(served).greeted

    assert greeting["op"] == 2
    assert greeting["d"]["intents"] == 1 << 24 | 1 << 25 | 1 << 26
    assert greeting["d"]["shard"] == [0, 1]


async def test_messages_arrive_in_order(served: Served) -> None:
    for number in range(20):
        await gate(served).emit(served.far.message(MEMBER, f"第{number}句"))

    assert await heard(served, "第19句") == [f"第{number}句" for number in range(20)]


async def test_what_is_said_while_the_line_is_down_arrives_once_it_is_back(served: Served) -> None:
    await gate(served).emit(served.far.message(MEMBER, "之前"))
    await heard(served, "之前")

    await gate(served).drop()
    await gate(served).emit(served.far.message(MEMBER, "之间"))
    await until(lambda: gate(served).socket is not None)
    await gate(served).emit(served.far.message(MEMBER, "之后"))

    assert await heard(served, "之后") == ["之前", "之间", "之后"]
    assert [greeting["op"] for greeting in gate(served).greeted] == [2, 6]


async def test_what_is_dispatched_twice_is_taken_once(served: Served) -> None:
    payload = served.far.message(MEMBER, "一次")
    await gate(served).emit(payload)
    await gate(served).again(payload)
    await gate(served).emit(served.far.message(MEMBER, "完"))

    assert await heard(served, "完") == ["一次", "完"]


async def test_a_session_that_is_forgotten_is_begun_anew(served: Served) -> None:
    gate(served).session = "another"
    await gate(served).drop()
    await until(lambda: [greeting["op"] for greeting in gate(served).greeted] == [2, 6, 2])
    await until(lambda: gate(served).socket is not None)
    await gate(served).emit(served.far.message(MEMBER, "又来了"))

    assert await heard(served, "又来了") == ["又来了"]


@pytest.mark.parametrize("code", [4006, 4007, 4900])
async def test_a_close_code_that_ends_the_session_is_heeded(served: Served, code: int) -> None:
    await gate(served).drop(code)

    await until(lambda: [greeting["op"] for greeting in gate(served).greeted] == [2, 2])


async def test_a_token_that_the_gateway_does_not_know_is_got_anew(served: Served) -> None:
    given = served.far.tokens_given
    served.far.tokens.clear()
    await gate(served).drop()

    await until(lambda: served.far.tokens_given > given and gate(served).socket is not None)
    await until(lambda: served.health.connected)


async def test_a_request_to_come_back_is_followed(served: Served) -> None:
    await gate(served).say({"op": 7})

    await until(lambda: [greeting["op"] for greeting in gate(served).greeted] == [2, 6])


async def test_while_the_line_is_down_the_health_says_so(served: Served) -> None:
    gate(served).refuse_with = 4914
    await gate(served).drop()

    await until(lambda: "4914" in served.health.note)
    assert not served.health.connected
    assert APP_ID not in served.adapter.bots
    gate(served).refuse_with = 0
    await until(lambda: served.health.connected)


async def test_a_peer_that_answers_no_heartbeat_is_left() -> None:
    far = QQPlatform()
    far.gateway.beat, far.gateway.answers_beats = 60, False
    async with serving(far, push=False) as served:
        await until(lambda: len(gate(served).greeted) >= 2)
        far.gateway.answers_beats = True
        await until(lambda: served.health.connected)


async def test_heartbeats_go_on_and_are_heard_of() -> None:
    far = QQPlatform()
    far.gateway.beat = 50
    async with serving(far, push=False) as served:
        await until(lambda: far.gateway.beats >= 3)

        assert len(far.gateway.greeted) == 1
        assert served.health.last_event_at is not None


async def test_a_platform_that_names_no_gateway_yet_is_asked_again() -> None:
    far = QQPlatform()
    far.fault("gateway/bot", RefusalError(0, "later", 500), "broken", RefusalError(0, "busy", 429))
    async with serving(far, push=False) as served:
        assert len(far.called("gateway/bot")) == 4
        assert served.health.connected


@pytest.mark.parametrize(
    "junk",
    [
        "[]",
        "null",
        "{",
        '{"op":"x"}',
        '{"op":0}',
        '{"op":0,"t":5,"d":7,"s":-1,"id":[]}',
        '{"op":0,"t":"GROUP_MESSAGE_CREATE","d":"x"}',
    ],
)
async def test_a_frame_that_is_none_does_not_break_the_line(served: Served, junk: str) -> None:
    socket = gate(served).socket
    assert socket is not None
    await socket.send(junk)
    await gate(served).emit(served.far.message(MEMBER, "还在"))

    assert await heard(served, "还在") == ["还在"]
    assert len(gate(served).greeted) == 1


async def test_thirty_breaks_lose_nothing_and_repeat_nothing(served: Served) -> None:
    words = [f"第{number}句" for number in range(60)]
    for number, said in enumerate(words):
        if number % 2:
            await gate(served).drop()
            await asyncio.sleep(0)
        await gate(served).emit(served.far.message(MEMBER, said))
    await until(lambda: gate(served).socket is not None)

    assert sorted(await heard(served, words[-1])) == sorted(words)


async def test_a_group_is_left_alone_while_nobody_is_connected(served: Served) -> None:
    gate(served).refuse_with = 4914
    await gate(served).drop()
    await until(lambda: not served.health.connected)
    asked = len(served.far.called("bot_state"))

    served.platform.can(f"qqbot:{GROUP}")  # type: ignore[arg-type]
    await served.platform.settled()

    assert len(served.far.called("bot_state")) == asked
