"""What applies in a group: which source wins, what is inactive, and how every mistake is named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from groupops import Clause, Manifest, Rule, Settings, Stage
from groupops.errors import ConfigError, PackError
from groupops.policy import Policy
from groupops.settings import (
    PackShelf,
    effective_stage,
    flat,
    messages_of,
    pack_schema,
    parse_pack,
    read_value,
    resolve,
    split_key,
)


class Span(BaseModel):
    start: str = "23:00"
    end: str = "07:00"


class Rest(Settings):
    windows: tuple[Span, ...] = Field(default=(), title="时段")
    action: Literal["remind", "mute_member"] = Field(default="remind", title="做法")
    once: bool = Field(default=True, title="只提醒一次")
    after: int = Field(default=3, ge=1, title="几条之后")
    tag: str = Field(default="#紧急", title="标记")
    ladders: dict[str, str] = Field(default_factory=dict, title="阶梯")


class Money(Settings):
    mode: Literal["off", "education", "commitment"] = Field(default="education", title="方式")
    legal_basis: str = Field(default="", title="依据")
    consulted_on: str = Field(default="", title="协商日期")


PLUGINS = {
    "quiet_hours": Manifest(
        title="休息", settings=Rest, rules=(Rule(id="quiet_hours.rest", title="休息时间"),)
    ),
    "red_packet": Manifest(title="红包", settings=Money),
}


def policy(
    *packs: str,
    env: Mapping[str, str] | None = None,
    overrides: Mapping[str, Any] | None = None,
    **known: Any,
) -> Policy:
    """Resolve packs that are called p1, p2, … in the order in which they are given."""
    shelf = PackShelf(
        parse_pack(f'[pack]\nid = "p{number}"\n{text}', path=f"p{number}.toml")
        for number, text in enumerate(packs, start=1)
    )
    bound = [f"p{number}" for number, _ in enumerate(packs, start=1)]
    return resolve(shelf, PLUGINS, env or {}, bound, overrides or {}, **known)


def rest(found: Policy) -> Rest:
    settings = found.settings["quiet_hours"]
    assert isinstance(settings, Rest)
    return settings


def told(error: type[ConfigError], *packs: str, **given: Any) -> str:
    with pytest.raises(error) as caught:
        policy(*packs, **given)
    assert type(caught.value) is error
    return str(caught.value)


# — which source wins —


def test_without_anything_the_defaults_apply() -> None:
    assert rest(policy()) == Rest()


def test_the_environment_is_stronger_than_a_default() -> None:
    assert rest(policy(env={"GROUPOPS_QUIET_HOURS__ONCE": "false"})).once is False


def test_a_pack_is_stronger_than_the_environment() -> None:
    found = policy("[quiet_hours]\nonce = true\n", env={"GROUPOPS_QUIET_HOURS__ONCE": "false"})

    assert rest(found).once is True


def test_the_last_pack_that_sets_a_key_wins_and_one_that_is_silent_changes_nothing() -> None:
    found = policy(
        "[quiet_hours]\nafter = 4\n", "[quiet_hours]\nafter = 5\n", "[quiet_hours]\nonce = false\n"
    )

    assert (rest(found).after, rest(found).once) == (5, False)


def test_the_groups_own_setting_is_stronger_than_every_pack() -> None:
    assert rest(policy("[quiet_hours]\nafter = 4\n", overrides={"quiet_hours.after": 9})).after == 9


def test_tables_merge_key_by_key_and_lists_replace() -> None:
    found = policy(
        '[quiet_hours]\nwindows = [{ start = "22:00" }, { start = "12:00" }]\nladders = { a = "soft" }\n',
        '[quiet_hours]\nwindows = [{ start = "23:30" }]\nladders = { b = "kick" }\n',
    )

    assert rest(found).windows == (Span(start="23:30"),)
    assert rest(found).ladders == {"a": "soft", "b": "kick"}


@pytest.mark.parametrize(
    ("key", "raw", "field", "value"),
    [
        ("GROUPOPS_QUIET_HOURS__AFTER", "7", "after", 7),
        ("groupops_quiet_hours__after", "7", "after", 7),
        ("GROUPOPS_QUIET_HOURS__TAG", "123", "tag", "123"),
        ("GROUPOPS_QUIET_HOURS__TAG", "[急]", "tag", "[急]"),
        ("GROUPOPS_QUIET_HOURS__ACTION", "mute_member", "action", "mute_member"),
        ("GROUPOPS_QUIET_HOURS__ONCE", "off", "once", False),
        ("GROUPOPS_QUIET_HOURS__LADDERS__A", "kick", "ladders", {"a": "kick"}),
        ("GROUPOPS_QUIET_HOURS__WINDOWS", '[{"start": "22:00"}]', "windows", (Span(start="22:00"),)),
        ("GROUPOPS_QUIET_HOURS__AFTER", "", "after", 3),
    ],
)
def test_a_key_of_the_environment_is_read_as_its_setting_wants_it(
    key: str, raw: str, field: str, value: object
) -> None:
    assert getattr(rest(policy(env={key: raw})), field) == value


def test_the_cores_own_tables_are_set_like_a_plugins() -> None:
    found = policy(
        '[discipline]\nkick_approvals = 3\n[retention]\naudit_days = 30\n[messages.core]\nclause = "x"\n',
        env={"GROUPOPS_GROUP__NAME": "甲", "GROUPOPS_MESSAGES__CORE__STEP__WARN": "y"},
        overrides={"ladder.soft.ttl_days": 30, "messages.quiet_hours.remind": "z"},
    )

    assert (found.discipline.kick_approvals, found.retention.audit_days, found.group.name) == (3, 30, "甲")
    assert found.ladders["soft"].ttl_days == 30
    assert found.ladders["soft"].steps == ("remind", "warn", "admin_case")
    assert messages_of(found, "core") == {"clause": "x", "step.warn": "y"}
    assert messages_of(found, "quiet_hours") == {"remind": "z"}


def test_a_pack_may_bring_a_ladder_of_its_own() -> None:
    found = policy('[ladder.once]\nsteps = ["kick"]\nhuman_from = 0\n[quiet_hours.ladders]\nx = "once"\n')

    assert found.ladders["once"].steps == ("kick",)


def test_a_clause_says_where_a_rule_stands() -> None:
    found = policy('[clause."quiet_hours.rest"]\nref = "篇十 二.9"\ntext = "休息"\n')

    assert found.clauses == {"quiet_hours.rest": Clause(ref="篇十 二.9", text="休息")}


# — which plugins run —


def test_the_plugins_of_all_bound_packs_are_united_in_order() -> None:
    found = policy(
        '[plugins]\nenabled = ["red_packet"]\n', '[plugins]\nenabled = ["quiet_hours", "red_packet"]\n'
    )

    assert found.enabled == ("red_packet", "quiet_hours")


def test_a_pack_that_extends_another_may_enable_fewer_plugins() -> None:
    found = resolve(
        PackShelf(
            [
                parse_pack('[pack]\nid = "a"\n[plugins]\nenabled = ["quiet_hours", "red_packet"]\n'),
                parse_pack('[pack]\nid = "b"\nextends = "a"\n[plugins]\nenabled = ["quiet_hours"]\n'),
            ]
        ),
        PLUGINS,
        {},
        ["b"],
        {},
    )

    assert found.enabled == ("quiet_hours",)


def test_the_environment_enables_besides_and_the_group_has_the_last_word() -> None:
    pack, env = '[plugins]\nenabled = ["quiet_hours"]\n', {"GROUPOPS_PLUGINS__ENABLED": '["red_packet"]'}

    assert set(policy(pack, env=env).enabled) == {"quiet_hours", "red_packet"}
    assert policy(pack, env=env, overrides={"plugins.enabled": []}).enabled == ()


def test_what_is_known_but_not_installed_is_inactive_and_not_looked_into() -> None:
    found = policy(
        '[plugins]\nenabled = ["tasks", "quiet_hours"]\n[pacing.length]\nmax_chars = 200\n'
        '[clause."ads.negative"]\nref = "r"\n[other_shop]\nx = 1\n',
        known=["other_shop"],
    )

    assert found.enabled == ("quiet_hours",)
    assert found.inactive == ("tasks", "pacing", "other_shop")
    assert found.clauses["ads.negative"].ref == "r"


# — mistakes —


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("[quiet]\n", "quiet is no table; it is called 'quiet_hours'"),
        ("[namecard]\nformat = 'F1'\n", "namecard is no table; it is called 'roster.card'"),
        ("[moderaton]\n", "moderaton is no table; did you mean 'moderation'?"),
        ("[quiet_hours]\nactoin = 'remind'\n", "quiet_hours.actoin is no key; did you mean 'action'?"),
        ("[quiet_hours]\nafter = 0\n", "quiet_hours.after = 0: input should be greater than or equal to 1"),
        ("[quiet_hours]\naction = 'ban'\n", "quiet_hours.action = 'ban': input should be 'remind' or 'mute_member'"),
        ("[quiet_hours]\nwindows = [{ start = 3 }]\n", "quiet_hours.windows.0.start = 3: "),
        ("[plugins]\nenabled = ['guide']\n", "plugins.enabled names 'guide', .*; it is called 'welcome'"),
        ("[plugins]\nenabled = ['discipline']\n", "'discipline', which belongs to the core and always runs"),
        ("[plugins]\nenabled = ['quiet_hour']\n", "did you mean 'quiet_hours'?"),
        ("[plugins]\nenabled = 'quiet_hours'\n", "plugins.enabled = 'quiet_hours', expected a list"),
        ("[plugins]\nenable = []\n", "plugins.enable is no key; did you mean 'enabled'?"),
        ("[plugins]\nenabled = [1]\n", "plugins.enabled names 1, expected the name of a plugin"),
        ("[discipline]\nhold_mute_minutes = 31\n", "discipline.hold_mute_minutes = 31: .*less than or equal to 30"),
        ("[ladder.x]\nsteps = ['shout']\n", "ladder.x.steps.0 = 'shout': input should be 'remind'"),
        ("[ladder.kick]\nhuman_from = 1\n", "ladder.kick does not hold: human_from = 1, but only a first reminder"),
        ("[ladder]\nsoft = 1\n", r"ladder.soft = 1, but it is a table: write \[ladder.soft\]"),
        ("[quiet_hours.ladders]\nx = 'sotf'\n", "quiet_hours.ladders.x = 'sotf', .*no such ladder; did you mean 'soft'"),
        ("[discipline]\ndisobey_ladder = 'wrn'\n", "discipline.disobey_ladder = 'wrn', .*did you mean 'warn'"),
        ("[messages]\nremind = 'x'\n", r"messages.remind stands alone; .*\[messages.core\]"),
        ("[messages.core]\nremind = 1\n", "messages.core.remind = 1, expected a text"),
        ("[clause.'quiet_hours.res']\nref = 'r'\n", "'quiet_hours.res', which quiet_hours does not have; did you mean"),
        ("[clause.'quiethours.rest']\nref = 'r'\n", "names the rule 'quiethours.rest'; .*'quiet_hours'"),
        ("[clause.'rest']\nref = 'r'\n", 'expected "<plugin>.<rule>"'),
        ("[clause.'quiet_hours.rest']\ntext = 't'\n", "clause.quiet_hours.rest.ref = .*: field required"),
        ("[clause.'quiet_hours.rest']\nref = 'r'\ntxt = 't'\n", "clause.quiet_hours.rest.txt is no key; did you mean 'text'"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_pack_names_pack_file_key_and_what_was_meant(text: str, wrong: str) -> None:
    with pytest.raises(PackError, match=r"pack 'p1' \(p1.toml\): .*" + wrong):
        policy(text)


def test_a_table_that_is_a_value_is_told() -> None:
    shelf = PackShelf([parse_pack('quiet_hours = 3\n[pack]\nid = "p"\n')])

    with pytest.raises(PackError, match=r"quiet_hours = 3, but it is a table: write \[quiet_hours\]"):
        resolve(shelf, PLUGINS, {}, ["p"], {})


def test_a_key_that_moved_to_the_core_names_its_place() -> None:
    plugins = {"moderation": Manifest(title="内容", settings=Settings)}
    shelf = PackShelf([parse_pack('[pack]\nid = "p"\n[moderation]\nburst_s = 3\n')])

    with pytest.raises(PackError, match=r"moderation\.burst_s is no key; it is called 'discipline\.burst_s'"):
        resolve(shelf, plugins, {}, ["p"], {})


def test_a_mistake_in_the_environment_names_its_key() -> None:
    wrong = told(
        ConfigError, env={"GROUPOPS_QUIET_HOURS__AFTER": "many", "GROUPOPS_QIET_HOURS__AFTER": "3"}
    ).splitlines()

    assert (
        "GROUPOPS_QIET_HOURS__AFTER (environment or .env): qiet_hours is no table; did you mean" in wrong[0]
    )
    assert wrong[1].startswith(
        "GROUPOPS_QUIET_HOURS__AFTER (environment or .env): quiet_hours.after = 'many': "
    )


def test_a_list_in_the_environment_that_is_not_json_says_how_to_write_it() -> None:
    assert "write a JSON list" in told(ConfigError, env={"GROUPOPS_QUIET_HOURS__WINDOWS": "22:00-07:30"})


def test_a_mistake_of_the_groups_own_is_named_so() -> None:
    wrong = told(ConfigError, "[quiet_hours]\nafter = 4\n", overrides={"quiet_hours.after": 0})

    assert wrong.startswith("the group's own setting quiet_hours.after = 0: ")


def test_every_mistake_is_told_at_once() -> None:
    wrong = told(PackError, "[quiet]\n[quiet_hours]\nafter = 0\n", overrides={"group.nam": "x"})

    assert len(wrong.splitlines()) == 3


def test_a_text_that_nobody_says_is_told_where_the_texts_are_known() -> None:
    wrong = told(PackError, "[messages.quiet_hours]\nremnd = 'x'\n", texts={"quiet_hours": ["remind"]})

    assert "messages.quiet_hours.remnd is no text; did you mean 'remind'?" in wrong


# — money (G18) —

OWING = '[red_packet]\nmode = "commitment"\n'
FILLED_IN = {"red_packet.legal_basis": "规章第 3 条", "red_packet.consulted_on": "2025-01-01"}


def test_money_is_not_owed_without_a_legal_basis_and_a_consultation() -> None:
    wrong = told(PackError, OWING)

    assert "red_packet.legal_basis is empty" in wrong
    assert "red_packet.consulted_on is empty" in wrong


def test_the_operator_may_fill_in_both() -> None:
    assert policy(OWING, overrides=FILLED_IN).settings["red_packet"] == Money(
        mode="commitment", legal_basis="规章第 3 条", consulted_on="2025-01-01"
    )


def test_a_shipped_pack_may_not_fill_them_in() -> None:
    text = f'[pack]\nid = "p"\n{OWING}legal_basis = "x"\nconsulted_on = "y"\n'

    with pytest.raises(PackError, match="legal_basis may not come with groupops"):
        resolve(PackShelf([parse_pack(text, shipped=True)]), PLUGINS, {}, ["p"], {})


# — when (G20) —


def dated(*dates: str) -> Policy:
    packs = [parse_pack(f'[pack]\nid = "p{i}"\neffective = "{day}"\n') for i, day in enumerate(dates)]
    return resolve(PackShelf(packs), {}, {}, [one.id for one in packs], {})


def test_the_latest_date_of_all_packs_counts() -> None:
    assert dated("2025-03-01", "2025-02-01", "").effective == date(2025, 3, 1)


def test_a_parents_date_counts_until_the_child_has_one() -> None:
    parent = parse_pack('[pack]\nid = "a"\neffective = "2025-03-01"\n')
    child = parse_pack('[pack]\nid = "b"\nextends = "a"\n')

    assert resolve(PackShelf([parent, child]), {}, {}, ["b"], {}).effective == date(2025, 3, 1)


@pytest.mark.parametrize("stage", [Stage.WARN_ONLY, Stage.ENFORCED])
def test_nothing_is_enforced_before_its_day_and_all_of_it_from_that_day_on(stage: Stage) -> None:
    effective = date(2025, 3, 3)

    assert effective_stage(stage, effective, date(2025, 3, 2)) is Stage.SHADOW
    assert effective_stage(stage, effective, effective) is stage
    assert effective_stage(stage, None, date(1970, 1, 1)) is stage


@pytest.mark.parametrize("stage", [Stage.DRAFT, Stage.REHEARSED, Stage.SHADOW])
def test_a_stage_that_books_nothing_does_not_wait_for_the_day(stage: Stage) -> None:
    assert effective_stage(stage, date(2025, 3, 3), date(2025, 3, 2)) is stage


# — showing —


def test_a_policy_is_shown_as_dotted_keys_that_can_be_set() -> None:
    shown = flat(policy('[quiet_hours]\nladders = { a = "kick" }\n'))

    assert shown["quiet_hours.after"] == 3
    assert shown["quiet_hours.ladders.a"] == "kick"
    assert shown["ladder.soft.steps"] == ["remind", "warn", "admin_case"]


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("quiet_hours.after", "7", 7),
        ("quiet_hours.tag", "7", "7"),
        ("quiet_hours.windows", "[]", []),
        ("group.name", "[甲]", "[甲]"),
        ("ladder.soft.ttl_days", "30", 30),
        ("messages.core.clause", "12", "12"),
        ("nobody.knows", "true", True),
    ],
)
def test_a_typed_value_is_read_as_its_setting_wants_it(key: str, text: str, value: object) -> None:
    assert read_value(key, text, PLUGINS) == value


@pytest.mark.parametrize(
    ("key", "parts"),
    [
        ("quiet_hours.after", ["quiet_hours", "after"]),
        ("clause.quiet_hours.rest.ref", ["clause", "quiet_hours.rest", "ref"]),
        ("clause.quiet_hours.rest", ["clause", "quiet_hours.rest"]),
        ("messages.core.step.warn", ["messages", "core", "step.warn"]),
        ("clause", ["clause"]),
    ],
)
def test_a_dotted_key_is_split_where_the_tables_are(key: str, parts: Sequence[str]) -> None:
    assert split_key(key) == tuple(parts)


def test_the_schema_of_packs_knows_the_tables_and_keys_of_what_is_installed() -> None:
    schema = pack_schema(PLUGINS)
    named = schema["properties"]["quiet_hours"]["$ref"].rpartition("/")[2]

    assert set(schema["$defs"][named]["properties"]) == set(Rest.model_fields)
    assert schema["$defs"][named]["properties"]["after"]["title"] == "几条之后"
    assert schema["$defs"][named]["additionalProperties"] is False


def test_the_schema_of_packs_allows_every_table_of_the_shipped_ones_and_no_other() -> None:
    schema = pack_schema(PLUGINS)
    tables = {table for one in PackShelf.load() for table in one.tables}

    assert schema["additionalProperties"] is False
    assert tables <= set(schema["properties"])
    assert "quiet" not in schema["properties"]
