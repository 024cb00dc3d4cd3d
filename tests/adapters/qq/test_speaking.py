"""What the bot says and does on the platform: within its windows and quotas, once, and with an honest receipt."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from groupops import (
    AccountId,
    Action,
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
    Option,
    PlatformError,
    Receipt,
    Refused,
    RemoveMember,
    Reply,
    SendCard,
    SendFile,
    SendImage,
    SendText,
    Throttled,
    Unmute,
    Unreachable,
)
from groupops.clock import StoppedClock, SystemClock
from groupops.contracts_platform import DOT
from groupops.notebook import OwnNotebook
from groupops.platform import Fleeting
from groupops.store.memory import MemoryRecords
from groupops_qq.notes import WROTE_FOR, Notes
from groupops_qq.standing import Person, Standing
from tests.support.qq_platform import APP_ID, BOT, GROUP, OWNER, QQPlatform, RefusalError
from tests.support.qq_rig import MEMBER, QQRig, serving

HERE = GroupId(f"qqbot:{GROUP}")
ZHANG = AccountId(f"qqbot:{MEMBER}")
MESSAGES = f"{GROUP}/messages"


def text(words: str = "好") -> SendText:
    return SendText(group_id=HERE, text=words)


@pytest.fixture
def far() -> QQPlatform:
    return QQPlatform()


@pytest.fixture
async def rig(far: QQPlatform) -> AsyncIterator[QQRig]:
    async with serving(far, qq_media_hosts=["127.0.0.1"]) as served:
        made = QQRig(served)
        await made.begin(speaks=False)
        yield made


async def do(rig: QQRig, action: Action, key: str = "k") -> Receipt:
    return await rig.platform.perform(action, key=key)


def can(rig: QQRig) -> frozenset[Capability]:
    return rig.platform.can(HERE)


# — asked and unasked —


async def test_an_answer_names_the_message_it_follows_from(rig: QQRig) -> None:
    first, _ = await rig.message(), await rig.message()

    await do(rig, text(), key=f"qqbot:{first}#0")

    assert rig.far.halls[GROUP].said[-1]["msg_id"] == first


async def test_after_five_answers_the_next_message_is_used_and_then_the_bot_speaks_unasked(
    rig: QQRig,
) -> None:
    ids = [await rig.message(), await rig.message()]

    for number in range(11):
        assert isinstance(await do(rig, text(), key=str(number)), Done)

    used = [said.get("msg_id") for said in rig.far.halls[GROUP].said]
    assert used == [ids[1]] * 5 + [ids[0]] * 5 + [None]


async def test_a_window_the_platform_calls_closed_is_left_and_nothing_is_lost(rig: QQRig) -> None:
    await rig.message()
    rig.far.fault(MESSAGES, RefusalError(40034128, "被动回复时间或次数超限"))

    assert isinstance(await do(rig, text()), Done)
    assert "msg_id" not in rig.far.halls[GROUP].said[-1]


async def test_where_nothing_may_be_said_unasked_the_bot_says_so_beforehand(rig: QQRig) -> None:
    await rig.served.facts(rig.far.notice("GROUP_MSG_REJECT", op_member_openid=OWNER))
    rig.far.halls[GROUP].proactive = False

    assert Capability.SEND_TEXT not in can(rig)
    assert await do(rig, text()) == Impossible(capability=Capability.SEND_TEXT)
    await rig.message()
    assert Capability.SEND_TEXT in can(rig)


async def test_that_speech_comes_and_goes_where_it_must_be_asked_for_is_no_news(rig: QQRig) -> None:
    assert isinstance(rig.platform, Fleeting)
    assert Capability.SEND_TEXT not in rig.platform.fleeting(HERE)

    await rig.served.facts(rig.far.notice("GROUP_MSG_REJECT", op_member_openid=OWNER))
    assert Capability.SEND_TEXT in rig.platform.fleeting(HERE)

    await rig.message()
    rig.far.halls[GROUP].seats[BOT].muted_until = datetime.now(UTC) + timedelta(hours=1)
    await do(rig, text())
    assert rig.platform.fleeting(HERE) == frozenset()


async def test_that_it_may_not_speak_unasked_is_learnt_from_a_refusal(rig: QQRig) -> None:
    rig.far.halls[GROUP].proactive = False

    assert await do(rig, text()) == Impossible(capability=Capability.SEND_TEXT)
    assert Capability.SEND_TEXT not in can(rig)
    assert "nothing may be said unasked: " + HERE in rig.served.health.note


async def test_a_quota_that_is_used_up_is_waited_for_then_given_up(rig: QQRig, far: QQPlatform) -> None:
    far.unasked_limit = 2
    said = [await do(rig, text(), key=str(number)) for number in range(3)]
    again = await do(rig, text(), key="later")

    assert [type(one) for one in said] == [Done, Done, Throttled]
    assert isinstance(again, Throttled)
    assert len(rig.far.called(MESSAGES)) == 3  # what was refused of late is not tried again
    assert rig.platform.standing.group_quota.measured(GROUP) == 2


async def test_a_quota_of_the_operator_is_kept_without_asking_the_platform() -> None:
    async with serving(qq_proactive_groups={GROUP: ["1/month"]}) as served:
        rig = QQRig(served)
        await rig.begin(speaks=False)

        first, second = await do(rig, text(), key="1"), await do(rig, text(), key="2")

        assert isinstance(first, Done)
        assert second == Impossible(capability=Capability.SEND_TEXT)
        assert len(rig.far.called(MESSAGES)) == 1


# — once —


async def test_an_answer_whose_answer_was_lost_is_said_once_however_often_it_is_repeated(rig: QQRig) -> None:
    await rig.message()
    rig.far.fault(MESSAGES, "lost", "broken")

    receipts = [await do(rig, text("只说一次")) for _ in range(4)]

    assert [type(one) for one in receipts] == [InDoubt, InDoubt, Done, Done]
    assert rig.said().count("只说一次") == 1


async def test_what_was_said_unasked_and_is_in_doubt_is_never_said_again(rig: QQRig) -> None:
    rig.far.fault(MESSAGES, "lost")
    first = await do(rig, text("只说一次"))
    await rig.message()

    again = await do(rig, text("只说一次"))

    assert isinstance(first, InDoubt)
    assert isinstance(again, InDoubt)
    assert rig.said().count("只说一次") == 1


async def test_a_doubt_stays_one_when_the_window_has_closed(rig: QQRig) -> None:
    await rig.message()
    rig.far.fault(MESSAGES, "broken", RefusalError(40034005, "回复消息msg_id已过期"))

    await do(rig, text())

    assert isinstance(await do(rig, text()), InDoubt)
    assert rig.said() == []


async def test_a_process_that_has_just_begun_does_not_claim_to_know_repetitions(far: QQPlatform) -> None:
    async with serving(far, warm_up=timedelta(minutes=5)) as served:
        rig = QQRig(served)
        await rig.begin(speaks=True)

        assert Capability.SEND_TEXT in can(rig)
        assert Capability.DEDUPE_SENDS not in can(rig)


async def test_nothing_left_when_there_is_no_connection(rig: QQRig) -> None:
    rig.far.port = 0
    bot = rig.served.adapter.bot_called(APP_ID)
    assert bot is not None
    rig.served.adapter.looked_over.library.qq_api_base = "http://127.0.0.1:9/"  # type: ignore[assignment]

    assert isinstance(await do(rig, text()), Unreachable)
    rig.served.platform.closed(bot, "broken")
    assert await do(rig, text()) == Unreachable(why="broken")
    assert isinstance(await do(rig, text(), key="another"), Unreachable)


# — in what form —


async def test_a_reply_quotes_and_one_to_nothing_is_gone(rig: QQRig) -> None:
    id_ = await rig.message()

    await do(rig, Reply(group_id=HERE, message_id=id_, text="收到", account=ZHANG), key="1")
    nothing = await do(rig, Reply(group_id=HERE, message_id="ROBOT1.0_none", text="?"), key="2")

    said = rig.far.halls[GROUP].said[-1]
    assert (said["content"], said["msg_id"]) == ("收到", id_)
    assert said["message_reference"]["message_id"].startswith("REFIDX_")
    assert isinstance(nothing, Gone)
    assert len(rig.said()) == 1


async def test_a_mention_is_a_name_and_an_unknown_one_is_no_number(rig: QQRig) -> None:
    stranger = AccountId("qqbot:NOBODY")

    await do(rig, SendText(group_id=HERE, text="请改名片", mentions=(ZHANG, stranger)))

    assert rig.said() == ["@张三 请改名片"]


async def test_an_address_that_is_not_registered_does_not_keep_a_text_from_arriving(rig: QQRig) -> None:
    assert isinstance(await do(rig, text("见 https://bad.example/x")), Done)
    assert rig.said() == ["见 bad．example/x"]


async def test_a_file_arrives_in_parts_with_its_name_and_no_token_goes_to_where_it_is_put(rig: QQRig) -> None:
    receipt = await do(rig, SendFile(group_id=HERE, name="名单.csv", data=b"0123456789ab", text="名单在此"))

    said = rig.far.halls[GROUP].said[-1]
    assert isinstance(receipt, Done)
    assert rig.far.files[said["media"]["file_info"]] == b"0123456789ab"
    assert [upload["name"] for upload in rig.far.uploads.values()] == ["名单.csv"]
    assert said["content"] == "名单在此"


async def test_a_picture_arrives_for_one_person_where_nobody_else_sees_it(rig: QQRig) -> None:
    receipt = await do(rig, SendImage(group_id=HERE, data=DOT, caption="一点", account=ZHANG))

    assert isinstance(receipt, Done)
    assert rig.said() == []
    assert rig.far.written(MEMBER) == ["一点"]
    assert list(rig.far.files.values()) == [DOT]


async def test_options_are_buttons_where_they_are_granted_and_words_where_they_are_not() -> None:
    far = QQPlatform()
    far.markup = True
    async with serving(far, qq_keyboards=True) as served:
        rig = QQRig(served)
        await rig.begin(speaks=True)
        action = SendText(group_id=HERE, text="第 12 号", options=(Option(word="接受"),), subject="case:12")

        await do(rig, action, key="1")
        far.markup = False
        await do(rig, action, key="2")

        marked, worded = far.halls[GROUP].said
        button = marked["keyboard"]["content"]["rows"][0]["buttons"][0]
        (fact,) = await served.facts(far.presses(MEMBER, button["action"]["data"]))
        assert (fact.subject, fact.word) == ("case:12", "接受")  # type: ignore[union-attr]
        assert far.acknowledged
        assert worded["content"] == "第 12 号"
        assert Capability.SEND_CARD not in can(rig)


async def test_what_people_wrote_is_no_markup_in_a_card() -> None:
    far = QQPlatform()
    far.markup = True
    async with serving(far, qq_keyboards=True) as served:
        rig = QQRig(served)
        await rig.begin(speaks=True)

        await do(rig, SendCard(group_id=HERE, title="<@all>", text="**b** [x](http://y.example)"))

        assert far.said() == ["**&lt;@all\\>**\n\n\\*\\*b\\*\\* \\[x\\]\\(y．example\\)"]


# — privately —


async def test_who_has_never_written_cannot_be_written_to(rig: QQRig) -> None:
    stranger = AccountId(f"qqbot:{OWNER}")

    assert not rig.platform.direct(stranger)
    assert isinstance(await do(rig, DirectMessage(group_id=HERE, account=stranger, text="?")), Refused)


async def test_who_refuses_messages_is_not_tried_again_until_they_write(rig: QQRig) -> None:
    rig.far.refusing_private.add(MEMBER)

    first = await do(rig, DirectMessage(group_id=HERE, account=ZHANG, text="?"))

    assert first == Impossible(capability=Capability.DIRECT_MESSAGE)
    assert not rig.platform.direct(ZHANG)
    await rig.served.facts(rig.far.whisper(MEMBER, "帮助"))
    assert rig.platform.direct(ZHANG)


@pytest.mark.parametrize(
    ("kind", "reached"),
    [("FRIEND_ADD", True), ("C2C_MSG_RECEIVE", True), ("FRIEND_DEL", False), ("C2C_MSG_REJECT", False)],
)
async def test_whom_the_bot_reaches_follows_what_the_platform_tells(
    rig: QQRig, kind: str, reached: bool
) -> None:
    await rig.served.facts(
        rig.far.payload(kind, {"timestamp": int(rig.far.now().timestamp()), "openid": OWNER})
    )

    assert rig.platform.direct(AccountId(f"qqbot:{OWNER}")) is reached


# — deeds —


async def test_a_mute_ends_when_it_is_said_to_and_at_most_after_thirty_days(rig: QQRig) -> None:
    await do(rig, Mute(group_id=HERE, account=ZHANG, span=timedelta(days=400)))
    muted = rig.far.halls[GROUP].seats[MEMBER].muted_until
    await do(rig, Unmute(group_id=HERE, account=ZHANG))

    assert muted is not None
    assert timedelta(days=29) < muted - datetime.now(UTC) < timedelta(days=30)
    assert rig.far.halls[GROUP].seats[MEMBER].muted_until is None


@pytest.mark.parametrize("target", [OWNER, BOT])
async def test_an_owner_or_a_bot_is_never_removed(rig: QQRig, target: str) -> None:
    receipt = await do(rig, RemoveMember(group_id=HERE, account=AccountId(f"qqbot:{target}")))

    assert isinstance(receipt, Refused)
    assert rig.far.called("batch_remove_members") == []


async def test_a_removal_is_looked_after(rig: QQRig) -> None:
    assert isinstance(await do(rig, RemoveMember(group_id=HERE, account=ZHANG)), Done)
    assert MEMBER not in rig.far.halls[GROUP].seats
    assert isinstance(await do(rig, RemoveMember(group_id=HERE, account=ZHANG)), Gone)


async def test_a_removal_that_did_nothing_is_found_out(rig: QQRig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rig.far, "_remove", lambda *_: {"remove_members_result": "success"})

    assert isinstance(await do(rig, RemoveMember(group_id=HERE, account=ZHANG)), Refused)


@pytest.mark.parametrize(("accept", "inside"), [(True, True), (False, False)])
async def test_a_request_is_decided(rig: QQRig, accept: bool, inside: bool) -> None:
    who, request = await rig.request()
    decide = DecideJoin(group_id=HERE, account=who, request_id=request, accept=accept, reason="不在名单")

    assert isinstance(await do(rig, decide), Done)
    assert (who.removeprefix("qqbot:") in rig.far.halls[GROUP].seats) is inside


# — answers as receipts —


ANSWERS: dict[str, tuple[RefusalError, type[Receipt]]] = {  # type: ignore[valid-type]
    "too often": (RefusalError(0, "too many", 429, {"Retry-After": "7"}), Throttled),
    "no permission": (RefusalError(40062003), Refused),
    "too late": (RefusalError(40064004), Gone),
    "no such message": (RefusalError(40061002), Gone),
    "not granted": (RefusalError(11253), Impossible),
    "a fault of theirs": (RefusalError(0, "oops", 500), InDoubt),
    "an error in disguise": (RefusalError(11253, "no", 200), Impossible),
    "nobody knows": (RefusalError(77777), Refused),
    "no such call": (RefusalError(0, "not found", 404), Impossible),
}


@pytest.mark.parametrize(("answer", "receipt"), ANSWERS.values(), ids=ANSWERS)
async def test_an_answer_becomes_a_receipt(rig: QQRig, answer: RefusalError, receipt: type) -> None:
    id_ = await rig.message()
    rig.far.fault(f"messages/{id_}", answer)

    got = await do(rig, DeleteMessage(group_id=HERE, message_id=id_, account=ZHANG))

    assert isinstance(got, receipt)
    if isinstance(got, Throttled):
        assert got.retry_after == timedelta(seconds=7)


async def test_a_call_that_is_not_granted_is_no_longer_promised(rig: QQRig) -> None:
    rig.far.fault("restrict_chat_setting", RefusalError(11253, "应用无接口访问权限"))

    await do(rig, Mute(group_id=HERE, account=ZHANG, span=timedelta(minutes=1)))

    assert Capability.MUTE not in can(rig)


async def test_a_bot_that_is_muted_says_so_at_once(rig: QQRig) -> None:
    rig.far.halls[GROUP].seats[BOT].muted_until = datetime.now(UTC) + timedelta(hours=1)

    assert isinstance(await do(rig, text()), Refused)
    assert Capability.SEND_TEXT not in can(rig)
    assert Capability.MUTE in can(rig)


async def test_a_bot_that_was_put_out_can_and_hears_nothing_there(rig: QQRig) -> None:
    (fact,) = await rig.served.facts(rig.far.notice("GROUP_DEL_ROBOT", op_member_openid=OWNER))

    assert fact.kind == "member_left"
    assert can(rig) == rig.platform.hears(HERE) == frozenset()
    assert isinstance(await do(rig, text()), Impossible)


async def test_a_token_that_expired_is_got_anew_once_for_all(rig: QQRig) -> None:
    import asyncio

    given = rig.far.tokens_given
    rig.far.tokens.clear()

    receipts = await asyncio.gather(*(do(rig, text(str(number)), key=str(number)) for number in range(8)))

    assert all(isinstance(one, Done) for one in receipts)
    assert rig.far.tokens_given == given + 1


async def test_a_secret_that_is_wrong_is_told_to_the_operator(rig: QQRig) -> None:
    rig.far.wrong_secret = True
    rig.far.tokens.clear()

    receipt = await do(rig, text())

    assert isinstance(receipt, Unreachable)
    assert "no token" in receipt.why


# — the group —


async def test_a_member_list_is_read_page_by_page_without_bots(rig: QQRig) -> None:
    for number in range(5):
        rig.far.seat(f"MORE{number}", f"第{number}人")

    members, complete = await rig.platform.members(HERE)

    assert complete
    assert {one.name for one in members} == {"群主", "张三", *(f"第{number}人" for number in range(5))}
    assert all(one.joined_at is not None for one in members)


async def test_a_list_whose_pages_go_in_circles_is_not_whole(
    rig: QQRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = rig.far._line(MEMBER, rig.far.halls[GROUP].seats[MEMBER])
    monkeypatch.setattr(rig.far, "_members", lambda _: {"members": [line], "next_cursor": "same"})

    members, complete = await rig.platform.members(HERE)

    assert (len(members), complete) == (1, False)


async def test_a_list_that_is_not_granted_is_an_error_and_no_longer_promised(rig: QQRig) -> None:
    rig.far.fault(f"{GROUP}/members", RefusalError(11253))

    with pytest.raises(PlatformError, match="could not be read"):
        await rig.platform.members(HERE)
    assert Capability.LIST_MEMBERS not in can(rig)


async def test_a_lost_admin_role_is_found_by_asking_and_told_once(rig: QQRig) -> None:
    bot = rig.served.adapter.bot_called(APP_ID)
    assert bot is not None
    rig.far.halls[GROUP].seats[BOT].role = "member"
    rig.served.told.take()

    await rig.platform.ask_state(bot, GROUP)
    await rig.platform.ask_state(bot, GROUP)
    await rig.served.settled()

    (fact,) = rig.served.told.take()
    assert (fact.kind, fact.account) == ("role_changed", f"qqbot:{APP_ID}")  # type: ignore[union-attr]
    assert Capability.MUTE not in can(rig)


async def test_what_the_owner_allows_is_asked_for_again_after_hours() -> None:
    clock = StoppedClock(datetime.now(UTC))
    far = QQPlatform(clock.now)
    async with serving(far, clock=clock) as served:
        rig = QQRig(served)
        await rig.begin(speaks=False)
        can(rig)
        before = len(far.called("bot_state"))
        far.halls[GROUP].receives = "only_mention"

        clock.advance(timedelta(hours=7))
        can(rig)
        await served.platform.settled()

        assert len(far.called("bot_state")) == before + 1
        assert Capability.RECEIVE_ALL not in can(rig)
        assert f"only mentions are delivered: {HERE}" in served.health.note


async def test_where_the_platform_tells_no_state_the_operator_does() -> None:
    far = QQPlatform()
    far.state_granted = False
    said = {GROUP: {"role": "admin", "receives": "all", "proactive": False}}
    async with serving(far, qq_groups=said) as served:
        rig = QQRig(served)
        await rig.begin(speaks=False)

        assert {Capability.MUTE, Capability.RECEIVE_ALL} <= can(rig)
        assert Capability.SEND_TEXT not in can(rig)
        assert "does not tell the bot's state" in served.health.note


async def test_a_group_of_which_nothing_is_known_is_learnt_before_its_first_message_is_judged(
    far: QQPlatform,
) -> None:
    async with serving(far) as served:
        far.seat(MEMBER, "张三")

        await served.facts(far.message(MEMBER, "早"))

        assert Capability.DELETE_MESSAGE in served.platform.can(HERE)


async def test_who_whispers_after_a_restart_is_looked_for_in_the_groups(far: QQPlatform) -> None:
    async with serving(far) as served:
        far.seat(MEMBER, "张三")
        far.seat("LI", "李四")
        await served.facts(far.message("LI", "早"))

        (fact,) = await served.facts(far.whisper(MEMBER, "我的记录"))

        assert (fact.kind, fact.group_id) == ("command_given", HERE)


async def test_who_has_written_before_a_restart_can_be_written_to_after_it_and_is_heard_at_once() -> None:
    records, far = MemoryRecords(), QQPlatform()
    async with serving(far, records=records) as served:
        far.seat(MEMBER, "张三")
        await served.facts(far.message(MEMBER, "早"), far.whisper(MEMBER, "我的记录"))
    far.state_granted = False
    asked = len(far.calls)

    async with serving(far, records=records) as served:
        assert served.platform.direct(ZHANG)
        assert not served.platform.direct(AccountId(f"qqbot:{OWNER}"))
        (fact,) = await served.facts(far.whisper(MEMBER, "我的记录"))

        assert (fact.kind, fact.group_id) == ("command_given", HERE)
        assert not [call for call in far.calls[asked:] if "members" in str(call)]


async def test_whoever_whispers_for_the_first_time_after_a_restart_is_found_in_the_groups_of_before() -> None:
    records, far = MemoryRecords(), QQPlatform()
    async with serving(far, records=records) as served:
        far.seat(MEMBER, "张三")
        far.seat("LI", "李四")
        await served.facts(far.message("LI", "早"))

    async with serving(far, records=records) as served:
        (fact,) = await served.facts(far.whisper(MEMBER, "我的记录"))

        assert (fact.kind, fact.group_id) == ("command_given", HERE)


async def test_what_the_bot_could_do_before_a_restart_it_can_do_at_once_after_it() -> None:
    records, far = MemoryRecords(), QQPlatform()
    async with serving(far, records=records) as served:
        far.seat(MEMBER, "张三")
        await served.facts(far.message(MEMBER, "早"))
        before = served.platform.can(HERE)
    async with serving(far, records=records) as served:
        assert {Capability.MUTE, Capability.RECEIVE_ALL} <= before & served.platform.can(HERE)


async def test_who_refuses_private_words_is_not_written_to_after_a_restart_either(rig: QQRig) -> None:
    records = MemoryRecords()
    notes = Notes(OwnNotebook(records=records, owner="qq", clock=SystemClock()))
    now, standing = datetime.now(UTC), rig.platform.standing
    standing.people.put("ZHANG", Person(APP_ID, "ZHANG"))
    standing.people.put("LI", Person(APP_ID, "LI", open=False))
    for who in ("ZHANG", "LI"):
        notes.person(who)
    await notes.write(standing, now)

    after = Standing(rig.platform.config)
    await Notes(OwnNotebook(records=records, owner="qq", clock=SystemClock())).recall(after, now)
    assert [after.reaches(who, now) for who in ("ZHANG", "LI")] == [True, False]
    later = Standing(rig.platform.config)
    soon = now + WROTE_FOR + timedelta(days=1)
    await Notes(OwnNotebook(records=records, owner="qq", clock=SystemClock())).recall(later, soon)
    assert not later.reaches("ZHANG", soon)


async def test_notes_that_are_spoilt_are_no_notes(rig: QQRig) -> None:
    records, now = MemoryRecords(), datetime.now(UTC)
    spoilt = {"room:A": "{", "room:B": "[]", "person:C": '{"on": 7}', "person:D": "null", "else": ""}
    await records.keep("qq", spoilt, now)
    after = Standing(rig.platform.config)

    await Notes(OwnNotebook(records=records, owner="qq", clock=SystemClock())).recall(after, now)

    assert not after.reaches("C", now)


async def test_a_newcomer_is_looked_up_so_that_it_can_be_greeted_by_name(rig: QQRig) -> None:
    (fact,) = await rig.served.facts(rig.far.joins("LI", "李四"))

    assert fact.name == "李四"  # type: ignore[union-attr]


async def test_a_newcomer_that_cannot_be_looked_up_has_joined_all_the_same(rig: QQRig) -> None:
    payload = rig.far.joins("LI", "李四")
    rig.far.fault("members/LI", RefusalError(11253))

    (fact,) = await rig.served.facts(payload)

    assert (fact.kind, fact.name) == ("member_joined", "")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.2/x",
        "file:///etc/passwd",
        "https://qq.com.evil.example/x",
        "https://u:p@multimedia.nt.qq.com.cn/x",
        "",
    ],
)
async def test_nothing_is_fetched_from_where_qq_keeps_nothing(rig: QQRig, url: str) -> None:
    from groupops import Media

    with pytest.raises(PlatformError, match="no host of QQ's"):
        await anext(aiter(rig.platform.open(Media(id=url, media_kind="image"), cap=10)))


async def test_the_pace_is_what_the_platform_takes(rig: QQRig) -> None:
    from groupops import Paced, Watched

    assert isinstance(rig.platform, Paced)
    assert isinstance(rig.platform, Watched)
