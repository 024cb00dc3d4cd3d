"""Without a roster a card is only looked at, and never found invalid."""

import pytest

from groupops import Person, PersonId
from groupops_roster.cards import Format, Register, Verdict, check, whose

EMPTY = Register.of([])


@pytest.mark.parametrize(
    ("form", "card"),
    [
        ("F1", "销售部-张三"),
        ("F1", "销售部＋欧阳娜娜"),
        ("F1", "国际部-Jean-Luc Martin"),
        ("F2", "南宁-卢雨禾"),
        ("F2", "乌鲁木齐-阿依古丽•买买提"),
        ("F3", "安徽商会金融服务部张三"),
        ("F4", "人资中心张静"),
        ("F5", "司马光"),
        ("F5", "John Smith"),
        ("F5", "吐尔逊江·艾力"),
        ("F6", "张三(办公室)"),
        ("F6", "办公室 张三"),
        ("F6", "阿依古丽·买买提 13800138000"),
        ("F7", "李明+王芳"),
    ],
)
def test_the_right_shape_is_valid(form: str, card: str) -> None:
    judgement = check(card, Format(form), EMPTY)

    assert (judgement.verdict, judgement.person) == (Verdict.VALID, None)


@pytest.mark.parametrize(
    ("form", "card"),
    [
        ("F1", "张三"),
        ("F1", "销售部张三"),
        ("F1", "销售部-小张"),
        ("F1", "-张三"),
        ("F2", "南宁-Tom"),
        ("F3", "张三"),
        ("F4", "张静"),
        ("F5", "张总"),
        ("F5", "店长"),
        ("F5", "王店长"),
        ("F5", "尼玛扎西"),
        ("F5", "欧阳"),
        ("F5", "一帆风顺"),
        ("F5", "·"),
        ("F5", ""),
        ("F6", "🌸"),
        ("F6", "办公室"),
        ("F6", "张三的妈妈"),
        ("F7", "李明+李明"),
        ("F7", "李明"),
    ],
)
def test_another_shape_is_worth_a_reminder_and_no_more(form: str, card: str) -> None:
    judgement = check(card, Format(form), EMPTY)

    assert (judgement.verdict, judgement.suggestion, judgement.why) == (Verdict.REMIND, "", "shape")


def test_a_roster_without_regions_still_knows_the_names() -> None:
    names = Register.of([Person(id=PersonId(1), name="尼玛扎西"), Person(id=PersonId(2), name="李四")])
    holder = names.persons[0]

    assert check("拉萨-尼玛扎西", Format.REGION, names).person == holder
    assert check("拉萨-张三", Format.REGION, names).verdict is Verdict.REMIND
    assert check("拉萨-李四", Format.REGION, names, holder=holder).why == "somebody_else"
    assert check("尼玛扎西", Format.REGION, names).why == "unit_missing"


def test_nobody_is_a_candidate_without_a_roster() -> None:
    assert whose("销售部-张三", Format.DEPARTMENT, EMPTY) == ()
