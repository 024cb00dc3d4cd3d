"""The record keeps its word wherever it is kept: in memory, in SQLite, in PostgreSQL."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from groupops.actions import DeleteMessage, Done, Mute, Option, RemoveMember, SendText
from groupops.errors import Conflict, StoreError
from groupops.events import Listed
from groupops.people import AccountId, Clause, Group, GroupId, Person, PersonId, Role, Stage
from groupops.records import (
    Asking,
    Audit,
    Besides,
    Booking,
    Case,
    CaseStatus,
    Decision,
    Due,
    Known,
    Obligation,
    ObligationStatus,
    OutboxRow,
    OutboxState,
    PolicyRevision,
    Records,
    Steward,
    Ticket,
)
from groupops.store import schema
from groupops.store.memory import MemoryRecords
from groupops.store.sql import SqlRecords, open_records
from groupops.verdicts import Evidence, Severity
from tests.support.postgres_server import PostgresServer

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
BEIJING = timezone(timedelta(hours=8))
GROUP = GroupId("qq:100")
LI = AccountId("qq:1")
WANG = AccountId("wecom:2")
DAY = timedelta(days=1)


# — three records, one contract —


@pytest.fixture(scope="module")
def sqlite_with_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("records") / "template.sqlite3"
    asyncio.run(schema.migrate(f"sqlite://{file}"))
    return file


@pytest.fixture(scope="module")
def postgres_with_tables(postgres_server: PostgresServer) -> Iterator[str]:
    postgres_server.create("contract")
    url = postgres_server.url("contract")
    asyncio.run(schema.migrate(url))
    yield url
    postgres_server.drop("contract")


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where the record of this test lies; empty for memory."""
    if request.param == "memory":
        return ""
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_with_tables"))
    file = tmp_path / "records.sqlite3"
    shutil.copy(request.getfixturevalue("sqlite_with_tables"), file)
    return f"sqlite://{file}"


@pytest.fixture
async def records(address: str) -> AsyncIterator[Records]:
    if not address:
        yield MemoryRecords()
        return
    async with open_records(address) as opened:
        await emptied(opened)
        yield opened


@pytest.fixture
async def neighbour(records: Records, address: str) -> AsyncIterator[Records]:
    """Another process on the same record; in memory there is none, so it is the same."""
    if not address:
        yield records
        return
    async with open_records(address) as opened:
        yield opened


async def emptied(opened: SqlRecords) -> None:
    client = opened.context.db()
    if client.capabilities.dialect == "postgres":
        tables = ", ".join(f'"{model.describe()["table"]}"' for model in schema.kept_models(opened.context))
        await client.execute_script(f"TRUNCATE {tables} RESTART IDENTITY")


# — persons —


async def test_an_account_that_is_bound_to_nobody_has_no_person(records: Records) -> None:
    assert await records.person_of(LI) is None


async def test_an_account_gets_a_provisional_person_once(records: Records) -> None:
    first = await records.person_for(LI, name="小李")
    again = await records.person_for(LI, name="another")

    assert first == again
    assert first.provisional
    assert first.name == "小李"
    assert await records.person_of(LI) == first


async def test_two_who_ask_for_the_person_of_an_account_at_once_get_the_same(
    records: Records, neighbour: Records
) -> None:
    found = await asyncio.gather(*(each.person_for(LI) for each in (records, neighbour) * 4))

    assert len({person.id for person in found}) == 1
    assert len(await records.persons()) == 1


async def test_a_person_is_stored_and_changed(records: Records) -> None:
    made = await records.put_person(
        Person(id=PersonId(0), name="李雷", department="工程", org_roles=frozenset({"hr", "leader"}))
    )

    changed = await records.put_person(replace(made, active=False))

    assert made.id > 0
    assert await records.person(made.id) == changed
    assert await records.persons() == (changed,)


async def test_many_persons_are_stored_and_bound_at_once(records: Records) -> None:
    known = await records.put_person(Person(id=PersonId(0), name="李雷"))
    moved = replace(known, department="财务部", ref="1001", company="甲", position="会计", region="南宁")
    new = Person(id=PersonId(0), name="王芳", ref="1002", left_at=NOON, active=False)

    stored = await records.enrol([(new, (WANG,)), (moved, (LI,)), (replace(new, ref="1003"), ())])

    assert stored[1] == moved
    assert [await records.person(one.id) for one in stored] == list(stored)
    assert [one.ref for one in stored] == ["1002", "1001", "1003"]
    assert await records.person_of(WANG) == stored[0]
    assert await records.person_of(LI) == moved


async def test_of_many_persons_none_is_stored_when_one_account_is_taken(records: Records) -> None:
    known = await records.put_person(Person(id=PersonId(0), name="李雷"))
    await records.bind(LI, known.id)

    with pytest.raises(Conflict):
        await records.enrol(
            [(Person(id=PersonId(0), name="王芳"), (WANG,)), (Person(id=PersonId(0), name="赵敏"), (LI,))]
        )

    assert await records.persons() == (known,)
    assert await records.person_of(WANG) is None


async def test_of_many_persons_none_is_stored_when_one_is_not_there(records: Records) -> None:
    with pytest.raises(StoreError, match="no person 7"):
        await records.enrol([(Person(id=PersonId(0), name="王芳"), ()), (Person(id=PersonId(7)), ())])

    assert await records.persons() == ()


async def test_the_last_word_about_a_subject_is_known(records: Records) -> None:
    await records.note(Audit(at=NOON, what="said", subject="register", actor="hr", detail={}))
    await records.note(Audit(at=NOON + DAY, what="said", subject="register", actor="hr", detail={}))
    await records.note(Audit(at=NOON + 2 * DAY, what="said", subject="person:1", actor="hr", detail={}))

    assert await records.noted_last("register") == NOON + DAY
    assert await records.noted_last("nothing") is None


async def test_a_person_that_is_not_there_cannot_be_changed(records: Records) -> None:
    with pytest.raises(StoreError, match="no person 7"):
        await records.put_person(Person(id=PersonId(7)))


async def test_a_number_nobody_has_gives_nobody(records: Records) -> None:
    assert await records.person(PersonId(9)) is None


async def test_a_binding_is_told_from_where_it_came(records: Records) -> None:
    before = await records.person_for(LI)
    real = await records.put_person(Person(id=PersonId(0), name="李雷"))

    assert await records.bind(LI, real.id) == before.id
    assert await records.bind(LI, real.id) is None
    assert await records.person_of(LI) == real
    assert await records.accounts_of(real.id) == (LI,)


async def test_the_first_binding_comes_from_nobody(records: Records) -> None:
    real = await records.put_person(Person(id=PersonId(0), name="李雷"))

    assert await records.bind(LI, real.id) is None


async def test_nobody_is_bound_to_a_person_that_is_not_there(records: Records) -> None:
    with pytest.raises(StoreError, match="no person 5"):
        await records.bind(LI, PersonId(5))


async def test_bindings_are_given_by_platform(records: Records) -> None:
    li, wang = await records.person_for(LI), await records.person_for(WANG)

    assert await records.bindings("qq") == {LI: li}
    assert await records.bindings("wecom") == {WANG: wang}
    everywhere = await records.bindings()
    assert (everywhere[LI], everywhere[WANG]) == (li, wang)


# — merge and split —


async def test_a_merge_moves_accounts_cases_and_obligations(records: Records) -> None:
    kept, gone = await records.person_for(LI), await records.person_for(WANG)
    case = await booked(records, gone.id, "wecom:e1")
    owed, _ = await records.open_obligation(owing(gone.id))

    merge = await records.merge(kept.id, gone.id, by="qq:9", at=NOON)

    assert await records.accounts_of(kept.id) == (LI, WANG)
    assert await records.person_of(WANG) == kept
    assert (await there(records.case(case.id))).person_id == kept.id
    assert (await there(records.obligation(owed.id))).person_id == kept.id
    assert await records.strikes(kept.id, "soft", NOON) == 1
    assert await records.persons() == (kept,)
    assert await records.merges() == (merge,)


async def test_the_number_of_a_merged_person_stands_for_the_other(records: Records) -> None:
    kept, gone = await records.person_for(LI), await records.person_for(WANG)
    await records.merge(kept.id, gone.id, by="qq:9", at=NOON)

    late = await booked(records, gone.id, "wecom:late")
    owed, _ = await records.open_obligation(owing(gone.id))

    assert await records.person(gone.id) == kept
    assert late.person_id == owed.person_id == kept.id
    assert await records.strikes(gone.id, "soft", NOON) == 1


async def test_a_split_gives_back_what_came_and_leaves_what_came_later(records: Records) -> None:
    kept, gone = await records.person_for(LI), await records.person_for(WANG)
    theirs = await booked(records, gone.id, "wecom:e1")
    owed, _ = await records.open_obligation(owing(gone.id))
    merge = await records.merge(kept.id, gone.id, by="qq:9", at=NOON)
    later = await booked(records, kept.id, "qq:e2")

    undone = await records.split(merge.id, at=NOON + DAY)

    assert undone == replace(merge, undone_at=NOON + DAY)
    assert await records.accounts_of(kept.id) == (LI,)
    assert await records.person_of(WANG) == gone
    assert (await there(records.case(theirs.id))).person_id == gone.id
    assert (await there(records.case(later.id))).person_id == kept.id
    assert (await there(records.obligation(owed.id))).person_id == gone.id
    assert await records.strikes(gone.id, "soft", NOON) == 1
    assert await records.persons() == (kept, gone)
    assert await records.merges() == (undone,)


async def test_an_account_that_was_bound_elsewhere_stays_there_after_a_split(records: Records) -> None:
    kept, gone = await records.person_for(LI), await records.person_for(WANG)
    third = await records.put_person(Person(id=PersonId(0), name="third"))
    merge = await records.merge(kept.id, gone.id, by="qq:9", at=NOON)
    await records.bind(WANG, third.id)

    await records.split(merge.id, at=NOON)

    assert await records.person_of(WANG) == third


async def test_the_inner_of_two_merges_can_be_taken_apart(records: Records) -> None:
    a, b, c = [await records.person_for(AccountId(f"qq:{n}")) for n in (11, 12, 13)]
    of_b = await booked(records, b.id, "qq:b")
    inner = await records.merge(a.id, b.id, by="qq:9", at=NOON)
    outer = await records.merge(c.id, a.id, by="qq:9", at=NOON)

    await records.split(inner.id, at=NOON)
    await records.split(outer.id, at=NOON)

    assert (await there(records.case(of_b.id))).person_id == b.id
    assert await records.accounts_of(a.id) == ("qq:11",)
    assert await records.accounts_of(c.id) == ("qq:13",)


@pytest.mark.parametrize("twice", [True, False], ids=["the same pair", "the other way round"])
async def test_a_person_that_is_merged_is_not_merged_again(records: Records, twice: bool) -> None:
    kept, gone = await records.person_for(LI), await records.person_for(WANG)
    await records.merge(kept.id, gone.id, by="qq:9", at=NOON)
    pair = (kept.id, gone.id) if twice else (gone.id, kept.id)

    with pytest.raises(Conflict, match="already"):
        await records.merge(*pair, by="qq:9", at=NOON)


async def test_nobody_is_merged_with_themselves(records: Records) -> None:
    li = await records.person_for(LI)

    with pytest.raises(Conflict, match="itself"):
        await records.merge(li.id, li.id, by="qq:9", at=NOON)


async def test_a_merge_is_taken_apart_once(records: Records) -> None:
    kept, gone = await records.person_for(LI), await records.person_for(WANG)
    merge = await records.merge(kept.id, gone.id, by="qq:9", at=NOON)
    await records.split(merge.id, at=NOON)

    with pytest.raises(Conflict, match="apart already"):
        await records.split(merge.id, at=NOON)
    with pytest.raises(StoreError, match="no merge 77"):
        await records.split(77, at=NOON)


# — groups, members, stewards —


async def test_a_group_is_bound_in_shadow_whatever_it_says_itself(records: Records) -> None:
    await records.put_group(Group(id=GROUP, name="一号群", owner=LI, stage=Stage.ENFORCED, packs=("s10",)))

    assert await records.group(GROUP) == Group(id=GROUP, name="一号群", owner=LI)
    assert await records.groups() == (Group(id=GROUP, name="一号群", owner=LI),)


async def test_a_revision_puts_stage_and_packs_in_force(records: Records) -> None:
    await records.put_group(Group(id=GROUP, name="old"))
    first = revision(1)
    await records.revise(first)

    await records.put_group(Group(id=GROUP, name="new", timezone="Asia/Urumqi"))

    assert await records.group(GROUP) == Group(
        id=GROUP, name="new", timezone="Asia/Urumqi", stage=Stage.WARN_ONLY, packs=("s10", "s18"), revision=1
    )
    assert await records.revisions(GROUP) == (first,)


@pytest.mark.parametrize("number", [1, 3], ids=["taken", "one left out"])
async def test_only_the_next_revision_is_taken(records: Records, number: int) -> None:
    await records.put_group(Group(id=GROUP))
    await records.revise(revision(1))

    with pytest.raises(Conflict, match="the next is 2"):
        await records.revise(revision(number))

    assert len(await records.revisions(GROUP)) == 1


async def test_of_two_revisions_at_once_one_is_taken(records: Records, neighbour: Records) -> None:
    await records.put_group(Group(id=GROUP))

    done = await asyncio.gather(
        records.revise(revision(1)), neighbour.revise(revision(1)), return_exceptions=True
    )

    assert sorted(type(each).__name__ for each in done) == ["Conflict", "NoneType"]


async def test_a_group_that_is_not_bound_has_no_policy(records: Records) -> None:
    with pytest.raises(StoreError, match="not bound"):
        await records.revise(revision(1))


async def test_a_dropped_group_goes_on_with_its_revisions_when_it_is_bound_again(records: Records) -> None:
    await records.put_group(Group(id=GROUP))
    await records.revise(revision(1))
    await records.put_members(GROUP, [Listed(account=LI)])

    await records.drop_group(GROUP)

    assert await records.groups() == ()
    assert await records.group(GROUP) is None
    assert await records.members(GROUP) == {}
    await records.put_group(Group(id=GROUP))
    await records.revise(revision(2))
    assert len(await records.revisions(GROUP)) == 2


async def test_members_come_change_and_leave(records: Records) -> None:
    li = Listed(account=LI, name="小李", card="工程-李雷", role=Role.ADMIN, joined_at=NOON)
    await records.put_members(GROUP, [li, Listed(account=WANG)])

    changed = replace(li, card="工程-李磊", joined_at=None)
    await records.put_members(GROUP, [changed], gone=[WANG, AccountId("qq:404")])

    assert await records.members(GROUP) == {LI: changed}
    assert await records.members(GroupId("qq:other")) == {}


async def test_a_list_of_three_thousand_members_is_stored_at_once(records: Records) -> None:
    members = [Listed(account=AccountId(f"qq:{number}"), name="某") for number in range(3000)]

    await records.put_members(GROUP, members)
    await records.put_members(GROUP, [], gone=[each.account for each in members[:2999]])

    assert await records.members(GROUP) == {AccountId("qq:2999"): members[2999]}


async def test_stewards_are_added_once_and_removed_once(records: Records) -> None:
    everywhere, here = Steward(account=LI), Steward(account=LI, group_id=GROUP)
    for steward in (everywhere, here, everywhere, here):
        await records.put_steward(steward)

    assert await records.stewards() == (everywhere, here)
    assert await records.drop_steward(everywhere)
    assert not await records.drop_steward(everywhere)
    assert await records.stewards() == (here,)


# — cases —


async def test_a_case_is_booked_with_what_follows_from_it(records: Records) -> None:
    li = await records.person_for(LI)

    done = await records.book(
        "qq:e1",
        LI,
        "soft",
        NOON,
        lambda _: Booking(case=full_case(li.id), outbox=rows("qq:e1", 2), due=(due(),)),
    )

    assert done.fresh
    assert done.case == replace(full_case(li.id), id=done.case.id)
    assert await records.case(done.case.id) == done.case
    assert await records.case_of_event("qq:e1") == done.case
    assert await records.outbox(case_id=done.case.id) == done.outbox
    assert [row.index for row in done.outbox] == [0, 1]
    assert await records.next_due() == due().due_at


async def test_an_action_may_name_the_number_of_its_case(records: Records) -> None:
    li = await records.person_for(LI)

    def told(case: Case) -> tuple[OutboxRow, ...]:
        text = SendText(group_id=GROUP, text=f"申诉 {case.id}")
        return (replace(rows("qq:e1", 2)[1], action=text),)

    done = await records.book(
        "qq:e1",
        LI,
        "soft",
        NOON,
        lambda _: Booking(case=plain_case(li.id), outbox=rows("qq:e1", 1), for_case=told),
    )

    assert [row.index for row in done.outbox] == [0, 1]
    assert done.outbox[1].action == SendText(group_id=GROUP, text=f"申诉 {done.case.id}")
    assert await records.outbox(case_id=done.case.id) == done.outbox


def _asked_about_every(row: OutboxRow) -> Asking:
    """Ask the stewards about a row in place of handing it to a platform."""

    def words(opened: Ticket) -> tuple[OutboxRow, ...]:
        text = SendText(group_id=GROUP, text=f"工单 {opened.id}")
        return (replace(rows(row.key, 1)[0], action=text),)

    line = Audit(at=NOON, what="performed", detail={"key": row.key})
    return Asking(ticket=replace(ticket(), key=row.key, case_id=row.case_id), words=words, noted=line)


async def test_who_books_may_ask_the_stewards_in_the_same_step(records: Records) -> None:
    li = await records.person_for(LI)

    def asking(row: OutboxRow) -> Asking | None:
        return _asked_about_every(row) if row.index else None

    done = await records.book(
        "qq:e1",
        LI,
        "soft",
        NOON,
        lambda _: Booking(case=plain_case(li.id), outbox=rows("qq:e1", 3), asking=asking),
    )

    tickets = await records.tickets()
    assert [one.case_id for one in tickets] == [done.case.id] * 2
    assert [(row.key, row.state, row.attempts) for row in done.outbox] == [
        ("qq:e1#0", "waiting", 0),
        ("qq:e1#1", "done", 1),
        ("qq:e1#2", "done", 1),
        ("qq:e1#1#0", "waiting", 0),
        ("qq:e1#2#0", "waiting", 0),
    ]
    assert [row.receipt for row in done.outbox[1:3]] == [Done(ref=f"ticket:{one.id}") for one in tickets]
    assert [row.action for row in done.outbox[3:]] == [
        SendText(group_id=GROUP, text=f"工单 {one.id}") for one in tickets
    ]
    assert [row.case_id for row in done.outbox] == [done.case.id] * 3 + [None] * 2
    assert await records.outbox() == done.outbox
    assert [line.detail for line in await records.audit()] == [{"key": "qq:e1#1"}, {"key": "qq:e1#2"}]
    again = await records.book("qq:e1", LI, "soft", NOON, forbidden)
    assert (again.fresh, [row.key for row in again.untold]) == (False, ["qq:e1#0"])
    assert await records.tickets() == tickets


async def test_nothing_is_booked_when_the_words_to_the_stewards_cannot_be_made(records: Records) -> None:
    li = await records.person_for(LI)

    def asking(row: OutboxRow) -> Asking:
        return replace(_asked_about_every(row), words=lambda opened: rows("qq:e2", opened.id // 0))

    with pytest.raises(ZeroDivisionError):
        await records.book(
            "qq:e1",
            LI,
            "soft",
            NOON,
            lambda _: Booking(case=plain_case(li.id), outbox=rows("qq:e1", 1), asking=asking),
        )

    assert (await records.cases(), await records.tickets(), await records.outbox()) == ((), (), ())


async def test_the_same_fact_is_booked_once(records: Records) -> None:
    li = await records.person_for(LI)
    first = await records.book("qq:e1", LI, "soft", NOON, booking(li.id, outbox=rows("qq:e1", 1)))

    again = await records.book("qq:e1", LI, "soft", NOON, forbidden)

    assert not again.fresh
    assert (again.case, again.outbox) == (first.case, first.outbox)


async def test_of_two_who_book_the_same_fact_at_once_one_books(records: Records, neighbour: Records) -> None:
    li, wang = await records.person_for(LI), await records.person_for(WANG)

    done = await asyncio.gather(
        records.book("qq:e1", LI, "soft", NOON, booking(li.id)),
        neighbour.book("qq:e1", WANG, "soft", NOON, booking(wang.id)),
        records.book("qq:e1", LI, "soft", NOON, booking(li.id)),
    )

    assert sorted(each.fresh for each in done) == [False, False, True]
    assert len({each.case.id for each in done}) == 1


async def test_bookings_at_once_for_one_person_count_one_after_the_other(
    records: Records, neighbour: Records
) -> None:
    li = await records.person_for(LI)
    counted: list[int] = []

    def decide(known: Known) -> Booking:
        counted.append(known.strikes)
        return Booking(case=plain_case(li.id, strike=known.strikes + 1))

    done = await asyncio.gather(
        *(
            (records, neighbour)[number % 2].book(f"qq:e{number}", LI, "soft", NOON, decide)
            for number in range(8)
        )
    )

    assert sorted(each.case.strike for each in done) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert counted == [0, 1, 2, 3, 4, 5, 6, 7]


async def test_nothing_is_written_when_the_decision_fails(records: Records) -> None:
    li = await records.person_for(LI)
    cases: dict[int, Case] = {}

    with pytest.raises(KeyError):
        await records.book("qq:e1", LI, "soft", NOON, lambda known: Booking(case=cases[known.strikes]))

    assert await records.case_of_event("qq:e1") is None
    assert (await records.book("qq:e1", LI, "soft", NOON, booking(li.id))).fresh


async def test_a_booking_that_is_cancelled_happens_entirely_or_not_at_all(records: Records) -> None:
    li = await records.person_for(LI)

    for turn in range(6):
        task = asyncio.create_task(
            records.book(f"qq:e{turn}", LI, "soft", NOON, booking(li.id, outbox=rows(f"qq:e{turn}", 2)))
        )
        for _ in range(turn):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    after = await records.book("qq:after", LI, "soft", NOON, booking(li.id))
    assert after.fresh
    for case in await records.cases():
        assert len(await records.outbox(case_id=case.id)) == (0 if case.id == after.case.id else 2)


async def test_whoever_is_not_known_is_booked_as_a_provisional_person(records: Records) -> None:
    done = await records.book("qq:e1", LI, "soft", NOON, booking(PersonId(0)), name="李")

    person = await there(records.person_of(LI))
    assert (person.name, person.provisional) == ("李", True)
    assert done.case.person_id == person.id
    assert await records.book("qq:e2", LI, "soft", NOON, booking(PersonId(0))) != done
    assert await records.persons() == (person,)


async def test_of_two_who_book_somebody_unknown_at_once_both_book_the_same_person(
    records: Records, neighbour: Records
) -> None:
    done = await asyncio.gather(
        *(
            each.book(f"qq:e{number}", LI, "soft", NOON, booking(PersonId(0)))
            for number, each in enumerate((records, neighbour) * 2)
        )
    )

    assert len(await records.persons()) == 1
    assert len({each.case.person_id for each in done}) == 1


async def test_a_booking_is_decided_on_what_is_known_of_the_person(records: Records) -> None:
    li, wang = await records.person_for(LI), await records.person_for(WANG)
    await records.book("qq:old", LI, "soft", NOON, booking(li.id, opened_at=NOON - DAY))
    here = await records.book("qq:e1", LI, "soft", NOON, booking(li.id, outbox=rows("qq:e1", 2)))
    there_ = await records.book("qq:e2", LI, "kick", NOON, booking(li.id, group_id=GroupId("qq:200")))
    await records.book("qq:e3", WANG, "soft", NOON, booking(wang.id, outbox=rows("qq:e3", 1)))
    await records.enqueue([replace(rows("qq:e4", 1)[0], case_id=here.case.id, purpose="notice")])
    old = replace(rows("qq:e5", 1)[0], case_id=here.case.id, created_at=NOON - timedelta(minutes=1))
    await records.enqueue([old])
    seen: list[Known] = []

    def decide(known: Known) -> Case:
        seen.append(known)
        return known.recent[0]

    again = await records.book("qq:e6", LI, "soft", NOON, decide, recent=NOON, contained=NOON)

    recent = (here.case, there_.case)
    assert seen == [Known(person_id=li.id, strikes=3, recent=recent, contained=here.outbox)]
    assert (again.case, again.outbox, again.fresh) == (here.case, (), False)
    assert await records.case_of_event("qq:e6") is None


async def test_a_booking_may_change_a_case_that_is_known(records: Records) -> None:
    li = await records.person_for(LI)
    first = await records.book("qq:e1", LI, "soft", NOON, booking(li.id))
    mark = Evidence(what="repeat", detail="qq:e2")

    def once_more(known: Known) -> Booking:
        changed = replace(known.recent[0], evidence=(mark,))
        return Booking(case=changed, outbox=rows("qq:e2", 1))

    done = await records.book("qq:e2", LI, "soft", NOON, once_more, recent=NOON)

    assert done.fresh
    assert done.case == replace(first.case, evidence=(mark,), version=1)
    assert await records.cases() == (done.case,)
    assert [row.event_id for row in await records.outbox(case_id=first.case.id)] == ["qq:e2"]


async def test_what_another_source_tells_again_is_kept_and_is_not_fresh(records: Records) -> None:
    li = await records.person_for(LI)
    first = await records.book("qq:e1", LI, "soft", NOON, booking(li.id))
    again = replace(first.case, evidence=(Evidence(what="source", detail="archive"),))

    done = await records.book("qq:e2", LI, "soft", NOON, lambda _: Booking(case=again, again=True))

    assert not done.fresh
    assert await records.case(first.case.id) == done.case == replace(again, version=1)


async def test_a_case_does_not_take_effect_on_strikes_that_are_no_longer_so_many(records: Records) -> None:
    li = await records.person_for(LI)
    case = await booked(records, li.id, "qq:e1", status=CaseStatus.PROPOSED)
    effective = replace(case, status=CaseStatus.EFFECTIVE, strike=1)
    await booked(records, li.id, "qq:e2")

    with pytest.raises(Conflict, match="decided on 0 strikes, but there are 1"):
        await records.update_case(effective, outbox=rows("qq:yes", 1), counted=(0, NOON))

    assert await records.case(case.id) == case
    assert await records.outbox() == ()
    done = await records.update_case(replace(effective, strike=2), counted=(1, NOON))
    assert done.case.strike == 2


async def test_only_effective_unexpired_cases_of_the_ladder_count(records: Records) -> None:
    li = await records.person_for(LI)
    await booked(records, li.id, "counts")
    await booked(records, li.id, "no expiry", expires_at=None)
    await booked(records, li.id, "expires now", expires_at=NOON)
    await booked(records, li.id, "another ladder", ladder="kick")
    await booked(records, li.id, "a measure", ladder="", status=CaseStatus.MEASURE)
    for status in CaseStatus:
        if status is not CaseStatus.EFFECTIVE:
            await booked(records, li.id, status, status=status)

    assert await records.strikes(li.id, "soft", NOON) == 2
    assert await records.strikes(li.id, "kick", NOON) == 1
    assert await records.strikes(li.id, "", NOON) == 0


async def test_a_moment_of_another_timezone_is_compared_as_what_it_is(records: Records) -> None:
    li = await records.person_for(LI)
    await booked(records, li.id, "e", expires_at=(NOON + timedelta(hours=1)).astimezone(BEIJING))

    assert await records.strikes(li.id, "soft", NOON.astimezone(BEIJING)) == 1
    assert await records.strikes(li.id, "soft", NOON + timedelta(hours=1)) == 0


async def test_cases_are_found_by_all_that_is_given(records: Records) -> None:
    li, wang = await records.person_for(LI), await records.person_for(WANG)
    a = await booked(records, li.id, "a", message_id="m1")
    b = await booked(records, wang.id, "b", opened_at=NOON + DAY, status=CaseStatus.PROPOSED)
    c = await booked(records, li.id, "c", group_id=GroupId("qq:200"))

    assert await records.cases() == (a, b, c)
    assert await records.cases(limit=2) == (a, b)
    assert await records.cases(group_id=GROUP) == (a, b)
    assert await records.cases(person_id=li.id) == (a, c)
    assert await records.cases(statuses=frozenset({CaseStatus.PROPOSED, CaseStatus.LAPSED})) == (b,)
    assert await records.cases(statuses=frozenset()) == ()
    assert await records.cases(message_id="m1") == (a,)
    assert await records.cases(since=NOON + DAY) == (b,)
    assert await records.cases(person_id=li.id, group_id=GROUP) == (a,)


async def test_a_case_is_changed_with_what_follows(records: Records) -> None:
    li = await records.person_for(LI)
    case = await booked(records, li.id, "qq:e1", status=CaseStatus.PROPOSED)
    decision = Decision(account=WANG, person_id=None, word="批准", note="", at=NOON)

    done = await records.update_case(
        replace(case, status=CaseStatus.EFFECTIVE, decisions=(decision,), decided_at=NOON),
        outbox=rows("qq:decision", 1),
        due=(due(),),
    )

    assert done.case == replace(
        case, status=CaseStatus.EFFECTIVE, decisions=(decision,), decided_at=NOON, version=1
    )
    assert await records.case(case.id) == done.case
    assert [row.case_id for row in done.outbox] == [case.id]
    assert await records.outbox(case_id=case.id) == done.outbox
    assert await records.next_due() == due().due_at


async def test_of_two_who_decide_a_case_at_once_one_decides(records: Records, neighbour: Records) -> None:
    li = await records.person_for(LI)
    case = await booked(records, li.id, "qq:e1", status=CaseStatus.PROPOSED)

    done = await asyncio.gather(
        records.update_case(replace(case, status=CaseStatus.EFFECTIVE), outbox=rows("qq:yes", 1)),
        neighbour.update_case(replace(case, status=CaseStatus.DISMISSED), outbox=rows("qq:no", 1)),
        return_exceptions=True,
    )

    assert [type(each) for each in done].count(Conflict) == 1
    assert (await there(records.case(case.id))).version == 1
    assert len(await records.outbox()) == 1


async def test_a_case_that_is_not_there_cannot_be_changed(records: Records) -> None:
    with pytest.raises(StoreError, match="no case 4"):
        await records.update_case(replace(plain_case(PersonId(1)), id=4))


async def test_a_text_no_database_can_hold_does_not_stop_a_booking(records: Records) -> None:
    li = await records.person_for(LI)
    nasty = "a\x00b\ud800c"
    case = replace(
        plain_case(li.id), excerpt=nasty, evidence=(Evidence(what="word", quote=nasty),), reasons=(nasty,)
    )
    row = replace(rows("qq:e1", 1)[0], action=SendText(group_id=GROUP, text=nasty))

    done = await records.book("qq:e1", LI, "soft", NOON, lambda _: Booking(case=case, outbox=(row,)))

    kept = await there(records.case(done.case.id))
    assert kept.excerpt[0] == kept.evidence[0].quote[0] == kept.reasons[0][0] == "a"
    assert len(await records.outbox()) == 1


# — what is to be known again —


async def test_what_an_owner_keeps_is_there_until_it_is_replaced_let_go_or_old(records: Records) -> None:
    await records.keep("qq", {"a": "1", "b": "2", "长": "值"}, NOON)
    await records.keep("core", {"a": "other"}, NOON)
    await records.keep("qq", {"a": "3", "b": None, "never": None}, NOON + DAY)

    assert await records.keepsakes("qq") == {"a": "3", "长": "值"}
    assert await records.keepsakes("core") == {"a": "other"}
    assert await records.keepsakes("nobody") == {}
    await records.purge(NOON + 2 * DAY, {"event": 1}, group_id=GROUP)
    assert len(await records.keepsakes("qq")) == 2
    await records.purge(NOON + 2 * DAY, {"event": 1}, group_id=None)
    assert await records.keepsakes("qq") == {"a": "3"}


# — outbox —


async def test_the_outbox_is_read_page_by_page(records: Records) -> None:
    stored = await records.enqueue(rows("qq:e1", 5))
    waiting = frozenset({OutboxState.WAITING})

    first = await records.outbox(states=waiting, limit=2)
    second = await records.outbox(states=waiting, limit=2, after=first[-1].id)

    assert first + second == stored[:4]
    assert await records.outbox(states=waiting, due_by=NOON, after=second[-1].id) == stored[4:]
    assert await records.outbox(after=stored[-1].id) == ()


async def test_an_action_is_stored_once_under_its_key(records: Records) -> None:
    first = await records.enqueue(rows("qq:e1", 2))

    again = await records.enqueue(rows("qq:e1", 3))

    assert [row.key for row in first] == ["qq:e1#0", "qq:e1#1"]
    assert [row.key for row in again] == ["qq:e1#2"]
    assert await records.outbox() == first + again


@pytest.mark.parametrize("count", [4, 40])
async def test_of_several_actions_at_once_those_that_are_stored_already_are_left_out(
    records: Records, count: int
) -> None:
    there, fresh = rows("qq:e1", count)[::2], rows("qq:e1", count)[1::2]
    first = await records.enqueue(there)

    again = await records.enqueue(rows("qq:e1", count))

    assert [row.index for row in again] == [row.index for row in fresh]
    numbers = {row.id: row.index for row in first + again}
    assert {row.id: row.index for row in await records.outbox()} == numbers
    assert len(numbers) == count


async def test_a_claim_that_sent_nothing_was_no_try(records: Records) -> None:
    (row,) = await records.enqueue(rows("qq:e1", 1))
    for untried in (True, True, False, True):
        await records.performing([row.id], NOON)
        await records.receipted(row.id, OutboxState.WAITING, None, NOON, untried=untried)

    assert [one.attempts for one in await records.outbox()] == [1]


async def test_a_row_of_the_outbox_comes_back_as_it_was(records: Records) -> None:
    row = OutboxRow(
        event_id="qq:e9",
        index=4,
        group_id=GROUP,
        action=Mute(group_id=GROUP, account=LI, span=timedelta(minutes=10)),
        purpose="step",
        plugin="moderation",
        case_id=3,
        not_before=NOON + DAY,
        created_at=NOON,
        degraded_from="mute",
    )

    (stored,) = await records.enqueue([row])

    assert stored == replace(row, id=stored.id, changed_at=NOON)
    assert await records.outbox() == (stored,)


async def test_a_waiting_row_is_claimed_once(records: Records, neighbour: Records) -> None:
    stored = await records.enqueue(rows("qq:e1", 20))
    ids = [row.id for row in stored]

    claims = await asyncio.gather(*(each.performing(ids, NOON + DAY) for each in (records, neighbour) * 2))

    assert sorted(id_ for claim in claims for id_ in claim) == ids
    row = (await records.outbox())[0]
    assert (row.state, row.attempts, row.changed_at) == (OutboxState.PERFORMING, 1, NOON + DAY)
    assert await records.performing([], NOON) == frozenset()
    assert await records.performing([404], NOON) == frozenset()


async def test_a_receipt_ends_a_row(records: Records) -> None:
    (row,) = await records.enqueue(rows("qq:e1", 1))
    await records.performing([row.id], NOON)

    assert await records.receipted(row.id, OutboxState.DONE, Done(ref="m7"), NOON) == ()

    (ended,) = await records.outbox(states=frozenset({OutboxState.DONE}))
    assert ended.receipt == Done(ref="m7")
    assert await records.outbox(states=frozenset({OutboxState.WAITING, OutboxState.PERFORMING})) == ()


async def test_a_row_that_fails_hands_over_to_the_one_that_stands_in(records: Records) -> None:
    (row,) = await records.enqueue(rows("qq:e1", 1))
    stand_in = replace(rows("qq:e1", 2)[1], degraded_from="mute")

    (stored,) = await records.receipted(
        row.id, OutboxState.FAILED, None, NOON, besides=Besides(follow_up=(stand_in,))
    )
    again = await records.receipted(
        row.id, OutboxState.FAILED, None, NOON, besides=Besides(follow_up=(stand_in,))
    )

    assert (stored.index, stored.degraded_from, stored.state) == (1, "mute", OutboxState.WAITING)
    assert again == ()
    assert [each.state for each in await records.outbox()] == [OutboxState.FAILED, OutboxState.WAITING]


async def test_a_row_put_back_waits_until_its_moment_and_keeps_its_last_receipt(records: Records) -> None:
    (row,) = await records.enqueue(rows("qq:e1", 1))
    await records.receipted(row.id, OutboxState.PERFORMING, Done(ref="x"), NOON)

    await records.receipted(row.id, OutboxState.WAITING, None, NOON, not_before=NOON + DAY)

    waiting = frozenset({OutboxState.WAITING})
    assert await records.outbox(states=waiting, due_by=NOON) == ()
    (again,) = await records.outbox(states=waiting, due_by=NOON + DAY)
    assert again.receipt == Done(ref="x")


async def test_a_receipt_for_no_row_is_an_error_and_stores_nothing(records: Records) -> None:
    with pytest.raises(StoreError, match="no row 5"):
        await records.receipted(5, OutboxState.DONE, Done(), NOON)
    with pytest.raises(StoreError, match="no row 5"):
        await records.receipted(
            5, OutboxState.DONE, Done(), NOON, besides=Besides(follow_up=rows("qq:e1", 1))
        )

    assert await records.outbox() == ()


async def test_rows_are_found_by_all_that_is_given(records: Records) -> None:
    here = await records.enqueue(rows("qq:e1", 2))
    other = await records.enqueue([replace(rows("qq:e2", 1)[0], group_id=GroupId("qq:200"), case_id=8)])

    assert await records.outbox(limit=1) == here[:1]
    assert await records.outbox(group_id=GROUP) == here
    assert await records.outbox(case_id=8) == other
    assert await records.outbox(states=frozenset()) == ()


async def test_what_still_waits_of_a_case_can_be_cancelled(records: Records) -> None:
    li = await records.person_for(LI)
    done = await records.book("qq:e1", LI, "soft", NOON, booking(li.id, outbox=rows("qq:e1", 3)))
    await records.performing([done.outbox[0].id], NOON)

    assert await records.cancel_outbox(done.case.id, NOON) == 2
    assert await records.cancel_outbox(done.case.id, NOON) == 0
    states = [row.state for row in await records.outbox(case_id=done.case.id)]
    assert states == [OutboxState.PERFORMING, OutboxState.CANCELLED, OutboxState.CANCELLED]


async def test_what_became_of_an_action_is_written_with_its_line_of_audit(records: Records) -> None:
    (row,) = await records.enqueue(rows("qq:e1", 1))
    line = Audit(at=NOON, what="performed", detail={"case": None})

    with pytest.raises(StoreError, match="no row"):
        await records.receipted(row.id + 1, OutboxState.DONE, Done(), NOON, besides=Besides(noted=line))
    assert await records.audit() == ()

    await records.receipted(row.id, OutboxState.DONE, Done(), NOON, besides=Besides(noted=line))
    assert await records.audit() == (line,)


@pytest.mark.parametrize("status", sorted(CaseStatus))
async def test_what_was_done_too_late_is_undone_only_if_its_case_is_out_of_force(
    records: Records, status: CaseStatus
) -> None:
    li = await records.person_for(LI)
    case = await booked(records, li.id, "qq:e1", status=status)
    (row,) = await records.enqueue([replace(rows("qq:e1", 1)[0], case_id=case.id)])
    back = replace(row, id=0, event_id="qq:e1#0/back", purpose="reversal")

    stored = await records.receipted(row.id, OutboxState.DONE, Done(), NOON, besides=Besides(undo=(back,)))

    undone = status in {"withdrawn", "dismissed", "waived", "reversed"}
    assert [one.purpose for one in stored] == (["reversal"] if undone else [])


async def test_the_stewards_are_asked_in_one_step(records: Records) -> None:
    (row,) = await records.enqueue(rows("qq:e1", 1))
    line = Audit(at=NOON, what="performed", detail={})

    def words(opened: Ticket) -> tuple[OutboxRow, ...]:
        text = SendText(group_id=GROUP, text=f"工单 {opened.id}")
        return (replace(rows("qq:e1#0", 1)[0], action=text),)

    asked = await records.asked(row, Asking(ticket=ticket(), words=words, noted=line), NOON)

    assert asked is not None
    opened, told = asked
    assert await records.tickets() == (opened,)
    assert [one.action for one in told] == [SendText(group_id=GROUP, text=f"工单 {opened.id}")]
    settled, *others = await records.outbox()
    assert (settled.state, settled.receipt, settled.attempts) == ("done", Done(ref=f"ticket:{opened.id}"), 1)
    assert tuple(others) == told
    assert await records.audit() == (line,)
    assert await records.asked(row, Asking(ticket=ticket(), words=words, noted=line), NOON) is None
    assert (await records.tickets(), await records.audit()) == ((opened,), (line,))


async def test_stewards_are_not_asked_about_what_was_cancelled_and_are_about_what_was_claimed(
    records: Records,
) -> None:
    claimed, cancelled = await records.enqueue([rows("qq:e1", 1)[0], replace(rows("qq:e2", 1)[0], case_id=8)])
    await records.performing([claimed.id], NOON)
    await records.cancel_outbox(8, NOON)

    assert await records.asked(cancelled, Asking(ticket=ticket(), words=lambda _: ()), NOON) is None
    assert await records.asked(claimed, Asking(ticket=ticket(), words=lambda _: ()), NOON) is not None

    assert [(row.state, row.attempts) for row in await records.outbox()] == [("done", 1), ("cancelled", 0)]


async def test_nobody_is_asked_anything_when_the_words_cannot_be_made(records: Records) -> None:
    (row,) = await records.enqueue(rows("qq:e1", 1))

    with pytest.raises(ZeroDivisionError):
        await records.asked(
            row, Asking(ticket=ticket(), words=lambda opened: (rows("qq:e2", 1)[opened.id // 0],)), NOON
        )

    assert await records.tickets() == ()
    assert (await records.outbox())[0].state == "waiting"


# — tickets —


async def test_a_ticket_is_opened_once_while_it_is_open(records: Records, neighbour: Records) -> None:
    opened = await asyncio.gather(*(each.open_ticket(ticket()) for each in (records, neighbour) * 2))

    first = opened[0]
    assert {each.id for each in opened} == {first.id}
    assert first == replace(ticket(), id=first.id)
    assert await records.tickets() == (first,)

    closed = await records.close_ticket(first.id, by="list", at=NOON)
    assert closed == replace(first, closed_at=NOON, closed_by="list")
    assert (await records.open_ticket(ticket())).id != first.id


async def test_tickets_without_a_key_are_opened_each_time(records: Records) -> None:
    first = await records.open_ticket(replace(ticket(), key=""))
    second = await records.open_ticket(replace(ticket(), key=""))

    assert await records.tickets(group_id=GROUP) == (first, second)
    assert await records.tickets(group_id=GroupId("qq:200")) == ()


async def test_a_ticket_is_closed_once(records: Records) -> None:
    opened = await records.open_ticket(ticket())
    closed = await records.close_ticket(opened.id, by=LI, at=NOON)

    assert await records.close_ticket(opened.id, by=LI, at=NOON) is None
    assert await records.close_ticket(404, by=LI, at=NOON) is None
    assert await records.tickets() == ()
    assert await records.tickets(open_only=False) == (closed,)


# — obligations —


async def test_an_obligation_comes_back_as_it_was_opened(records: Records) -> None:
    li = await records.person_for(LI)
    owed = replace(
        owing(li.id),
        options=(Option(word="收到"), Option(word="有困难", label="说明原因")),
        remind_at=(NOON, NOON + timedelta(hours=1)),
        excuse_until=NOON + 2 * DAY,
        private=True,
        clock="service",
    )

    opened, fresh = await records.open_obligation(owed, due=(due(),))

    assert fresh
    assert opened == replace(owed, id=opened.id)
    assert await records.obligation(opened.id) == opened
    assert await records.obligation_by_key(owed.key) == opened
    assert await records.next_due() == due().due_at


async def test_an_obligation_is_opened_once_under_its_key(records: Records, neighbour: Records) -> None:
    li = await records.person_for(LI)

    opened = await asyncio.gather(
        *(
            each.open_obligation(replace(owing(li.id), title=f"{number}"))
            for number, each in enumerate((records, neighbour) * 2)
        )
    )

    assert sorted(fresh for _, fresh in opened) == [False, False, False, True]
    assert len({obligation for obligation, _ in opened}) == 1
    assert await records.next_due() is None


async def test_an_obligation_that_was_there_stores_no_due_rows(records: Records) -> None:
    li = await records.person_for(LI)
    await records.open_obligation(owing(li.id))

    await records.open_obligation(owing(li.id), due=(due(),))

    assert await records.next_due() is None


async def test_obligations_are_found_by_all_that_is_given(records: Records) -> None:
    li, wang = await records.person_for(LI), await records.person_for(WANG)
    a, _ = await records.open_obligation(owing(li.id, key="a"))
    b, _ = await records.open_obligation(replace(owing(wang.id, key="b"), plugin="notices"))
    c, _ = await records.open_obligation(
        replace(owing(li.id, key="c"), status=ObligationStatus.MISSED, group_id=GroupId("qq:200"))
    )

    assert await records.obligations() == (a, b, c)
    assert await records.obligations(group_id=GROUP) == (a, b)
    assert await records.obligations(person_id=li.id) == (a, c)
    assert await records.obligations(statuses=frozenset({ObligationStatus.MISSED})) == (c,)
    assert await records.obligations(plugin="notices") == (b,)
    assert await records.obligation(404) is None
    assert await records.obligation_by_key("none") is None


async def test_an_obligation_is_changed_by_who_has_read_it_last(records: Records) -> None:
    li = await records.person_for(LI)
    opened, _ = await records.open_obligation(owing(li.id))
    satisfied = replace(opened, status=ObligationStatus.SATISFIED, satisfied_at=NOON)

    changed = await records.update_obligation(satisfied, due=(due(),))

    assert changed == replace(satisfied, version=1)
    assert await records.obligation(opened.id) == changed
    assert await records.next_due() == due().due_at
    with pytest.raises(Conflict, match="at version 1, not 0"):
        await records.update_obligation(satisfied)
    with pytest.raises(StoreError, match="no obligation 404"):
        await records.update_obligation(replace(opened, id=404))


# — time —


async def test_what_is_due_is_claimed_once_in_order(records: Records) -> None:
    late, early, future = due("b", 1), due("a", 0), due("c", 9)
    await records.put_due([late, early, future])

    assert await records.claim_due(NOON + timedelta(minutes=1)) == (early, late)
    assert await records.claim_due(NOON + timedelta(minutes=1)) == ()
    assert await records.next_due() == future.due_at


async def test_a_claimed_row_that_was_never_handed_over_comes_back_once_its_claim_is_old(
    records: Records,
) -> None:
    await records.put_due((due("lost"), due("done", 1)))
    await records.claim_due(NOON + DAY)
    await records.spent((due("done", 1),), NOON + DAY)

    assert await records.reclaim(NOON + DAY) == 0
    assert await records.reclaim(NOON + DAY + timedelta(seconds=1)) == 1
    assert await records.claim_due(NOON + DAY) == (due("lost"),)


async def test_no_more_is_claimed_than_asked_for(records: Records) -> None:
    await records.put_due([due("job", minute) for minute in range(5)])

    assert await records.claim_due(NOON + DAY, limit=2) == (due("job", 0), due("job", 1))


async def test_each_due_row_goes_to_one_of_many_callers(records: Records, neighbour: Records) -> None:
    await records.put_due([due(f"job{number}", number % 7) for number in range(60)])

    claims = await asyncio.gather(
        *(each.claim_due(NOON + DAY, limit=20) for each in (records, neighbour) * 3)
    )
    claimed = [row.job for claim in claims for row in claim]
    claimed += [row.job for row in await records.claim_due(NOON + DAY)]

    assert sorted(claimed) == sorted(f"job{number}" for number in range(60))


async def test_a_due_row_that_is_there_is_left_as_it_is(records: Records) -> None:
    await records.put_due([due(), due()])
    await records.put_due([replace(due(), payload="other")])
    assert await records.claim_due(NOON + DAY) == (due(),)

    await records.put_due([due()])

    assert await records.claim_due(NOON + DAY) == ()


async def test_a_dropped_job_does_not_fire(records: Records) -> None:
    await records.put_due([due("gone", 1), due("gone", 2), due("stays", 3)])

    assert await records.drop_due("gone") == 2
    assert await records.drop_due("gone") == 0
    assert await records.claim_due(NOON + DAY) == (due("stays", 3),)


async def test_a_dropped_row_can_be_set_again(records: Records) -> None:
    await records.put_due([due()])
    await records.drop_due(due().job)

    await records.put_due([due()])

    assert await records.claim_due(NOON + DAY) == (due(),)


async def test_nothing_is_due_where_nothing_was_set(records: Records) -> None:
    assert await records.next_due() is None
    assert await records.claim_due(NOON) == ()


# — audit, retention, health —


async def test_audit_is_found_by_all_that_is_given(records: Records) -> None:
    a = Audit(at=NOON, what="case.opened", subject="case:1", group_id=GROUP, detail={"步": ["warn", 1]})
    b = Audit(at=NOON, what="group.bound", actor=LI, group_id=GROUP, detail={})
    c = Audit(at=NOON + DAY, what="case.opened", subject="case:2", detail={})
    await records.note(a, b)
    await records.note(c)
    await records.note()

    assert await records.audit() == (a, b, c)
    assert await records.audit(limit=1) == (a,)
    assert await records.audit(group_id=GROUP) == (a, b)
    assert await records.audit(subject="case:2") == (c,)
    assert await records.audit(what="case.opened") == (a, c)


async def test_words_of_a_decided_case_are_taken_out_after_their_term(records: Records) -> None:
    li = await records.person_for(LI)
    old = await booked(records, li.id, "old", excerpt="word", evidence=(Evidence(what="word", quote="word"),))
    open_ = await booked(records, li.id, "open", excerpt="word", status=CaseStatus.PROPOSED)
    young = await booked(records, li.id, "young", excerpt="word", opened_at=NOON + DAY)

    forgotten = await records.purge(NOON + 10 * DAY + timedelta(seconds=1), {"excerpt": 10}, group_id=None)

    assert forgotten == {"excerpt": 1}
    emptied_ = await there(records.case(old.id))
    assert emptied_ == replace(old, excerpt="", evidence=(Evidence(what="word"),), version=1)
    assert await records.case(open_.id) == open_
    assert await records.case(young.id) == young
    assert await records.purge(NOON + 10 * DAY + timedelta(seconds=1), {"excerpt": 10}, group_id=None) == {
        "excerpt": 0
    }


async def test_a_case_is_forgotten_when_it_is_old_decided_and_no_strike(records: Records) -> None:
    li = await records.person_for(LI)
    await booked(records, li.id, "old", expires_at=NOON + DAY)
    strike = await booked(records, li.id, "strike", expires_at=NOON + 200 * DAY)
    open_ = await booked(records, li.id, "open", status=CaseStatus.APPEALED, expires_at=NOON)

    assert await records.purge(NOON + 100 * DAY, {"strike": 99}, group_id=None) == {"strike": 1}

    assert await records.cases() == (strike, open_)
    assert await records.case_of_event("old") is None
    assert await records.strikes(li.id, "soft", NOON) == 1


async def test_what_is_done_is_forgotten_after_its_term(records: Records) -> None:
    li = await records.person_for(LI)
    await records.open_obligation(replace(owing(li.id, key="done"), status=ObligationStatus.SATISFIED))
    still, _ = await records.open_obligation(owing(li.id, key="open"))
    closed = await records.open_ticket(ticket())
    await records.close_ticket(closed.id, by=LI, at=NOON)
    waiting_ticket = await records.open_ticket(ticket())
    ended, waiting = await records.enqueue(rows("qq:e1", 2))
    await records.receipted(ended.id, OutboxState.DONE, Done(), NOON)
    await records.put_due([due("fired", 0)])
    await records.claim_due(NOON)
    await records.put_due([due("waits", 9)])

    assert await records.purge(NOON + 30 * DAY, {"event": 29}, group_id=None) == {"event": 4}

    assert await records.obligations() == (still,)
    assert await records.tickets(open_only=False) == (waiting_ticket,)
    assert await records.outbox() == (waiting,)
    assert await records.claim_due(NOON + DAY) == (due("waits", 9),)
    assert len(await records.enqueue(rows("qq:e1", 1))) == 1


async def test_what_is_younger_than_its_term_stays(records: Records) -> None:
    await records.note(Audit(at=NOON, what="w", detail={}))

    assert await records.purge(NOON + 5 * DAY, {"audit": 5}, group_id=None) == {"audit": 0}
    assert await records.purge(NOON + 5 * DAY + timedelta(seconds=1), {"audit": 5}, group_id=None) == {
        "audit": 1
    }
    assert await records.audit() == ()


async def test_a_groups_purge_leaves_the_rows_of_every_other_group(records: Records) -> None:
    other = GroupId("qq:other")
    for group_id in (GROUP, other):
        await records.put_group(Group(id=group_id))
        await records.note(Audit(at=NOON, what="w", group_id=group_id, detail={}))

    assert await records.purge(NOON + 9 * DAY, {"audit": 5}, group_id=GROUP) == {"audit": 1}
    assert await records.purge(NOON + 9 * DAY, {"audit": 5}, group_id=None) == {"audit": 0}
    assert [line.group_id for line in await records.audit()] == [other]


async def test_members_of_groups_that_are_not_bound_are_forgotten(records: Records) -> None:
    await records.put_group(Group(id=GROUP))
    await records.put_members(GROUP, [Listed(account=LI)])
    await records.put_members(GroupId("qq:stray"), [Listed(account=LI), Listed(account=WANG)])

    assert await records.purge(NOON, {"snapshot": 30, "ledger": 365}, group_id=None) == {
        "snapshot": 2,
        "ledger": 0,
    }
    assert list(await records.members(GROUP)) == [LI]


async def test_the_record_answers(records: Records) -> None:
    await records.ping()


# — what is put in —


def plain_case(person_id: PersonId, **changes: Any) -> Case:
    case = Case(
        event_id="",
        group_id=GROUP,
        person_id=person_id,
        account=LI,
        plugin="moderation",
        rule="moderation.insult",
        reason="辱骂他人",
        ladder="soft",
        strike=1,
        step="remind",
        step_index=0,
        status=CaseStatus.EFFECTIVE,
        opened_at=NOON,
        expires_at=NOON + 180 * DAY,
    )
    return replace(case, **changes)


def full_case(person_id: PersonId) -> Case:
    return plain_case(
        person_id,
        event_id="qq:e1",
        message_id="m1",
        clause=Clause(ref="篇十 二.7", text="不得辱骂"),
        reasons=("辱骂他人", "刷屏"),
        severity=Severity.HIGH,
        evidence=(Evidence(what="word", quote="笨", start=0, end=1, detail="insult"),),
        excerpt="笨",
        approvals_needed=2,
        stage=Stage.WARN_ONLY,
        revision=4,
        noticed_at=NOON,
        decided_at=NOON.astimezone(BEIJING),
        appeal_until=NOON + 3 * DAY,
        reporter=WANG,
        decisions=(Decision(account=WANG, person_id=PersonId(3), word="批准", note="属实", at=NOON),),
    )


def booking(
    person_id: PersonId, outbox: tuple[OutboxRow, ...] = (), **changes: Any
) -> Callable[[Known], Booking]:
    return lambda _: Booking(case=plain_case(person_id, **changes), outbox=outbox)


def forbidden(_: Known) -> Booking:
    raise AssertionError("nothing was to be decided")


async def booked(records: Records, person_id: PersonId, event_id: str, **changes: Any) -> Case:
    account, *_ = await records.accounts_of((await there(records.person(person_id))).id)
    return (await records.book(event_id, account, "soft", NOON, booking(person_id, **changes))).case


def rows(event_id: str, count: int) -> tuple[OutboxRow, ...]:
    action = DeleteMessage(group_id=GROUP, message_id="m1", account=LI)
    return tuple(
        OutboxRow(
            event_id=event_id, index=index, group_id=GROUP, action=action, purpose="contain", created_at=NOON
        )
        for index in range(count)
    )


def due(job: str = "remind", minute: int = 0) -> Due:
    return Due(job=job, due_at=NOON + timedelta(minutes=minute), group_id=GROUP, plugin="tasks", payload="7")


def ticket() -> Ticket:
    return Ticket(
        group_id=GROUP,
        text="请群主移出 张三",
        wanted=RemoveMember(group_id=GROUP, account=LI),
        case_id=3,
        subject="case:3",
        key="kick:3",
        opened_at=NOON,
        due_at=NOON + DAY,
    )


def owing(person_id: PersonId, key: str = "tasks:1") -> Obligation:
    return Obligation(
        key=key,
        group_id=GROUP,
        person_id=person_id,
        account=LI,
        plugin="tasks",
        obligation_kind="tasks.answer",
        title="回复任务",
        opened_at=NOON,
        due_at=NOON + timedelta(hours=1),
    )


def revision(number: int) -> PolicyRevision:
    return PolicyRevision(
        group_id=GROUP,
        number=number,
        author=LI,
        at=NOON,
        diff={"quiet_hours.warn": [None, 3], "stage": ["shadow", "warn_only"]},
        packs=("s10", "s18"),
        stage=Stage.WARN_ONLY,
        overrides={"quiet_hours": {"warn": 3, "windows": ["12:00-13:30"]}},
        note="试行",
    )


async def there(row: Any) -> Any:
    found = await row
    assert found is not None
    return found
