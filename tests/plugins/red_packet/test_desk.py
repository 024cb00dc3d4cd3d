"""The operator's shell: the same statement, the same audit, and errors that say what to do."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from groupops import AccountId, GroupId
from tests.plugins.red_packet.books import ledger_in, proposal
from tests.plugins.red_packet.stories import COMMITMENT, pack


def groupops(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the shell command as an operator does."""
    return subprocess.run(
        [sys.executable, "-c", "from groupops.cli import main; main()", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "200"},
    )


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a bound group that has one item of March; the tests only look at it."""
    tmp_path = tmp_path_factory.mktemp("desk")
    packs = tmp_path / "packs"
    packs.mkdir()
    (packs / "guild.toml").write_text(pack(COMMITMENT), "utf-8")
    (tmp_path / ".env").write_text(
        f"GROUPOPS_DATA_DIR={tmp_path}\nGROUPOPS_ADAPTERS=[]\nGROUPOPS_PACKS_DIR={packs}\n"
    )
    assert groupops(tmp_path, "migrate").returncode == 0
    bound = groupops(tmp_path, "group", "bind", "qq:1", "--pack", "guild")
    assert bound.returncode == 0, bound.stderr
    (file,) = tmp_path.glob("*.sqlite3")
    asyncio.run(_entered(f"sqlite://{file}"))
    return tmp_path


async def _entered(url: str) -> None:
    async with ledger_in(url) as ledger:
        await ledger.propose(proposal(7, 550, group_id=GroupId("qq:1"), account=AccountId("qq:42")))


def test_a_month_is_printed_and_saved_as_a_workbook(shell: Path) -> None:
    done = groupops(
        shell, "red-packet", "statement", "--group", "qq:1", "--month", "2025-03", "--xlsx", "march.xlsx"
    )

    assert done.returncode == 0, done.stderr
    assert "本月新登记:1 项,5.50 元" in done.stdout
    book = CalamineWorkbook.from_path(shell / "march.xlsx")
    assert book.get_sheet_by_name("明细").to_python()[1][0] == 7


def test_totals_are_printed_without_names(shell: Path) -> None:
    done = groupops(shell, "red-packet", "totals", "--group", "qq:1")

    assert "待核准:1 项,5.50 元" in done.stdout, done.stderr
    assert "42" not in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--group", "qq:1", "--month", "2025-13"), "--month is '2025-13'"),
        (("--group", "qq:9"), "group 'qq:9' is not bound"),
        (("--group", "qq:1", "--month", "2025-03", "--xlsx", "no/such/folder.xlsx"), "cannot be written"),
    ],
)
def test_what_cannot_be_stated_says_what_to_do(shell: Path, words: tuple[str, ...], said: str) -> None:
    done = groupops(shell, "red-packet", "statement", *words)

    assert done.returncode == 1
    assert said in done.stderr
