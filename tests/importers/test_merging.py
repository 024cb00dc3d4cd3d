"""Exports that overlap are put together without a loss or a repeat, also with what a bot heard itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from groupops import AccountId, GroupId, MemberJoined, MessagePosted, Text
from groupops.importers.transcripts import Joined, Merge, Party, Said, Watch, keyed
from groupops.importers.transcripts.values import Value

START = datetime(2026, 1, 1, 1, 0, tzinfo=UTC)
GROUP = GroupId("wechat:1@chatroom")


def said(minute: int, name: str = "松果", text: str = "+1", *, id_: str = "", message: str = "") -> Said:
    at = START + timedelta(minutes=minute)
    sender = Party(id=id_, name=name)
    return Said(row=1, at=at, precision="min", sender=sender, text=text, message_id=message)


TALK = st.lists(
    st.builds(
        said, st.integers(0, 5), st.sampled_from(["松果", "米粒"]), st.sampled_from(["+1", "收到", "＋1"])
    ),
    max_size=30,
).map(lambda values: sorted(values, key=lambda value: value.at))


@given(talk=TALK)
def test_the_same_export_again_brings_nothing(talk: list[Value]) -> None:
    merge = Merge()

    assert list(merge.fresh(talk)) == talk
    assert list(merge.fresh(talk)) == []
    assert merge.same["again"] == len(talk)


@given(talk=TALK, first=st.integers(0, 5), overlap=st.integers(0, 3))
def test_two_exports_that_overlap_by_whole_minutes_are_the_whole(
    talk: list[Value], first: int, overlap: int
) -> None:
    early = [value for value in talk if value.at <= START + timedelta(minutes=first)]
    late = [value for value in talk if value.at > START + timedelta(minutes=first - overlap)]
    merge = Merge()

    assert [*merge.fresh(early), *merge.fresh(late)] == talk


@given(talk=TALK, cut=st.integers(0, 30))
def test_an_export_that_begins_in_the_middle_of_a_minute_tells_nothing_twice(
    talk: list[Value], cut: int
) -> None:
    merge = Merge()
    assert list(merge.fresh(talk)) == talk

    assert list(merge.fresh(talk[cut:])) == []


@given(talk=TALK)
def test_what_was_known_last_time_is_known_by_its_keys(talk: list[Value]) -> None:
    keys = {key for key, _ in keyed(talk)}

    assert len(keys) == len(talk)
    assert list(Merge(known=keys).fresh(talk)) == []


def test_a_message_with_an_id_is_known_by_it() -> None:
    merge = Merge()
    list(merge.fresh([said(0, id_="wxid_a", message="7", text="早")]))

    assert list(merge.fresh([said(0, id_="wxid_a", message="7", text="早(已改)")])) == []
    assert len(list(merge.fresh([said(0, id_="wxid_a", message="8", text="早")]))) == 1


def heard(second: int, text: str = "+1", account: str = "wechat:wxid_a", card: str = "松果") -> MessagePosted:
    return MessagePosted(
        id=f"live/{second}{text}",
        at=START + timedelta(seconds=second),
        group_id=GROUP,
        account=AccountId(account),
        message_id=f"live{second}",
        segments=(Text(text=text),),
        name="Songguo",
        card=card,
    )


def test_what_a_bot_heard_is_not_told_again_by_names_and_minutes() -> None:
    merge = Merge()
    merge.heard([heard(12), heard(40)])

    fresh = list(merge.fresh([said(0), said(0), said(0)]))

    assert len(fresh) == 1  # two were heard, and three are in the export
    assert merge.same["heard"] == 2


def test_the_same_words_of_somebody_else_or_of_another_time_are_news() -> None:
    merge = Merge()
    merge.heard([heard(12)])

    assert len(list(merge.fresh([said(0, "米粒"), said(9)]))) == 2


def test_an_id_decides_where_both_have_one() -> None:
    merge = Merge()
    merge.heard([heard(0), heard(1, account="wechat:wxid_b")])

    fresh = list(merge.fresh([said(0, id_="wxid_c"), said(0, id_="wxid_b")]))

    assert [value.sender.id for value in fresh if isinstance(value, Said)] == ["wxid_c"]


def test_a_join_a_bot_saw_is_not_told_again() -> None:
    merge = Merge()
    account = AccountId("wechat:wxid_alan")
    merge.heard([MemberJoined(id="live/1", at=START, group_id=GROUP, account=account, name="阿岚")])
    by_id = Joined(row=1, at=START, who=(Party(id="wxid_alan", name="阿岚"),))
    other = Joined(row=2, at=START, who=(Party(id="wxid_mili", name="米粒"),))

    assert list(merge.fresh([by_id, other])) == [other]


def test_times_in_which_a_bot_was_listening_are_its_own() -> None:
    watch = Watch(start=START + timedelta(minutes=2), end=START + timedelta(minutes=4))
    merge = Merge(watched=(watch,))

    fresh = list(merge.fresh([said(minute) for minute in range(6)]))

    assert [value.at.minute for value in fresh] == [0, 1, 4, 5]
    assert merge.same["watched"] == 2
