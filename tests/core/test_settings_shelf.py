"""The shelf of packs: what a file must be, who extends whom, and which order that makes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from groupops.errors import PackError
from groupops.settings import PackShelf, parse_pack, resolve


def shelf(*texts: str) -> PackShelf:
    return PackShelf(parse_pack(text, path=f"{number}.toml") for number, text in enumerate(texts, start=1))


def test_the_shipped_packs_lie_on_the_shelf_and_hold_without_any_plugin() -> None:
    loaded = PackShelf.load()

    assert {"s10", "s18"} <= {one.id for one in loaded}
    for one in loaded:
        assert resolve(loaded, {}, {}, [one.id], {}).titles == (one.title,)


@pytest.mark.parametrize("pack_id", ["s10", "s18"])
def test_every_clause_of_a_shipped_pack_has_a_number_and_a_text(pack_id: str) -> None:
    clauses = resolve(PackShelf.load(), {}, {}, [pack_id], {}).clauses

    assert all(clause.ref.startswith("篇十") and clause.text for clause in clauses.values())


@pytest.mark.parametrize(
    ("pack_id", "last_numbers"),
    [("s10", {"一": 2, "二": 9, "三": 5, "四": 0}), ("s18", {"一": 0, "二": 4, "三": 11, "四": 7})],
)
def test_no_rule_of_the_regulation_is_left_out(pack_id: str, last_numbers: dict[str, int]) -> None:
    clauses = resolve(PackShelf.load(), {}, {}, [pack_id], {}).clauses

    numbers = {
        number
        for part, last in last_numbers.items()
        for number in ([f"{part}.{item}" for item in range(1, last + 1)] or [part])
    }
    assert {clause.ref.split()[1] for clause in clauses.values()} == numbers


def test_a_pack_of_the_operators_lies_beside_the_shipped_ones(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('[pack]\nid = "mine"\nextends = "s10"\n', encoding="utf-8")

    loaded = PackShelf.load([tmp_path])

    assert [one.id for one in loaded.chain("mine")] == ["s10", "mine"]
    assert loaded.get("s10").shipped
    assert not loaded.get("mine").shipped


def test_the_header_is_read_whole() -> None:
    one = parse_pack(
        '[pack]\nid = "a"\ntitle = "t"\nextends = "b"\nsource_texts = ["S1"]\n'
        'effective = "2025-03-01"\ntimezone = "Asia/Urumqi"\n[group]\nname = "g"\n'
    )

    assert (one.title, one.extends, one.source_texts) == ("t", "b", ("S1",))
    assert (one.effective, one.timezone) == (date(2025, 3, 1), "Asia/Urumqi")
    assert one.tables == {"group": {"name": "g"}}


@pytest.mark.parametrize("effective", ['effective = ""', "", "effective = 2025-03-01"])
def test_an_effective_date_is_empty_missing_or_a_date(effective: str) -> None:
    one = parse_pack(f'[pack]\nid = "a"\n{effective}\n')

    assert one.effective in (None, date(2025, 3, 1))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[pack\n", "x.toml is not TOML"),
        ("[group]\n", r"x.toml has no table \[pack\]"),
        ("[pack]\n", "x.toml: key pack.id is missing"),
        ('schema = 2\n[pack]\nid = "a"\n', "schema = 2, but this version reads schema = 1"),
        ('[pack]\nid = "a"\nextend = "b"\n', "unknown key pack.extend; did you mean 'extends'"),
        ('[pack]\nid = "a"\neffective = "soon"\n', "pack.effective = 'soon'"),
        ('[pack]\nid = "a"\ntimezone = "Asia/Beijng"\n', "pack.timezone = 'Asia/Beijng': .*no such timezone"),
        ('[pack]\nid = "A b"\n', "pack.id = 'A b'"),
    ],
)
def test_a_file_that_is_no_pack_is_named_with_what_is_wrong(text: str, told: str) -> None:
    with pytest.raises(PackError, match=told):
        parse_pack(text, path="x.toml")


def test_packs_that_extend_one_another_in_a_circle_are_named_in_their_order() -> None:
    with pytest.raises(PackError, match="in a circle: b → c → b"):
        shelf(
            '[pack]\nid = "a"\nextends = "b"\n',
            '[pack]\nid = "b"\nextends = "c"\n',
            '[pack]\nid = "c"\nextends = "b"\n',
        )


def test_a_parent_that_is_not_there_is_told_with_the_nearest_one() -> None:
    with pytest.raises(
        PackError, match=r"pack 'b' \(2.toml\): pack.extends = 'alpa', .*did you mean 'alpha'"
    ):
        shelf('[pack]\nid = "alpha"\n', '[pack]\nid = "b"\nextends = "alpa"\n')


def test_two_files_with_one_id_are_both_named() -> None:
    with pytest.raises(PackError, match=r"pack 'a' \(2.toml\) has the id of pack 'a' \(1.toml\)"):
        shelf('[pack]\nid = "a"\n', '[pack]\nid = "a"\n')


def test_a_pack_that_is_not_there_is_told_with_the_nearest_one() -> None:
    with pytest.raises(PackError, match="there is no pack 's81'; did you mean 's18'"):
        PackShelf.load().get("s81")


def test_a_directory_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="is not a directory; GROUPOPS_PACKS_DIR"):
        PackShelf.load([tmp_path / "nowhere"])


def test_a_file_that_is_not_utf8_is_told(tmp_path: Path) -> None:
    (tmp_path / "gbk.toml").write_bytes('[pack]\nid = "a"\ntitle = "规则"\n'.encode("gbk"))

    with pytest.raises(PackError, match=r"gbk\.toml is not UTF-8"):
        PackShelf.load([tmp_path])


def test_an_ancestor_of_two_packs_is_laid_once_so_that_the_second_does_not_undo_the_first() -> None:
    packs = shelf(
        '[pack]\nid = "root"\n[discipline]\nappeal_hours = 1\n',
        '[pack]\nid = "a"\nextends = "root"\n[discipline]\nappeal_hours = 2\n',
        '[pack]\nid = "b"\nextends = "root"\n[discipline]\nburst_s = 3\n',
    )

    policy = resolve(packs, {}, {}, ["a", "b"], {})

    assert [one.id for one in packs.line(["a", "b"])] == ["root", "a", "b"]
    assert (policy.discipline.appeal_hours, policy.discipline.burst_s) == (2, 3)
