"""What an operator may set, what the README says of it, and words that are there when they are needed."""

from __future__ import annotations

import re
import sys
from importlib import import_module, resources
from typing import Any

import pytest
from pydantic import ValidationError

import groupops_red_packet
from groupops import AccountId, Member, Role
from groupops.plugin import texts_of
from groupops_red_packet.journal import OPEN, TABLE, Move, State
from groupops_red_packet.settings import RedPacket

README = resources.files("groupops_red_packet").joinpath("README.md").read_text("utf-8")


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount_cny": -1},
        {"amount_cny": 0.001},
        {"amount_cny": 20_000},
        {"tariff_cny": {"moderation.insult": 1.005}},
        {"alternatives": []},
        {"approver_roles": []},
        {"mode": "fine"},
        {"due_days": 0},
        {"remind_before_days": [3, 2, 1]},
        {"unknown": 1},
    ],
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RedPacket(**wrong)


def test_a_tariff_costs_something_only_by_promise() -> None:
    table = {"amount_cny": 5, "tariff_cny": {"tasks.late": 100, "tasks.shirked": 0.5}}
    owing = RedPacket(mode="commitment", **table)  # type: ignore[arg-type]

    assert [owing.tariff_fen(rule) for rule in ("tasks.late", "tasks.shirked", "x.y")] == [10_000, 50, 500]
    assert RedPacket(**table).tariff_fen("tasks.late") == 0  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("mode", "set_to", "needed"),
    [("commitment", 0, 2), ("education", 0, 1), ("commitment", 1, 1), ("education", 3, 3)],
)
def test_money_needs_two_unless_set_otherwise(mode: str, set_to: int, needed: int) -> None:
    assert RedPacket(mode=mode, approvals=set_to).approvals_needed == needed  # type: ignore[arg-type]


def _member(*roles: str, steward: bool = True) -> Member:
    return Member(account=AccountId("qq:1"), role=Role.ADMIN, org_roles=frozenset(roles), steward=steward)


def test_only_stewards_decide_and_of_them_only_the_roles_named() -> None:
    anybody, finance = RedPacket(), RedPacket(approver_roles=("finance",))

    assert anybody.may_decide(_member())
    assert not anybody.may_decide(_member(steward=False))
    assert finance.may_decide(_member("finance"))
    assert not finance.may_decide(_member("hr"))


def test_the_readme_names_every_setting_and_every_command() -> None:
    missing = [name for name in RedPacket.model_fields if f"| `{name}` |" not in README]
    missing += [one.form for one in groupops_red_packet.manifest.commands if f"`{one.form}`" not in README]

    assert missing == []


def test_the_readme_s_table_of_transitions_is_the_one_in_force() -> None:
    told = {
        (found[1], found[2]): found[3]
        for found in re.finditer(r"^\| `(\w+)` \| (\S[^|]*?) \| ([^|]+?) \|", README, re.MULTILINE)
        if found[1] in set(Move)
    }
    assert told == {(move.value, _starts(move)): _ends(move) for move in Move}


def _starts(move: Move) -> str:
    starts = TABLE[move].starts
    if move is Move.PROPOSE:
        return "—"
    if starts == OPEN:
        return "任何未了结"
    if starts == frozenset(State):
        return "任何状态"
    return " ".join(f"`{state}`" for state in State if state in starts)


def _ends(move: Move) -> str:
    if move is Move.RESUME:
        return "申诉前的状态"
    ends = TABLE[move].ends
    return f"`{ends}`" if ends else "不变"


def test_there_is_a_word_for_every_state_and_every_answer() -> None:
    texts = texts_of("groupops_red_packet")
    keys = {f"state.{state}" for state in State}
    keys |= {f"said.{state}" for state in (State.SETTLED, State.SETTLED_BY_ALTERNATIVE, State.WAIVED)}
    keys |= {f"refused.{why}" for why in ("closed", "frozen", "state", "terms", "amount", "nothing_chosen")}

    assert keys <= texts.keys()


def test_every_text_is_used() -> None:
    package = resources.files("groupops_red_packet")
    code = "".join(one.read_text("utf-8") for one in package.iterdir() if one.name.endswith(".py"))
    made = (
        "state.",
        "flow.",
        "said.",
        "refused.",
        "column.",
        "steward.off",
        "steward.minors",
        "notice.",
        "off",
        "minors",
    )
    unused = [
        k
        for k in sorted(texts_of("groupops_red_packet").keys())
        if f'"{k}"' not in code and not k.startswith(made)
    ]

    assert unused == []


def test_a_started_plugin_has_not_loaded_what_only_a_statement_needs() -> None:
    import_module("groupops_red_packet.statement")
    heavy = "xlsxwriter"
    code = f"import sys, groupops_red_packet; print({heavy!r} in sys.modules, 'typer' in sys.modules)"
    import subprocess

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
