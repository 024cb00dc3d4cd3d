"""A second reader that nobody here wrote, aiocqhttp, gets the same frames over a socket: where both read, they agree."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from aiocqhttp import CQHttp
from aiocqhttp import Event as TheirEvent
from aiocqhttp.message import Message

from groupops import CommandGiven, Event, JoinRequested, MessagePosted
from groupops_onebot.frames import event_of
from groupops_onebot.read import NO_GROUP
from tests.support.onebot_end import BOT, GROUP, OneBotEnd
from tests.support.onebot_rig import TOKEN, Served, serving, until

SAMPLES = Path(__file__).parents[2] / "adapters" / "groupops_onebot" / "samples"
FRAMES = {path.stem: json.loads(path.read_text("utf-8"))["frame"] for path in sorted(SAMPLES.glob("*.json"))}
SHARED = (
    "time self_id post_type user_id operator_id group_id message_id target_id sub_type duration comment flag "
    "notice_type request_type message_type meta_event_type"
).split()


class Reader:
    """aiocqhttp behind a server of its own, with an end connected to it."""

    def __init__(self, bot: CQHttp) -> None:
        self.bot = bot
        self.end = OneBotEnd()
        self.heard: list[TheirEvent] = []
        for hear in (bot.on_message, bot.on_notice, bot.on_request, bot.on_meta_event):
            hear(self._hear)

    async def _hear(self, event: TheirEvent) -> None:
        self.heard.append(event)

    async def reads(self, frame: Mapping[str, Any]) -> TheirEvent | None:
        """Send a frame, and a heartbeat behind it; give what it was read as, if it was."""
        self.heard.clear()
        await self.end.emit(frame)
        await self.end.emit(self.end.beat(77))
        await until(lambda: any(event.get("interval") == 77 for event in self.heard))
        found = [event for event in self.heard if event.get("interval") != 77]
        return found[0] if found else None


@pytest.fixture
async def reader() -> AsyncIterator[Reader]:
    """aiocqhttp, served on loopback, with a make-believe end connected."""
    bot = CQHttp(access_token=TOKEN, api_timeout_sec=5)
    config = uvicorn.Config(bot.asgi, port=0, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    serving_it = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    theirs = Reader(bot)
    theirs.end.hall()
    theirs.end.seat(20001, card="张三")
    await theirs.end.connect(f"ws://127.0.0.1:{port}/ws/", token=TOKEN)
    await until(lambda: theirs.heard)
    yield theirs
    await theirs.end.close()
    server.should_exit = True
    await serving_it


@pytest.fixture
async def served() -> AsyncIterator[tuple[Served, OneBotEnd]]:
    """The adapter in a NoneBot that serves, with a make-believe end connected."""
    async with serving() as ours:
        end = OneBotEnd()
        end.hall()
        end.seat(20001, card="张三")
        await ours.join(end)
        yield ours, end
        await end.close()


def agree(fact: Event, theirs: TheirEvent) -> dict[str, tuple[Any, Any]]:
    """Give field → what we and what they read, wherever a fact and their event both have it."""
    ours = asdict(fact)
    said: dict[str, tuple[Any, Any]] = {
        "at": (int(fact.at.timestamp()), theirs.time),
    }
    # What happens to the bot itself, and what is said by nobody, has another account or none.
    if ours.get("account") not in {None, "", f"qq:{BOT}"}:
        said["account"] = (ours["account"], f"qq:{theirs.user_id}")
    if theirs.group_id and str(theirs.group_id) != NO_GROUP:
        said["group"] = (fact.group_id, f"qq:{theirs.group_id}")
    if theirs.message_id is not None and ours.get("message_id"):
        said["message_id"] = (ours["message_id"], str(theirs.message_id))
    if theirs.operator_id and ours.get("operator"):
        said["operator"] = (ours["operator"], f"qq:{theirs.operator_id}")
    if isinstance(fact, JoinRequested):
        said["request"] = (fact.request_id, theirs.flag)
        said["comment"] = (fact.comment, theirs.comment.rpartition("答案：")[2])
    if isinstance(fact, MessagePosted) and isinstance(theirs.message, list):
        # A message that is one text with codes in it is text to us, on purpose: codes are what people forge.
        parts = Message(theirs.message)
        said["words"] = (_ours(fact), "".join(map(_words, parts)))
        said["name"] = (fact.name, (theirs.sender or {}).get("nickname") or "")
        said["card"] = (fact.card, (theirs.sender or {}).get("card") or "")
    if isinstance(fact, CommandGiven) and theirs.message is not None:
        words = "".join(map(_words, Message(theirs.message)))
        said["command"] = ([fact.name, *fact.args], words.removeprefix("/").split())
    return said


def _words(part: Any) -> str:
    return (
        part.data["text"]
        if part.type == "text"
        else part.data.get("content", "")
        if part.type == "markdown"
        else ""
    )


def _ours(fact: MessagePosted) -> str:
    return "".join(segment.text for segment in fact.segments if segment.kind == "text")


async def test_every_sample_frame_that_both_read_says_the_same_to_both(
    reader: Reader, served: tuple[Served, OneBotEnd]
) -> None:
    ours, end = served
    compared: dict[str, int] = {}

    for name, frame in FRAMES.items():
        theirs = await reader.reads(frame)
        event = event_of(frame)
        if theirs is None or event is None:
            continue
        both = {key: (getattr(event, key, None), theirs[key]) for key in SHARED if key in theirs}
        assert {key: pair for key, pair in both.items() if pair[0] != pair[1]} == {}, name
        for fact in await ours.facts(end, frame):
            pairs = agree(fact, theirs)
            assert {key: pair for key, pair in pairs.items() if pair[0] != pair[1]} == {}, name
            compared[fact.kind] = compared.get(fact.kind, 0) + 1

    assert sum(compared.values()) > 30
    assert {"message_posted", "join_requested", "member_left", "member_joined", "command_given"} <= set(
        compared
    )
    assert {"message_recalled", "role_changed", "red_packet_sent", "location_shared"} <= set(compared)


async def test_every_frame_our_end_makes_is_read_by_aiocqhttp_as_what_it_is(reader: Reader) -> None:
    end = reader.end
    made = {
        "message.group.normal": end.message(20001, "早"),
        "message.private.group": end.whisper(20001, "帮助", group_id=GROUP),
        "message.private.friend": end.whisper(20001, "帮助"),
        "notice.group_decrease.leave": end.left(20001, "leave", 20001),
        "notice.group_increase.approve": end.joined(20001, "approve", BOT),
        "notice.group_card": end.notice("group_card", user_id=20001, card_new="b", card_old="a"),
        "request.group.add": end.request(20009, comment="让我进来"),
        "meta_event.heartbeat": end.beat(1),
        "meta_event.lifecycle.connect": end.meta("lifecycle", sub_type="connect"),
    }

    read = {name: await reader.reads(frame) for name, frame in made.items()}

    assert {name: event.name for name, event in read.items() if event} == {name: name for name in made}
    assert {name: dict(event) for name, event in read.items() if event} == made
    assert (await reader.reads(end.packet(20001)) or {})["raw"]["msgType"] == 10


async def test_our_end_answers_what_aiocqhttp_asks(reader: Reader) -> None:
    bot, end = reader.bot, reader.end

    members = await bot.get_group_member_list(group_id=GROUP, no_cache=True)
    await bot.set_group_ban(group_id=GROUP, user_id=20001, duration=600)
    said = await bot.send_group_msg(group_id=GROUP, message=[], auto_escape=False)

    assert {line["user_id"] for line in members} == set(end.halls[GROUP].seats)
    assert end.halls[GROUP].seats[20001].shut_up_timestamp > 0
    assert said["message_id"] in end.halls[GROUP].messages
