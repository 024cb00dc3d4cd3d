"""`groupops advise`: reads what was handed in, prints the advice, and writes it where it is asked to."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console

from groupops.advise.findings import Advice
from groupops.advise.handed_in import Asking
from groupops.advise.inbox import EVERY_S, Inbox, Taken, watch, written
from groupops.advise.members import members_of, read_members
from groupops.advise.session import Wanted, advise, require_bound, say
from groupops.advise.show import as_json, as_text
from groupops.clock import SystemClock
from groupops.config import Start
from groupops.errors import ConfigError
from groupops.importers.transcripts.values import Party
from groupops.operations import read_start
from groupops.people import AccountId, GroupId
from groupops.plugin import texts_of
from groupops.rehearsal.view import moment


def run_advise(  # noqa: PLR0913 - one value for each option of the command
    files: Sequence[Path],
    group_id: GroupId,
    *,
    members: str = "",
    out: Path | None = None,
    watched: Path | None = None,
    word: str = "",
    by: str = "",
    chat: str = "",
    day: str = "",
    lenient: bool = False,
    json: bool = False,
    console: Console | None = None,
) -> int:
    """Advise on a group: `groupops advise`.

    Args:
        files: transcripts.
        group_id: the group.
        members: file of a member list; `-` reads what is pasted.
        out: folder to write the page, the JSON and the notices to.
        watched: folder to watch instead.
        word: a steward's word, e.g. `批准 12`, instead.
        by: whose word.
        chat: which talk of a file that holds several.
        day: the (last) day of times that have none.
        lenient: True skips rows that cannot be read.
        json: True prints JSON.
        console: where to print; the standard output if not given.

    Returns:
        The exit code: 0, or 1 when a plugin failed on the way.

    Raises:
        ConfigError, ImportFailed: an option or a file is wrong; nothing was changed.
    """
    start, shown = read_start(), console or Console(emoji=False)
    last_day = moment(day, ZoneInfo(start.config.timezone), "--day")
    asking = Asking(chat=chat, day=last_day.date() if last_day else None, lenient=lenient)
    if watched is not None:
        return _watch(start, group_id, watched, asking, shown)
    if word:
        return _say(start, group_id, AccountId(by), word, shown)
    if not files and not members:
        raise ConfigError(
            "nothing was handed in: name a transcript, a member list (--members) or a folder (--watch)"
        )
    wanted = Wanted(group_id=group_id, files=files, members=_members(members), asking=asking)
    advice = asyncio.run(advise(start, wanted))
    _print(shown, as_json(advice) if json else as_text(advice))
    if out is not None:
        written(advice, out)
        if not json:
            _print(shown, texts_of("groupops.advise")("written", folder=out))
    return 1 if advice.failures else 0


def _members(told: str) -> tuple[Party, ...] | None:
    if not told:
        return None
    return members_of(sys.stdin.read(), "-") if told == "-" else read_members(Path(told))


def _print(console: Console, text: str) -> None:
    console.print(
        text.rstrip("\n"), markup=False, highlight=False, emoji=False, soft_wrap=not console.is_terminal
    )


def _say(start: Start, group_id: GroupId, by: AccountId, word: str, console: Console) -> int:
    if ":" not in by:
        raise ConfigError(f"--by {by!r} names no account; write <platform>:<account>, e.g. wechat:wxid_1")
    said = asyncio.run(say(start, group_id, by, word))
    _print(console, said.answer)
    for notice in said.notices:
        _print(console, f"→ {notice.to}: {notice.text}" if notice.to else f"→ {notice.text}")
    return 0 if said.answer else 1


def _watch(start: Start, group_id: GroupId, folder: Path, asking: Asking, console: Console) -> int:
    texts = texts_of("groupops.advise")

    async def read(path: Path, is_list: bool) -> Advice:
        if is_list:
            wanted = Wanted(group_id=group_id, members=read_members(path), asking=asking)
        else:
            wanted = Wanted(group_id=group_id, files=(path,), asking=asking)
        return await advise(start, wanted)

    def told(taken: Taken) -> None:
        if taken.later:
            line = texts("watch.later", why=taken.later)
        elif taken.advice is None:
            line = texts("watch.failed", name=taken.name, why=taken.why)
        else:
            advice = taken.advice
            found, closed = len(advice.findings), len(advice.closed)
            line = texts("watch.done", name=taken.name, findings=found, closed=closed)
        _print(console, line)

    asyncio.run(require_bound(start, group_id))
    _print(console, texts("watch.begin", folder=folder, seconds=f"{EVERY_S:g}"))
    with suppress(KeyboardInterrupt):
        asyncio.run(watch(Inbox(folder, read, SystemClock()), told))
    return 0
