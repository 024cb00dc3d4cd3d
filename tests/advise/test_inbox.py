"""A folder is watched: a file is read once it is there entirely, and what cannot be read is put aside with the reason."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from groupops.advise import Advice
from groupops.advise.inbox import Inbox, Taken, watch
from groupops.clock import StoppedClock
from groupops.errors import ImportFailed, StoreError

AT = datetime(2025, 3, 17, 2, 0, tzinfo=UTC)


class Desk:
    """Reads whatever is good, and remembers what it was given."""

    def __init__(self) -> None:
        self.read: list[tuple[str, bool]] = []
        self.away = False

    async def __call__(self, path: Path, is_list: bool) -> Advice:
        if self.away:
            raise StoreError("the database is away")
        if "bad" in path.read_text("utf-8"):  # noqa: ASYNC240 - a few bytes
            raise ImportFailed(path.name, ["line 1: it is no transcript"])
        self.read.append((path.name, is_list))
        return Advice(
            group="wechat:g1", group_name="一号群", titles=(), timezone="UTC", stage="enforced", made_at=AT
        )


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def inbox(tmp_path: Path, desk: Desk) -> Inbox:
    made = Inbox(tmp_path / "in", desk, StoppedClock(AT))
    made.ready()
    return made


async def test_a_file_that_still_grows_is_left_alone(inbox: Inbox, desk: Desk) -> None:
    file = inbox.folder / "week.txt"
    file.write_text("one", "utf-8")
    await inbox.look()
    file.write_text("one and more", "utf-8")

    grown = await inbox.look()
    still = await inbox.look()

    assert (grown, [taken.name for taken in still]) == ([], ["week.txt"])
    assert desk.read == [("week.txt", False)]


async def test_a_file_that_was_read_lies_in_done_and_its_advice_beside_it(inbox: Inbox) -> None:
    (inbox.folder / "week.txt").write_text("one", "utf-8")
    await inbox.look()
    await inbox.look()

    assert [path.name for path in (inbox.folder / "done").iterdir()] == ["week.txt"]
    assert sorted(path.name for path in (inbox.folder / "advice").iterdir()) == [
        "20250317T020000Z_week.html",
        "20250317T020000Z_week.json",
    ]


async def test_a_file_that_cannot_be_read_lies_in_failed_with_the_reason(inbox: Inbox) -> None:
    (inbox.folder / "week.txt").write_text("bad", "utf-8")
    await inbox.look()
    (taken,) = await inbox.look()

    assert taken.advice is None
    assert (inbox.folder / "failed" / "week.txt").read_text("utf-8") == "bad"
    assert "line 1: it is no transcript" in (inbox.folder / "failed" / "week.txt.txt").read_text("utf-8")


async def test_two_files_of_one_name_both_stay(inbox: Inbox) -> None:
    for _ in range(2):
        (inbox.folder / "week.txt").write_text("one", "utf-8")
        await inbox.look()
        await inbox.look()

    assert sorted(path.name for path in (inbox.folder / "done").iterdir()) == ["week-2.txt", "week.txt"]


async def test_while_the_database_is_away_a_file_stays_where_it_is(inbox: Inbox, desk: Desk) -> None:
    (inbox.folder / "week.txt").write_text("one", "utf-8")
    await inbox.look()
    desk.away = True
    with pytest.raises(StoreError):
        await inbox.look()
    desk.away = False

    assert [taken.name for taken in await inbox.look()] == ["week.txt"]


async def test_hidden_and_half_written_files_and_links_are_none(inbox: Inbox, tmp_path: Path) -> None:
    for name in (".hidden", "~lock", "week.txt.part", "a.crdownload"):
        (inbox.folder / name).write_text("one", "utf-8")
    (tmp_path / "secret").write_text("one", "utf-8")
    (inbox.folder / "link.txt").symlink_to(tmp_path / "secret")
    await inbox.look()

    assert await inbox.look() == []


async def test_a_file_named_so_is_a_member_list(inbox: Inbox, desk: Desk) -> None:
    for name in ("成员0317.txt", "Members.csv", "week.txt"):
        (inbox.folder / name).write_text("one", "utf-8")
    told: list[Taken] = []

    await watch(inbox, told.append, every=0, rounds=2)

    assert sorted(desk.read) == [("Members.csv", True), ("week.txt", False), ("成员0317.txt", True)]
    assert len(told) == 3
