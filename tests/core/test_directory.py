"""Who is who is known without waiting, learnt from facts, and changed by people's word."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from groupops.actions import Capability, DeleteMessage, Mute, RemoveMember, RenameGroup, SetCard
from groupops.calendar import WorkCalendar
from groupops.clock import StoppedClock
from groupops.counters import MemoryCounters
from groupops.directory import CODES_PER_HOUR, TRIES, PeopleBook
from groupops.errors import CommandError, Conflict, StoreError
from groupops.events import (
    CommandGiven,
    Event,
    GroupRenamed,
    Listed,
    MemberJoined,
    MemberLeft,
    MemberRenamed,
    MembersListed,
    MessagePosted,
    MessageRecalled,
    PersonChanged,
    RoleChanged,
)
from groupops.people import AccountId, Group, GroupId, Person, PersonId, Role
from groupops.plugin import Directory, texts_of
from groupops.records import Audit, Due, Records, Steward, Ticket
from groupops.store import schema
from groupops.store.memory import MemoryRecords
from groupops.store.sql import open_records

NOON = datetime(2025, 3, 3, 12, 0, tzinfo=UTC)
QQ = GroupId("qq:814231345")
WECOM = GroupId("wecom:wr1")
OTHER = GroupId("qq:2")
LI, WANG, ZHAO = (AccountId(f"qq:{n}") for n in (10001, 10002, 10003))
LI_AT_WORK = AccountId("wecom:lisi")
BOSS = AccountId("qq:1")


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock(NOON)


@pytest.fixture
def records() -> MemoryRecords:
    return MemoryRecords()


@pytest.fixture
async def book(records: MemoryRecords, clock: StoppedClock) -> PeopleBook:
    for group_id in (QQ, WECOM, OTHER):
        await records.put_group(Group(id=group_id, name="一部", owner=BOSS if group_id == QQ else None))
    await records.put_members(QQ, [listed(LI, "财务-李四"), listed(WANG, "销售-王五"), listed(ZHAO, "")])
    await records.put_members(WECOM, [listed(LI_AT_WORK, "李四")])
    return await opened(records, clock)


async def opened(records: Records, clock: StoppedClock, *groups: GroupId) -> PeopleBook:
    def can(group_id: GroupId) -> frozenset[Capability]:
        return frozenset({Capability.SEND_TEXT}) if group_id == QQ else frozenset()

    book = PeopleBook(records, clock, MemoryCounters(clock), WorkCalendar(), can, texts_of("groupops"))
    await book.load()
    for group_id in groups or (QQ, WECOM):
        await book.load_members(group_id)
    return book


def listed(account: AccountId, card: str = "", role: Role = Role.MEMBER) -> Listed:
    return Listed(account=account, card=card, role=role)


def said(account: AccountId, group_id: GroupId = QQ, **more: str | Role) -> MessagePosted:
    event = MessagePosted(id="m1", at=NOON, group_id=group_id, account=account, message_id="m1")
    return replace(event, **more)  # type: ignore[arg-type]


def a_list(*members: Listed, **more: object) -> MembersListed:
    event = MembersListed(id="list 1", at=NOON, group_id=QQ, members=members)
    return replace(event, **more)  # type: ignore[arg-type]


def left(account: AccountId, **more: object) -> MemberLeft:
    return replace(MemberLeft(id=f"left {account}", at=NOON, group_id=QQ, account=account), **more)  # type: ignore[arg-type]


def said_to(facts: tuple[PersonChanged, ...]) -> list[tuple[GroupId, str]]:
    return [(fact.group_id, fact.change) for fact in facts]


async def real(records: MemoryRecords, name: str, *accounts: AccountId, roles: str = "") -> Person:
    person = await records.put_person(Person(id=PersonId(0), name=name, org_roles=frozenset(roles.split())))
    for account in accounts:
        await records.bind(account, person.id)
    return person


# — asking —


async def test_the_book_is_a_directory(book: PeopleBook) -> None:
    directory: Directory = book

    assert directory.group(QQ) == Group(id=QQ, name="一部", owner=BOSS)
    assert directory.group(GroupId("qq:unheard")) is None
    assert directory.can(QQ) == {Capability.SEND_TEXT}
    assert [member.card for member in directory.members(QQ)] == ["财务-李四", "销售-王五", ""]


async def test_an_account_nobody_knows_is_a_member_of_unknown_role(book: PeopleBook) -> None:
    stranger = book.member(QQ, AccountId("qq:999"))

    assert (stranger.role, stranger.person_id, stranger.called) == (Role.UNKNOWN, None, "999")
    assert not stranger.protected


async def test_days_and_times_are_the_groups_own(records: MemoryRecords, clock: StoppedClock) -> None:
    await records.put_group(Group(id=QQ))
    await records.put_group(Group(id=OTHER, timezone="America/New_York"))
    book = await opened(records, clock)
    sunday_night_in_new_york = datetime(2025, 3, 3, 2, 0, tzinfo=UTC)

    assert book.is_workday(QQ, sunday_night_in_new_york)
    assert not book.is_workday(OTHER, sunday_night_in_new_york)
    assert str(book.timezone(GroupId("qq:unheard"))) == "Asia/Shanghai"


async def test_a_bound_account_shows_its_person(records: MemoryRecords, clock: StoppedClock) -> None:
    await records.put_group(Group(id=QQ))
    person = await real(records, "李四", LI, roles="hr leader")
    book = await opened(records, clock)

    member = book.member(QQ, LI)

    assert (member.person_id, member.real_name, member.org_roles) == (person.id, "李四", {"hr", "leader"})
    assert book.person(LI) == person


async def test_a_member_who_is_asked_for_again_is_not_put_together_again(book: PeopleBook) -> None:
    assert book.member(QQ, LI) is book.member(QQ, LI)


async def test_ten_thousand_groups_of_fifty_stay_small(records: MemoryRecords, clock: StoppedClock) -> None:
    groups = [GroupId(f"qq:{n}") for n in range(20)]
    for group_id in groups:
        await records.put_group(Group(id=group_id))
        members = [listed(AccountId(f"qq:{10**9 + n}"), f"销售部-王小{n}") for n in range(50)]
        await records.put_members(group_id, members)
    book = await opened(records, clock, *groups)

    for group_id in groups:
        for n in range(50):
            book.seen(said(AccountId(f"qq:{10**9 + n}"), group_id, card=f"销售部-王大{n}"))
    book._snapshots.clear()

    size = sum(
        map(
            sys.getsizeof,
            (part for roll in book._rolls.values() for part in (roll, roll._bytes, roll._changed)),
        )
    )
    assert size / len(groups) * 10_000 < 40e6


# — who decides —


async def test_stewards_are_named_for_one_group_or_for_all(
    records: MemoryRecords, clock: StoppedClock, book: PeopleBook
) -> None:
    await book.add_steward(Steward(account=LI), by="operator")
    await book.add_steward(Steward(account=WANG, group_id=OTHER), by="operator")

    assert [book.decides(group_id, LI) for group_id in (QQ, OTHER)] == [True, True]
    assert [book.decides(group_id, WANG) for group_id in (QQ, OTHER)] == [False, True]
    assert book.member(QQ, LI).protected
    assert await book.remove_steward(Steward(account=LI), by="operator")
    assert not await book.remove_steward(Steward(account=LI), by="operator")
    assert not book.decides(QQ, LI)
    assert [line.what for line in await records.audit(subject=f"account:{LI}")] == [
        "steward_added",
        "steward_removed",
    ]


async def test_a_persons_other_accounts_decide_too(records: MemoryRecords, book: PeopleBook) -> None:
    await real(records, "李四", LI, LI_AT_WORK)
    await book.load()
    await book.add_steward(Steward(account=LI), by="operator")

    assert book.decides(WECOM, LI_AT_WORK)


async def test_a_steward_of_the_organisation_decides_everywhere(
    records: MemoryRecords, book: PeopleBook
) -> None:
    await real(records, "李四", LI, roles="steward")
    await book.load()

    assert book.decides(QQ, LI)
    assert book.decides(OTHER, LI)


async def test_the_bound_owner_decides_and_is_protected_where_no_role_is_known(book: PeopleBook) -> None:
    assert book.member(QQ, BOSS).role is Role.UNKNOWN
    assert book.member(QQ, BOSS).protected
    assert book.decides(QQ, BOSS)
    assert not book.decides(OTHER, BOSS)


async def test_an_admin_of_the_platform_is_protected_and_decides_nothing(book: PeopleBook) -> None:
    book.seen(said(LI, role=Role.ADMIN))

    assert book.member(QQ, LI).protected
    assert not book.decides(QQ, LI)


async def test_nobody_decides_by_having_no_account(book: PeopleBook) -> None:
    assert not book.decides(OTHER, AccountId(""))


async def test_those_who_decide_are_listed_once_a_person_by_their_account_on_the_platform(
    records: MemoryRecords, book: PeopleBook
) -> None:
    await real(records, "李四", LI, LI_AT_WORK, roles="steward")
    await book.load()
    await book.add_steward(Steward(account=WANG, group_id=QQ), by="operator")
    await book.take_list(a_list(listed(LI), listed(WANG), listed(ZHAO, role=Role.OWNER)))

    assert set(book.stewards_of(QQ)) == {LI, WANG, ZHAO}
    assert book.stewards_of(WECOM) == (LI_AT_WORK,)


# — learning from facts —


async def test_a_message_tells_card_name_and_role_and_writes_nothing(
    records: MemoryRecords, book: PeopleBook
) -> None:
    member = book.seen(said(WANG, card="销售-王五(出差)", name="五哥", role=Role.ADMIN))

    assert (member.card, member.name, member.role) == ("销售-王五(出差)", "五哥", Role.ADMIN)
    assert book.member(QQ, WANG) is member
    assert not book.unwritten
    assert await book.flush() == 0
    assert (await records.members(QQ))[WANG].card == "销售-王五"


async def test_a_message_that_tells_nothing_takes_nothing_away(book: PeopleBook) -> None:
    book.seen(said(LI, role=Role.OWNER))
    member = book.seen(said(LI))

    assert (member.card, member.role) == ("财务-李四", Role.OWNER)


async def test_a_stranger_who_speaks_is_known_from_then_on(book: PeopleBook) -> None:
    book.seen(said(AccountId("qq:5"), card="新人"))

    assert book.member(QQ, AccountId("qq:5")).card == "新人"
    assert "新人" in [member.card for member in book.members(QQ)]


async def test_a_message_into_a_group_that_was_not_read_yet_still_shows_its_sender(book: PeopleBook) -> None:
    member = book.seen(said(LI, OTHER, card="李四", role=Role.ADMIN))

    assert (member.card, member.role) == ("李四", Role.ADMIN)
    assert book.members(OTHER) == ()
    assert not book.loaded(OTHER)


async def test_a_message_without_a_sender_teaches_nothing(book: PeopleBook) -> None:
    assert book.seen(said(AccountId(""), card="匿名")).card == ""
    assert len(book.members(QQ)) == 3


async def test_joins_renames_and_roles_are_written_together_later(
    records: MemoryRecords, book: PeopleBook
) -> None:
    facts: list[Event] = [
        MemberJoined(id="j", at=NOON, group_id=QQ, account=AccountId("qq:5"), name="新人"),
        MemberRenamed(id="n", at=NOON, group_id=QQ, account=WANG, old="销售-王五", new="王五"),
        RoleChanged(id="r", at=NOON, group_id=QQ, account=LI, role=Role.ADMIN),
    ]
    members = [book.seen(fact) for fact in facts]

    assert [(m.called, m.role) for m in members] == [
        ("新人", Role.UNKNOWN),
        ("王五", Role.MEMBER),
        ("财务-李四", Role.ADMIN),
    ]
    assert len(await records.members(QQ)) == 3
    assert await book.flush() == 3
    stored = await records.members(QQ)
    assert (stored[AccountId("qq:5")].joined_at, stored[WANG].card, stored[LI].role) == (
        NOON,
        "王五",
        Role.ADMIN,
    )
    assert not book.unwritten


async def test_whoever_left_is_shown_as_before_and_then_forgotten(
    records: MemoryRecords, book: PeopleBook
) -> None:
    assert book.seen(left(WANG)).card == "销售-王五"

    assert book.member(QQ, WANG).role is Role.UNKNOWN
    await book.flush()
    assert WANG not in await records.members(QQ)


async def test_what_the_record_refuses_is_written_the_next_time(
    records: MemoryRecords, book: PeopleBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object) -> None:
        raise StoreError("the disk is full")

    book.seen(left(WANG))
    with monkeypatch.context() as patch:
        patch.setattr(records, "put_members", refuse)
        with pytest.raises(StoreError):
            await book.flush()

    assert await book.flush() == 1
    assert WANG not in await records.members(QQ)


async def test_two_that_write_at_once_write_everything_and_nothing_twice(
    records: MemoryRecords, book: PeopleBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A group that is met has the picture read anew while it is just being written."""
    note, noted = records.note, list[Audit]()

    async def slowly(*entries: Audit) -> None:
        await asyncio.sleep(0)
        noted.extend(entries)
        await note(*entries)

    monkeypatch.setattr(records, "note", slowly)
    book.seen(left(WANG))
    book.seen(left(LI))

    await asyncio.gather(book.flush(), book.flush())

    assert len({str(entry) for entry in noted}) == len(noted) == 2
    assert not book.unwritten


async def test_a_new_group_name_and_a_new_owner_reach_the_record(
    records: MemoryRecords, book: PeopleBook
) -> None:
    book.seen(GroupRenamed(id="g", at=NOON, group_id=QQ, name="二部"))
    book.seen(RoleChanged(id="r", at=NOON, group_id=QQ, account=LI, role=Role.OWNER))
    await book.flush()

    assert await records.group(QQ) == book.group(QQ) == Group(id=QQ, name="二部", owner=LI)
    assert book.decides(QQ, LI)


async def test_facts_about_nobody_give_a_member_without_an_account(book: PeopleBook) -> None:
    assert book.seen(GroupRenamed(id="g", at=NOON, group_id=OTHER, name="二部")).account == ""


async def test_other_facts_show_whom_they_are_about(book: PeopleBook) -> None:
    assert (
        book.seen(CommandGiven(id="c", at=NOON, group_id=QQ, account=WANG, name="帮助")).card == "销售-王五"
    )


async def test_before_its_first_list_the_record_knows_nobody_of_a_group(
    records: MemoryRecords, clock: StoppedClock
) -> None:
    await records.put_group(Group(id=QQ))
    book = await opened(records, clock)
    book.seen(MemberJoined(id="j", at=NOON, group_id=QQ, account=LI))
    await book.flush()

    assert book.members(QQ) != ()
    assert await book.take_list(a_list(listed(LI), listed(WANG), listed(ZHAO))) == []
    assert len(await records.members(QQ)) == 3


async def test_a_group_that_was_unbound_is_forgotten_and_not_bound_again_by_what_was_unwritten(
    records: MemoryRecords, book: PeopleBook
) -> None:
    book.seen(GroupRenamed(id="g", at=NOON, group_id=QQ, name="二部"))
    await records.drop_group(QQ)
    await book.load()
    await book.flush()

    assert await records.group(QQ) is None
    assert book.group(QQ) is None
    assert not book.loaded(QQ)


async def test_a_group_is_read_anew_with_its_members_and_a_platform_met_for_the_first_time(
    records: MemoryRecords, book: PeopleBook
) -> None:
    wechat = GroupId("wechat:g")
    await records.put_group(Group(id=wechat, name="三部"))
    await records.put_members(wechat, [listed(AccountId("wechat:a"), "李四")])
    await real(records, "李四", AccountId("wechat:a"))

    assert await book.load_group(wechat) == book.group(wechat) == Group(id=wechat, name="三部")
    assert book.member(wechat, AccountId("wechat:a")).real_name == "李四"
    assert await book.load_group(GroupId("qq:unbound")) is None


# — lists and the tickets they close —


async def test_a_believed_list_is_stored_and_told_as_facts(records: MemoryRecords, book: PeopleBook) -> None:
    facts = await book.take_list(
        a_list(listed(LI, "财务-李四"), listed(WANG, "王五"), listed(BOSS), confirmed=True)
    )

    assert [(fact.kind, getattr(fact, "account", "")) for fact in facts] == [
        ("member_left", ZHAO),
        ("member_joined", BOSS),
        ("member_renamed", WANG),
    ]
    assert set(await records.members(QQ)) == {LI, WANG, BOSS}
    assert book.member(QQ, WANG).card == "王五"


async def test_handling_the_facts_of_a_list_writes_nothing_twice(book: PeopleBook) -> None:
    facts = await book.take_list(
        a_list(listed(LI, "李"), listed(WANG, "王五", Role.ADMIN), listed(BOSS), confirmed=True)
    )
    seen = [book.seen(fact) for fact in facts]

    assert [member.called for member in seen] == ["10003", "1", "李", "王五", "王五"]
    assert not book.unwritten


async def test_the_same_list_again_tells_nothing(book: PeopleBook) -> None:
    event = a_list(listed(LI, "李四"), listed(WANG, "王五"), listed(BOSS, "老板"), confirmed=True)
    await book.take_list(event)

    assert await book.take_list(event) == []


async def test_a_join_that_was_seen_is_not_told_again_by_the_list(book: PeopleBook) -> None:
    book.seen(MemberJoined(id="j", at=NOON, group_id=QQ, account=BOSS))

    facts = await book.take_list(
        a_list(listed(LI, "财务-李四"), listed(WANG, "销售-王五"), listed(ZHAO), listed(BOSS))
    )

    assert facts == []


async def test_a_card_that_only_a_message_told_is_told_by_the_list_as_a_rename(book: PeopleBook) -> None:
    book.seen(said(WANG, card="王五"))

    [fact] = await book.take_list(a_list(listed(LI, "财务-李四"), listed(WANG, "王五"), listed(ZHAO)))

    assert isinstance(fact, MemberRenamed)
    assert (fact.old, fact.new, fact.inferred) == ("销售-王五", "王五", True)


async def test_what_messages_told_outlives_a_list_that_cannot_read_it(book: PeopleBook) -> None:
    book.seen(said(WANG, card="王五", role=Role.ADMIN))
    await book.take_list(a_list(*(Listed(account=account) for account in (LI, WANG, ZHAO))))

    assert (book.member(QQ, WANG).card, book.member(QQ, WANG).role) == ("王五", Role.ADMIN)


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (a_list(), "为空"),
        (a_list(listed(LI), listed(WANG)), "骤减"),
        (a_list(listed(LI), listed(WANG), listed(ZHAO), complete=False), "不完整"),
    ],
    ids=["empty", "cut", "incomplete"],
)
async def test_a_doubtful_list_changes_nothing_and_asks_a_steward_once(
    records: MemoryRecords, book: PeopleBook, event: MembersListed, why: str
) -> None:
    before = await records.members(QQ)

    assert [await book.take_list(replace(event, id=f"list {n}")) for n in range(3)] == [[], [], []]
    assert await records.members(QQ) == before
    assert len(book.members(QQ)) == 3
    [ticket] = await records.tickets(group_id=QQ)
    assert why in ticket.text


async def test_a_doubtful_list_is_believed_once_a_steward_closed_its_ticket(
    records: MemoryRecords, book: PeopleBook, clock: StoppedClock
) -> None:
    await book.take_list(a_list(listed(LI)))
    [ticket] = await records.tickets(group_id=QQ)
    await records.close_ticket(ticket.id, by=BOSS, at=clock.now())

    facts = await book.take_list(a_list(listed(LI), id="list 2"))

    assert [fact.kind for fact in facts].count("member_left") == 2


async def test_a_doubtful_list_that_is_told_again_after_the_steward_s_word_was_not_read_again(
    records: MemoryRecords, book: PeopleBook, clock: StoppedClock
) -> None:
    doubted = a_list(listed(LI))
    await book.take_list(doubted)
    [ticket] = await records.tickets(group_id=QQ)
    later = clock.now() + timedelta(minutes=5)
    await records.close_ticket(ticket.id, by=BOSS, at=later)
    clock.advance_to(later)

    assert await book.take_list(doubted) == []
    assert await records.tickets(group_id=QQ) == ()
    assert await book.take_list(replace(doubted, id="list 2", at=later)) != []


async def test_a_stewards_word_holds_for_no_other_list_and_not_for_ever(
    records: MemoryRecords, book: PeopleBook, clock: StoppedClock
) -> None:
    await book.take_list(a_list(listed(LI)))
    [ticket] = await records.tickets(group_id=QQ)
    await records.close_ticket(ticket.id, by=BOSS, at=clock.now())

    assert await book.take_list(a_list(listed(WANG))) == []
    clock.advance(timedelta(days=3))
    assert await book.take_list(a_list(listed(LI))) == []


async def test_a_good_list_settles_the_doubt_and_vouches_for_nothing(
    records: MemoryRecords, book: PeopleBook
) -> None:
    await book.take_list(a_list(listed(LI)))
    await book.take_list(a_list(listed(LI, "财务-李四"), listed(WANG, "销售-王五"), listed(ZHAO)))

    assert await records.tickets(group_id=QQ) == ()
    assert await book.take_list(a_list(listed(LI))) == []
    assert len(await records.tickets(group_id=QQ)) == 1


async def test_whoever_wants_to_is_told_of_the_ticket(records: MemoryRecords, clock: StoppedClock) -> None:
    told: list[Ticket] = []
    book = PeopleBook(
        records,
        clock,
        MemoryCounters(clock),
        WorkCalendar(),
        lambda _: frozenset(),
        texts_of("groupops"),
        told=told.append,
    )
    for _ in range(2):
        await book.take_list(a_list())

    assert [ticket.group_id for ticket in told] == [QQ]


async def test_a_list_closes_the_tickets_it_proves_done_and_no_others(
    records: MemoryRecords, book: PeopleBook
) -> None:
    wanted = {
        "out": RemoveMember(group_id=QQ, account=ZHAO),
        "not out": RemoveMember(group_id=QQ, account=LI),
        "card": SetCard(group_id=QQ, account=WANG, card="王五"),
        "other card": SetCard(group_id=QQ, account=LI, card="李"),
        "mute": Mute(group_id=QQ, account=LI, span=timedelta(minutes=5)),
        "mute of who is gone": Mute(group_id=QQ, account=ZHAO, span=timedelta(minutes=5)),
        "recall": DeleteMessage(group_id=QQ, message_id="m7", account=ZHAO),
    }
    for text, action in wanted.items():
        await records.open_ticket(Ticket(group_id=QQ, text=text, wanted=action, opened_at=NOON))

    await book.take_list(a_list(listed(LI, "李四"), listed(WANG, "王五"), confirmed=True))

    everything = await records.tickets(group_id=QQ, open_only=False)
    assert {ticket.text: ticket.closed_by for ticket in everything} == {
        "out": "list",
        "not out": "",
        "card": "list",
        "other card": "",
        "mute": "",
        "mute of who is gone": "list",
        "recall": "",
    }


async def test_a_doubtful_list_closes_no_ticket(records: MemoryRecords, book: PeopleBook) -> None:
    wanted = RemoveMember(group_id=QQ, account=ZHAO)
    await records.open_ticket(Ticket(group_id=QQ, text="out", wanted=wanted, opened_at=NOON))

    await book.take_list(a_list())

    assert "out" in [ticket.text for ticket in await records.tickets(group_id=QQ)]


@pytest.mark.parametrize(
    ("wanted", "fact"),
    [
        (RemoveMember(group_id=QQ, account=WANG), left(WANG, operator=BOSS)),
        (Mute(group_id=QQ, account=WANG, span=timedelta(minutes=5)), left(WANG, operator=BOSS)),
        (
            SetCard(group_id=QQ, account=WANG, card="王五"),
            MemberRenamed(id="n", at=NOON, group_id=QQ, account=WANG, new="王五"),
        ),
        (RenameGroup(group_id=QQ, name="二部"), GroupRenamed(id="g", at=NOON, group_id=QQ, name="二部")),
        (
            DeleteMessage(group_id=QQ, message_id="m7"),
            MessageRecalled(id="x", at=NOON, group_id=QQ, account=WANG, message_id="m7"),
        ),
    ],
    ids=lambda value: value.kind,
)
async def test_a_fact_closes_the_ticket_it_proves_done(
    records: MemoryRecords,
    book: PeopleBook,
    wanted: RemoveMember | Mute | SetCard | RenameGroup | DeleteMessage,
    fact: MemberLeft | MemberRenamed | GroupRenamed | MessageRecalled,
) -> None:
    for text, group_id in (("here", QQ), ("elsewhere", OTHER)):
        await records.open_ticket(
            Ticket(group_id=group_id, text=text, wanted=replace(wanted, group_id=group_id), opened_at=NOON)
        )

    book.seen(fact)
    await book.flush()

    assert [ticket.text for ticket in await records.tickets()] == ["elsewhere"]


# — coming back (G13) —


async def test_who_was_put_out_and_comes_again_is_known_as_such(book: PeopleBook) -> None:
    book.seen(left(WANG, operator=BOSS, how="removed"))
    await book.flush()
    back = MemberJoined(
        id="j", at=NOON + timedelta(days=1), group_id=QQ, account=WANG, operator=LI, how="invite"
    )
    member = book.seen(back)
    departure = await book.returned(back)

    assert departure is not None
    assert (departure.how, departure.by, departure.at) == ("removed", BOSS, NOON)
    assert member.account == WANG


async def test_who_is_gone_from_the_list_while_a_ticket_asks_for_it_was_put_out(
    records: MemoryRecords, book: PeopleBook
) -> None:
    wanted = RemoveMember(group_id=QQ, account=ZHAO)
    await records.open_ticket(Ticket(group_id=QQ, text="out", wanted=wanted, opened_at=NOON))

    [fact] = await book.take_list(a_list(listed(LI, "财务-李四"), listed(WANG, "销售-王五"), confirmed=True))
    back = await book.returned(MemberJoined(id="j", at=NOON, group_id=QQ, account=ZHAO))

    assert isinstance(fact, MemberLeft)
    assert fact.how == "removed"
    assert back is not None
    assert back.how == "removed"


async def test_who_never_left_does_not_come_back(book: PeopleBook) -> None:
    assert await book.returned(MemberJoined(id="j", at=NOON, group_id=QQ, account=BOSS)) is None


async def test_leaving_and_coming_again_makes_no_new_person(records: MemoryRecords, book: PeopleBook) -> None:
    person = await real(records, "王五", WANG)
    await book.load()
    book.seen(left(WANG))
    book.seen(MemberJoined(id="j", at=NOON, group_id=QQ, account=WANG, name="小五"))
    book.seen(MemberRenamed(id="n", at=NOON, group_id=QQ, account=WANG, new="五"))

    assert book.member(QQ, WANG).person_id == person.id
    assert len(await records.persons()) == 1


# — persons —


async def test_an_account_is_bound_by_a_stewards_word(records: MemoryRecords, book: PeopleBook) -> None:
    person = await real(records, "李四", LI_AT_WORK)

    bound = await book.bind(LI, person.id, by=BOSS)

    assert bound.person == person
    assert said_to(bound.facts) == [(QQ, "bound"), (WECOM, "bound")]
    assert book.member(QQ, LI).key == book.member(WECOM, LI_AT_WORK).key == f"p{person.id}"
    [line] = await records.audit(subject=f"person:{person.id}", what="account_bound")
    assert (line.actor, line.detail["account"]) == (BOSS, LI)


async def test_binding_again_changes_nothing(records: MemoryRecords, book: PeopleBook) -> None:
    person = await real(records, "李四", LI)

    assert (await book.bind(LI, person.id, by=BOSS)).facts == ()


async def test_what_a_provisional_person_did_counts_for_the_one_it_turns_out_to_be(
    records: MemoryRecords, book: PeopleBook
) -> None:
    stray = await records.person_for(LI)
    person = await real(records, "李四", LI_AT_WORK)

    bound = await book.bind(LI, person.id, by=BOSS)

    assert await records.person(stray.id) == person
    assert [fact.former for fact in bound.facts] == [(stray.id,), (stray.id,)]


async def test_what_another_did_stays_with_that_other_when_an_account_changes_hands(
    records: MemoryRecords, book: PeopleBook
) -> None:
    former = await real(records, "赵六", LI)
    person = await real(records, "李四")

    bound = await book.bind(LI, person.id, by=BOSS)

    assert await records.person(former.id) == former
    assert [fact.former for fact in bound.facts] == [(former.id,)]


async def test_an_account_cannot_be_bound_to_nobody(book: PeopleBook) -> None:
    with pytest.raises(StoreError):
        await book.bind(LI, PersonId(99), by=BOSS)


async def test_an_account_that_is_unbound_is_somebody_of_its_own(
    records: MemoryRecords, book: PeopleBook
) -> None:
    person = await real(records, "李四", LI, LI_AT_WORK)
    await book.load()

    loose = await book.unbind(LI, by=BOSS)

    now = await records.person_of(LI)
    assert now is not None
    assert now.provisional
    assert said_to(loose.facts) == [(QQ, "unbound"), (WECOM, "unbound")]
    assert [fact.former for fact in loose.facts] == [(now.id,), (now.id,)]
    assert (book.member(QQ, LI).person_id, book.member(WECOM, LI_AT_WORK).person_id) == (now.id, person.id)
    assert (await book.unbind(LI, by=BOSS)).facts == ()


async def test_two_persons_are_made_one_and_taken_apart_again(
    records: MemoryRecords, book: PeopleBook
) -> None:
    kept, gone = await real(records, "李四", LI), await real(records, "李司", LI_AT_WORK)
    await book.load()

    merged = await book.merge(kept.id, gone.id, by=BOSS)
    assert said_to(merged.facts) == [(QQ, "merged"), (WECOM, "merged")]
    assert {fact.former for fact in merged.facts} == {(gone.id,)}
    assert book.member(WECOM, LI_AT_WORK).person_id == kept.id

    [merge] = await records.merges()
    split = await book.split(merge.id, by=BOSS)
    assert said_to(split.facts) == [(QQ, "split"), (WECOM, "split")]
    assert book.member(WECOM, LI_AT_WORK).person_id == gone.id
    with pytest.raises(Conflict):
        await book.split(merge.id, by=BOSS)


async def test_the_roster_says_who_left_who_came_back_and_whose_roles_changed(
    records: MemoryRecords, book: PeopleBook
) -> None:
    person = await real(records, "李四", LI, LI_AT_WORK)
    await book.load()

    gone = await book.put_person(replace(person, active=False), by="hr")
    back = await book.put_person(replace(person, org_roles=frozenset({"steward"})), by="hr")
    same = await book.put_person(replace(back.person, department="财务"), by="hr")

    assert said_to(gone.facts) == [(QQ, "left"), (WECOM, "left")]
    assert said_to(back.facts) == [(QQ, "returned"), (QQ, "roles"), (WECOM, "returned"), (WECOM, "roles")]
    assert same.facts == ()
    assert book.decides(QQ, LI)
    assert len(await records.audit(subject=f"person:{person.id}", what="person_stored")) == 3


async def test_a_new_person_of_the_roster_is_in_no_group_yet(book: PeopleBook) -> None:
    new = await book.put_person(Person(id=PersonId(0), name="钱七"), by="hr")

    assert new.person.id > 0
    assert new.facts == ()


async def test_a_group_whose_members_were_not_read_yet_hears_of_a_change_too(
    records: MemoryRecords, book: PeopleBook
) -> None:
    await records.put_members(OTHER, [listed(LI)])
    person = await real(records, "李四")

    bound = await book.bind(LI, person.id, by=BOSS)

    assert said_to(bound.facts) == [(OTHER, "bound"), (QQ, "bound")]
    assert not book.loaded(OTHER)


# — the two-way code —


async def test_a_code_asked_for_on_one_platform_and_given_on_another_makes_one_person(
    records: MemoryRecords, book: PeopleBook
) -> None:
    code = await book.ask_code(LI, QQ)
    bound = await book.give_code(LI_AT_WORK, f" {code.lower()} ")

    assert said_to(bound.facts) == [(QQ, "bound"), (WECOM, "bound")]
    assert book.member(QQ, LI).person_id == book.member(WECOM, LI_AT_WORK).person_id == bound.person.id


@pytest.mark.parametrize("known", [LI, LI_AT_WORK])
async def test_the_person_of_the_roster_stays_whichever_account_asked(
    records: MemoryRecords, book: PeopleBook, known: AccountId
) -> None:
    person = await real(records, "李四", known)
    await records.person_for(LI)

    bound = await book.give_code(LI_AT_WORK, await book.ask_code(LI, QQ))

    assert bound.person == person
    assert await records.accounts_of(person.id) == (LI, LI_AT_WORK)


async def test_a_code_holds_for_ten_minutes_and_not_an_instant_longer(
    book: PeopleBook, clock: StoppedClock
) -> None:
    first, second = await book.ask_code(LI, QQ), await book.ask_code(WANG, QQ)
    clock.advance(timedelta(minutes=10))
    await book.give_code(LI_AT_WORK, first)
    clock.advance(timedelta.resolution)

    with pytest.raises(CommandError, match="绑定码不正确或已过期"):
        await book.give_code(LI_AT_WORK, second)


async def test_a_code_works_once_even_when_two_give_it_in_two_replicas(
    records: MemoryRecords, book: PeopleBook, clock: StoppedClock
) -> None:
    replica = await opened(records, clock)
    code = await book.ask_code(LI, QQ)
    await replica.give_code(LI_AT_WORK, code)

    with pytest.raises(CommandError, match="绑定码不正确或已过期"):
        await book.give_code(AccountId("wecom:other"), code)


async def test_a_code_given_by_two_at_once_in_two_processes_binds_one(
    sqlite_url: str, clock: StoppedClock
) -> None:
    await schema.migrate(sqlite_url)
    async with open_records(sqlite_url) as one, open_records(sqlite_url) as other:
        await one.put_group(Group(id=QQ))
        books = [await opened(where, clock, QQ) for where in (one, other)]
        code = await books[0].ask_code(LI, QQ)
        givers = (LI_AT_WORK, AccountId("wecom:other"))
        came = await asyncio.gather(
            *(book.give_code(giver, code) for book, giver in zip(books, givers, strict=True)),
            return_exceptions=True,
        )
        person = await one.person_for(LI)
        accounts = await one.accounts_of(person.id)

    assert sorted(type(answer).__name__ for answer in came) == ["Bound", "CommandError"]
    assert len(accounts) == 2


async def test_the_record_does_not_know_the_code(records: MemoryRecords, book: PeopleBook) -> None:
    code = (await book.ask_code(LI, QQ)).replace("-", "")
    due: tuple[Due, ...] = await records.claim_due(NOON + timedelta(hours=1))

    assert code not in repr(await records.audit())
    assert code not in repr(due)
    assert len(due) == 1


async def test_a_code_is_not_guessed(book: PeopleBook) -> None:
    code = await book.ask_code(LI, QQ)
    wrong = code[:5] + ("AAAAAA" if not code.endswith("AAAAAA") else "BBBBBB")
    for number in range(TRIES):
        with pytest.raises(CommandError, match="绑定码不正确"):
            await book.give_code(AccountId(f"wecom:{number}"), wrong)

    with pytest.raises(CommandError, match="过于频繁"):
        await book.give_code(LI_AT_WORK, code)


async def test_nobody_tries_one_code_after_the_other(book: PeopleBook) -> None:
    for number in range(TRIES):
        with pytest.raises(CommandError, match="绑定码不正确"):
            await book.give_code(LI_AT_WORK, f"ABC{number + 2}-ABCDEF")

    with pytest.raises(CommandError, match="过于频繁"):
        await book.give_code(LI_AT_WORK, "ABC9-ABCDEF")


async def test_nobody_asks_for_codes_without_end(book: PeopleBook, clock: StoppedClock) -> None:
    for _ in range(CODES_PER_HOUR):
        await book.ask_code(LI, QQ)
    with pytest.raises(CommandError, match="过于频繁"):
        await book.ask_code(LI, QQ)

    clock.advance(timedelta(hours=1))
    assert await book.ask_code(LI, QQ)


async def test_a_code_given_by_whoever_asked_for_it_stays_good(book: PeopleBook) -> None:
    code = await book.ask_code(LI, QQ)
    with pytest.raises(CommandError, match="另一个平台"):
        await book.give_code(LI, code)

    assert (await book.give_code(LI_AT_WORK, code)).facts


async def test_two_accounts_of_one_person_need_no_code(records: MemoryRecords, book: PeopleBook) -> None:
    await real(records, "李四", LI, LI_AT_WORK)

    with pytest.raises(CommandError, match="已属于同一人"):
        await book.give_code(LI_AT_WORK, await book.ask_code(LI, QQ))


async def test_two_persons_of_the_roster_are_merged_by_nobody_but_a_steward(
    records: MemoryRecords, book: PeopleBook
) -> None:
    await real(records, "李四", LI)
    await real(records, "李司", LI_AT_WORK)

    with pytest.raises(CommandError, match="联系管理员"):
        await book.give_code(LI_AT_WORK, await book.ask_code(LI, QQ))
