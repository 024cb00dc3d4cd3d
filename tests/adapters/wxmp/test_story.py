"""Members check in by a place they send to the official account; only signed callbacks count, and answers find them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupops import AccountId, CommandGiven, DirectMessage, GroupId, LocationShared, PersonLine, Receipt
from groupops.clock import StoppedClock, SystemClock
from groupops.notebook import OwnNotebook
from groupops.store.memory import MemoryRecords
from groupops.testing import Rig, rig
from groupops_wxmp.read import read
from tests.support.qq_rig import Told
from tests.support.wxmp_end import LI, WeChatApi, served

pytestmark = pytest.mark.filterwarnings("ignore:Setting per-request cookies:DeprecationWarning")

G1 = GroupId("sandbox:g1")
MEMBER = AccountId(f"wxmp:{LI}")
WORD = DirectMessage(group_id=G1, account=MEMBER, text="一句 <话> & ]]>")

CHECK_IN = """
[pack]
id = "duty"
title = "打卡"
[plugins]
enabled = ["check_in"]
[check_in]
roles = ["all"]
open = "00:00"
due = "23:00"
close = "23:30"
days = "all"
sites = [{ label = "一号仓", at = [121.473701, 31.230416], crs = "gcj02", radius_m = 300 }]
"""


@pytest.fixture
def api() -> Iterator[WeChatApi]:
    made = WeChatApi()
    yield made
    made.end()


# — what is taken —


async def test_a_place_that_is_sent_is_a_fact_in_the_member_s_own_words() -> None:
    told = Told()
    async with served(told, within=0.6) as (_, caller):
        answer = await caller.sends_place(31.230416, 121.473701)

    (fact,) = told.facts
    assert isinstance(fact, LocationShared)
    assert (fact.location.latitude, fact.location.longitude) == (31.230416, 121.473701)
    assert (fact.location.crs, fact.location.label) == ("gcj02", "一号仓")
    assert fact.private
    assert fact.account == fact.group_id == MEMBER
    assert (answer.status_code, answer.text) == (200, "success")


async def test_words_and_the_keys_of_a_menu_are_commands_and_what_an_app_reports_by_itself_is_nothing() -> (
    None
):
    told = Told()
    picked = (
        "<SendLocationInfo><Location_X>31.2</Location_X><Location_Y>121.5</Location_Y></SendLocationInfo>"
    )
    async with served(told, within=0.6) as (_, caller):
        await caller.says("/我的打卡 昨天")
        await caller.does("CLICK", EventKey="我的打卡")
        await caller.does("LOCATION", Latitude=31.2, Longitude=121.5, Precision=10)
        await caller.does("location_select", EventKey="位置", inner=picked)
        await caller.does("something_new")

    first, second, third = told.facts
    assert isinstance(first, CommandGiven)
    assert (first.name, first.args) == ("我的打卡", ("昨天",))
    assert isinstance(second, CommandGiven)
    assert second.name == "我的打卡"
    assert isinstance(third, LocationShared)


async def test_a_callback_that_is_pushed_again_is_the_same_fact() -> None:
    told = Told()
    async with served(told, within=0.6) as (_, caller):
        body = caller.xml(LI, "text", number=7, Content="在")
        for _n in range(2):
            await caller.post(body)

    assert len(told.facts) == 2
    assert len({fact.id for fact in told.facts}) == 1


@pytest.mark.parametrize(
    ("more", "status"),
    [({"token": "another"}, 403), ({"at": 1_700_000_000}, 403), ({"appid": "wxother"}, 404)],
    ids=["signed by another", "signed long ago", "for another account"],
)
async def test_what_is_not_signed_now_by_the_account_s_token_is_not_taken(
    more: dict[str, Any], status: int
) -> None:
    told = Told()
    async with served(told) as (_, caller):
        answer = await caller.post(caller.xml(LI, "text", Content="在"), **more)

    assert answer.status_code == status
    assert not told.facts


async def test_a_signature_is_good_for_one_body() -> None:
    told = Told()
    async with served(told, within=0.6) as (_, caller):
        now = SystemClock().now().timestamp()
        await caller.post(caller.xml(LI, "text", Content="在"), nonce="n1", at=now)
        forged = await caller.post(caller.xml("oBoss", "text", Content="同意打卡"), nonce="n1", at=now)

    assert forged.status_code == 403
    assert len(told.facts) == 1


@pytest.mark.parametrize(
    "body", ["", "<xml>", "[1]", "{}", "<xml><MsgType>text</MsgType></xml>", "x" * 70_000]
)
async def test_what_makes_no_sense_is_turned_away_and_breaks_nothing(body: str) -> None:
    told = Told()
    async with served(told, within=0.6) as (_, caller):
        answer = await caller.post(body)
        await caller.says("还在吗")

    assert answer.status_code in (200, 400, 413)
    assert len(told.facts) == 1


@given(x=st.text(max_size=8) | st.floats().map(str), y=st.text(max_size=8) | st.floats().map(str))
def test_a_place_is_on_the_globe_or_no_fact(x: str, y: str) -> None:
    class Event:
        user_id, message_type, message_id, timestamp = LI, "location", 1, 1_760_000_000
        location_x, location_y, label = x, y, ""

    fact = read(Event(), SystemClock().now())

    if fact is not None:
        assert isinstance(fact, LocationShared)
        assert abs(fact.location.latitude) <= 90
        assert abs(fact.location.longitude) <= 180


# — what is answered —


class Answering:
    """Answers every fact by a private word, as the core would."""

    def __init__(self) -> None:
        self.platform: Any = None
        self.receipts: list[Receipt] = []

    def glance(self, event: Any) -> Any:
        return event

    async def finish(self, pending: Any) -> None:
        self.receipts.append(await self.platform.perform(WORD, key=pending.id))

    async def handle(self, event: Any) -> None:
        await self.finish(event)


async def test_an_answer_in_time_is_the_callback_s_answer() -> None:
    answering = Answering()
    async with served(answering) as (platform, caller):
        answering.platform = platform
        answer = await caller.says("在")

    assert [one.kind for one in answering.receipts] == ["done"]
    assert "<![CDATA[" in answer.text or "&lt;话&gt; &amp;" in answer.text
    assert f"<ToUserName>{LI}</ToUserName>" in answer.text


async def test_an_account_that_is_not_verified_says_nothing_later_and_the_word_waits() -> None:
    told = Told()
    async with served(told, within=0.6) as (platform, caller):
        await caller.says("在")
        receipt = await platform.perform(WORD, key="k")

        assert receipt.kind == "unreachable"
        assert "until the member writes again" in getattr(receipt, "why", "")
        assert platform.direct(MEMBER)
        assert not platform.attends(GroupId(MEMBER))


async def test_a_verified_account_writes_later_for_two_days(api: WeChatApi) -> None:
    clock, told = StoppedClock(SystemClock().now()), Told()
    async with served(told, api=api, approve=True, within=0.6, clock=clock) as (platform, caller):
        await caller.says("在")
        clock.moment += timedelta(hours=47)
        sent = await platform.perform(WORD, key="1")
        clock.moment += timedelta(hours=2)
        late = await platform.perform(WORD, key="2")

    assert (sent.kind, late.kind) == ("done", "unreachable")
    assert api.sent == [(LI, WORD.text)]


@pytest.mark.parametrize(
    ("codes", "kind"),
    [
        ([40001], "done"),
        ([40001, 40001], "unreachable"),
        ([45015], "unreachable"),
        ([45047], "unreachable"),
        ([-1], "throttled"),
        ([45009], "throttled"),
        ([40003], "refused"),
    ],
)
async def test_what_the_platform_says_of_a_message_is_its_receipt(
    api: WeChatApi, codes: list[int], kind: str
) -> None:
    told = Told()
    async with served(told, api=api, approve=True, within=0.6) as (platform, caller):
        await caller.says("在")
        api.errcodes = list(codes)
        receipt = await platform.perform(WORD, key="k")

        assert receipt.kind == kind
        assert platform.open_to(MEMBER) == (codes[0] not in (45015, 45047))


async def test_who_may_be_answered_is_known_after_a_restart(api: WeChatApi) -> None:
    book = OwnNotebook(records=MemoryRecords(), owner="wxmp", clock=SystemClock())
    async with served(Told(), api=api, approve=True, within=0.6, book=book) as (_, caller):
        await caller.says("在")
    async with served(Told(), api=api, approve=True, book=book) as (platform, _):
        receipt = await platform.perform(WORD, key="k")

    assert receipt.kind == "done"


# — a check-in —


class Flowing:
    """Hands facts to an engine as the lanes do."""

    def __init__(self, r: Rig) -> None:
        self._rig = r

    def glance(self, event: Any) -> Any:
        return self._rig.engine.flow.glance(event)

    async def finish(self, pending: Any) -> None:
        await self._rig.engine.flow.finish(pending)

    async def handle(self, event: Any) -> None:
        await self._rig.engine.flow.handle(event)


async def test_a_member_binds_agrees_and_checks_in_by_a_place_sent_to_the_account(api: WeChatApi) -> None:
    async with rig(pack=CHECK_IN, plugins=("check_in",)) as r:
        await r.enrol(PersonLine(ref="1", name="王五", accounts=(AccountId("sandbox:wang"),)))
        async with served(Flowing(r), api=api, approve=True, clock=r.clock) as (platform, caller):
            r.engine.parts.platforms["wxmp"] = platform
            await r.engine.people.load()
            code = await _code(r)

            bound = await caller.says(f"绑定 {code}")
            before = await caller.sends_place(31.230416, 121.473701)
            purpose = await caller.says("同意打卡")
            agreed = await caller.says("同意打卡")
            after = await caller.sends_place(31.230416, 121.473701)

    assert "绑定成功" in bound.text
    assert "同意" in before.text
    assert "目的" in purpose.text + "".join(text for _, text in api.sent)
    assert "已记下您的同意" in agreed.text
    assert "一号仓" in after.text


async def _code(r: Rig) -> str:
    await r.whisper("g1", "wang", "绑定")
    said = [line.action for line in r.sandbox.world.requests if line.action.kind == "direct_message"][-1]
    return str(said.text).split("绑定 ")[-1].split("」")[0]
