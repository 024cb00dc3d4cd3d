"""What happens in the company day by day: who talks, offends, comes, goes, is asked and answers; and what is true of it."""

from __future__ import annotations

import heapq
import itertools
import random
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from groupops import AccountId, GroupId, MessagePosted, Role
from groupops_sandbox import Sandbox
from tests.soak.quarter import mornings, promises
from tests.soak.quarter.bot import Bot
from tests.soak.quarter.company import HERE, THERE, Company, Room, seated

ZONE = ZoneInfo("Asia/Shanghai")
HR = "hr"

TALK = (
    "收到",
    "好的,明天给您",
    "方案改到第三版了",
    "会议室订好了",
    "合同走流程中",
    "客户那边回复了",
    "下午两点开会",
    "辛苦大家",
)
GRIEVANCES = (
    "工资又拖了两个月,你们算什么东西",
    "再不给加班费我就去申请劳动仲裁,你个王八蛋",
    "社保断缴的事,工会管不管",
    "这里有安全隐患,脑子有病才不报",
)
OFFENCES = {
    "insult": ("你就是个王八蛋", "你这个脑残玩意", "狗娘养的东西"),
    "ads": ("兼职刷单日结,月入过万,加微信 abc12345", "日结兼职,点赞返佣,宝妈可做,加微信 zz88888"),
    "gambling": ("六合彩特码资料加微信 abc12345", "澳门赌场上线,首存送彩金"),
    "incite": ("周一一起围堵大楼",),
    "defame": ("真是黑心公司",),
}
_OF_TEMPER = {"rude": "insult", "advertiser": "ads", "gambler": "gambling", "agitator": "incite"}

_SUNDAY = 6

Deed = Callable[["Life"], Awaitable[None]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """Something that was said, and what it was."""

    event_id: str
    message_id: str
    group: GroupId
    account: AccountId
    what: str
    at: datetime


@dataclass
class Truth:
    """What is so, whatever the bot believes.

    `said`: everything said, by the fact's id; `comings`: who came into which group when;
    `gone`: who left the company, and when; `strangers`: attempts to decide by whom it is not for;
    `down`: from when to when nothing ran.
    """

    said: dict[str, Said] = field(default_factory=dict)
    comings: list[tuple[GroupId, AccountId, datetime]] = field(default_factory=list)
    gone: dict[int, datetime] = field(default_factory=dict)
    strangers: int = 0
    agreed: dict[int, list[tuple[datetime, str]]] = field(default_factory=dict)
    """Who said what about consent to check-in, by the person's number, in order."""
    planned: set[tuple[int, date]] = field(default_factory=set)
    """Who decided already whether and when to check in on a day."""
    seen: dict[tuple[int, date], list[datetime]] = field(default_factory=dict)
    """When who showed a place on a day."""
    down: list[tuple[datetime, datetime]] = field(default_factory=list)
    outages: int = 0
    stops: int = 0


@dataclass
class Life:
    """The company and its bot. The dice decide everything; equal dice, equal lives."""

    bot: Bot
    company: Company
    dice: random.Random
    truth: Truth = field(default_factory=Truth)
    _later: list[tuple[datetime, int, Deed]] = field(default_factory=list)
    _turns: Any = field(default_factory=itertools.count)
    _read: dict[str, int] = field(default_factory=dict)
    _next_stop: int = 2

    zone = ZONE

    @property
    def now(self) -> datetime:
        return self.bot.clock.now()

    def sandbox(self, room: Room) -> Sandbox:
        return self.bot.sandboxes[room.platform]

    def chance(self, share: float) -> bool:
        return self.dice.random() < share

    def later(self, deed: Deed, low_h: float, high_h: float) -> None:
        """Have something done in so many hours."""
        self.at(self.now + timedelta(hours=self.dice.uniform(low_h, high_h)), deed)

    def at(self, moment: datetime, deed: Deed) -> None:
        heapq.heappush(self._later, (moment, next(self._turns), deed))

    # — the beginning —

    async def begin(self) -> None:
        """Found the groups, seat everybody, enrol the company and start the bot."""
        for room in self.company.rooms:
            box = self.sandbox(room)
            box.group(room.name)
            for number in seated(self.company, room, self.dice):
                one = self.company.people[number]
                box.member(
                    room.name,
                    one.account(room.platform),
                    name=f"昵称{number}",
                    card=one.card,
                    role=_role(number),
                )
        for box in self.bot.sandboxes.values():
            box.world.listen(self._somebody_came)
        await self.bot.start()
        for account in self.company.named:
            await self.bot.engine.steward(account)
        await self.enrol(list(self.company.people))
        for room in self.company.rooms:
            owner = self.company.people[1].account(room.platform)
            await self.bot.bind(room.id, room.packs, name=room.name, owner=owner)
            self.sandbox(room).census(room.name)
        await self.bot.tell()

    # — what is so —

    @property
    def comings(self) -> list[tuple[GroupId, AccountId, datetime]]:
        """Who came into which group when, whether the bot heard of it or not."""
        return self.truth.comings

    def consents(self, account: AccountId, word: str) -> None:
        """Keep what somebody said about consent to check-in."""
        one = self.company.of(account)
        if one is not None and word in (mornings.AGREE, mornings.DECLINE, mornings.WITHDRAW):
            self.truth.agreed.setdefault(one.number, []).append((self.now, word))

    def unheard(self, moment: datetime) -> bool:
        """Say whether nothing ran at that moment."""
        return any(start <= moment <= end for start, end in self.truth.down)

    def text_of(self, said: Said) -> str:
        room = next(one for one in self.company.rooms if one.id == said.group)
        return self.sandbox(room).world.post_of(room.name, said.message_id).text

    def accounts_beside(self, account: AccountId) -> tuple[AccountId, ...]:
        """Give all accounts of the person one belongs to."""
        one = self.company.of(account)
        return (account,) if one is None else one.accounts

    async def enrol(self, numbers: list[int]) -> None:
        """Have the roster say who these are."""

        async def said(engine: Any) -> None:
            _, facts = await engine.people.enrol(self.company.lines(numbers), by=HR)
            for fact in facts:
                await engine.flow.handle(fact)

        await self.bot.do(said)

    def _somebody_came(self, fact: Any) -> None:
        if fact.kind == "member_joined":
            self.truth.comings.append((fact.group, fact.account, fact.at))

    # — a day —

    async def day(self, today: date) -> None:
        """Live through a day, from its midnight to the next."""
        for room in self.company.rooms:
            self._plan_talk(today, room)
        self._plan_people(today)
        self._plan_upkeep(today)
        mornings.plan(self, today)
        promises.plan(self, today)
        end = datetime.combine(today + timedelta(days=1), time(), ZONE)
        while self._later and self._later[0][0] < end:
            moment, _, deed = heapq.heappop(self._later)
            await self.bot.until(moment)
            await deed(self)
            await self.bot.tell()
            self._read_answers()
        await self.bot.until(end)
        self._read_answers()

    def _plan_talk(self, today: date, room: Room) -> None:
        worked = self.bot.engine.parts.calendar.is_workday(today)
        for _ in range(self.about(room.talk if worked else room.talk / 4)):
            self.at(self.moment(today, 8, 19), lambda life, room=room: life._talks(room))
        for _ in range(self.about(room.talk / 18)):
            self.at(self.moment(today, 22.6, 23.9), lambda life, room=room: life._talks(room))
            self.at(self.moment(today, 0.1, 6.9), lambda life, room=room: life._talks(room))
        for _ in range(self.about(room.talk / 11)):
            self.at(self.moment(today, 7.5, 23.9), lambda life, room=room: life._misbehaves(room))
        if self.chance(0.25):
            self.at(self.moment(today, 9, 18), lambda life, room=room: life._complains(room))

    def _plan_people(self, today: date) -> None:
        for _ in range(self.about(1.1)):
            self.at(self.moment(today, 8, 23), _somebody_joins)
        for _ in range(self.about(0.9)):
            self.at(self.moment(today, 8, 23), _somebody_leaves)
        for _ in range(self.about(1.2)):
            self.at(self.moment(today, 8, 22), _somebody_renames)
        for _ in range(self.about(1.5)):
            self.at(self.moment(today, 9, 17), _duty_is_handed_out)
        for _ in range(self.about(1.0)):
            self.at(self.moment(today, 9, 21), _somebody_asks)
        if self.chance(0.3):
            self.at(self.moment(today, 9, 18), _somebody_meddles)
        if today.weekday() == 0:
            self.at(self.moment(today, 9, 10), _hr_updates)

    def _plan_upkeep(self, today: date) -> None:
        for room in self.company.rooms:
            if self.chance(0.5) or today.weekday() == _SUNDAY:
                self.at(self.moment(today, 4, 4.5), lambda life, room=room: life._list_is_read(room))
        self._next_stop -= 1
        if self._next_stop <= 0:
            self._next_stop = self.dice.randint(2, 4)
            self.at(self.moment(today, 0, 23.5), _bot_is_stopped)
        if self.chance(0.12):
            self.at(self.moment(today, 8, 22), _platform_fails)

    def about(self, mean: float) -> int:
        whole = int(mean)
        return self.dice.randint(max(0, whole - whole // 3), whole + whole // 3) + self.chance(mean - whole)

    def moment(self, today: date, low_h: float, high_h: float) -> datetime:
        hours = self.dice.uniform(low_h, high_h)
        return max(self.now, datetime.combine(today, time(), ZONE) + timedelta(seconds=round(hours * 3600)))

    # — talk —

    def members(self, room: Room) -> list[AccountId]:
        return [one for one in self.sandbox(room).world.room(room.name).seats if not one.endswith(":bot")]

    def somebody(self, room: Room, temper: str = "") -> AccountId | None:
        """A member of a group, of that temper if given."""
        there = self.members(room)
        if temper:
            there = [
                one for one in there if (who := self.company.of(one)) is not None and who.temper == temper
            ]
        return self.dice.choice(there) if there else None

    def say(self, room: Room, account: AccountId, text: str, what: str, **more: Any) -> MessagePosted | None:
        """Have a member post, and keep what it was."""
        event = self.sandbox(room).say(room.name, account, text, **more)
        if event is not None:
            self.truth.said[event.id] = Said(
                event_id=event.id,
                message_id=event.message_id,
                group=room.id,
                account=event.account,
                what=what,
                at=event.at,
            )
        return event

    async def _talks(self, room: Room) -> None:
        who = self.somebody(room, self.dice.choice(("", "", "owl")))
        if who is not None:
            self.say(room, who, self.dice.choice(TALK), "talk")

    async def _complains(self, room: Room) -> None:
        who = self.somebody(room)
        if who is not None:
            self.say(room, who, self.dice.choice(GRIEVANCES), "grievance")

    async def _misbehaves(self, room: Room) -> None:
        temper = self.dice.choice(tuple(_OF_TEMPER))
        what = self.dice.choice(tuple(OFFENCES)) if self.chance(0.15) else _OF_TEMPER[temper]
        who = self.somebody(room, "" if self.chance(0.1) else temper)
        if who is None:
            return
        event = self.say(room, who, self.dice.choice(OFFENCES[what]), what)
        if event is None:
            return
        await self._and_then(room, event, what)

    async def _and_then(self, room: Room, event: MessagePosted, what: str) -> None:
        """What may follow upon an offence: once more at once, taken back, seen by an archive, reported, told late."""
        roll = self.dice.random()
        soon = self.now + timedelta(seconds=self.dice.randint(5, 100))
        if roll < 0.15:
            self.at(soon, lambda life: life._again(room, event, what))
        elif roll < 0.3:
            self.at(soon, lambda life: life._takes_back(room, event))
        elif roll < 0.4:
            await self._archived(room, event, what)
        elif roll < 0.55:
            self.later(lambda life: life._reports(room, event), 0.05, 20)
        elif roll < 0.75:
            self.later(lambda life: life._again(room, event, what), 0.6, 4)

    async def _again(self, room: Room, event: MessagePosted, what: str) -> None:
        if event.account in self.members(room):
            self.say(room, event.account, self.dice.choice(OFFENCES[what]), what)

    async def _takes_back(self, room: Room, event: MessagePosted) -> None:
        post = self.sandbox(room).world.post_of(room.name, event.message_id)
        if post.recalled_by is None and event.account in self.members(room):
            self.sandbox(room).recall(room.name, event.message_id, by=event.account)

    async def _archived(self, room: Room, event: MessagePosted, what: str) -> None:
        """Another source saw the same, a little off in time."""
        at = event.at + timedelta(seconds=self.dice.uniform(-50, 50))
        copy = replace(
            event, id=f"archive/{event.id}", message_id=f"a{event.message_id}", source="archive", at=at
        )
        await self.bot.tell()
        await self.bot.tell(copy)

    async def _reports(self, room: Room, event: MessagePosted) -> None:
        steward = self.company.people[self.dice.choice(self.company.stewards)].account(room.platform)
        who = steward if self.chance(0.3) else self.somebody(room)
        if who not in (None, event.account):
            self.say(
                room,
                who,
                self.dice.choice(("举报 刷屏了", "举报 骂人", "举报 广告")),
                "report",
                quote=event.message_id,
            )

    # — what the bot says, and what people do about it —

    def _read_answers(self) -> None:
        """Read what the bot did since last time, and decide who will do what about it."""
        for name, box in self.bot.sandboxes.items():
            requests = box.world.requests
            start, self._read[name] = self._read.get(name, 0), len(requests)
            for line in requests[start:]:
                if line.done:
                    self._consider(name, line.action, str(getattr(line.receipt, "ref", "")))

    def _consider(self, platform: str, action: Any, ref: str) -> None:
        room = next((one for one in self.company.rooms if one.id == action.group_id), None)
        if room is None or action.kind not in ("direct_message", "reply", "send_text"):
            return
        if action.kind == "reply":
            self._told(room, action.account, action.text)
            return
        whom = [action.account] if action.kind == "direct_message" else list(action.mentions)
        subject = action.subject
        for account in whom:
            if mornings.asked(self, room, account, action, ref) or promises.asked(
                self, room, account, action, ref
            ):
                continue
            if subject.startswith("case:"):
                self._asked_to_decide(room, account, int(subject.removeprefix("case:")), ref, action.text)
            elif subject.startswith("obligation:"):
                self._reminded(room, account, int(subject.removeprefix("obligation:")), ref)
            elif subject == "welcome:rules" and self.chance(0.6):
                self.later(lambda life, account=account: life.press(room, account, ref, "已读"), 0.1, 40)
            else:
                self._told(room, account, action.text)

    def _asked_to_decide(self, room: Room, steward: AccountId, case: int, ref: str, text: str) -> None:
        if not self.chance(0.4):
            return
        word = "批准" if self.chance(0.7) else "驳回"
        if self.chance(0.2) and "可选" not in text:
            self.later(lambda life: life.press(room, steward, ref, word), 0.1, 30)
            return
        note = self.dice.choice(("警告 看过了", "禁言 屡次", "看过记录")) if word == "批准" else "不成立"
        self.later(lambda life: life.whisper(room, steward, f"{word} {case} {note}"), 0.1, 80)

    def _reminded(self, room: Room, account: AccountId, number: int, ref: str) -> None:
        roll = self.dice.random()
        if roll < 0.6:
            self.later(lambda life: life.press(room, account, ref, "办好"), 0.05, 3)
        elif roll < 0.75:
            self.later(lambda life: life.whisper(room, account, f"说明 {number} 客户现场没有网络"), 6, 24)

    def _told(self, room: Room, account: AccountId, text: str) -> None:
        """A member was told of a case, or a steward of a task."""
        found = re.search(r"申诉 (\d+) 理由", text)
        if found is not None and self.chance(0.3):
            self.later(lambda life: life.whisper(room, account, f"申诉 {found[1]} 当时有误会"), 0.2, 90)
        elif found is not None and self.chance(0.1):
            word = self.dice.choice(("豁免", "撤销", "误报"))
            steward = self.company.people[self.dice.choice(self.company.stewards)].account(room.platform)
            self.later(lambda life: life.whisper(room, steward, f"{word} {found[1]} 情有可原"), 1, 60)
        task = re.search(r"完成 (\d+)", text)
        if task is not None and self.chance(0.3):
            self.later(lambda life: life.whisper(room, account, f"完成 {task[1]}"), 1, 48)
        excuse = re.search(r"批准 T(\d+)", text)
        if excuse is not None and self.chance(0.5):
            word = self.dice.choice(("批准", "驳回"))
            self.later(lambda life: life.whisper(room, account, f"{word} T{excuse[1]} 情况属实"), 0.5, 20)

    async def press(self, room: Room, account: AccountId, ref: str, word: str) -> None:
        """Press a button if it is there still, else say the word."""
        if account not in self.members(room):
            return
        box = self.sandbox(room)
        posts = box.world.room(room.name).posts
        letter = next((one for one in reversed(box.world.letters) if one.id == ref), None)
        post = posts.get(ref) or (letter.post if letter is not None else None)
        if post is not None and word in {option.word for option in post.options}:
            box.press(room.name, account, ref, word)

    async def whisper(self, room: Room, account: AccountId, text: str) -> None:
        """Write to the bot alone, if one is a member still."""
        if account in self.members(room):
            self.sandbox(room).whisper(room.name, account, text)

    # — upkeep —

    async def _list_is_read(self, room: Room) -> None:
        if self.chance(0.9) or self.now.astimezone(ZONE).weekday() == _SUNDAY:
            self.sandbox(room).census(room.name)
        else:
            self.sandbox(room).census(room.name, only=self.dice.sample(self.members(room), 5))

    def room_of_somebody(self) -> Room:
        return self.dice.choice(self.company.rooms)


def _role(number: int) -> Role:
    return {1: Role.OWNER, 2: Role.ADMIN, 3: Role.ADMIN}.get(number, Role.MEMBER)


# — deeds —


async def _somebody_joins(life: Life) -> None:
    """A newcomer of the company, somebody of it who was not in the group, or an outsider comes in."""
    room = life.room_of_somebody()
    there = set(life.members(room))
    roll = life.dice.random()
    if roll < 0.3:
        one = life.company.hire(life.dice)
        if room.platform == THERE:
            life.company.change(one.number, second=True)
            one = life.company.people[one.number]
        if life.chance(0.7):
            await life.enrol([one.number])
        account, card = one.account(room.platform), one.card
    elif roll < 0.85:
        may = [
            one
            for one in life.company.people.values()
            if one.active and one.account(room.platform) not in there
        ]
        may = [one for one in may if room.platform == HERE or one.second]
        if not may:
            return
        one = life.dice.choice(may)
        account, card = one.account(room.platform), life.dice.choice((one.card, one.name, ""))
    else:
        account, card = AccountId(f"{room.platform}:x{life.dice.randint(1, 40)}"), "路过"
    if account in there:
        return
    life.sandbox(room).join(room.name, account, name=f"新人{account[-4:]}", card=card, how="invite")


async def _somebody_leaves(life: Life) -> None:
    room = life.room_of_somebody()
    who = life.somebody(room)
    one = life.company.of(who) if who is not None else None
    if who is None or (one is not None and one.number in life.company.stewards):
        return
    life.sandbox(room).leave(room.name, who)
    if life.chance(0.5):
        life.later(lambda life: _comes_again(life, room, who), 1, 200)


async def _comes_again(life: Life, room: Room, account: AccountId) -> None:
    if account not in life.members(room):
        one = life.company.of(account)
        life.sandbox(room).join(room.name, account, name="又来", card=one.card if one else "")


async def _somebody_renames(life: Life) -> None:
    room = life.room_of_somebody()
    who = life.somebody(room)
    one = life.company.of(who) if who is not None else None
    if who is not None and one is not None:
        card = life.dice.choice(
            (one.card, one.name, f"{one.department}+{one.name}", "快乐小鱼", f"{one.name}😀")
        )
        life.sandbox(room).card(room.name, who, card)


async def _duty_is_handed_out(life: Life) -> None:
    rooms = [room for room in life.company.rooms if "quarter_mixed" in room.packs]
    room = life.dice.choice(rooms)
    steward = life.company.people[life.dice.choice(life.company.stewards)].account(room.platform)
    whom = life.somebody(room)
    if whom is not None and whom != steward:
        title = life.dice.choice(("报上周数据", "回复客户", "私下说明考勤"))
        life.say(room, steward, f"/交办 {title}", "command", mentions=[whom])


async def _somebody_asks(life: Life) -> None:
    room = life.room_of_somebody()
    who = life.somebody(room)
    if who is not None:
        word = life.dice.choice(
            ("我的记录", "帮助", f"为什么 {life.dice.randint(1, 60)}", "群规 1", "群规", "清单")
        )
        await life.whisper(room, who, word)


async def _somebody_meddles(life: Life) -> None:
    """A plain member tries to decide a case."""
    room = life.room_of_somebody()
    who = life.somebody(room)
    one = life.company.of(who) if who is not None else None
    if who is not None and (one is None or one.number not in life.company.stewards):
        life.truth.strangers += 1
        cases = await life.bot.do(lambda engine: engine.parts.records.cases(limit=100_000))
        if cases:
            await life.whisper(
                room,
                who,
                f"{life.dice.choice(('批准', '驳回', '撤销'))} {life.dice.choice(cases).id} 我说了算",
            )


async def _hr_updates(life: Life) -> None:
    """The week's news of the roster: some left, some have another role, some of the newcomers are put on it."""
    changed: list[int] = []
    staff = [one for one in life.company.people.values() if one.active and one.number > 20]
    leavers = life.dice.sample(staff, life.dice.randint(1, 2))
    leavers.append(life.dice.choice([one for one in staff if one.temper not in {"calm", "owl"}]))
    for one in leavers:
        life.company.change(one.number, active=False)
        life.truth.gone[one.number] = life.now
        changed.append(one.number)
    for one in life.dice.sample([one for one in staff if one not in leavers], 2):
        roles = frozenset({"业务人员"}) if not one.roles else frozenset()
        life.company.change(one.number, roles=roles)
        changed.append(one.number)
    await life.enrol(sorted(set(changed)))


async def _bot_is_stopped(life: Life) -> None:
    """The bot is stopped, for a minute or a night; what happens meanwhile it learns of from lists, if at all."""
    life.truth.stops += 1
    start = life.now
    await life.bot.stop()
    span = timedelta(minutes=life.dice.choice((0, 0, 1, 5, 40, 500)))
    for _ in range(span // timedelta(minutes=40)):
        await life._talks(life.room_of_somebody())
        await _somebody_joins_unheard(life)
    life.bot.clock.advance(span)
    if span:
        life.bot.deaf()
    life.truth.down.append((start, life.now))
    await life.bot.start_again()
    for room in life.company.rooms:
        life.sandbox(room).census(room.name)


async def _somebody_joins_unheard(life: Life) -> None:
    room = life.room_of_somebody()
    there = life.members(room)
    may = [
        one for one in life.company.people.values() if one.active and one.account(room.platform) not in there
    ]
    may = [one for one in may if room.platform == HERE or one.second]
    if may and life.chance(0.5):
        one = life.dice.choice(may)
        life.sandbox(room).join(room.name, one.account(room.platform), name="静静", card=one.card)


async def _platform_fails(life: Life) -> None:
    """A platform refuses, is away, slow, or loses answers for a while."""
    box = life.bot.sandboxes[life.dice.choice((HERE, THERE))]
    match life.dice.randrange(4):
        case 0:
            box.faults.unplug()
            life.later(lambda _: _heals(box), 0.1, 1.5)
        case 1:
            box.faults.throttle(times=5)
        case 2:
            box.faults.lose_answers(times=2)
        case _:
            box.faults.refuse(times=2)
    life.truth.outages += 1


async def _heals(box: Sandbox) -> None:
    box.faults.heal()


ROOMS = (
    Room(platform=HERE, name="sales", packs=("quarter_sales",), seats=64, talk=14),
    Room(platform=HERE, name="chamber", packs=("quarter_chamber",), seats=60, talk=18),
    Room(platform=HERE, name="consulting", packs=("s10",), seats=110, talk=14),
    Room(platform=HERE, name="mixed", packs=("quarter_mixed",), seats=90, talk=22),
    Room(platform=THERE, name="field", packs=("quarter_field",), seats=40, talk=10),
)
"""The groups; whoever has a second account may sit in the last and in others."""
