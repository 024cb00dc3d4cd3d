"""A webhook robot: never more than twenty messages within a minute, nothing lost, nothing twice, and no key shown."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nonebot.drivers import Request, Response

from groupops_wecom.budget import Throttled
from groupops_wecom.config import RobotInfo
from groupops_wecom.exception import ActionFailed, InDoubt, NetworkError
from groupops_wecom.message import size
from groupops_wecom.templates import Button as CardButton
from groupops_wecom.templates import Unfit, button_interaction, text_notice
from groupops_wecom.webhook import BETWEEN, MOST_WAITING, Article, Robot
from tests.support.wecom_stub import (
    LOST,
    OVER_HTTPX,
    START,
    Hours,
    Stub,
    most_within,
    ok,
    requests,
    said,
    stub,
)

pytestmark = OVER_HTTPX

KEY = "11111111-2222-3333"
INFO = RobotInfo(name="值班群", key=KEY)  # type: ignore[arg-type]


class Group:
    """The platform's side of a robot in this process: what arrived when, and what the platform thinks of it."""

    def __init__(self, hours: Hours, dice: random.Random | None = None) -> None:
        self.hours, self.dice = hours, dice
        self.arrived: list[float] = []
        self.bodies: list[dict[str, Any]] = []

    async def request(self, setup: Request) -> Response:
        if self.dice is not None:
            await self.hours.work.sleep(self.dice.random() * 2)
        self.arrived.append(self.hours.moment)
        if most_within(self.arrived, 60) > 20:
            return Response(200, content=b'{"errcode": 45009, "errmsg": "api freq out of limit"}')
        assert isinstance(setup.content, bytes)
        self.bodies.append(json.loads(setup.content))
        if self.dice is not None:
            await self.hours.work.sleep(self.dice.random() * 2)
        return Response(200, content=b'{"errcode": 0, "errmsg": "ok"}')

    @property
    def heard(self) -> list[str]:
        """Every notice that was heard, in order."""
        kinds = ("text", "markdown", "markdown_v2")
        words = (body[kind]["content"] for body in self.bodies for kind in kinds if kind in body)
        return [notice for content in words for notice in content.split(BETWEEN)]


@pytest.fixture
def hours() -> Hours:
    return Hours()


@pytest.fixture
async def server() -> AsyncIterator[Stub]:
    async with stub() as standing:
        yield standing


@pytest.fixture
async def robot(server: Stub, hours: Hours) -> AsyncIterator[Robot]:
    async with requests() as request:
        standing = Robot(INFO, request, server.base, clock=hours.hurried, dice=lambda: 0.0)
        yield standing
        await standing.close()


async def test_words_go_out_with_the_key_and_those_mentioned(server: Stub, robot: Robot) -> None:
    await robot.text("打卡提醒", ["zhangsan", "@all", "zhangsan"], ["13800000000"])

    asked = server.calls("webhook/send")[0]
    assert asked.query == {"key": KEY}
    assert asked.json == {
        "msgtype": "text",
        "text": {
            "content": "打卡提醒",
            "mentioned_list": ["zhangsan", "@all"],
            "mentioned_mobile_list": ["13800000000"],
        },
    }


async def test_every_kind_goes_out_in_its_shape(server: Stub, robot: Robot) -> None:
    server.on("webhook/upload_media", ok(media_id="MEDIA"))
    png = b"\x89PNG\r\n\x1a\nrest"
    card = text_notice("群规", url="https://example.com")

    await robot.markdown("**提醒**")
    await robot.markdown("|a|b|", second=True)
    await robot.image(png)
    await robot.news([Article("群规", "https://example.com")])
    await robot.card(card)
    await robot.file("名册.txt", b"123456")

    sent = [asked.json for asked in server.calls("webhook/send")]
    assert [body["msgtype"] for body in sent] == "markdown markdown_v2 image news template_card file".split()
    digest = hashlib.md5(png, usedforsecurity=False).hexdigest()
    assert sent[2]["image"] == {"base64": base64.b64encode(png).decode(), "md5": digest}
    assert sent[4]["template_card"] == card
    assert sent[5]["file"] == {"media_id": "MEDIA"}
    assert server.calls("webhook/upload_media")[0].query == {"key": KEY, "type": "file"}


@pytest.mark.parametrize(
    "doing",
    [
        lambda robot: robot.text(" \n"),
        lambda robot: robot.image(b"GIF89a"),
        lambda robot: robot.image(b"\xff\xd8\xff" + bytes(2 << 20)),
        lambda robot: robot.news([]),
        lambda robot: robot.news([Article("a", "u")] * 9),
        lambda robot: robot.file("a", b"12345"),
        lambda robot: robot.voice(bytes((2 << 20) + 1)),
        lambda robot: robot.card(button_interaction("t", task_id="x", buttons=[CardButton("a", "k")])),
    ],
)
async def test_what_would_be_refused_is_not_sent(server: Stub, robot: Robot, doing: Any) -> None:
    with pytest.raises(Unfit):
        await doing(robot)

    assert server.asked == []


async def test_an_answer_that_is_lost_is_in_doubt_and_nothing_is_said_twice(
    server: Stub, robot: Robot
) -> None:
    server.on("webhook/send", LOST)

    with pytest.raises(InDoubt):
        await robot.text("一次")

    assert len(server.calls("webhook/send")) == 1


async def test_the_key_is_in_no_error(server: Stub, robot: Robot) -> None:
    server.on("webhook/send", said(93000, f"invalid webhook url key={KEY} {KEY}"))

    with pytest.raises(ActionFailed) as caught:
        await robot.text("x")

    assert KEY not in f"{caught.value!r} {caught.value} {robot!r}"


async def test_a_ban_of_a_minute_is_waited_out_and_one_of_an_hour_is_told(
    server: Stub, robot: Robot, hours: Hours
) -> None:
    server.on(
        "webhook/send", said(45009, "api freq out of limit"), ok(), said(45009, "freq out of limit per hour")
    )

    await robot.text("first")
    waited = hours.moment - START
    with pytest.raises(Throttled) as caught:
        await robot.text("second")

    assert waited >= 60
    assert caught.value.wait == 3600
    assert robot.waiting == 0


async def test_what_fits_into_the_minute_goes_one_by_one() -> None:
    hours = Hours()
    group = Group(hours)
    robot = Robot(INFO, group.request, clock=hours.work)

    await hours.run(*(robot.text(f"notice {number}") for number in range(20)))

    assert [body["text"]["content"] for body in group.bodies] == [f"notice {number}" for number in range(20)]
    assert hours.moment == START


async def test_what_waits_goes_together_with_everybody_mentioned() -> None:
    hours = Hours()
    group = Group(hours)
    robot = Robot(INFO, group.request, clock=hours.work)

    await hours.run(*(robot.text(f"notice {number}", [f"user{number % 3}"]) for number in range(100)))

    assert group.heard == [f"notice {number}" for number in range(100)]
    assert len(group.bodies) < 20
    assert set(group.bodies[-1]["text"]["mentioned_list"]) == {"user0", "user1", "user2"}


async def test_one_that_is_refused_does_not_take_the_others_along(server: Stub, hours: Hours) -> None:
    def check(asked: Any) -> Any:
        return said(40035, "invalid parameter") if "坏" in asked.json["text"]["content"] else ok()

    server.on("webhook/send", check)
    async with requests() as request:
        robot = Robot(INFO, request, server.base, clock=hours.hurried)
        notices = [f"notice {number}" if number != 7 else "坏" for number in range(30)]

        done = await asyncio.gather(*(robot.text(notice) for notice in notices), return_exceptions=True)

    assert [type(one) for one in done if one is not None] == [ActionFailed]
    assert isinstance(done[7], ActionFailed)
    sent = [asked.json["text"]["content"] for asked in server.calls("webhook/send")]
    assert {one for content in sent for one in content.split(BETWEEN)} == set(notices)


async def test_when_too_much_waits_whoever_comes_is_told_instead_of_being_forgotten() -> None:
    hours = Hours()
    group = Group(hours)
    robot = Robot(INFO, group.request, clock=hours.work)

    done = await hours.run(*(robot.text(f"{number}: {'长' * 600}") for number in range(MOST_WAITING + 10)))

    told = [one for one in done if isinstance(one, Throttled)]
    assert len(told) == 10
    assert len(group.heard) == MOST_WAITING
    assert most_within(group.arrived, 60) <= 20


async def test_closing_tells_whoever_waits() -> None:
    hours = Hours()
    robot = Robot(INFO, Group(hours).request, clock=hours.work)
    waiting = [asyncio.create_task(robot.text(f"{number}: {'长' * 600}")) for number in range(30)]
    for _ in range(500):
        await asyncio.sleep(0)

    await robot.close()
    done = await asyncio.gather(*waiting, return_exceptions=True)

    assert done[:20] == [None] * 20
    assert {type(one) for one in done[20:]} == {NetworkError}


async def test_one_who_no_longer_waits_is_not_spoken_for() -> None:
    hours = Hours()
    group = Group(hours)
    robot = Robot(INFO, group.request, clock=hours.work)
    gone = asyncio.create_task(robot.text("withdrawn"))
    stays = asyncio.create_task(robot.text("stays"))
    await asyncio.sleep(0)
    gone.cancel()

    await hours.run(stays)

    assert group.heard == ["stays"]


@given(
    comings=st.lists(
        st.tuples(st.floats(0, 200), st.integers(1, 900), st.sampled_from(["text", "markdown"])), max_size=120
    ),
    seed=st.integers(0, 99),
)
async def test_twenty_a_minute_are_never_exceeded_and_nothing_is_lost_or_doubled(
    comings: list[tuple[float, int, str]], seed: int
) -> None:
    hours = Hours()
    group = Group(hours, random.Random(seed))
    robot = Robot(INFO, group.request, clock=hours.work)

    async def come(number: int, at: float, length: int, kind: str) -> None:
        await hours.work.sleep(at)
        await getattr(robot, kind)(f"{number}:{'x' * length}")

    done = await hours.run(*(come(number, *one) for number, one in enumerate(comings)))

    assert done == [None] * len(comings)
    assert most_within(group.arrived, 60) <= 20
    assert len(group.bodies) == len(group.arrived)
    assert sorted(int(notice.partition(":")[0]) for notice in group.heard) == list(range(len(comings)))
    limits = {"text": 2048, "markdown": 4096}
    assert all(size(body[body["msgtype"]]["content"]) <= limits[body["msgtype"]] for body in group.bodies)


@given(content=st.text(min_size=1, max_size=4000).filter(str.strip))
async def test_long_words_arrive_whole_and_in_order(content: str) -> None:
    hours = Hours()
    group = Group(hours)
    robot = Robot(INFO, group.request, clock=hours.work)

    await hours.run(robot.text(content))

    pieces = [body["text"]["content"] for body in group.bodies]
    assert "".join(pieces) == content
    assert all(size(piece) <= 2048 for piece in pieces)


async def test_an_hour_of_notices_keeps_to_the_rate_and_nobody_waits_long() -> None:
    hours, dice = Hours(), random.Random(5)
    group = Group(hours, random.Random(6))
    robot = Robot(INFO, group.request, clock=hours.work)
    took: list[float] = []

    async def come(number: int) -> None:
        await hours.work.sleep(dice.random() * 3600)
        began = hours.moment
        await robot.text(f"{number}:{'x' * 60}")
        took.append(hours.moment - began)

    await hours.run(*(come(number) for number in range(2400)))

    assert len(set(group.heard)) == len(group.heard) == 2400
    assert most_within(group.arrived, 60) <= 20
    assert max(took) < 130
