"""The engine put together: groups come and go, what others changed is taken up, and time is heard."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from groupops import ConfigError, Event, GroupId, MessagePosted, Stage
from groupops.engine import Engine
from groupops.records import CaseStatus
from groupops.shelf import parse_pack
from groupops.testing import Rig, rig
from tests.support.stories import PACK, asked, done, plugin, rude

G1, G2 = GroupId("sandbox:g1"), GroupId("sandbox:g2")


def desk(**more: Any) -> Any:
    return rig(pack=PACK, plugins=(), extra={"rude": plugin(judge=rude())}, **more)


async def another(r: Rig) -> Engine:
    """Give a second engine on the same record, as an operator's command opens it."""
    engine = Engine.build(r.engine.parts)
    await engine.start()
    return engine


async def new_room(r: Rig, group: str = "g2") -> None:
    r.sandbox.group(group)
    r.sandbox.member(group, "wang")


async def test_a_group_nobody_bound_is_left_alone() -> None:
    async with desk() as r:
        await new_room(r)
        await r.say("g2", "wang", "坏")

        assert asked(r) == []
        assert await r.records.cases() == ()


async def test_a_group_nobody_bound_is_bound_by_the_operator_s_defaults_and_its_first_word_is_judged() -> (
    None
):
    async with desk() as r:
        r.engine = Engine.build(
            replace(r.engine.parts, default_packs=("story",), default_stage=Stage.WARN_ONLY)
        )
        await r.engine.start()
        await new_room(r)

        await r.say("g2", "wang", "坏")

        [case] = await r.records.cases()
        assert (case.group_id, case.stage) == (G2, Stage.WARN_ONLY)


async def test_a_group_that_was_unbound_is_left_alone_and_its_cases_stay() -> None:
    async with desk() as r:
        await r.say("g1", "wang", "坏")
        await r.engine.unbind_group(G1)
        await r.say("g1", "li", "坏")

        assert len(await r.records.cases()) == 1
        assert [line.what for line in await r.records.audit(what="group unbound")] == ["group unbound"]


async def test_a_group_is_not_bound_to_a_pack_that_is_not_there() -> None:
    async with desk() as r:
        with pytest.raises(ConfigError, match="nowhere"):
            await r.engine.bind_group(G2, packs=["nowhere"])

        assert await r.records.group(G2) is None


async def test_a_value_that_does_not_hold_is_refused_and_the_former_stays_in_force() -> None:
    async with desk() as r:
        with pytest.raises(ConfigError, match="human_from"):
            await r.engine.set(G1, "ladder.soft.human_from", 2, author="hr")

        assert len(await r.engine.history(G1)) == 1
        assert (await r.say("g1", "wang", "坏")).booked.case.status is CaseStatus.EFFECTIVE


async def test_a_policy_of_a_group_nobody_bound_cannot_be_changed() -> None:
    async with desk() as r:
        with pytest.raises(ConfigError, match="is not bound; bind it with: groupops group bind sandbox:g2"):
            await r.engine.set(G2, "discipline.burst_s", 1, author="hr")


async def test_what_an_operator_s_command_changed_is_taken_up_by_the_engine_that_runs() -> None:
    async with desk() as r:
        other = await another(r)
        await other.set(G1, "ladder.soft.human_from", 0, author="hr")
        await other.bind_group(G2, packs=["story"], stage=Stage.ENFORCED)
        await new_room(r)

        assert await r.engine.refresh() == 2
        assert await r.engine.refresh() == 0

        for group in ("g1", "g2"):
            await r.say(group, "wang", "坏")
        assert [case.status for case in await r.records.cases()] == [
            CaseStatus.PROPOSED,
            CaseStatus.EFFECTIVE,
        ]


async def test_a_group_another_process_unbound_is_forgotten() -> None:
    async with desk() as r:
        await (await another(r)).unbind_group(G1)

        await r.engine.refresh()

        await r.say("g1", "wang", "坏")
        assert await r.records.cases() == ()


async def test_a_steward_another_process_seated_may_decide_after_a_look() -> None:
    async with desk(stewards=()) as r:
        await (await another(r)).steward("sandbox:li", G1)  # type: ignore[arg-type]
        assert not r.engine.people.decides(G1, "sandbox:li")  # type: ignore[arg-type]

        await r.engine.refresh()

        assert r.engine.people.decides(G1, "sandbox:li")  # type: ignore[arg-type]


async def test_what_is_past_its_term_is_forgotten_at_night() -> None:
    async with desk() as r:
        await r.engine.set(G1, "retention.excerpt_days", 1, author="hr")
        await r.say("g1", "wang", "坏")

        await r.advance(timedelta(days=2))

        assert (await r.records.cases())[0].excerpt == ""
        assert len(await r.records.audit(what="purged")) >= 1


async def test_a_plugin_hears_of_what_was_done_and_its_failing_harms_nobody() -> None:
    def performed(action: Any, receipt: Any) -> None:
        raise RuntimeError(receipt.kind)

    extra = {"rude": plugin(judge=rude(mute_minutes=5), performed=performed)}
    async with rig(pack=PACK, plugins=(), extra=extra) as r:
        await r.say("g1", "wang", "坏")

        assert [action.kind for action in done(r)] == ["reply", "mute"]
        [fault] = r.engine.parts.hooks.faults
        assert (fault.hook, fault.times, fault.last) == ("performed", 2, "RuntimeError: done")


async def test_a_fact_that_could_not_be_handled_may_come_again() -> None:
    async with desk() as r:
        said = r.sandbox.say("g1", "wang", "坏")
        book = r.engine.casebook.records.book

        async def broken(*_: Any, **more: Any) -> None:
            raise ValueError("a bug")

        r.engine.casebook.records.book = broken  # type: ignore[method-assign]
        with pytest.raises(ValueError, match="a bug"):
            await r.engine.flow.handle(said)
        r.engine.casebook.records.book = book  # type: ignore[method-assign]

        await r.tell(said)

        assert len(await r.records.cases()) == 1


async def test_a_message_without_a_stable_sender_is_noted_and_nobody_is_sanctioned() -> None:
    async with desk() as r:
        said = r.sandbox.say("g1", "wang", "坏")
        assert isinstance(said, MessagePosted)
        r.sandbox.take()

        await r.tell(replace(said, id="x", account=""))  # type: ignore[arg-type]

        assert await r.records.cases() == ()
        assert len(await r.records.audit(what="no stable sender")) == 1


async def test_each_pack_s_plugin_hears_only_the_groups_that_bind_it() -> None:
    heard: list[str] = []

    def judge(event: Event) -> None:
        heard.append(event.group_id)

    bare = parse_pack('[pack]\nid = "bare"\ntitle = "空"\n', path="bare")
    extra = {"rude": plugin(judge=judge)}
    async with rig(pack=PACK, packs=[bare], plugins=(), extra=extra, groups=("g1", "g2")) as r:
        await r.engine.packs(G2, ["bare"], author="hr")

        for group in ("g1", "g2"):
            await r.say(group, "wang", "早")

        assert heard == [G1]
