"""Sentences in which somebody posts, quotes, recalls, chooses or gives a command."""
# ruff: noqa: D415 - the first lines are sentences of the Chinese manual, with its full stop

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

from groupops.errors import ScenarioError
from groupops.events import Card, File, Image, Link, Location, Media, MessagePosted, Segment, Voice
from groupops.people import AccountId
from groupops.scenario.language import when
from groupops.scenario.seeing import last_post
from groupops.scenario.stage import Missing, Stageplay, Unmet
from groupops.scenario.words import filler, meaning

BOT = "机器人"


async def post(stage: Stageplay, name: str, text: str = "", *parts: Segment, **more: Any) -> None:
    """Have somebody post in the present group.

    Raises:
        Unmet: they are muted.
    """
    await stage.ready()
    if not stage.world.may_post(stage.native, stage.actor(name).name):
        raise Unmet(f"{name} is muted and cannot post")
    stage.sandbox.say(stage.native, name, text, segments=parts, **more)
    await stage.settle()


def _mentioned(stage: Stageplay, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple("bot" if name == BOT else stage.actor(name).name for name in names)


def _media(stage: Stageplay, kind: str, **more: Any) -> Media:
    data = f"{kind} {stage.next_number()}".encode()
    media = Media(id=f"media{stage.next_number()}", media_kind=kind, size=len(data), **more)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - kinds come from the steps below
    kept: Media = stage.world.keep(media, data)
    return kept


# — words —


@when("{account} [又]说{text}")
async def says(stage: Stageplay, name: str, text: str) -> None:
    """在群里发一条文字消息。"""
    await post(stage, name, text)


@when("{account} [又]说")
async def says_long(stage: Stageplay, name: str, *, doc: str) -> None:
    """在群里发一条文字消息,文字写在下面。"""
    await post(stage, name, doc)


@when("{account} 连说 {int} 条{text}")
async def says_often(stage: Stageplay, name: str, times: int, text: str) -> None:
    """一秒一条,连发几条同样的消息。"""
    for number in range(times):
        await post(stage, name, text)
        if number < times - 1:
            await stage.advance(timedelta(seconds=1))


@when("{account} @ {accounts} 说{text}")
async def says_to(stage: Stageplay, name: str, others: tuple[str, ...], text: str) -> None:
    """发消息并提及他人;提及「机器人」即对机器人说。"""
    await post(stage, name, text, mentions=_mentioned(stage, others))


@when("{account} @ {accounts} 说一段 {int} 字的话")
async def says_much_to(stage: Stageplay, name: str, others: tuple[str, ...], length: int) -> None:
    """对他人说一段这么多字的平常话。"""
    await post(stage, name, filler(length), mentions=_mentioned(stage, others))


@when("{account} 转述一段 {int} 字的资讯")
async def shares(stage: Stageplay, name: str, length: int) -> None:
    """发一段这么多字、不带链接、不对任何人说的资讯。"""
    await post(stage, name, filler(length))


@when("{account} 转述一段 {int} 字的资讯,附链接{text}")
async def shares_with_link(stage: Stageplay, name: str, length: int, url: str) -> None:
    """发一段这么多字的资讯,后面附一个链接。"""
    await post(stage, name, f"{filler(length)} {url}")


@when("{account} 转述一段 {int} 字的资讯,文末写{text}")
async def shares_and_adds(stage: Stageplay, name: str, length: int, text: str) -> None:
    """发一段这么多字的资讯,末尾另加一句。"""
    await post(stage, name, filler(length) + text)


@when("{account} 引用 {account} 的消息说{text}")
async def quotes(stage: Stageplay, name: str, other: str, text: str) -> None:
    """引用某人的上一条消息发言。"""
    await stage.ready()
    await post(stage, name, text, quote=last_post(stage, other).id)


@when("{account} 引用机器人的消息说{text}")
async def quotes_bot(stage: Stageplay, name: str, text: str) -> None:
    """引用机器人在群里的上一条消息发言。"""
    said = stage.world.said_by_bot(stage.native)
    if not said:
        raise Missing("the bot has not said anything in the group yet")
    await post(stage, name, text, quote=said[-1].id)


# — other parts —


@when("{account} [又]发 {int} 张图片")
async def posts_images(stage: Stageplay, name: str, count: int) -> None:
    """一秒一张,发几张图片。"""
    await stage.ready()
    for number in range(count):
        await post(stage, name, "", Image(media=_media(stage, "image")))
        if number < count - 1:
            await stage.advance(timedelta(seconds=1))


@when("{account} 发文件{text}")
async def posts_file(stage: Stageplay, name: str, file: str) -> None:
    """发一个文件,引号里是文件名。"""
    await stage.ready()
    await post(stage, name, "", File(media=_media(stage, "file"), name=file))


@when("{account} 发链接{text},标题{text}")
async def posts_link(stage: Stageplay, name: str, url: str, title: str) -> None:
    """转发一个链接卡片。"""
    await post(stage, name, "", Link(url=url, title=title))


@when("{account} 转发聊天记录{text}")
async def forwards(stage: Stageplay, name: str, text: str) -> None:
    """合并转发一段聊天记录。"""
    await post(stage, name, "", Card(card_kind="forward", title="聊天记录", text=text))


@when("{account} 发一条 {duration}的语音")
async def posts_voice(stage: Stageplay, name: str, span: timedelta) -> None:
    """发一条这么长的语音。"""
    await stage.ready()
    await post(stage, name, "", Voice(media=_media(stage, "voice", duration=span)))


@when("{account} 发位置{text}")
async def shares_location(stage: Stageplay, name: str, label: str) -> None:
    """在群里发一个位置。"""
    await _locate(stage, name, Location(latitude=22.8, longitude=108.3, label=label))


@when("{account} 私下向机器人发位置{text}")
async def shares_location_privately(stage: Stageplay, name: str, label: str) -> None:
    """只对机器人发一个位置。"""
    await _locate(stage, name, Location(latitude=22.8, longitude=108.3, label=label), private=True)


@when("{account} 发位置{text},坐标{text}")
async def shares_point(stage: Stageplay, name: str, label: str, point: str) -> None:
    """在群里发一个位置,写明坐标:「纬度,经度 坐标系」,坐标系为 gcj02、wgs84、bd09 或省略(不明)。"""
    await _locate(stage, name, _point(point, label))


@when("{account} 私下向机器人发位置{text},坐标{text}")
async def shares_point_privately(stage: Stageplay, name: str, label: str, point: str) -> None:
    """只对机器人发一个位置,写明坐标:「纬度,经度 坐标系」。"""
    await _locate(stage, name, _point(point, label), private=True)


@when("{account} 在单位考勤里打卡,地点{text}")
async def punches(stage: Stageplay, name: str, label: str) -> None:
    """在单位的考勤系统(如企业微信的打卡)里打卡,地点只有文字;机器人来查时才知道。"""
    await _punch(stage, name, label=label)


@when("{account} 在单位考勤里打卡,坐标{text}")
async def punches_at(stage: Stageplay, name: str, point: str) -> None:
    """在单位的考勤系统里打卡,写明坐标:「纬度,经度 坐标系」。"""
    await _punch(stage, name, location=_point(point, ""))


@when("{account} 在单位考勤里打卡,坐标{text},异常{text}")
async def punches_oddly(stage: Stageplay, name: str, point: str, odd: str) -> None:
    """在单位的考勤系统里打卡,考勤认为有异常:时间、地点、设备(几样用顿号隔开)。"""
    found = tuple(meaning("oddity", word) for word in odd.split("、"))
    await _punch(stage, name, location=_point(point, ""), odd=found)


async def _punch(stage: Stageplay, name: str, **punched: Any) -> None:
    await stage.ready()
    stage.world.punch(stage.actor(name).name, **punched)
    await stage.settle()


async def _locate(stage: Stageplay, name: str, place: Location, *, private: bool = False) -> None:
    await stage.ready()
    stage.sandbox.locate(stage.native, stage.actor(name).name, place, private=private)
    await stage.settle()


def _point(text: str, label: str) -> Location:
    """Read `22.8170,108.3665 gcj02`.

    Raises:
        ScenarioError: it is no point.
    """
    found = _POINT.fullmatch(text.strip().lower())
    if found is None:
        raise ScenarioError(f"“{text}” is no point; write 纬度,经度 坐标系, e.g. 22.8170,108.3665 gcj02")
    crs: Any = found["crs"] or "unknown"
    return Location(latitude=float(found["lat"]), longitude=float(found["lon"]), crs=crs, label=label)


_POINT = re.compile(
    r"(?P<lat>-?\d+(?:\.\d+)?)\s*[,,]\s*(?P<lon>-?\d+(?:\.\d+)?)(?:\s+(?P<crs>gcj02|wgs84|bd09))?"
)


@when("{account} 发红包,写着{text}")
async def sends_red_packet(stage: Stageplay, name: str, wish: str) -> None:
    """在群里发一个红包。"""
    await stage.ready()
    stage.sandbox.red_packet(stage.native, stage.actor(name).name, wish=wish)
    await stage.settle()


# — taken back, late, again —


@when("{account} 撤回刚才的消息")
async def recalls(stage: Stageplay, name: str) -> None:
    """撤回自己的上一条消息。"""
    await stage.ready()
    stage.sandbox.recall(stage.native, last_post(stage, name).id, by=name)
    await stage.settle()


@when("{account} 在 {duration}后撤回刚才的消息")
async def recalls_later(stage: Stageplay, name: str, span: timedelta) -> None:
    """过一段时间后撤回自己的上一条消息。"""
    await stage.advance(span)
    await recalls(stage, name)


@when("{account} 撤回 {account} 的消息")
async def recalls_of_other(stage: Stageplay, name: str, other: str) -> None:
    """由管理员或群主手工撤回某人的上一条消息。"""
    await stage.ready()
    stage.sandbox.recall(stage.native, last_post(stage, other).id, by=stage.actor(name).name)
    await stage.settle()


@when("平台延迟 {duration}才送达 {account} 说的{text}")
async def delivered_late(stage: Stageplay, span: timedelta, name: str, text: str) -> None:
    """一条消息过了这么久才送到。"""
    await stage.ready()
    told = stage.sandbox.say(stage.native, stage.actor(name).name, text)
    stage.sandbox.take()
    await stage.advance(span)
    if told is not None:
        late = replace(told, received_at=stage.rig.clock.now())
        stage.posted.append(late)
        await stage.tell(late)
        await stage.settle()


@when("同一条消息又送达 {int} 次")
async def delivered_again(stage: Stageplay, times: int) -> None:
    """平台把上一条消息原样再送来几次。"""
    for _ in range(times):
        await stage.tell(_last(stage))
    await stage.settle()


@when("另一来源{text}在 {duration}后也送来同一条消息")
async def delivered_by_another(stage: Stageplay, source: str, span: timedelta) -> None:
    """会话存档、另一个机器人等也看到了上一条消息。"""
    event = _last(stage)
    copy = replace(
        event,
        id=f"{source}:{event.id}",
        source=source,
        message_id=f"{source}:{event.message_id}",
        at=event.at + span,
    )
    await stage.tell(copy)
    await stage.settle()


@when("平台送来一条没有发送人编号的消息{text}")
async def delivered_nameless(stage: Stageplay, text: str) -> None:
    """平台没有说明是谁发的一条消息。"""
    await stage.ready()
    number = stage.next_number()
    event = MessagePosted(
        id=f"nameless:{number}",
        at=stage.rig.clock.now(),
        group_id=stage.place.id,
        account=AccountId(""),
        message_id=f"nameless{number}",
        text=text,
    )
    await stage.tell(event)
    await stage.settle()


def _last(stage: Stageplay) -> MessagePosted:
    if not stage.posted:
        raise Missing("no message was delivered yet that could come again")
    return stage.posted[-1]


# — to the bot —


@when("{account} 私信机器人{text}")
async def whispers(stage: Stageplay, name: str, text: str) -> None:
    """私下对机器人发指令;平台听不到私信时视作在管理台输入。"""
    await stage.command(name, text)


@when("{account} 点选{text}")
async def presses(stage: Stageplay, name: str, word: str) -> None:
    """点机器人最近一条消息上的按钮;没有按钮的平台改为回复这个词。"""
    await stage.ready()
    account = stage.account(name)
    private = [letter.post for letter in stage.world.letters_to(account)]
    offered = [
        post
        for post in (*stage.world.said_by_bot(stage.native), *private)
        if any(option.word == word for option in post.options)
    ]
    if offered:
        stage.sandbox.press(stage.native, name, max(offered, key=lambda post: post.at).id, word)
        await stage.settle()
        return
    await post(stage, name, word)


@when("{account} {decision}该事项")
async def decides(stage: Stageplay, name: str, word: str) -> None:
    """对最近一个事项作决定,不写理由。"""
    await stage.ready()
    await stage.command(name, f"{word} {(await stage.case()).id}")


@when("{account} {decision}该事项,理由{text}")
async def decides_for_a_reason(stage: Stageplay, name: str, word: str, reason: str) -> None:
    """对最近一个事项作决定,并写明理由(由人选档的阶梯先写档名)。"""
    await stage.ready()
    await stage.command(name, f"{word} {(await stage.case()).id} {reason}")


@when("{account} {decision}事项 {int},理由{text}")
async def decides_one(stage: Stageplay, name: str, word: str, number: int, reason: str) -> None:
    """对编号为此的事项作决定。"""
    await stage.command(name, f"{word} {number} {reason}")


@when("{account} 举报该消息,理由{text}")
async def reports(stage: Stageplay, name: str, reason: str) -> None:
    """引用群里上一条消息并发送「举报 理由」;看不到引用的平台上改为写明举报谁。"""
    await stage.ready()
    reported = last_post(stage)
    if "quote" in stage.sandbox.profile.segments:
        await post(stage, name, f"举报 {reason}", quote=reported.id)
    else:
        await post(stage, name, f"举报 {stage.called(reported.account)} {reason}")
