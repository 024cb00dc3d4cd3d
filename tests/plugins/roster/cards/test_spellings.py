"""Units, names and separators are understood in the ways people write them."""

import pytest

from groupops import Person, PersonId
from groupops_roster.cards import Format, Register, Verdict, check
from tests.plugins.roster.cards.sample_roster import register, registers


def one(name: str, **where: str) -> Register:
    return Register.of([Person(id=PersonId(1), name=name, **where)])


@pytest.mark.parametrize(
    ("on_roster", "card", "verdict"),
    [
        ("南宁", "南宁市-卢雨禾", Verdict.VALID),
        ("南宁市", "南宁-卢雨禾", Verdict.VALID),
        ("广西南宁", "南宁-卢雨禾", Verdict.VALID),
        ("南宁", "广西壮族自治区南宁市-卢雨禾", Verdict.VALID),
        ("南宁", "广西-南宁-卢雨禾", Verdict.FIXABLE),
        ("南宁", "广东南宁-卢雨禾", Verdict.INVALID),
        ("宾阳", "宾阳县-卢雨禾", Verdict.VALID),
        ("宾阳县", "宾阳-卢雨禾", Verdict.VALID),
        ("宾阳", "广西宾阳-卢雨禾", Verdict.VALID),
        ("广西", "广西壮族自治区-卢雨禾", Verdict.VALID),
        ("广西", "桂-卢雨禾", Verdict.FIXABLE),
        ("桂林", "桂-卢雨禾", Verdict.FIXABLE),
        ("内蒙古", "蒙 卢雨禾", Verdict.FIXABLE),
        ("大理", "云南大理州-卢雨禾", Verdict.VALID),
        ("海南", "青海海南州-卢雨禾", Verdict.VALID),
        ("北京", "北京市-卢雨禾", Verdict.VALID),
        ("南宁", "南宁-盧雨禾", Verdict.FIXABLE),
        ("南宁", "南寧-盧雨禾", Verdict.FIXABLE),
    ],
)
def test_a_region_may_be_written_with_its_level_and_its_province(
    on_roster: str, card: str, verdict: Verdict
) -> None:
    assert check(card, Format.REGION, one("卢雨禾", region=on_roster)).verdict is verdict


def test_a_short_name_of_two_regions_leads_to_the_one_with_a_person_of_the_name() -> None:
    both = Register.of(
        [
            Person(id=PersonId(1), name="卢雨禾", region="广西"),
            Person(id=PersonId(2), name="韦家辉", region="桂林"),
            Person(id=PersonId(3), name="李静", region="桂林"),
            Person(id=PersonId(4), name="李静", region="广西"),
        ]
    )

    assert check("桂-韦家辉", Format.REGION, both).suggestion == "桂林-韦家辉"
    assert check("桂-李静", Format.REGION, both).why == "ambiguous"


@pytest.mark.parametrize(
    ("on_roster", "card"),
    [
        ("销售部", "销售 李四"),
        ("销售部", "销售部门-李四"),
        ("培训中心", "培训-李四"),
        ("总经理办公室", "总经理-李四"),
        ("采购处", "采购·李四"),
    ],
)
def test_a_unit_is_understood_without_its_last_word(on_roster: str, card: str) -> None:
    judgement = check(card, Format.DEPARTMENT, one("李四", department=on_roster))

    assert (judgement.verdict, judgement.suggestion) == (Verdict.FIXABLE, f"{on_roster}-李四")


def test_a_short_form_that_is_a_unit_itself_means_that_unit() -> None:
    two = Register.of(
        [
            Person(id=PersonId(1), name="李四", department="销售"),
            Person(id=PersonId(2), name="李四", department="销售部"),
        ]
    )

    assert check("销售 李四", Format.DEPARTMENT, two).suggestion == "销售-李四"


def test_an_operators_alias_is_understood_and_not_accepted() -> None:
    known = Register.of(
        [Person(id=PersonId(1), name="王五", department="信息技术部")],
        {"IT": "信息技术部", "科技园": "没有的部"},
    )

    assert check("it-王五", Format.DEPARTMENT, known).suggestion == "信息技术部-王五"
    assert known.stray_aliases == ("科技园",)


@pytest.mark.parametrize("company", ["徽商有限公司", "徽商集团", "徽商股份有限公司"])
def test_a_company_is_understood_without_its_legal_form(company: str) -> None:
    known = one("王五", company=company, department="信贷部")

    assert check("徽商信贷部王五", Format.COMPANY, known).suggestion == f"{company}信贷部王五"


def test_a_position_of_the_roster_is_a_title() -> None:
    known = one("王五", company="徽商银行", department="信贷部", position="首席观察员")

    assert check("徽商银行信贷部首席观察员王五", Format.COMPANY, known).verdict is Verdict.VALID
    assert (
        check("徽商银行-信贷部-首席观察员王五", Format.COMPANY, known).suggestion
        == "徽商银行信贷部首席观察员王五"
    )
    assert check("王五 首席观察员", Format.NAME, known).suggestion == "王五"


def test_who_is_in_no_department_names_the_company_alone() -> None:
    known = one("王五", company="徽商银行", position="行长")

    assert check("徽商银行行长王五", Format.COMPANY, known).verdict is Verdict.VALID
    assert check("徽商银行王五", Format.COMPANY, known).verdict is Verdict.VALID


@pytest.mark.parametrize(
    "card",
    [
        "销售部-李四👨\u200d👩\u200d👧",
        "🇨🇳销售部-李四",
        "销售部-李四👍🏽",
        "销售部-李四❤\ufe0f",
        "销售部\u2067-李四\u2069",
        "★销售部★李四★",
        "銷售部-李四",
        "销售部—李四 13800138000",
        "A销售部-李四",
        "01销售部-李四",
        "销售部(李四)",
        "「销售部」李四老师",
        "销售部|李四",
        "李四经理-销售部",
        "销售部-经理李四",
        "销售部ー李四",
        "  销售部--李四  ",
    ],
)
def test_decoration_never_hides_who_is_meant(card: str) -> None:
    judgement = check(card, Format.DEPARTMENT, registers()[Format.DEPARTMENT])

    assert (judgement.verdict, judgement.suggestion) == (Verdict.FIXABLE, "销售部-李四")


def test_outer_spaces_are_no_fault() -> None:
    assert (
        check(" 销售部-李四\u3000", Format.DEPARTMENT, registers()[Format.DEPARTMENT]).verdict
        is Verdict.VALID
    )


@pytest.mark.parametrize(
    ("separators", "canonical", "card", "suggestion"),
    [
        (("+", "-"), "+", "销售部 李四", "销售部+李四"),
        (("-", "+"), "", "销售部 李四", "销售部-李四"),
        (("+",), "", "销售部-李四", "销售部+李四"),
        (("＋",), "", "销售部-李四", "销售部+李四"),
        (("_",), "_", "销售部-李四", "销售部_李四"),
        ((" ",), " ", "销售部-李四", "销售部 李四"),
        ((), "/", "销售部 李四", "销售部/李四"),
    ],
)
def test_the_group_says_which_separators_it_takes(
    separators: tuple[str, ...], canonical: str, card: str, suggestion: str
) -> None:
    known = registers()[Format.DEPARTMENT]

    judgement = check(card, Format.DEPARTMENT, known, separators=separators, canonical=canonical)

    assert judgement.suggestion == suggestion
    assert check(suggestion, Format.DEPARTMENT, known, separators=separators).verdict is (
        Verdict.VALID if separators else Verdict.FIXABLE
    )


def test_companies_may_be_parted_where_the_group_says_so() -> None:
    known = registers()[Format.COMPANY]

    judgement = check("徽商银行信贷部王五", Format.COMPANY, known, separators=["-"])

    assert judgement.suggestion == "徽商银行-信贷部-王五"
    assert check("徽商银行-信贷部-经理王五", Format.COMPANY, known, separators=["-"]).verdict is Verdict.VALID
    assert (
        check("徽商银行-信贷部-经理-王五", Format.COMPANY, known, separators=["-"]).verdict is Verdict.VALID
    )


def test_a_name_inside_a_longer_one_or_inside_a_unit_is_not_stated() -> None:
    known = register(
        Format.FREE,
        [Person(id=PersonId(90), name="张三丰"), Person(id=PersonId(91), name="高原", department="高原部")],
    )

    assert check("张三丰(库房)", Format.FREE, known).person == Person(id=PersonId(90), name="张三丰")
    assert check("高原部 李四", Format.FREE, known).verdict is Verdict.VALID
    assert check("高原部", Format.FREE, known).verdict is Verdict.INVALID


@pytest.mark.parametrize(
    "card", ["Johnny Smithson", "技术中心", "小张 三分店", "北非张三的司机", "非张三", "张三 妈妈"]
)
def test_pieces_of_words_are_no_names(card: str) -> None:
    known = register(Format.FREE, [Person(id=PersonId(90), name="中"), Person(id=PersonId(91), name="John")])

    assert check(card, Format.FREE, known).verdict is Verdict.INVALID


@pytest.mark.parametrize("card", ["北非-张三", "现代 张三", "张三-妈祖文化店", "张三 朋友圈运营"])
def test_words_that_only_begin_or_end_like_a_relation_are_none(card: str) -> None:
    assert check(card, Format.FREE, registers()[Format.FREE]).verdict is Verdict.VALID


def test_a_card_nobody_can_have_entered_is_not_read() -> None:
    assert check("销售部-李四" * 100, Format.DEPARTMENT, registers()[Format.DEPARTMENT]).why == "too_long"
