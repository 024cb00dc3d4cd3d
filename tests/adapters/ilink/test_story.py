"""A steward's tickets arrive in his own WeChat and are answered there, within the window that iLink allows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from groupops import AccountId, DirectMessage, GroupId
from groupops.clock import StoppedClock, SystemClock
from groupops.notebook import OwnNotebook
from groupops.records import OutboxState
from groupops.store.memory import MemoryRecords
from groupops.testing import Rig, rig
from groupops_ilink.ilink import ILink
from tests.support.ilink_end import CHANG, ILinkEnd
from tests.support.ilink_rig import connected
from tests.support.qq_platform import until
from tests.support.qq_rig import Told
from tests.support.stories import PACK, done, plugin, rude

pytestmark = pytest.mark.filterwarnings("ignore:Setting per-request cookies:DeprecationWarning")

G1 = GroupId("sandbox:g1")
CONSOLE = AccountId(f"ilink:{CHANG}")
WORD = DirectMessage(group_id=G1, account=CONSOLE, text="一句话")


@pytest.fixture
def end() -> Iterator[ILinkEnd]:
    made = ILinkEnd()
    yield made
    made.end()


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


@asynccontextmanager
async def console(end: ILinkEnd, **more: Any) -> AsyncIterator[tuple[Rig, ILink]]:
    """An engine with a group, and a steward who reads at iLink; the engine's clock is the adapter's."""
    extra = {"rude": plugin(judge=rude(auto="flag"))}
    async with (
        rig(pack=PACK, plugins=(), extra=extra, stewards=("sandbox:admin",)) as r,
        connected(end, Flowing(r), **more) as platform,
    ):
        r.engine.parts.platforms["ilink"] = platform
        await r.engine.people.load()
        yield r, platform


async def bound(r: Rig, end: ILinkEnd) -> None:
    """Bind the steward's two accounts, as a steward does it."""
    await r.whisper("g1", "admin", "绑定")
    (given,) = done(r, "direct_message")
    code = given.text.split("绑定 ")[-1].split("」")[0]  # type: ignore[union-attr]
    end.says(CHANG, f"绑定 {code}")
    await until(lambda: any("绑定成功" in text for text in end.texts(CHANG)))


async def test_a_ticket_arrives_in_the_steward_s_wechat_and_his_word_decides_it(end: ILinkEnd) -> None:
    async with console(end) as (r, _):
        await bound(r, end)
        await r.say("g1", "wang", "坏")
        (case,) = await r.records.cases(group_id=G1)
        asked = end.texts(CHANG)[-1]

        end.says(CHANG, f"批准 {case.id} 属实")
        await until(lambda: any("已生效" in text for text in end.texts(CHANG)))

        decided = await r.records.case(case.id)
        assert asked.startswith("【g1】")
        assert f"批准 {case.id}" in asked
        assert decided is not None
        assert decided.status.value == "effective"
        assert decided.decisions[-1].account == CONSOLE


async def test_a_rejection_and_a_spoken_word_count_too(end: ILinkEnd) -> None:
    async with console(end) as (r, _):
        await bound(r, end)
        await r.say("g1", "wang", "坏")
        (case,) = await r.records.cases(group_id=G1)

        end.speaks(CHANG, f"驳回 {case.id} 是玩笑")
        await until(lambda: len(end.texts(CHANG)) > 2)

        decided = await r.records.case(case.id)
        assert decided is not None
        assert decided.status.value == "dismissed"


async def test_what_finds_the_window_shut_waits_and_is_delivered_at_the_next_contact(end: ILinkEnd) -> None:
    async with console(end, ilink_answers=1) as (r, platform):
        await bound(r, end)
        before = len(end.texts(CHANG))
        await r.say("g1", "wang", "坏")
        (row,) = await r.records.outbox(states=frozenset({OutboxState.WAITING}))
        held = len(end.texts(CHANG))

        end.says(CHANG, "帮助")
        await until(lambda: len(end.texts(CHANG)) > before)
        end.says(CHANG, "")
        platform.contacts.by_user[CHANG].left = 1
        await r.advance(timedelta(minutes=3))

        assert held == before
        assert "waits until they write again" in getattr(row.receipt, "why", "")
        assert any("批准" in text for text in end.texts(CHANG))
        assert "回复任意一句话" in end.texts(CHANG)[-1]
        assert not await r.records.outbox(states=frozenset({OutboxState.WAITING}))


# — the window, the throttling, the token —


@asynccontextmanager
async def heard(end: ILinkEnd, **more: Any) -> AsyncIterator[ILink]:
    """A bot that somebody wrote to."""
    told = Told()
    async with connected(end, told, **more) as platform:
        end.says(CHANG, "你好")
        await until(lambda: bool(told.facts))
        yield platform


async def test_a_window_shuts_after_its_hours(end: ILinkEnd) -> None:
    async with heard(end) as platform:
        contact = platform.contacts.by_user[CHANG]
        contact.at -= timedelta(hours=25)

        receipt = await platform.perform(WORD, key="k")

        assert receipt.kind == "unreachable"
        assert not platform.open_to(CONSOLE)
        assert platform.direct(CONSOLE)
        assert not platform.attends(GroupId(CONSOLE))


async def test_a_window_holds_so_many_answers_and_the_last_one_says_so(end: ILinkEnd) -> None:
    async with heard(end, ilink_answers=3) as platform:
        receipts = [(await platform.perform(WORD, key=str(n))).kind for n in range(4)]

        assert receipts == ["done", "done", "done", "unreachable"]
        assert [("回复任意一句话" in text) for text in end.texts(CHANG)] == [False, False, True]


async def test_a_throttled_bot_is_left_alone_twice_as_long_each_time(end: ILinkEnd) -> None:
    clock = StoppedClock(SystemClock().now())
    told = Told()
    async with connected(end, told, clock=clock) as platform:
        end.says(CHANG, "你好", at=clock.now().timestamp())
        await until(lambda: bool(told.facts))
        end.ret["sendmessage"] = -2

        first = await platform.perform(WORD, key="1")
        meanwhile = await platform.perform(WORD, key="2")
        calls = len(end.called("sendmessage"))
        clock.moment += timedelta(minutes=5)
        second = await platform.perform(WORD, key="3")

        assert getattr(first, "retry_after", None) == timedelta(minutes=5)
        assert meanwhile.kind == "throttled"
        assert calls == 1
        assert getattr(second, "retry_after", None) == timedelta(minutes=10)
        assert not platform.open_to(CONSOLE)


async def test_a_stale_token_is_said_by_the_health_and_nothing_is_asked_of_ilink_meanwhile(
    end: ILinkEnd,
) -> None:
    async with heard(end) as platform:
        end.token = "another"
        await until(lambda: not platform.health().connected)
        asked = len(end.called("getupdates"))

        receipt = await platform.perform(WORD, key="k")

        assert "log in by QR code again" in platform.health().note
        assert receipt.kind == "unreachable"
        assert len(end.called("getupdates")) <= asked + 1
        assert not end.called("sendmessage")


async def test_a_refusal_is_one_and_an_answer_that_is_lost_is_in_doubt(end: ILinkEnd) -> None:
    async with heard(end) as platform:
        end.refuses["sendmessage"] = 502
        doubtful = await platform.perform(WORD, key="1")
        end.refuses["sendmessage"] = 403
        refused = await platform.perform(WORD, key="2")

        assert (doubtful.kind, refused.kind) == ("in_doubt", "refused")


async def test_a_line_that_fails_is_waited_for_and_comes_back(end: ILinkEnd) -> None:
    async with heard(end, ilink_retry_seconds=0.02) as platform:
        end.refuses["getupdates"] = 500
        await until(lambda: not platform.health().connected)
        calls = len(end.called("getupdates"))
        del end.refuses["getupdates"]
        await until(lambda: platform.health().connected)

        assert calls < 20


async def test_a_long_text_goes_as_several_between_its_lines(end: ILinkEnd) -> None:
    async with heard(end, ilink_chars=200) as platform:
        text = "\n".join(f"{n}:{'字' * 60}" for n in range(6))
        long = DirectMessage(group_id=G1, account=CONSOLE, text=text)

        receipt = await platform.perform(long, key="k")

        assert receipt.kind == "done"
        assert "\n".join(end.texts(CHANG)) == text
        assert all(len(part) <= 200 for part in end.texts(CHANG))


async def test_who_may_be_answered_is_known_after_a_restart_and_nothing_is_read_twice(end: ILinkEnd) -> None:
    book = OwnNotebook(records=MemoryRecords(), owner="ilink", clock=SystemClock())
    async with heard(end, book=book):
        pass
    told = Told()
    async with connected(end, told, book=book) as platform:
        receipt = await platform.perform(WORD, key="k")
        await until(lambda: len(end.called("getupdates")) > 2)

        assert receipt.kind == "done"
        assert not told.facts
        assert end.called("getupdates")[-1][1]["get_updates_buf"]


async def test_the_calls_have_what_tencent_s_client_sends(end: ILinkEnd) -> None:
    async with heard(end) as platform:
        await platform.perform(WORD, key="k")
        sent = end.called("sendmessage")[-1][1]["msg"]

    assert end.calls[0][0] == "notifystart"
    assert end.called("notifystop")
    assert sent["to_user_id"] == CHANG
    assert sent["context_token"].startswith(f"ctx-{CHANG}")
    assert end.called("sendmessage")[-1][1]["base_info"]["bot_agent"].startswith("groupops/")
