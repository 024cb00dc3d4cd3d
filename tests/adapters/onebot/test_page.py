"""What the page says about settings and ends is so."""

from __future__ import annotations

import json
import re
from pathlib import Path

from groupops import Capability, Role
from groupops_onebot.config import Config
from groupops_onebot.ends import ends
from groupops_sandbox import profile

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/adapters_onebot.md").read_text("utf-8")


def test_every_setting_stands_on_the_page_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(ONEBOT_[A-Z_]+)` \| (\S+) \|", PAGE, flags=re.MULTILINE))
    fields = {name.upper(): info for name, info in Config.model_fields.items()}

    assert set(rows) == set(fields)
    for key, info in fields.items():
        if key != "ONEBOT_SELF_IDS":
            assert rows[key] == f"`{json.dumps(info.default)}`", key


def test_every_setting_has_a_sentence() -> None:
    assert all(info.title for info in Config.model_fields.values())


def test_the_table_of_ends_says_what_their_data_says() -> None:
    napcat, lucky, lagrange, other = ends().values()
    ticks = {
        "群改名": ["group_renamed" in end.hears[Role.OWNER] for end in (napcat, lucky, lagrange, other)],
        "公告、群文件": [
            {Capability.ANNOUNCE, Capability.SEND_FILE} <= end.can[Role.OWNER]
            for end in (napcat, lucky, lagrange, other)
        ],
        "补历史消息": [end.history for end in (napcat, lucky, lagrange, other)],
    }

    for row, wanted in ticks.items():
        (line,) = re.findall(rf"^\| {row} \| (.+) \|$", PAGE, flags=re.MULTILINE)
        assert [cell.strip() == "✓" for cell in line.split("|")] == wanted, row


def test_the_make_believe_platform_plays_the_same_ends() -> None:
    """A sandbox in the role of NapCat or LuckyLillia is able to do what the adapter is, once packets are seen."""
    for name, played in (("napcat", "onebot-napcat"), ("luckylillia", "onebot-luckylillia")):
        end, sandbox = ends()[name], profile(played)
        for role in Role:
            assert end.can[role] | {Capability.SEE_RED_PACKET} == sandbox.can[role]
            heard = sandbox.hears[role] | sandbox.hears_privately
            assert end.hears[role] | {"red_packet_sent", "members_listed"} == heard
