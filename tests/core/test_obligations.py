"""What is owed has a clock: it runs in working time, stops with the answer, and is fair to whoever answers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupops.actions import DirectMessage, OpenObligation, Option, SendText, SettleObligation
from groupops.calendar import Window, WorkCalendar, WorkHours
from groupops.clock import StoppedClock
from groupops.counters import MemoryCounters
from groupops.directory import PeopleBook
from groupops.errors import CommandError, Conflict, PluginError
from groupops.events import ChoiceMade, MessagePosted, ObligationMissed, TimeCame
from groupops.obligations import Came, Obligations, after, answered, heard_at, left, planned, reopened
from groupops.people import AccountId, Group, GroupId, PersonId
from groupops.plugin import texts_of
from groupops.records import Due, Obligation, ObligationStatus
from groupops.store import schema
from groupops.store.memory import MemoryRecords
from groupops.store.sql import open_records
from groupops.ticker import Ticker

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2025, 3, 3, 10, 0, tzinfo=SHANGHAI)
QQ = GroupId("qq:814231345")
LI, WANG, ZHAO = (AccountId(f"qq:{n}") for n in (10001, 10002, 10003))
LI_AT_WORK = AccountId("wecom:lisi")
BOSS = AccountId("qq:1")
CALENDAR = WorkCalendar()
HOURS = WorkHours(
    spans=(Window.parse_span("08:30-12:00"), Window.parse_span("13:30-18:00")),
    calendar=CALENDAR,
    zone=SHANGHAI,
    quiet=(Window.parse_span("17:30-08:45", "all"),),
)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def task(account: AccountId = LI, key: str = "", **more: object) -> OpenObligation:
    errand = OpenObligation(
        group_id=QQ,
        account=account,
        obligation_kind="tasks.answer",
        title="周报",
        key=key or f"task 1/{account}",
        minutes=30,
    )
    return replace(errand, **more)  # type: ignore[arg-type]


def done(account: AccountId = LI, how: str = "satisfied", note: str = "") -> SettleObligation:
    return SettleObligation(group_id=QQ, key=f"task 1/{account}", how=how, note=note)  # type: ignore[arg-type]


def chose(account: AccountId, subject: str, word: str, **more: object) -> ChoiceMade:
    event = ChoiceMade(id="c1", at=MONDAY, group_id=QQ, account=account, subject=subject, word=word)
    return replace(event, **more)  # type: ignore[arg-type]


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock(MONDAY)


@pytest.fixture
def records() -> MemoryRecords:
    return MemoryRecords()


@pytest.fixture
async def people(records: MemoryRecords, clock: StoppedClock) -> PeopleBook:
    await records.put_group(Group(id=QQ))
    counters = MemoryCounters(clock)
    book = PeopleBook(records, clock, counters, CALENDAR, lambda _: frozenset(), texts_of("groupops"))
    await book.load_group(QQ)
    for account, card in ((LI, "李四"), (WANG, "王五"), (ZHAO, "赵六")):
        book.seen(MessagePosted(id=card, at=MONDAY, group_id=QQ, account=account, message_id=card, card=card))
    return book


@pytest.fixture
def desk(records: MemoryRecords, clock: StoppedClock, people: PeopleBook) -> Obligations:
    return a_desk(records, clock, people)


def a_desk(records: MemoryRecords, clock: StoppedClock, people: PeopleBook) -> Obligations:
    texts = texts_of("groupops")
    return Obligations(records, clock, lambda _: HOURS, texts=lambda _: texts, people=people)


async def owe(desk: Obligations, records: MemoryRecords, errand: OpenObligation) -> Obligation:
    person = await records.person_for(errand.account)
    return await desk.open(errand, person.id, "tasks", "event 1")


async def come(desk: Obligations, records: MemoryRecords, clock: StoppedClock, after_s: float) -> Came:
    """Let time run and take everything that came due on the way, each at its own moment."""
    actions: list[SendText | DirectMessage] = []
    events: list[ObligationMissed] = []

    async def post(fact: TimeCame) -> None:
        assert desk.owns(fact.job)
        came = await desk.come_due(fact)
        actions.extend(came.actions)
        events.extend(came.events)

    ticker, end = Ticker(records, clock, post), clock.now() + timedelta(seconds=after_s)
    while (due := await records.next_due()) is not None and due <= end:
        clock.advance_to(max(due, clock.now()))
        await ticker.tick()
    clock.advance_to(end)
    return Came(actions=tuple(actions), events=tuple(events))


async def status(records: MemoryRecords, account: AccountId = LI) -> ObligationStatus:
    row = await records.obligation_by_key(f"task 1/{account}")
    assert row is not None
    return row.status


# — clocks, purely —

starts = st.datetimes(datetime(2025, 1, 20), datetime(2025, 10, 20), timezones=st.just(SHANGHAI))  # noqa: DTZ001
spans = st.integers(1, 3000)


@given(starts, spans)
def test_a_deadline_of_the_service_clock_never_falls_into_quiet_or_off_hours(
    start: datetime, span: int
) -> None:
    due = after(start, span, "service", HOURS)
    local = due.astimezone(SHANGHAI)

    assert CALENDAR.is_workday(local.date())
    assert "08:45" <= f"{local:%H:%M}" < "12:00" or "13:30" <= f"{local:%H:%M}" < "17:30"


@given(starts, spans, st.sampled_from(["wall", "service"]))
def test_a_deadline_leaves_exactly_the_time_that_was_allowed(start: datetime, span: int, clock: str) -> None:
    due = after(start, span, clock, HOURS)  # type: ignore[arg-type]

    assert left(start, due, clock, HOURS) == minutes(span)  # type: ignore[arg-type]
    assert left(due, due, clock, HOURS) == timedelta(0)  # type: ignore[arg-type]


@given(starts, spans, spans, st.integers(0, 100_000), st.sampled_from(["wall", "service"]))
def test_who_starts_later_or_has_more_time_is_never_due_earlier(
    start: datetime, span: int, more: int, later: int, clock: str
) -> None:
    due = after(start, span, clock, HOURS)  # type: ignore[arg-type]

    assert after(start, span + more, clock, HOURS) > due  # type: ignore[arg-type]
    assert after(start + minutes(later), span, clock, HOURS) >= due  # type: ignore[arg-type]


def an_obligation(start: datetime, errand: OpenObligation) -> Obligation:
    return planned(errand, PersonId(1), "tasks", start, HOURS)


@given(starts, spans, st.lists(st.integers(0, 3000), max_size=4))
def test_reminders_come_before_the_deadline_in_order_and_once(
    start: datetime, span: int, remind: list[int]
) -> None:
    row = an_obligation(start, task(minutes=span, clock="service", remind_minutes=tuple(remind)))

    assert list(row.remind_at) == sorted(set(row.remind_at))
    assert all(moment < row.due_at for moment in row.remind_at)
    assert len(row.remind_at) == len({number for number in remind if number < span})


@given(starts, spans, st.integers(-300_000_000, 300_000_000))
def test_an_answer_is_in_time_up_to_the_very_deadline(start: datetime, span: int, micros: int) -> None:
    row = an_obligation(start, task(minutes=span))
    at = row.due_at + timedelta(microseconds=micros)

    settled = answered(row, at)

    assert settled is not None
    assert settled.status is (ObligationStatus.SATISFIED if micros <= 0 else ObligationStatus.OPEN)
    assert settled.satisfied_at == at


@given(
    starts,
    spans,
    st.floats(0, 1),
    st.integers(0, 10_000_000),
    st.sampled_from(["wall", "service"]),
)
def test_a_clock_that_resumes_gives_the_time_that_was_left_and_no_more(
    start: datetime, span: int, share: float, pause_s: int, clock: str
) -> None:
    row = an_obligation(start, task(minutes=span, clock=clock))
    at = after(start, span * share, clock, HOURS)  # type: ignore[arg-type]
    rest = left(at, row.due_at, clock, HOURS)  # type: ignore[arg-type]
    satisfied = answered(row, at)
    assert satisfied is not None

    recalled = at + timedelta(seconds=pause_s)
    opened = reopened(satisfied, recalled, HOURS)

    assert opened is not None
    assert left(recalled, opened.due_at, clock, HOURS) == rest  # type: ignore[arg-type]
    assert opened.due_at >= row.due_at
    assert (opened.status, opened.satisfied_at) == (ObligationStatus.OPEN, None)
    assert opened.excuse_until == opened.due_at + timedelta(hours=24)


@given(st.integers(-3600, 3600))
def test_a_late_delivery_within_ten_minutes_is_not_held_against_the_sender(delay_s: int) -> None:
    event = chose(LI, "obligation:1", "收到", received_at=MONDAY + timedelta(seconds=delay_s))

    own_time_counts = 0 <= delay_s <= 600
    assert heard_at(event) == (MONDAY if own_time_counts else MONDAY + timedelta(seconds=delay_s))


def test_an_event_without_a_moment_of_arrival_counts_from_its_own() -> None:
    assert heard_at(chose(LI, "obligation:1", "收到")) == MONDAY


# — opening —


async def test_an_obligation_is_opened_once_per_key_and_keeps_its_clock(
    desk: Obligations, records: MemoryRecords, clock: StoppedClock
) -> None:
    first = await owe(desk, records, task(remind_minutes=(20,)))
    clock.advance(minutes(10))
    again = await owe(desk, records, task(title="周报(改)", minutes=90))

    assert again == first
    assert first.due_at == MONDAY + minutes(30)
    assert first.excuse_until == MONDAY + minutes(30) + timedelta(hours=24)
    assert len(await records.audit(what="obligation_opened")) == 1


async def test_a_task_given_at_night_starts_its_clock_in_the_morning(
    desk: Obligations, records: MemoryRecords, clock: StoppedClock
) -> None:
    clock.advance_to(MONDAY.replace(hour=22, minute=10))
    row = await owe(desk, records, task(clock="service"))

    assert row.due_at.astimezone(SHANGHAI) == MONDAY.replace(day=4, hour=9, minute=15)


async def test_a_fixed_deadline_counts_before_any_span(desk: Obligations, records: MemoryRecords) -> None:
    row = await owe(desk, records, task(due_at=MONDAY.replace(hour=18), clock="service"))

    assert row.due_at == MONDAY.replace(hour=18)


async def test_an_obligation_without_any_time_is_the_plugins_fault(
    desk: Obligations, records: MemoryRecords
) -> None:
    with pytest.raises(PluginError, match=r"'tasks' opens obligation 'task 1/qq:10001' without a deadline"):
        await owe(desk, records, task(minutes=0))


# — settling —


async def test_an_answer_in_time_ends_it_and_nothing_comes_any_more(
    desk: Obligations, records: MemoryRecords, clock: StoppedClock
) -> None:
    await owe(desk, records, task(remind_minutes=(20,)))
    settled = await desk.settle(done(note="已办"), MONDAY + minutes(5))

    assert settled is not None
    assert (settled.obligation.status, settled.late) == (ObligationStatus.SATISFIED, False)
    assert (settled.obligation.satisfied_at, settled.obligation.note) == (MONDAY + minutes(5), "已办")
    assert await come(desk, records, clock, 7200) == Came()


async def test_the_first_answer_counts(desk: Obligations, records: MemoryRecords) -> None:
    await owe(desk, records, task())
    await desk.settle(done(), MONDAY + minutes(5))
    again = await desk.settle(done(), MONDAY + minutes(9))

    assert again is not None
    assert again.obligation.satisfied_at == MONDAY + minutes(5)


async def test_thirty_minutes_are_in_time_and_the_next_instant_is_late(
    desk: Obligations, records: MemoryRecords, clock: StoppedClock
) -> None:
    for account in (LI, WANG):
        await owe(desk, records, task(account))
    assert await come(desk, records, clock, 1800) == Came()
    await desk.settle(done(LI), clock.now())
    came = await come(desk, records, clock, 0.000001)
    late = await desk.settle(done(WANG), clock.now())

    assert [event.account for event in came.events] == [WANG]
    assert late is not None
    assert late.late
    assert await status(records, LI) is ObligationStatus.SATISFIED
    assert await status(records, WANG) is ObligationStatus.MISSED


async def test_a_late_answer_is_written_down_and_saves_nothing(
    desk: Obligations, records: MemoryRecords, clock: StoppedClock
) -> None:
    await owe(desk, records, task())
    late = await desk.settle(done(), MONDAY + minutes(30.1))
    second = await desk.settle(done(), MONDAY + minutes(40))
    came = await come(desk, records, clock, 3600)

    assert late is not None
    assert second is not None
    assert (late.late, late.undoes_miss) == (True, False)
    assert second.obligation.satisfied_at == MONDAY + minutes(30.1)
    assert len(came.events) == 1
    row = await records.obligation_by_key("task 1/qq:10001")
    assert row is not None
    assert (row.status, row.satisfied_at) == (ObligationStatus.MISSED, MONDAY + minutes(30.1))


async def test_an_answer_given_in_time_and_delivered_late_undoes_the_miss(
    desk: Obligations, records: MemoryRecords, clock: StoppedClock
) -> None:
    await owe(desk, records, task())
    await come(desk, records, clock, 35 * 60)
    event = chose(LI, "obligation:1", "收到", at=MONDAY + minutes(29), received_at=clock.now())

    settled = await desk.choose(event)

    assert settled is not None
    assert settled.undoes_miss
    assert await status(records) is ObligationStatus.SATISFIED


async def test_an_answer_that_is_recalled_lets_the_clock_run_on_from_where_it_stood(
    desk: Obligations, records: MemoryRecords, clock: StoppedClock
) -> None:
    await owe(desk, records, task(remind_minutes=(5, 20)))
    await come(desk, records, clock, 600)
    await desk.settle(done(), clock.now())
    await come(desk, records, clock, 3600)
    opened = await desk.settle(done(how="withdrawn"), clock.now())

    assert opened is not None
    assert opened.obligation.due_at == clock.now() + minutes(20)
    assert opened.obligation.remind_at == (clock.now() + minutes(10),)
    assert (await come(desk, records, clock, 1200)).events == ()
    assert len((await come(desk, records, clock, 1)).events) == 1


async def test_an_answer_recalled_in_the_same_instant_changes_no_deadline(
    desk: Obligations, records: MemoryRecords, clock: StoppedClock
) -> None:
    row = await owe(desk, records, task())
    await desk.settle(done(), clock.now())
    opened = await desk.settle(done(how="withdrawn"), clock.now())

    assert opened is not None
    assert opened.obligation.due_at == row.due_at
    assert len((await come(desk, records, clock, 3600)).events) == 1


async def test_a_late_answer_that_is_recalled_leaves_it_missed(
    desk: Obligations, records: MemoryRecords, clock: StoppedClock
) -> None:
    await owe(desk, records, task())
    await come(desk, records, clock, 3600)
    await desk.settle(done(), clock.now())
    opened = await desk.settle(done(how="withdrawn"), clock.now())

    assert opened is not None
    assert (opened.obligation.status, opened.obligation.satisfied_at) == (ObligationStatus.MISSED, None)


async def test_nothing_is_reopened_where_nothing_was_answered(
    desk: Obligations, records: MemoryRecords
) -> None:
    row = await owe(desk, records, task())
    opened = await desk.settle(done(how="withdrawn"), MONDAY)

    assert opened is not None
    assert opened.obligation == row


async def test_what_is_called_off_is_owed_no_more(
    desk: Obligations, records: MemoryRecords, clock: StoppedClock
) -> None:
    await owe(desk, records, task(remind_minutes=(5,)))
    called_off = await desk.settle(done(how="cancelled", note="会议取消"), MONDAY)

    assert called_off is not None
    assert called_off.obligation.status is ObligationStatus.CANCELLED
    assert await come(desk, records, clock, 7200) == Came()
    answer = await desk.settle(done(), MONDAY)
    assert answer is not None
    assert answer.obligation.status is ObligationStatus.CANCELLED


async def test_what_was_done_is_not_called_off(desk: Obligations, records: MemoryRecords) -> None:
    await owe(desk, records, task())
    await desk.settle(done(), MONDAY)
    await desk.settle(done(how="cancelled"), MONDAY)

    assert await status(records) is ObligationStatus.SATISFIED


@pytest.mark.parametrize("how", ["satisfied", "withdrawn", "cancelled"])
async def test_settling_what_nobody_owes_does_nothing(desk: Obligations, how: str) -> None:
    assert await desk.settle(done(how=how), MONDAY) is None


# — options —


async def test_an_option_settles_what_is_owed(desk: Obligations, records: MemoryRecords) -> None:
    row = await owe(desk, records, task(options=(Option(word="收到"), Option(word="请假"))))

    settled = await desk.choose(chose(LI, f"obligation:{row.id}", "请假", note="家里有事"))

    assert settled is not None
    assert settled.obligation.note == "家里有事"
    assert settled.obligation.status is ObligationStatus.SATISFIED


async def test_a_choice_on_a_shared_reminder_settles_what_the_chooser_owes(
    desk: Obligations, records: MemoryRecords
) -> None:
    row = await owe(desk, records, task(LI))
    await owe(desk, records, task(WANG))

    await desk.choose(chose(WANG, f"obligation:{row.id}", "收到"))

    assert await status(records, LI) is ObligationStatus.OPEN
    assert await status(records, WANG) is ObligationStatus.SATISFIED


@pytest.mark.parametrize(
    "event",
    [
        chose(LI, "case:1", "收到"),
        chose(LI, "obligation:seven", "收到"),
        chose(LI, "obligation:77", "收到"),
        chose(LI, "obligation:1", "不去"),
        chose(WANG, "obligation:1", "收到"),
    ],
    ids=["another subject", "no number", "no such", "no such word", "somebody else"],
)
async def test_a_choice_that_fits_nothing_settles_nothing(
    desk: Obligations, records: MemoryRecords, event: ChoiceMade
) -> None:
    await owe(desk, records, task(LI, options=(Option(word="收到"),)))

    assert await desk.choose(event) is None
    assert await status(records) is ObligationStatus.OPEN


async def test_somebody_known_who_owes_nothing_of_it_settles_nothing(
    desk: Obligations, records: MemoryRecords
) -> None:
    row = await owe(desk, records, task(LI))
    await owe(desk, records, task(WANG, title="月报"))

    assert await desk.choose(chose(WANG, f"obligation:{row.id}", "收到")) is None


# — reminders —


async def test_one_reminder_names_all_who_have_not_answered(
    desk: Obligations, records: MemoryRecords, clock: StoppedClock
) -> None:
    options = (Option(word="收到"),)
    rows = [
        await owe(desk, records, task(who, remind_minutes=(20,), options=options)) for who in (LI, WANG, ZHAO)
    ]
    await desk.settle(done(WANG), MONDAY + minutes(1))

    came = await come(desk, records, clock, 25 * 60)

    [reminder] = came.actions
    assert isinstance(reminder, SendText)
    assert reminder.text == "李四、赵六:「周报」还剩 10 分钟(截止 03-03 10:30),请及时回应。"
    assert (reminder.mentions, reminder.options) == ((LI, ZHAO), options)
    assert reminder.subject == f"obligation:{rows[0].id}"


async def test_every_moment_has_its_own_reminder(
    desk: Obligations, records: MemoryRecords, clock: StoppedClock
) -> None:
    for who in (LI, WANG):
        await owe(desk, records, task(who, remind_minutes=(15, 25)))

    came = await come(desk, records, clock, 29 * 60)

    assert [action.text[:14] for action in came.actions] == [
        "李四、王五:「周报」还剩 1",
        "李四、王五:「周报」还剩 5",
    ]


async def test_different_titles_are_reminded_of_apart(
    desk: Obligations, records: MemoryRecords, clock: StoppedClock
) -> None:
    await owe(desk, records, task(LI, remind_minutes=(20,)))
    await owe(desk, records, task(WANG, title="月报", remind_minutes=(20,)))

    came = await come(desk, records, clock, 25 * 60)

    assert [action.mentions for action in came.actions if isinstance(action, SendText)] == [(LI,), (WANG,)]


async def test_a_private_reminder_goes_to_each_alone_and_says_no_details_in_the_group(
    desk: Obligations, records: MemoryRecords, clock: StoppedClock
) -> None:
    rows = [await owe(desk, records, task(who, remind_minutes=(20,), private=True)) for who in (LI, WANG)]

    came = await come(desk, records, clock, 25 * 60)

    assert [
        (action.account, action.subject) for action in came.actions if isinstance(action, DirectMessage)
    ] == [(row.account, f"obligation:{row.id}") for row in rows]
    assert all("周报" in action.text for action in came.actions)
    assert not any("周报" in action.neutral for action in came.actions if isinstance(action, DirectMessage))


async def test_minutes_left_are_those_of_the_clock_that_runs(
    desk: Obligations, records: MemoryRecords, clock: StoppedClock
) -> None:
    clock.advance_to(MONDAY.replace(hour=11, minute=50))
    await owe(desk, records, task(clock="service", remind_minutes=(5,)))

    came = await come(desk, records, clock, 600)

    assert "还剩 25 分钟(截止 03-03 13:50)" in came.actions[0].text


async def test_reminders_that_were_missed_while_nothing_ran_become_one(
    desk: Obligations, records: MemoryRecords, clock: StoppedClock
) -> None:
    await owe(desk, records, task(remind_minutes=(5, 10, 15)))
    clock.advance(minutes(20))

    came = await come(desk, records, clock, 0)

    assert len(came.actions) == 1


async def test_nobody_is_reminded_after_the_deadline(
    desk: Obligations, records: MemoryRecords, clock: StoppedClock
) -> None:
    await owe(desk, records, task(remind_minutes=(5,)))
    clock.advance(minutes(40))

    came = await come(desk, records, clock, 0)

    assert came.actions == ()
    assert len(came.events) == 1


async def test_two_replicas_at_once_remind_everybody_once(
    desk: Obligations, records: MemoryRecords, clock: StoppedClock, people: PeopleBook
) -> None:
    replica = a_desk(records, clock, people)
    for who in (LI, WANG, ZHAO):
        await owe(desk, records, task(who, remind_minutes=(20,)))
    clock.advance(minutes(20))
    due = await records.claim_due(clock.now())

    came = await asyncio.gather(
        *(where.come_due(row) for where, row in zip((desk, replica, desk), due, strict=True))
    )

    named = [account for one in came for action in one.actions for account in getattr(action, "mentions", ())]
    assert sorted(named) == [LI, WANG, ZHAO]


async def test_two_processes_on_one_database_remind_and_miss_once(
    sqlite_url: str, clock: StoppedClock, people: PeopleBook
) -> None:
    await schema.migrate(sqlite_url)
    async with open_records(sqlite_url) as one, open_records(sqlite_url) as other:
        desks = (a_desk(one, clock, people), a_desk(other, clock, people))
        for number in range(6):
            await owe(desks[number % 2], one, task(AccountId(f"qq:{number}"), remind_minutes=(20,)))
        named: list[str] = []
        late: list[str] = []
        for wait in (20, 11):
            clock.advance(minutes(wait))
            rows = [*await one.claim_due(clock.now(), 3), *await other.claim_due(clock.now(), 3)]
            came = await asyncio.gather(*(desks[number % 2].come_due(due) for number, due in enumerate(rows)))
            named += [who for one_came in came for action in one_came.actions for who in action.mentions]  # type: ignore[union-attr]
            late += [event.account or "" for one_came in came for event in one_came.events]

    assert sorted(named) == sorted(late) == [f"qq:{number}" for number in range(6)]


# — missing —


async def test_a_missed_deadline_is_a_fact(
    desk: Obligations, records: MemoryRecords, clock: StoppedClock
) -> None:
    row = await owe(desk, records, task())

    [fact] = (await come(desk, records, clock, 1801)).events

    assert (fact.obligation_id, fact.obligation_kind, fact.plugin) == (row.id, "tasks.answer", "tasks")
    assert (fact.person_id, fact.account, fact.group_id) == (row.person_id, LI, QQ)
    assert (fact.source, fact.late) == ("clock", False)
    assert await status(records) is ObligationStatus.MISSED


async def test_a_deadline_that_passed_while_nothing_ran_is_missed_once_and_marked_late(
    desk: Obligations, records: MemoryRecords, clock: StoppedClock
) -> None:
    await owe(desk, records, task())
    clock.advance(timedelta(days=2))

    facts = [*(await come(desk, records, clock, 0)).events, *(await come(desk, records, clock, 60)).events]

    assert [fact.late for fact in facts] == [True]


async def test_a_due_row_handed_over_by_itself_is_marked_late_too(
    desk: Obligations, records: MemoryRecords, clock: StoppedClock
) -> None:
    await owe(desk, records, task())
    clock.advance(minutes(45))
    [row] = await records.claim_due(clock.now())

    assert [fact.late for fact in (await desk.come_due(row)).events] == [True]


async def test_the_row_of_a_deadline_that_moved_says_nothing(
    desk: Obligations, records: MemoryRecords, clock: StoppedClock
) -> None:
    await owe(desk, records, task())
    old = Due(job="obligation/miss/task 1/qq:10001", due_at=MONDAY, group_id=QQ)

    assert await desk.come_due(old) == Came()
    assert await status(records) is ObligationStatus.OPEN


@pytest.mark.parametrize("job", ["obligation/miss/unheard of", "obligation/remind/unheard of", "case/7"])
async def test_a_row_of_nothing_that_is_owed_says_nothing(desk: Obligations, job: str) -> None:
    assert await desk.come_due(Due(job=job, due_at=MONDAY, group_id=QQ)) == Came()


async def test_a_deadline_whose_row_was_lost_with_a_process_is_found_again(
    desk: Obligations, records: MemoryRecords, clock: StoppedClock
) -> None:
    await owe(desk, records, task())
    clock.advance(minutes(45))
    await records.claim_due(clock.now())

    assert await desk.recover() == 1
    assert len((await come(desk, records, clock, 1)).events) == 1
    assert await desk.recover() == 0


# — explaining and excusing —


async def missed(desk: Obligations, records: MemoryRecords, clock: StoppedClock) -> Obligation:
    row = await owe(desk, records, task())
    await come(desk, records, clock, 1801)
    return row


async def test_whoever_was_late_may_explain_and_a_steward_accepts(
    desk: Obligations, records: MemoryRecords, clock: StoppedClock
) -> None:
    row = await missed(desk, records, clock)
    explained = await desk.explain(row.id, LI, " 网络中断 ")
    excused = await desk.excuse(row.id, BOSS, accept=True, note="情况属实")

    assert (explained.status, explained.note) == (ObligationStatus.EXCUSE_PENDING, "网络中断")
    assert (excused.status, excused.note) == (ObligationStatus.EXCUSED, "情况属实")
    lines = await records.audit(subject=f"obligation:{row.id}")
    assert [(line.what, line.actor) for line in lines] == [
        ("obligation_opened", "tasks"),
        ("obligation_explained", LI),
        ("obligation_decided", BOSS),
    ]


async def test_an_explanation_that_is_turned_down_leaves_it_missed(
    desk: Obligations, records: MemoryRecords, clock: StoppedClock
) -> None:
    row = await missed(desk, records, clock)
    await desk.explain(row.id, LI, "网络中断")

    assert (await desk.excuse(row.id, BOSS, accept=False)).status is ObligationStatus.MISSED


async def test_an_explanation_is_taken_up_to_the_hour_it_is_allowed_and_not_longer(
    desk: Obligations, records: MemoryRecords, clock: StoppedClock
) -> None:
    rows = [await owe(desk, records, task(who)) for who in (LI, WANG)]
    await come(desk, records, clock, 24 * 3600 + 1800)
    assert await desk.explain(rows[0].id, LI, "网络中断")
    clock.advance(timedelta.resolution)

    with pytest.raises(CommandError, match="说明期已于 03-04 10:30 结束"):
        await desk.explain(rows[1].id, WANG, "网络中断")


async def test_an_explanation_quicker_than_the_ticker_does_not_hide_the_miss(
    desk: Obligations, records: MemoryRecords, clock: StoppedClock
) -> None:
    row = await owe(desk, records, task())
    clock.advance(minutes(30) + timedelta.resolution)
    await desk.explain(row.id, LI, "网络中断")

    assert len((await come(desk, records, clock, 1)).events) == 1
    assert await status(records) is ObligationStatus.EXCUSE_PENDING


@pytest.mark.parametrize(
    ("who", "reason", "said"),
    [(WANG, "网络中断", "与您无关"), (BOSS, "网络中断", "与您无关"), (LI, "  ", "请写明理由")],
)
async def test_only_the_person_who_owes_explains_and_with_a_reason(
    desk: Obligations, records: MemoryRecords, clock: StoppedClock, who: AccountId, reason: str, said: str
) -> None:
    row = await missed(desk, records, clock)
    await records.person_for(WANG)

    with pytest.raises(CommandError, match=said):
        await desk.explain(row.id, who, reason)


async def test_a_persons_other_account_explains_too_after_a_merge(
    desk: Obligations, records: MemoryRecords, clock: StoppedClock
) -> None:
    row = await missed(desk, records, clock)
    other = await records.person_for(LI_AT_WORK)
    await records.merge(other.id, row.person_id, by=BOSS, at=clock.now())

    assert (await desk.explain(row.id, LI_AT_WORK, "网络中断")).person_id == other.id


async def test_there_is_a_time_to_explain(
    desk: Obligations, records: MemoryRecords, clock: StoppedClock
) -> None:
    row = await owe(desk, records, task())
    with pytest.raises(CommandError, match="尚未到期"):
        await desk.explain(row.id, LI, "网络中断")
    with pytest.raises(CommandError, match="没有编号为 T77"):
        await desk.explain(77, LI, "网络中断")
    await come(desk, records, clock, 1801)
    await desk.explain(row.id, LI, "网络中断")
    with pytest.raises(CommandError, match="正在等待"):
        await desk.explain(row.id, LI, "网络中断")
    await desk.excuse(row.id, BOSS, accept=True)
    with pytest.raises(CommandError, match="无需说明"):
        await desk.explain(row.id, LI, "网络中断")


async def test_a_steward_may_excuse_without_being_asked(
    desk: Obligations, records: MemoryRecords, clock: StoppedClock
) -> None:
    row = await owe(desk, records, task(remind_minutes=(5,)))

    assert (await desk.excuse(row.id, BOSS, accept=True, note="请假")).status is ObligationStatus.EXCUSED
    assert await come(desk, records, clock, 7200) == Came()


async def test_nobody_decides_on_what_they_owe_themselves_or_where_nothing_waits(
    desk: Obligations, records: MemoryRecords, clock: StoppedClock
) -> None:
    row = await missed(desk, records, clock)
    with pytest.raises(CommandError, match="没有待核定的说明"):
        await desk.excuse(row.id, BOSS, accept=False)
    await desk.explain(row.id, LI, "网络中断")
    with pytest.raises(CommandError, match="由您本人承担"):
        await desk.excuse(row.id, LI, accept=True)
    with pytest.raises(CommandError, match="没有编号为 T77"):
        await desk.excuse(77, BOSS, accept=True)


# — persons and company —


async def test_a_merge_of_persons_keeps_what_is_owed(
    desk: Obligations, records: MemoryRecords, clock: StoppedClock
) -> None:
    row = await owe(desk, records, task())
    kept = await records.person_for(LI_AT_WORK)
    await records.merge(kept.id, row.person_id, by=BOSS, at=clock.now())

    [fact] = (await come(desk, records, clock, 1801)).events

    assert fact.person_id == kept.id


class Busy(MemoryRecords):
    """A record in which somebody else is always, or a while, a little faster."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    async def update_obligation(self, obligation: Obligation, due: Sequence[Due] = ()) -> Obligation:
        if self.times:
            self.times -= 1
            raise Conflict("somebody was faster")
        return await super().update_obligation(obligation, due)


@pytest.mark.parametrize("times", [1, 100])
async def test_a_change_is_tried_again_and_not_for_ever(
    clock: StoppedClock, people: PeopleBook, times: int
) -> None:
    records = Busy(times)
    desk = a_desk(records, clock, people)
    await owe(desk, records, task())

    if times > 1:
        with pytest.raises(Conflict, match="try again"):
            await desk.settle(done(), MONDAY)
    else:
        await desk.settle(done(), MONDAY)
        assert await status(records) is ObligationStatus.SATISFIED
