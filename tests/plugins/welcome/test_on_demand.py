"""The rules and the frequent questions, when somebody asks; and silence when nobody does."""

from __future__ import annotations

import pytest

from groupops.testing import Rig, rig
from tests.plugins.welcome.stories import ONLY, asked, asked_alone, pack, said

FAQ = """
[[welcome.faq]]
ask = ["怎么改昵称", "改名片"]
answer = "点右上角,改“我在本群的昵称”。"
[[welcome.faq]]
ask = ["请假找谁"]
answer = "找人资中心。"
"""


async def test_the_list_tells_what_the_group_is_for_and_what_applies() -> None:
    async with rig(pack=pack(more='[group]\npurpose_text = "项目沟通"'), plugins=ONLY) as r:
        shown = await asked(r, "/群规")

        assert shown.startswith("本群用途:项目沟通")
        assert "《员工群管理办法》,共 4 条" in shown
        assert "1. [一.1] 只收本单位员工。" in shown
        assert "2. [二.6] 不发不健康的图片。不得刷屏。" in shown


@pytest.mark.parametrize(
    "words", ["群规 3", "群规:3", "群规 第三条", "群规 二.9", "群规 二。９", "群规 休息", "群规 篇十 二.9"]
)
async def test_a_clause_is_given_with_where_it_stands(words: str) -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        assert await asked(r, words) == "篇十 二.9(目录第 3 条):每晚 23:30 到次日 07:30 为休息时间。"


async def test_the_tenth_clause_of_s10_is_given_with_its_reference() -> None:
    async with rig(packs=("s10",), plugins=ONLY) as r:
        answer = await asked(r, "群规 10")

        assert "篇十 二.8" in answer
        assert "政治" in answer
        assert "(本项功能未启用)" in answer


async def test_a_mention_of_the_bot_will_do_and_where_are_the_rules_is_understood() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.say("g1", "wang", "群规在哪", mentions=["bot"])

        assert "只收本单位员工" in said(r)[-1]


async def test_what_is_not_installed_says_so() -> None:
    clauses = '[clause."topics.stop"]\nref = "第一条"\ntext = "可叫停话题。"'
    async with rig(pack=pack(clauses=clauses, enabled=', "topics"'), plugins=ONLY) as r:
        assert "可叫停话题。(本项功能未启用)" in await asked(r, "群规 1")


async def test_several_hits_are_listed_and_none_is_answered_with_the_nearest() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        assert await asked(r, "群规 刷屏") == "篇十 二.6(目录第 2 条):不发不健康的图片。不得刷屏。"
        assert "找到 2 条" in await asked(r, "群规 二")
        assert "二.9" in await asked(r, "群规 二.11")
        assert "没有找到" in await asked(r, "群规 999")
        assert "按词查找" in await asked(r, "/群规 火星")


async def test_a_long_list_is_turned_page_by_page() -> None:
    clauses = "".join(
        f'[clause."topics.rule{n}"]\nref = "第{n}条"\ntext = "{"字" * 40}。"\n' for n in range(1, 21)
    )
    async with rig(pack=pack("portion_chars = 300", clauses=clauses), plugins=ONLY) as r:
        first, second = await asked(r, "/群规"), await asked(r, "群规 第2页")

        assert "第 1/" in first
        assert "第 2/" in second
        assert first != second
        assert all(len(text) <= 300 for text in said(r))
        assert "没有第 99 页" in await asked(r, "群规 第99页")


async def test_privately_all_of_it_is_sent() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        answer = await asked_alone(r, "群规")

        assert "只收本单位员工" in answer
        assert "自发布之日起施行" in answer
        assert said(r) == []


@pytest.mark.parametrize(
    "talk", ["群规", "群规 大家都看过了吗", "群规里写了休息时间", "群规 已经发到群里了请大家看看"]
)
async def test_talk_about_the_rules_gets_no_answer(talk: str) -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        assert await asked(r, talk) == ""


async def test_a_group_without_clauses_says_so() -> None:
    async with rig(pack=pack(clauses=""), plugins=ONLY) as r:
        assert "还没有录入条文" in await asked(r, "/群规")
        assert "还没有录入条文" in await asked_alone(r, "群规")


# — frequent questions —


async def questions(r: Rig, text: str) -> str:
    return await asked(r, text)


async def test_a_listed_question_is_answered_however_it_is_put() -> None:
    async with rig(pack=pack(more=FAQ), plugins=ONLY) as r:
        assert "我在本群的昵称" in await asked(r, "/问 怎么改群昵称?")
        assert "找人资中心" in await asked_alone(r, "问 请假该找谁")


async def test_what_is_not_listed_is_not_guessed_at() -> None:
    async with rig(pack=pack(more=FAQ), plugins=ONLY) as r:
        assert "没有收录" in await asked(r, "/问 食堂几点开门")


async def test_the_questions_are_listed() -> None:
    async with rig(pack=pack(more=FAQ), plugins=ONLY) as r:
        shown = await asked(r, "/常见问题")

        assert "1. 怎么改昵称" in shown
        assert "2. 请假找谁" in shown


@pytest.mark.parametrize("talk", ["怎么改昵称", "问 怎么改昵称", "请问 请假找谁", "常见问题"])
async def test_talk_is_never_answered_unasked(talk: str) -> None:
    async with rig(pack=pack(more=FAQ), plugins=ONLY) as r:
        assert await asked(r, talk) == ""


async def test_a_group_without_questions_says_so() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        assert "还没有收录" in await asked(r, "/问 怎么改昵称")
        assert "还没有收录" in await asked(r, "/常见问题")
