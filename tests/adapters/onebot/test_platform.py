"""What the bot is able to do is what is so now; what it missed it asks for; how it is it says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import nonebot
import pytest
from hypothesis import given, settings
from nonebot.adapters.onebot.v11 import Message, MessageEvent
from nonebot.matcher import Matcher, current_event

from groupops import (
    PERSONAL_PACE,
    AccountId,
    Capability,
    CommandGiven,
    Done,
    GroupId,
    MemberJoined,
    MemberLeft,
    MemberRenamed,
    MessagePosted,
    PlatformError,
    RedPacketSent,
    Reply,
    Role,
    RoleChanged,
    SendText,
)
from groupops.bridge import Gateway
from groupops.clock import StoppedClock
from groupops.platform import Paced, Platform, Watched
from groupops_onebot import frames
from groupops_onebot.adapter import Adapter
from groupops_onebot.ends import end_called, ends
from groupops_onebot.media import is_allowed, opened
from groupops_onebot.onebot import OneBot
from groupops_onebot.segments import Reading
from groupops_onebot.standing import BotState, Room, Standing
from tests.adapters.onebot.test_read import near_frames
from tests.support.onebot_end import BOT, GROUP, OneBotEnd, Refusal
from tests.support.onebot_rig import TOKEN, Served, serving, until

G = GroupId(f"qq:{GROUP}")
ME = AccountId(f"qq:{BOT}")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serving(onebot_ping_seconds=0.3) as made:
        yield made


@pytest.fixture
async def end() -> AsyncIterator[OneBotEnd]:
    made = an_end()
    yield made
    await made.close()


def an_end(app: str = "napcat", *, role: str = "admin", **rest: Any) -> OneBotEnd:
    made = OneBotEnd(app, **rest)
    made.hall(role=role)
    made.seat(20001, card="张三")
    return made


def able(served: Served) -> frozenset[Capability]:
    return served.platform.can(G)


async def test_it_is_a_platform_a_gateway_and_says_pace_and_health(served: Served) -> None:
    platform = served.platform

    assert isinstance(platform, Platform)
    assert isinstance(platform, Gateway)
    assert isinstance(platform, Paced)
    assert isinstance(platform, Watched)
    assert platform.pace() == PERSONAL_PACE


# — what it is able to do —


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("NapCat.Onebot", "napcat"),
        ("LuckyLilliaBot", "luckylillia"),
        ("LLOneBot", "luckylillia"),
        ("LLTwoBot", "luckylillia"),
        ("Lagrange.OneBot", "lagrange"),
        ("go-cqhttp", "other"),
        ("", "other"),
    ],
)
def test_an_end_is_known_by_what_it_calls_itself(name: str, end: str) -> None:
    assert end_called(name).name == end


def test_no_end_promises_what_only_a_connection_can_show() -> None:
    for end in ends().values():
        assert Capability.SEE_RED_PACKET not in end.can[Role.OWNER]
        assert "red_packet_sent" not in end.hears[Role.OWNER]
        assert Capability.ASK_STEWARDS not in end.can[Role.OWNER]
        assert end.can[Role.UNKNOWN] == end.can[Role.MEMBER]


async def test_before_a_bot_is_there_nothing_can_be_done(served: Served) -> None:
    assert able(served) == frozenset()
    assert not served.platform.health().connected
    with pytest.raises(PlatformError, match="no bot"):
        await served.platform.members(G)


async def test_a_bot_that_loses_its_office_can_do_less_at_once_and_it_is_told(
    served: Served, end: OneBotEnd
) -> None:
    await served.join(end)
    assert Capability.MUTE in able(served)

    told = await served.facts(end, end.notice("group_admin", sub_type="unset", user_id=BOT))

    assert [(fact.account, fact.role) for fact in told if isinstance(fact, RoleChanged)] == [
        (ME, Role.MEMBER)
    ]
    assert Capability.MUTE not in able(served)
    assert "join_requested" not in served.platform.hears(G)


async def test_a_muted_bot_cannot_speak_until_the_time_is_over(served: Served, end: OneBotEnd) -> None:
    await served.join(end)

    told = await served.facts(
        end, end.notice("group_ban", sub_type="ban", user_id=BOT, operator_id=90001, duration=1)
    )

    assert [fact.kind for fact in told] == ["role_changed"]
    assert Capability.SEND_TEXT not in able(served)
    assert Capability.DELETE_MESSAGE in able(served)
    await until(lambda: Capability.SEND_TEXT in able(served))


@pytest.mark.parametrize("sub_type", ["ban", "lift_ban"])
async def test_a_group_that_is_muted_silences_a_plain_member_whatever_the_end_calls_it(
    served: Served, sub_type: str
) -> None:
    end = an_end(role="member")
    await served.join(end)

    await served.facts(end, end.notice("group_ban", sub_type=sub_type, user_id=0, operator_id=1, duration=-1))
    silent = able(served)
    await served.facts(
        end, end.notice("group_ban", sub_type="lift_ban", user_id=0, operator_id=1, duration=0)
    )

    assert Capability.SEND_TEXT not in silent
    assert Capability.SEND_TEXT in able(served)
    await end.close()


async def test_red_packets_are_seen_as_soon_as_the_kernels_messages_come(served: Served) -> None:
    end = an_end(debug=False)
    await served.join(end)
    await served.facts(end, end.message(20001, "早"))
    before = able(served)

    end.debug = True
    told = await served.facts(end, end.message(20001, "早"), end.packet(20001))

    assert Capability.SEE_RED_PACKET not in before
    assert Capability.SEE_RED_PACKET in able(served)
    assert "red_packet_sent" in served.platform.hears(G)
    packets = [fact for fact in told if isinstance(fact, RedPacketSent)]
    assert [packet.red_packet.amount_fen for packet in packets] == [None]
    await end.close()


async def test_a_packet_that_was_seen_is_not_told_again_by_its_king_or_a_grey_line(
    served: Served, end: OneBotEnd
) -> None:
    await served.join(end)
    king = end.notice("notify", sub_type="lucky_king", user_id=20001, target_id=20002)
    tip = end.notice("notify", sub_type="gray_tip", user_id=20002, busi_id="2602", message_id=1, content="{}")

    told = await served.facts(end, end.packet(20001), king, tip)

    assert [fact.kind for fact in told] == ["red_packet_sent"]


async def test_a_role_that_changed_while_the_bot_was_away_is_told_when_it_is_back(
    served: Served, end: OneBotEnd
) -> None:
    await served.join(end)
    await end.drop()
    await until(lambda: not nonebot.get_bots())
    end.halls[GROUP].seats[BOT].role = "member"
    served.told.take()

    await served.join(end)
    await served.seen(end)

    changes = [fact for fact in served.told.take() if isinstance(fact, RoleChanged)]
    assert [(fact.account, fact.role, fact.group_id) for fact in changes] == [(ME, Role.MEMBER, G)]
    assert Capability.MUTE not in able(served)


async def test_a_role_that_nobody_told_of_is_found_in_the_member_list(served: Served, end: OneBotEnd) -> None:
    await served.join(end)
    end.halls[GROUP].seats[BOT].role = "member"
    served.told.take()

    await served.platform.members(G)
    await served.platform.settled()
    await served.seen(end)

    assert [fact.kind for fact in served.told.take()] == ["role_changed"]
    assert Capability.MUTE not in able(served)


async def test_a_group_the_bot_came_into_later_is_learnt_when_something_happens_there(
    served: Served, end: OneBotEnd
) -> None:
    await served.join(end)
    end.hall(7002, role="owner")
    end.seat(20001, group=7002)

    await served.facts(end, end.message(20001, "早", group=7002))
    await served.platform.settled()

    assert Capability.MUTE in served.platform.can(GroupId("qq:7002"))


async def test_in_a_group_that_is_gone_nothing_can_be_done(served: Served, end: OneBotEnd) -> None:
    await served.join(end)

    told = await served.facts(
        end, end.notice("group_decrease", sub_type="disband", user_id=0, operator_id=90001)
    )

    assert [(fact.account, fact.how) for fact in told if isinstance(fact, MemberLeft)] == [(ME, "removed")]
    assert able(served) == frozenset()


async def test_an_end_that_answers_nothing_leaves_the_bot_with_what_the_document_promises(
    served: Served, end: OneBotEnd
) -> None:
    for api in ("get_version_info", "get_group_member_info", "get_friend_list", "get_group_member_list"):
        end.refusing[api] = Refusal(1200, "无法获取")

    await served.join(end)

    assert Capability.SEND_TEXT in able(served)
    assert Capability.MUTE not in able(served)
    assert Capability.ANNOUNCE not in able(served)


# — what it says of itself —


async def test_an_account_that_is_logged_out_is_not_connected_though_the_socket_stands(
    served: Served, end: OneBotEnd
) -> None:
    await served.join(end)
    well = served.platform.health()
    offline = {"time": 1, "self_id": BOT, "post_type": "notice", "notice_type": "bot_offline", "user_id": BOT}

    end.online = False
    await served.facts(end, {**offline, "tag": "BotOfflineEvent", "message": "账号在别处登录"})
    ill = served.platform.health()
    receipt = await served.platform.perform(SendText(group_id=G, text="好"), key="k")
    end.online = True
    await end.emit(end.beat(777))
    await until(lambda: 777 in served.platform.beats)

    assert well.connected
    assert well.bots == {ME: True}
    assert well.last_event_at is not None
    assert not ill.connected
    assert "账号在别处登录" in ill.note
    assert receipt.kind == "unreachable"
    assert served.platform.health().connected
    assert served.platform.health().note == ""


async def test_a_heartbeat_that_says_offline_is_believed(served: Served, end: OneBotEnd) -> None:
    await served.join(end)

    end.online = False
    await end.emit(end.beat(778))
    await until(lambda: 778 in served.platform.beats)

    assert not served.platform.health().connected


# — lists —


async def test_a_member_list_has_everything_and_no_robots(served: Served, end: OneBotEnd) -> None:
    await served.join(end)
    end.seat(2_854_196_310, nickname="Q群管家", is_robot=True)

    members, complete = await served.platform.members(G)

    assert complete
    assert [(one.account, one.card, one.role) for one in members] == [
        (ME, "", Role.ADMIN),
        ("qq:90001", "", Role.OWNER),
        ("qq:20001", "张三", Role.MEMBER),
    ]
    assert members[2].joined_at == datetime.fromtimestamp(1_700_000_000, UTC)
    assert end.asked("get_group_member_list")[-1] == {"group_id": GROUP, "no_cache": True}


async def test_a_list_that_is_shorter_than_the_group_says_so(served: Served, end: OneBotEnd) -> None:
    await served.join(end)
    whole = end.api_get_group_member_list
    end.api_get_group_member_list = lambda **what: whole(**what)[:2]  # type: ignore[method-assign]

    members, complete = await served.platform.members(G)

    assert len(members) == 2
    assert not complete


@pytest.mark.parametrize("answer", [[], None, "nonsense", [1, 2], {"a": 1}])
async def test_a_list_without_anybody_is_an_error(served: Served, end: OneBotEnd, answer: Any) -> None:
    await served.join(end)
    end.api_get_group_member_list = lambda **_: answer  # type: ignore[method-assign]

    with pytest.raises(PlatformError, match="empty"):
        await served.platform.members(G)


# — being away —


async def test_what_was_said_while_the_bot_was_away_is_told_once(served: Served, end: OneBotEnd) -> None:
    await served.join(end)
    before = await served.facts(end, end.message(20001, "在"))
    await end.drop()
    await until(lambda: not nonebot.get_bots())
    end.message(20001, "没人看见")
    served.told.take()

    await served.join(end)
    await served.seen(end)

    told = [fact for fact in served.told.take() if isinstance(fact, MessagePosted)]
    assert "没人看见" in [fact.text for fact in told]
    again = {fact.id for fact in told if fact.text == "在"}
    assert again <= {fact.id for fact in before}


async def test_connections_that_break_one_way_or_another_lose_nothing_and_tell_nothing_twice(
    served: Served,
) -> None:
    end = an_end()
    said: list[str] = []
    for turn in range(20):
        await end.connect(served.url, token=TOKEN)
        text = f"第{turn}条"
        said.append(text)
        await end.emit(end.message(20001, text))
        await served.seen(end)
        await (end.drop() if turn % 2 else end.vanish())

    texts = {fact.id: fact.text for fact in served.told.take() if isinstance(fact, MessagePosted)}

    assert sorted(texts.values()) == sorted(said)
    assert len(served.adapter.lines) <= 1
    await end.close()


async def test_a_call_that_waits_when_the_connection_breaks_is_in_doubt(
    served: Served, end: OneBotEnd
) -> None:
    await served.join(end)
    end.silent.add("send_group_msg")
    doing = asyncio.create_task(served.platform.perform(SendText(group_id=G, text="好"), key="k"))
    await until(lambda: end.asked("send_group_msg"))

    await end.drop()

    assert (await doing).kind == "in_doubt"


# — two bots —


async def test_the_bot_that_heard_a_message_answers_it_and_the_better_one_does_the_rest() -> None:
    async with serving(onebot_self_ids=[BOT, 10002]) as served:
        weak, strong = an_end(role="member"), an_end(self_id=10002)
        await served.join(weak)
        await served.join(strong)
        heard = weak.message(20001, "几点?")
        (fact,) = await served.facts(weak, heard)

        reply = await served.platform.perform(
            Reply(group_id=G, message_id=str(heard["message_id"]), text="八点"), key="1"
        )
        text = await served.platform.perform(SendText(group_id=G, text="通知"), key="2")

        assert fact.source == f"bot:{BOT}"
        assert isinstance(reply, Done)
        assert isinstance(text, Done)
        assert weak.said() == ["八点"]
        assert strong.said() == ["通知"]
        assert Capability.MUTE in served.platform.can(G)
        await weak.close()
        await strong.close()


async def test_a_group_is_attended_by_its_own_bot_whatever_others_do() -> None:
    async with serving(onebot_self_ids=[BOT, 10002]) as served:
        first, second = an_end(), OneBotEnd(self_id=10002)
        second.hall(7002)
        other, nowhere = GroupId("qq:7002"), GroupId("qq:7999")
        assert not served.platform.attends(G)
        await served.join(first)
        await served.join(second)
        assert served.platform.attends(G)
        assert served.platform.attends(nowhere), "all groups are known, and it is none of them"

        await second.drop()
        await until(lambda: "10002" not in served.adapter.lines)
        assert [served.platform.attends(group) for group in (G, other)] == [True, False]
        assert not served.platform.health().connected
        await first.close()
        await second.close()


async def test_one_notice_heard_by_two_bots_is_one_fact() -> None:
    async with serving(onebot_self_ids=[BOT, 10002]) as served:
        one, two = an_end(), an_end(self_id=10002)
        await served.join(one)
        await served.join(two)
        left = one.left(20001, "leave", 20001)

        first = await served.facts(one, left)
        second = await served.facts(two, {**left, "self_id": 10002})

        assert [fact.id for fact in first] == [fact.id for fact in second]
        await one.close()
        await two.close()


# — private words —


async def test_a_newcomer_who_has_said_nothing_is_told_by_name(served: Served, end: OneBotEnd) -> None:
    await served.join(end)
    event = end.joined(30_001, "approve", 90001)
    end.halls[GROUP].seats[30_001].nickname = "新来的"

    (came,) = await served.facts(end, event)

    assert isinstance(came, MemberJoined)
    assert came.name == "新来的"


async def test_a_newcomer_whose_name_the_end_does_not_say_is_told_all_the_same(
    served: Served, end: OneBotEnd
) -> None:
    await served.join(end)
    end.refusing["get_group_member_info"] = Refusal(1200, "none")

    (came,) = await served.facts(end, end.joined(30_001, "approve", 90001))

    assert isinstance(came, MemberJoined)
    assert came.name == ""


async def test_two_changes_of_a_card_within_one_second_are_two_facts(served: Served, end: OneBotEnd) -> None:
    await served.join(end)
    first = end.notice("group_card", user_id=20001, card_old="张三", card_new="销售-张三")
    second = {**first, "card_old": "销售-张三", "card_new": "张三"}

    facts = await served.facts(end, first, second, first)

    assert [fact.new for fact in facts if isinstance(fact, MemberRenamed)] == [
        "销售-张三",
        "张三",
        "销售-张三",
    ]
    assert facts[0].id == facts[2].id != facts[1].id


async def test_a_friends_word_is_taken_in_the_group_where_the_friend_spoke_last(
    served: Served, end: OneBotEnd
) -> None:
    end.hall(7002)
    end.seat(20001, group=7002)
    await served.join(end)
    await served.facts(end, end.message(20001, "早", group=7002))

    (fact,) = await served.facts(end, end.whisper(20001, "我的记录"))

    assert isinstance(fact, CommandGiven)
    assert fact.group_id == "qq:7002"
    assert fact.private


async def test_a_strangers_word_is_taken_nowhere(served: Served, end: OneBotEnd) -> None:
    await served.join(end)

    assert await served.facts(end, end.whisper(66666, "我的记录")) == []


# — NoneBot's other plugins —


async def test_an_event_reaches_nonebot_whole_and_nobody_is_asked_for_what_is_quoted(
    served: Served, end: OneBotEnd
) -> None:
    seen: list[Any] = []

    async def keep() -> None:
        seen.append(current_event.get())

    Matcher.new(type_="message", priority=5, block=False, handlers=[keep])
    await served.join(end)
    end.calls.clear()
    parts = [{"type": "reply", "data": {"id": "1"}}, {"type": "at", "data": {"qq": str(BOT)}}]

    await served.facts(end, end.message(20001, [*parts, {"type": "text", "data": {"text": " 在吗"}}]))
    await served.facts(end, end.message(20001, "没叫你"), end.whisper(20001, "在吗"))

    assert end.calls == []
    assert [event.to_me for event in seen] == [True, False, True]
    assert [part.type for part in seen[0].message] == ["reply", "at", "text"]
    assert all(isinstance(event, MessageEvent) for event in seen)


async def test_a_plugin_that_never_ends_does_not_hold_up_the_end() -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    async with serving() as served:
        end = an_end()
        await served.join(end)
        Matcher.new(type_="message", priority=5, block=False, handlers=[never])
        await end.emit(end.message(20001, "早"))
        await until(lambda: served.adapter.handling)
        began = asyncio.get_running_loop().time()

    assert asyncio.get_running_loop().time() - began < 15
    await end.close()


async def test_other_plugins_can_call_the_end_as_ever(served: Served, end: OneBotEnd) -> None:
    await served.join(end)
    bot: Any = nonebot.get_bot(str(BOT))

    answer = await bot.send_group_msg(group_id=GROUP, message=Message("好"), auto_escape=False)

    assert isinstance(answer["message_id"], int)
    assert isinstance(nonebot.get_adapter("OneBot V11"), Adapter)


# — pictures and files —


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://multimedia.nt.qq.com.cn/download", True),
        ("http://gchat.qpic.cn/a", True),
        ("https://qpic.cn.evil.example/a", False),
        ("https://evilqpic.cn/a", False),
        ("https://qpic.cn@evil.example/a", False),
        ("https://user@qpic.cn/a", False),
        ("http://127.0.0.1/", False),
        ("http://[::1]/", False),
        ("http://169.254.169.254/latest", False),
        ("file:///etc/passwd", False),
        ("ftp://qpic.cn/a", False),
        ("https://qpic.cn./a", True),
        ("http://[", False),
        ("", False),
    ],
)
def test_bytes_are_fetched_only_from_qqs_own_hosts(url: str, allowed: bool) -> None:
    assert is_allowed(url, frozenset({"qpic.cn", "qq.com.cn"})) is allowed


class Shelf:
    """A host with one file of ten bytes, and one place that points elsewhere."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.port = 0

    async def start(self) -> Any:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = (await reader.readline()).decode()
        path = line.split()[1]
        self.asked.append(path)
        while (await reader.readline()).strip():
            pass
        if path == "/ten":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789")
        elif path == "/elsewhere":
            writer.write(b"HTTP/1.1 302 Found\r\nLocation: /ten\r\nContent-Length: 0\r\n\r\n")
        else:
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()


@pytest.mark.parametrize(
    ("path", "cap", "found"),
    [("ten", 10, b"0123456789"), ("ten", 9, None), ("elsewhere", 10, None), ("none", 10, None)],
)
async def test_a_medium_comes_from_a_host_that_is_named_and_goes_nowhere_else(
    path: str, cap: int, found: bytes | None
) -> None:
    shelf = Shelf()
    server = await shelf.start()
    media = picture(f"http://127.0.0.1:{shelf.port}/{path}")

    async def ask(api: str, **params: Any) -> Any:
        raise AssertionError(api)

    async def read() -> bytes:
        return b"".join(
            [chunk async for chunk in opened(media, cap=cap, hosts=frozenset({"127.0.0.1"}), ask=ask)]
        )

    if found is None:
        with pytest.raises(PlatformError):
            await read()
    else:
        assert await read() == found
    assert shelf.asked == [f"/{path}"]
    server.close()
    await server.wait_closed()


def picture(url: str) -> Any:
    from groupops_onebot import segments

    part = frames.message_of([{"type": "image", "data": {"file": "A.jpg", "url": url}}])
    (image,) = segments.read(part, Reading(bot=str(BOT), quoted=lambda _: (None, "")))
    return image.media  # type: ignore[union-attr]


async def test_an_address_that_is_not_allowed_is_asked_of_the_end_instead(
    served: Served, end: OneBotEnd
) -> None:
    await served.join(end)
    end.files["A.jpg"] = {"url": "http://10.0.0.1/secret", "file": "/x"}
    media = picture("http://10.0.0.1/secret")

    with pytest.raises(PlatformError, match="ONEBOT_MEDIA_HOSTS"):
        async for _ in served.platform.open(media, cap=10):
            pass

    assert end.asked("get_image") == [{"file": "A.jpg"}]


# — whatever they send —


@given(near_frames())
@settings(max_examples=200)
def test_nothing_an_end_sends_upsets_the_platform_and_what_is_kept_is_bounded(frame: dict[str, Any]) -> None:
    platform = OneBot(StoppedClock(NOW))
    event = frames.event_of(frame)
    if event is None:
        return

    platform.standing.bot(str(BOT)).connected = False
    platform.heard(str(BOT), event)
    platform.read(_Bot(), event)

    assert platform.health() is not None
    for room in platform.standing.bot(str(BOT)).rooms:
        assert platform.can(GroupId(f"qq:{room}")) <= frozenset(Capability)


class _Bot:
    self_id = str(BOT)


def test_a_bot_that_can_act_acts_before_one_that_cannot_and_then_the_higher_one() -> None:
    standing = Standing()
    for name, role, alive in (("1", Role.OWNER, False), ("2", Role.MEMBER, True), ("3", Role.ADMIN, True)):
        standing.bots[name] = BotState(name, connected=alive, rooms={"7": Room(role=role)})

    hand = standing.hand("7")

    assert hand is not None
    assert hand.self_id == "3"


def test_a_mute_of_the_bot_is_over_by_itself() -> None:
    room = Room(role=Role.ADMIN, muted_until=NOW + timedelta(minutes=1))

    assert room.silent(NOW)
    assert not room.silent(NOW + timedelta(minutes=1))
