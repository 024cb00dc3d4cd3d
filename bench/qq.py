"""What a bot on QQ costs, end to end over a real websocket on loopback (QQ.1-QQ.4); `python -m bench.qq` prints it.

Every bot is a process of its own that serves; this one is the end: it sends the stream of `bench.rig`, which holds a
listed word in one message of eighteen, and answers what the bot calls. CPU time of the bot's process, what it does
about offences included: booking them on SQLite, recalls, mutes and replies over the same socket.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from bench.figures import ROOT, SHARE, STALL_S, TRIES, Row, calm, fits, fittest, row, stolen_s
from bench.qq_bots import TOKEN
from bench.rig import BEGUN, FIRST_USER, GROUPS, SELF_ID, SIX, USERS, payloads, vocabulary

ROUNDS = 3
WARM_UP, MESSAGES = 500, 3_000
PEER_WARM_UP, PEER_MESSAGES = 20, 60
"""Of nonebot-plugin-admin, which takes a tenth of a second for one."""

WORDS = 1_000
TIMED = 2_000
FLAT, FLAT_WARM_UP = 30_000, 15_000
"""Messages of which memory is measured; a million takes minutes and is measured by `make soak`."""

PEER = "nonebot-plugin-admin"
PATIENCE_S = 120.0

Told = dict[str, Any]


def rows() -> list[Row]:
    """All figures of this file; the bots take turns."""
    with tempfile.TemporaryDirectory(prefix="go-") as made:
        return asyncio.run(_rows(Path(made)))


async def _rows(folder: Path) -> list[Row]:
    words, python = vocabulary(WORDS), _peer()
    bare, whole, talk, peer = list[float](), list[float](), list[float](), list[float]()
    late, bare_late = list[Told](), list[Told]()
    for turn in range(ROUNDS):
        bare_told = await _taken(folder / f"bare{turn}", "bare", words)
        bare.append(bare_told["us"])
        told = await _taken(folder / f"whole{turn}", "whole", words)
        whole.append(told["us"])
        talk.append((await _taken(folder / f"talk{turn}", "whole", words, offending=False))["us"])
        if python:
            peer.append((await _peer_taken(folder / f"peer{turn}", python, words))["us"])
        late.append(await _late(folder / f"wait{turn}", "whole", words, MESSAGES / told["seconds"]))
        bare_late.append(
            await _late(folder / f"barewait{turn}", "bare", words, MESSAGES / bare_told["seconds"])
        )
    flat = await _flat(folder / "flat", words)
    road = f"OneBot over a websocket, started as bot.py, six plugins, {WORDS} words, SQLite"
    found = [
        row("QQ.1", _ratios(bare, whole), ">= 1.0", "x", f"{road}; NoneBot, one empty matcher, same stream"),
        row("QQ.1.talk", _ratios(bare, talk), ">= 1.0", "x", "the same of a stream in which nobody offends"),
        row(
            "QQ.3",
            [one["p99"] for one in late],
            "<= 5",
            "ms",
            f"p99 from due to handled {_load(late)}; at {SHARE:.0%} of the rate it bears when messages stand in "
            f"line, {_median(late, 'line_rate'):.0f}/s, it is {_median(late, 'line_busy'):.0%} busy and the p99 "
            f"{_median(late, 'line_p99'):.1f} ms",
        ),
        row(
            "QQ.3.ratio",
            _ratios([one["p99"] for one in bare_late], [one["p99"] for one in late]),
            ">= 1.0",
            "x",
            f"the same; NoneBot, one empty matcher, {_load(bare_late)}: {_median(bare_late, 'p99'):.1f} ms",
        ),
        row(
            "QQ.4",
            [flat],
            "<= 10",
            "MB",
            f"RSS that {FLAT - FLAT_WARM_UP:,} messages add after {FLAT_WARM_UP:,}; make soak takes a million",
        ),
    ]
    if peer:
        found.append(row("QQ.2", _ratios(peer, whole), ">= 200", "x", f"{road}; {PEER} 1.0.4.3, same stream"))
    return found


def _ratios(over: Sequence[float], under: Sequence[float]) -> list[float]:
    return [one / other for one, other in zip(over, under, strict=True)]


def _load(late: Sequence[Told]) -> str:
    return (
        f"while it is {_median(late, 'busy'):.0%} busy, {_median(late, 'rate'):.0f} messages/s arriving at random "
        f"(the host took {_median(late, 'stolen'):.1%} of a core for others meanwhile, and kept whoever sends from the "
        f"clock for {_median(late, 'held'):.1%} of the time)"
    )


def _median(late: Sequence[Told], what: str) -> float:
    return float(statistics.median(one[what] for one in late))


def _peer() -> str:
    """Make the peer's environment and give its interpreter; nothing, and say so, where that cannot be done."""
    done = subprocess.run(
        [ROOT / "scripts" / "peer", PEER], check=False, capture_output=True, text=True, cwd=ROOT
    )
    if done.returncode:
        print(f"NO PEER: {PEER} could not be installed; QQ.2 is left out", file=sys.stderr)
        return ""
    return str(ROOT / done.stdout.split()[-1])


# — the bots —


async def _taken(folder: Path, what: str, words: Sequence[str], *, offending: bool = True) -> Told:
    stream = _stream(WARM_UP + MESSAGES, words if offending else ())
    command = [sys.executable, "-m", "bench.qq_bots", what]
    async with _bot(folder, command, words, WARM_UP, len(stream)) as bot:
        await bot.send(stream[:WARM_UP])
        await bot.says("warm")
        await bot.send(stream[WARM_UP:])
        return await bot.result()


async def _peer_taken(folder: Path, python: str, words: Sequence[str]) -> Told:
    stream = _stream(PEER_WARM_UP + PEER_MESSAGES, words)
    command = [python, str(ROOT / "bench" / "qq_peer.py")]
    async with _bot(folder, command, words, PEER_WARM_UP, len(stream)) as bot:
        await bot.send(stream[:PEER_WARM_UP])
        await bot.says("warm")
        await bot.send(stream[PEER_WARM_UP:])
        return await bot.result()


async def _late(folder: Path, what: str, words: Sequence[str], capacity: float) -> Told:
    """See how long messages wait while the bot is busy for a share of the time.

    A message that comes alone costs a bot up to twice what one of many in line does: the machine has gone to sleep
    meanwhile, and others used its caches. So a share of the rate at which messages in line are borne is another, and
    higher, share of the time; both are told.
    """
    line = told = await _waiting(folder / "line", what, words, SHARE * capacity)
    tried = list[Told]()
    while len(tried) < TRIES and not any(map(fits, tried)):
        calm()
        told = await _waiting(folder / f"alone{len(tried)}", what, words, SHARE / told["us"] * 1e6)
        tried.append(told)
    return {**fittest(tried), **{f"line_{key}": value for key, value in line.items()}}


async def _waiting(folder: Path, what: str, words: Sequence[str], rate: float) -> Told:
    """Let messages come at random, so many a second.

    Whoever sends looks at the clock all the time: more than a millisecond between two looks is the host's doing.
    """
    stream = _stream(WARM_UP + TIMED, words)
    command = [sys.executable, "-m", "bench.qq_bots", what]
    dice, due = random.Random(7), dict[str, float]()
    async with _bot(folder, command, words, WARM_UP, len(stream)) as bot:
        await bot.send(stream[:WARM_UP])
        await bot.says("warm")
        moment = begun = now = time.perf_counter()
        before, held = stolen_s(), 0.0
        for payload in stream[WARM_UP:]:
            moment += dice.expovariate(rate)
            while (last := now) < moment:
                await asyncio.sleep(0)  # a moment finer than timers are
                now = time.perf_counter()
                held += now - last if now - last > STALL_S else 0.0
            due[_id_of(payload)] = moment
            await bot.socket.send(payload)
            now = time.perf_counter()
        stolen = (stolen_s() - before) / (now - begun)
        told = await bot.result()
    cuts = statistics.quantiles([told["ended"][id_] - at for id_, at in due.items()], n=100)
    busy = told["us"] * rate / 1e6
    held /= now - begun
    return {
        "p99": cuts[98] * 1e3,
        "rate": rate,
        "us": told["us"],
        "busy": busy,
        "stolen": stolen,
        "held": held,
    }


def _id_of(payload: str) -> str:
    frame = json.loads(payload)
    return f"qq:{frame['group_id']}:{frame['message_id']}:{frame['time']}"


async def _flat(folder: Path, words: Sequence[str]) -> float:
    stream = _stream(FLAT, ())
    command = [sys.executable, "-m", "bench.qq_bots", "whole"]
    async with _bot(folder, command, words, FLAT_WARM_UP, FLAT) as bot:
        await bot.send(stream[:FLAT_WARM_UP])
        await bot.says("warm")
        await bot.send(stream[FLAT_WARM_UP:])
        before, after = (await bot.result())["mb"]
    return float(after - before)


# — the end —


class Bot:
    """A bot's process, and the end that talks with it."""

    def __init__(self, process: asyncio.subprocess.Process, socket: ClientConnection) -> None:
        self.process = process
        self.socket = socket
        self._answering = asyncio.create_task(_answer(socket))

    async def send(self, stream: Sequence[str]) -> None:
        """Send messages as fast as the bot takes them."""
        for payload in stream:
            await self.socket.send(payload)

    async def says(self, word: str) -> str:
        """Wait until the bot's next line begins with that."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while line := (await self.process.stdout.readline()).decode():
                if line.startswith(word):
                    return line
        raise RuntimeError(f"the bot ended before it said {word!r}")

    async def result(self) -> Told:
        """Wait for what it cost."""
        told: Told = json.loads(await self.says("{"))
        return told


@asynccontextmanager
async def _bot(
    folder: Path, command: Sequence[str], words: Sequence[str], warm_up: int, total: int
) -> AsyncIterator[Bot]:
    port = _free_port()
    _lay(folder, words)
    process = await asyncio.create_subprocess_exec(
        *command,
        *map(str, (port, warm_up, total)),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "LOG_LEVEL": "WARNING"},
        stdout=asyncio.subprocess.PIPE,
        stderr=(folder / "log").open("wb"),
        limit=1 << 24,
    )
    try:
        yield await _joined(process, port, folder)
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def _joined(process: asyncio.subprocess.Process, port: int, folder: Path) -> Bot:
    headers = {"X-Self-ID": SELF_ID, "Authorization": f"Bearer {TOKEN}", "X-Client-Role": "Universal"}
    deadline = time.monotonic() + PATIENCE_S
    while True:
        if process.returncode is not None or time.monotonic() > deadline:
            raise RuntimeError(f"a bot did not start:\n{(folder / 'log').read_text()[-2000:]}")
        try:
            url = f"ws://127.0.0.1:{port}/onebot/v11/ws"
            joined = await connect(url, additional_headers=headers, proxy=None, compression=None)
            break
        except OSError:
            await asyncio.sleep(0.05)
    bot = Bot(process, joined)
    lifecycle = {"time": int(time.time()), "self_id": int(SELF_ID), "post_type": "meta_event"}
    await joined.send(json.dumps({**lifecycle, "meta_event_type": "lifecycle", "sub_type": "connect"}))
    await bot.says("ready")
    return bot


async def _answer(socket: ClientConnection) -> None:
    """Answer every call as an end does that has nothing against it."""
    with suppress(ConnectionClosed):
        async for frame in socket:
            call = json.loads(frame)
            data = _data(call["action"], call.get("params") or {})
            await socket.send(json.dumps({"status": "ok", "retcode": 0, "data": data, "echo": call["echo"]}))


def _data(action: str, params: dict[str, Any]) -> Any:
    match action:
        case "get_group_list":
            return [{"group_id": group, "group_name": "bench"} for group in _groups()]
        case "get_group_member_list":
            return [_line(params["group_id"], user) for user in (int(SELF_ID), *_people(params["group_id"]))]
        case "get_group_member_info":
            return _line(params["group_id"], int(params["user_id"]))
        case "get_version_info":
            return {"app_name": "NapCat.Onebot", "app_version": "1"}
        case "get_group_msg_history":
            return {"messages": []}
        case "send_group_msg" | "send_private_msg":
            return {"message_id": 1}
        case _:
            return {}


def _line(group: int, user: int) -> dict[str, Any]:
    role = "admin" if str(user) == SELF_ID else "member"
    return {
        "group_id": group,
        "user_id": user,
        "nickname": f"member {user}",
        "card": f"销售部-{user}",
        "role": role,
    }


def _groups() -> Iterator[int]:
    return (100_000 + number for number in range(GROUPS))


def _people(group: int) -> Iterator[int]:
    return (FIRST_USER + user for user in range(USERS) if user % GROUPS == int(group) - 100_000)


def _stream(count: int, listed: Sequence[str]) -> list[str]:
    """Give the stream as of now: what comes too late is dealt with otherwise."""
    now = int(time.time())
    made = enumerate(payloads(count, listed), start=1)
    return [payload.replace(f'"time": {BEGUN + number}', f'"time": {now}') for number, payload in made]


def _lay(folder: Path, words: Sequence[str]) -> None:
    """Write what the bots read: the whole one its `.env` and its pack, the peer its words."""
    (folder / "packs").mkdir(parents=True)
    listed = json.dumps(list(words), ensure_ascii=False)
    pack = f"""
[pack]
id = "bench"
title = "bench"
[plugins]
enabled = {json.dumps(SIX)}
[quiet_hours]
windows = [{{ start = "03:00", end = "03:01", days = "all" }}]
[moderation]
use = ["gambling"]
operator_words = {{ gambling = {listed} }}
"""
    (folder / "packs" / "bench.toml").write_text(pack, "utf-8")
    env = {
        "GROUPOPS_ADAPTERS": '["onebot"]',
        "GROUPOPS_PACKS_DIR": "packs",
        "GROUPOPS_DEFAULT_PACKS": '["bench"]',
        "GROUPOPS_DEFAULT_STAGE": "enforced",
        "GROUPOPS_PACE": "false",
        "ONEBOT_ACCESS_TOKEN": TOKEN,
        "ONEBOT_SELF_IDS": json.dumps([SELF_ID]),
        "LOG_LEVEL": "WARNING",
    }
    (folder / ".env").write_text("".join(f"{key}={value}\n" for key, value in env.items()), "utf-8")
    told = {"token": TOKEN, "words": list(words), "groups": list(_groups())}
    (folder / "stream.json").write_text(json.dumps(told), "utf-8")
    command = [str(Path(sys.executable).with_name("groupops")), "migrate"]
    subprocess.run(command, check=True, cwd=folder, capture_output=True)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


if __name__ == "__main__":
    for one in rows():
        print(json.dumps(one, ensure_ascii=False))
