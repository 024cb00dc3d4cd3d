"""An hour in which more is wanted of each interface than WeCom lets through: no rate is overrun, and all is done in the end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from nonebot.drivers import Request, Response

from groupops_wecom.budget import Budget, Throttled, Turnstile
from groupops_wecom.chats import Chats
from groupops_wecom.checkins import CheckIns
from groupops_wecom.config import RobotInfo
from groupops_wecom.letters import Letters, To, Words
from groupops_wecom.qyapi import QyApi
from groupops_wecom.reply import OverLink, markdowned
from groupops_wecom.testing import App, FakeWeCom
from groupops_wecom.webhook import Robot
from tests.support.wecom_stub import START, Hours, most_within

HOUR = 3600
CROWD = 500
"""Persons in the app's group."""
EMPLOYEE = "lisi"


@dataclass
class Company:
    """A company, our client of it in the same process, and time that passes when somebody waits."""

    hours: Hours = field(default_factory=Hours)
    wecom: FakeWeCom = field(init=False)
    app: App = field(init=False)
    api: QyApi = field(init=False)
    said_by_bot: list[float] = field(default_factory=list[float])

    def __post_init__(self) -> None:
        self.wecom = FakeWeCom(lambda: self.hours.moment)
        self.wecom.world.hire("zhangsan", "张三")
        self.wecom.world.hire(EMPLOYEE, "李四")
        self.app = self.wecom.world.app()
        self.api = QyApi(
            self.wecom.world.corp_id, {"app": self.app.secret}, self.request, clock=self.hours.hurried
        )

    async def request(self, setup: Request) -> Response:
        """Hand a request over without a socket."""
        body = setup.content or b""
        data = body.encode() if isinstance(body, str) else body
        headers = {name.lower(): value for name, value in setup.headers.items()}
        url = setup.url
        answer = await self.wecom.rest.handle(setup.method, url.path, url.raw_query_string, headers, data)
        return Response(answer.status, headers=dict(answer.headers), content=answer.body)

    async def command(self, cmd: str, body: Any, req_id: str | None = None) -> dict[str, Any]:
        """Take a command of the AI bot's as WeCom does."""
        bots, bot = self.wecom.bots, self.wecom.world.bots["aib1"]
        self.said_by_bot.append(self.hours.moment)
        if cmd == "aibot_upload_media_init":
            return bots.upload_init(bot, body)
        if cmd == "aibot_upload_media_finish":
            self.said_by_bot.pop()
            return bots.upload_finish(bot, body)
        if cmd == "aibot_upload_media_chunk":
            self.said_by_bot.pop()
            bots.upload_chunk(bot, body)
        else:
            bots.push(bot, body)
        return {}

    def bot(self) -> OverLink:
        """Give the AI bot's way to speak, to somebody who has spoken to it."""
        self.wecom.world.ai_bot("aib1", name="小助手")
        self.wecom.bots.spoken.add(("aib1", EMPLOYEE))
        turnstile = Turnstile(Budget(lambda: self.hours.moment), self.hours.hurried)
        return OverLink("aib1", self.command, lambda _: False, turnstile, self.hours.hurried)  # type: ignore[arg-type]

    def made(self, name: str) -> list[float]:
        """Give when an interface was called."""
        return [call.at for call in self.wecom.rest.calls if call.name == name]

    def refused(self) -> list[str]:
        """Give what WeCom called too often."""
        return [call.name for call in self.wecom.rest.calls if call.errcode == 45009]


Doing = Callable[[int], Awaitable[object]]


async def wanted(company: Company, number: int, doing: Doing, burst: int) -> None:
    """Want something so many times within an hour, in bursts; who is told to come later does."""
    hours, every = company.hours, HOUR * burst / number
    for place in range(number):
        if place % burst == 0:
            hours.moment = max(hours.moment, START + place // burst * every)
        while True:
            try:
                await doing(place)
            except Throttled as held:
                hours.moment += held.wait
            else:
                break


async def of_a_member(company: Company) -> Doing:
    letters = Letters(company.api, company.app.agent_id)
    return lambda n: letters.send(Words(f"{n}"), To(users=(EMPLOYEE,)))


async def of_everybody(company: Company) -> Doing:
    letters = Letters(company.api, company.app.agent_id)
    return lambda n: letters.send(Words(f"{n}"), To(everybody=True))


async def of_a_large_group(company: Company) -> Doing:
    crowd = [f"u{number}" for number in range(CROWD - 1)]
    for userid in crowd:
        company.wecom.world.hire(userid, userid)
    chats = Chats(company.api, company.app.agent_id)
    chat = await chats.create("大群", "zhangsan", crowd)
    return lambda n: chats.send(chat, Words(f"{n}"))


async def of_a_small_group(company: Company) -> Doing:
    chats = Chats(company.api, company.app.agent_id)
    chat = await chats.create("小群", "zhangsan", [EMPLOYEE])
    return lambda n: chats.send(chat, Words(f"{n}"))


async def of_a_group_s_name(company: Company) -> Doing:
    chats = Chats(company.api, company.app.agent_id)
    chat = await chats.create("小群", "zhangsan", [EMPLOYEE])
    return lambda n: chats.update(chat, name=f"第{n}群")


async def of_new_groups(company: Company) -> Doing:
    chats = Chats(company.api, company.app.agent_id)
    return lambda n: chats.create(f"第{n}群", "zhangsan", [EMPLOYEE], f"chat{n}")


async def of_attendance(company: Company) -> Doing:
    async def look(_: int) -> None:
        now = company.hours.moment
        assert [one async for one in CheckIns(company.api).between([EMPLOYEE], now - HOUR, now)] == []

    return look


async def of_a_question(company: Company) -> Doing:
    return lambda _: company.api.call("user/get", params={"userid": EMPLOYEE}, method="GET")


Case = tuple[str, Callable[[Company], Awaitable[Doing]], int, int, tuple[tuple[int, int], ...]]

CASES: dict[str, Case] = {
    "private messages to one member": ("message/send", of_a_member, 1100, 60, ((30, 60), (1000, HOUR))),
    "private messages to everybody": ("message/send", of_everybody, 170, 20, ((30, 60), (1000, HOUR))),
    "words to 500 in a group": ("appchat/send", of_a_large_group, 800, 80, ((20_000 // CROWD, 60),)),
    "words to a small group": ("appchat/send", of_a_small_group, 2600, 260, ((200, 60),)),
    "changes of groups": ("appchat/update", of_a_group_s_name, 1100, 100, ((1000, HOUR),)),
    "new groups": ("appchat/create", of_new_groups, 1050, 100, ((1000, 24 * HOUR),)),
    "attendance": ("checkin/getcheckindata", of_attendance, 2400, 800, ((600, 60),)),
    "questions": ("user/get", of_a_question, 11_000, 11_000, ((10_000, 60),)),
}


@pytest.mark.parametrize("case", [CASES[name] for name in sorted(CASES)], ids=sorted(CASES))
async def test_no_interface_is_called_more_often_than_it_lets_and_all_is_done(case: Case) -> None:
    name, prepare, number, burst, limits = case
    company = Company()
    doing = await prepare(company)

    await wanted(company, number, doing, burst)

    calls = company.made(name)
    assert len(calls) == number
    assert company.refused() == []
    assert company.wecom.rest.letters.dropped == []
    assert all(most_within(calls, span) <= most for most, span in limits)
    assert any(most_within(calls, span) > most * 0.19 for most, span in limits)  # and it was wanted as often


async def test_messages_by_name_and_to_everybody_together_are_no_more_than_a_member_hears() -> None:
    company = Company()
    one, everybody = await of_a_member(company), await of_everybody(company)

    async def either(number: int) -> None:
        await (everybody(number) if number % 6 == 0 else one(number))

    await wanted(company, 900, either, 90)

    heard = [said.at for said in company.wecom.world.people[EMPLOYEE].inbox]
    assert len(heard) == 900
    assert company.wecom.rest.letters.dropped == []
    assert most_within(heard, 60) <= 30


@pytest.mark.parametrize("doing", ["words", "files"])
async def test_an_ai_bot_says_and_puts_up_no_more_than_it_may(doing: str) -> None:
    company = Company()
    bot = company.bot()

    async def do(number: int) -> None:
        if doing == "words":
            await bot.push(EMPLOYEE, "private", markdowned(f"{number}"))
        else:
            await bot.upload("file", f"{number}.txt", b"0123456789")

    await wanted(company, 1100, do, 60)

    assert len(company.said_by_bot) == 1100
    assert most_within(company.said_by_bot, 60) <= 30
    assert most_within(company.said_by_bot, HOUR) <= 1000


async def test_a_robot_s_notices_go_together_and_no_more_than_twenty_a_minute() -> None:
    company = Company()
    hours, chat = company.hours, company.wecom.world.group("值班群", "zhangsan", [EMPLOYEE])
    info: Any = {"name": "值班群", "key": company.wecom.world.robot("robot-key", chat).key}
    robot = Robot(RobotInfo(**info), company.request, clock=hours.work)

    async def notice(number: int) -> None:
        await hours.work.sleep(number // 90 * 120.0)
        await robot.text(f"通知{number:04}")

    ends = await hours.run(*(notice(number) for number in range(2700)))
    await robot.close()

    calls = company.made("webhook/send")
    told = "\n".join(one.text for one in chat.said)
    assert ends == [None] * 2700
    assert company.refused() == []
    assert HOUR * 0.9 < calls[-1] - calls[0] < HOUR * 1.1
    assert most_within(calls, 60) <= 20
    assert len(calls) < 2700
    assert [told.count(f"通知{number:04}") for number in range(2700)] == [1] * 2700
