"""One platform over all modes: which way a thing goes, what falls back to what, and what is never said twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from groupops import (
    AccountId,
    Capability,
    ChoiceMade,
    CommandGiven,
    DeleteMessage,
    DirectMessage,
    Done,
    Gone,
    GroupId,
    Impossible,
    InDoubt,
    MessagePosted,
    MessageRecalled,
    Option,
    ReadCheckIns,
    Refused,
    RemoveMember,
    SendText,
    Throttled,
    Unreachable,
)
from groupops_wecom.jsonl import JsonlArchive
from groupops_wecom.pulling import reached
from groupops_wecom.testing import BROKEN, CUT, LOST, THROTTLED, Fault
from tests.support.wecom_rig import AGENT, BOT, CALLED, MEMBER, OWNER, ROOM, Modes, Served, serving, shown

GROUP = GroupId(f"wecom:{ROOM}")
LI = AccountId(f"wecom:{MEMBER}")
ALL = Modes(aibot="link", app=True, sides=frozenset({"appchat", "archive", "robot"}))
OPTIONS = (Option(word="批准", label="成立,同意"), Option(word="驳回", label="不成立"))


@pytest.fixture
async def wecom(tmp_path: Path) -> AsyncIterator[Served]:
    """A group that an AI bot, an app, the archive and a robot reach."""
    async with serving(ALL, tmp_path) as served:
        yield served


@pytest.fixture
async def bot_only(tmp_path: Path) -> AsyncIterator[Served]:
    """A group that nobody but an AI bot reaches."""
    async with serving(Modes(aibot="link"), tmp_path) as served:
        yield served


def by(served: Served) -> list[str]:
    """Give who said something in the group besides people, in order."""
    return [one.by for one in served.chat.said if one.by in {BOT, str(AGENT), "robot-key"}]


def inbox(served: Served) -> list[str]:
    """Give what was written to the member alone."""
    return [shown(one) for one in served.far.world.people[MEMBER].inbox if one.by == str(AGENT)]


async def said(
    served: Served, action: SendText | DirectMessage | RemoveMember | DeleteMessage, key: str = "e#0"
) -> object:
    return await served.platform.perform(action, key=key)


# — ways —


async def test_options_are_buttons_of_the_ai_bot_and_mentions_are_the_app_s(wecom: Served) -> None:
    await said(wecom, SendText(group_id=GROUP, text="选", options=OPTIONS, subject="case:1"), "e#0")
    await said(wecom, SendText(group_id=GROUP, text="请处理", mentions=(LI,)), "e#1")
    await said(wecom, SendText(group_id=GROUP, text="通知"), "e#2")

    assert by(wecom) == [BOT, str(AGENT), BOT]
    assert wecom.chat.said[-3].card is not None
    assert wecom.chat.said[-2].body["mentioned_list"] == [MEMBER]


async def test_what_one_mode_refuses_the_next_one_says(wecom: Served) -> None:
    wecom.far.link.faults.add("aibot_send_msg", THROTTLED)
    first = await said(wecom, SendText(group_id=GROUP, text="甲"), "e#0")
    wecom.far.link.faults.add("aibot_send_msg", THROTTLED)
    wecom.far.rest.faults.add("appchat/send", Fault(errcode=86008))
    second = await said(wecom, SendText(group_id=GROUP, text="乙"), "e#1")

    assert isinstance(first, Done)
    assert isinstance(second, Done)
    assert by(wecom) == [str(AGENT), "robot-key"]


async def test_what_may_have_been_said_is_in_doubt_and_said_by_no_other_mode(wecom: Served) -> None:
    wecom.far.rest.faults.add("appchat/send", LOST)

    receipt = await said(wecom, SendText(group_id=GROUP, text="请处理", mentions=(LI,)))

    assert isinstance(receipt, InDoubt)
    assert by(wecom) == [str(AGENT)]


async def test_a_private_message_whose_answer_was_lost_is_sent_again_and_read_once(wecom: Served) -> None:
    wecom.far.rest.faults.add("message/send", LOST, BROKEN)

    receipt = await said(wecom, DirectMessage(group_id=GROUP, account=LI, text="提醒"))

    assert isinstance(receipt, Done)
    assert inbox(wecom) == ["提醒"]


async def test_two_private_messages_with_the_same_words_are_two(wecom: Served) -> None:
    for number in range(2):
        receipt = await said(wecom, DirectMessage(group_id=GROUP, account=LI, text="提醒"), f"e#{number}")
        assert isinstance(receipt, Done)

    assert inbox(wecom) == ["提醒", "提醒"]


async def test_a_rate_that_was_overrun_is_waited_for(bot_only: Served) -> None:
    bot_only.far.link.faults.add("aibot_send_msg", THROTTLED)

    receipt = await said(bot_only, SendText(group_id=GROUP, text="通知"))

    assert isinstance(receipt, Throttled)


async def test_what_did_not_leave_is_unreachable(bot_only: Served) -> None:
    bot_only.far.link.cut(BOT)
    adapter = bot_only.platform.adapter
    assert adapter is not None
    adapter.links[0]._down("cut")

    receipt = await said(bot_only, SendText(group_id=GROUP, text="通知"))

    assert isinstance(receipt, Unreachable)


async def test_a_long_text_that_broke_off_goes_on_where_it_broke_off(wecom: Served) -> None:
    long = "\n".join(f"第{number}条 {'字' * 60}" for number in range(24))
    action = DirectMessage(group_id=GROUP, account=LI, text=long)
    wecom.far.rest.faults.add("message/send", Fault(), THROTTLED)

    first = await said(wecom, action)
    wecom.platform.standing.app().api.budget._bans.clear()  # type: ignore[union-attr] # a minute passes
    again = await said(wecom, action)

    assert isinstance(first, Throttled)
    assert isinstance(again, Done)
    assert "".join(inbox(wecom)) == long


async def test_whom_the_app_cannot_write_to_the_ai_bot_does_and_that_is_remembered(wecom: Served) -> None:
    wecom.far.rest.faults.add("message/send", Fault(errcode=81013))
    wang = AccountId("wecom:wangwu")

    spoken = await said(wecom, DirectMessage(group_id=GROUP, account=LI, text="提醒"), "e#0")
    wecom.far.rest.faults.add("message/send", Fault(errcode=60011))
    silent = await said(wecom, DirectMessage(group_id=GROUP, account=wang, text="提醒"), "e#1")

    assert isinstance(spoken, Done)
    assert not isinstance(silent, Done)
    assert [wecom.platform.direct(account) for account in (LI, wang)] == [True, False]
    assert not wecom.platform.faces.reaches(MEMBER)


async def test_the_owner_of_an_app_s_group_is_not_removed_and_who_is_not_in_it_is_gone(wecom: Served) -> None:
    owner = await said(wecom, RemoveMember(group_id=GROUP, account=AccountId(f"wecom:{OWNER}")))
    nobody = await said(wecom, RemoveMember(group_id=GROUP, account=AccountId("wecom:nobody")))

    assert isinstance(owner, Refused)
    assert isinstance(nobody, Gone)


async def test_a_removal_whose_answer_was_lost_is_made_sure_of(wecom: Served) -> None:
    wecom.far.rest.faults.add("appchat/update", LOST, CUT)

    receipt = await said(wecom, RemoveMember(group_id=GROUP, account=LI))

    assert isinstance(receipt, Done)
    assert MEMBER not in wecom.chat.seats


# — cards —


async def offered(served: Served, subject: str = "case:12") -> None:
    """Have the member offered something to press, in private."""
    text = "待核准 12:王芳 涉及赌博"
    action = DirectMessage(group_id=GROUP, account=LI, text=text, options=OPTIONS, subject=subject)
    await served.platform.perform(action, key="ask#0")


async def press(served: Served, why: str = "") -> ChoiceMade:
    """Have the member press the first button of their newest card."""
    card = served.far.world.people[MEMBER].inbox[-1].card
    assert card is not None
    key = card.template["button_list"][0]["key"]
    served.told.take()
    await served.far.press(MEMBER, card, key, {"reason": [why]} if why else None)
    (fact,) = [fact for fact in await served.facts() if isinstance(fact, ChoiceMade)]
    return fact


async def test_a_press_says_who_what_and_why(wecom: Served) -> None:
    await offered(wecom)

    fact = await press(wecom, "经核实属实")

    assert (fact.account, fact.subject, fact.word, fact.note) == (LI, "case:12", "批准", "经核实属实")
    assert fact.group_id == GROUP


async def test_only_who_decides_a_case_is_asked_for_a_reason(wecom: Served) -> None:
    await offered(wecom, "obligation:7")

    card = wecom.far.world.people[MEMBER].inbox[-1].card

    assert card is not None
    assert "button_selection" not in card.template


async def test_a_pressed_card_shows_what_came_of_it(wecom: Served) -> None:
    await offered(wecom)

    fact = await press(wecom)
    await said(wecom, DirectMessage(group_id=GROUP, account=LI, text="事项 12 已生效。"), f"{fact.id}#0")
    await wecom.platform.settled()

    card = next(one.card for one in wecom.far.world.people[MEMBER].inbox if one.card is not None)
    seen = card.seen_by(MEMBER)
    assert "事项 12 已生效。" in seen["sub_title_text"]
    assert [one["text"] for one in seen["button_list"]] == ["已选:批准"]


async def test_a_pressed_card_of_which_nothing_is_said_shows_the_choice(wecom: Served) -> None:
    await offered(wecom)

    await press(wecom)
    await wecom.platform.settled()

    card = next(one.card for one in wecom.far.world.people[MEMBER].inbox if one.card is not None)
    assert "已选:批准" in card.seen_by(MEMBER)["sub_title_text"]


async def test_a_card_in_a_group_changes_for_who_pressed_and_for_nobody_else(wecom: Served) -> None:
    await said(wecom, SendText(group_id=GROUP, text="请确认", options=OPTIONS[:1], subject="welcome:rules"))
    card = wecom.chat.said[-1].card
    assert card is not None

    await wecom.far.press(MEMBER, card, card.template["button_list"][0]["key"])
    await wecom.settled()
    await wecom.platform.settled()

    assert [one["text"] for one in card.seen_by(MEMBER)["button_list"]] == ["已选:批准"]
    assert [one["text"] for one in card.seen_by("wangwu")["button_list"]] == ["成立,同意"]


async def test_a_long_question_is_asked_in_words_before_its_buttons(wecom: Served) -> None:
    text = "待核准 12:" + "很长的缘由," * 60
    action = DirectMessage(group_id=GROUP, account=LI, text=text, options=OPTIONS, subject="case:12")

    await wecom.platform.perform(action, key="ask#0")

    words, card = wecom.far.world.people[MEMBER].inbox[-2:]
    assert shown(words) == text
    assert card.card is not None


# — one utterance, two sources —


async def test_what_the_bot_and_the_archive_hear_is_told_with_the_same_words(wecom: Served) -> None:
    await wecom.far.say(MEMBER, wecom.chat, f"@{CALLED} 来玩 https://bet.example/")

    facts = [fact for fact in await wecom.facts() if isinstance(fact, MessagePosted)]

    assert [fact.source for fact in facts] == ["bot", "archive"]
    assert len({(fact.group_id, fact.account, fact.text) for fact in facts}) == 1
    assert all(fact.to_bot for fact in facts)


async def test_a_recall_in_the_archive_is_of_the_message_the_bot_heard(wecom: Served) -> None:
    message = await wecom.far.say(MEMBER, wecom.chat, f"@{CALLED} 收回这句")
    heard = [fact for fact in await wecom.facts() if isinstance(fact, MessagePosted)]

    await wecom.far.take_back(MEMBER, wecom.chat, message)
    (recall,) = [fact for fact in await wecom.facts() if isinstance(fact, MessageRecalled)]

    assert recall.message_id == heard[0].message_id


# — ids —


async def test_an_encrypted_id_and_a_plain_one_are_one_account(tmp_path: Path) -> None:
    async with serving(Modes(aibot="link", app=True), tmp_path) as served:
        served.far.world.bots[BOT].plain_ids = False
        await served.far.say("wangwu", served.chat, f"@{CALLED} 在吗")
        await served.settled()
        await served.platform.settled()
        facts = [fact for fact in await served.facts() if isinstance(fact, MessagePosted)]

    assert [fact.account for fact in facts] == ["wecom:wangwu"]


async def test_what_somebody_says_while_it_is_asked_who_they_are_keeps_its_order(tmp_path: Path) -> None:
    async with serving(Modes(aibot="link", app=True), tmp_path) as served:
        served.far.world.bots[BOT].plain_ids = False
        served.far.rest.faults.add("batch/openuserid_to_userid", Fault(slow=0.2))
        for number in range(4):
            await served.far.say("wangwu", served.chat, f"@{CALLED} 第{number}句")
        await served.settled()
        await served.platform.settled()
        facts = [fact for fact in await served.facts() if isinstance(fact, MessagePosted)]

    assert [fact.text for fact in facts] == ["第0句", "第1句", "第2句", "第3句"]
    assert {fact.account for fact in facts} == {"wecom:wangwu"}


async def test_who_cannot_be_resolved_is_nobody_who_could_be_sanctioned(tmp_path: Path) -> None:
    async with serving(Modes(aibot="link", app=True), tmp_path) as served:
        served.far.world.bots[BOT].plain_ids = False
        served.far.rest.faults.add("batch/openuserid_to_userid", *[Fault(errcode=60011)] * 3)
        await served.far.say("wangwu", served.chat, f"@{CALLED} 在吗")
        await served.settled()
        await served.platform.settled()
        facts = [fact for fact in await served.facts() if isinstance(fact, MessagePosted)]

    assert [fact.account for fact in facts] == [""]


# — which chats are one group —


async def linked(served: Served, who: str, text: str) -> str:
    """Have somebody say something to the app; give the answer."""
    await served.far.say(who, served.far.world.apps[AGENT], text)
    await served.settled()
    await served.platform.settled()
    return shown(served.far.world.people[who].inbox[-1])


async def test_a_steward_links_chats_and_nobody_else_does(tmp_path: Path) -> None:
    async with serving(Modes(aibot="link", app=True, sides=frozenset({"robot"})), tmp_path) as served:
        refused = await linked(served, MEMBER, f"关联 {ROOM} 值班群")
        listed = await linked(served, OWNER, "群号")
        unknown = await linked(served, OWNER, f"关联 {ROOM} wrNONE")
        done = await linked(served, OWNER, f"关联 {ROOM} 值班群")
        kinds = [side.kind for side in served.platform.rooms.sides(ROOM)]
        parted = await linked(served, OWNER, "取消关联 robot-值班群")

    assert "只有管理员" in refused
    assert ROOM in listed
    assert "robot-值班群" in listed
    assert "不认识编号 wrNONE" in unknown
    assert "已关联" in done
    assert kinds == ["aibot", "robot"]
    assert "消息推送" in parted


async def test_a_group_of_the_app_s_that_nobody_lists_is_found_when_it_is_named(tmp_path: Path) -> None:
    async with serving(Modes(aibot="link", app=True), tmp_path) as served:
        served.far.world.group("自建群", OWNER, [MEMBER], appchat_id="duty01", app=AGENT)
        done = await linked(served, OWNER, f"关联 {ROOM} duty01")
        facts = await served.facts()

    assert "应用的群" in done
    assert {fact.kind for fact in facts} >= {"members_listed"}


async def test_what_the_adapter_answers_itself_is_no_command_of_the_core_s(wecom: Served) -> None:
    await linked(wecom, OWNER, "群号")

    assert not [fact for fact in await wecom.facts() if isinstance(fact, CommandGiven)]


async def test_a_room_of_the_archive_that_nobody_bound_is_not_read(tmp_path: Path) -> None:
    async with serving(Modes(app=True, sides=frozenset({"archive"})), tmp_path, bound=False) as served:
        await served.far.say(MEMBER, served.chat, "别人的话")
        served.after = await served.platform.pull.read_archive(served.provider, 0)

        assert await served.facts() == []
        assert served.platform.unbound() == [ROOM]


async def test_the_health_says_what_an_operator_has_to_set_right_until_it_is(wecom: Served) -> None:
    action = DirectMessage(group_id=GROUP, account=AccountId("wecom:wangwu"), text="提醒")
    wecom.far.rest.faults.add("message/send", Fault(errcode=60020))

    receipt = await said(wecom, action, "e#0")
    told = wecom.platform.health().note
    await said(wecom, action, "e#1")

    assert isinstance(receipt, Unreachable)
    assert "企业可信IP" in told
    assert wecom.platform.health().note == ""


async def test_the_archive_goes_on_behind_what_was_read_before_a_restart(tmp_path: Path) -> None:
    position = tmp_path / "position"
    async with serving(Modes(app=True, sides=frozenset({"archive"})), tmp_path / "archive") as served:
        first = JsonlArchive(served.folder, position)
        await served.far.say(MEMBER, served.chat, "以前的话")
        after = await served.platform.pull.read_archive(first, reached(position))
        await served.platform.pull.read_archive(first, after)
        await served.facts()
        await served.far.say(MEMBER, served.chat, "以后的话")
        await served.platform.pull.read_archive(JsonlArchive(served.folder, position), reached(position))
        said = [fact.text for fact in await served.facts() if isinstance(fact, MessagePosted)]

    assert said[:1] == ["以后的话"]


async def test_whispers_belong_to_the_group_one_spoke_in_last_else_to_the_only_one(wecom: Served) -> None:
    assert wecom.platform.home(MEMBER) == ROOM
    assert wecom.platform.home("wangwu") == ROOM

    wecom.people.rooms.clear()

    assert wecom.platform.home("stranger") == ""


async def test_the_health_names_every_bot_and_holds_while_one_is_there(wecom: Served) -> None:
    await wecom.far.link.drop(BOT)

    health = wecom.platform.health()

    assert health.connected
    assert set(health.bots) == {f"wecom:{BOT}", f"wecom:ww1234567890abcdef:{AGENT}"}


async def test_attendance_that_may_not_be_read_is_no_longer_offered_for_a_day(wecom: Served) -> None:
    now = wecom.platform.clock.now()
    look = ReadCheckIns(group_id=GROUP, accounts=(LI,), since=now - timedelta(hours=1), until=now)
    wecom.far.rest.faults.add("checkin/getcheckindata", Fault(errcode=48002))
    before = wecom.platform.can(GROUP)

    receipt = await wecom.platform.perform(look, key="oa#0")

    assert isinstance(receipt, Impossible)
    assert before - wecom.platform.can(GROUP) == {Capability.READ_CHECK_INS}
    seconds = now.timestamp() + 86_000
    assert Capability.READ_CHECK_INS not in wecom.platform.standing.can(ROOM, seconds)
    assert Capability.READ_CHECK_INS in wecom.platform.standing.can(ROOM, seconds + 1000)


async def test_a_private_message_older_than_a_day_is_not_asked_to_be_taken_back(wecom: Served) -> None:
    done = await said(wecom, DirectMessage(group_id=GROUP, account=LI, text="提醒"))
    assert isinstance(done, Done)
    by, at = wecom.platform.memory.letters.get(done.ref) or ("", 0.0)
    wecom.platform.memory.letters.put(done.ref, (by, at - 86_401))

    receipt = await said(wecom, DeleteMessage(group_id=GROUP, message_id=done.ref, account=LI), "e#1")

    assert isinstance(receipt, Refused)
    assert not [one for one in wecom.far.rest.calls if one.name == "message/recall"]
