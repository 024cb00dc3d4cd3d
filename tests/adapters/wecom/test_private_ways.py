"""What no capability of a group tells can be done all the same where the app writes to one person."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import pytest

from groupops import AccountId, Action, Capability, DeleteMessage, DirectMessage, Done, GroupId, SendFile
from groupops.records import OutboxRow, OutboxState
from groupops.testing import Rig, rig
from tests.support.wecom_rig import MEMBER, ROOM, Modes, Served, serving

GROUP = GroupId(f"wecom:{ROOM}")
LI = AccountId(f"wecom:{MEMBER}")
APP_ALONE = Modes(app=True, sides=frozenset({"archive"}))
TABLE = SendFile(
    group_id=GROUP, name="九月.txt", data="共 12 个红包".encode(), text="九月的对账单", account=LI
)
numbers = count(1)


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[tuple[Rig, Served]]:
    """An engine that looks after a group which the app alone reaches."""
    async with rig(groups=(), plugins=[]) as r, serving(APP_ALONE, tmp_path) as served:
        r.engine.parts.platforms["wecom"] = served.platform
        await r.engine.bind_group(GROUP, packs=[])
        yield r, served


async def done(r: Rig, action: Action) -> OutboxRow:
    """Have the engine carry something out; gives what became of it."""
    outbox = r.engine.outbox
    [row] = await r.records.enqueue(outbox.rows(f"asked{next(numbers)}", "notice", (action,), plugin="core"))
    await outbox.send((row,))
    found = await r.records.outbox(limit=1000)
    return next(one for one in found if one.id == row.id)


async def test_a_file_for_one_person_goes_by_the_app_although_the_group_takes_no_files(
    engine: tuple[Rig, Served],
) -> None:
    r, served = engine
    assert Capability.SEND_FILE not in served.platform.can(GROUP)

    row = await done(r, TABLE)

    inbox = served.far.world.people[MEMBER].inbox
    assert row.state is OutboxState.DONE
    assert [one.kind for one in inbox] == ["text", "file"]


async def test_a_file_for_the_group_is_refused_there_as_before(engine: tuple[Rig, Served]) -> None:
    r, served = engine

    row = await done(r, SendFile(group_id=GROUP, name="九月.txt", data="共 12 个".encode()))

    assert row.state is OutboxState.FAILED
    assert served.far.world.people[MEMBER].inbox == []


async def test_the_app_takes_back_its_own_message_and_nobody_else_s(engine: tuple[Rig, Served]) -> None:
    r, served = engine
    letter = await done(r, DirectMessage(group_id=GROUP, account=LI, text="发错了"))
    assert isinstance(letter.receipt, Done)

    mine = await done(r, DeleteMessage(group_id=GROUP, message_id=letter.receipt.ref))
    theirs = await done(r, DeleteMessage(group_id=GROUP, message_id="MSG-of-somebody", account=LI))

    assert (mine.state, theirs.state) == (OutboxState.DONE, OutboxState.FAILED)
    assert served.far.world.people[MEMBER].inbox[-1].recalled
