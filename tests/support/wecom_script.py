"""What a bot is put through on the make-believe WeCom, whoever wrote it, and the shape of what it sent.

An AI bot that takes part does this: on a message that ends in `go` it answers with a stream in two frames, then with a
card; pushes markdown, a card and an uploaded file of two chunks; answers with the file too. On a press it replaces
the card for who pressed; it welcomes with a text; it fetches what it is sent in an image.

An app that takes part writes a text, a markdown and an uploaded file to `lisi`, and reads the contacts.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from groupops_wecom.testing import AiBot, FakeWeCom, Group, until

FRAMES = Path(__file__).parents[1] / "peers" / "wecom_frames"
PICTURE = bytes(range(256)) * 5

Shape = Any


def company(wecom: FakeWeCom) -> tuple[AiBot, Group]:
    """A bot in a group of three, who has not been spoken to yet."""
    world = wecom.world
    for userid, name in (("zhangsan", "张三"), ("lisi", "李四"), ("wangwu", "王五")):
        world.hire(userid, name)
    bot = world.ai_bot()
    group = world.group("值班群", "wangwu", ["zhangsan", "lisi"], chat_id="wrAbCdEf0001", bots={bot.bot_id})
    return bot, group


async def play(wecom: FakeWeCom, bot: AiBot, group: Group) -> None:
    """Put a connected bot through all of it; returns when the last of it was acknowledged."""
    link = wecom.link
    await wecom.say("zhangsan", group, f"@{bot.name} go")
    await until(lambda: len(link.sent_by_bots("aibot_respond_msg")) == 4)
    card = next(one for one in group.said if one.card is not None)
    await wecom.press("zhangsan", card, "here")
    await until(lambda: link.sent_by_bots("aibot_respond_update_msg"))
    await wecom.open_chat("lisi", bot)
    await until(lambda: link.sent_by_bots("aibot_respond_welcome_msg"))


def shapes(wecom: FakeWeCom) -> list[Shape]:
    """The shapes of the frames that came, one of each kind, in the order of first coming; heartbeats left out."""
    found: list[Shape] = []
    told = {one.frame["headers"]["req_id"] for one in wecom.link.frames if one.to_bot}
    for frame in wecom.link.sent_by_bots():
        if frame["cmd"] == "ping":
            continue
        own = frame["headers"]["req_id"] not in told
        shape = {**shape_of(frame), "headers": {"req_id": "the bot's own" if own else "as it came"}}
        if shape not in found:
            found.append(shape)
    return found


def shape_of(value: Any) -> Shape:
    """What a value is made of: tables keep their keys, lists the shapes in them, and words are words.

    What has a meaning of its own stays as it is: commands, kinds, and whether a stream is finished.
    """
    if isinstance(value, dict):
        kept = {"cmd", "msgtype", "card_type", "response_type", "finish"}
        return {key: one if key in kept else shape_of(one) for key, one in sorted(value.items())}
    if isinstance(value, list):
        inner: list[Shape] = []
        for one in map(shape_of, value):
            if one not in inner:
                inner.append(one)
        return inner
    return type(value).__name__


def calls(wecom: FakeWeCom) -> list[Shape]:
    """The shapes of the REST calls that were done, one of each kind, in the order of first coming."""
    found: list[Shape] = []
    for one in wecom.rest.calls:
        shape = {
            "call": f"{one.method} {one.name}",
            "query": sorted(one.query),
            "body": shape_of(one.body),
            "errcode": one.errcode,
        }
        if shape not in found:
            found.append(shape)
    return found


def recorded(peer: str) -> list[Shape]:
    """What a peer sent when it was recorded."""
    shapes_: list[Shape] = json.loads((FRAMES / f"{peer}.json").read_text("utf-8"))
    return shapes_
