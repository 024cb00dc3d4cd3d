"""What becomes of recalls and mutes where a platform cannot: something visible, on every profile."""

from __future__ import annotations

import pytest

from groupops import Capability
from groupops.testing import Rig, rig
from groupops_sandbox.profiles import profiles
from tests.plugins.moderation_plugin.stories import (
    LEWD,
    ONLY,
    cases,
    file,
    only_case,
    pack,
    said,
    stands,
    tickets,
)

PROFILES = sorted(profiles())
INCITE = pack('operator_words = { incite = ["围堵大楼"] }', '"incite"', 'incite = "kick"')
GROUP = "sandbox:g1"


def can(r: Rig, capability: Capability) -> bool:
    return capability in r.sandbox.can(GROUP)


@pytest.mark.parametrize("profile", PROFILES)
async def test_a_recall_is_done_or_becomes_a_request_and_a_ticket(profile: str) -> None:
    async with rig(pack=pack(), plugins=ONLY, profile=profile) as r:
        outcome = await r.say("g1", "wang", LEWD)
        if outcome is None or not can(r, Capability.RECEIVE_ALL):
            assert await cases(r) == ()
            return
        if can(r, Capability.DELETE_MESSAGE):
            assert not stands(r, outcome)
            return
        assert any("请撤回" in text for text in await tickets(r))
        assert not can(r, Capability.SEND_TEXT) or any("自行撤回" in text for text in said(r))


@pytest.mark.parametrize("profile", PROFILES)
async def test_a_mute_is_done_or_becomes_a_reminder_and_a_ticket(profile: str) -> None:
    async with rig(pack=INCITE, plugins=ONLY, profile=profile) as r:
        outcome = await r.say("g1", "wang", "都去围堵大楼")
        if outcome is None or not can(r, Capability.RECEIVE_ALL):
            assert await cases(r) == ()
            return
        assert (await only_case(r)).step == "kick"
        if can(r, Capability.MUTE):
            assert not r.sandbox.world.may_post("g1", "wang")
            return
        assert any("禁言" in text for text in await tickets(r))
        assert not can(r, Capability.SEND_TEXT) or any("暂停发言" in text for text in said(r))


@pytest.mark.parametrize("profile", PROFILES)
async def test_a_program_is_met_wherever_files_are_seen(profile: str) -> None:
    async with rig(pack=pack(use='"malware_link"'), plugins=ONLY, profile=profile) as r:
        outcome = await r.say("g1", "wang", **file("助手.apk"))
        seen = outcome is not None and any(part.kind == "file" for part in outcome.event.segments)  # type: ignore[union-attr]
        assert len(await cases(r)) == int(seen)


@pytest.mark.parametrize("profile", PROFILES)
async def test_a_reporter_is_never_named_in_the_group(profile: str) -> None:
    async with rig(pack=pack(use='"rumor"'), plugins=ONLY, profile=profile) as r:
        await r.say("g1", "wang", "明天停水", message_id="m1")
        await r.say("g1", "li", "举报 造谣", quote="m1")
        assert not any("举报人" in text or "造谣" in text for text in said(r))
