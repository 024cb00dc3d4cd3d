"""The card of a bound account has to name its holder."""

import pytest

from groupops import Person, PersonId
from groupops_roster.cards import Format, Verdict, card_of, check, whose
from tests.plugins.roster.cards.sample_roster import person, register, registers

F1 = registers()[Format.DEPARTMENT]
ZHANG_OF_SALES = person(Format.DEPARTMENT, "张三", "销售部")
ZHANG_OF_FINANCE = person(Format.DEPARTMENT, "张三", "财务部")
LI = person(Format.DEPARTMENT, "李四")


def test_the_holders_own_card_is_valid() -> None:
    judgement = check("财务部-张三", Format.DEPARTMENT, F1, holder=ZHANG_OF_FINANCE)

    assert (judgement.verdict, judgement.person) == (Verdict.VALID, ZHANG_OF_FINANCE)


@pytest.mark.parametrize("card", ["销售部-张三", "销售部 张三🌟", "张三-销售部", "张三"])
def test_another_persons_card_is_invalid_however_it_is_written(card: str) -> None:
    judgement = check(card, Format.DEPARTMENT, F1, holder=LI)

    assert (judgement.verdict, judgement.why, judgement.suggestion) == (Verdict.INVALID, "somebody_else", "")


def test_a_namesakes_unit_is_not_the_holders() -> None:
    judgement = check("销售部-张三", Format.DEPARTMENT, F1, holder=ZHANG_OF_FINANCE)

    assert (judgement.verdict, judgement.why) == (Verdict.INVALID, "elsewhere")


def test_the_holder_of_a_bare_name_is_recognised_among_namesakes() -> None:
    both = registers()[Format.NAME]
    twin = Person(id=PersonId(99), name="张三", department="库房")
    names = register(Format.NAME, [twin])

    judgement = check("张三🌟", Format.NAME, names, holder=twin)

    assert both.named("张三") != names.named("张三")
    assert (judgement.verdict, judgement.suggestion, judgement.person) == (Verdict.FIXABLE, "张三", twin)


def test_two_of_one_name_in_one_unit_are_valid_and_nobody_in_particular() -> None:
    twin = Person(id=PersonId(99), name="李四", department="销售部")

    judgement = check("销售部-李四", Format.DEPARTMENT, register(Format.DEPARTMENT, [twin]))

    assert (judgement.verdict, judgement.person) == (Verdict.VALID, None)
    assert judgement.others == (LI, twin)


def test_a_holder_known_by_an_older_edition_is_the_same_person() -> None:
    before = Person(id=LI.id, name="李四", department="市场部")

    assert check("销售部-李四", Format.DEPARTMENT, F1, holder=before).verdict is Verdict.VALID


@pytest.mark.parametrize(("left", "provisional"), [(True, False), (False, True)])
def test_who_has_left_or_is_provisional_is_nobodys_card(left: bool, provisional: bool) -> None:
    gone = Person(id=PersonId(99), name="钱多", department="销售部", active=not left, provisional=provisional)

    judgement = check("销售部-钱多", Format.DEPARTMENT, register(Format.DEPARTMENT, [gone]))

    assert (judgement.verdict, judgement.why) == (Verdict.INVALID, "name_unknown")


@pytest.mark.parametrize(
    ("form", "name", "card"),
    [
        (Format.DEPARTMENT, "李四", "销售部-李四"),
        (Format.REGION, "卢雨禾", "南宁-卢雨禾"),
        (Format.COMPANY, "李想", "合肥美菱经理部李想"),
        (Format.CENTRE, "中", "技术中心中"),
        (Format.NAME, "John Smith", "John Smith"),
        (Format.FREE, "𠮷田健", "𠮷田健"),
        (Format.REFERRER, "李明", ""),
    ],
)
def test_everybody_of_the_register_has_a_proper_card(form: Format, name: str, card: str) -> None:
    assert card_of(person(form, name), form, registers()[form]) == card


def test_who_has_no_unit_on_the_roster_has_no_proper_card_and_may_name_any_unit() -> None:
    new = Person(id=PersonId(99), name="钱多")
    known = register(Format.DEPARTMENT, [new])

    assert card_of(new, Format.DEPARTMENT, known) == ""
    assert check("市场部-钱多", Format.DEPARTMENT, known).person == new
    assert check("飞天部-钱多", Format.DEPARTMENT, known).verdict is Verdict.INVALID


def test_the_best_candidate_of_a_card_stands_first() -> None:
    assert whose("财务部 张三", Format.DEPARTMENT, F1)[0] == ZHANG_OF_FINANCE
    assert whose("张三", Format.DEPARTMENT, F1) == (ZHANG_OF_SALES, ZHANG_OF_FINANCE)
    assert whose("爱吃鱼的 张三(财务部门口)", Format.DEPARTMENT, F1)[0] == ZHANG_OF_FINANCE
    assert whose("张三、李四", Format.DEPARTMENT, F1) == (ZHANG_OF_SALES, ZHANG_OF_FINANCE, LI)


@pytest.mark.parametrize("card", ["", "小张", "张总", "张三的妈妈", "不是张三", "天道酬勤", "销售部"])
def test_a_card_without_a_whole_name_is_nobodys(card: str) -> None:
    assert whose(card, Format.DEPARTMENT, F1) == ()


def test_a_provisional_holder_is_nobody_and_leaves_the_card_open() -> None:
    somebody = Person(id=PersonId(99), provisional=True)

    assert check("销售部-李四", Format.DEPARTMENT, F1, holder=somebody).person == LI
