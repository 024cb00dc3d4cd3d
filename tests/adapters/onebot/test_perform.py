"""What the bot is to do is called with every parameter said, and what comes back is the right receipt."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nonebot.adapters.onebot.v11 import ActionFailed, ApiNotAvailable

from groupops import (
    AccountId,
    Action,
    Announce,
    Capability,
    DecideJoin,
    DeleteMessage,
    DirectMessage,
    Done,
    Gone,
    GroupId,
    Impossible,
    InDoubt,
    Mute,
    MuteAll,
    Receipt,
    Refused,
    RemoveMember,
    RenameGroup,
    Reply,
    SendCard,
    SendFile,
    SendImage,
    SendText,
    SetCard,
    Throttled,
    Unmute,
    Unreachable,
)
from groupops_onebot.answers import AnswerLost, NotSent, answer_of, receipt_of
from groupops_onebot.perform import CARD_BYTES, cut
from tests.support.onebot_end import BOT, GROUP, OneBotEnd, Refusal
from tests.support.onebot_rig import Served, serving, until

G = GroupId(f"qq:{GROUP}")
ZHANG = AccountId("qq:20001")
LI = AccountId("qq:20002")
STRANGER = AccountId("qq:66666")


class Bench:
    """A bot that is an admin of a group with two members, over a real socket."""

    def __init__(self, served: Served, end: OneBotEnd) -> None:
        self.served = served
        self.end = end

    async def do(self, action: Action) -> Receipt:
        self.end.calls.clear()
        return await self.served.platform.perform(action, key="k")

    @property
    def called(self) -> list[tuple[str, dict[str, Any]]]:
        return list(self.end.calls)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with serving(onebot_call_seconds=1.0) as served:
        end = OneBotEnd()
        end.hall()
        end.seat(20001, card="张三")
        end.seat(20002, nickname="li")
        await served.join(end)
        yield Bench(served, end)
        await end.close()


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "data": {"text": words}}


def at(native: str) -> dict[str, Any]:
    return {"type": "at", "data": {"qq": native}}


CALLS: dict[str, tuple[Action, str, dict[str, Any]]] = {
    "a text": (
        SendText(group_id=G, text="[CQ:at,qq=all] 好"),
        "send_group_msg",
        {"message": [text("[CQ:at,qq=all] 好")], "auto_escape": False},
    ),
    "a text with mentions": (
        SendText(group_id=G, text="请看", mentions=(ZHANG, LI)),
        "send_group_msg",
        {"message": [at("20001"), at("20002"), text(" "), text("请看")], "auto_escape": False},
    ),
    "a picture": (
        SendImage(group_id=G, data=b"png", caption="表"),
        "send_group_msg",
        {"message": [{"type": "image", "data": {"file": "base64://cG5n"}}, text("表")], "auto_escape": False},
    ),
    "a file": (
        SendFile(group_id=G, name="a.txt", data=b"a"),
        "upload_group_file",
        {"file": "base64://YQ==", "name": "a.txt", "folder": ""},
    ),
    "a mute": (
        Mute(group_id=G, account=ZHANG, span=timedelta(minutes=10)),
        "set_group_ban",
        {"user_id": 20001, "duration": 600},
    ),
    "the longest mute": (
        Mute(group_id=G, account=ZHANG, span=timedelta(days=365)),
        "set_group_ban",
        {"user_id": 20001, "duration": 2_591_999},
    ),
    "a mute of no time": (
        Mute(group_id=G, account=ZHANG, span=timedelta()),
        "set_group_ban",
        {"user_id": 20001, "duration": 1},
    ),
    "an end of a mute": (
        Unmute(group_id=G, account=ZHANG),
        "set_group_ban",
        {"user_id": 20001, "duration": 0},
    ),
    "a mute of all": (MuteAll(group_id=G, on=True), "set_group_whole_ban", {"enable": True}),
    "an end of a mute of all": (MuteAll(group_id=G, on=False), "set_group_whole_ban", {"enable": False}),
    "a card": (
        SetCard(group_id=G, account=ZHANG, card="销售-张三"),
        "set_group_card",
        {"user_id": 20001, "card": "销售-张三"},
    ),
    "no card": (
        SetCard(group_id=G, account=ZHANG, card=""),
        "set_group_card",
        {"user_id": 20001, "card": ""},
    ),
    "a name": (RenameGroup(group_id=G, name="新"), "set_group_name", {"group_name": "新"}),
    "an announcement": (
        Announce(group_id=G, text="放假"),
        "_send_group_notice",
        {
            "content": "放假",
            "pinned": 0,
            "type": 1,
            "confirm_required": 0,
            "is_show_edit_card": 0,
            "tip_window_type": 0,
        },
    ),
}


@pytest.mark.parametrize(("action", "api", "params"), CALLS.values(), ids=CALLS)
async def test_a_call_says_everything(bench: Bench, action: Action, api: str, params: dict[str, Any]) -> None:
    receipt = await bench.do(action)

    assert isinstance(receipt, Done), receipt
    assert bench.called == [(api, {"group_id": GROUP, **params})]


async def test_a_request_is_decided_with_all_that_is_asked_even_without_a_reason(bench: Bench) -> None:
    event = bench.end.request(20003)
    await bench.served.facts(bench.end, event)
    decide = DecideJoin(group_id=G, account=AccountId("qq:20003"), request_id=event["flag"], accept=True)

    first, again = await bench.do(decide), await bench.do(decide)

    assert isinstance(first, Done)
    assert isinstance(again, Gone)
    assert bench.called == [
        ("set_group_add_request", {"flag": event["flag"], "sub_type": "add", "approve": True, "reason": ""})
    ]


async def test_a_refusal_gives_its_reason(bench: Bench) -> None:
    event = bench.end.request(20003)
    await bench.served.facts(bench.end, event)

    await bench.do(
        DecideJoin(
            group_id=G,
            account=AccountId("qq:20003"),
            request_id=event["flag"],
            accept=False,
            reason="不在名册",
        )
    )

    assert bench.called[0][1]["reason"] == "不在名册"
    assert 20003 not in bench.end.halls[GROUP].seats


# — saying something —


async def test_a_mention_of_somebody_who_is_not_there_is_words_and_the_message_is_not_lost(
    bench: Bench,
) -> None:
    receipt = await bench.do(SendText(group_id=G, text="请看", mentions=(ZHANG, STRANGER, AccountId("qq:x"))))

    assert isinstance(receipt, Done)
    message = bench.end.asked("send_group_msg")[0]["message"]
    assert message == [at("20001"), text("@66666 "), text("@x "), text(" "), text("请看")]


async def test_a_mention_of_somebody_not_yet_known_is_asked_for_first(bench: Bench) -> None:
    bench.end.seat(20009)

    await bench.do(SendText(group_id=G, text="请看", mentions=(AccountId("qq:20009"),)))

    assert [api for api, _ in bench.called] == ["get_group_member_info", "send_group_msg"]
    assert bench.end.asked("send_group_msg")[0]["message"][0] == at("20009")


async def test_an_answer_quotes_and_the_quote_of_it_is_for_the_bot(bench: Bench) -> None:
    event = bench.end.message(20001, "几点?")
    await bench.served.facts(bench.end, event)

    receipt = await bench.do(Reply(group_id=G, message_id=str(event["message_id"]), text="八点"))

    assert isinstance(receipt, Done)
    assert bench.end.asked("send_group_msg")[0]["message"] == [
        {"type": "reply", "data": {"id": str(event["message_id"])}},
        text("八点"),
    ]
    parts = [{"type": "reply", "data": {"id": receipt.ref}}, text("好的")]
    (fact,) = await bench.served.facts(bench.end, bench.end.message(20001, parts))
    assert getattr(fact, "to_bot", False)
    assert fact.segments[0].text == "八点"  # type: ignore[union-attr]


async def test_a_file_with_words_is_put_up_before_they_are_said(bench: Bench) -> None:
    receipt = await bench.do(SendFile(group_id=G, name="a.txt", data=b"a", text="名单"))

    assert receipt == Done(ref="/a.txt")
    assert [api for api, _ in bench.called] == ["upload_group_file", "send_group_msg"]


async def test_words_that_fail_do_not_put_the_file_up_again(bench: Bench) -> None:
    bench.end.refusing["send_group_msg"] = Refusal(1200, "发送频繁")

    receipt = await bench.do(SendFile(group_id=G, name="a.txt", data=b"a", text="名单"))

    assert receipt == Done(ref="/a.txt")


# — writing privately —


async def test_a_friend_is_written_to_without_a_group(bench: Bench) -> None:
    bench.served.platform.standing.bot(str(BOT)).friends.add("20001")
    bench.end.friends.add(20001)

    receipt = await bench.do(DirectMessage(group_id=G, account=ZHANG, text="悄悄话"))

    assert isinstance(receipt, Done)
    assert bench.called == [
        ("send_private_msg", {"user_id": 20001, "message": [text("悄悄话")], "auto_escape": False})
    ]


async def test_a_member_is_written_to_by_the_group_and_by_another_when_that_is_forbidden(
    bench: Bench,
) -> None:
    bench.end.hall(7002)
    bench.end.seat(20001, group=7002)
    await bench.served.facts(bench.end, bench.end.message(20001, "在", group=7002))
    del bench.end.halls[GROUP].seats[20001]

    receipt = await bench.do(DirectMessage(group_id=G, account=ZHANG, text="悄悄话"))

    assert isinstance(receipt, Done)
    assert [params["group_id"] for params in bench.end.asked("send_private_msg")] == [GROUP, 7002]


async def test_who_could_not_be_written_to_is_not_promised_again_until_they_are_a_friend(
    bench: Bench,
) -> None:
    bench.end.temp_closed = True
    assert bench.served.platform.direct(ZHANG)

    receipt = await bench.do(DirectMessage(group_id=G, account=ZHANG, text="悄悄话"))

    assert isinstance(receipt, Refused)
    assert not bench.served.platform.direct(ZHANG)
    friend = {"time": 1, "self_id": BOT, "post_type": "notice", "notice_type": "friend_add", "user_id": 20001}
    await bench.served.facts(bench.end, friend)
    assert bench.served.platform.direct(ZHANG)


async def test_a_private_message_whose_answer_is_lost_is_not_sent_by_another_way(bench: Bench) -> None:
    bench.end.silent.add("send_private_msg")

    receipt = await bench.do(DirectMessage(group_id=G, account=ZHANG, text="悄悄话"))

    assert isinstance(receipt, InDoubt)
    assert len(bench.end.asked("send_private_msg")) == 1


# — deeds —


async def test_a_kick_is_done_when_the_end_tells_that_the_member_left(bench: Bench) -> None:
    receipt = await bench.do(RemoveMember(group_id=G, account=ZHANG))

    assert isinstance(receipt, Done)
    assert bench.end.asked("set_group_kick") == [
        {"group_id": GROUP, "user_id": 20001, "reject_add_request": False}
    ]
    assert len(bench.end.asked("get_group_member_info")) == 1


async def test_a_kick_that_changed_nothing_is_refused_though_the_end_says_ok(bench: Bench) -> None:
    bench.end.kicks_work = False

    receipt = await bench.do(RemoveMember(group_id=G, account=ZHANG))

    assert receipt == Refused(why="still in the group after the removal")


async def test_an_admin_is_not_even_tried_to_be_kicked(bench: Bench) -> None:
    receipt = await bench.do(RemoveMember(group_id=G, account=AccountId("qq:90001")))

    assert isinstance(receipt, Refused)
    assert bench.end.asked("set_group_kick") == []


async def test_a_card_that_shows_late_is_done(bench: Bench) -> None:
    bench.end.refusing["set_group_card"] = Refusal(1200, "设置群名片未生效")
    bench.end.halls[GROUP].seats[20001].card = "新"

    assert isinstance(await bench.do(SetCard(group_id=G, account=ZHANG, card="新")), Done)
    assert isinstance(await bench.do(SetCard(group_id=G, account=ZHANG, card="别的")), Refused)


async def test_the_bots_own_message_can_be_taken_back_by_a_plain_member(bench: Bench) -> None:
    sent = await bench.do(SendText(group_id=G, text="错了"))
    assert isinstance(sent, Done)
    theirs = bench.end.message(20001, "早")
    await bench.served.facts(bench.end, theirs)
    unset = bench.end.notice("group_admin", sub_type="unset", user_id=BOT)
    bench.end.halls[GROUP].seats[BOT].role = "member"
    await bench.served.facts(bench.end, unset)

    own = await bench.do(DeleteMessage(group_id=G, message_id=sent.ref))
    other = await bench.do(DeleteMessage(group_id=G, message_id=str(theirs["message_id"])))

    assert isinstance(own, Done)
    assert other == Impossible(capability=Capability.DELETE_MESSAGE)


async def test_an_end_that_does_not_have_a_call_is_not_asked_again(bench: Bench) -> None:
    bench.end.refusing["_send_group_notice"] = Refusal(1404, "不支持的Api")
    assert Capability.ANNOUNCE in bench.served.platform.can(G)

    first = await bench.do(Announce(group_id=G, text="放假"))
    again = await bench.do(Announce(group_id=G, text="放假"))

    assert first == again == Impossible(capability=Capability.ANNOUNCE)
    assert bench.called == []
    assert Capability.ANNOUNCE not in bench.served.platform.can(G)


async def test_a_card_with_buttons_is_impossible(bench: Bench) -> None:
    receipt = await bench.do(SendCard(group_id=G, title="t", text="x"))

    assert receipt == Impossible(capability=Capability.SEND_CARD)


async def test_a_lost_answer_is_in_doubt_and_a_lost_connection_is_no_answer(bench: Bench) -> None:
    bench.end.silent.add("send_group_msg")

    lost = await bench.do(SendText(group_id=G, text="好"))
    await bench.end.drop()
    await until(lambda: not bench.served.platform.standing.bot(str(BOT)).connected)
    away = await bench.do(SendText(group_id=G, text="好"))

    assert isinstance(lost, InDoubt)
    assert isinstance(away, Unreachable)


async def test_a_group_in_which_no_bot_is_can_have_nothing_done(bench: Bench) -> None:
    nowhere = GroupId("qq:9999")

    assert bench.served.platform.can(nowhere) == frozenset()
    assert bench.served.platform.hears(nowhere) == frozenset()
    assert await bench.do(SendText(group_id=nowhere, text="好")) == Impossible(
        capability=Capability.SEND_TEXT
    )


# — what an end says —

ANSWERS = [
    (1200, "cannot ban owner", Refused),
    (1200, "cannot ban admin", Refused),
    (1200, "user not in group", Gone),
    (1200, "No such request", Gone),
    (1200, "Recall failed", Gone),
    (1200, "消息不存在", Gone),
    (1200, "发送过于频繁", Throttled),
    (1200, "EventChecker Failed: timeout", InDoubt),
    (1200, "设置群名片未生效", Refused),
    (1200, "没听说过", Refused),
    (1400, "bad params", Refused),
    (1404, "不支持的Api", Impossible),
    (404, "API_NOT_FOUND", Impossible),
    (429, "", Throttled),
    (35001, "", Gone),
    (None, "", Refused),
    ("1200", {"a": 1}, Refused),
]


@pytest.mark.parametrize(("retcode", "message", "kind"), ANSWERS)
def test_a_failure_is_the_receipt_it_means(retcode: Any, message: Any, kind: type[Receipt]) -> None:
    with pytest.raises(ActionFailed) as failed:
        answer_of({"status": "failed", "retcode": retcode, "message": message, "data": None, "echo": "x"})

    assert isinstance(receipt_of(failed.value, Capability.MUTE), kind)


@pytest.mark.parametrize("frame", [{"status": "ok", "retcode": 1200}, {"retcode": -1}, {"status": "failed"}])
def test_a_failure_is_known_by_either_sign(frame: dict[str, Any]) -> None:
    with pytest.raises(ActionFailed):
        answer_of(frame)


@pytest.mark.parametrize(
    "frame", [{"status": "ok", "retcode": 0, "data": 5}, {"status": "async", "retcode": 1, "data": 5}]
)
def test_an_answer_that_is_none_of_them_is_its_data(frame: dict[str, Any]) -> None:
    assert answer_of(frame) == 5


def test_what_never_left_and_what_never_came_back_are_told_apart() -> None:
    assert isinstance(receipt_of(NotSent("closed"), Capability.MUTE), Unreachable)
    assert isinstance(receipt_of(ApiNotAvailable(), Capability.MUTE), Unreachable)
    assert isinstance(receipt_of(AnswerLost("lost"), Capability.MUTE), InDoubt)


# — cards —


@given(st.text())
def test_a_card_that_is_cut_fits_and_is_a_beginning(card: str) -> None:
    found = cut(card, CARD_BYTES)

    assert len(found.encode(errors="surrogatepass")) <= CARD_BYTES
    assert " ".join(card.split("\n")).startswith(found)


@pytest.mark.parametrize(
    ("card", "most", "found"),
    [
        ("销售-张三", 60, "销售-张三"),
        ("张三李四", 7, "张三"),
        ("ab cd", 3, "ab"),
        ("e\u0301e\u0301", 5, "e\u0301"),
        ("x👨‍👩‍👧", 12, "x"),
        ("x👍🏽", 5, "x"),
        ("🇨🇳🇫🇷", 12, "🇨🇳"),
        ("❤️", 3, ""),
        ("张\n三", 60, "张 三"),
    ],
)
def test_a_card_is_never_cut_within_what_is_seen_as_one(card: str, most: int, found: str) -> None:
    assert cut(card, most) == found


async def test_a_long_card_is_cut_before_the_end_sees_it(bench: Bench) -> None:
    receipt = await bench.do(SetCard(group_id=G, account=ZHANG, card="华东大区销售二部" * 5))

    assert isinstance(receipt, Done)
    card = bench.end.asked("set_group_card")[0]["card"]
    assert len(card.encode()) == 60
    assert json.dumps(card)
