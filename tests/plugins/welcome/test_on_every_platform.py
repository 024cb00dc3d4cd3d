"""On each kind of connection newcomers get what it allows, and what it does not allow becomes visible."""

from __future__ import annotations

import pytest

from groupops import Capability
from groupops.testing import Rig, rig
from groupops_sandbox.profiles import profiles
from tests.plugins.welcome.stories import (
    HOUR,
    ONLY,
    asked,
    asked_alone,
    mentioned,
    owed,
    pack,
    said,
    tickets,
    told,
    welcomed,
)

PROFILES = sorted(profiles())
GREETS = {"full", "onebot-napcat", "onebot-luckylillia", "qq-official", "wechat-wechaty", "wecom-app-chat"}
BY_HAND = {"advisor", "wecom-customer-group"}
BLIND = {"wecom-aibot"}
"""Sees neither who comes nor any list."""


def can(r: Rig, capability: Capability) -> bool:
    return capability in r.sandbox.can("sandbox:g1")


def test_every_kind_of_connection_is_accounted_for() -> None:
    assert set(PROFILES) == GREETS | BY_HAND | BLIND


@pytest.mark.parametrize("profile", PROFILES)
async def test_two_newcomers_are_greeted_once_or_left_to_a_human(profile: str) -> None:
    async with rig(pack=pack(), plugins=ONLY, profile=profile) as r:
        r.sandbox.world.add_seat("g1", "old")
        await welcomed(r, "a", "b", name="")

        greetings = [text for text in said(r) if "欢迎" in text]
        assert len(greetings) == int(profile in GREETS)
        assert all("a、b" in text for text in greetings)
        assert sum("请人工欢迎" in text for text in await tickets(r)) == int(profile in BY_HAND)
        assert bool(await owed(r, "a")) == (profile in GREETS)


@pytest.mark.parametrize("profile", sorted(GREETS))
async def test_who_is_mentioned_is_also_named_and_where_nobody_can_be_the_name_stands_once(
    profile: str,
) -> None:
    async with rig(pack=pack(), plugins=ONLY, profile=profile) as r:
        await welcomed(r, "a", name="甲")

        assert mentioned(r) == (["甲"] if can(r, Capability.MENTION) else [])
        assert said(r)[0].startswith("欢迎 甲 加入本群")


@pytest.mark.parametrize("profile", PROFILES)
async def test_the_rules_are_sent_only_to_whom_a_letter_reaches(profile: str) -> None:
    async with rig(pack=pack(), plugins=ONLY, profile=profile) as r:
        await welcomed(r, "a", name="甲")

        reached = profile in GREETS and profile not in ("qq-official", "wechat-wechaty")
        assert bool(told(r, "a")) == reached
        assert not any("只收本单位员工" in text for text in said(r))


@pytest.mark.parametrize("profile", sorted(GREETS))
async def test_a_reminder_names_nothing_in_the_group_where_it_cannot_be_private(profile: str) -> None:
    async with rig(pack=pack(), plugins=ONLY, profile=profile) as r:
        await welcomed(r, "a", name="甲")
        posts, letters = len(said(r)), len(told(r, "a"))
        await r.advance(26 * HOUR)

        assert len(said(r)) + len(told(r, "a")) == posts + letters + 1
        assert not any("阅读群规" in text for text in said(r)[posts:])


@pytest.mark.parametrize("profile", sorted(GREETS))
async def test_the_word_settles_it_on_the_way_that_is_open(profile: str) -> None:
    async with rig(pack=pack(), plugins=ONLY, profile=profile) as r:
        await welcomed(r, "a")
        if can(r, Capability.RECEIVE_ALL):
            await r.say("g1", "a", "/已读")
        else:
            await r.whisper("g1", "a", "已读")

        assert await owed(r, "a") == {"welcome.rules": "satisfied"}


@pytest.mark.parametrize("profile", PROFILES)
async def test_the_rules_are_shown_wherever_one_can_ask_and_be_answered(profile: str) -> None:
    async with rig(pack=pack(), plugins=ONLY, profile=profile) as r:
        answers = can(r, Capability.SEND_TEXT) or can(r, Capability.REPLY)
        if can(r, Capability.RECEIVE_ALL):
            assert ("二.9" in await asked(r, "/群规 二.9")) == answers
        elif "command_given" in r.sandbox.hears("sandbox:g1"):
            assert "二.9" in await asked_alone(r, "群规 二.9")


async def test_a_bot_that_hears_mentions_only_answers_them() -> None:
    async with rig(pack=pack(), plugins=ONLY, profile="wecom-aibot") as r:
        await r.say("g1", "wang", "群规 3", mentions=["bot"])

        assert "休息时间" in said(r)[-1]


@pytest.mark.parametrize("profile", PROFILES)
async def test_a_line_about_cards_can_be_settled_on_every_platform(profile: str) -> None:
    card = '[roster]\nverify_on_join = false\n[roster.card]\nformat = "F6"'
    async with rig(
        pack=pack(more=card, enabled=', "roster"'), plugins=(*ONLY, "roster"), profile=profile
    ) as r:
        await welcomed(r, "a", name="甲")
        kinds = set(await owed(r, "a"))
        sees = can(r, Capability.SEE_RENAMES) or {
            Capability.READ_CARD,
            Capability.LIST_MEMBERS,
        } <= r.sandbox.can("sandbox:g1")

        if profile in GREETS:
            assert ("welcome.card" in kinds) == sees
            assert ("welcome.item" in kinds) == (not sees)
