"""Commands are found in talk only where they are meant, read whatever spaces stand in them, and answered discreetly."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupops import AccountId, Arg, Command, CommandError, CommandGiven, Event, GroupId, SendText
from groupops.commands import core_commands, parse_args
from groupops.hooks import core_words
from groupops.store.sql import open_records
from groupops.testing import Rig, rig
from tests.support.stories import PACK, asked, done, plugin, rude, told

APPEAL = core_commands()["申诉"][1]
APPROVE = core_commands()["批准"][1]
ROLL = Command(
    word="点名", title="点名", args=(Arg(name="成员", of="member"), Arg(name="次数", of="int", optional=True))
)


def read(command: Command, text: str, *mentioned: str) -> tuple[str, ...]:
    names = {"王五": "qq:5"}
    return parse_args(command, text, tuple(map(AccountId, mentioned)), names.get)  # type: ignore[arg-type, return-value]


# — reading —


@pytest.mark.parametrize(
    ("command", "text", "args"),
    [
        (APPEAL, "12 我没有骂人", ("12", "我没有骂人")),
        (APPEAL, "12  我 没有\n骂人", ("12", "我 没有\n骂人")),
        (APPEAL, "12\u3000我没有", ("12", "我没有")),
        (APPROVE, "t7", ("T7",)),
        (APPROVE, "T7 同意", ("T7", "同意")),
        (ROLL, "王五 3", ("qq:5", "3")),
        (ROLL, "@王五", ("qq:5",)),
    ],
)
def test_arguments_are_read_by_their_form(command: Command, text: str, args: tuple[str, ...]) -> None:
    assert read(command, text) == args


def test_full_width_digits_are_digits() -> None:
    assert read(APPEAL, "12 理由") == ("12", "理由")
    assert read(APPEAL, "\uff11\uff12 理由") == ("12", "理由")


def test_a_mention_is_a_member() -> None:
    assert read(ROLL, "3", "qq:9") == ("qq:9", "3")


@pytest.mark.parametrize("text", ["", "十二 理由", "-1 理由", "1.5 理由", "12", "9999999999 理由", "١٢ 理由"])
def test_what_does_not_fit_the_form_is_answered_with_the_right_one(text: str) -> None:
    with pytest.raises(CommandError, match="申诉 <编号> <理由>"):
        read(APPEAL, text)


def test_a_member_nobody_or_several_have_the_name_of_is_asked_for_by_mention() -> None:
    with pytest.raises(CommandError, match="没有找到唯一的成员「赵六」"):
        read(ROLL, "赵六")


@given(st.sampled_from([command for _, command in core_commands().values()]), st.text(max_size=40))
def test_whatever_is_written_is_read_or_refused_with_a_sentence(command: Command, text: str) -> None:
    try:
        args = read(command, text)
    except CommandError:
        return
    assert len(args) <= len(command.args)
    for arg, value in zip(command.args, args, strict=False):
        assert arg.of != "int" or (value.isascii() and value.isdigit() and int(value) < 2**31)


def test_the_hooks_know_the_words_of_the_core() -> None:
    assert core_words() == set(core_commands())


# — finding —


def desk(**more: Any) -> Any:
    return rig(pack=PACK, plugins=(), extra={"rude": plugin(judge=rude("warn"), **more)})


@pytest.mark.parametrize(
    "text",
    [
        "申诉真难",
        "申诉 abc",
        "我要申诉 1 理由",
        "批准一下吧",
        "为什么 呀",
        "完成",
        " ",
        "\u3000",
        "/",
        "//",
        "\uff0f",
    ],
)
async def test_talk_that_only_sounds_like_a_command_gets_no_answer(text: str) -> None:
    async with desk() as r:
        await r.say("g1", "admin", text)

        assert asked(r) == []


@pytest.mark.parametrize(
    "text", ["申诉 1 误会", "/申诉 1 误会", "\uff0f申诉\u30001\u3000误会", "申诉 \uff11 误会"]
)
async def test_a_form_that_parses_and_one_that_is_addressed_are_commands(text: str) -> None:
    async with desk() as r:
        await r.say("g1", "wang", "坏")

        await r.say("g1", "wang", text)

        assert str((await r.records.cases())[0].status) == "appealed"


async def test_a_wrong_call_that_is_addressed_is_answered_with_the_right_form() -> None:
    async with desk() as r:
        await r.say("g1", "wang", "/申诉")

        assert told(r, "wang") == ["正确的写法是:申诉 <编号> <理由>"]


@pytest.mark.parametrize(("text", "answers"), [("/批准 1", 1), ("批准 1", 0)])
async def test_a_member_who_gives_a_steward_s_command_is_told_so_only_when_it_was_addressed(
    text: str, answers: int
) -> None:
    async with desk() as r:
        await r.say("g1", "wang", "坏")
        before = len(told(r, "wang"))

        await r.say("g1", "wang", text)

        assert len(told(r, "wang")) - before == answers
        assert str((await r.records.cases())[0].status) == "proposed"


async def test_a_word_nobody_knows_is_answered_privately_only() -> None:
    async with desk() as r:
        await r.say("g1", "wang", "/天气 上海")
        assert asked(r) == []

        await r.whisper("g1", "wang", "天气 上海")
        assert told(r, "wang") == ["没有「天气」这个指令,发送「帮助」可查看全部指令。"]


async def test_a_command_of_a_plugin_goes_to_that_plugin_alone() -> None:
    def react(event: Event) -> list[SendText] | None:
        return (
            [SendText(group_id=event.group_id, text=" ".join(event.args))]
            if isinstance(event, CommandGiven)
            else None
        )

    extra = {
        "first": plugin("first", react=react, hears=("command_given",), commands=(ROLL,)),
        "second": plugin("second", react=react, hears=("command_given",)),
    }
    pack = PACK.split("[clause")[0].replace('["rude"]', '["first", "second"]')
    async with rig(pack=pack, plugins=(), extra=extra) as r:
        await r.say("g1", "li", "/点名 wang 2")

        assert [action.text for action in done(r)] == ["sandbox:wang 2"]


async def test_help_shows_a_steward_more_than_a_member() -> None:
    async with desk() as r:
        await r.whisper("g1", "wang", "帮助")
        await r.whisper("g1", "admin", "帮助")

        assert "批准" not in told(r, "wang")[-1]
        assert "批准 <编号> [说明]" in told(r, "admin")[-1]
        await r.whisper("g1", "admin", "帮助 豁免")
        assert told(r, "admin")[-1].count("·") == 1


# — discretion —


async def a_case(r: Rig) -> None:
    await r.say("g1", "wang", "坏")
    await r.whisper("g1", "admin", "批准 1 属实")


async def test_one_s_record_is_told_privately_even_when_asked_for_in_the_group() -> None:
    async with desk() as r:
        await a_case(r)
        await r.say("g1", "wang", "/我的记录")

        last = done(r)[-1]
        assert last.kind == "direct_message"
        assert "1 | 2025-03-03 09:00 | 用语不当" in last.text


async def test_a_steward_s_look_into_a_record_is_written_down_and_shown_to_whose_it_is() -> None:
    async with desk() as r:
        await a_case(r)
        await r.whisper("g1", "admin", "我的记录 wang")
        assert "用语不当" in told(r, "admin")[-1]

        await r.whisper("g1", "wang", "我的记录")
        assert "被管理员查询 1 次" in told(r, "wang")[-1]


async def test_nobody_else_looks_into_a_record_or_a_case() -> None:
    async with desk() as r:
        await a_case(r)
        await r.whisper("g1", "li", "我的记录 wang")
        assert "只有管理员可以使用" in told(r, "li")[-1]

        await r.whisper("g1", "li", "为什么 1")
        assert told(r, "li")[-1] == "没有编号为 1 的事项。"


async def test_why_names_the_rule_its_clause_what_was_seen_and_who_decided_when() -> None:
    async with desk() as r:
        await a_case(r)
        await r.whisper("g1", "wang", "为什么 1")

        answer = told(r, "wang")[-1]
        assert "篇十 二.5" in answer
        assert "依据:坏" in answer
        assert "核准 属实" in answer
        assert "admin" not in answer


async def test_why_in_another_group_shows_a_steward_of_that_group_nothing() -> None:
    async with rig(
        pack=PACK, plugins=(), extra={"rude": plugin(judge=rude("warn"))}, groups=("g1", "g2"), stewards=()
    ) as r:
        await r.engine.steward(AccountId("sandbox:li"), GroupId("sandbox:g2"))
        await r.say("g1", "wang", "坏")

        await r.whisper("g2", "li", "为什么 1")

        assert told(r, "li")[-1] == "没有编号为 1 的事项。"


async def test_a_ticket_is_closed_by_a_steward_s_word_once() -> None:
    async with desk() as r:
        await r.say("g1", "wang", "坏")
        [ticket] = await r.records.tickets()
        for _ in range(2):
            await r.whisper("g1", "admin", f"完成 {ticket.id}")

        assert told(r, "admin")[-2:] == [f"工单 {ticket.id} 已关闭。", f"没有编号为 {ticket.id} 的未结工单。"]


@pytest.mark.parametrize("where", ["sqlite_url", "postgres_database"])
async def test_a_number_no_record_has_is_answered_on_every_database(
    where: str, request: pytest.FixtureRequest
) -> None:
    async with (
        open_records(request.getfixturevalue(where), migrate=True) as records,
        rig(pack=PACK, plugins=(), extra={"rude": plugin(judge=rude())}, records=records) as r,
    ):
        for word in ("为什么 999999999", "为什么 99999999999999", "申诉 999999999 x"):
            await r.whisper("g1", "wang", word)

        assert told(r, "wang") == [
            "没有编号为 999999999 的事项。",
            "正确的写法是:为什么 <编号>",
            "没有与您有关的事项 999999999。",
        ]
