"""Chats of WeCom's products become one group when their ids are equal or a human says so, and stay it over a restart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupops.store.sql import open_records
from groupops_wecom.models import Rows
from groupops_wecom.rooms import KINDS, Rooms, Side

NOW = datetime(2025, 3, 3, tzinfo=UTC)

AIBOT = Side(kind="aibot", native="wrA", keeper="aib1")
ARCHIVE = Side(kind="archive", native="wrB", keeper="ww1")
ROBOT = Side(kind="robot", native="值班")


def met(*sides: Side) -> Rooms:
    rooms = Rooms()
    for side in sides:
        rooms.meet(side)
    return rooms


def test_chats_with_one_id_are_one_group_from_the_start() -> None:
    rooms = met(AIBOT, Side(kind="archive", native="wrA", keeper="ww1"))

    assert [side.kind for side in rooms.sides("wrA")] == ["aibot", "archive"]


def test_chats_with_other_ids_are_other_groups_until_they_are_linked() -> None:
    rooms = met(AIBOT, ARCHIVE, ROBOT)

    rooms.link("wrA", "wrB", "hejing")
    rooms.link("wrA", "robot-值班")

    assert [side.kind for side in rooms.sides("wrA")] == ["aibot", "archive", "robot"]
    assert rooms.room_of("wrB") == rooms.room_of("robot-值班") == "wrA"
    assert list(rooms) == ["wrA"]


def test_what_was_linked_is_parted_again() -> None:
    rooms = met(AIBOT, ARCHIVE)
    rooms.link("wrA", "wrB")

    rooms.part("wrB")

    assert rooms.room_of("wrB") == "wrB"
    assert rooms.sides("wrA") == (AIBOT,)


def test_linking_what_is_linked_or_unknown_changes_nothing() -> None:
    rooms = met(AIBOT, ARCHIVE)
    rooms.link("wrA", "wrB")

    assert rooms.link("wrA", "wrB") == ()
    assert rooms.link("wrA", "wrUNKNOWN") == ()
    assert rooms.part("wrA") == ()


def test_a_chat_is_kept_once_and_again_when_it_has_a_name() -> None:
    rooms = met(AIBOT)

    known = rooms.meet(AIBOT)
    named = rooms.meet(Side(kind="aibot", native="wrA", keeper="aib1", name="值班群"))

    assert known is None
    assert named is not None
    assert rooms.sides("wrA")[0].name == "值班群"


def test_an_id_that_is_none_is_no_chat() -> None:
    assert met(Side(kind="aibot", native=""), Side(kind="aibot", native="x" * 256)).placed() == ()


@given(st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from("abc"), st.sampled_from("abc"))))
def test_however_chats_are_linked_each_belongs_to_exactly_one_group(
    steps: list[tuple[str, str, str]],
) -> None:
    rooms = met(*(Side(kind=kind, native=native) for kind in KINDS for native in "abc"))

    for _, into, other in steps:
        rooms.link(into, other)

    members = [side.key for room in rooms for side in rooms.sides(room)]
    assert len(members) == len(set(members)) == len(rooms.placed())
    assert all(rooms.room_of(placed.side.id) == placed.room for placed in rooms.placed())


@pytest.fixture
async def rows() -> AsyncIterator[Rows]:
    """The table in a database of its own."""
    async with open_records("sqlite://:memory:", apps={"wecom": "groupops_wecom.models"}) as tables:
        with tables.context:
            yield Rows()


async def test_groups_are_what_they_were_after_a_restart(rows: Rows) -> None:
    rooms = Rooms()
    for side in (AIBOT, ARCHIVE):
        placed = rooms.meet(side)
        assert placed is not None
        await rows.put(placed, NOW)
    for placed in rooms.link("wrA", "wrB", "hejing"):
        await rows.put(placed, NOW)

    again = Rooms()
    again.replace(await rows.load())
    await rows.drop(ARCHIVE)

    assert again.room_of("wrB") == "wrA"
    assert [placed.by for placed in again.placed()] == ["", "hejing"]
    assert [placed.side for placed in await rows.load()] == [AIBOT]
