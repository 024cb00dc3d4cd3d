"""What was said while a bot was away is told once, however much it is and however often the connection breaks."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from groupops import HISTORY, Capability, Done, GroupId, MessagePosted, SendText, Unreachable
from groupops.outbox import is_away
from groupops_onebot.gaps import FIRST, MOST, OVERLAP, REACH, Gaps, missed
from tests.adapters.onebot.test_door import ended
from tests.support.onebot_end import GROUP, Refusal
from tests.support.onebot_rig import TOKEN, serving, until

G = GroupId(f"qq:{GROUP}")
NOON = datetime(2026, 1, 1, 4, tzinfo=UTC)


def said(number: int, at: datetime) -> dict[str, Any]:
    return {"message_id": number, "time": int(at.timestamp()), "message": []}


def ids(found: Sequence[Mapping[str, Any]] | None) -> list[int]:
    assert found is not None
    return [message["message_id"] for message in found]


@given(
    total=st.integers(0, 2 * FIRST + 30),
    away=st.integers(0, 2 * FIRST + 30),
    known=st.sets(st.integers(0, 2 * FIRST + 30)),
)
async def test_whatever_was_said_since_and_is_not_known_is_given_the_oldest_first(
    total: int, away: int, known: set[int]
) -> None:
    history = [said(number, NOON + timedelta(minutes=number - total)) for number in range(total)]
    since = NOON - timedelta(minutes=away)

    async def ask(count: int) -> Any:
        return {"messages": history[-count:]}

    found = await missed(ask, since, lambda id_: int(id_) in known)

    wanted = [
        n for n in range(total) if n not in known and NOON + timedelta(minutes=n - total) >= since - OVERLAP
    ]
    assert ids(found) == wanted


async def test_no_more_is_asked_for_than_an_end_remembers() -> None:
    asked: list[int] = []

    async def ask(count: int) -> Any:
        asked.append(count)
        return {"messages": [said(number, NOON) for number in range(count)]}

    found = await missed(ask, NOON, lambda _: False)

    assert asked == [50, 200, 800, 3200]
    assert len(ids(found)) == MOST


async def test_an_end_that_answers_nothing_or_nonsense_does_no_harm() -> None:
    async def silent(_: int) -> Any:
        return None

    async def confused(_: int) -> Any:
        return {"messages": [None, {"time": "x"}, {"time": -1}, {}, 7]}

    assert await missed(silent, NOON, lambda _: False) is None
    assert await missed(confused, NOON, lambda _: False) == []


def test_a_gap_stays_open_until_it_is_closed_and_began_when_it_began() -> None:
    gaps = Gaps()

    gaps.open("1", NOON)
    read = gaps.of("1")
    gaps.open("1", NOON + timedelta(hours=1))

    assert read is not None
    gaps.close("1", read)  # what was said after the second break was not read
    gap = gaps.of("1")
    assert gap is not None
    assert gap.since == NOON
    gaps.close("1", gap)
    assert gaps.of("1") is None


def test_what_was_missed_before_this_process_is_missing_until_it_was_read_and_not_older_than_a_day() -> None:
    gaps = Gaps()
    gaps.resume({"7001": NOON - timedelta(hours=2), "7002": NOON - timedelta(days=9)})

    assert gaps.since("1", "7001", NOON) == NOON - timedelta(hours=2)
    assert gaps.since("1", "7002", NOON) == NOON - REACH
    assert gaps.since("1", "7003", NOON) is None
    gaps.open("1", NOON - timedelta(hours=3))
    assert gaps.since("1", "7001", NOON) == NOON - timedelta(hours=3)
    gaps.read("7001")
    assert gaps.behind({"1": ["7003"]}) == {
        "7002": NOON - timedelta(days=9),
        "7003": NOON - timedelta(hours=3),
    }


async def test_what_was_said_while_no_process_ran_is_told_as_read_from_the_history() -> None:
    async with serving() as served:
        end = ended()
        end.message(20001, "昨天")
        for message in end.halls[GROUP].messages.values():
            message["time"] = int(time.time()) - 3 * 86_400
        end.message(20001, "重启时说的")
        served.platform.resume({G: datetime.now(UTC) - timedelta(minutes=30)})
        assert set(served.platform.behind()) == {G}

        await served.join(end)
        await served.seen(end)

        (told,) = [fact for fact in served.told.take() if isinstance(fact, MessagePosted)]
        assert (told.text, told.source) == ("重启时说的", HISTORY)
        assert told.received_at is not None
        assert not told.arrived_late
        assert served.platform.behind() == {}
        await end.close()


async def test_what_the_history_tells_after_ten_minutes_is_too_late_for_anybody_to_be_punished() -> None:
    async with serving() as served:
        end = ended()
        end.message(20001, "很久以前")
        for message in end.halls[GROUP].messages.values():
            message["time"] = int(time.time()) - 1_200
        served.platform.resume({G: datetime.now(UTC) - timedelta(hours=1)})

        await served.join(end)
        await served.seen(end)

        (told,) = [fact for fact in served.told.take() if isinstance(fact, MessagePosted)]
        assert told.arrived_late
        await end.close()


async def test_no_frame_can_say_of_itself_that_it_is_from_the_history() -> None:
    async with serving() as served:
        end = ended()
        await served.join(end)

        (told,) = await served.facts(end, {**end.message(20001, "在"), "from_history": True})

        assert told.source == "bot"
        await end.close()


async def test_an_end_that_does_not_answer_leaves_the_group_behind_and_one_without_history_does_not() -> None:
    async with serving(onebot_call_seconds=0.3) as served:
        end = ended()
        end.silent.add("get_group_msg_history")
        served.platform.resume({G: datetime.now(UTC) - timedelta(hours=1)})
        await served.join(end)
        assert set(served.platform.behind()) == {G}

        await end.drop()
        await until(lambda: not served.adapter.lines)
        end.silent.clear()
        end.refusing["get_group_msg_history"] = Refusal(1404, "no such call")
        await served.join(end)
        assert Capability.READ_HISTORY not in served.platform.can(G)
        assert served.platform.behind() == {}
        await end.close()


async def test_red_packets_are_seen_also_after_a_history_that_shows_none_of_the_kernel() -> None:
    async with serving() as served:
        end = ended()
        await served.join(end)
        await served.facts(end, end.message(20001, "在"))
        assert Capability.SEE_RED_PACKET in served.platform.can(G)
        await end.drop()
        await until(lambda: not served.adapter.lines)
        end.message(20001, "没听到")
        await served.join(end)
        await served.seen(end)

        assert Capability.SEE_RED_PACKET in served.platform.can(G)
        await end.close()


async def test_more_than_one_page_is_told_and_nothing_twice() -> None:
    async with serving() as served:
        end = ended()
        await served.join(end)
        await served.facts(end, end.message(20001, "在"))
        await end.drop()
        await until(lambda: not served.adapter.lines)
        for number in range(3 * FIRST):
            end.message(20001, f"第{number}句")

        await served.join(end)
        await served.seen(end)

        told = [fact.text for fact in served.told.take() if isinstance(fact, MessagePosted)]
        assert told == [f"第{number}句" for number in range(3 * FIRST)]
        await end.close()


async def test_what_was_missed_is_still_told_after_a_connection_that_was_too_short_to_ask() -> None:
    async with serving(onebot_call_seconds=0.3) as served:
        end = ended()
        await served.join(end)
        await end.drop()
        await until(lambda: not served.adapter.lines)
        end.message(20001, "没听到")

        end.silent.add("get_group_msg_history")
        await served.join(end)
        await end.drop()
        await until(lambda: not served.adapter.lines)
        end.silent.clear()
        await served.join(end)
        await served.seen(end)

        assert [fact.text for fact in served.told.take() if isinstance(fact, MessagePosted)] == ["没听到"]
        await end.close()


async def test_what_was_missed_before_anything_was_known_of_the_bots_groups_is_told_too() -> None:
    async with serving() as served:
        end = ended()
        await end.connect(served.url, token=TOKEN)
        await end.drop()
        await until(lambda: not served.adapter.lines)
        end.message(20001, "一开始就断了")

        await served.join(end)
        await served.seen(end)

        assert [f.text for f in served.told.take() if isinstance(f, MessagePosted)] == ["一开始就断了"]
        await end.close()


async def test_an_end_whose_clock_is_behind_loses_nothing() -> None:
    async with serving() as served:
        end = ended()
        await served.join(end)
        await end.drop()
        await until(lambda: not served.adapter.lines)
        end.message(20001, "慢一分钟")
        for message in end.halls[GROUP].messages.values():
            message["time"] = int(time.time()) - 60

        await served.join(end)
        await served.seen(end)

        assert [fact.text for fact in served.told.take() if isinstance(fact, MessagePosted)] == ["慢一分钟"]
        await end.close()


async def test_what_waited_over_a_restart_is_not_given_up_before_the_bot_knows_where_it_is() -> None:
    async with serving() as served:
        end = ended()
        end.silent.add("get_version_info")
        await end.connect(served.url, token=TOKEN)
        await served.seen(end)

        too_soon = await served.platform.perform(
            SendText(group_id=GroupId(f"qq:{GROUP}"), text="好"), key="1"
        )

        assert isinstance(too_soon, Unreachable)
        assert is_away(served.platform)
        await end.drop()
        end.silent.clear()
        await served.join(end)
        done = await served.platform.perform(SendText(group_id=GroupId(f"qq:{GROUP}"), text="好"), key="1")
        assert isinstance(done, Done)
        assert not is_away(served.platform)
        await end.close()
