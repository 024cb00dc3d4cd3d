"""WeChat as the core has it: what a puppet cannot do goes, who cannot be reached is said, and lists are whole or none."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from groupops import (
    AccountId,
    Capability,
    DirectMessage,
    Done,
    Gone,
    GroupId,
    Impossible,
    PlatformError,
    RemoveMember,
    SendText,
)
from groupops import InDoubt as Doubtful
from groupops import Refused as Declined
from tests.support.wechat_rig import Served, serving, serving_stand_in
from tests.support.wechaty_end import ME, ROOM, WechatyEnd, until
from tests.support.wechaty_standin import StandIn

GROUP = GroupId(f"wechat:{ROOM}")
WANG = AccountId("wechat:wang")


@pytest.fixture
async def served(services: Callable[[bool], WechatyEnd]) -> AsyncIterator[Served]:
    """The account owns the room."""
    async with serving(services(False)) as made:
        yield made


def out(account: str) -> RemoveMember:
    return RemoveMember(group_id=GROUP, account=AccountId(account), reason="名册上没有")


async def test_who_is_removed_is_seen_to_be_gone_and_who_is_gone_already_is_said_to_be(
    served: Served,
) -> None:
    first = await served.platform.perform(out(WANG), key="k1")
    again = await served.platform.perform(out(WANG), key="k2")

    assert isinstance(first, Done)
    assert isinstance(again, Gone)


async def test_a_puppet_that_cannot_remove_is_not_asked_twice(served: Served) -> None:
    await served.end.do("trouble", call="roomDel", what="Wechaty Puppet Unsupported API Error. see #2")
    assert Capability.REMOVE_MEMBER in served.platform.can(GROUP)

    receipt = await served.platform.perform(out(WANG), key="k1")

    assert receipt == Impossible(capability=Capability.REMOVE_MEMBER)
    assert Capability.REMOVE_MEMBER not in served.platform.can(GROUP)


async def test_a_puppet_that_refuses_says_why(served: Served) -> None:
    await served.end.do("trouble", call="roomDel", what="操作过于频繁")

    receipt = await served.platform.perform(out(WANG), key="k1")

    assert isinstance(receipt, Declined)
    assert "操作过于频繁" in receipt.why
    assert Capability.REMOVE_MEMBER in served.platform.can(GROUP)


async def test_nothing_is_ever_muted_nor_anybodys_message_or_card_touched(served: Served) -> None:
    can = served.platform.can(GROUP)

    assert not can & {
        Capability.MUTE,
        Capability.MUTE_ALL,
        Capability.DELETE_MESSAGE,
        Capability.SET_CARD,
        Capability.DECIDE_JOIN,
    }


async def test_who_is_no_friend_cannot_be_written_to_alone(served: Served) -> None:
    await served.end.do("person", id="stranger", name="路人", friend=False)
    letter = DirectMessage(group_id=GROUP, account=AccountId("wechat:stranger"), text="您好")

    receipt = await served.platform.perform(letter, key="k1")

    assert isinstance(receipt, Declined)
    assert not served.platform.direct(AccountId("wechat:stranger"))
    assert served.platform.direct(WANG)


async def test_a_list_is_read_anew_with_its_cards_and_roles(served: Served) -> None:
    await served.end.do("alias", room=ROOM, who="wang", text="生产-王五")
    await served.end.do("slip", room=ROOM, who="zhao")

    members, complete = await served.platform.members(GROUP)

    assert complete
    assert {one.account: (one.card, one.role.value) for one in members} == {
        f"wechat:{ME}": ("", "owner"),
        "wechat:li": ("", "member"),
        "wechat:wang": ("生产-王五", "member"),
    }


async def test_a_list_of_which_one_cannot_be_read_is_no_list(served: Served) -> None:
    await served.end.do("trouble", call="roomMemberPayload", what="风控")

    with pytest.raises(PlatformError, match="could not be read"):
        await served.platform.members(GROUP)


async def test_an_account_that_logs_out_can_do_nothing_and_its_rooms_stay_known(served: Served) -> None:
    await served.end.do("logout")
    await until(lambda: not served.platform.health().connected)

    assert not served.platform.attends(GROUP)
    assert "logged out" in served.platform.health().note
    assert Capability.SEND_TEXT in served.platform.can(GROUP)
    receipt = await served.platform.perform(SendText(group_id=GROUP, text="在"), key="k1")
    assert receipt.kind == "unreachable"


async def test_what_may_have_been_said_is_not_said_again() -> None:
    stand_in = StandIn()
    async with serving_stand_in(stand_in, wechaty_call_seconds=0.3) as served:
        stand_in.hangs = {"MessageSendText"}

        receipt = await served.platform.perform(SendText(group_id=GROUP, text="在"), key="k1")

        assert isinstance(receipt, Doubtful)
        assert stand_in.asked["MessageSendText"] == 1
