"""Callbacks that others' software encrypts reach the adapter, and others' software reads what it answers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from groupops_wecom.event import AppMessageEvent, Event, GroupMessageEvent
from groupops_wecom.testing import AES_KEY, CORP
from groupops_wecom.xmls import tree_of, written
from tests.support.peers import ROOT, Servant, home_of
from tests.support.wecom_bot import Served, called_back
from tests.support.wecom_raw import NOBODY
from tests.support.wecom_stub import OVER_HTTPX

pytestmark = OVER_HTTPX

TOKEN, NONCE = "callback-token", "n0nce"


@pytest.fixture(scope="module")
def vendors() -> Iterator[Servant]:
    """The vendor's own cipher, on Node."""
    servant = Servant("node", ROOT / "tests/peers/wecom-node/crypto.mjs", home_of("wecom-node"))
    yield servant
    servant.end()


@pytest.fixture(scope="module")
def wechatpy() -> Iterator[Servant]:
    servant = Servant(home_of("wecom-python"), ROOT / "tests/peers/wecom_wechatpy.py")
    yield servant
    servant.end()


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(verify=NOBODY) as made:
        yield made


async def answered(bot: Any, event: Event) -> None:
    """Answer every message."""
    if isinstance(event, GroupMessageEvent | AppMessageEvent):
        await bot.send(event, "收到")


def moment(served: Served) -> str:
    return str(int(served.wecom.world.now()))


async def test_a_callback_the_vendors_cipher_made_is_heard_and_the_answer_is_read_by_it(
    vendors: Servant, client: httpx.AsyncClient
) -> None:
    async with called_back() as served:
        served.heard.do = answered
        body = {
            "msgid": "M1",
            "aibotid": "aib0001",
            "chatid": "wrAbCdEf0001",
            "chattype": "group",
            "from": {"userid": "zhangsan"},
            "msgtype": "text",
            "text": {"content": "@小助手 在吗"},
        }
        encrypted = await vendors.does("encrypt", AES_KEY, json.dumps(body), "")
        signature = await vendors.does("sign", TOKEN, moment(served), NONCE, encrypted)
        query = {"msg_signature": signature, "timestamp": moment(served), "nonce": NONCE}

        answer = await client.post(
            served.url(served.aibot().info.path), params=query, json={"encrypt": encrypted}
        )

        event = await served.heard.first(GroupMessageEvent)
        said = answer.json()
        plain = await vendors.does("decrypt", AES_KEY, said["encrypt"])
        signed = await vendors.does("sign", TOKEN, said["timestamp"], said["nonce"], said["encrypt"])
        assert str(event.message).strip() == "在吗"
        assert (said["nonce"], said["msgsignature"], plain["id"]) == (NONCE, signed, "")
        stream = json.loads(plain["message"])["stream"]
        assert (stream["content"], stream["finish"]) == ("收到", True)


async def test_a_callback_wechatpy_made_is_heard_and_the_answer_is_read_by_it(
    wechatpy: Servant, client: httpx.AsyncClient
) -> None:
    async with called_back(wecom_passive_seconds=3.0) as served:
        served.heard.do = answered
        message = {
            "ToUserName": CORP,
            "FromUserName": "zhangsan",
            "CreateTime": int(moment(served)),
            "MsgType": "text",
            "Content": "在吗",
            "MsgId": 7000000000000000001,
            "AgentID": served.app().info.agent_id,
        }
        whole = (TOKEN, AES_KEY, CORP, written(message), NONCE, moment(served))
        theirs = tree_of(await wechatpy.does("encrypt", *whole))
        query = {"msg_signature": theirs["MsgSignature"], "timestamp": moment(served), "nonce": NONCE}
        envelope = {"ToUserName": CORP, "AgentID": "1000002", "Encrypt": theirs["Encrypt"]}

        answer = await client.post(
            served.url(served.app().info.path), params=query, content=written(envelope)
        )

        event = await served.heard.first(AppMessageEvent)
        said = tree_of(answer.content)
        signed = (said["MsgSignature"], said["TimeStamp"], said["Nonce"])
        plain = await wechatpy.does("decrypt", TOKEN, AES_KEY, CORP, answer.text, *signed)
        read = await wechatpy.does("parse", plain)
        assert str(event.message) == "在吗"
        assert (read["content"], read["source"], read["target"]) == ("收到", CORP, "zhangsan")


async def test_an_address_is_verified_with_what_others_encrypted(
    vendors: Servant, wechatpy: Servant, client: httpx.AsyncClient
) -> None:
    async with called_back() as served:
        word = "1616140317555161061"
        encrypted = await vendors.does("encrypt", AES_KEY, word, "")
        signature = await vendors.does("sign", TOKEN, moment(served), NONCE, encrypted)
        theirs = tree_of(await wechatpy.does("encrypt", TOKEN, AES_KEY, CORP, word, NONCE, moment(served)))
        stamped = {"timestamp": moment(served), "nonce": NONCE}

        bot = await client.get(
            served.url(served.aibot().info.path),
            params={**stamped, "msg_signature": signature, "echostr": encrypted},
        )
        app = await client.get(
            served.url(served.app().info.path),
            params={**stamped, "msg_signature": theirs["MsgSignature"], "echostr": theirs["Encrypt"]},
        )

        assert (bot.text, app.text) == (word, word)
