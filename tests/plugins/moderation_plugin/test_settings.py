"""What an operator may set about moderation, and what is said about what he may not."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from groupops import Member, Role, Severity
from groupops.errors import ConfigError
from groupops.people import AccountId
from groupops.settings import PackShelf, parse_pack, resolve
from groupops_moderation import manifest
from groupops_moderation.categories import load_categories, within
from groupops_moderation.lists import read_list
from groupops_moderation.settings import Moderation
from tests.plugins.moderation_plugin.stories import pack


def resolved(table: str, use: str = '"insult"', ladders: str = 'default = "soft"') -> Moderation:
    shelf = PackShelf.load().plus(parse_pack(pack(table, use, ladders), path="clean.toml"))
    policy = resolve(shelf, {"moderation": manifest}, {}, ["clean"], {})
    settings = policy.settings["moderation"]
    assert isinstance(settings, Moderation)
    return settings


def refused(**values: object) -> str:
    with pytest.raises(ValidationError) as caught:
        Moderation.model_validate(values)
    return str(caught.value)


@pytest.mark.parametrize("category", ["bad_tendency", "religion", "defame_org", "clique", "negative"])
def test_humans_alone_decide_on_opinions(category: str) -> None:
    for key in ("auto_max", "list_max"):
        why = refused(use=[category], categories={category: {key: "remind"}})
        assert f"categories.{category}.{key}" in why
        assert "'flag'" in why


def test_no_category_ships_beyond_what_an_operator_may_set() -> None:
    for category in load_categories().values():
        assert within(category.auto_max, category.ceiling)
        assert within(category.list_max, category.ceiling)


def test_opinions_have_no_word_list() -> None:
    for id_ in ("bad_tendency", "religion"):
        assert "words" not in load_categories()[id_].detectors


def test_every_category_is_a_rule() -> None:
    assert {rule.id for rule in manifest.rules} == {f"moderation.{id_}" for id_ in load_categories()}


def test_an_unknown_category_is_named_with_the_nearest() -> None:
    assert "did you mean 'gambling'" in refused(use=["gamblin"])


def test_an_unknown_ladder_is_named_by_the_pack_that_names_it() -> None:
    with pytest.raises(ConfigError, match=r"clean.*moderation\.ladders\.insult.*'sof'"):
        resolved("", ladders='insult = "sof"')


def test_a_ladder_for_no_category_is_an_error() -> None:
    assert "no category 'insults'" in refused(ladders={"insults": "soft"})


def test_without_a_default_the_soft_ladder_is_the_default() -> None:
    settings = resolved("", ladders='incite = "kick"')
    assert (settings.ladder_of("incite"), settings.ladder_of("insult")) == ("kick", "soft")


def test_a_lower_limit_holds_for_list_hits_too_unless_they_have_their_own() -> None:
    lower = Moderation.model_validate({"use": ["porn"], "categories": {"porn": {"auto_max": "flag"}}})
    assert (lower.active["porn"].auto_max, lower.active["porn"].list_max) == ("flag", "flag")
    apart = {"porn": {"auto_max": "flag", "list_max": "recall"}}
    settings = Moderation.model_validate({"use": ["porn"], "categories": apart})
    assert settings.active["porn"].list_max == "recall"


def test_severity_and_detectors_may_be_set() -> None:
    table = {"insult": {"severity": "high", "detectors": ["report"]}}
    insult = Moderation.model_validate({"use": ["insult"], "categories": table}).active["insult"]
    assert (insult.severity, insult.detectors) == (Severity.HIGH, frozenset({"report"}))


def test_a_pattern_that_matches_everything_is_refused_by_name() -> None:
    why = refused(use=["insult"], patterns={"all": {"pattern": "a*", "category": "insult"}})
    assert "'all'" in why
    assert "every message" in why


def test_a_word_of_one_character_is_refused() -> None:
    assert "'骂'" in refused(operator_words={"insult": ["骂"]})


def test_a_plain_list_of_words_stands_for_other_harm_and_of_domains_for_malware() -> None:
    settings = Moderation.model_validate({"operator_words": ["某某事件"], "url_deny": ["*.Bad.test"]})
    assert settings.operator_words == {"other_harm": ("某某事件",)}
    assert settings.url_deny == {"malware_link": ("bad.test",)}


def test_a_domain_that_is_none_is_refused() -> None:
    assert "'no domain'" in refused(url_allow=["no domain"])


@pytest.mark.parametrize(
    ("roles", "who"),
    [
        (["owner"], Member(account=AccountId("qq:1"), role=Role.OWNER)),
        (["leader"], Member(account=AccountId("qq:1"), org_roles=frozenset({"leader"}))),
        (["steward"], Member(account=AccountId("qq:1"), steward=True)),
    ],
)
def test_only_a_role_that_is_named_is_exempt(roles: list[str], who: Member) -> None:
    assert Moderation.model_validate({"exempt_roles": roles}).exempts(who)
    assert not Moderation().exempts(who)


# — list files —


def written(folder: Path, text: str) -> str:
    file = folder / "words.txt"
    file.write_text(text, encoding="utf-8")
    return str(file)


def test_a_list_file_has_a_category_in_brackets_above_its_words(tmp_path: Path) -> None:
    path = written(tmp_path, "# ours\n[incite]\n围堵大楼\n\n[porn]\n某会所\n")
    assert read_list(path) == (("incite", ("围堵大楼",)), ("porn", ("某会所",)))


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("围堵大楼\n", 1, "under no category"),
        ("[incite]\n\n围\n", 3, "at least 2"),
        ("[incites]\n", 1, "no category 'incites'"),
    ],
)
def test_a_wrong_line_of_a_list_file_is_named(tmp_path: Path, text: str, line: int, why: str) -> None:
    path = written(tmp_path, text)
    told = refused(operator_list_files=[path])
    assert f"line {line}" in told
    assert "words.txt" in told
    assert why in told


def test_a_list_file_in_another_encoding_is_refused_with_the_line(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_bytes("[incite]\n围堵\n".encode("gb18030"))
    assert "line 2: not UTF-8" in refused(operator_list_files=[str(file)])


def test_a_list_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "nowhere.txt" in refused(operator_list_files=[str(tmp_path / "nowhere.txt")])


def test_a_list_file_is_read_again_once_it_changed(tmp_path: Path) -> None:
    path = written(tmp_path, "[incite]\n围堵大楼\n")
    assert read_list(path) == (("incite", ("围堵大楼",)),)
    written(tmp_path, "[incite]\n围堵大楼\n罢市\n")
    assert read_list(path) == (("incite", ("围堵大楼", "罢市")),)


def test_too_many_words_of_its_own_send_an_operator_to_a_file() -> None:
    assert "operator_list_files" in refused(operator_words={"insult": [f"词{n:05}" for n in range(2001)]})
