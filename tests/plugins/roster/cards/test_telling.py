"""What people are told of formats and cards: in Chinese, and without anybody's number."""

import tomllib
from importlib.resources import files

import pytest

from groupops_roster.cards import Format, hint, reason, safe_card


@pytest.mark.parametrize(
    ("form", "separators", "canonical", "said"),
    [
        ("F1", (), "", "部门-姓名,如 销售部-张三"),
        ("F1", ("+", "-"), "+", "部门+姓名,如 销售部+张三"),
        ("F2", (), "", "地区-姓名,如 南宁-张三"),
        ("F3", (), "", "所在公司+部门职位+姓名,如 安徽商会金融服务部张三"),
        ("F4", (), "", "中心名称+姓名,如 人资中心张静"),
        ("F5", (), "", "真实姓名,如 张三"),
        ("F6", (), "", "含真实姓名即可,其余不限,如 张三(办公室)"),
        ("F7", (), "", "自己的姓名+推荐人姓名,如 李明+王芳"),
    ],
)
def test_a_format_is_told_with_an_example(
    form: str, separators: tuple[str, ...], canonical: str, said: str
) -> None:
    assert hint(Format(form), separators, canonical) == said


@pytest.mark.parametrize(
    ("card", "said"),
    [
        ("王五 13900000000", "王五 ****"),
        ("王五１３９００００００００", "王五****"),
        ("139-0000-0000王五", "****王五"),
        ("1️⃣3️⃣9️⃣0️⃣0️⃣0️⃣0️⃣王五", "****\ufe0f\u20e3王五"),
        ("王五8273645", "王五****"),
        ("王五 房间 827364", "王五 房间 827364"),
        ("王五", "王五"),
        ("", ""),
    ],
)
def test_a_number_is_not_repeated(card: str, said: str) -> None:
    assert safe_card(card) == said


def test_every_reason_has_words_and_a_valid_card_needs_none() -> None:
    texts = tomllib.loads((files("groupops_roster.cards") / "texts.toml").read_text(encoding="utf-8"))

    assert all(reason(why) for why in texts["why"])
    assert reason("") == ""
