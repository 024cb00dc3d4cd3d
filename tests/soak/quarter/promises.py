"""Promises in the company: what members answer to an item of the ledger, and what stewards do about it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from groupops import AccountId
from tests.soak.quarter.company import Room

if TYPE_CHECKING:
    from tests.soak.quarter.life import Life

ANSWERS = (
    ("接受 {id}", 30),
    ("替代 {id} 分享一条行业信息", 15),
    ("替代 {id} 免除", 5),
    ("致歉 {id} 我当时话说重了,抱歉", 10),
    ("凭证 {id} 已在群里发了", 5),
    ("申诉 {id} 并没有骂人", 15),
    ("", 20),
)
DEEDS = (
    ("核准红包 {id}", 6),
    ("结清 {id} 看过了", 8),
    ("减免 {id} 情有可原", 1),
    ("减至 {id} 2 初次", 1),
    ("撤销 {id} 弄错了", 1),
    ("", 5),
)


def plan(life: Life, today: date) -> None:
    """Plan what nobody asked for: red packets for no reason, and questions about the ledger."""
    room = _room(life)
    if room is None:
        return
    if life.chance(0.4):
        life.at(life.moment(today, 9, 21), lambda life: _sends_a_packet(life, room, life.somebody(room)))
    for _ in range(life.about(1.0)):
        life.at(life.moment(today, 9, 21), lambda life: _asks(life, room))
    if life.chance(0.15):
        life.at(life.moment(today, 9, 21), lambda life: _answers_for_others(life, room))


def asked(life: Life, room: Room, account: AccountId, action: Any, ref: str) -> bool:
    """Decide what somebody does about a word of the ledger; False when it was about something else."""
    if not action.subject.startswith("red_packet:"):
        return False
    number = action.subject.removeprefix("red_packet:")
    one = life.company.of(account)
    steward = one is not None and one.number in life.company.stewards
    table = DEEDS if steward else ANSWERS
    word = life.dice.choices([said for said, _ in table], weights=[weight for _, weight in table])[0]
    if not word:
        return True
    options = {option.word for option in action.options}
    if word.split()[0] in options and life.chance(0.4):
        life.later(lambda life: life.press(room, account, ref, word.split()[0]), 0.1, 30)
    else:
        life.later(lambda life: life.whisper(room, account, word.format(id=number)), 0.1, 50)
    if word.startswith("接受"):
        life.later(lambda life: _sends_a_packet(life, room, account), 1, 60)
    if word.startswith("替代"):
        life.later(lambda life: life.whisper(room, account, f"已完成替代 {number} 发过了"), 20, 120)
    if life.chance(0.1):
        life.later(lambda life: life.whisper(room, account, word.format(id=number)), 1, 90)  # once more
    return True


async def _sends_a_packet(life: Life, room: Room, account: AccountId | None) -> None:
    if account is not None and account in life.members(room):
        life.sandbox(room).red_packet(room.name, account, wish="大家辛苦")


async def _asks(life: Life, room: Room) -> None:
    who = life.somebody(room)
    steward = life.company.people[life.dice.choice(life.company.stewards)].account(room.platform)
    if who is not None:
        await life.whisper(
            room, life.dice.choice((who, steward)), life.dice.choice(("我的台账", "台账", "月结"))
        )


async def _answers_for_others(life: Life, room: Room) -> None:
    """Somebody accepts, settles or waives what is none of his business."""
    who = life.somebody(room)
    if who is not None:
        word = life.dice.choice(("接受", "结清", "减免", "核准红包", "替代"))
        await life.whisper(room, who, f"{word} {life.dice.randint(1, 200)} 我来")


def _room(life: Life) -> Room | None:
    return next((room for room in life.company.rooms if "quarter_chamber" in room.packs), None)
