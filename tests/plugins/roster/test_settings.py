"""What may be set, and how a wrong setting is told."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from groupops import ConfigError
from groupops.testing import rig
from groupops_roster.settings import Roster
from tests.plugins.roster.stories import ONLY, pack


def test_the_defaults_are_those_of_the_regulations_base() -> None:
    table = Roster()

    assert (table.verify_on_join, table.probation_hours, table.unknown_action) == (True, 24, "flag")
    assert (table.guests, table.leaver_action, table.leaver_grace_hours) == ("none", "kick_case", 24)
    assert (table.audit_at, table.voucher_required, table.delegate_roles) == ("", False, ())
    assert (table.card.format, table.card.grace_minutes, table.card.max_reminders) == ("F6", 60, 3)
    assert (table.card.auto_set, table.card.after_max) == (False, "admin_case")


def test_cards_that_name_a_referrer_are_not_asked_for() -> None:
    with pytest.raises(ValidationError, match=r"F7 .*is not enforced.*F1 to F6"):
        Roster.model_validate({"card": {"format": "F7"}})


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ({"card": {"separators": ["-"], "canonical_separator": "+"}}, "canonical_separator = '\\+'"),
        ({"audit_at": "24:00"}, "audit_at"),
        ({"audit_at": "9:30"}, "audit_at"),
        ({"probation_hours": 0}, "probation_hours"),
        ({"unknown_action": "kick"}, "unknown_action"),
        ({"card": {"max_reminder": 3}}, "max_reminder"),
        ({"card": {"avatar_ask_at": "soon"}}, "avatar_ask_at"),
    ],
)
def test_a_wrong_setting_is_named(table: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        Roster.model_validate(table)


def test_days_that_do_not_exist_are_an_error_where_they_are_written() -> None:
    with pytest.raises((ValidationError, ConfigError), match="someday"):
        Roster.model_validate({"audit_days": "someday"})


async def test_a_pack_with_a_ladder_that_does_not_exist_is_not_bound() -> None:
    with pytest.raises(ConfigError, match="removal_ladder"):
        async with rig(pack=pack('removal_ladder = "away"'), plugins=ONLY):
            pass


@pytest.mark.parametrize("shipped", ["s02", "s09", "s10", "s18"])
async def test_the_shipped_packs_hold(shipped: str) -> None:
    async with rig(packs=[shipped], plugins=ONLY) as r:
        assert r.log.lines == []
