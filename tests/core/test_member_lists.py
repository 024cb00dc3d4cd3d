"""A member list tells what changed, never more than it knows, and nothing while it is in doubt."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupops.events import Listed, MembersListed
from groupops.member_lists import FOLD_AT, Differences, Roll, differences
from groupops.people import AccountId, GroupId, Role

NOON = datetime(2025, 3, 3, 12, 0, tzinfo=UTC)
GROUP = GroupId("qq:814231345")

accounts = st.integers(1, 14).map(lambda number: AccountId(f"qq:{10_000 + number}"))
names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6)
moments = st.none() | st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
lines = st.builds(
    Listed, account=accounts, name=names, card=names, role=st.sampled_from(Role), joined_at=moments
)
rolls = st.lists(lines, max_size=10, unique_by=lambda line: line.account)


def a_list(members: Sequence[Listed], **more: object) -> MembersListed:
    return replace(MembersListed(id="list 1", at=NOON, group_id=GROUP, members=tuple(members)), **more)  # type: ignore[arg-type]


def by_account(members: Sequence[Listed]) -> dict[AccountId, Listed]:
    return {line.account: line for line in members}


def crowd(number: int) -> list[Listed]:
    return [Listed(account=AccountId(f"qq:{n}"), card=f"部门-{n}", role=Role.MEMBER) for n in range(number)]


def find(before: Sequence[Listed], after: Sequence[Listed], **more: object) -> Differences:
    return differences(by_account(before), a_list(after, **more))


@given(rolls, rolls)
def test_after_a_believed_list_its_accounts_are_those_known(
    before: list[Listed], after: list[Listed]
) -> None:
    found = find(before, after, confirmed=True)

    assert found.applied(by_account(before)).keys() == by_account(after).keys()


@given(rolls, rolls)
def test_after_a_believed_list_everything_it_tells_is_known(
    before: list[Listed], after: list[Listed]
) -> None:
    known = find(before, after, confirmed=True).applied(by_account(before))

    for told in after:
        line = known[told.account]
        assert line.name == told.name or not told.name
        assert line.card == told.card or not any(other.card for other in after)
        assert line.role is told.role or told.role is Role.UNKNOWN
        assert line.joined_at == told.joined_at or told.joined_at is None


@given(rolls, rolls)
def test_the_same_list_once_more_tells_nothing_new(before: list[Listed], after: list[Listed]) -> None:
    known = find(before, after, confirmed=True).applied(by_account(before))

    assert differences(known, a_list(after, id="list 2", confirmed=True)) == Differences()


@given(rolls, rolls)
def test_the_same_list_delivered_twice_gives_the_same_facts(
    before: list[Listed], after: list[Listed]
) -> None:
    first, second = find(before, after), find(before, list(reversed(after)))

    assert {fact.id: fact for fact in first.facts} == {fact.id: fact for fact in second.facts}
    assert len({fact.id for fact in first.facts}) == len(first.facts)


@given(rolls)
def test_an_empty_list_never_lets_anybody_leave(before: list[Listed]) -> None:
    assert find(before, []) == Differences(suspicious="empty")


@given(rolls, rolls)
def test_an_incomplete_list_changes_nothing(before: list[Listed], after: list[Listed]) -> None:
    assert find(before, after, complete=False) == Differences(suspicious="incomplete")


@given(rolls.filter(bool), st.data())
def test_a_list_that_was_cut_short_never_lets_anybody_leave(
    before: list[Listed], data: st.DataObject
) -> None:
    kept = data.draw(st.integers(0, len(before)), label="kept")
    found = find(before, before[:kept])

    if len(before) - kept > 0.3 * len(before):
        assert found.suspicious in ("empty", "shrunk")
        assert found.facts == found.put == ()
    else:
        assert {fact.account for fact in found.left} == {line.account for line in before[kept:]}


@pytest.mark.parametrize("size", [10, 50, 100, 990, 1990])
def test_thirty_percent_may_leave_at_once_and_one_more_may_not(size: int) -> None:
    before = crowd(size)
    few, many = size * 3 // 10, size * 3 // 10 + 1

    assert len(find(before, before[few:]).left) == few
    assert find(before, before[many:]).suspicious == "shrunk"


def test_a_list_of_other_people_is_doubted_though_it_is_no_shorter() -> None:
    strangers = [Listed(account=AccountId(f"qq:9{n}")) for n in range(10)]

    assert find(crowd(10), strangers).suspicious == "shrunk"


def test_the_share_that_is_doubted_can_be_set() -> None:
    known = by_account(crowd(10))

    assert differences(known, a_list(crowd(4)), confirm_fraction=0.6).suspicious is None


def test_a_list_that_a_steward_confirmed_is_believed_even_when_it_is_empty() -> None:
    assert len(find(crowd(3), [], confirmed=True).left) == 3


@given(rolls, rolls)
def test_only_a_changed_card_is_a_rename(before: list[Listed], after: list[Listed]) -> None:
    renamed = {fact.account: (fact.old, fact.new) for fact in find(before, after, confirmed=True).renamed}

    old, new = by_account(before), by_account(after)
    cards_told = any(line.card for line in after)
    both = old.keys() & new.keys()
    assert renamed == {
        account: (old[account].card, new[account].card)
        for account in both
        if cards_told and old[account].card != new[account].card
    }


def test_a_list_without_any_cards_says_nothing_of_cards() -> None:
    found = find(crowd(4), [replace(line, card="") for line in crowd(4)])

    assert found == Differences()


def test_a_card_that_was_taken_off_is_a_rename_where_others_have_one() -> None:
    before = crowd(4)
    found = find(before, [replace(before[0], card=""), *before[1:]])

    assert [(fact.old, fact.new, fact.inferred) for fact in found.renamed] == [("部门-0", "", True)]


def test_a_role_changes_only_from_one_that_was_known_to_one_that_is_told() -> None:
    unknown, member, admin = (Listed(account=AccountId(f"qq:{n}")) for n in range(3))
    before = [unknown, replace(member, role=Role.MEMBER), replace(admin, role=Role.ADMIN)]
    after = [replace(unknown, role=Role.ADMIN), replace(member, role=Role.ADMIN), admin]

    found = find(before, after)

    assert [(fact.account, fact.role) for fact in found.roles] == [(member.account, Role.ADMIN)]
    assert {line.account: line.role for line in found.put} == {
        unknown.account: Role.ADMIN,
        member.account: Role.ADMIN,
    }


def test_facts_carry_what_the_list_knew() -> None:
    before = crowd(10)
    newcomer = Listed(account=AccountId("qq:77"), name="小王", card="销售-王五")

    found = find(before, [*before[1:], newcomer], source="console")

    [left], [joined] = found.left, found.joined
    assert (left.account, left.how, left.inferred, left.id) == ("qq:0", "unknown", True, "list 1/left/qq:0")
    assert (joined.account, joined.name, joined.card) == ("qq:77", "小王", "销售-王五")
    assert (joined.inferred, joined.at, joined.group_id, joined.source) == (True, NOON, GROUP, "console")
    assert found.facts == (left, joined)


def test_a_line_without_an_account_is_left_out() -> None:
    assert find([], [Listed(account=AccountId("")), *crowd(1)]).put == tuple(crowd(1))


# — the roll that keeps them —


@given(rolls)
def test_a_roll_gives_back_what_was_put_in(members: list[Listed]) -> None:
    roll = Roll(members)

    assert list(roll) == members
    assert len(roll) == len(members)
    assert [roll.get(line.account) for line in members] == members


@given(rolls, st.lists(st.tuples(st.booleans(), lines), max_size=FOLD_AT + 8))
def test_a_roll_changes_like_a_dictionary(members: list[Listed], changes: list[tuple[bool, Listed]]) -> None:
    roll, book = Roll(members), by_account(members)
    for put, line in changes:
        if put:
            roll.put(line)
            book[line.account] = line
        else:
            roll.drop(line.account)
            book.pop(line.account, None)
        assert roll.get(line.account) == book.get(line.account)

    assert {line.account: line for line in roll} == book
    assert len(roll) == len(book)


def test_an_account_is_not_taken_for_one_that_begins_or_ends_like_it() -> None:
    roll = Roll([Listed(account=AccountId("qq:1001"), card="qq:100")])

    assert [account in roll for account in ("qq:100", "q:1001", "qq:10011", "", "qq:1001")] == [
        False,
        False,
        False,
        False,
        True,
    ]


@pytest.mark.parametrize("name", ["甲\t乙", "甲\n乙"])
def test_a_separator_in_a_name_is_read_back_as_a_space(name: str) -> None:
    [line] = Roll([Listed(account=AccountId("qq:1"), name=name)])

    assert line.name == "甲 乙"


def test_a_name_that_is_no_text_spoils_nothing() -> None:
    [line] = Roll([Listed(account=AccountId("qq:1"), name="a\ud800b", card="甲")])

    assert (line.name, line.card) == ("a?b", "甲")


def test_a_member_takes_some_sixty_bytes() -> None:
    members = [
        Listed(
            account=AccountId(f"qq:{1_234_500_000 + n}"),
            name=f"小王{n}",
            card=f"销售部-王小二{n}",
            role=Role.MEMBER,
            joined_at=NOON + timedelta(minutes=n),
        )
        for n in range(50)
    ]
    roll = Roll(members)

    size = sum(map(sys.getsizeof, (roll, roll._bytes, roll._changed)))
    assert size / len(members) < 70


@given(members=rolls, later=lines)
def test_a_roll_names_its_owners(members: list[Listed], later: Listed) -> None:
    roll = Roll(members)
    roll.put(later)

    assert roll.owners() == {line.account for line in roll if line.role is Role.OWNER}
