"""A long siege of the door: hostile frames, hostile bodies, and connections that come and go in every way."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

import httpx
import nonebot
import pytest
from websockets.exceptions import InvalidStatus

from groupops import GroupId, MessagePosted, SendText
from groupops_onebot.frames import parse
from tests.adapters.onebot.test_door import SECRET, signed
from tests.support.onebot_end import BOT, GROUP, OneBotEnd
from tests.support.onebot_rig import TOKEN, Served, serving, until
from tests.support.soak import Soak

G = GroupId(f"qq:{GROUP}")

KINDS = [
    ("message", "message_type", "group"),
    ("message", "message_type", "private"),
    ("message_sent", "message_type", "group"),
    ("request", "request_type", "group"),
    ("meta_event", "meta_event_type", "heartbeat"),
    ("meta_event", "meta_event_type", "lifecycle"),
    *(
        ("notice", "notice_type", kind)
        for kind in "group_upload group_admin group_decrease group_increase group_ban group_recall group_card notify".split()
    ),
]
SUBS = "normal anonymous approve invite leave kick set unset ban lift_ban add lucky_king gray_tip group_name poke x".split()
PARTS = "text at reply image record video file face mface json location share forward node xml markdown dice ?".split()
KEYS = "time user_id group_id message_id operator_id target_id duration flag comment card_new card_old name_new busi_id file sender message raw font anonymous sub_type".split()
ODD: list[Any] = [
    None,
    True,
    -1,
    0,
    1.5,
    2**63,
    10**40,
    float("inf"),
    "",
    "0",
    "1e9",
    "\x00",
    "[CQ:at,qq=all]",
    "😀" * 300,
    "\u202e\u2066",
    "{'a'}",
    "<" * 5_000,
    [],
    {},
    [[[[]]]],
    {"qq": {"qq": []}},
    {"type": "text"},
    "9" * 5_000,
]


def hostile(dice: random.Random) -> str | bytes:
    """Give a frame that is wrong in some way, or nearly right."""
    if dice.random() < 0.1:
        return dice.choice(
            [
                "",
                "{",
                "[" * 20_000,
                "null",
                '{"a":' * 500,
                b"\x00\xff\xfe",
                '{"echo":"1","data":{}}',
                '"\\ud800"',
            ]
        )
    post_type, key, kind = dice.choice(KINDS)
    frame: dict[str, Any] = {"time": 1_767_225_600, "self_id": BOT, "post_type": post_type, key: kind}
    frame |= {
        "user_id": 20001,
        "group_id": GROUP,
        "message_id": dice.getrandbits(31),
        "sub_type": dice.choice(SUBS),
    }
    frame["message"] = [
        {
            "type": dice.choice(PARTS),
            "data": {dice.choice(["text", "qq", "id", "data", "file"]): dice.choice(ODD)},
        }
        for _ in range(dice.randrange(4))
    ]
    for _ in range(dice.randrange(4)):
        frame[dice.choice(KEYS)] = dice.choice(ODD)
    if dice.random() < 0.05:
        frame["self_id"] = dice.choice([10002, None, "x"])
    text = json.dumps(frame)
    return text[: dice.randrange(len(text))] if dice.random() < 0.05 else text


def an_end() -> OneBotEnd:
    end = OneBotEnd()
    end.hall()
    end.seat(20001, card="张三")
    return end


@pytest.mark.soak
async def test_hostile_frames_leave_a_bot_that_works_and_remembers_no_more_than_it_may(soak: Soak) -> None:
    dice = soak.random()
    async with serving() as served:
        end = an_end()
        await served.join(end)

        for turn in range(soak.rounds(10_000)):
            await end.raw(hostile(dice))
            if turn % 200 == 0:
                await served.seen(end)
                served.told.take()

        await served.seen(end)
        (told,) = [
            fact
            for fact in await served.facts(end, end.message(20001, "还好吗"))
            if fact.kind == "message_posted"
        ]
        assert isinstance(told, MessagePosted)
        assert told.text == "还好吗"
        assert set(nonebot.get_bots()) == {str(BOT)}
        assert served.bridge.unread == 0
        assert served.bridge.lanes.traffic.failed == 0
        memory = served.platform.memory
        assert len(memory.messages) <= 5_000
        assert len(memory.packets) <= 2_000
        assert not served.adapter.handling
        assert served.adapter.lines[str(BOT)].waiting == 0
        await end.close()


@pytest.mark.soak
async def test_hostile_bodies_have_no_effect_without_a_signature_and_no_harm_with_one(soak: Soak) -> None:
    dice = soak.random()
    async with (
        serving(onebot_http=True, onebot_secret=SECRET) as served,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        for _ in range(soak.rounds(10_000) // 2):
            frame = hostile(dice)
            body = frame.encode() if isinstance(frame, str) else frame
            bare = {"X-Self-ID": str(BOT), "X-Signature": dice.choice(["", "sha1=", "sha1=" + "0" * 40, "é"])}
            refused = await client.post(
                served.http, content=body, headers={k: v.encode() for k, v in bare.items()}
            )
            assert refused.status_code == 401
            assert served.told.facts == []
            assert nonebot.get_bots() == {}

        for _ in range(soak.rounds(10_000) // 2):
            frame = hostile(dice)
            body = frame.encode() if isinstance(frame, str) else frame
            answer = await client.post(served.http, content=body, headers=signed(body))
            found = parse(body)
            mine = found is not None and "post_type" in found and found.get("self_id") == BOT
            assert answer.status_code == (204 if mine else 400), frame
        await asyncio.gather(*served.adapter.handling)
        assert served.bridge.unread == 0


class Siege:
    """A bot and an end whose connection breaks again and again; what was said, and what was told of it."""

    def __init__(self, served: Served, end: OneBotEnd, dice: random.Random) -> None:
        self.served = served
        self.end = end
        self.dice = dice
        self.said: list[str] = []
        self.told: dict[str, str] = {}

    async def turn(self, number: int) -> str:
        """Say a few things while the bot does something, and break the connection; gives what became of the doing."""
        for line in range(self.dice.randrange(1, 4)):
            self.said.append(f"第{number}轮第{line}句")
            await self.end.emit(self.end.message(20001, self.said[-1]))
        doing = asyncio.create_task(
            self.served.platform.perform(SendText(group_id=G, text="通知"), key=str(number))
        )
        await getattr(self, self.dice.choice(["drop", "vanish", "twin", "stay"]))()
        receipt = await doing
        if self.end._task is None or self.end._task.done():
            await self.end.connect(self.served.url, token=TOKEN)
        await self.gather()
        return receipt.kind

    async def gather(self) -> None:
        """Take what was told; one id is one message, however often it is told."""
        await self.served.seen(self.end)
        for fact in self.served.told.take():
            if isinstance(fact, MessagePosted):
                self.told.setdefault(fact.id, fact.text)

    async def stay(self) -> None:
        await self.gather()

    async def drop(self) -> None:
        await self.gather()
        await self.end.drop()

    async def vanish(self) -> None:
        await self.gather()
        await self.end.vanish()

    async def twin(self) -> None:
        with pytest.raises(InvalidStatus):
            await an_end().connect(self.served.url, token=TOKEN)
        await self.gather()


@pytest.mark.soak
async def test_connections_break_in_every_way_and_nothing_is_lost_or_told_twice(soak: Soak) -> None:
    """Orderly ends, pulled cables, twins, and calls in the middle of it; ids tell twice from once."""
    async with serving(onebot_ping_seconds=0.2, onebot_call_seconds=2.0) as served:
        end = an_end()
        await end.connect(served.url, token=TOKEN)
        siege = Siege(served, end, soak.random())

        became = [await siege.turn(number) for number in range(soak.rounds(200))]
        await served.platform.settled()
        await siege.gather()

        assert set(became) <= {"done", "unreachable", "in_doubt", "impossible"}
        assert sorted(siege.told.values()) == sorted(siege.said)
        assert len(served.adapter.lines) == 1
        await end.drop()
        await until(lambda: not served.adapter.lines)
        await end.close()
