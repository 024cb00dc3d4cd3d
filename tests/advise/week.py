"""A week of a group of two hundred, made up by dice with a known seed, as WeChat's multi-select mail shows it."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

GROUP = "青竹咨询全员群"
MONDAY = datetime(2025, 3, 10, 0, 0)  # noqa: DTZ001 - as the phone shows it, without a zone
SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英华慧建文辉玲宇"
TALK = (
    "收到",
    "好的,谢谢",
    "明天上午十点开例会",
    "周报已经发到邮箱了",
    "请问发票抬头怎么写",
    "客户那边已经确认了方案",
    "会议室改到三楼",
    "辛苦大家",
    "这个版本的报价单请再看一下",
    "我下午在外面,晚点回复",
)
INSULT = "你就是个傻逼,滚出去"
AT_NIGHT = "还有人在吗,聊会儿天"


@dataclass(frozen=True)
class Line:
    """One message of the week."""

    at: datetime
    name: str
    text: str


def people(count: int = 200, seed: int = 7) -> list[str]:
    """Give names of which no two are alike."""
    dice = random.Random(seed)
    names: dict[str, None] = {}
    while len(names) < count:
        names[dice.choice(SURNAMES) + "".join(dice.sample(GIVEN, 2))] = None
    return list(names)


def week(names: list[str], *, day: datetime = MONDAY, days: int = 7, seed: int = 11) -> list[Line]:
    """Give the harmless talk of some days, in order of time."""
    dice = random.Random(seed)
    lines = [
        Line(
            day + timedelta(days=number, minutes=dice.randrange(9 * 60, 18 * 60)),
            dice.choice(names),
            dice.choice(TALK),
        )
        for number in range(days)
        for _ in range(80)
    ]
    return sorted(lines, key=lambda line: line.at)


def mail(lines: list[Line]) -> str:
    """Write messages as WeChat's multi-select mail does."""
    parts, shown = [f'Dear:\n\n微信群"{GROUP}"的聊天记录如下:\n'], ""
    for line in sorted(lines, key=lambda one: one.at):
        day = f"{line.at.year}-{line.at.month}-{line.at.day}"
        if day != shown:
            parts.append(f"—————  {day}  —————\n")
            shown = day
        parts.append(f"{line.name} {line.at:%H:%M}\n{line.text}\n")
    return "\n".join(parts)
