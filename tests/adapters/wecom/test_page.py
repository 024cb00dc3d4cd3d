"""What the page says of modes and settings is what the data says, and what the make-believe platforms play."""

from __future__ import annotations

from pathlib import Path

import pytest

from groupops import Capability
from groupops.events import EVENT_KINDS
from groupops_sandbox import profile
from groupops_wecom.options import Options
from groupops_wecom.page import filled
from groupops_wecom.profile import profiles, together

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/adapters_wecom.md").read_text("utf-8")

PLAYED = {
    "wecom-aibot": ["aibot-link"],
    "wecom-app-chat": ["app", "contacts", "appchat"],
    "wecom-customer-group": ["customer"],
}
"""Which modes the sandbox's profiles play."""


def test_the_tables_on_the_page_are_those_of_the_data() -> None:
    assert filled(PAGE) == PAGE


def test_every_setting_has_a_sentence() -> None:
    assert all(info.title for info in Options.model_fields.values())


def test_every_mode_speaks_of_facts_that_there_are() -> None:
    for one in profiles().values():
        assert one.hears | one.privately <= EVENT_KINDS
        assert one.fleeting <= one.can


@pytest.mark.parametrize("name", sorted(PLAYED))
def test_the_make_believe_platforms_play_these_modes(name: str) -> None:
    modes, sandbox = together(PLAYED[name]), profile(name)
    role = sandbox.bot_role

    assert modes.can == sandbox.can[role]
    pressed_privately = modes.hears | modes.privately | {"members_listed"}
    assert sandbox.hears[role] | sandbox.hears_privately <= pressed_privately


def test_nothing_declares_what_wecom_has_no_interface_for() -> None:
    able = together(profiles()).can

    assert not able & {
        Capability.MUTE,
        Capability.MUTE_ALL,
        Capability.DELETE_MESSAGE,
        Capability.SET_CARD,
        Capability.DECIDE_JOIN,
        Capability.ANNOUNCE,
        Capability.DEDUPE_SENDS,
    }
