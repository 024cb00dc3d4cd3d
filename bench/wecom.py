"""What a post to WeCom's callback URLs costs, from the body to our verdict (WECOM.1); `python -m bench.wecom` prints it.

One core, CPU time, turn by turn in the same run. Ours: signature, replay guard, decryption, event, fact, and what the
six plugins say of it with a thousand words. The peer, wechatpy in a process of its own: signature, decryption, parse.
"""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.figures import ROOT, Row, cpu_us, row
from bench.rig import BEGUN, SIX, Flowing, Told, flowing, told
from groupops import MessagePosted
from groupops_wecom.aibot_events import Frame, aibot_event
from groupops_wecom.app_events import app_event
from groupops_wecom.callback import Door, Doors, Kind, Post
from groupops_wecom.clockwork import Clockwork
from groupops_wecom.config import Config
from groupops_wecom.crypto import Cipher
from groupops_wecom.read import Sight, read
from groupops_wecom.xmls import written

ROUNDS, WARM = 9, 3
"""Rounds that count, and rounds until nearly every member was met: what is new of a member is learnt, and that costs more."""

MESSAGES = 2_000
WORDS = 1_000
PEER, HOME = "wechatpy", "wecom-python"
TOKEN, KEY, CORP = "tok", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", "ww1234567890abcdef"

Query = dict[str, str]
Sent = tuple[Query, bytes]


def rows() -> list[Row]:
    """The figures; nothing, and it is said, where the peer cannot be had."""
    python = _peer()
    return asyncio.run(_rows(python)) if python else []


async def _rows(python: str) -> list[Row]:
    whole, door = list[float](), list[float]()
    talk = told(MESSAGES * (ROUNDS + WARM) + 1)
    async with flowing(SIX, words=WORDS) as made:
        await made.engine.flow.handle(talk.pop().fact)  # waits until the automaton of all groups is built
        gc.collect()
        gc.freeze()
        for turn in range(ROUNDS + WARM):
            part = talk[turn * MESSAGES : (turn + 1) * MESSAGES]
            bot, app = Cipher(TOKEN, KEY, ""), Cipher(TOKEN, KEY, CORP)
            posts = [_sealed(app, _xml(one.fact, number), _in_xml) for number, one in enumerate(part)]
            ours = _verdicts(made, [_sealed(bot, _json(one.fact), _in_json) for one in part], part)
            events, theirs = _events(posts), _theirs(python, posts)
            if turn >= WARM:
                whole.append(theirs / ours)
                door.append(theirs / events)
    peer = f"{PEER}, signature, decryption and parse of an app's text with the same words"
    return [
        row(
            "WECOM.1",
            whole,
            ">= 1.0",
            "x",
            f"a group's talk posted to an AI bot, verdict of the six plugins included; {peer}",
        ),
        row("WECOM.1.event", door, ">= 1.0", "x", f"a text posted to an app, replay guard and event; {peer}"),
    ]


# — what is posted —


def _json(fact: MessagePosted) -> str:
    body = {
        "msgid": fact.message_id,
        "create_time": int(fact.at.timestamp()),
        "aibotid": "aib1",
        "chatid": fact.group_id,
        "chattype": "group",
        "from": {"userid": fact.account},
        "msgtype": "text",
        "text": {"content": f"@小助手 {fact.text}"},
        "response_url": "https://qyapi.weixin.qq.com/cgi-bin/aibot/response?response_code=CODE",
    }
    return json.dumps(body, ensure_ascii=False)


def _xml(fact: MessagePosted, number: int) -> str:
    fields = {"ToUserName": CORP, "FromUserName": fact.account, "CreateTime": int(fact.at.timestamp())}
    return written({**fields, "MsgType": "text", "Content": fact.text, "MsgId": number, "AgentID": 1000002})


def _sealed(cipher: Cipher, plain: str, wrapped: Any) -> Sent:
    encrypted, nonce = cipher.encrypt(plain.encode()), str(abs(hash(plain)))
    signature = cipher.sign(str(BEGUN), nonce, encrypted)
    return {"msg_signature": signature, "timestamp": str(BEGUN), "nonce": nonce}, wrapped(encrypted)


def _in_json(encrypted: str) -> bytes:
    return json.dumps({"encrypt": encrypted}).encode()


def _in_xml(encrypted: str) -> bytes:
    return written({"ToUserName": CORP, "AgentID": "1000002", "Encrypt": encrypted}).encode()


# — what it costs —


def _doors(kind: Kind) -> Doors:
    cipher = Cipher(TOKEN, KEY, "" if kind == "aibot" else CORP)
    door = Door(path="/x", kind=kind, self_id="aib1", cipher=cipher)
    return Doors([door], Config(), Clockwork(now=lambda: float(BEGUN)))


def _verdicts(made: Flowing, posts: Sequence[Sent], part: Sequence[Told]) -> float:
    doors, left, frame = (
        _doors("aibot"),
        list[object](),
        Frame(self_id="aib1", name="小助手", now=float(BEGUN)),
    )
    sight, glance = Sight(now=datetime.fromtimestamp(BEGUN, UTC)), made.engine.flow.glance

    def work() -> None:
        for (query, body), one in zip(posts, part, strict=True):
            post = doors.examine("/x", query, body)
            assert isinstance(post, Post)
            (fact,) = read(aibot_event(post.content, frame), sight)
            assert fact.group_id
            # The engine of the bench knows its groups under another platform's name: it is given its own of the fact.
            if (pending := glance(one.fact)) is not None:
                left.append(pending)

    us = cpu_us(len(posts), work)
    assert not left, f"{len(left)} harmless messages were not finished at a glance"
    return us


def _events(posts: Sequence[Sent]) -> float:
    doors = _doors("app")

    def work() -> None:
        for query, body in posts:
            post = doors.examine("/x", query, body)
            assert isinstance(post, Post)
            app_event(post.content, "ww1:1", float(BEGUN))

    return cpu_us(len(posts), work)


def _theirs(python: str, posts: Sequence[Sent]) -> float:
    with tempfile.TemporaryDirectory(prefix="go-") as folder:
        path = Path(folder) / "posts.json"
        path.write_text(json.dumps([[query, body.decode()] for query, body in posts]), encoding="utf-8")
        command = [python, str(ROOT / "bench" / "wecom_peer.py"), str(path), TOKEN, KEY, CORP]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    return float(done.stdout)


def _peer() -> str:
    """Make the peer's environment and give its interpreter; nothing, and say so, where that cannot be done."""
    done = subprocess.run(
        [ROOT / "scripts" / "peer", HOME], check=False, capture_output=True, text=True, cwd=ROOT
    )
    if done.returncode:
        print(f"NO PEER: {PEER} could not be installed; WECOM.1 is left out", file=sys.stderr)
        return ""
    return str(ROOT / done.stdout.split()[-1])


if __name__ == "__main__":
    for one in rows():
        print(json.dumps(one, ensure_ascii=False))
