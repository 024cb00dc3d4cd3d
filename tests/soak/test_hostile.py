"""Whatever is thrown at the doors of QQ, the bot stands: nobody is let in, nothing is done, nothing grows."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import httpx
import nonebot
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from groupops import AccountId, MessagePosted
from groupops.records import OutboxState
from groupops_onebot.frames import parse
from groupops_onebot.memory import MESSAGES
from tests.soak.qq.frames import GROUPS, NASTY, PEOPLE, hostile, samples, written
from tests.soak.qq.started import PATIENCE, SECRET, TOKEN, TWIN, StartedBot, served
from tests.support.onebot_end import BOT, GROUP, OneBotEnd
from tests.support.onebot_rig import serving, until
from tests.support.soak import Soak

FRAMES = 10_000
HANDSHAKES = 1_000
GUESSES = 10_000

CPU_MS = 25.0
"""Milliseconds of processor a frame may cost on the average, writing of what is booked included."""

GROWS_MB = 25.0
"""Megabytes the bot may grow by in the second half of the frames: what is kept of members and cases is bounded."""

MIB = 1 << 20
PACKETS = 2_000

Frames = list[dict[str, Any] | bytes]


@pytest.fixture(scope="module")
def the_bot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartedBot]:
    """One bot for all of it, with every door open that there is."""
    folder = tmp_path_factory.mktemp("hostile") / "bot"
    with served(folder, ONEBOT_HTTP="true", ONEBOT_CALL_SECONDS="2") as bot:
        yield bot


@pytest.fixture
def bot(the_bot: StartedBot) -> Iterator[StartedBot]:
    """The bot, which at the end of a test has nothing to complain of."""
    the_bot.forget()
    yield the_bot
    assert the_bot.harm() == []


def an_end(self_id: int = BOT, halls: tuple[int, ...] = GROUPS) -> OneBotEnd:
    end = OneBotEnd(self_id=self_id)
    # what the bot heard in another test, or from the other account, it knows already
    end._ids = count(time.time_ns() // 1_000_000 % 10**9 + (self_id - BOT) * 10**9)
    for number in halls:
        end.hall(number)
        for user in PEOPLE:
            end.seat(user, group=number, card=f"销售-{user}")
    return end


@asynccontextmanager
async def talking(
    bot: StartedBot, self_id: int = BOT, halls: tuple[int, ...] = GROUPS
) -> AsyncIterator[OneBotEnd]:
    """Have an end connected that the bot listens to; afterwards it is gone, and the bot was none the worse for it."""
    end, others = an_end(self_id, halls), await connected(bot)
    try:
        await end.connect(bot.url, token=TOKEN)
        await handled(bot, end)
        yield end
    finally:
        await end.close()
    await alone(bot, others)


async def handled(bot: StartedBot, end: OneBotEnd, text: str = "还在") -> None:
    """Say something in order, and wait until the bot has handled it; what was sent before is handled then too."""
    said = f"{text} {time.monotonic_ns()}"
    await end.emit(end.message(PEOPLE[0], said, group=next(iter(end.halls))))
    async with asyncio.timeout(PATIENCE):
        while not bot.has_heard(said):  # noqa: ASYNC110 - another process is looked at
            await asyncio.sleep(0.05)


async def connected(bot: StartedBot) -> float:
    return (await bot.metrics()).get('groupops_platform_bots{platform="qq",state="online"}', 0)


async def alone(bot: StartedBot, others: float = 0) -> None:
    """Wait until no more bots are connected than so many."""
    async with asyncio.timeout(PATIENCE):
        while await connected(bot) > others:  # noqa: ASYNC110 - another process is looked at
            await asyncio.sleep(0.05)


def told(soak_: str, **figures: object) -> None:
    print(f"\nsoak {soak_}: " + ", ".join(f"{value} {name}" for name, value in figures.items()))  # noqa: T201


@pytest.fixture(scope="module")
def frames() -> dict[int, Frames]:
    """Frames that were made already, by how many; making them takes longer than throwing them."""
    return {}


def thrown(frames: dict[int, Frames], soak: Soak) -> Frames:
    count = soak.rounds(FRAMES)
    if count not in frames:
        frames[count] = hostile(count, soak.seed, samples("groupops_onebot"))
    return frames[count]


# — an end that has the token and is hostile —


@pytest.mark.soak
async def test_whatever_frames_an_end_sends_the_bot_stands_and_hears_the_next_one(
    bot: StartedBot, soak: Soak, frames: dict[int, Frames], capsys: pytest.CaptureFixture[str]
) -> None:
    all_frames = thrown(frames, soak)  # before anybody is connected: whoever makes them answers no ping
    async with talking(bot) as end:
        half, cpu, began = len(all_frames) // 2, bot.cpu, time.monotonic()
        sizes = [bot.rss]

        for part in (all_frames[:half], all_frames[half:]):
            for number, frame in enumerate(part):
                await throw(end, written(frame, 1_000_000 + len(sizes) * FRAMES + number))
            await handled(bot, end)
            sizes.append(bot.rss)

        spent = bot.cpu - cpu
        kinds = Counter(line["kind"] for line in bot.journal())
        with capsys.disabled():
            told(
                "hostile frames",
                frames=len(all_frames),
                facts=sum(kinds.values()),
                seconds=round(time.monotonic() - began, 1),
                cpu_s=round(spent, 1),
                MB=[round(size) for size in sizes],
            )
        assert spent / len(all_frames) * 1e3 < CPU_MS
        assert sizes[2] - sizes[1] < GROWS_MB
        assert len(kinds) > 5, "the frames were so spoilt that nothing of them was read"


async def throw(end: OneBotEnd, body: bytes) -> None:
    """Send a frame, as text where it is some; one that is too large would end all that is to follow."""
    if len(body) > 8 * MIB:
        return
    try:
        await end.raw(body.decode())
    except UnicodeDecodeError:
        await end.raw(body)


@pytest.mark.soak
async def test_what_hostile_frames_leave_behind_in_the_platform_is_no_more_than_it_may_remember(
    soak: Soak, frames: dict[int, Frames]
) -> None:
    all_frames = thrown(frames, soak)
    async with serving() as served:
        end = an_end()
        await served.join(end)

        for number, frame in enumerate(all_frames):
            await throw(end, written(frame, 4_000_000 + number))
            if number % 200 == 0:
                await served.seen(end, PATIENCE)
                served.told.take()
        await served.seen(end, PATIENCE)
        await served.platform.settled()
        facts = await served.facts(end, end.message(PEOPLE[0], "还好吗"))

        assert [fact.text for fact in facts if isinstance(fact, MessagePosted)] == ["还好吗"]
        assert set(nonebot.get_bots()) == {str(BOT)}
        assert (served.bridge.unread, served.bridge.lanes.traffic.failed) == (0, 0)
        memory = served.platform.memory
        assert (len(memory.messages) <= MESSAGES, len(memory.packets) <= PACKETS) == (True, True)
        assert not served.adapter.handling
        assert served.adapter.lines[str(BOT)].waiting == 0
        await end.close()


@pytest.mark.soak
async def test_a_frame_that_is_as_bad_as_can_be_costs_no_more_than_moments(bot: StartedBot) -> None:
    async with talking(bot) as end:
        for frame in worst():
            cpu = bot.cpu
            await end.raw(frame)
            await handled(bot, end)
            assert bot.cpu - cpu < 3.0, f"{frame[:60]!r} of {len(frame)} bytes took {bot.cpu - cpu:.1f} s"


def worst() -> Iterator[str]:
    """Give frames that are allowed in size and meant to be slow, one by one."""
    room = 7_000_000
    message = {"time": int(time.time()), "self_id": BOT, "post_type": "message", "message_type": "group"}
    message |= {"group_id": GROUP, "user_id": PEOPLE[1], "sender": {}, "sub_type": "normal"}
    yield "[" * room
    yield '{"a":' * (room // 5)
    yield "9" * room
    yield f'{{"post_type": "message", "time": {"9" * 1_000_000}}}'
    texts = (
        "[CQ:at,qq=all]" * 400_000,
        "&#91;" * 1_000_000,
        "http://" * 800_000,
        "博" * 1_000_000,
        "\u200b" * 1_000_000,
    )
    for number, text in enumerate((*texts, "a" * room, "/" + "x " * 2_000_000, "1." * 3_000_000)):
        yield as_message(message, number, [{"type": "text", "data": {"text": text}}])
    yield as_message(message, 20, [{"type": "text", "data": {"text": "博"}}] * 100_000)
    yield as_message(message, 21, [{"type": "at", "data": {"qq": str(user)}} for user in range(150_000)])
    yield as_message(message, 22, [{"type": "json", "data": {"data": '{"a":' * 900_000}}])
    yield as_message(message, 23, [{"type": "xml", "data": {"data": "<a " * 1_500_000}}])
    yield json.dumps(
        {**message, "message": {}, "raw": {"elements": [{"elementType": 1}] * 200_000}, "message_id": 24}
    )


def as_message(message: dict[str, Any], number: int, parts: Any) -> str:
    return json.dumps({**message, "message_id": 900_000_000 + number, "message": parts}, ensure_ascii=False)


@pytest.mark.soak
@pytest.mark.parametrize("size", [8 * MIB + 1, 15 * MIB, 17 * MIB])
async def test_a_frame_that_is_too_large_ends_the_connection_and_not_the_bot(
    bot: StartedBot, size: int
) -> None:
    async with talking(bot) as end:
        before = bot.rss

        await end.raw("x" * size)  # packed by the socket to a few kilobytes
        await until(lambda: end.closed_with, PATIENCE)
        await alone(bot)

        assert end.closed_with is not None
        assert end.closed_with[0] == 1009
        assert bot.rss - before < 6 * size / 1e6
    async with talking(bot):
        pass


# — somebody without the token —


@pytest.mark.soak
async def test_whoever_lacks_the_token_gets_no_further_than_the_door(
    bot: StartedBot, soak: Soak, capsys: pytest.CaptureFixture[str]
) -> None:
    dice, before, facts = soak.random(), bot.rss, len(bot.journal())
    answers: Counter[str] = Counter()

    for _ in range(soak.rounds(HANDSHAKES)):
        answers[await knocked(bot, dice)] += 1

    assert answers["in"] == 0
    assert await connected(bot) == 0
    assert len(bot.journal()) == facts
    assert bot.rss - before < GROWS_MB
    with capsys.disabled():
        told("knocks", **{what.replace(" ", "_"): number for what, number in sorted(answers.items())})


async def knocked(bot: StartedBot, dice: random.Random) -> str:
    """Try to come in, in one of several ways; gives what came of it."""
    if dice.random() < 0.2:
        return await shouted(bot.port, dice)
    shown: dict[str, str] = {}
    if dice.random() < 0.9:
        shown["Authorization"] = dice.choice(
            ("", "Bearer", "Bearer ", f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}x", TOKEN, f"Basic {TOKEN}", "Bearer \t",
             f"Bearer {TOKEN.upper()}", f"Bearer {'x' * 7000}", f"bearer{TOKEN}", f"Bearer {TOKEN} {TOKEN}")
        )  # fmt: skip
    else:
        shown["Authorization"] = f"Bearer {TOKEN}"
    known = shown["Authorization"] == f"Bearer {TOKEN}"
    strangers = ("66666", "", "10001x", "-10001", "1" * 400, "*", "10001,10002", "0x2711", "010001")
    self_id = dice.choice(strangers if known else (*strangers, str(BOT)))
    shown["X-Self-ID"] = self_id
    path = dice.choice(
        ("/onebot/v11/ws", "/onebot/v11/", "/onebot/v11/ws/", f"/onebot/v11/ws?access_token={TOKEN}")
    )
    try:
        async with connect(
            f"ws://127.0.0.1:{bot.port}{path}", additional_headers=shown, proxy=None, open_timeout=PATIENCE
        ) as socket:
            await socket.send(json.dumps({"post_type": "message"}))
            return "in"
    except InvalidStatus as refused:
        return f"answered {refused.response.status_code}"
    except (InvalidHandshake, ConnectionClosed, OSError) as error:
        return type(error).__name__


async def shouted(port: int, dice: random.Random) -> str:
    """Send bytes that are no request, or half of one."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"GET /onebot/v11/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nX-Self-ID: {BOT}\r\n".encode()
    noise = dice.randbytes(dice.randint(0, 300))
    writer.write(
        dice.choice(
            (noise, head + noise, head + b"Authorization: Bearer \xff\r\n\r\n", b"\x16\x03\x01" + noise)
        )
    )
    try:
        await writer.drain()
        if dice.random() < 0.5:
            writer.write_eof()
            await asyncio.wait_for(reader.read(100), 0.2)
    except (TimeoutError, OSError):
        pass
    finally:
        writer.close()
    return "shouted"


# — over HTTP —


def signed(body: bytes, secret: str = SECRET, self_id: str = str(BOT)) -> dict[str, str]:
    return {
        "X-Signature": "sha1=" + hmac.new(secret.encode(), body, hashlib.sha1).hexdigest(),
        "X-Self-ID": self_id,
    }


def unsigned(body: bytes, dice: random.Random) -> dict[str, str]:
    """Give headers that do not prove who sends."""
    right = signed(body)
    return dice.choice(
        (
            {},
            {"X-Self-ID": str(BOT)},
            {**right, "X-Signature": ""},
            {**right, "X-Signature": right["X-Signature"].removeprefix("sha1=")},
            {**right, "X-Signature": right["X-Signature"].upper()},
            {**right, "X-Signature": right["X-Signature"][:-1]},
            {**right, "X-Signature": "sha1=\xff\xfe"},
            {"X-Self-ID": str(BOT), "Authorization": f"Bearer {TOKEN}"},
            signed(body, "another"),
            signed(body, ""),
            signed(body + b" "),
            signed(body, SECRET, "66666"),
        )
    )


@pytest.mark.soak
async def test_no_body_that_is_not_signed_for_the_bot_has_an_effect(
    bot: StartedBot, soak: Soak, frames: dict[int, Frames], capsys: pytest.CaptureFixture[str]
) -> None:
    dice, facts, statuses, large = soak.random(), len(bot.journal()), Counter[int](), 0
    before, began = bot.rss, time.monotonic()
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
        for number, frame in enumerate(thrown(frames, soak)):
            body = written(frame, 2_000_000 + number)
            large += len(body) > 8 * MIB  # put down before anybody asks whose it is
            path = dice.choice(("", "http", "http/"))
            headers = [(key.encode(), value.encode("latin-1")) for key, value in unsigned(body, dice).items()]
            answer = await client.post(f"{bot.http}/onebot/v11/{path}", content=body, headers=headers)
            statuses[answer.status_code] += 1

    with capsys.disabled():
        told("unsigned bodies", statuses=dict(statuses), seconds=round(time.monotonic() - began, 1))
    assert set(statuses) <= {401, 403, 413}
    assert statuses[413] <= large
    assert len(bot.journal()) == facts
    assert await connected(bot) == 0
    assert bot.rss - before < GROWS_MB


@pytest.mark.soak
async def test_whatever_a_signed_body_holds_the_bot_stands(
    bot: StartedBot, soak: Soak, frames: dict[int, Frames], capsys: pytest.CaptureFixture[str]
) -> None:
    statuses = Counter[int]()
    cpu, sizes, all_frames = bot.cpu, [bot.rss], thrown(frames, soak)
    half = len(all_frames) // 2
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
        for number, frame in enumerate(all_frames):
            body = written(frame, 3_000_000 + number)
            answer = await client.post(f"{bot.http}/onebot/v11/http", content=body, headers=signed(body))
            statuses[answer.status_code] += 1
            assert answer.status_code == deserved(body), body[:300]
            if number in (half, len(all_frames) - 1):
                sizes.append(bot.rss)

    with capsys.disabled():
        told(
            "signed bodies",
            statuses=dict(statuses),
            cpu_s=round(bot.cpu - cpu, 1),
            MB=[round(s) for s in sizes],
        )
    assert statuses[204] > len(all_frames) / 20
    assert sizes[2] - sizes[1] < GROWS_MB


def deserved(body: bytes) -> int:
    """Give the status of a signed body: it is taken if it is an event of the bot's own account."""
    found = parse(body)
    mine = found is not None and "post_type" in found and str(found.get("self_id")) == str(BOT)
    return 413 if len(body) > 8 * MIB else 204 if mine else 400


# — answers nobody was asked for —


@pytest.mark.soak
async def test_an_answer_counts_from_the_socket_that_was_asked_and_from_nowhere_else(
    bot: StartedBot, soak: Soak
) -> None:
    """The bot thanks; its end keeps silent; three others who know the mark, and one who guesses, say that it is done."""
    async with talking(bot) as end, talking(bot, TWIN, (7099,)) as twin:
        await delivered(bot)  # else what other tests left behind has to be waited for one by one
        end.silent.add("send_group_msg")
        text = f"好 {soak.seed}"
        marks = heard_marks(end, text)

        await end.emit(end.message(PEOPLE[2], text))
        await until(lambda: marks, PATIENCE)
        for mark in (marks[-1], *guesses(soak)):
            await twin.raw(
                json.dumps({"status": "ok", "retcode": 0, "data": {"message_id": 1}, "echo": mark})
            )
            await end.raw(
                json.dumps({"status": "ok", "retcode": 0, "data": {"message_id": 1}, "echo": mark + "0"})
            )
        body = json.dumps(
            {"status": "ok", "retcode": 0, "data": {"message_id": 1}, "echo": marks[-1]}
        ).encode()
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
            answers = [
                await client.post(f"{bot.http}/onebot/v11/http", content=body, headers=headers)
                for headers in (signed(body), signed(body, SECRET, str(TWIN)), {"X-Self-ID": str(BOT)})
            ]

        assert [answer.status_code for answer in answers] == [400, 400, 401]
        row = await receipted(bot, text)
        assert row.state is OutboxState.IN_DOUBT


def heard_marks(end: OneBotEnd, text: str) -> list[str]:
    """Have the end write down the marks of the calls that say a text: others may be on their way still."""
    marks: list[str] = []
    take = end._take

    async def taken(call: dict[str, Any]) -> None:
        if text in json.dumps(call, ensure_ascii=False):
            marks.append(str(call.get("echo")))
        await take(call)

    end._take = taken  # type: ignore[method-assign]
    return marks


def guesses(soak: Soak) -> Iterator[str]:
    dice = soak.random()
    for number in range(soak.rounds(GUESSES)):
        yield dice.choice((str(number), f"{dice.getrandbits(128):032x}", "", "0" * 32, f"{number:032x}"))


async def receipted(bot: StartedBot, text: str) -> Any:
    """Wait until the message that thanks for a text had its turn; gives its row."""
    async with bot.records() as records, asyncio.timeout(PATIENCE):
        while True:
            rows = await records.outbox(limit=100_000)
            mine = [row for row in rows if getattr(row.action, "text", "").endswith(text)]
            if mine and mine[0].state not in (OutboxState.WAITING, OutboxState.PERFORMING):
                return mine[0]
            await asyncio.sleep(0.1)


@pytest.mark.soak
async def test_nobody_speaks_in_the_name_of_another_bot(bot: StartedBot, soak: Soak) -> None:
    async with talking(bot) as end, talking(bot, TWIN) as twin:
        facts = len(bot.journal())

        for number in range(soak.rounds(1_000)):
            for speaker, other in (
                (end, TWIN),
                (twin, BOT),
                (twin, 66666),
                (twin, str(BOT)),
                (twin, [TWIN]),
                (twin, None),
            ):
                await speaker.emit({**unremembered(speaker, f"冒名 {number}"), "self_id": other})
            await twin.emit(unremembered(twin, f"本名 {number}"))
        await handled(bot, twin)
        await handled(bot, end)

        heard = [line["text"] for line in bot.journal()[facts:]]
        assert not any("冒名" in text for text in heard)
        assert sum("本名" in text for text in heard) == soak.rounds(1_000)  # nothing else was wrong with them


def unremembered(end: OneBotEnd, text: str) -> dict[str, Any]:
    """Give a message that was never said: the group's history, which the bot may be reading, has none of it."""
    message = end.message(PEOPLE[1], text)
    del end.halls[GROUP].messages[message["message_id"]]
    return message


# — words that look like codes —


CODES = (
    "[CQ:at,qq=all]",
    f"[CQ:at,qq={BOT}]",
    "&#91;CQ:at&#44;qq=all&#93;",
    "[CQ:image,file=file:///etc/passwd]",
    "[CQ:reply,id=1][CQ:at,qq=all]",
    "[[CQ:at,qq=all]]",
    "&amp;#91;CQ:at,qq=all&amp;#93;",
)


@pytest.mark.soak
async def test_codes_in_names_cards_comments_and_texts_stay_words(bot: StartedBot, soak: Soak) -> None:
    dice = soak.random()
    async with talking(bot) as end:
        first = len(end.calls)

        for number in range(soak.rounds(300)):
            await tempted(end, number, dice)
            if number % 20 == 0:
                await handled(bot, end)
        await handled(bot, end)
        await delivered(bot)

        calls = end.calls[first:]
        posted = [
            params["message"] for name, params in calls if name in ("send_group_msg", "send_private_msg")
        ]
        assert sum(any(code in words(parts) for code in CODES) for parts in posted) > soak.rounds(300) / 4
        for parts in posted:
            harmless(parts)
        assert {name for name, _ in calls} & {"send_group_msg", "send_private_msg"}
        assert not any(params.get("auto_escape") for _, params in calls)


async def delivered(bot: StartedBot) -> None:
    """Wait until nothing waits to be sent any more."""
    async with bot.records() as records, asyncio.timeout(PATIENCE):
        while await records.outbox(states=(OutboxState.WAITING, OutboxState.PERFORMING)):  # noqa: ASYNC110 - rows ring no bell
            await asyncio.sleep(0.1)


async def tempted(end: OneBotEnd, number: int, dice: random.Random) -> None:
    """Let somebody whose name is a code do something the bot answers."""
    code, user = dice.choice(CODES), 30_000 + number
    if number % 5 == 0:
        await end.emit(end.notice("notify", sub_type="group_name", user_id=90001, name_new=f"群{code}"))
    end.seat(user, nickname=f"{code}名", card=dice.choice(("", f"{code}卡")))
    match number % 6:
        case 0:
            await end.emit(end.joined(user, "invite", PEOPLE[0]))
        case 1:
            await end.emit(end.request(user, comment=f"问题:你是谁\n答案:{code}"))
        case 2:
            await end.emit(end.message(user, f"好 {code}"))
        case 3:
            await end.emit(end.message(user, f"坏 {code} {number}"))
        case 4:
            event = end.message(user, f"好 {code}")
            await end.emit({**event, "message": f"{code}好 {code}", "raw_message": f"好 {code}"})
        case _:
            await end.emit(
                end.message(user, [at(BOT), {"type": "text", "data": {"text": f" 没有的命令 {code}"}}])
            )
            await end.emit(end.whisper(user, f"申诉 {code} {code}", group_id=GROUP))


def at(user: int) -> dict[str, Any]:
    return {"type": "at", "data": {"qq": str(user)}}


def words(parts: list[dict[str, Any]]) -> str:
    return "".join(part["data"]["text"] for part in parts if part["type"] == "text")


def harmless(parts: Any) -> None:
    """See that a message is parts, that codes stand in words alone, and that nobody is mentioned but a member."""
    assert isinstance(parts, list), f"not a list of parts: {parts!r}"
    for part in parts:
        match part["type"]:
            case "text":
                assert set(part["data"]) == {"text"}
            case "at":
                assert str(part["data"]["qq"]).isdigit()
            case "reply":
                assert str(part["data"]["id"]).lstrip("-").isdigit()
            case "image":
                assert part["data"]["file"].startswith("base64://")
            case other:
                raise AssertionError(f"a part nobody asked for: {other}")


@pytest.mark.soak
async def test_a_code_in_a_text_does_not_speak_to_the_bot(bot: StartedBot) -> None:
    async with talking(bot) as end:
        for number, nasty in enumerate((f"[CQ:at,qq={BOT}] 我的记录", *NASTY)):
            text = f"{nasty} {number}".replace("\ud800", "")
            await end.emit(end.message(PEOPLE[3], text))
            await end.emit({**end.message(PEOPLE[3], "x"), "message": text})
        await handled(bot, end)

        lines = [line for line in bot.journal() if line["account"] == AccountId(f"qq:{PEOPLE[3]}")]
        assert len(lines) > len(NASTY)
        assert not any(line["to_bot"] for line in lines)
