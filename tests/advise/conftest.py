"""A group on a database of its own, in a folder of the test, with a plugin that objects to a few plain words."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import pytest_asyncio

from groupops import (
    AccountId,
    DeleteMessage,
    Evidence,
    GroupId,
    Manifest,
    MessagePosted,
    Offence,
    OpenObligation,
    PersonLine,
    Reply,
    Rule,
    SettleObligation,
    hookimpl,
)
from groupops.advise import Advice, Wanted, advise
from groupops.advise.handed_in import Asking
from groupops.advise.members import members_of
from groupops.advise.session import Said, say
from groupops.clock import StoppedClock
from groupops.config import Start
from groupops.engine import Engine
from groupops.operations import assemble, opened, read_start
from groupops.people import Stage

GROUP = GroupId("wechat:g1")
NOW = datetime(2025, 3, 17, 2, 0, tzinfo=UTC)
"""Monday 17 March 2025, 10:00 in Shanghai: when a week is handed in."""

PACK = """
[pack]
id = "plain"
title = "朴素群规"
[plugins]
enabled = ["rude"]
[clause."rude.word"]
ref = "规一"
text = "说话要文明。"
[clause."rude.night"]
ref = "规二"
text = "夜里请休息。"
[clause."rude.flood"]
ref = "规三"
text = "不要刷屏。"
"""


def rude(event: Any) -> Offence | None:
    """Object to 坏 with a strike, to 夜 with a word, and to 刷 as to something that was measured."""
    if not isinstance(event, MessagePosted):
        return None
    if "坏" in event.text:
        take = DeleteMessage(group_id=event.group_id, message_id=event.message_id, account=event.account)
        seen = Evidence(what="word", quote="坏")
        return Offence(
            rule="rude.word", reason="用语不当", ladder="soft", auto="mute", contain=(take,), evidence=(seen,)
        )
    if "夜" in event.text:
        word = Reply(
            group_id=event.group_id, message_id=event.message_id, text="夜深了", account=event.account
        )
        return Offence(rule="rude.night", reason="夜里发言", auto="remind", contain=(word,))
    if "刷" in event.text:
        seen = Evidence(what="window", detail="5/60s")
        return Offence(rule="rude.flood", reason="刷屏", ladder="soft", auto="remind", evidence=(seen,))
    return None


def owe(event: Any) -> list[Any]:
    """Let whoever says 欠 owe an answer for an hour, and 还 give it."""
    if not isinstance(event, MessagePosted):
        return []
    key = f"rude/{event.group_id}/{event.account}"
    if "欠" in event.text:
        return [
            OpenObligation(
                group_id=event.group_id,
                account=event.account,
                obligation_kind="rude.answer",
                title="答复",
                key=key,
                minutes=60,
            )
        ]
    return [SettleObligation(group_id=event.group_id, key=key)] if "还" in event.text else []


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    made = ModuleType("groupops_rude")
    made.__spec__ = ModuleSpec("groupops_rude", None)
    made.manifest = Manifest(  # type: ignore[attr-defined]
        title="测试",
        hears=frozenset({"message_posted"}),
        rules=tuple(Rule(id=f"rude.{one}", title="测试") for one in ("word", "night", "flood")),
    )
    rude.__name__ = "judge"
    made.judge = hookimpl(rude)  # type: ignore[attr-defined]
    owe.__name__ = "react"
    made.react = hookimpl(owe)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "groupops_rude", made)
    return made


@dataclass
class Office:
    """Where somebody sits who looks after a group without a bot."""

    folder: Path
    start: Start
    clock: StoppedClock = field(default_factory=lambda: StoppedClock(NOW))

    def write(self, name: str, text: str) -> Path:
        """Write a file that is to be handed in."""
        path = self.folder / name
        path.write_text(text, "utf-8")
        return path

    async def bind(self, pack: str, stage: Stage = Stage.ENFORCED) -> None:
        """Bind the group, with two stewards."""
        async with opened(assemble(self.start, clock=self.clock)) as engine:
            await engine.bind_group(GROUP, packs=[pack], stage=stage, name="一号群")
            await engine.steward(AccountId("wechat:boss"))
            await engine.steward(AccountId("wechat:boss2"))

    async def enrol(self, names: Sequence[str], *, left: Sequence[str] = ()) -> None:
        """Put persons on the register, without accounts."""
        lines = [PersonLine(name=name) for name in names]
        lines += [PersonLine(name=name, active=False) for name in left]
        async with opened(assemble(self.start, clock=self.clock)) as engine:
            await engine.people.enrol(lines, by="hr")

    async def look(self, see: Callable[[Engine], Any]) -> Any:
        """Look into the record."""
        async with opened(assemble(self.start, clock=self.clock)) as engine:
            return await see(engine)

    async def hand_in(self, *files: Path, members: str = "", chat: str = "") -> Advice:
        """Hand in transcripts, and a member list that was pasted."""
        listed = members_of(members, "-") if members else None
        wanted = Wanted(group_id=GROUP, files=files, members=listed, asking=Asking(chat=chat))
        return await advise(self.start, wanted, clock=self.clock)

    async def say(self, words: str, by: str = "wechat:boss") -> Said:
        """Have a steward say something."""
        return await say(self.start, GROUP, AccountId(by), words, clock=self.clock)


@pytest_asyncio.fixture
async def office(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plugin: ModuleType
) -> AsyncIterator[Office]:
    (tmp_path / "packs").mkdir()
    (tmp_path / "packs" / "plain.toml").write_text(PACK, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GROUPOPS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("GROUPOPS_PACKS_DIR", str(tmp_path / "packs"))
    monkeypatch.setenv("GROUPOPS_EXTRA_PLUGINS", '["groupops_rude"]')
    monkeypatch.setenv("GROUPOPS_ADAPTERS", "[]")
    made = Office(tmp_path, read_start(tmp_path))
    await made.bind("plain")
    yield made


def later(office: Office, **span: int) -> None:
    """Let real time pass."""
    office.clock.advance(timedelta(**span))
