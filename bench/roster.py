"""How long a roster of 20,000 persons takes: read, checked, held against as many registered ones, and reported."""

from __future__ import annotations

import gc
import json
import os
import random
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bench.figures import Row, of_its_own, row
from groupops.importers import Page, compare, diff_page, diff_text, read_people, save
from groupops.people import AccountId, Person, PersonId

ROUNDS = 3
PERSONS = 20_000
NOW = datetime(2026, 7, 6, tzinfo=UTC)
HEAD = (
    "工号",
    "姓名",
    "部门",
    "公司",
    "职务",
    "地区",
    "角色",
    "微信号",
    "QQ号",
    "企业微信号",
    "在职",
    "入职日期",
    "手机号",
    "备注",
)


def rows() -> list[Row]:
    """A figure for each kind of file."""
    against = f"{PERSONS:,} rows of {len(HEAD)} columns read, checked, compared, reported as XLSX; CPU of all processes"
    return [
        row(f"roster.{ending}", _values(ending), "<= 3", "s", f"{ending.upper()}: {against}")
        for ending in ("xlsx", "csv")
    ]


def _values(ending: str) -> list[float]:
    return [float(of_its_own("bench.roster", ending)) for _ in range(ROUNDS)]


def once(ending: str) -> float:
    """CPU seconds from the file to the report, the process that opens a workbook included."""
    with tempfile.TemporaryDirectory(prefix="go-") as made:
        folder = Path(made)
        path = folder / f"roster.{ending}"
        save(path, [Page(name="roster", head=HEAD, rows=list(_people()))])
        persons, accounts = _register(path)
        gc.collect()
        begun = _cpu()
        roster = read_people(path)
        diff = compare(roster, persons, accounts, now=NOW)
        assert diff_text(diff)
        save(folder / "report.xlsx", [diff_page(diff)])
        seconds = _cpu() - begun
        assert len(roster.lines) == PERSONS
        assert min(diff.counts["new"], diff.counts["changed"], diff.counts["missing"]) > PERSONS // 100
    return seconds


def _cpu() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _people() -> Iterator[list[str]]:
    dice = random.Random(7)
    for number in range(1, PERSONS + 1):
        name = "".join(chr(0x4E00 + dice.randrange(5000)) for _ in range(3))
        yield [
            f"{number:06}",
            name,
            f"销售{number % 80}部",
            f"公司{number % 5}",
            dice.choice(("经理", "主管", "员工")),
            dice.choice(("南宁", "柳州", "桂林")),
            dice.choice(("员工", "管理员、人事", "")),
            f"wxid_{number:08x}",
            str(880_000_000 + number),
            f"emp{number}",
            "是",
            f"20{number % 20 + 5:02}-07-01",
            str(19_900_000_000 + number),
            "",
        ]


def _register(path: Path) -> tuple[list[Person], dict[AccountId, PersonId]]:
    """Who would be registered: of the roster one in twenty otherwise, one in fifty not at all, and some more."""
    persons: list[Person] = []
    accounts: dict[AccountId, PersonId] = {}
    for number, line in enumerate(read_people(path).lines, start=1):
        if number % 50 == 0:
            continue
        person = Person(
            id=PersonId(number),
            ref=line.ref,
            name=line.name,
            department=line.department if number % 20 else "",
            company=line.company,
            position=line.position,
            region=line.region,
            org_roles=line.org_roles,
        )
        persons.append(person)
        accounts |= dict.fromkeys(line.accounts, person.id)
    more = [replace(one, id=PersonId(PERSONS + one.id), ref=f"X{one.id}") for one in persons[: PERSONS // 30]]
    return persons + more, accounts


if __name__ == "__main__":
    if sys.argv[1:]:
        print(once(sys.argv[1]))
    else:
        for one in rows():
            print(json.dumps(one, ensure_ascii=False))
