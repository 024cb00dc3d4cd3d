"""Numbers, addresses, markings and patterns are told from what only looks like them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn
from stdnum.iso7064 import mod_11_2

from groupops_moderation.detectors.contacts import find_contacts
from groupops_moderation.detectors.markings import Markings
from groupops_moderation.detectors.patterns import PatternError, Patterns
from groupops_moderation.detectors.pii import find_personal_data
from groupops_moderation.detectors.urls import (
    DomainLists,
    domain,
    executable,
    find_addresses,
    find_executables,
)


def personal(text: str) -> list[tuple[str, str]]:
    return [(datum.kind, text[datum.start : datum.end]) for datum in find_personal_data(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("手机 19900001357 找我", ("mobile", "19900001357")),
        ("手机 199 0000 1357", ("mobile", "199 0000 1357")),
        ("+86-19900001357", ("mobile", "19900001357")),
        ("电话１９９００００１３５７", ("mobile", "１９９００００１３５７")),
        ("身份证11010519491231002X，", ("id_card", "11010519491231002X")),
        ("110105 1949 1231 002x", ("id_card", "110105 1949 1231 002x")),
        ("卡号：4111 1111 1111 1111", ("bank_card", "4111 1111 1111 1111")),
        ("打到我银行卡6222021234567890128", ("bank_card", "6222021234567890128")),
    ],
)
def test_a_personal_number_is_found_in_its_place(text: str, expected: tuple[str, str]) -> None:
    assert personal(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "订单号2024110388123",
        "运单 199000013571",
        "0199000013570",
        "单号110105194912310021",
        "流水号110105194913310022",
        "订单4111111111111111",
        "卡里没钱了，订单号4111111111111111",
        "卡号 4111111111111112",
        "金额 19900001357.50",
        "版本 1.2.3",
    ],
)
def test_another_number_is_not_personal(text: str) -> None:
    assert personal(text) == []


def test_only_a_check_digit_makes_a_number_certain() -> None:
    assert [d.certain for d in find_personal_data("19900001357 和 11010519491231002X")] == [False, True]


@given(st.integers(1, 899), st.dates(), st.integers(0, 9))
def test_an_identity_number_with_a_wrong_check_digit_is_not_one(
    serial: int, born: object, digit: int
) -> None:
    body = "110105" + str(born).replace("-", "") + f"{serial:03d}"
    right = mod_11_2.calc_check_digit(body)

    kinds = {kind for kind, _ in personal(f"号码{body}{digit}")}

    assert "id_card" not in kinds or str(digit) == right


@given(st.integers(10**14, 10**15 - 1))
def test_a_bank_card_needs_its_luhn_digit_and_a_word(number: int) -> None:
    card = str(number) + luhn.calc_check_digit(str(number))

    assert ("bank_card", card) not in personal(f"编号{card}")
    assert ("bank_card", card) in personal(f"卡号{card}")
    assert personal(f"卡号{card[:-1]}{(int(card[-1]) + 1) % 10}") == []


def hosts(text: str) -> list[str]:
    return [address.host for address in find_addresses(text)]


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("看 https://a.b.example/r?c=1", "a.b.example"),
        ("打开go123.example吧", "go123.example"),
        ("ｗｗｗ．ｂａｄ．ｃｏｍ", "www.bad.com"),
        ("bad。com", "bad.com"),
        ("bad[点]top", "bad.top"),
        ("bad(dot)com", "bad.com"),
        ("bad点com", "bad.com"),
        ("bad . com", "bad.com"),
        ("b\u200bad.c\u200bom", "bad.com"),
        ("hxxp://bad.com/x", "bad.com"),
        ("http://192.0.2.14:8080/", "192.0.2.14"),
        ("bad&#46;com", "bad.com"),
    ],
)
def test_an_address_is_read_through_its_disguise(text: str, host: str) -> None:
    assert hosts(text) == [host]


@pytest.mark.parametrize(
    "text", ["报告v2.doc", "看main.py", "3.5分", "hr@corp.example", "好的。comfortable", "周五.下班"]
)
def test_what_only_has_dots_is_no_address(text: str) -> None:
    assert hosts(text) == []


def test_an_address_says_its_place_its_path_and_whether_it_hid() -> None:
    text = "点 bad[点]top/a?b=1 领"

    (address,) = find_addresses(text)

    assert text[address.start : address.end] == "bad[点]top/a?b=1"
    assert (address.path, address.obfuscated) == ("/a?b=1", True)
    assert not find_addresses("点 good.top 领")[0].obfuscated


def test_a_list_speaks_for_subdomains_and_the_closest_entry_wins() -> None:
    lists = DomainLists.of(allowed=["ok.bad.com", "https://corp.example/x"], denied=["*.bad.com"])

    assert lists.judge("x.bad.com") == "denied"
    assert lists.judge("a.ok.bad.com") == "allowed"
    assert lists.judge("notbad.com") == "unknown"
    assert lists.judge("wiki.corp.example") == "allowed"


@pytest.mark.parametrize("entry", ["", "com", "no domain", "http://"])
def test_a_list_entry_without_a_domain_is_refused_by_name(entry: str) -> None:
    with pytest.raises(ValueError, match="names no domain"):
        domain(entry)


def test_a_program_that_poses_as_a_document_is_told() -> None:
    names = find_executables("请打开 发票.pdf.exe 和 setup.exe，说明在 readme.txt")

    assert [(n.extension, n.disguised) for n in names] == [("exe", True), ("exe", False)]


def test_the_kind_of_a_file_is_read_whatever_its_case() -> None:
    assert executable("A.EXE") is not None
    assert executable("a.docx") is None


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("机密★3年", "grade"),
        ("密级：秘密", "grade"),
        ("【机密】方案", "word"),
        ("内部资料\n请勿转发", "word"),
        ("国办发〔2024〕12号", "document_number"),
        ("签发人：张三", "signer"),
        ("份号：000123", "copy_number"),
    ],
)
def test_a_marking_that_stands_as_one_is_certain(text: str, kind: str) -> None:
    (marking,) = Markings().find(text)

    assert (marking.kind, marking.certain) == (kind, True)


@pytest.mark.parametrize("text", ["请勿把标了机密的文件外传", "参见省厅发(2024)12号"])
def test_a_mere_mention_of_a_marking_is_not_certain(text: str) -> None:
    assert [marking.certain for marking in Markings().find(text)] == [False]


@pytest.mark.parametrize("text", ["公开的秘密", "（2024）年报", "签发人员名单"])
def test_talk_about_secrets_is_no_marking(text: str) -> None:
    assert Markings().find(text) == []


def test_in_a_file_s_name_every_marking_is_certain() -> None:
    assert [m.certain for m in Markings().find_in_name("机密方案终稿.docx")] == [True]


def test_a_marking_is_found_under_spaces_and_traditional_characters() -> None:
    text = "【絕密】\u200b計劃"

    (marking,) = Markings().find(text)

    assert text[marking.start : marking.end] == "絕密"


def test_only_the_named_issuers_numbers_count() -> None:
    assert Markings(number_prefixes=("国办发",)).find("某公司〔2024〕3号") == []


def test_a_pattern_hit_says_which_and_where() -> None:
    (hit,) = Patterns({"price": r"\d{3}元", "other": "没有"}).find("只要100元")

    assert (hit.name, hit.start, hit.end, hit.text) == ("price", 2, 6, "100元")


def test_no_patterns_find_nothing() -> None:
    assert Patterns({}).find("任何话") == []


@pytest.mark.parametrize(
    ("pattern", "why"),
    [("(", "missing"), (r"(a)\1", "escape"), ("(?<=a)b", "perl operator"), ("a*", "empty text")],
)
def test_a_pattern_that_cannot_be_used_is_refused_by_name_and_reason(pattern: str, why: str) -> None:
    with pytest.raises(PatternError, match=rf"pattern 'r7': .*{why}"):
        Patterns({"r7": pattern})


def test_an_evil_pattern_answers_at_once() -> None:
    assert Patterns({"evil": "(a+)+$"}).find("a" * 5_000 + "b") == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("加微信kf_12345", "account"),
        ("联系QQ1000012345", "account"),
        ("电话1 9 9 0 0 0 0 1 3 5 7", "phone"),
        ("飞机@demo1234", "telegram"),
        ("下载go123.example", "link"),
    ],
)
def test_a_way_to_reach_somebody_is_found(text: str, kind: str) -> None:
    assert kind in {contact.kind for contact in find_contacts(text)}


@pytest.mark.parametrize("text", ["k8s升级到v2", "2024年11月3日开会", "共12345元"])
def test_a_version_a_date_or_a_price_is_no_contact(text: str) -> None:
    assert find_contacts(text) == []
