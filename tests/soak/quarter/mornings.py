"""Mornings in the company: who agrees to check in, who does and when, who asks for leave, who takes it all back."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

from groupops import AccountId, Location
from tests.soak.quarter.company import Room

if TYPE_CHECKING:
    from tests.soak.quarter.life import Life

TAIL = 0.00071829354
"""Added to every coordinate, so that its digits are found wherever they should not be."""

OPEN, DUE, CLOSE = time(8, 30), time(9), time(9, 30)
"""As the pack of the furniture company has them."""

AGREE, DECLINE, WITHDRAW = "同意打卡", "不同意打卡", "撤回同意"
PLACES = ("总部", "公司", "客户A处", "在客户那边", "休假", "展会现场")
_ASKED = re.compile(r"前打卡")


def plan(life: Life, today: date) -> None:
    """Plan what nobody asked for: words about consent, leave, lists, and places of whom it is not for."""
    room = _room(life)
    if room is None:
        return
    for _ in range(life.about(2.0)):
        life.at(life.moment(today, 8.5, 9.5), lambda life: _unasked(life, room))
    for _ in range(life.about(1.0)):
        life.at(life.moment(today, 8, 20), lambda life: _has_a_word(life, room))
    for _ in range(life.about(1.5)):
        life.at(life.moment(today, 7, 18), lambda life: _petitions(life, room))
    life.at(life.moment(today, 9.6, 18), lambda life: _looks(life, room))


def asked(life: Life, room: Room, account: AccountId, action: Any, ref: str) -> bool:
    """Decide what somebody does about a word of check-in; False when it was about something else."""
    if action.subject == "check_in:consent":
        word = life.dice.choices((AGREE, DECLINE, ""), weights=(75, 15, 10))[0]
        if word:
            life.later(lambda life: _answers(life, room, account, ref, word), 0.05, 30)
        return True
    if action.subject.startswith("check_in:"):
        if life.chance(0.7):
            word = life.dice.choice([option.word for option in action.options])
            life.later(lambda life: life.press(room, account, ref, word), 0.1, 10)
        return True
    if _ASKED.search(action.text) is None or action.text.startswith("打卡告知"):
        return False
    _will_check_in(life, room, account)
    return True


def _will_check_in(life: Life, room: Room, account: AccountId) -> None:
    """Once a day: in time, late, or not at all."""
    one = life.company.of(account)
    today = life.now.astimezone(life.zone).date()
    if one is None or (one.number, today) in life.truth.planned:
        return
    life.truth.planned.add((one.number, today))
    roll = life.dice.random()
    if roll > one.punctual + (1 - one.punctual) * 0.7:
        return
    low, high = (OPEN, DUE) if roll < one.punctual else (time(9, 0, 1), CLOSE)
    start, end = (datetime.combine(today, clock, life.zone) for clock in (low, high))
    moment = start + (end - start) * life.dice.random()
    life.at(max(life.now, moment), lambda life: _checks_in(life, room, account))


async def _answers(life: Life, room: Room, account: AccountId, ref: str, word: str) -> None:
    if account in life.members(room):
        life.consents(account, word)
        await life.press(room, account, ref, word)


async def _checks_in(life: Life, room: Room, account: AccountId) -> None:
    """Share a place: by a point to the bot alone or before all, or by words."""
    if account not in life.members(room):
        return
    roll = life.dice.random()
    box = life.sandbox(room)
    if roll < 0.7:
        seen = box.locate(room.name, account, _point(life), private=roll < 0.5)
        if seen is None:
            return  # muted
    elif roll < 0.95:
        await life.whisper(room, account, f"位置:{life.dice.choice(PLACES)}")
    else:
        point = _point(life)
        await life.whisper(room, account, f"位置 {point.latitude},{point.longitude}")
        return
    one = life.company.of(account)
    if one is not None:
        life.truth.seen.setdefault((one.number, life.now.astimezone(life.zone).date()), []).append(life.now)


def _point(life: Life) -> Location:
    return Location(
        latitude=round(31.2304 + life.dice.uniform(-0.02, 0.02), 3) + TAIL,
        longitude=round(121.4737 + life.dice.uniform(-0.06, 0.02), 3) + TAIL,
        crs=life.dice.choice(("gcj02", "wgs84", "bd09", "unknown")),
    )


async def _unasked(life: Life, room: Room) -> None:
    """Somebody shows a place whom nobody asked: without consent, of another department, or twice."""
    who = _of_the_field(life, room, agreed=False) if life.chance(0.7) else life.somebody(room)
    if who is not None:
        await _checks_in(life, room, who)


def _of_the_field(life: Life, room: Room, *, agreed: bool) -> AccountId | None:
    """Somebody who owes a check-in, and whose last word on it was a yes, or was none."""
    found: list[AccountId] = []
    for account in life.members(room):
        one = life.company.of(account)
        if one is not None and "业务人员" in one.roles:
            words = life.truth.agreed.get(one.number, [])
            found += [account] if (bool(words) and words[-1][1] == AGREE) == agreed else []
    return life.dice.choice(found) if found else None


async def _has_a_word(life: Life, room: Room) -> None:
    who = _of_the_field(life, room, agreed=life.chance(0.6)) or life.somebody(room)
    if who is None:
        return
    word = life.dice.choice((AGREE, AGREE, WITHDRAW, "删除我的位置", "我的打卡"))
    life.consents(who, word)
    await life.whisper(room, who, word)


async def _petitions(life: Life, room: Room) -> None:
    who = _of_the_field(life, room, agreed=life.chance(0.8)) or life.somebody(room)
    if who is not None:
        words = (
            "请假 今天 看病",
            "请假 明天 家里有事",
            "更正打卡 昨天 客户A处 忘了发",
            "更正打卡 今天 展会 手机没电",
        )
        await life.whisper(room, who, life.dice.choice(words))


async def _looks(life: Life, room: Room) -> None:
    """A dispatcher, or somebody who is none, asks for a list; now and then for the week's board."""
    number = life.dice.choice((10, 11, 12, 40, 1))
    who = life.company.people[number].account(room.platform)
    await life.whisper(room, who, "打卡周报" if life.chance(0.05) else "打卡名单")


def _room(life: Life) -> Room | None:
    return next((room for room in life.company.rooms if "quarter_sales" in room.packs), None)


def hour_of(moment: datetime, life: Life) -> time:
    """Give the time of day in the group."""
    return moment.astimezone(life.zone).time()
