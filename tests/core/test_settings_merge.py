"""The laws of merging settings, on whatever sources there may be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from groupops import Manifest, Settings
from groupops.errors import ConfigError
from groupops.settings import Pack, PackShelf, resolve


class Shop(Settings):
    count: int = Field(default=0, ge=0, title="数")
    words: tuple[str, ...] = Field(default=(), title="词")
    prices: dict[str, int] = Field(default_factory=dict, title="表")
    open: bool = Field(default=True, title="开")


PLUGINS = {"one": Manifest(title="一", settings=Shop), "two": Manifest(title="二", settings=Shop)}
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "count": st.integers(0, 9),
    "words": st.lists(st.sampled_from("abc"), max_size=3),
    "prices": st.dictionaries(st.sampled_from("xyz"), st.integers(0, 9), max_size=3),
    "open": st.booleans(),
}
TABLES = st.fixed_dictionaries({}, optional={n: st.fixed_dictionaries({}, optional=FIELDS) for n in PLUGINS})
CHAINS = st.lists(TABLES, min_size=1, max_size=5)


def stacked(tables: list[dict[str, Any]]) -> PackShelf:
    """Each pack extends the one before it."""
    return PackShelf(
        Pack(id=f"p{n}", extends=f"p{n - 1}" if n else "", tables=table) for n, table in enumerate(tables)
    )


def side_by_side(tables: list[dict[str, Any]]) -> PackShelf:
    return PackShelf(Pack(id=f"p{n}", tables=table) for n, table in enumerate(tables))


def names(tables: list[dict[str, Any]]) -> list[str]:
    return [f"p{n}" for n, _ in enumerate(tables)]


def settings(
    shelf: PackShelf,
    packs: list[str],
    env: Mapping[str, str] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> dict[str, dict[str, Any]]:
    found = resolve(shelf, PLUGINS, env or {}, packs, overrides or {})
    return {name: one.model_dump() for name, one in found.settings.items()}


def said(tables: list[dict[str, Any]], plugin: str, key: str) -> list[Any]:
    """What the packs say of a key, first to last: the plain definition, without merging."""
    return [table[plugin][key] for table in tables if key in table.get(plugin, {})]


@given(tables=CHAINS, plugin=st.sampled_from(list(PLUGINS)), key=st.sampled_from(["count", "words", "open"]))
def test_the_last_pack_that_sets_a_key_explicitly_wins(
    tables: list[dict[str, Any]], plugin: str, key: str
) -> None:
    expected = [Shop.model_fields[key].default, *said(tables, plugin, key)][-1]

    found = settings(side_by_side(tables), names(tables))[plugin][key]

    assert found == (tuple(expected) if key == "words" else expected)


@given(tables=CHAINS, plugin=st.sampled_from(list(PLUGINS)))
def test_tables_merge_key_by_key(tables: list[dict[str, Any]], plugin: str) -> None:
    expected: dict[str, int] = {}
    for prices in said(tables, plugin, "prices"):
        expected.update(prices)

    assert settings(side_by_side(tables), names(tables))[plugin]["prices"] == expected


@given(tables=CHAINS)
def test_extending_is_the_same_as_binding_one_after_another(tables: list[dict[str, Any]]) -> None:
    extended = settings(stacked(tables), [names(tables)[-1]])

    assert extended == settings(side_by_side(tables), names(tables))


@given(tables=st.lists(TABLES, min_size=3, max_size=5), cut=st.integers(1, 4))
def test_it_makes_no_difference_where_a_chain_is_cut_and_continued(
    tables: list[dict[str, Any]], cut: int
) -> None:
    cut = min(cut, len(tables) - 1)
    first, second = tables[:cut], tables[cut:]
    shelf = PackShelf(
        [
            *stacked(first),
            *(
                Pack(id=f"q{n}", extends=f"q{n - 1}" if n else "", tables=table)
                for n, table in enumerate(second)
            ),
        ]
    )

    found = settings(shelf, [f"p{cut - 1}", f"q{len(second) - 1}"])

    assert found == settings(stacked(tables), [names(tables)[-1]])


@given(tables=CHAINS, typed=st.fixed_dictionaries({}, optional=FIELDS))
def test_the_environment_shows_only_where_no_pack_says_anything(
    tables: list[dict[str, Any]], typed: dict[str, Any]
) -> None:
    env = {f"GROUPOPS_ONE__{key.upper()}": json.dumps(value) for key, value in typed.items()}

    found = settings(side_by_side(tables), names(tables), env=env)

    as_first_pack = [{"one": typed}, *tables]
    assert found == settings(side_by_side(as_first_pack), names(as_first_pack))


@given(tables=CHAINS, own=st.fixed_dictionaries({}, optional=FIELDS))
def test_the_groups_own_settings_lie_on_top_of_everything(
    tables: list[dict[str, Any]], own: dict[str, Any]
) -> None:
    found = settings(
        side_by_side(tables),
        names(tables),
        env={"GROUPOPS_ONE__COUNT": "5"},
        overrides={f"one.{key}": value for key, value in own.items()},
    )["one"]

    for key, value in own.items():
        if key == "prices":
            assert value.items() <= found["prices"].items()
        else:
            assert found[key] == (tuple(value) if key == "words" else value)


@given(tables=CHAINS, at=st.integers(0, 4), key=st.text("abcdefgh_", min_size=1, max_size=8))
def test_an_unknown_key_is_always_named_whatever_lies_above_it(
    tables: list[dict[str, Any]], at: int, key: str
) -> None:
    at = min(at, len(tables) - 1)
    wrong = f"{key}_no"
    tables = [{**table, "one": {**table.get("one", {}), **({wrong: 1} if n == at else {})}} for n, table in enumerate(tables)]  # fmt: skip

    with pytest.raises(ConfigError) as caught:
        settings(side_by_side(tables), names(tables))

    assert f"pack 'p{at}': one.{wrong} is no key" in str(caught.value)
