"""An hour in which everything goes wrong at the platform: nothing is lost, nothing comes twice, no rate is overrun."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

import pytest

from groupops_wecom.budget import Budget, Claim, Throttled
from groupops_wecom.chats import Chats
from groupops_wecom.config import RobotInfo
from groupops_wecom.exception import InDoubt, NetworkError
from groupops_wecom.letters import Letters, To, Words
from groupops_wecom.qyapi import QyApi
from groupops_wecom.testing import BROKEN, BUSY, CROWDED, CUT, LOST, THROTTLED, App, FakeWeCom, running
from groupops_wecom.webhook import Robot
from tests.support.wecom_stub import OVER_HTTPX, START, Hours, most_within, requests

pytestmark = OVER_HTTPX

Office = tuple[FakeWeCom, App, QyApi, Hours]

FAULTS = (LOST, BROKEN, CUT, BUSY, CROWDED, THROTTLED)


@pytest.fixture
async def there() -> AsyncIterator[Office]:
    """A company, and our client; time passes when somebody waits."""
    hours = Hours()
    async with running(FakeWeCom(lambda: hours.moment)) as wecom, requests() as request:
        world = wecom.world
        world.hire("zhangsan", "张三")
        world.hire("lisi", "李四")
        app = world.app()
        api = QyApi(world.corp_id, {"app": app.secret}, request, wecom.rest.base, clock=hours.hurried)
        yield wecom, app, api, hours


class Weather:
    """What befalls the calls of one interface.

    Args:
        wecom: the platform.
        name: the interface.
        dice: rolls.
    """

    def __init__(self, wecom: FakeWeCom, name: str, dice: random.Random) -> None:
        self.wecom, self.name, self.dice = wecom, name, dice
        self.befell: Counter[str] = Counter()

    def strikes(self) -> None:
        """Let something go wrong, or nothing."""
        match self.dice.randrange(8):
            case 0:
                self.wecom.rest.expire_tokens()
                self.befell["token"] += 1
            case 1:
                self.wecom.rest.revoke_tokens()
                self.befell["token"] += 1
            case 2 | 3 | 4:
                fault = self.dice.choice(FAULTS)
                self.wecom.rest.faults.add(self.name, fault)
                self.befell[repr(fault)] += 1
            case _:
                pass


async def patiently(doing: Callable[[], Awaitable[object]], hours: Hours, *, in_doubt_too: bool) -> bool:
    """Do it until it is done; gives False when that is in doubt."""
    while True:
        try:
            await doing()
        except Throttled as held:
            hours.moment += held.wait
        except InDoubt:
            if not in_doubt_too:
                return False
        except NetworkError:
            hours.moment += 1
        else:
            return True


async def test_letters_arrive_once_each_and_in_their_order(there: Office) -> None:
    wecom, app, api, hours = there
    letters, weather = Letters(api, app.agent_id), Weather(wecom, "message/send", random.Random(3))

    doubted: set[str] = set()
    for number in range(300):
        weather.strikes()
        # Each content goes twice, as two letters: the second the platform must not be asked to drop.
        words, key, checked = Words(f"{number // 2}"), f"letter {number}", number % 2 == 0
        to_lisi = partial(letters.send, words, To(users=("lisi",)), key=key)
        if not await patiently(to_lisi, hours, in_doubt_too=checked):
            doubted.add(words.content)
        hours.moment += 10

    heard = Counter(one.text for one in wecom.world.people["lisi"].inbox)
    assert len(weather.befell) == len(FAULTS) + 1
    assert hours.moment - START > 3000
    assert len(heard) == 150
    assert all(number == 2 or (number == 1 and content in doubted) for content, number in heard.items())
    assert 0 < len(doubted) < 75


async def test_what_is_said_in_a_group_arrives_or_is_in_doubt_and_never_twice(there: Office) -> None:
    wecom, app, api, hours = there
    chats, weather = Chats(api, app.agent_id), Weather(wecom, "appchat/send", random.Random(4))
    chat_id = await chats.create("值班群", "zhangsan", ["lisi"], "duty01")
    sure: set[str] = set()
    doubted: set[str] = set()

    for number in range(300):
        weather.strikes()
        words = Words(f"{number}")
        done = await patiently(partial(chats.send, chat_id, words), hours, in_doubt_too=False)
        (sure if done else doubted).add(words.content)
        hours.moment += 10

    heard = [one.text for one in wecom.world.groups[0].said]
    assert len(heard) == len(set(heard))
    assert sure <= set(heard)
    assert set(heard) <= sure | doubted
    assert 0 < len(doubted) < 150


async def test_a_robot_says_everything_or_tells_that_it_is_in_doubt(there: Office) -> None:
    wecom, _, _, hours = there
    key = wecom.world.robot("robot-key", wecom.world.group("车间群", "zhangsan", ["lisi"])).key
    dice = random.Random(5)
    weather = Weather(wecom, "webhook/send", dice)
    async with requests() as request:
        robot = Robot(RobotInfo(name="车间群", key=key), request, wecom.rest.base, clock=hours.hurried)  # type: ignore[arg-type]
        doubted = 0
        for number in range(120):
            weather.strikes()
            words = f"notice {number}"
            done = await patiently(partial(robot.text, words), hours, in_doubt_too=False)
            doubted += not done
            hours.moment += dice.random() * 4
        await robot.close()

    calls = [one for one in wecom.rest.calls if one.name == "webhook/send"]
    said = [one.body["text"]["content"] for one in calls if one.errcode == 0]
    assert most_within([one.at for one in calls if one.errcode == 0], 60) <= 20
    assert len(said) == len(set(said)) >= 120 - doubted
    assert 0 < doubted < 60


async def test_an_hour_of_a_large_company_overruns_no_rate() -> None:
    hours, dice = Hours(), random.Random(9)
    budget = Budget(lambda: hours.moment)
    sent: dict[tuple[str, str], list[float]] = {}
    held = 0

    while hours.moment < START + 3600:
        hours.moment += dice.expovariate(20)
        user = f"u{min(int(dice.expovariate(1 / 8)), 200)}"  # a few hear much, most little
        claims = [Claim("app_member", user), Claim("api", "message/send"), Claim("address", "")]
        if budget.take(claims):
            held += 1
            continue
        for claim in claims:
            sent.setdefault((claim.kind, claim.key), []).append(hours.moment)

    assert held > 10_000
    assert sum(map(len, sent.values())) > 30_000
    members = [moments for (kind, _), moments in sent.items() if kind == "app_member"]
    assert max(most_within(moments, 60) for moments in members) == 24
    assert max(most_within(moments, 3600) for moments in members) == 850
    assert len(budget) < 210
