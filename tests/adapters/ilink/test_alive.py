"""A whole bot with a console: what finds a steward's window shut waits in the record, and goes as soon as he writes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import nonebot
import pytest
from nonebot.drivers import Driver
from nonebot.matcher import matchers

from groupops import AskStewards, GroupId
from groupops.bridge import bridge_of, running, start_nonebot
from groupops.engine import Engine
from groupops.operations import Assembled, alive, assemble, read_start
from groupops.people import Stage
from groupops.records import OutboxRow, OutboxState
from tests.support.ilink_end import BOT, CHANG, TOKEN, ILinkEnd
from tests.support.qq_platform import until

pytestmark = pytest.mark.filterwarnings("ignore:Setting per-request cookies:DeprecationWarning")

GROUP = GroupId("sandbox:g1")
WAITING = frozenset({OutboxState.WAITING})


@pytest.fixture
def end() -> Iterator[ILinkEnd]:
    made = ILinkEnd(hold=0.2)
    yield made
    made.end()


@asynccontextmanager
async def started(folder: Path, end: ILinkEnd, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Engine]:
    """A bot as `groupops run` starts it, with a group and a steward who has nothing but his WeChat."""
    keys = {
        "GROUPOPS_DATA_DIR": str(folder),
        "GROUPOPS_ADAPTERS": '["sandbox","ilink"]',
        "GROUPOPS_STEWARDS": f'["ilink:{CHANG}"]',
        "WECHATCLAW_TOKEN": TOKEN,
        "WECHATCLAW_ACCOUNT_ID": BOT,
        "WECHATCLAW_BASE_URL": end.url,
        "ILINK_ANSWERS": "2",
    }
    for key, value in keys.items():
        monkeypatch.setenv(key, value)
    assembled: Assembled = assemble(read_start(folder))
    driver = start_nonebot(assembled.start.nonebot, log_level="CRITICAL", accelerate=False)
    try:
        bridge_of(assembled).install(driver, [lambda: alive(assembled)])
        async with running(driver):
            engine = assembled.engine
            await engine.bind_group(GROUP, packs=("s10",), stage=Stage.ENFORCED, name="一车间")
            yield engine
    finally:
        nonebot._driver = None
        Driver._adapters.clear()
        matchers.clear()


async def ask(engine: Engine, *texts: str) -> None:
    """Put tasks before the stewards."""
    for text in texts:
        rows = engine.outbox.rows(f"test/{text}", "steward", (AskStewards(group_id=GROUP, text=text),))
        await engine.outbox.send(await engine.parts.records.enqueue(rows))


async def held(engine: Engine) -> tuple[OutboxRow, ...]:
    """Give what waits for the steward and has been tried."""
    found = await engine.parts.records.outbox(states=WAITING)
    return tuple(row for row in found if row.group_id == f"ilink:{CHANG}" and row.receipt is not None)


async def test_what_waits_for_a_steward_goes_as_soon_as_he_writes_and_several_words_go_as_one(
    tmp_path: Path, end: ILinkEnd, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with started(tmp_path, end, monkeypatch) as engine:
        end.says(CHANG, "帮助")
        await until(lambda: len(end.texts(CHANG)) == 1)
        await ask(engine, "第一件")
        await until(lambda: len(end.texts(CHANG)) == 2)
        await ask(engine, "第二件", "第三件", "第四件")
        await until_held(engine, 3)
        waiting = await held(engine)
        before = len(end.texts(CHANG))

        end.says(CHANG, "完成 1")
        await until(lambda: "第四件" in "".join(end.texts(CHANG)))

        tickets = await engine.parts.records.tickets(group_id=GROUP)

    assert before == 2
    assert "【一车间】" in end.texts(CHANG)[1]
    assert "回复任意一句话" in end.texts(CHANG)[1]
    assert {getattr(row.receipt, "why", "")[:11] for row in waiting} == {"the answers"}
    assert [one.text for one in tickets] == ["第二件", "第三件", "第四件"]
    assert len(end.texts(CHANG)) <= before + 2


async def test_a_restart_forgets_nothing_that_waits(
    tmp_path: Path, end: ILinkEnd, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with started(tmp_path, end, monkeypatch) as engine:
        end.says(CHANG, "帮助")
        await until(lambda: len(end.texts(CHANG)) == 1)
        await ask(engine, "第一件")
        await until(lambda: len(end.texts(CHANG)) == 2)
        await ask(engine, "第二件")
        await until_held(engine, 1)
    async with started(tmp_path, end, monkeypatch) as engine:
        said = len(end.texts(CHANG))
        end.says(CHANG, "在")
        await until(lambda: "第二件" in "".join(end.texts(CHANG)))

    assert said == 2


async def until_held(engine: Engine, number: int) -> None:
    """Wait until so many words wait for the steward."""
    async with asyncio.timeout(20):
        while len(await held(engine)) < number:  # noqa: ASYNC110 - what is waited for is a state of the record
            await asyncio.sleep(0.05)
