"""What check-in does where a platform shows no places, lets nobody be written to, or tells no lists."""

from __future__ import annotations

import pytest

from groupops import Capability, SendFile, SendImage
from groupops.testing import Rig
from groupops_check_in.models import DayRow
from groupops_sandbox.profiles import profiles
from tests.plugins.check_in.stories import GROUP, NAMES, agree, at, last, letters, locate, office, said, state

PROFILES = sorted(profiles())


def can(r: Rig, capability: Capability) -> bool:
    return capability in r.sandbox.can(GROUP)


def befriend(r: Rig) -> None:
    """Everybody is a friend of the bot and has spoken to it."""
    accounts = {r.sandbox.world.id_of(who) for who in (*NAMES, "admin")}
    r.sandbox.world.friends |= accounts
    r.sandbox.world.spoken |= accounts


@pytest.mark.parametrize("profile", PROFILES)
async def test_nothing_about_anybody_is_ever_said_before_everybody(profile: str) -> None:
    async with office(profile=profile, agreed=()) as r:
        befriend(r)
        for who in ("li", "zhao"):
            await agree(r, who)
        await r.advance_to(at("2025-03-03T08:40"))
        await r.say("g1", "li", "/位置 客户A处", mentions=["bot"])
        await locate(r, "zhao", private=False)
        await r.advance_to(at("2025-03-03T10:00"))
        await r.say("g1", "boss", "/打卡名单", mentions=["bot"])
        await r.say("g1", "boss", "/打卡周报", mentions=["bot"])

        told = "".join(said(r))
        assert not any(word in told for word in (*NAMES.values(), "客户A处", "总部", "迟到", "未打卡"))
        pictures = [
            one.action for one in r.sandbox.world.requests if isinstance(one.action, (SendImage, SendFile))
        ]
        assert all(one.account == "sandbox:boss" for one in pictures)


@pytest.mark.parametrize("profile", PROFILES)
async def test_words_alone_are_enough_wherever_the_bot_is_spoken_to_privately(profile: str) -> None:
    async with office(profile=profile, agreed=()) as r:
        befriend(r)
        await agree(r, "li")
        await r.advance_to(at("2025-03-03T08:40"))
        given = await r.whisper("g1", "li", "位置:客户A处")
        if given is None:
            assert await DayRow.all().count() == 0
            return
        assert await state(r, "li") == "on_time"
        assert "客户A处" in last(r, "li")


@pytest.mark.parametrize("profile", PROFILES)
async def test_the_question_speaks_of_locations_only_where_they_are_seen(profile: str) -> None:
    async with office(profile=profile, agreed=()) as r:
        befriend(r)
        await agree(r, "li")
        r.sandbox.world.letters.clear()
        await r.advance_to(at("2025-03-03T08:30"))
        asked = "".join((*letters(r, "li"), *said(r)))
        if asked:
            assert ("发送位置" in asked) is can(r, Capability.SEE_LOCATION)


async def test_without_private_words_consent_and_question_are_put_to_all_and_name_nobody() -> None:
    async with office(profile="advisor", agreed=()) as r:
        await r.advance_to(at("2025-03-03T10:00"))
        assert said(r) == []  # nobody in the group: nothing can be said at all

    async with office(profile="full", agreed=("li",)) as r:
        mute(r, Capability.DIRECT_MESSAGE)
        await r.advance_to(at("2025-03-03T08:30"))
        (asked,) = said(r)
        assert "请在 09:00 前打卡" in asked
        await r.say("g1", "li", "/位置 公司")
        await r.advance_to(at("2025-03-03T10:00"))
        told = "".join(said(r)[1:])

        assert await state(r, "li") == "on_time"
        assert "总部" not in told
        assert "打卡告知" in told
        assert "请派单人私下" in told


def mute(r: Rig, *gone: Capability) -> None:
    """Take capabilities away from the connection."""
    whole = r.sandbox.can
    r.sandbox.can = lambda group: whole(group) - frozenset(gone)


async def test_who_cannot_be_reached_is_not_named_and_the_group_is_told_once() -> None:
    async with office(profile="wechat-wechaty", agreed=()) as r:
        befriend(r)
        for who in ("li", "zhao"):
            await agree(r, who)
        r.sandbox.world.friends.discard("sandbox:zhao")
        await r.advance_to(at("2025-03-03T09:29"))

        (asked,) = (text for text in said(r) if "收不到私信" in text)
        assert NAMES["zhao"] not in asked
        assert letters(r, "li")


async def test_where_no_list_is_told_the_register_says_who_owes() -> None:
    async with office(profile="wecom-aibot", agreed=()) as r:
        befriend(r)
        await agree(r, "li")
        await r.advance_to(at("2025-03-03T09:31"))

        assert await state(r, "li") == "missing"
        assert "李四" in last(r, "boss")


async def test_who_is_no_member_of_the_group_owes_nothing_in_it() -> None:
    async with office() as r:
        await r.tell(r.sandbox.leave("g1", "zhao"))
        await r.advance_to(at("2025-03-03T09:31"))

        assert await state(r, "zhao") == ""
        assert letters(r, "zhao") == []
