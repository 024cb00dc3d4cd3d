"""Nobody comes in who should not: not without token, not in another's name, not with a forged answer."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import nonebot
import pytest
from nonebot.adapters.onebot.v11 import Adapter as LibraryAdapter
from nonebot.adapters.onebot.v11.config import Config as OneBotConfig
from nonebot.matcher import Matcher
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from groupops import (
    Capability,
    ConfigError,
    Done,
    GroupId,
    Impossible,
    InDoubt,
    MessagePosted,
    MuteAll,
    RenameGroup,
    Role,
    SendText,
    Unreachable,
)
from groupops_onebot.answers import AnswerLost
from groupops_onebot.config import Config
from groupops_onebot.door import Door, door_of
from tests.support.onebot_end import BOT, GROUP, OneBotEnd, Refusal
from tests.support.onebot_rig import TOKEN, Served, serving, until

ROOT = Path(__file__).parents[3]
SECRET = "sign-it"
G = GroupId(f"qq:{GROUP}")


def ended() -> OneBotEnd:
    end = OneBotEnd()
    end.hall()
    end.seat(20001, card="张三")
    return end


def a_message(text: str = "早", self_id: int = BOT) -> dict[str, Any]:
    end = OneBotEnd(self_id=self_id)
    end.hall()
    return end.message(20001, text)


# — the start —


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"onebot_access_token": ""}, "ONEBOT_ACCESS_TOKEN is empty"),
        ({"onebot_access_token": "  "}, "ONEBOT_ACCESS_TOKEN is empty"),
        ({"onebot_http": True}, "ONEBOT_HTTP=true without ONEBOT_SECRET"),
        ({"onebot_self_ids": []}, "ONEBOT_SELF_IDS is empty"),
        ({"onebot_self_ids": ["wang"]}, "ONEBOT_SELF_IDS: Value error, 'wang' is no QQ number"),
        ({"onebot_frame_bytes": 1}, "ONEBOT_FRAME_BYTES"),
        ({"onebot_access_token": 123}, "ONEBOT_ACCESS_TOKEN: Input should be a valid string"),
    ],
)
async def test_the_start_is_refused_while_the_door_stands_open(settings: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigError, match=key):
        async with serving(**settings):
            pass


async def test_a_refused_start_has_mounted_nothing() -> None:
    async with serving() as served:
        app: Any = nonebot.get_asgi()
        mounted = len(app.routes)
        served.adapter.onebot_config.onebot_access_token = ""

        with pytest.raises(ConfigError, match="ONEBOT_ACCESS_TOKEN is empty"):
            served.adapter._setup()

        assert len(app.routes) == mounted


def test_with_token_secret_and_accounts_the_door_is_shut() -> None:
    onebot = OneBotConfig.model_validate({"onebot_access_token": "t", "onebot_secret": "s"})
    config = Config.model_validate({"onebot_http": True, "onebot_self_ids": "10001, 10002"})

    door = door_of(onebot, config)

    assert door.admits("10001")
    assert door.admits("10002")
    assert not door.admits("10003")
    assert not door.admits("１０００１")
    assert not door.admits(None)


def test_a_star_admits_any_number_and_nothing_else() -> None:
    config = Config.model_validate({"onebot_self_ids": "*"})

    assert config.allows("123456")
    assert not config.allows("*")
    assert not config.allows("../x")
    assert not config.allows("1" * 21)


@pytest.mark.parametrize("shown", ["", "Bearer", "Bearer x", "Basic t", "t", "Bearer t x", "Bearer \u00e9"])
def test_only_the_token_is_the_token(shown: str) -> None:
    door = Door(token="t", secret="", config=Config())

    assert not door.knows_token(shown)
    assert door.knows_token("Bearer t")
    assert door.knows_token("token t")


def test_without_a_secret_no_signature_holds() -> None:
    door = Door(token="t", secret="", config=Config())

    assert not door.knows_signature("sha1=" + hmac.new(b"", b"x", hashlib.sha1).hexdigest(), b"x")


START = """
import json
from groupops.bridge import start_nonebot
from groupops.config import load_config
import os
from nonebot import get_plugin_config
from nonebot.adapters.onebot.v11.config import Config as OneBot
from groupops_onebot.config import Config
from groupops_onebot.door import door_now

start = load_config(os.environ)
start_nonebot({**start.nonebot, "driver": "~none"}, log_level="ERROR")
onebot, own, door = get_plugin_config(OneBot), get_plugin_config(Config), door_now()
print(json.dumps([onebot.onebot_access_token, onebot.onebot_secret, sorted(own.self_ids), own.onebot_http,
    [str(url) for url in onebot.onebot_ws_urls], door.token, door.secret]))
"""


@pytest.mark.parametrize(
    ("token", "ids"), [("let-me-in", '["10001"]'), ("0123456789", "10001"), ("1e5", "[10001]"), ("true", "*")]
)
def test_keys_that_stand_only_in_the_environment_arrive_typed(tmp_path: Path, token: str, ids: str) -> None:
    environ = {
        "ONEBOT_ACCESS_TOKEN": token,
        "ONEBOT_SECRET": "5678",
        "ONEBOT_SELF_IDS": ids,
        "ONEBOT_HTTP": "true",
        "ONEBOT_WS_URLS": '["ws://127.0.0.1:3001/"]',
    }

    done = subprocess.run(
        [sys.executable, "-c", START],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    number = "*" if ids == "*" else "10001"
    assert said == [token, "5678", [number], True, ["ws://127.0.0.1:3001/"], token, "5678"]


# — the websocket —


@pytest.mark.parametrize(
    ("token", "headers"),
    [
        ("", {}),
        ("wrong", {}),
        ("", {"Authorization": f"Basic {TOKEN}"}),
        ("", {"Authorization": TOKEN}),
        (TOKEN, {"X-Self-ID": "66666"}),
        (TOKEN, {"X-Self-ID": ""}),
        (TOKEN, {"X-Self-ID": f"{BOT} "}),
        (TOKEN, {"X-Self-ID": "10001/../admin"}),
    ],
)
async def test_a_websocket_is_refused_before_it_is_accepted(token: str, headers: dict[str, str]) -> None:
    async with serving() as served:
        shown = {"X-Self-ID": str(BOT), **({"Authorization": f"Bearer {token}"} if token else {}), **headers}

        if headers.get("X-Self-ID") == f"{BOT} ":
            shown["X-Self-ID"] = f"{BOT}x"
        with pytest.raises(InvalidStatus) as refused:
            await connect(served.url, additional_headers=shown, proxy=None)

        assert refused.value.response.status_code == 403
        assert nonebot.get_bots() == {}
        assert served.adapter.refused == 1


async def test_a_bot_cannot_speak_in_the_name_of_another() -> None:
    async with serving(onebot_self_ids=[BOT, 10002]) as served:
        end = ended()
        await served.join(end)

        told = await served.facts(end, a_message("我是别人", self_id=10002), a_message("我是自己"))

        assert [fact.text for fact in told if isinstance(fact, MessagePosted)] == ["我是自己"]
        assert set(nonebot.get_bots()) == {str(BOT)}
        await end.close()


async def test_the_library_keeps_its_own_classes_and_models() -> None:
    before = list(LibraryAdapter.event_models.models)
    async with serving() as served:
        assert served.adapter.event_models is not LibraryAdapter.event_models

    assert LibraryAdapter.event_models.models == before
    assert not any(model.__module__.startswith("groupops") for model in before)


# — answers —


async def test_an_answer_is_taken_only_from_the_socket_that_was_asked() -> None:
    """Two bots; the second knows the mark of the first one's call, and still cannot answer it."""
    async with serving(onebot_self_ids=[BOT, 10002]) as served:
        honest, forger = ended(), OneBotEnd(self_id=10002)
        forger.hall(7002)
        await served.join(honest)
        await served.join(forger)
        honest.silent.add("get_group_member_info")
        asked = asyncio.create_task(_role(served))
        await until(lambda: honest.asked("get_group_member_info") and _marks(served))

        for mark in [*_marks(served), *map(str, range(200))]:
            forged = {"status": "ok", "retcode": 0, "data": {"role": "owner"}, "echo": mark}
            await forger.raw(json.dumps(forged))
        await served.seen(forger)

        assert not asked.done()
        asked.cancel()
        await honest.close()
        await forger.close()


def _marks(served: Served) -> list[str]:
    return list(served.adapter.lines[str(BOT)]._waiting)


async def _role(served: Served) -> Any:
    bot = nonebot.get_bot(str(BOT))
    return await bot.call_api("get_group_member_info", group_id=GROUP, user_id=BOT, no_cache=True)


async def test_marks_cannot_be_guessed_and_are_used_once() -> None:
    async with serving() as served:
        end = ended()
        await served.join(end)
        end.answered_twice.clear()

        first = await _role(served)
        marks = [answer["echo"] for answer in end.answered_twice]
        await end.raw(json.dumps({**end.answered_twice[0], "data": {"role": "owner"}}))
        again = await _role(served)

        assert first["role"] == again["role"] == "admin"
        assert all(len(mark) == 32 and not mark.isdecimal() for mark in marks)
        assert _marks(served) == []
        await end.close()


async def test_a_post_cannot_answer_a_call_even_when_it_is_signed() -> None:
    async with serving(onebot_http=True, onebot_secret=SECRET) as served:
        end = ended()
        await served.join(end)
        end.silent.add("get_group_member_info")
        asked = asyncio.create_task(_role(served))
        await until(lambda: _marks(served))

        body = json.dumps({"status": "ok", "data": {"role": "owner"}, "echo": _marks(served)[0]}).encode()
        answer = await post(served, body, signed(body))

        assert answer.status_code == 400
        assert not asked.done()
        asked.cancel()
        await end.close()


# — HTTP —


def signed(body: bytes, secret: str = SECRET, self_id: str = str(BOT)) -> dict[str, str]:
    mark = hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()
    return {"X-Signature": f"sha1={mark}", "X-Self-ID": self_id}


async def post(served: Served, body: bytes, headers: dict[str, str], path: str = "") -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.post(served.http + path, content=body, headers=headers)


@pytest.mark.parametrize("path", ["", "http", "http/"])
async def test_there_is_no_address_for_posts_unless_it_is_wanted(path: str) -> None:
    async with serving(onebot_secret=SECRET) as served:
        body = json.dumps(a_message()).encode()

        answer = await post(served, body, signed(body), path)

        assert answer.status_code in {404, 405}
        assert nonebot.get_bots() == {}


@pytest.mark.parametrize("path", ["", "http", "http/"])
async def test_a_signed_post_is_a_fact(path: str) -> None:
    async with serving(onebot_http=True, onebot_secret=SECRET) as served:
        body = json.dumps(a_message("早")).encode()

        answer = await post(served, body, signed(body), path)
        await asyncio.gather(*served.adapter.handling)
        await served.bridge.lanes.settled()

        assert answer.status_code == 204
        assert [fact.text for fact in served.told.facts if isinstance(fact, MessagePosted)] == ["早"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"X-Self-ID": str(BOT)}, 401),
        ({"X-Self-ID": str(BOT), "X-Signature": "sha1=0"}, 401),
        ({"X-Self-ID": str(BOT), "X-Signature": ""}, 401),
        ({"X-Self-ID": str(BOT), "Authorization": f"Bearer {TOKEN}"}, 401),
        ({"signed": "wrong"}, 401),
        ({"signed": "66666"}, 403),
        ({"signed": ""}, 403),
    ],
)
async def test_a_post_that_is_not_signed_for_this_bot_has_no_effect(
    headers: dict[str, str], status: int
) -> None:
    async with serving(onebot_http=True, onebot_secret=SECRET) as served:
        body = json.dumps(a_message()).encode()
        if "signed" in headers:
            wrong = headers["signed"] == "wrong"
            headers = signed(body, "other" if wrong else SECRET, str(BOT) if wrong else headers["signed"])

        answer = await post(served, body, headers)

        assert answer.status_code == status
        assert nonebot.get_bots() == {}
        assert served.told.facts == []


@pytest.mark.filterwarnings("ignore:Setting per-request cookies:DeprecationWarning")  # NoneBot's driver does
async def test_a_bot_that_posts_is_called_over_http_at_the_address_that_is_set() -> None:
    asked: list[tuple[str, str, Any]] = []

    async def end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(re.findall(r"(?i)content-length: (\d+)", head)[0])
        shown = re.findall(r"(?i)authorization: (.+)\r", head)[0]
        path = head.split()[1]
        asked.append((path, shown, json.loads(await reader.readexactly(length))))
        answers = {
            "/send_group_msg": b'{"status":"ok","retcode":0,"data":{"message_id":5}}',
            "/set_group_whole_ban": b"nonsense",
        }
        body = answers.get(path)
        status = b"200 OK" if body is not None else b"404 Not Found"
        writer.write(b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body or b""), body or b""))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(end, "127.0.0.1", 0)
    root = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    http = {"onebot_http": True, "onebot_secret": SECRET, "onebot_api_roots": {str(BOT): root}}
    async with serving(**http, driver="~fastapi+~websockets+~httpx") as served:
        body = json.dumps(a_message()).encode()
        await post(served, body, signed(body))
        await asyncio.gather(*served.adapter.handling)
        await served.platform.settled()
        served.platform.standing.bot(str(BOT)).rooms[str(GROUP)].role = Role.ADMIN
        asked.clear()

        sent = await served.platform.perform(SendText(group_id=G, text="好"), key="1")
        lost = await served.platform.perform(MuteAll(group_id=G), key="2")
        missing = await served.platform.perform(RenameGroup(group_id=G, name="新"), key="3")

    assert sent == Done(ref="5")
    assert asked[0][:2] == ("/send_group_msg", f"Bearer {TOKEN}")
    assert asked[0][2]["message"] == [{"type": "text", "data": {"text": "好"}}]
    assert isinstance(lost, InDoubt)
    assert missing == Impossible(capability=Capability.RENAME_GROUP)
    server.close()
    await server.wait_closed()


async def test_a_signed_post_of_one_bot_cannot_hold_the_event_of_another() -> None:
    async with serving(onebot_http=True, onebot_secret=SECRET, onebot_self_ids=[BOT, 10002]) as served:
        body = json.dumps(a_message(self_id=10002)).encode()

        answer = await post(served, body, signed(body))

        assert answer.status_code == 400
        assert served.told.facts == []


async def test_a_body_that_is_too_large_is_refused_while_it_comes() -> None:
    async with serving(onebot_http=True, onebot_secret=SECRET, onebot_frame_bytes=1 << 18) as served:
        answer = await post(served, b"x" * ((1 << 18) + 1), {"X-Self-ID": str(BOT)})

        assert answer.status_code == 413


@pytest.mark.parametrize("body", [b"", b"[]", b"nonsense", b"[" * 100_000, b"\xff\xfe", b'"x"', b"null"])
async def test_a_signed_body_that_is_no_event_is_refused(body: bytes) -> None:
    async with serving(onebot_http=True, onebot_secret=SECRET) as served:
        answer = await post(served, body, signed(body))

        assert answer.status_code == 400


# — what is too much, and what is broken —


async def test_a_frame_that_is_too_large_ends_the_connection() -> None:
    async with serving(onebot_frame_bytes=1 << 18) as served:
        end = ended()
        await served.join(end)

        await end.raw("x" * ((1 << 18) + 1))
        await until(lambda: end.closed_with)

        assert end.closed_with == (1009, "frame too large")
        assert nonebot.get_bots() == {}
        await end.close()


@pytest.mark.parametrize(
    "frame", ["", "nonsense", "[]", "[" * 100_000, '{"post_type": {}}', b"\x00\xff", "1e999", '{"a":' * 5000]
)
async def test_a_frame_that_is_no_event_is_ignored_and_the_next_is_read(frame: str | bytes) -> None:
    async with serving() as served:
        end = ended()
        await served.join(end)

        await end.raw(frame)
        told = await served.facts(end, end.message(20001, "早"))

        assert [fact.kind for fact in told] == ["message_posted"]
        await end.close()


async def test_an_end_that_floods_has_to_wait_and_nothing_is_lost_or_out_of_order() -> None:
    async with serving(onebot_in_flight=4) as served:
        end, go = ended(), asyncio.Event()

        async def dawdle() -> None:
            await go.wait()

        await served.join(end)
        served.told.take()
        Matcher.new(type_="message", priority=5, block=False, handlers=[dawdle])

        for number in range(200):
            await end.emit(end.message(20001, f"第{number}条"))
        await until(lambda: len(served.adapter.handling) == 4)
        await asyncio.sleep(0.2)
        most, read = len(served.adapter.handling), len(served.told.facts)
        go.set()
        await served.seen(end)

        texts = [fact.text for fact in served.told.take() if isinstance(fact, MessagePosted)]
        assert (most, read) == (4, 4)
        assert texts == [f"第{number}条" for number in range(200)]
        await end.close()


# — one account, two sockets —


async def test_a_second_connection_is_refused_while_the_first_one_lives() -> None:
    async with serving(onebot_ping_seconds=0.5) as served:
        end, twin = ended(), ended()
        await served.join(end)

        with pytest.raises(InvalidStatus):
            await twin.connect(served.url, token=TOKEN)

        told = await served.facts(end, end.message(20001, "还在"))
        assert [fact.kind for fact in told] == ["message_posted"]
        await end.close()


async def test_a_first_connection_that_refuses_the_question_lives_too() -> None:
    async with serving(onebot_ping_seconds=0.5) as served:
        end, twin = ended(), ended()
        await served.join(end)
        end.refusing["get_status"] = Refusal(1404, "unsupported")

        with pytest.raises(InvalidStatus):
            await twin.connect(served.url, token=TOKEN)

        await end.close()


async def test_a_half_open_connection_makes_way_and_what_waits_on_it_is_told() -> None:
    async with serving(onebot_ping_seconds=0.3) as served:
        old, new = ended(), ended()
        await served.join(old)
        old.silent.add("get_group_member_info")
        asked = asyncio.create_task(_role(served))
        await until(lambda: _marks(served))
        await old.vanish()

        await served.join(new)

        with pytest.raises(AnswerLost):
            await asked
        told = await served.facts(new, new.message(20001, "新的"))
        assert [fact.kind for fact in told] == ["message_posted"]
        receipt = await served.platform.perform(SendText(group_id=G, text="好"), key="1")
        assert isinstance(receipt, Done)
        assert new.said() == ["好"]
        await new.close()
        await old.close()


async def test_a_stranger_without_the_token_cannot_make_a_connection_give_way() -> None:
    async with serving(onebot_ping_seconds=0.3) as served:
        end, stranger = ended(), ended()
        await served.join(end)
        await end.vanish()

        with pytest.raises(InvalidStatus):
            await stranger.connect(served.url, token="wrong")

        assert set(nonebot.get_bots()) == {str(BOT)}
        await end.close()


async def test_the_end_of_an_old_socket_does_not_take_the_new_one_away() -> None:
    async with serving(onebot_ping_seconds=0.2) as served:
        old, new = ended(), ended()
        await served.join(old)
        line = served.adapter.lines[str(BOT)]
        await old.vanish()
        await served.join(new)

        await old.close()
        served.adapter._disconnect(str(BOT), line)
        told = await served.facts(new, new.message(20001, "早"))

        assert set(nonebot.get_bots()) == {str(BOT)}
        assert [fact.kind for fact in told] == ["message_posted"]
        await new.close()


# — forward —


async def test_a_forward_connection_shows_the_token_and_is_a_bot_like_any_other() -> None:
    end = ended()
    url = await end.serve()
    async with serving(onebot_ws_urls=[url]) as served:
        await until(nonebot.get_bots)
        await served.seen(end)
        await served.platform.settled()

        told = await served.facts(end, end.message(20001, "早"))
        receipt = await served.platform.perform(SendText(group_id=G, text="好"), key="1")

        assert end.headers[0]["authorization"] == f"Bearer {TOKEN}"
        assert [fact.kind for fact in told] == ["message_posted"]
        assert isinstance(receipt, Done)
        assert served.platform.standing.bot(str(BOT)).rooms[str(GROUP)].role is Role.ADMIN
    await end.close()


async def test_an_end_with_an_account_that_is_not_expected_is_left() -> None:
    end = OneBotEnd(self_id=66666)
    url = await end.serve()
    async with serving(onebot_ws_urls=[url]) as served:
        await until(lambda: served.adapter.refused)

        assert nonebot.get_bots() == {}
    await end.close()


async def test_a_list_of_a_large_group_comes_over_a_forward_connection() -> None:
    """NoneBot's own driver ends a connection at 1 MiB."""
    end = ended()
    for user in range(30_000, 36_000):
        end.seat(user, nickname="很长的名字" * 6, card="更长的名片" * 4)
    url = await end.serve()
    async with serving(onebot_ws_urls=[url]) as served:
        await until(nonebot.get_bots)
        await served.seen(end)
        await served.platform.settled()

        members, complete = await served.platform.members(G)

        assert complete
        assert len(members) == 6_003
    await end.close()


async def test_a_call_without_a_connection_never_leaves() -> None:
    async with serving() as served:
        end = ended()
        await served.join(end)
        await end.drop()
        await until(lambda: not nonebot.get_bots())

        receipt = await served.platform.perform(SendText(group_id=G, text="好"), key="1")

        assert isinstance(receipt, Unreachable)
        with pytest.raises(ConnectionClosed):
            await end.emit(end.beat())
