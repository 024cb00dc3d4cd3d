"""Everything else the real server tells: what is out of date, who asks for what, who logs in and out, large files."""

from __future__ import annotations

import pytest

from groupops_wechat.client import rpc_of
from groupops_wechat.event import (
    DirtyEvent,
    FriendAskedEvent,
    GapEvent,
    GroupMessageEvent,
    RoomInvitedEvent,
)
from groupops_wechat.exception import ActionFailed, ApiNotAvailable
from tests.adapters.wechat.conftest import Line
from tests.support.wechaty_end import ME, ROOM, until

CALLS = """
Start Stop Logout Ding Version Event DirtyPayload ContactSelfQRCode ContactPayload ContactAlias ContactList
FriendshipPayload FriendshipAccept MessageFile MessageImage MessageSendFile MessagePayload MessageContact MessageUrl
MessageRecall MessageForward MessageLocation MessageSendContact MessageSendText MessageSendUrl MessageSendLocation
RoomList RoomCreate RoomQuit RoomAvatar RoomAdd RoomDel RoomTopic RoomQRCode RoomAnnounce RoomPayload RoomMemberList
RoomMemberPayload RoomInvitationPayload RoomInvitationAccept Upload Download
""".split()


@pytest.mark.parametrize("call", sorted(CALLS))
def test_every_call_of_the_sheet_is_known_by_its_own_name(call: str) -> None:
    assert rpc_of(call) == call


@pytest.mark.parametrize(
    ("api", "call"),
    [
        ("room_del", "RoomDel"),
        ("room_qr_code", "RoomQRCode"),
        ("room_member_payload", "RoomMemberPayload"),
        ("contact_self_qr_code", "ContactSelfQRCode"),
    ],
)
def test_a_call_is_known_in_small_letters_too(api: str, call: str) -> None:
    assert rpc_of(api) == call


@pytest.mark.parametrize("api", ["", "room_permission", "RoomDelete", "room del"])
def test_what_is_no_call_is_refused(api: str) -> None:
    with pytest.raises(ApiNotAvailable):
        rpc_of(api)


async def test_what_is_said_to_be_out_of_date_is_read_anew(line: Line) -> None:
    before = await line.bot.member(ROOM, "li")
    await line.end.do("alias", room=ROOM, who="li", text="生产-李四")

    told = await line.hears(DirtyEvent)
    after = await line.bot.member(ROOM, "li")

    assert (told.what, told.about) == ("room_member", ROOM)
    assert (before.alias, after.alias) == ("", "生产-李四")


async def test_a_contact_that_is_out_of_date_is_forgotten_in_every_room(line: Line) -> None:
    await line.bot.member(ROOM, "li")
    await line.end.do("emit", event="dirty", payload={"payloadType": 2, "payloadId": "li"})

    await line.hears(DirtyEvent)
    assert line.bot.known_member(ROOM, "li") is None


async def test_invitations_and_friends_are_told_with_what_answers_them(line: Line) -> None:
    await line.end.do("emit", event="room-invite", payload={"roomInvitationId": "invitation-7"})
    await line.end.do("emit", event="friendship", payload={"friendshipId": "friendship-8"})

    invited, asked = await line.hears(RoomInvitedEvent), await line.hears(FriendAskedEvent)
    assert (invited.request_id, asked.request_id) == ("invitation-7", "friendship-8")


async def test_who_logs_out_cannot_act_until_the_next_login(line: Line) -> None:
    await line.end.do("logout")
    await until(lambda: line.session.bot is None)
    await line.end.do("login", id=ME)
    await line.up()
    await line.end.says("li", "回来了")

    assert str((await line.hears(GroupMessageEvent)).message) == "回来了"
    assert "the account has logged out" in line.ear.notes
    assert [one.why for one in line.ear.of(GapEvent)] == ["connected", "reconnected"]


async def test_a_large_file_comes_as_it_went_in_pieces_and_within_a_cap(line: Line) -> None:
    data = bytes(range(256)) * (5 * 1024 * 4)
    sent = await line.bot.send_file(ROOM, "录像.mp4", data)

    came = b"".join([chunk async for chunk in line.bot.media(sent, cap=len(data))])
    with pytest.raises(ActionFailed, match="more than"):
        _ = [chunk async for chunk in line.bot.media(sent, cap=len(data) - 1)]

    assert came == data
