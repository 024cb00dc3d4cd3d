"""One automaton for all groups: shared where groups are alike, built beside the loop, swapped whole."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path

import pytest

from groupops import GroupId, Offence
from groupops.testing import rig
from groupops_moderation.settings import Moderation
from groupops_moderation.view import View
from groupops_moderation.workshop import AT_ONCE, GATHER_S, Workshop
from tests.plugins.moderation_plugin.desk import asked, message
from tests.plugins.moderation_plugin.stories import ONLY, cases, pack


def with_words(*words: str) -> Moderation:
    return Moderation(use=("insult",), operator_words={"insult": words})


def hits(own: Workshop, view: View, text: str) -> set[str]:
    return {hit.term for hit in own.find(view, text)}


async def test_groups_whose_settings_are_equal_share_what_was_compiled() -> None:
    own = Workshop()
    assert own.view(with_words("某外号")) is own.view(with_words("某外号"))
    assert own.view(with_words("某外号")) is not own.view(with_words("另一外号"))
    await own.close()


async def test_a_group_sees_its_words_before_and_after_the_automaton_is_built() -> None:
    own = Workshop()
    one, other = own.view(with_words("某外号")), own.view(with_words("另一外号"))
    for _ in range(2):
        assert hits(own, one, "某外号和另一外号") == {"某外号"}
        assert hits(own, other, "某外号和另一外号") == {"另一外号"}
        await own.ready(one)
        await own.ready(other)
    assert one.interim is None
    await own.close()


async def test_a_word_is_found_once_while_two_automata_know_it() -> None:
    own = Workshop()
    await own.ready(own.view(Moderation(use=("insult",))))
    view = own.view(with_words("某外号"))
    assert [hit.term for hit in own.find(view, "操你妈")] == ["操你妈"]
    await own.close()


async def test_changes_are_gathered_into_one_build() -> None:
    own = Workshop()
    views = [own.view(with_words(f"外号{number:03}")) for number in range(50)]
    await own.ready(views[-1])
    assert all(not own.must_wait(view) and view.serial <= 50 for view in views)
    assert hits(own, views[7], "外号007") == {"外号007"}
    await own.close()


async def test_the_build_comes_by_itself_when_nobody_posts() -> None:
    own = Workshop()
    view = own.view(with_words("某外号"))
    await asyncio.sleep(2 * GATHER_S)
    building = own._building
    if building is not None:
        await building
    assert view.serial <= own._build.serial
    assert hits(own, view, "某外号") == {"某外号"}
    await own.close()


async def test_what_no_group_wants_any_more_is_let_go() -> None:
    own = Workshop()
    gone = own.view(with_words("某外号"))
    await own.ready(gone)
    del gone
    gc.collect()
    view = own.view(with_words("另一外号"))
    await own.ready(view)
    assert len(own._build.lists) == 2
    await own.close()


async def test_a_stop_in_the_middle_of_a_build_leaves_nothing_running() -> None:
    own = Workshop()
    own.view(with_words("某外号"))
    own._start()
    await own.close()
    assert own._building is None


async def test_a_long_list_is_waited_for_and_then_acts(tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    lines = "\n".join(f"敏感词{number:05}" for number in range(10_000))
    words.write_text(f"[insult]\n{lines}\n", encoding="utf-8")
    async with rig(pack=pack(f'operator_list_files = ["{words}"]', '"insult"'), plugins=ONLY) as r:
        await r.say("g1", "wang", "敏感词09999")
        (case,) = await cases(r)
        assert case.rule == "moderation.insult"


async def test_a_list_is_too_long_for_the_spot_only_beyond_the_limit() -> None:
    own = Workshop()
    short = own.view(Moderation(use=("insult",)))
    long = own.view(with_words(*(f"外号{number:05}" for number in range(AT_ONCE))))
    assert not own.must_wait(short)
    assert own.must_wait(long)
    await own.ready(long)
    assert not own.must_wait(long)
    await own.close()


async def test_a_change_of_words_counts_for_the_very_next_message() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        group = GroupId("sandbox:g1")
        key = "moderation.operator_words"
        await r.say("g1", "wang", "某外号")
        await r.engine.set(group, key, {"insult": ["某外号"]}, author="test")
        await r.say("g1", "wang", "某外号")
        await r.engine.set(group, key, {}, author="test")
        await r.say("g1", "li", "某外号")

        assert [case.account for case in await cases(r)] == ["sandbox:wang"]


@pytest.mark.parametrize("text", ["", "好的", "明天上午 9:30 开会,请带上季度报表。", "👍👍", "OK 收到"])
async def test_harmless_talk_is_silent(text: str) -> None:
    own = Workshop()
    settings = Moderation(use=("insult", "porn", "gambling", "malware_link", "pii", "confidential", "rumor"))
    view = own.view(settings)
    assert asked(text, settings, view, own) is None
    await own.close()


async def test_what_was_said_is_remembered_within_bounds() -> None:
    own = Workshop()
    for _ in range(12_000):
        own.recent.note(message("嗯"))
    kept = len(own.recent._messages) + len(own.recent._messages_before)
    assert kept <= 10_000
    own.hints.clear()
    for number in range(1_500):
        own.hint(f"e{number}", object())  # type: ignore[arg-type] # only counted
    assert len(own.hints) == 1_000


async def test_an_offence_is_named_by_its_rule_and_counts_on_its_ladder() -> None:
    own = Workshop()
    settings = Moderation(use=("insult",), ladders={"default": "soft", "insult": "warn"})
    said = asked("操你妈", settings, own.view(settings), own)
    assert isinstance(said, Offence)
    assert (said.rule, said.ladder, said.auto) == ("moderation.insult", "warn", "remind")
    await own.close()


async def test_a_file_lies_in_the_automaton_once_and_only_for_those_who_name_it(tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("[insult]\n某外号\n", encoding="utf-8")
    listed = {"use": ("insult",), "operator_list_files": (str(words),), "grievance_words": ()}
    own = Workshop()
    one = own.view(Moderation.model_validate({**listed, "operator_words": {"insult": ["甲词"]}}))
    two = own.view(Moderation.model_validate({**listed, "operator_words": {"insult": ["乙词"]}}))
    without = own.view(Moderation(use=("insult",), grievance_words=()))
    for view in (one, two, without):
        await own.ready(view)

    assert len(own._build.lists) == 3
    settings = Moderation(use=("insult",))
    assert asked("某外号", settings, one, own) is not None
    assert asked("某外号", settings, two, own) is not None
    assert asked("某外号", settings, without, own) is None
    await own.close()
