"""What we encrypt the vendor's and others' software decrypts, and the other way round; the fake's callbacks too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from groupops_wecom.crypto import Cipher, CryptoError
from groupops_wecom.testing import AES_KEY, CORP, Callback, FakeWeCom, running, until
from groupops_wecom.xmls import tree_of, written
from tests.support.peers import ROOT, Servant, home_of
from tests.support.wecom_raw import door
from tests.support.wecom_script import company

TOKEN, NONCE, MOMENT = "tok", "n0nce", "1700000000"
WORDS = ("{}", "<xml><Content>你好 🙂</Content></xml>", "长" * 700, *("x" * size for size in range(1, 33)))
RECEIVERS = (CORP, "")


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


@pytest.mark.parametrize("receiver", RECEIVERS)
async def test_the_vendors_cipher_and_ours_read_and_sign_one_another(vendors: Servant, receiver: str) -> None:
    ours = Cipher(TOKEN, AES_KEY, receiver)
    for words in WORDS:
        encrypted = ours.encrypt(words.encode())
        theirs = await vendors.does("encrypt", AES_KEY, words, receiver)

        assert await vendors.does("decrypt", AES_KEY, encrypted) == {"message": words, "id": receiver}
        assert await vendors.does("sign", TOKEN, MOMENT, NONCE, encrypted) == ours.sign(
            MOMENT, NONCE, encrypted
        )
        assert ours.decrypt(theirs).decode() == words


async def test_what_the_vendors_cipher_meant_for_somebody_else_is_not_read(vendors: Servant) -> None:
    theirs = await vendors.does("encrypt", AES_KEY, "{}", "wwSomebodyElse")

    with pytest.raises(CryptoError, match="40005"):
        Cipher(TOKEN, AES_KEY, CORP).decrypt(theirs)


@pytest.mark.parametrize("receiver", RECEIVERS)
async def test_wechatpys_cipher_and_ours_read_one_another(wechatpy: Servant, receiver: str) -> None:
    ours = Cipher(TOKEN, AES_KEY, receiver)
    for words in WORDS[:5]:
        encrypted = ours.encrypt(words.encode())
        signature = ours.sign(MOMENT, NONCE, encrypted)
        theirs = tree_of(await wechatpy.does("encrypt", TOKEN, AES_KEY, receiver, words, NONCE, MOMENT))

        read = await wechatpy.does(
            "decrypt", TOKEN, AES_KEY, receiver, written({"Encrypt": encrypted}), signature, MOMENT, NONCE
        )
        assert read == words
        assert ours.signed(theirs["MsgSignature"], MOMENT, NONCE, theirs["Encrypt"])
        assert ours.decrypt(theirs["Encrypt"]).decode() == words


async def test_what_the_fake_posts_for_an_app_wechatpy_reads_and_its_reply_is_taken(
    wechatpy: Servant,
) -> None:
    read: list[Any] = []

    async def answer(query: dict[str, str], body: str) -> str:
        signed = (query["msg_signature"], query["timestamp"], query["nonce"])
        plain = await wechatpy.does("decrypt", "callback-token", AES_KEY, CORP, body, *signed)
        message = await wechatpy.does("parse", plain)
        read.append(message)
        if message["class"] != "TextMessage":
            return ""
        reply = await wechatpy.does("reply", plain, "收到")
        made: str = await wechatpy.does(
            "encrypt", "callback-token", AES_KEY, CORP, reply, "free", query["timestamp"]
        )
        return made

    async with running() as wecom, door(answer) as url:
        wecom.world.hire("zhangsan", "张三")
        app = wecom.world.app(callback=Callback(url=url, receive_id=CORP))

        await wecom.say("zhangsan", app, "在吗 ]]> <b>")
        await wecom.location("zhangsan", app, 23.134, 113.358, "广州塔")
        await wecom.seen_at("zhangsan", app, 23.134, 113.358)
        await wecom.tell_app(app, "zhangsan", {"MsgType": "event", "Event": "enter_agent", "EventKey": ""})
        await wecom.tell_app(app, "zhangsan", {"MsgType": "event", "Event": "click", "EventKey": "menu_1"})
        await wecom.hire("lisi", "李四")

        head = {"source": "zhangsan", "target": CORP, "agent": app.agent_id}
        text, place, seen, entered, click, subscribed = read
        assert text | head | {"content": "在吗 ]]> <b>", "class": "TextMessage"} == text
        assert text["id"] > 2**32
        assert place | head | {"location_x": "23.134000", "location_y": "113.358000"} == place
        assert place | {"label": "广州塔", "scale": "15"} == place
        assert (seen["class"], seen["latitude"], seen["longitude"]) == ("LocationEvent", 23.134, 113.358)
        assert [one["class"] for one in (entered, click)] == ["EnterAgentEvent", "ClickEvent"]
        assert (subscribed["class"], subscribed["source"]) == ("SubscribeEvent", "lisi")
        assert [post.wrong for post in wecom.pusher.posts] == [""] * 6
        assert [one.text for one in wecom.world.people["zhangsan"].inbox] == ["在吗 ]]> <b>", "收到"]


async def test_what_the_fake_posts_for_an_ai_bot_the_vendors_cipher_reads_and_its_reply_is_taken(
    vendors: Servant,
) -> None:
    read: list[Any] = []

    async def answer(query: dict[str, str], body: str) -> str:
        encrypted = json.loads(body)["encrypt"]
        signature = await vendors.does(
            "sign", "callback-token", query["timestamp"], query["nonce"], encrypted
        )
        assert signature == query["msg_signature"]
        plain = await vendors.does("decrypt", AES_KEY, encrypted)
        read.append(json.loads(plain["message"]))
        stream = {"id": "s1", "finish": len(read) > 2, "content": f"第 {len(read)} 次"}
        said = json.dumps({"msgtype": "stream", "stream": stream})
        made = await vendors.does("encrypt", AES_KEY, said, "")
        names = ("callback-token", query["timestamp"], query["nonce"])
        reply = {"encrypt": made, "msgsignature": await vendors.does("sign", *names, made)}
        return json.dumps({**reply, "timestamp": int(query["timestamp"]), "nonce": query["nonce"]})

    async with running(FakeWeCom()) as wecom, door(answer) as url:
        bot, group = company(wecom)
        bot.callback = Callback(url=url)
        wecom.pusher.interval = 0.01

        await wecom.say("zhangsan", group, f"@{bot.name} 在吗")
        await until(lambda: len(wecom.pusher.posts) == 3)

        first, *more = read
        assert first["text"] == {"content": "@小助手 在吗"}
        assert first["response_url"].startswith(wecom.rest.base)
        assert [one["msgtype"] for one in more] == ["stream", "stream"]
        assert [one["stream"] for one in more] == [{"id": "s1"}, {"id": "s1"}]
        assert [post.wrong for post in wecom.pusher.posts] == ["", "", ""]
        assert (group.said[-1].text, group.said[-1].finished) == ("第 3 次", True)
