"""Plugins have commands in the operator's shell, with the same effect and audit as any other entrance."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HOUSEKEEPING = '''
"""A plugin whose operator greets groups and enrols people."""

from typing import Any

from groupops import AtDesk, Desk, GroupId, Manifest, Note, PersonLine, SendText, hookimpl

manifest = Manifest(title="housekeeping")


@hookimpl
def operator(desk: Desk) -> Any:
    import typer

    commands = typer.Typer()

    @commands.command()
    def greet(group: str) -> None:
        desk.now(_greet(desk, GroupId(group)))

    @commands.command()
    def enrol(name: str) -> None:
        desk.now(_enrol(desk, name))

    return commands


async def _greet(desk: Desk, group: GroupId) -> None:
    async with desk.open() as at:
        desk.say(f"{[one.id for one in at.groups()]} {at.policy(group).enabled}")
        await at.do(group, [SendText(group_id=group, text="hello"), Note(group_id=group, what="greeted")])


async def _enrol(desk: Desk, name: str) -> None:
    async with desk.open() as at:
        enrolled = await at.enrol([PersonLine(name=name)], by="hr")
        desk.say(f"{enrolled.created} {[one.name for one in at.tools.people.persons()]}")
'''


@pytest.fixture
def shell(tmp_path: Path) -> Path:
    (tmp_path / "housekeeping.py").write_text(HOUSEKEEPING)
    (tmp_path / ".env").write_text(
        'GROUPOPS_EXTRA_PLUGINS=["housekeeping"]\nGROUPOPS_DATA_DIR=data\nGROUPOPS_ADAPTERS=[]\n'
    )
    return tmp_path


def groupops(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from groupops.cli import main; main()", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "200"},
    )


def test_a_plugin_s_command_enrols_people(shell: Path) -> None:
    groupops(shell, "migrate")

    first = groupops(shell, "housekeeping", "enrol", "李雷")
    again = groupops(shell, "housekeeping", "enrol", "李雷")

    assert first.stdout.strip() == "1 ['李雷']", first.stderr
    assert again.stdout.strip() == "0 ['李雷']", again.stderr


def test_a_plugin_s_command_reads_a_group_and_has_something_sent(shell: Path) -> None:
    groupops(shell, "migrate")
    groupops(shell, "group", "bind", "sandbox:g1", "--pack", "s18")

    told = groupops(shell, "housekeeping", "greet", "sandbox:g1")

    assert "sandbox:g1" in told.stdout, told.stderr
    assert told.returncode == 0


def test_a_group_that_is_not_bound_is_one_sentence(shell: Path) -> None:
    groupops(shell, "migrate")

    told = groupops(shell, "housekeeping", "greet", "sandbox:g9")

    assert told.returncode == 1
    assert "is not bound" in told.stderr
    assert "Traceback" not in told.stderr


def test_the_commands_of_plugins_are_listed_with_the_others(shell: Path) -> None:
    told = groupops(shell, "--help")

    assert "housekeeping" in told.stdout
    assert "rehearse" in told.stdout
