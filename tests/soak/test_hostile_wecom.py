"""Whoever posts to WeCom's callback URLs without being WeCom is refused in constant memory; a flood of WeCom's is answered."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter

import httpx
import psutil
import pytest

from groupops_wecom import AppMessageEvent, Bot, Event
from groupops_wecom.crypto import Cipher
from groupops_wecom.testing import Callback, until
from tests.support.soak import Soak
from tests.support.wecom_bot import Served, called_back, far_app

POSTS = 10_000
FLOOD = 3_000
GROWS_MB = 15.0
WITHIN = 5.0
CORP = "ww1234567890abcdef"

LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9))
    + "]><xml><MsgType>text</MsgType><Content>&j;</Content></xml>"
)
DEEP_XML = "<a>" * 5_000 + "x" + "</a>" * 5_000
DEEP_JSON = '{"a":' * 20_000 + "1" + "}" * 20_000


def message(number: int) -> str:
    return (
        f"<xml><ToUserName>{CORP}</ToUserName><FromUserName>zhangsan</FromUserName><CreateTime>1767232800"
        f"</CreateTime><MsgType>text</MsgType><Content>第{number}句</Content><MsgId>{number}</MsgId></xml>"
    )


class Attacker:
    """Posts what WeCom never would, of one kind after another by the dice.

    Args:
        served: the bot.
        dice: the dice.
        overheard: a post of WeCom's that was taken before.
    """

    def __init__(self, served: Served, dice: random.Random, overheard: tuple[dict[str, str], bytes]) -> None:
        self.served = served
        self.dice = dice
        self.overheard = overheard
        app, bot = far_app(served).callback, served.wecom.world.bots["aib0001"].callback
        assert app is not None
        assert bot is not None
        self.app, self.bot = app, bot

    def post(self, number: int) -> tuple[str, dict[str, str], bytes]:
        """Give where, with what address and what body."""
        kind = self.dice.choice(
            (
                self.unsigned,
                self.replayed,
                self.truncated,
                self.oversized,
                self.of_another_time,
                self.for_another_company,
                self.bomb_outside,
                self.bomb_inside,
                self.nested_outside,
                self.nested_inside,
                self.noise,
            )
        )
        return kind(number)

    def sealed(self, callback: Callback, plain: str) -> tuple[dict[str, str], str]:
        return self.served.wecom.pusher.sealed(callback, plain)

    def unsigned(self, number: int) -> tuple[str, dict[str, str], bytes]:
        query, encrypted = self.sealed(self.app, message(number))
        signature = query["msg_signature"]
        wrong = self.dice.choice(
            ("", "0" * 40, signature[:-1], signature[::-1], signature.upper(), "中" * 40)
        )
        return self.app.url, {**query, "msg_signature": wrong}, enveloped(encrypted)

    def replayed(self, number: int) -> tuple[str, dict[str, str], bytes]:
        query, body = self.overheard
        changed = (
            {**query, "timestamp": str(int(query["timestamp"]) + 1 + number % 50)} if number % 2 else query
        )
        return self.app.url, changed, body

    def truncated(self, number: int) -> tuple[str, dict[str, str], bytes]:
        query, encrypted = self.sealed(self.app, message(number))
        body = enveloped(encrypted)
        return self.app.url, query, body[: self.dice.randrange(len(body))]

    def oversized(self, number: int) -> tuple[str, dict[str, str], bytes]:
        query, _ = self.sealed(self.app, message(number))
        return self.app.url, query, enveloped("A" * self.dice.randrange(262_144, 600_000))

    def of_another_time(self, number: int) -> tuple[str, dict[str, str], bytes]:
        cipher = Cipher(self.app.token, self.app.aes_key, CORP)
        encrypted = cipher.encrypt(message(number).encode())
        at = str(int(self.served.wecom.world.now()) + self.dice.choice((-100_000, -301, 301, 100_000)))
        query = {
            "timestamp": at,
            "nonce": f"n{number}",
            "msg_signature": cipher.sign(at, f"n{number}", encrypted),
        }
        return self.app.url, query, enveloped(encrypted)

    def for_another_company(self, number: int) -> tuple[str, dict[str, str], bytes]:
        other = Callback(
            url=self.app.url, receive_id=self.dice.choice(("", "wwOTHER", CORP + "x", CORP[:-1]))
        )
        query, encrypted = self.sealed(other, message(number))
        return self.app.url, query, enveloped(encrypted)

    def bomb_outside(self, number: int) -> tuple[str, dict[str, str], bytes]:
        query, _ = self.sealed(self.app, message(number))
        return self.app.url, query, self.dice.choice((LAUGHS, DEEP_XML)).encode()

    def bomb_inside(self, number: int) -> tuple[str, dict[str, str], bytes]:
        query, encrypted = self.sealed(
            self.app, self.dice.choice((LAUGHS, DEEP_XML, "", "{}")) + "<" * (number % 2)
        )
        return self.app.url, query, enveloped(encrypted)

    def nested_outside(self, number: int) -> tuple[str, dict[str, str], bytes]:
        query, _ = self.sealed(self.bot, "{}")
        return (
            self.bot.url,
            query,
            self.dice.choice((DEEP_JSON, "[" * 50_000, '{"encrypt":{"a":1}}')).encode(),
        )

    def nested_inside(self, number: int) -> tuple[str, dict[str, str], bytes]:
        query, encrypted = self.sealed(self.bot, self.dice.choice((DEEP_JSON, "[]", "null", "[" * 50_000)))
        return self.bot.url, query, json.dumps({"encrypt": encrypted}).encode()

    def noise(self, number: int) -> tuple[str, dict[str, str], bytes]:
        url = self.dice.choice((self.app.url, self.bot.url))
        query = {"msg_signature": self.dice.randbytes(20).hex(), "timestamp": "1767232800", "nonce": "n"}
        return url, query, self.dice.randbytes(self.dice.randrange(2_000))


def enveloped(encrypted: str) -> bytes:
    return f"<xml><ToUserName>{CORP}</ToUserName><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>".encode()


@pytest.mark.soak
async def test_nothing_that_wecom_did_not_post_just_now_has_an_effect(
    soak: Soak, capsys: pytest.CaptureFixture[str]
) -> None:
    statuses, count, me = Counter[int](), soak.rounds(POSTS), psutil.Process()
    async with called_back(wecom_reply_seconds=0) as served, httpx.AsyncClient() as client:
        callback = far_app(served).callback
        assert callback is not None
        query, encrypted = served.wecom.pusher.sealed(callback, message(10**12))
        assert (
            await client.post(callback.url, params=query, content=enveloped(encrypted))
        ).status_code == 200
        attacker, sizes = Attacker(served, soak.random(), (query, enveloped(encrypted))), list[float]()

        for number in range(count):
            url, address, body = attacker.post(number)
            answer = await client.post(url, params=address, content=body)
            statuses[answer.status_code] += 1
            assert answer.text == ""
            if number in (count // 2, count - 1):
                sizes.append(me.memory_info().rss / 2**20)

        assert [event.get_plaintext() for event in served.heard.of(AppMessageEvent)] == [f"第{10**12}句"]
        assert len(served.heard.events) == 1
        assert set(statuses) == {200, 400, 401, 413}
        assert statuses[200] == served.adapter.doors.repeated, (
            "what came before is answered, and nothing else"
        )
        assert served.adapter.doors.refused == count - statuses[200]
        assert sizes[1] - sizes[0] < GROWS_MB
    with capsys.disabled():
        print(f"\nsoak WeCom callbacks: {dict(statuses)}, {[round(size) for size in sizes]} MB")  # noqa: T201


@pytest.mark.soak
async def test_a_flood_of_wecoms_own_is_answered_in_time_and_worked_off_after(
    soak: Soak, capsys: pytest.CaptureFixture[str]
) -> None:
    count, took = soak.rounds(FLOOD), list[float]()
    async with called_back(wecom_in_flight=10_000) as served, httpx.AsyncClient(timeout=60) as client:
        callback, gate = far_app(served).callback, asyncio.Event()
        assert callback is not None

        async def work(bot: Bot, event: Event) -> None:
            await gate.wait()

        async def one(number: int) -> int:
            query, encrypted = served.wecom.pusher.sealed(callback, message(number))
            body, begun = enveloped(encrypted), time.monotonic()
            answer = await client.post(callback.url, params=query, content=body)
            took.append(time.monotonic() - begun)
            return answer.status_code

        served.heard.do = work
        for first in range(0, count, 50):
            statuses = await asyncio.gather(*(one(number) for number in range(first, min(first + 50, count))))
            assert set(statuses) == {200}
        gate.set()
        await until(lambda: not served.adapter._handling, within=60)

        assert max(took) < WITHIN
        heard = Counter(event.get_plaintext() for event in served.heard.of(AppMessageEvent))
        assert heard == {f"第{number}句": 1 for number in range(count)}
    with capsys.disabled():
        print(f"\nsoak WeCom flood: {count} posts, longest answer {max(took):.3f} s")  # noqa: T201
