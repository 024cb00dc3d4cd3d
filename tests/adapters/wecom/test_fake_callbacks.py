"""The make-believe WeCom posts to callback URLs as WeCom does, and takes only answers that WeCom would take."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from groupops_wecom.crypto import Cipher
from groupops_wecom.testing import AES_KEY, CORP, AiBot, App, Callback, FakeWeCom, Group, running, until
from groupops_wecom.xmls import tree_of, written
from tests.support.wecom_raw import NOBODY, door, raw_caller
from tests.support.wecom_script import company

TOKEN = "callback-token"
BUTTONS: dict[str, Any] = {
    "card_type": "button_interaction",
    "main_title": {"title": "请假"},
    "button_list": [{"text": "批准", "key": "yes"}],
    "task_id": "leave_1",
}


class Desk:
    """Who sits behind a callback URL.

    Args:
        receive_id: what ends each plaintext.
    """

    def __init__(self, receive_id: str) -> None:
        self.cipher = Cipher(TOKEN, AES_KEY, receive_id)
        self.heard: list[dict[str, Any]] = []
        self.answer: Callable[[dict[str, str]], str | int] = lambda _: ""
        self.wait = 0.0

    async def __call__(self, query: dict[str, str], body: str) -> str | int:
        if "echostr" in query:
            return self.cipher.decrypt(query["echostr"]).decode()
        encrypted = tree_of(body)["Encrypt"] if body.startswith("<") else json.loads(body)["encrypt"]
        assert self.cipher.signed(query["msg_signature"], query["timestamp"], query["nonce"], encrypted)
        plain = self.cipher.decrypt(encrypted)
        self.heard.append(tree_of(plain) if plain.startswith(b"<") else json.loads(plain))
        await asyncio.sleep(self.wait)
        return self.answer(query)

    def xml(self, content: dict[str, Any], **changed: Any) -> Callable[[dict[str, str]], str]:
        """Answer with a passive reply."""
        encrypted = self.cipher.encrypt(written(content).encode())
        signature = self.cipher.sign("1", "n", encrypted)
        said = {"Encrypt": encrypted, "MsgSignature": signature, "TimeStamp": 1, "Nonce": "n", **changed}
        return lambda _: written(said)

    def json(self, content: dict[str, Any], **changed: Any) -> Callable[[dict[str, str]], str]:
        """Answer an AI bot's callback."""

        def answer(query: dict[str, str]) -> str:
            encrypted = self.cipher.encrypt(json.dumps(content).encode())
            stamp, nonce = query["timestamp"], query["nonce"]
            signature = self.cipher.sign(stamp, nonce, encrypted)
            said = {"encrypt": encrypted, "msgsignature": signature, "timestamp": int(stamp), "nonce": nonce}
            return json.dumps({**said, **changed})

        return answer


@asynccontextmanager
async def behind(receive_id: str) -> AsyncIterator[tuple[Desk, Callback]]:
    desk = Desk(receive_id)
    async with door(desk) as url:
        yield desk, Callback(url=url, receive_id=receive_id)


@pytest.fixture
async def app_side() -> AsyncIterator[tuple[FakeWeCom, App, Desk]]:
    """A company with an app that has a callback URL."""
    async with running() as wecom, behind(CORP) as (desk, callback):
        company(wecom)
        yield wecom, wecom.world.app(customers=True, callback=callback), desk


@pytest.fixture
async def bot_side() -> AsyncIterator[tuple[FakeWeCom, AiBot, Group, Desk]]:
    """A company with an AI bot in callback mode in a group."""
    async with running() as wecom, behind("") as (desk, callback):
        bot, group = company(wecom)
        bot.callback = callback
        wecom.pusher.interval = 0.01
        yield wecom, bot, group, desk


def passive(kind: str, **content: Any) -> dict[str, Any]:
    return {"ToUserName": "zhangsan", "FromUserName": CORP, "CreateTime": 1, "MsgType": kind, **content}


# — apps —


async def test_a_url_is_taken_when_it_gives_the_word_back_and_nothing_else(
    app_side: tuple[FakeWeCom, App, Desk],
) -> None:
    wecom, app, desk = app_side
    assert app.callback is not None

    async def quoting(query: dict[str, str], _: str) -> str:
        return f'"{desk.cipher.decrypt(query["echostr"]).decode()}"'

    async with door(quoting) as url:
        assert not await wecom.pusher.verify(Callback(url=url, receive_id=CORP))
    assert await wecom.pusher.verify(app.callback)


async def test_what_is_not_answered_is_posted_three_times(app_side: tuple[FakeWeCom, App, Desk]) -> None:
    wecom, app, desk = app_side
    wecom.pusher.patience, desk.wait = 0.05, 0.3

    await wecom.say("zhangsan", app, "在吗")

    assert len(desk.heard) == 3
    assert len({one["MsgId"] for one in desk.heard}) == 1
    assert (wecom.pusher.posts[0].tries, wecom.pusher.posts[0].status) == (3, 0)


async def test_what_is_answered_with_an_error_is_posted_again(app_side: tuple[FakeWeCom, App, Desk]) -> None:
    wecom, app, desk = app_side
    codes = iter([500, 503])
    desk.answer = lambda _: next(codes, "")

    await wecom.say("zhangsan", app, "在吗")

    assert (wecom.pusher.posts[0].tries, wecom.pusher.posts[0].status) == (3, 200)


async def test_a_passive_reply_reaches_who_wrote(app_side: tuple[FakeWeCom, App, Desk]) -> None:
    wecom, app, desk = app_side
    desk.answer = desk.xml(passive("text", Content="收到"))

    await wecom.say("zhangsan", app, "在吗")

    assert [one.text for one in wecom.world.people["zhangsan"].inbox] == ["在吗", "收到"]


@pytest.mark.parametrize("what", ["signature", "receiver", "direction", "kind", "text"])
async def test_a_passive_reply_that_is_wrong_is_not_taken(
    app_side: tuple[FakeWeCom, App, Desk], what: str
) -> None:
    wecom, app, desk = app_side
    good = passive("text", Content="收到")
    desk.answer = {
        "signature": desk.xml(good, MsgSignature="0" * 40),
        "receiver": Desk("wwOther").xml(good),
        "direction": desk.xml({**good, "ToUserName": CORP, "FromUserName": "zhangsan"}),
        "kind": desk.xml({**good, "MsgType": "poem"}),
        "text": lambda _: "ok",
    }[what]

    await wecom.say("zhangsan", app, "在吗")

    assert wecom.pusher.posts[0].wrong
    assert [one.text for one in wecom.world.people["zhangsan"].inbox] == ["在吗"]


async def test_a_press_on_an_apps_card_comes_with_a_code_and_its_reply_switches_the_button_off(
    app_side: tuple[FakeWeCom, App, Desk],
) -> None:
    wecom, app, desk = app_side
    letter = {"touser": "zhangsan|lisi", "agentid": app.agent_id, "msgtype": "template_card"}
    async with raw_caller(wecom, app) as caller:
        await caller.posts("message/send", {**letter, "template_card": BUTTONS})
        card = wecom.world.people["lisi"].inbox[0]
        desk.answer = desk.xml(passive("update_button", Button={"ReplaceName": "已批准"}))
        await wecom.press("zhangsan", card, "yes", {"q1": ["a", "b"]})
        desk.answer = lambda _: ""
        await wecom.press("lisi", card, "yes")
        change = {"userids": ["lisi"], "agentid": app.agent_id, "button": {"replace_name": "已批准"}}
        code = desk.heard[1]["ResponseCode"]
        done = await caller.posts("message/update_template_card", {**change, "response_code": code})

    event = desk.heard[0]
    assert (event["Event"], event["EventKey"], event["TaskId"]) == ("template_card_event", "yes", "leave_1")
    chosen = event["SelectedItems"]["SelectedItem"]
    assert chosen == {"QuestionKey": "q1", "OptionIds": {"OptionId": ["a", "b"]}}
    assert done["errcode"] == 0
    assert card.card is not None
    assert card.card.done == {"zhangsan": "已批准", "lisi": "已批准"}


async def test_who_comes_into_a_customer_group_and_leaves_it_is_told(
    app_side: tuple[FakeWeCom, App, Desk],
) -> None:
    wecom, _, desk = app_side
    wecom.world.customer("wmExt0001", "客户甲")
    group = wecom.world.group("客户群", "lisi", ["zhangsan"], customer_id="wrCustomer01")

    await wecom.join(["wmExt0001"], group, scene=3)
    await wecom.leave("zhangsan", group, removed=True)
    await wecom.dismiss(group)

    came, went, gone = desk.heard
    assert (came["UpdateDetail"], came["JoinScene"], came["MemChangeCnt"]) == ("add_member", "3", "1")
    assert (went["QuitScene"], went["MemChangeList"]) == ("1", {"Item": "zhangsan"})
    assert went["LastMemVer"] == came["CurMemVer"]
    assert gone["ChangeType"] == "dismiss"


async def test_who_joins_and_leaves_the_company_is_told_to_the_contacts_assistant_and_the_apps(
    app_side: tuple[FakeWeCom, App, Desk],
) -> None:
    wecom, _, desk = app_side
    async with behind(CORP) as (assistant, callback):
        wecom.world.contacts_callback = callback
        await wecom.hire("zhaoliu", "赵六", 1)
        await wecom.fire("zhaoliu")

    assert [one["ChangeType"] for one in assistant.heard] == ["create_user", "delete_user"]
    assert [(one["Event"], one["FromUserName"]) for one in desk.heard] == [
        ("subscribe", "zhaoliu"),
        ("unsubscribe", "zhaoliu"),
    ]


# — AI bots —


def stream(content: str, *, finish: bool = True) -> dict[str, Any]:
    return {"msgtype": "stream", "stream": {"id": "s1", "finish": finish, "content": content}}


async def test_a_bot_on_a_url_is_asked_for_the_rest_of_its_stream(
    bot_side: tuple[FakeWeCom, AiBot, Group, Desk],
) -> None:
    wecom, bot, group, desk = bot_side
    desk.answer = desk.json(stream("一", finish=False))

    await wecom.say("zhangsan", group, f"@{bot.name} 在吗")
    await until(lambda: len(desk.heard) > 2)
    desk.answer = desk.json(stream("完"))
    await until(lambda: not wecom.pusher.polling)

    assert desk.heard[-1]["msgtype"] == "stream"
    assert desk.heard[-1]["stream"] == {"id": "s1"}
    assert (group.said[-1].text, group.said[-1].finished) == ("完", True)


async def test_a_stream_is_asked_for_six_minutes_and_then_no_more(
    bot_side: tuple[FakeWeCom, AiBot, Group, Desk],
) -> None:
    wecom, bot, group, desk = bot_side
    desk.answer = desk.json(stream("一", finish=False))

    await wecom.say("zhangsan", group, f"@{bot.name} 在吗")
    wecom.clock.forward(minutes=6, seconds=1)
    await until(lambda: not wecom.pusher.polling)

    assert not group.said[-1].finished


@pytest.mark.parametrize("changed", [{"nonce": "another"}, {"timestamp": "1"}, {"msgsignature": "0" * 40}])
async def test_an_answer_of_a_bot_that_is_wrong_is_not_taken(
    bot_side: tuple[FakeWeCom, AiBot, Group, Desk], changed: dict[str, Any]
) -> None:
    wecom, bot, group, desk = bot_side
    desk.answer = desk.json(stream("好"), **changed)

    await wecom.say("zhangsan", group, f"@{bot.name} 在吗")

    assert wecom.pusher.posts[0].wrong
    assert len(group.said) == 1


async def test_a_response_url_is_good_once_and_for_an_hour(
    bot_side: tuple[FakeWeCom, AiBot, Group, Desk],
) -> None:
    wecom, bot, group, desk = bot_side
    words = {"msgtype": "markdown", "markdown": {"content": "过一会儿"}}
    for _ in range(2):
        await wecom.say("zhangsan", group, f"@{bot.name} 在吗")

    async with httpx.AsyncClient(verify=NOBODY) as client:

        async def answers(number: int) -> int:
            return int((await client.post(desk.heard[number]["response_url"], json=words)).json()["errcode"])

        first = [await answers(0) for _ in range(2)]
        wecom.clock.forward(hours=1, seconds=1)
        late = await answers(1)

    assert first == [0, 846605]
    assert late == 846605
    assert [one.text for one in group.said if one.by == bot.bot_id] == ["过一会儿"]


async def test_a_press_is_told_once_and_answered_with_another_card(
    bot_side: tuple[FakeWeCom, AiBot, Group, Desk],
) -> None:
    wecom, bot, group, desk = bot_side
    desk.answer = desk.json({"msgtype": "template_card", "template_card": BUTTONS})
    await wecom.say("zhangsan", group, f"@{bot.name} 请假")
    card = group.said[-1]

    desk.answer = lambda _: 500
    await wecom.press("zhangsan", card, "yes")
    notice = {
        "card_type": "text_notice",
        "main_title": {"title": "已批准"},
        "card_action": {"type": 1, "url": "https://example.com"},
        "task_id": "leave_1",
    }
    desk.answer = desk.json({"response_type": "update_template_card", "template_card": notice})
    await wecom.press("zhangsan", card, "yes")

    assert [post.tries for post in wecom.pusher.posts] == [1, 1, 1]
    assert card.text == "已批准"


async def test_a_file_for_a_bot_on_a_url_is_read_with_the_bots_own_key(
    bot_side: tuple[FakeWeCom, AiBot, Group, Desk],
) -> None:
    wecom, bot, _, desk = bot_side
    await wecom.send("lisi", bot, "image", wecom.file("a.png", b"picture", bot))

    assert set(desk.heard[0]["image"]) == {"url"}
    assert desk.heard[0]["chattype"] == "single"


# — the archive —


async def test_what_is_said_in_a_room_with_an_archived_member_is_kept_line_by_line(tmp_path: Path) -> None:
    wecom = FakeWeCom(archive=tmp_path)
    company(wecom)
    wecom.world.hire("zhaoliu", "赵六", archived=True)
    room = wecom.world.group("车间群", "zhaoliu", ["lisi"], room_id="wrRoom01")
    other = wecom.world.group("别的群", "zhangsan", ["lisi"], room_id="wrRoom02")

    said = await wecom.say("lisi", room, "来赌一把")
    await wecom.say("lisi", other, "没人存档")
    await wecom.red_packet("lisi", room, 3000, 10)
    await wecom.take_back("lisi", room, said)

    lines = [json.loads(line) for line in (tmp_path / "2026-01-01.jsonl").read_text("utf-8").splitlines()]
    text, packet, revoke = lines
    head = {"action": "send", "from": "lisi", "tolist": ["zhaoliu"], "roomid": "wrRoom01"}
    assert text | head | {"msgtype": "text", "text": {"content": "来赌一把"}} == text
    assert packet["redpacket"] == {"type": 2, "wish": "恭喜发财", "totalcnt": 10, "totalamount": 3000}
    assert (revoke["action"], revoke["revoke"]) == ("recall", {"pre_msgid": text["msgid"]})
    assert text["msgtime"] == int(wecom.clock() * 1000)
