"""The make-believe platform behaves like one: people act, the clock counts, the bot's role decides."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupops import (
    AccountId,
    Action,
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
    Location,
    LocationShared,
    Media,
    MemberJoined,
    MemberLeft,
    MemberRenamed,
    MembersListed,
    Mention,
    MessagePosted,
    MessageRecalled,
    Mute,
    MuteAll,
    Option,
    PlatformError,
    RedPacketSent,
    Refused,
    RemoveMember,
    Reply,
    Role,
    SendCard,
    SendText,
    SetCard,
    Text,
    Throttled,
    Unmute,
    Unreachable,
    UpdateCard,
)
from groupops.clock import StoppedClock
from groupops_sandbox import NotThere, Sandbox, World
from groupops_sandbox.message import Message

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
G = GroupId("sandbox:g")
ZHANG = AccountId("sandbox:zhang")
LI = AccountId("sandbox:li")


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock(NOON)


@pytest.fixture
def make(clock: StoppedClock) -> Callable[..., Sandbox]:
    def made(profile: str = "full", *, bot_role: Role | None = None, **rest: Any) -> Sandbox:
        sandbox = Sandbox(clock, profile, **rest)
        sandbox.group("g", name="工作群", bot_role=bot_role)
        sandbox.member("g", "owner", role=Role.OWNER)
        sandbox.member("g", "zhang", name="小张", card="销售部张三")
        sandbox.member("g", "li")
        return sandbox

    return made


async def do(sandbox: Sandbox, action: Action, key: str = "") -> Any:
    return await sandbox.perform(action, key=key or f"k{len(sandbox.world.requests)}")


def test_a_message_is_told_with_its_sender_as_the_group_knows_it(make: Callable[..., Sandbox]) -> None:
    event = make().say("g", "zhang", "早", mentions=["li"])

    assert event == MessagePosted(
        id="sandbox:e2",
        at=NOON,
        group_id=G,
        account=ZHANG,
        message_id="m1",
        segments=(Mention(account=LI, name="li"), Text(text="早")),
        text="早",
        name="小张",
        card="销售部张三",
        role=Role.MEMBER,
    )


def test_the_same_story_is_told_the_same_way_every_time(make: Callable[..., Sandbox]) -> None:
    def story() -> list[Any]:
        sandbox = make()
        first = sandbox.say("g", "zhang", "早")
        assert first is not None
        sandbox.say("g", "li", "好", quote=first.message_id)
        sandbox.join("g", "wang", by="zhang", how="invite")
        sandbox.recall("g", first.message_id, by="zhang")
        return list(sandbox.take())

    told = story()

    assert told == story()
    assert [event.kind for event in told] == [
        "message_posted",
        "message_posted",
        "member_joined",
        "message_recalled",
    ]


def test_what_was_told_is_given_once(make: Callable[..., Sandbox]) -> None:
    sandbox = make()
    event = sandbox.say("g", "zhang", "早")

    assert sandbox.take() == (event,)
    assert sandbox.take() == ()


async def test_a_mute_ends_by_the_clock(make: Callable[..., Sandbox], clock: StoppedClock) -> None:
    sandbox = make()

    await do(sandbox, Mute(group_id=G, account=ZHANG, span=timedelta(minutes=10)))

    clock.advance(timedelta(minutes=9, seconds=59))
    assert sandbox.say("g", "zhang", "喂") is None
    clock.advance(timedelta(seconds=1))
    assert sandbox.say("g", "zhang", "喂") is not None


async def test_a_mute_can_be_lifted(make: Callable[..., Sandbox]) -> None:
    sandbox = make()
    await do(sandbox, Mute(group_id=G, account=ZHANG, span=timedelta(days=1)))

    assert await do(sandbox, Unmute(group_id=G, account=ZHANG)) == Done()
    assert sandbox.say("g", "zhang", "喂") is not None


async def test_a_muted_group_leaves_the_word_to_admins(make: Callable[..., Sandbox]) -> None:
    sandbox = make()

    await do(sandbox, MuteAll(group_id=G, on=True))

    assert sandbox.say("g", "zhang", "喂") is None
    assert sandbox.locate("g", "zhang", Location(latitude=1, longitude=2)) is None
    assert sandbox.red_packet("g", "zhang") is None
    assert sandbox.say("g", "owner", "请安静") is not None


async def test_nobody_mutes_the_owner(make: Callable[..., Sandbox]) -> None:
    owner = AccountId("sandbox:owner")

    receipt = await do(make(), Mute(group_id=G, account=owner, span=timedelta(minutes=1)))

    assert isinstance(receipt, Refused)


async def test_a_bot_that_loses_its_role_loses_what_came_with_it(make: Callable[..., Sandbox]) -> None:
    sandbox = make()
    assert Capability.MUTE in sandbox.can(G)

    sandbox.role("g", "bot", Role.MEMBER)

    assert Capability.MUTE not in sandbox.can(G)
    receipt = await do(sandbox, Mute(group_id=G, account=ZHANG, span=timedelta(minutes=1)))
    assert receipt == Impossible(capability=Capability.MUTE)


async def test_what_the_bot_does_is_told_back(make: Callable[..., Sandbox]) -> None:
    sandbox = make()
    said = sandbox.say("g", "zhang", "广告")
    assert said is not None
    sandbox.take()

    await do(sandbox, DeleteMessage(group_id=G, message_id=said.message_id, account=ZHANG))
    await do(sandbox, SetCard(group_id=G, account=LI, card="财务部李四"))
    await do(sandbox, RemoveMember(group_id=G, account=ZHANG))
    recalled, renamed, left = sandbox.take()

    bot = sandbox.world.bot
    assert isinstance(recalled, MessageRecalled)
    assert (recalled.account, recalled.operator, recalled.by_author) == (ZHANG, bot, False)
    assert isinstance(renamed, MemberRenamed)
    assert (renamed.old, renamed.new) == ("", "财务部李四")
    assert isinstance(left, MemberLeft)
    assert (left.how, left.operator) == ("removed", bot)


async def test_the_bot_does_not_hear_itself(make: Callable[..., Sandbox]) -> None:
    sandbox = make()

    await do(sandbox, SendText(group_id=G, text="大家好"))

    assert sandbox.take() == ()
    assert [post.text for post in sandbox.world.said_by_bot("g")] == ["大家好"]


async def test_a_message_cannot_be_taken_back_twice(make: Callable[..., Sandbox]) -> None:
    sandbox = make()
    said = sandbox.say("g", "zhang", "广告")
    assert said is not None
    action = DeleteMessage(group_id=G, message_id=said.message_id, account=ZHANG)

    assert isinstance(await do(sandbox, action), Done)
    assert isinstance(await do(sandbox, action), Gone)


async def test_a_key_is_done_once_where_the_platform_knows_keys(make: Callable[..., Sandbox]) -> None:
    sandbox = make()
    action = SendText(group_id=G, text="一次")

    first = await sandbox.perform(action, key="e1#0")
    again = await sandbox.perform(action, key="e1#0")

    assert first == again
    assert len(sandbox.world.said_by_bot("g")) == 1
    assert [(line.done, line.repeated) for line in sandbox.world.requests] == [(True, False), (False, True)]


async def test_an_answer_that_is_lost_leaves_the_deed_done(make: Callable[..., Sandbox]) -> None:
    sandbox = make()
    sandbox.faults.lose_answers("send_text")
    action = SendText(group_id=G, text="一次")

    lost = await sandbox.perform(action, key="e1#0")
    again = await sandbox.perform(action, key="e1#0")

    assert isinstance(lost, InDoubt)
    assert isinstance(again, Done)
    assert len(sandbox.world.said_by_bot("g")) == 1


async def test_an_action_that_is_lost_on_its_way_leaves_nothing(make: Callable[..., Sandbox]) -> None:
    sandbox = make()
    sandbox.faults.lose_answers(done=False)

    lost = await sandbox.perform(SendText(group_id=G, text="?"), key="e1#0")

    assert isinstance(lost, InDoubt)
    assert sandbox.world.said_by_bot("g") == ()


async def test_faults_meet_their_kind_and_end_when_they_are_told_to(make: Callable[..., Sandbox]) -> None:
    sandbox = make()
    text, mute = SendText(group_id=G, text="x"), Mute(group_id=G, account=ZHANG, span=timedelta(minutes=1))

    sandbox.faults.throttle("send_text", times=2, retry_after=timedelta(seconds=9))
    assert await do(sandbox, text) == Throttled(retry_after=timedelta(seconds=9))
    assert isinstance(await do(sandbox, mute), Done)
    assert isinstance(await do(sandbox, text), Throttled)
    assert isinstance(await do(sandbox, text), Done)

    sandbox.faults.unplug()
    assert isinstance(await do(sandbox, text), Unreachable)
    with pytest.raises(PlatformError):
        await sandbox.members(G)
    sandbox.faults.heal()
    assert isinstance(await do(sandbox, text), Done)

    sandbox.faults.refuse("mute", why="no")
    assert await do(sandbox, mute) == Refused(why="no")


async def test_a_list_that_is_cut_says_so(make: Callable[..., Sandbox]) -> None:
    sandbox = make()
    sandbox.faults.lists_cut_to = 2

    members, complete = await sandbox.members(G)
    told = sandbox.census("g", only=["zhang"])

    assert (len(members), complete) == (2, False)
    assert isinstance(told, MembersListed)
    assert ([one.account for one in told.members], told.complete) == ([ZHANG], False)


def test_napcat_learns_of_a_card_when_its_member_speaks(make: Callable[..., Sandbox]) -> None:
    sandbox = make("onebot-napcat")

    assert sandbox.card("g", "zhang", "甲") is None
    assert sandbox.card("g", "zhang", "乙") is None
    assert sandbox.take() == ()
    sandbox.say("g", "zhang", "早")
    renamed, said = sandbox.take()

    assert isinstance(renamed, MemberRenamed)
    assert (renamed.old, renamed.new) == ("销售部张三", "乙")
    assert isinstance(said, MessagePosted)


def test_luckylillia_learns_of_a_card_at_once(make: Callable[..., Sandbox]) -> None:
    sandbox = make("onebot-luckylillia")

    assert isinstance(sandbox.card("g", "zhang", "甲"), MemberRenamed)


def test_an_ai_bot_of_wecom_hears_only_what_is_meant_for_it(make: Callable[..., Sandbox]) -> None:
    sandbox = make("wecom-aibot")

    unmeant = sandbox.say("g", "zhang", "早")
    meant = sandbox.say("g", "zhang", "在吗", mentions=["bot", "li"])

    assert unmeant is None
    assert meant is not None
    assert (meant.text, meant.to_bot, meant.card, meant.role) == ("@li 在吗", True, "", Role.UNKNOWN)


async def test_a_quote_of_the_bot_is_meant_for_it_only_where_quotes_are_seen(
    make: Callable[..., Sandbox],
) -> None:
    for profile, meant in (("full", True), ("wechat-wechaty", False)):
        sandbox = make(profile)
        receipt = await do(sandbox, SendText(group_id=G, text="问"))
        answer = sandbox.say("g", "zhang", "答", quote=receipt.ref)
        assert answer is not None
        assert answer.to_bot == meant, profile


def test_the_official_bot_of_qq_reads_no_cards_and_no_inviters(make: Callable[..., Sandbox]) -> None:
    sandbox = make("qq-official")

    said = sandbox.say("g", "zhang", "早")
    joined = sandbox.join("g", "wang", by="zhang", how="invite")

    assert said is not None
    assert (said.card, said.role) == ("", Role.MEMBER)
    assert isinstance(joined, MemberJoined)
    assert (joined.operator, joined.how) == (None, "unknown")


def test_an_advisor_sees_words_and_nothing_else(make: Callable[..., Sandbox]) -> None:
    sandbox = make("advisor")
    picture = Media(id="p", media_kind="image")

    from groupops import Image

    said = sandbox.say("g", "zhang", "看图", segments=[Image(media=picture)])
    only_picture = sandbox.say("g", "zhang", segments=[Image(media=picture)])

    assert said is not None
    assert (said.source, said.id) == ("export", "sandbox:e2@export")
    assert said.segments == (Text(text="看图"),)
    assert only_picture is None
    assert sandbox.join("g", "wang") is None


def test_only_the_make_believe_platform_shows_the_amount_of_a_red_packet(
    make: Callable[..., Sandbox],
) -> None:
    amounts = {}
    for profile in ("full", "onebot-napcat", "wechat-wechaty"):
        event = make(profile).red_packet("g", "zhang", amount_fen=800, wish="恭喜")
        assert isinstance(event, RedPacketSent)
        amounts[profile] = event.red_packet.amount_fen

    assert amounts == {"full": 800, "onebot-napcat": None, "wechat-wechaty": None}


def test_a_location_may_be_for_the_bot_alone(make: Callable[..., Sandbox]) -> None:
    sandbox = make("wecom-app-chat")
    place = Location(latitude=31.2, longitude=121.5, crs="gcj02")

    in_group = sandbox.locate("g", "zhang", place)
    alone = sandbox.locate("g", "zhang", place, private=True)

    assert in_group is None
    assert isinstance(alone, LocationShared)
    assert alone.location == place


def test_what_is_written_to_the_bot_alone_is_a_command(make: Callable[..., Sandbox]) -> None:
    given = make().whisper("g", "zhang", "/申诉 12 我没有 发过")

    assert isinstance(given, CommandGiven)
    assert (given.name, given.args, given.private) == ("申诉", ("12", "我没有", "发过"), True)


async def test_a_button_that_is_pressed_is_a_choice(make: Callable[..., Sandbox]) -> None:
    sandbox = make()
    options = (Option(word="收到", label="收到,马上办"),)
    card = SendCard(group_id=G, title="通知", text="请确认", options=options, subject="obligation:7")
    sent = await do(sandbox, card)

    chosen = sandbox.press("g", "zhang", sent.ref, "收到")

    assert isinstance(chosen, ChoiceMade)
    assert (chosen.account, chosen.subject, chosen.word) == (ZHANG, "obligation:7", "收到")
    with pytest.raises(NotThere, match="no button '好'; it has 收到"):
        sandbox.press("g", "zhang", sent.ref, "好")


async def test_buttons_on_a_private_message_are_its_receivers_alone(make: Callable[..., Sandbox]) -> None:
    sandbox = make()
    options = (Option(word="批准"),)
    ask = DirectMessage(group_id=G, account=ZHANG, text="批准吗", options=options, subject="case:1")
    sent = await do(sandbox, ask)

    assert isinstance(sandbox.press("g", "zhang", sent.ref, "批准"), ChoiceMade)
    with pytest.raises(NotThere):
        sandbox.press("g", "li", sent.ref, "批准")


async def test_a_card_that_was_updated_has_no_buttons(make: Callable[..., Sandbox]) -> None:
    sandbox = make()
    sent = await do(sandbox, SendCard(group_id=G, title="t", text="x", options=(Option(word="好"),)))

    await do(sandbox, UpdateCard(group_id=G, card_id=sent.ref, title="完", text="已处理"))

    assert sandbox.world.post_of("g", sent.ref).text == "已处理"
    with pytest.raises(NotThere):
        sandbox.press("g", "zhang", sent.ref, "好")


async def test_words_stand_for_buttons_and_names_for_mentions_where_there_are_none(
    make: Callable[..., Sandbox],
) -> None:
    sandbox = make("qq-official")
    text = SendText(group_id=G, text="请回复 收到", mentions=(ZHANG,), options=(Option(word="收到"),))

    sent = await do(sandbox, text)

    post = sandbox.world.post_of("g", sent.ref)
    assert post.segments == (Text(text="@销售部张三 "), Text(text="请回复 收到"))
    assert post.options == ()


async def test_a_reply_quotes_what_it_answers(make: Callable[..., Sandbox]) -> None:
    sandbox = make()
    said = sandbox.say("g", "zhang", "几点开会")
    assert said is not None

    sent = await do(sandbox, Reply(group_id=G, message_id=said.message_id, text="三点", account=ZHANG))

    quote, answer = sandbox.world.post_of("g", sent.ref).segments
    assert (quote.kind, getattr(quote, "text", "")) == ("quote", "几点开会")
    assert answer == Text(text="三点")


@pytest.mark.parametrize(
    ("profile", "before", "after"),
    [
        ("full", True, True),
        ("qq-official", False, True),
        ("wechat-wechaty", False, False),
        ("wecom-customer-group", False, False),
    ],
)
def test_whom_it_can_write_to_differs(
    make: Callable[..., Sandbox], profile: str, before: bool, after: bool
) -> None:
    sandbox = make(profile)
    assert sandbox.direct(ZHANG) == before

    sandbox.whisper("g", "zhang", "你好")

    assert sandbox.direct(ZHANG) == after


async def test_wechat_reaches_friends_and_takes_back_its_own_words(make: Callable[..., Sandbox]) -> None:
    sandbox = make("wechat-wechaty")
    private = DirectMessage(group_id=G, account=ZHANG, text="你好")
    assert isinstance(await do(sandbox, private), Refused)
    sandbox.world.befriend("zhang")
    assert isinstance(await do(sandbox, private), Done)

    own = await do(sandbox, SendText(group_id=G, text="发错了"))
    theirs = sandbox.say("g", "zhang", "广告")
    assert theirs is not None

    bot = sandbox.world.bot
    assert isinstance(await do(sandbox, DeleteMessage(group_id=G, message_id=own.ref, account=bot)), Done)
    assert await do(sandbox, DeleteMessage(group_id=G, message_id=theirs.message_id)) == Impossible(
        capability=Capability.DELETE_MESSAGE
    )


def test_two_connections_see_one_utterance_by_their_own_sources(clock: StoppedClock) -> None:
    world = World(clock)
    bot, archive = Sandbox(clock, world=world), Sandbox(clock, "advisor", world=world)
    bot.group("g")
    bot.member("g", "zhang")

    said = bot.say("g", "zhang", "早")
    (seen,) = archive.take()

    assert said is not None
    assert isinstance(seen, MessagePosted)
    assert (seen.text, seen.account, seen.at) == (said.text, said.account, said.at)
    assert (seen.source, said.source) == ("export", "bot")
    assert seen.id != said.id


async def test_a_request_to_come_in_is_decided_once(make: Callable[..., Sandbox]) -> None:
    from groupops import DecideJoin, JoinRequested

    sandbox = make()
    asked = sandbox.knock("g", "wang", comment="我是财务部王五", inviter="li")
    assert isinstance(asked, JoinRequested)
    sandbox.take()
    decide = DecideJoin(group_id=G, account=asked.account, request_id=asked.request_id, accept=True)

    assert isinstance(await do(sandbox, decide), Done)
    assert isinstance(await do(sandbox, decide), Gone)
    (joined,) = sandbox.take()
    assert isinstance(joined, MemberJoined)
    assert joined.how == "approve"


async def test_a_refused_request_brings_nobody_in(make: Callable[..., Sandbox]) -> None:
    from groupops import DecideJoin, JoinRequested

    sandbox = make()
    asked = sandbox.knock("g", "wang")
    assert isinstance(asked, JoinRequested)

    await do(
        sandbox, DecideJoin(group_id=G, account=asked.account, request_id=asked.request_id, accept=False)
    )

    assert asked.account not in sandbox.world.room("g").seats


def test_who_is_not_there_cannot_act_and_the_error_says_so(make: Callable[..., Sandbox]) -> None:
    sandbox = make()

    with pytest.raises(NotThere, match=r"'sandbox:nobody' is not in 'sandbox:g'"):
        sandbox.say("g", "nobody", "早")
    with pytest.raises(NotThere, match="make one with `add_room`"):
        sandbox.say("elsewhere", "zhang", "早")


def test_the_platform_can_be_called_anything(clock: StoppedClock) -> None:
    sandbox = Sandbox(clock, "onebot-napcat", name="qq")

    assert sandbox.group("8142") == "qq:8142"
    assert sandbox.member("8142", "10001") == "qq:10001"


@given(text=st.text())
def test_nonebots_message_takes_any_text_literally(text: str) -> None:
    message = Message(text)

    assert message.extract_plain_text() == text
    assert "".join(part.text for part in message.segments() if isinstance(part, Text)) == text
    assert all(part.type == "text" for part in message)
