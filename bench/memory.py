"""What a whole bot takes (P11): at start, and with ten thousand busy groups; `python -m bench.memory` prints it.

Every figure is the resident memory of a process of its own that starts as `bot.py` does, on SQLite.
"""

import asyncio
import gc
import json
import os
import random
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from bench.figures import Row, of_its_own, row
from groupops.bridge import bridge_of, running, start_nonebot
from groupops.events import Listed, MessagePosted, Text
from groupops.operations import Assembled, alive, assemble, read_start
from groupops.people import AccountId, Group, GroupId, Role, Stage
from groupops.records import PolicyRevision, Records
from groupops.store.sql import open_records

ROUNDS = 3
"""A start with thousands of groups takes its time; memory differs by less than a hundredth from run to run."""

FEW, MANY, WHOLE = 500, 2_000, 10_000
"""Groups at two sizes, which tell what one costs and what they share; the figure is the line at the third."""

ACTIVE = 50
OWN_WORDS = 20
POOL = 6_000
"""Words the groups draw their own from: neighbours forbid much the same."""

PACK = "s18"
CATEGORY = "other_harm"
WINDOW_S = 300.0
BUILD_S = 3.0
"""Seconds in which the automaton over all groups' words is built beside the loop."""

NOON = datetime(2026, 3, 3, 4, tzinfo=UTC)
"""A working day at noon in Shanghai: the machine's own clock may say that the groups are at rest."""

MB = 1e6


def rows() -> list[Row]:
    """Both figures; an empty bot, one with few groups and one with many are started turn by turn."""
    with tempfile.TemporaryDirectory(prefix="go-") as made:
        folders = {groups: Path(made) / str(groups) for groups in (0, FEW, MANY)}
        for groups, folder in folders.items():
            of_its_own("bench.memory", "fill", str(folder), str(groups))
        starts, grown = list[float](), list[float]()
        for _ in range(ROUNDS):
            start, few, many = (_taken(folder, groups) for groups, folder in folders.items())
            starts.append(start)
            grown.append(many - start + (many - few) / (MANY - FEW) * (WHOLE - MANY))
    return [
        row(
            "P11.start", starts, "<= 80", "MB", "RSS of a started bot: NoneBot, sandbox, both plugins, SQLite"
        ),
        row(
            "P11.groups",
            grown,
            "<= 70",
            "MB",
            f"RSS that {WHOLE:,} groups add, by {FEW} and {MANY:,}: {ACTIVE} members each who posted, "
            f"{OWN_WORDS} own words each; what 100,000 messages leave behind included",
        ),
    ]


def _taken(folder: Path, groups: int) -> float:
    env = {
        "GROUPOPS_DATA_DIR": str(folder),
        "GROUPOPS_ADAPTERS": '["sandbox"]',
        "LOG_LEVEL": "ERROR",
        "ENVIRONMENT": "prod",
    }
    return float(of_its_own("bench.memory", "taken", str(groups), env=env).splitlines()[-1])


def main(words: list[str]) -> None:
    """Print the rows, or be one of the processes that are measured."""
    match words:
        case ["fill", folder, groups]:
            Path(folder).mkdir(parents=True)
            asyncio.run(fill(Path(folder), int(groups)))
        case ["taken", groups]:
            print(asyncio.run(taken(int(groups))))
        case _:
            for one in rows():
                print(json.dumps(one, ensure_ascii=False))


async def fill(folder: Path, groups: int) -> None:
    """Write groups, their policies and their members into a new database."""
    url, apps = f"sqlite://{folder / 'groupops.sqlite3'}", {"moderation": "groupops_moderation.models"}
    async with open_records(url, apps=apps, migrate=True) as records:
        dice, pool = random.Random(11), _words(POOL)
        for number in range(groups):
            await _bind(records, _group(number), dice.sample(pool, OWN_WORDS))


async def _bind(records: Records, group_id: GroupId, words: list[str]) -> None:
    await records.put_group(Group(id=group_id, name=f"项目群 {group_id}"))
    await records.revise(
        PolicyRevision(
            group_id=group_id,
            number=1,
            author="bench",
            at=datetime(2026, 3, 2, tzinfo=UTC),
            diff={},
            packs=(PACK,),
            stage=Stage.ENFORCED,
            overrides={f"moderation.operator_words.{CATEGORY}": words},
        )
    )
    listed = [
        Listed(account=account, name=f"成员{account[-4:]}", card=f"销售部-{account[-4:]}", role=Role.MEMBER)
        for account in _accounts(group_id)
    ]
    await records.put_members(group_id, listed)


async def taken(groups: int) -> float:
    """Start the bot, have every member post, as much in all however many there are, and give the memory in MB."""
    async with _bot() as bot:
        await asyncio.sleep(BUILD_S)
        for turn in range(MANY // groups if groups else 0):
            for number in range(groups):
                await _talk(bot, _group(number), turn)
        _prove(bot, groups)
        gc.collect()
        return float(psutil.Process().memory_info().rss) / MB


@asynccontextmanager
async def _bot() -> AsyncIterator[Assembled]:
    start = read_start(Path(os.environ["GROUPOPS_DATA_DIR"]))
    assembled = assemble(start)
    driver = start_nonebot(start.nonebot, log_level=start.config.log_level)
    bridge_of(assembled).install(driver, [lambda: alive(assembled)])
    async with running(driver):
        yield assembled


async def _talk(bot: Assembled, group_id: GroupId, turn: int) -> None:
    """A harmless message of every member, and the rate window a pacing rule would keep of it."""
    counters, flow = bot.engine.parts.counters, bot.engine.flow
    for number, account in enumerate(_accounts(group_id)):
        event = MessagePosted(
            id=f"{account}:{group_id}:{turn}",
            at=NOON,
            group_id=group_id,
            account=account,
            message_id=f"{group_id}/{number}/{turn}",
            segments=(Text(text=f"第 {turn * ACTIVE + number} 项已经办好,下午把表格发给各位。"),),
            role=Role.MEMBER,
        )
        assert flow.glance(event) is None, "harmless talk was taken for something else"
        await counters.add(f"{group_id}:{account}:posts", WINDOW_S)


def _prove(bot: Assembled, groups: int) -> None:
    """A figure of a bot that does nothing would be worth nothing."""
    assert len(bot.engine.plans.all()) == groups
    for number in range(0, groups, 97):
        plan = bot.engine.plans.of(_group(number))
        assert plan is not None
        assert len(plan.policy.settings["moderation"].operator_words[CATEGORY]) == OWN_WORDS


def _group(number: int) -> GroupId:
    return GroupId(f"sandbox:{800_000_000 + number}")


def _accounts(group_id: GroupId) -> Iterator[AccountId]:
    first = int(group_id.partition(":")[2]) * ACTIVE
    return (AccountId(f"sandbox:{first + number}") for number in range(ACTIVE))


def _words(count: int) -> list[str]:
    dice, found = random.Random(12), dict[str, None]()
    while len(found) < count:
        found["".join(chr(dice.randrange(0x5A00, 0x6A00)) for _ in range(dice.randint(2, 6)))] = None
    return list(found)


if __name__ == "__main__":
    main(sys.argv[1:])
