"""How a pack reads when it is printed: chapters, numbered clauses, what follows a breach, what is to come."""

import pytest

from groupops import Manifest, Rule, Settings
from groupops.settings import PackShelf, parse_pack, resolve
from groupops.views import pack_text

HOUSE_RULES = """
[pack]
id = "house"
title = "小组公约"
org_type = "team"
notes = "试行"
[pack.chapters]
"一" = "说话"
[plugins]
enabled = ["manners", "topics"]
[group]
eligible = "employees"
manager_role = "值班组长"
[manners]
ladder = "soft"
loud = true
[topics]
disrespect_ladder = "warn_kick"
[clause."manners.polite"]
ref = "公约 一.1"
text = "好好说话。"
[clause."topics.disrespect"]
ref = "公约 一.2"
text = "不打断别人。"
[clause."pack.effective"]
ref = "公约 末句"
text = "即日起施行。"
"""


class Manners(Settings):
    """Settings of a plugin made up for these tests."""

    ladder: str = ""
    loud: bool = False


RULES = (Rule(id="manners.polite", title="好好说话"), Rule(id="manners.kind", title="不骂人"))


def read(text: str = HOUSE_RULES) -> str:
    manners = Manifest(title="礼貌", settings=Manners, rules=RULES)
    pack = parse_pack(text)
    policy = resolve(PackShelf([pack]), {"manners": manners}, {}, (pack.id,), {})
    return pack_text(pack, policy, {"manners": manners})


def test_the_head_says_title_applicability_and_who_manages() -> None:
    head = read().split("\n\n", maxsplit=1)[0]

    assert head.splitlines() == [
        "小组公约(house)",
        "适用:团队、限本单位员工入群",
        "施行:发布即施行",
        "管理:值班组长",
        "说明:试行",
    ]


def test_clauses_stand_numbered_under_their_chapters_in_the_order_of_the_pack() -> None:
    lines = [line.strip() for line in read().splitlines()]

    start = lines.index("一、说话")
    assert lines[start + 1].startswith("1. 公约 一.1  好好说话。")
    assert lines[start + 3].startswith("2. 公约 一.2  不打断别人。")
    assert "3. 公约 末句  即日起施行。" in lines


def test_rules_under_one_reference_are_one_article_and_share_what_follows() -> None:
    both = '[clause."manners.kind"]\nref = "公约 一.1"\ntext = "不骂人。"\n[clause."topics.disrespect"]'

    text = read(HOUSE_RULES.replace('[clause."topics.disrespect"]', both))

    assert "  1. 公约 一.1  好好说话。\n      不骂人。\n      违反时:第 1 次提醒" in text
    assert "  2. 公约 一.2" in text


def test_a_clause_outside_all_chapters_has_no_heading() -> None:
    assert "\n\n  3. 公约 末句" in read()


def test_what_follows_a_breach_is_said_in_words_with_who_decides() -> None:
    text = read()

    assert "第 1 次提醒(案情清楚的由机器人直接作出);第 2 次警告(须管理员核准);" in text
    assert "第 3 次起提交管理员(须管理员核准)" in text


def test_a_removal_says_how_many_have_to_agree() -> None:
    approvals = '[discipline]\nkick_approvals = 3\n[clause."manners.polite"]'

    text = read(HOUSE_RULES.replace('[clause."manners.polite"]', approvals))

    assert "第 2 次起移出本群(须 3 名管理员核准)" in text


def test_clauses_of_plugins_to_come_are_shown_and_marked() -> None:
    text = read()

    assert "不打断别人。(尚未启用:待安装“话题管理”)" in text
    assert "  话题管理(topics):第 2 条" in text


def test_settings_are_listed_where_they_differ_from_the_default() -> None:
    text = read()

    assert "    loud(loud):是" in text


@pytest.mark.parametrize("pack_id", ["s02", "s09", "s10", "s14", "s18"])
def test_every_shipped_pack_gives_each_clause_a_number_of_its_own_text(pack_id: str) -> None:
    shelf = PackShelf.load()
    pack = shelf.get(pack_id)
    policy = resolve(shelf, {}, {}, (pack_id,), {})

    text = pack_text(pack, policy, {})

    articles = list(dict.fromkeys(clause.ref for clause in policy.clauses.values()))
    for clause in policy.clauses.values():
        assert f"  {articles.index(clause.ref) + 1}. {clause.ref}  " in text
        assert clause.text in text
        assert clause.ref.startswith("篇")


@pytest.mark.parametrize(
    ("pack_id", "numbers"),
    [
        ("s02", ["2", *(f"3.{item}" for item in range(1, 9))]),
        ("s09", ["适用范围", "1", "2", "3", "4", "5", "末句"]),
        ("s14", ["二", *(f"三.{item}" for item in range(1, 6)), "末句"]),
    ],
)
def test_no_article_of_the_regulation_is_left_out(pack_id: str, numbers: list[str]) -> None:
    clauses = resolve(PackShelf.load(), {}, {}, (pack_id,), {}).clauses

    assert list(dict.fromkeys(clause.ref.split()[1] for clause in clauses.values())) == numbers
