"""The one door to plugins: who breaks the contract is told in a sentence, and who fails loses its own answer only."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from types import ModuleType
from typing import Any, Never

import pytest

from groupops import (
    Command,
    Evidence,
    Mute,
    Offence,
    OpenObligation,
    Pardon,
    PluginError,
    SendText,
    Settings,
    Severity,
    hookimpl,
)
from groupops.hooks import Answer, Hooks
from groupops.testing import rig
from tests.support.stories import PACK, done, plugin, rude


def nothing(event: Any) -> None:
    return None


def offence(**more: Any) -> Offence:
    return Offence(**{"rule": "rude.word", "reason": "用语", "severity": Severity.LOW, **more})


def offends() -> Offence:
    return offence()


# — the contract —


def broken_by(name: str, module: ModuleType) -> str:
    with pytest.raises(PluginError) as caught:
        Hooks().load(name, module)
    return str(caught.value)


def test_a_module_without_a_manifest_is_no_plugin() -> None:
    assert broken_by("bare", ModuleType("bare")) == (
        "plugin 'bare' has no `manifest`; add manifest = Manifest(title=…)"
    )


def test_settling_is_never_asynchronous() -> None:
    async def settle(event: Any, said: Any) -> None: ...

    assert "has an async `settle`; merging is pure" in broken_by("late", plugin(settle=settle))


def test_a_hook_is_answered_and_never_wrapped() -> None:
    def judge(event: Any) -> Any:
        yield

    module = plugin()
    module.judge = hookimpl(wrapper=True)(judge)

    assert "wraps the hook 'judge'; answers are merged, never wrapped" in broken_by("wrap", module)


def test_a_hook_that_does_not_exist_is_named() -> None:
    said = broken_by("odd", plugin(jugde=nothing))

    assert "plugin 'odd' answers a hook that does not exist" in said
    assert "jugde" in said


def test_a_hook_that_asks_for_what_is_not_offered_names_it() -> None:
    def judge(event: Any, database: Any) -> None: ...

    said = broken_by("greedy", plugin(judge=judge))

    assert "plugin 'greedy'" in said
    assert "database" in said


def test_a_plugin_that_was_refused_may_come_again_mended() -> None:
    hooks = Hooks()
    with pytest.raises(PluginError):
        hooks.load("odd", plugin(jugde=nothing))

    hooks.load("odd", plugin(judge=nothing))

    assert hooks.names("judge") == ("odd",)


def test_a_kind_of_event_that_does_not_exist_is_named_with_those_there_are() -> None:
    said = broken_by("deaf", plugin(hears=("message_sent",)))

    assert "hears 'message_sent', which is no kind of event" in said
    assert "message_posted" in said


def test_who_reacts_to_what_it_does_not_hear_is_told_so() -> None:
    said = broken_by("deaf", plugin(reacts=frozenset({"member_left"})))

    assert "reacts to 'member_left', which it does not hear; add it to hears" in said


@pytest.mark.parametrize("state", [{}, [], set()])
def test_a_module_that_keeps_state_is_told_where_state_belongs(state: Any) -> None:
    module = plugin()
    module.seen = state

    assert "keeps state in its module (seen); what lasts belongs in the store" in broken_by("hoard", module)


def test_two_plugins_cannot_have_one_command() -> None:
    hooks = Hooks()
    hooks.load("first", plugin(commands=(Command(word="点名", title="点名"),)))

    with pytest.raises(PluginError, match="has a command '点名' that plugin 'first' has already"):
        hooks.load("second", plugin(commands=(Command(word="签到", title="签到", aliases=("点名",)),)))


def test_the_words_of_the_core_are_the_core_s_own() -> None:
    said = broken_by("appeals", plugin(commands=(Command(word="申诉", title="申诉"),)))

    assert "has a command '申诉' that is the core's own" in said


def test_a_plugin_has_each_of_its_commands_once() -> None:
    twice = (Command(word="签到", title="签到"), Command(word="打卡", title="签到", aliases=("签到",)))

    assert "has the command '签到' twice" in broken_by("double", plugin(commands=twice))


def test_a_hook_that_wants_other_settings_than_the_manifest_has_is_told_so() -> None:
    class Mine(Settings):
        pass

    class Other(Settings):
        pass

    def judge(event: Any, settings: Any) -> None: ...

    judge.__annotations__["settings"] = Other

    assert "asks in 'judge' for settings of Other, but its manifest has Mine" in broken_by(
        "mixed", plugin(judge=judge, settings=Mine)
    )


def test_one_name_is_one_plugin() -> None:
    hooks = Hooks()
    hooks.load("rude", plugin())

    with pytest.raises(PluginError, match="is there already, from groupops_rude_for_tests"):
        hooks.load("rude", plugin())


# — isolation —


def room(*modules: tuple[str, ModuleType], timeout: float = 0.05) -> Hooks:
    hooks = Hooks(timeout=timeout)
    for name, module in modules:
        hooks.load(name, module)
    return hooks


async def ask(hooks: Hooks, hook: str = "judge") -> Any:
    bounds = [hooks.bind(hook, name, {}) for name in hooks.names(hook)]
    return await hooks.wait(hooks.ask([bound for bound in bounds if bound], "event", "group", "member"))


def raising(event: Any) -> Never:
    raise RuntimeError("broken")


async def raising_late(event: Any) -> Never:
    raise RuntimeError("broken")


async def hanging(event: Any) -> None:
    await asyncio.Event().wait()


async def deaf_to_cancelling(event: Any) -> None:
    for _ in range(40):
        try:
            await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            continue


async def cancelled_within(event: Any) -> Never:
    raise asyncio.CancelledError


RUBBISH = [
    "a string",
    42,
    object(),
    [offence()],
    offence(auto="ban"),
    offence(reason=""),
    offence(severity=3),
    offence(contain=("mute",)),
    offence(contain=[Mute(group_id="g", account="a", span=timedelta(minutes=1))]),
    offence(contain=(Mute(group_id="g", account="a", span="ten"),)),  # type: ignore[arg-type]
    offence(evidence=("坏",)),
    offence(evidence=(Evidence(what="word", quote=7),)),  # type: ignore[arg-type]
    Pardon(reason=None),  # type: ignore[arg-type]
]


@pytest.mark.parametrize("judge", [raising, raising_late, hanging, deaf_to_cancelling, cancelled_within])
async def test_who_fails_loses_its_own_answer_and_is_named(judge: Callable[[Any], Awaitable[None]]) -> None:
    hooks = room(("bad", plugin(judge=judge)), ("good", plugin(judge=offends)))

    asked = await ask(hooks)

    assert asked.answers == [Answer("good", offence())]
    assert asked.faults == ["bad"]
    assert [(fault.plugin, fault.hook, fault.times) for fault in hooks.faults] == [("bad", "judge", 1)]


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
@pytest.mark.parametrize("value", RUBBISH, ids=range(len(RUBBISH)))
async def test_rubbish_is_no_verdict_and_is_named(value: Any) -> None:
    async def late(event: Any) -> Any:
        return value

    hooks = room(
        ("late", plugin(judge=late)),
        ("now", plugin(judge=lambda: value)),
        ("good", plugin(judge=offends)),
    )

    asked = await ask(hooks)

    assert asked.answers == [Answer("good", offence())]
    assert sorted(asked.faults) == ["late", "now"]


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
@pytest.mark.parametrize(
    "value",
    [
        "text",
        SendText(group_id="g", text="hello"),
        [offence()],
        ["hello"],
        [None],
        {"kind": "send_text"},
        [SendText(group_id="g", text=3)],  # type: ignore[arg-type]
        [SendText(group_id=None, text="x")],  # type: ignore[arg-type]
    ],
    ids=repr,
)
async def test_rubbish_is_no_reaction_and_is_named(value: Any) -> None:
    hooks = room(("bad", plugin(react=lambda: value)))

    asked = await ask(hooks, "react")

    assert asked.answers == []
    assert asked.faults == ["bad"]


async def test_actions_in_a_set_come_in_one_order_everywhere() -> None:
    actions = {SendText(group_id="g", text=str(number)) for number in range(20)}
    hooks = room(("set", plugin(react=lambda: actions)))

    [answer] = (await ask(hooks, "react")).answers

    assert answer.value == tuple(sorted(actions, key=repr))


async def test_all_who_think_are_waited_for_at_once() -> None:
    async def judge(event: Any) -> Offence:
        await asyncio.sleep(0.1)
        return offence()

    hooks = room(*((f"slow{n}", plugin(judge=judge)) for n in range(20)), timeout=1.5)

    async with asyncio.timeout(1):
        assert len((await ask(hooks)).answers) == 20


async def test_whoever_waits_for_plugins_can_be_cancelled() -> None:
    waiting = asyncio.create_task(ask(room(("bad", plugin(judge=hanging)), timeout=60)))
    await asyncio.sleep(0.01)

    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_merger_that_answers_rubbish_leaves_the_merging_to_the_core() -> None:
    hooks = room(("merger", plugin(settle=lambda: "guilty")))

    assert hooks.settle("event", ()).worst is None
    assert hooks.faults[0].last == "TypeError: answered str, which means nothing here"


async def test_whoever_listens_is_told_of_each_failure() -> None:
    heard: list[tuple[str, str, str]] = []
    hooks = Hooks(on_fault=lambda *fault: heard.append(fault))
    hooks.load("bad", plugin(judge=raising))

    await ask(hooks)
    await ask(hooks)

    assert heard == [("bad", "judge", "RuntimeError: broken")] * 2
    assert hooks.faults[0].times == 2


# — in the flow —


async def test_an_errand_that_cannot_be_run_costs_its_plugin_s_answer_only() -> None:
    def owes(event: Any) -> list[Any]:
        endless = OpenObligation(
            group_id=event.group_id, account=event.account, obligation_kind="bad.x", title="x", key=event.id
        )
        return [endless]

    def thanks(event: Any) -> list[Any]:
        return [SendText(group_id=event.group_id, text="谢谢")]

    pack = PACK.replace('["rude"]', '["bad", "good"]').split("[clause")[0]
    extra = {"bad": plugin("bad", react=owes), "good": plugin("good", react=thanks)}
    async with rig(pack=pack, plugins=(), extra=extra) as r:
        outcome = await r.say("g1", "wang", "你好")

        assert outcome.faults == ("bad",)
        assert [action.text for action in done(r)] == ["谢谢"]
        assert "without a deadline" in r.engine.parts.hooks.faults[0].last


async def test_where_the_group_wants_it_a_message_nobody_could_judge_is_put_before_the_stewards() -> None:
    pack = PACK.replace("burst_s = 0", 'burst_s = 0\non_plugin_error = "hold"')
    async with rig(pack=pack, plugins=(), extra={"rude": plugin(judge=raising)}) as r:
        await r.say("g1", "wang", "你好")

        [ticket] = await r.records.tickets()
        assert "rude" in ticket.text


# — life —


async def test_lifespans_are_entered_by_name_and_left_in_reverse() -> None:
    order: list[str] = []

    def lifespan_of(name: str) -> Callable[[Any], Any]:
        @asynccontextmanager
        async def lifespan(tools: Any) -> AsyncIterator[str]:
            order.append(f"{name} in")
            yield name
            order.append(f"{name} out")

        return lifespan

    hooks = room(("b", plugin(lifespan=lifespan_of("b"))), ("a", plugin(lifespan=lifespan_of("a"))))

    await hooks.start(lambda name: name)  # type: ignore[arg-type, return-value]
    assert hooks.own("a") == "a"
    await hooks.stop()

    assert order == ["a in", "b in", "b out", "a out"]


async def test_a_plugin_that_cannot_start_is_named() -> None:
    @asynccontextmanager
    async def lifespan(tools: Any) -> AsyncIterator[None]:
        raise ValueError("no key")
        yield

    with pytest.raises(PluginError, match="plugin 'sick' could not start: no key"):
        await room(("sick", plugin(lifespan=lifespan))).start(lambda name: name)  # type: ignore[arg-type, return-value]


async def test_a_plugin_that_answers_nothing_is_not_asked() -> None:
    async with rig(pack=PACK, plugins=(), extra={"rude": plugin(judge=rude())}) as r:
        assert r.engine.parts.hooks.bind("react", "rude", {}) is None
