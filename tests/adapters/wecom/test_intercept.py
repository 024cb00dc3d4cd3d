"""The operator's lexicon becomes WeCom's intercept rules: within the limits, by the fewest calls, and back again."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nonebot.drivers.httpx import Mixin

from groupops import ConfigError
from groupops_moderation.settings import Moderation
from groupops_wecom.customers import (
    MOST_RULES,
    MOST_WORDS,
    Customers,
    InterceptRule,
    Range,
    Reaction,
    Semantics,
)
from groupops_wecom.exception import ActionFailed
from groupops_wecom.intercept import (
    Change,
    Published,
    Wanted,
    bare,
    carry_out,
    changes,
    lexicon_of,
    read_published,
    read_words,
    rules_of,
)
from groupops_wecom.qyapi import QyApi
from groupops_wecom.testing import BlockedError, FakeWeCom, Fault, running
from tests.support.wecom_stub import OVER_HTTPX

pytestmark = OVER_HTTPX

STAFF = Range(users=("zhangsan",), departments=(2,))


def wanted(*words: str, **more: Any) -> Wanted:
    return Wanted(words=dict.fromkeys(words, "list.txt:1"), **{"whom": STAFF} | more)


def published(*rules: InterceptRule, others: int = 0) -> Published:
    """What WeCom has of these rules: each with an id."""
    return Published(rules=tuple(replace(rule, id=f"R{at}") for at, rule in enumerate(rules)), others=others)


def done(before: Published, planned: tuple[Change, ...]) -> Published:
    """What WeCom has once the calls are made; more rules than it takes are refused at any moment."""
    rules, fresh = {rule.id: rule for rule in before.rules}, count(1)
    for one in planned:
        if one.before is not None and one.after is None:
            del rules[one.before.id]
        elif one.after is not None:
            rule = one.after if one.after.id else replace(one.after, id=f"N{next(fresh)}")
            rules[rule.id] = rule
        assert len(rules) + before.others <= MOST_RULES
    return replace(before, rules=tuple(rules.values()))


# — cutting —

LEXICON = st.sets(
    st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), min_size=1, max_size=32),
    max_size=40,
)


def test_words_are_cut_into_rules_of_three_hundred_in_order() -> None:
    rules = rules_of(wanted(*(f"词{number:04}" for number in range(650))))

    assert [(rule.name, len(rule.words)) for rule in rules] == [
        ("groupops-001", 300),
        ("groupops-002", 300),
        ("groupops-003", 50),
    ]
    assert [word for rule in rules for word in rule.words] == [f"词{number:04}" for number in range(650)]


@given(LEXICON, st.randoms())
def test_the_same_lexicon_gives_the_same_rules_in_whatever_order_it_is_written(
    lexicon: set[str], dice: Any
) -> None:
    one, other = sorted(lexicon), sorted(lexicon)
    dice.shuffle(other)

    assert rules_of(wanted(*one)) == rules_of(wanted(*other))


@settings(max_examples=15)
@given(st.integers(0, MOST_WORDS * MOST_RULES))
def test_as_many_words_as_fit_are_taken_whole(number: int) -> None:
    rules = rules_of(wanted(*map(str, range(number))))

    assert sum(len(rule.words) for rule in rules) == number
    assert len(rules) <= MOST_RULES
    assert all(1 <= len(rule.words) <= MOST_WORDS and 1 <= len(rule.name) <= 20 for rule in rules)


def test_what_is_recognised_by_its_meaning_goes_with_the_first_rule() -> None:
    rules = rules_of(wanted(*map(str, range(301)), meanings=(Semantics.RED_PACKET,)))

    assert [rule.semantics for rule in rules] == [(3,), ()]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (wanted("字" * 33), "list.txt:1: '字字"),
        (wanted("字" * 33), "has 33 characters; WeCom takes 1 to 32"),
        (wanted(""), "'' has 0 characters"),
        (wanted("词", whom=Range()), "nobody is named"),
        (
            wanted("词", whom=Range(departments=tuple(range(1001)))),
            "1001 departments are named; WeCom takes at most 1000",
        ),
        (wanted("词", whom=Range(users=tuple(map(str, range(1001))))), "1001 users are named"),
        (wanted(*map(str, range(30_001))), "leave 1 words out"),
        (Wanted(meanings=(Semantics.RED_PACKET,), whom=STAFF), "at least one word"),
    ],
)
def test_what_wecom_would_not_take_is_refused_with_the_limit(asked: Wanted, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        rules_of(asked)

    assert said in str(refused.value)


def test_all_that_is_wrong_is_named_at_once() -> None:
    with pytest.raises(ConfigError) as refused:
        rules_of(wanted("字" * 33, "", whom=Range()))

    assert len(str(refused.value).splitlines()) == 3


def test_rules_of_others_count_for_the_limit() -> None:
    with pytest.raises(ConfigError, match="2 rules besides 99 that are not ours"):
        rules_of(wanted(*map(str, range(301))), Published(others=99))


# — the difference —

RULE_SETS = st.lists(
    st.builds(
        InterceptRule,
        name=st.sampled_from([f"groupops-{number:03}" for number in range(6)]),
        words=st.sets(st.sampled_from("甲乙丙丁"), min_size=1).map(tuple),
        semantics=st.sampled_from([(), (Semantics.RED_PACKET,)]),
        reaction=st.sampled_from(Reaction),
        range=st.builds(
            Range,
            users=st.sampled_from([(), ("a",), ("b", "a")]),
            departments=st.sampled_from([(1,), (2, 3)]),
        ),
    ),
    max_size=6,
)


@given(RULE_SETS, RULE_SETS, st.integers(0, MOST_RULES))
def test_the_calls_lead_from_what_is_there_to_what_is_wanted(
    there: list[InterceptRule], target: list[InterceptRule], others: int
) -> None:
    goal = tuple({rule.name: rule for rule in target}.values())
    before = published(*there, others=min(others, MOST_RULES - max(len(there), len(goal))))

    planned = changes(before, goal)
    after = done(before, planned)

    assert {rule.name: bare(rule) for rule in after.rules} == {rule.name: bare(rule) for rule in goal}
    assert len(after.rules) == len(goal)
    assert changes(after, goal) == ()


@given(RULE_SETS)
def test_rules_that_are_right_are_left_alone(there: list[InterceptRule]) -> None:
    goal = tuple({rule.name: rule for rule in there}.values())

    assert changes(published(*goal), goal) == ()


def test_one_word_more_or_fewer_is_one_call() -> None:
    many = [f"词{number:04}" for number in range(1000)]
    before = published(*rules_of(wanted(*many)))

    [more] = changes(before, rules_of(wanted(*many, "一"), before))
    [fewer] = changes(before, rules_of(wanted(*many[1:]), before))

    assert (more.kind, more.name, more.come, more.gone) == ("update", "groupops-004", ("一",), ())
    assert (fewer.kind, fewer.name, fewer.come, fewer.gone) == ("update", "groupops-001", (), ("词0000",))


NUMBERS = st.sets(st.integers(0, 1200), max_size=1200)


@settings(max_examples=25)
@given(NUMBERS, NUMBERS, NUMBERS)
def test_no_word_moves_and_what_is_stopped_before_and_after_is_stopped_at_every_step(
    first: set[int], second: set[int], third: set[int]
) -> None:
    stands = published()
    for numbers in (first, second, third):
        lexicon = set(map(str, numbers))
        staying = lexicon & {word for rule in stands.rules for word in rule.words}
        planned = changes(stands, rules_of(wanted(*lexicon), stands))
        for step in range(len(planned)):
            between = done(stands, planned[: step + 1])
            assert staying <= {word for rule in between.rules for word in rule.words}
        homes = {word: rule.name for rule in stands.rules for word in rule.words}
        stands = done(stands, planned)
        assert all(
            homes[word] == rule.name for rule in stands.rules for word in rule.words if word in staying
        )
        assert sorted(word for rule in stands.rules for word in rule.words) == sorted(lexicon)
        assert all(1 <= len(rule.words) <= MOST_WORDS for rule in stands.rules)


# — the operator's words —


def test_the_operators_own_words_of_the_categories_in_use_are_taken(tmp_path: Path) -> None:
    file = tmp_path / "own.txt"
    file.write_text("# 自备\n[gambling]\n百家乐代理\n\n[porn]\n某某直播\n", "utf-8-sig")
    own = Moderation(
        use=("gambling",),
        operator_words={"gambling": ("澳门首家",), "porn": ("另一词",)},
        operator_list_files=(str(file),),
    )

    found = lexicon_of(own, "wecom:wr1")

    assert found == {"澳门首家": "wecom:wr1 operator_words.gambling", "百家乐代理": f"{file}:3 [gambling]"}


def test_settings_of_another_shape_have_no_words() -> None:
    assert lexicon_of(object(), "wecom:wr1") == {}


def test_a_list_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "gbk.txt").write_bytes("词".encode("gbk"))

    with pytest.raises(ConfigError, match="is not UTF-8"):
        read_words(str(tmp_path / "gbk.txt"))
    with pytest.raises(ConfigError, match="cannot be read"):
        read_words(str(tmp_path / "none.txt"))


# — published —


@dataclass
class Office:
    """A company with customer contact, and the client of its app."""

    wecom: FakeWeCom
    api: QyApi

    async def publish(self, asked: Wanted) -> tuple[Change, ...]:
        customers = Customers(self.api)
        there = await read_published(customers)
        planned = changes(there, rules_of(asked, there))
        await carry_out(customers, planned)
        return planned

    @property
    def rules(self) -> list[dict[str, Any]]:
        """The rules as WeCom has them, without what it adds itself."""
        found = [dict(rule) for rule in self.wecom.rest.offices.rules.values()]
        return [
            {key: value for key, value in rule.items() if key not in {"rule_id", "create_time"}}
            for rule in found
        ]


@pytest.fixture
async def office() -> AsyncGenerator[Office]:
    async with running(FakeWeCom()) as wecom:
        world = wecom.world
        world.department(2, "销售部")
        world.hire("zhangsan", "张三", 2)
        world.hire("lisi", "李四", 1)
        app = world.app(customers=True)
        yield Office(wecom, QyApi(world.corp_id, {"app": app.secret}, Mixin().request, wecom.rest.base))


async def test_a_published_rule_is_field_by_field_what_the_sheet_says(office: Office) -> None:
    await office.publish(wanted("违禁词", meanings=(Semantics.RED_PACKET,)))

    assert office.rules == [
        {
            "rule_name": "groupops-001",
            "word_list": ["违禁词"],
            "semantics_list": [3],
            "intercept_type": 1,
            "applicable_range": {"user_list": ["zhangsan"], "department_list": [2]},
        }
    ]


async def test_what_is_published_is_read_back_the_same(office: Office) -> None:
    asked = wanted("甲", "乙", meanings=(Semantics.PHONE, Semantics.RED_PACKET), reaction=Reaction.WARN)
    await office.publish(asked)

    there = await read_published(Customers(office.api))

    assert tuple(map(bare, there.rules)) == rules_of(asked)
    assert await office.publish(asked) == ()


async def test_staff_cannot_write_a_published_word_to_customers_and_customers_can(office: Office) -> None:
    world = office.wecom.world
    world.customer("wmExt0001", "客户")
    group = world.group("客户群", "zhangsan", ["lisi", "wmExt0001"], customer_id="wrAbCd0001")
    await office.publish(wanted("违禁词", meanings=(Semantics.RED_PACKET,)))

    with pytest.raises(BlockedError):
        await office.wecom.say("zhangsan", group, "这是违禁词")
    with pytest.raises(BlockedError):
        await office.wecom.red_packet("zhangsan", group, 800)
    await office.wecom.say("wmExt0001", group, "这是违禁词")


async def test_rules_of_others_are_never_touched(office: Office) -> None:
    theirs = InterceptRule(name="合规部的词", words=("机密",), range=STAFF).body()
    await office.api.call("externalcontact/add_intercept_rule", theirs)
    await office.publish(wanted("违禁词"))

    await office.publish(Wanted(whom=STAFF))

    assert office.rules == [theirs]


async def test_a_range_is_changed_by_what_comes_and_what_goes(office: Office) -> None:
    await office.publish(wanted("违禁词"))

    [change] = await office.publish(wanted("违禁词", whom=Range(users=("lisi",), departments=(1,))))

    assert change.kind == "update"
    assert office.rules[0]["applicable_range"] == {"user_list": ["lisi"], "department_list": [1]}
    [call] = [call for call in office.wecom.rest.calls if call.name.endswith("update_intercept_rule")]
    assert call.body["add_applicable_range"] == {"user_list": ["lisi"], "department_list": [1]}
    assert call.body["remove_applicable_range"] == {"user_list": ["zhangsan"], "department_list": [2]}
    assert call.body["extra_rule"] == {"semantics_list": []}


async def test_when_a_call_is_refused_the_next_publishing_finishes_what_it_began(office: Office) -> None:
    asked = wanted(*(f"词{number:03}" for number in range(301)))
    office.wecom.rest.faults.add("externalcontact/add_intercept_rule", Fault(), Fault(errcode=40058))
    with pytest.raises(ActionFailed):
        await office.publish(asked)

    planned = await office.publish(asked)

    assert [change.name for change in planned] == ["groupops-002"]
    assert len(office.rules) == 2


async def test_a_rule_made_twice_because_an_answer_was_lost_is_one_again(office: Office) -> None:
    asked = wanted("违禁词")
    await office.publish(asked)
    await office.api.call("externalcontact/add_intercept_rule", rules_of(asked)[0].body())

    planned = await office.publish(asked)

    assert [change.kind for change in planned] == ["delete"]
    assert len(office.rules) == 1
