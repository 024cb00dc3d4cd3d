"""Profiles say what the protocol sheets say, and the page about them is theirs."""

from __future__ import annotations

from pathlib import Path

import pytest

from groupops import Capability, ConfigError, Role
from groupops.events import EVENT_KINDS
from groupops_onebot.onebot import OneBot
from groupops_qq import OfficialQQ
from groupops_sandbox import profile, profiles
from groupops_sandbox.profiles import rows
from groupops_sandbox.table import markdown

ROOT = Path(__file__).parents[3]

SEGMENTS = {"text", "image", "voice", "file", "link", "mention", "quote", "location", "red_packet", "card"}

SEES = {
    Capability.SEE_JOINS: "member_joined",
    Capability.SEE_LEAVES: "member_left",
    Capability.SEE_RENAMES: "member_renamed",
    Capability.SEE_RECALLS: "message_recalled",
    Capability.SEE_LOCATION: "location_shared",
    Capability.SEE_RED_PACKET: "red_packet_sent",
    Capability.LIST_MEMBERS: "members_listed",
    Capability.DECIDE_JOIN: "join_requested",
}

SHEETS = [name for name, one in profiles().items() if one.platform != "sandbox"]


def test_there_are_the_nine_profiles() -> None:
    assert list(profiles()) == [
        "full",
        "onebot-napcat",
        "onebot-luckylillia",
        "qq-official",
        "wecom-aibot",
        "wecom-app-chat",
        "wecom-customer-group",
        "wechat-wechaty",
        "advisor",
    ]


def test_the_page_about_capabilities_is_what_the_profiles_say() -> None:
    page = (ROOT / "docs" / "capabilities.md").read_text(encoding="utf-8")

    assert page == markdown(), "run: python -m groupops_sandbox.table > docs/capabilities.md"


def test_every_capability_has_its_row() -> None:
    assert set(rows()) == set(Capability)


@pytest.mark.parametrize("name", SHEETS)
def test_nothing_is_promised_that_the_sheet_has_no_row_for(name: str) -> None:
    one = profile(name)

    assert [what for what in one.best if not rows()[what][one.sheet]] == []


def test_the_official_bot_of_qq_is_a_platform_of_its_own() -> None:
    assert profile("qq-official").platform == OfficialQQ.name == "qqbot"
    assert profile("onebot-napcat").platform == OneBot.name == "qq"


@pytest.mark.parametrize("name", profiles())
def test_kinds_and_segments_are_known_ones(name: str) -> None:
    one = profile(name)

    assert one.hears[Role.OWNER] | one.hears_privately <= EVENT_KINDS
    assert one.segments <= SEGMENTS


@pytest.mark.parametrize("name", profiles())
def test_what_it_sees_it_hears_and_the_other_way_round(name: str) -> None:
    one = profile(name)

    for role in Role:
        heard = one.hears[role] | one.hears_privately
        for what, kind in SEES.items():
            assert (what in one.can[role]) == (kind in heard), f"{what} as {role}"


@pytest.mark.parametrize("name", profiles())
def test_a_higher_role_never_takes_anything_away(name: str) -> None:
    one = profile(name)

    assert one.can[Role.UNKNOWN] == one.can[Role.MEMBER] <= one.can[Role.ADMIN] <= one.can[Role.OWNER]


def test_an_advisor_can_do_nothing() -> None:
    needs = {Capability.SEND_TEXT, Capability.DIRECT_MESSAGE, Capability.MUTE, Capability.DELETE_MESSAGE}

    assert not profile("advisor").best & needs
    assert profile("advisor").source == "export"


def test_an_unknown_profile_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"no profile 'qq'; it has full, onebot-napcat"):
        profile("qq")
