"""The bench's runner: rows are gathered, rubbish is refused, and what is missing is named. Nothing here is timed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import __main__ as bench
from bench.figures import QUIET, SHARE, BadRow, calm, checked, fits, fittest, met, row

GOOD = {"id": "A1", "value": 2.5, "goal": ">= 2", "unit": "x", "against": "nothing at all", "rounds": 5}

Lay = Callable[..., Path]


@pytest.fixture
def lay(tmp_path: Path) -> Lay:
    """Lays benches into a folder of their own: name → what its `rows()` gives, or the source of its body."""

    def laid(**bodies: str | list[dict[str, Any]]) -> Path:
        folder = tmp_path / "trial"
        folder.mkdir()
        for name, body in bodies.items():
            text = body if isinstance(body, str) else f"return {body!r}"
            (folder / f"{name}.py").write_text(f"import sys\n\ndef rows():\n    {text}\n", "utf-8")
        return folder

    return laid


def kept(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / "latest.json").read_text("utf-8"))
    return found


def test_rows_of_all_benches_are_gathered_and_kept(lay: Lay, capsys: pytest.CaptureFixture[str]) -> None:
    folder = lay(one=[GOOD], two=[{**GOOD, "id": "B1"}, {**GOOD, "id": "B2"}])

    assert bench.main([], folder) == 0

    assert kept(folder) == [GOOD, {**GOOD, "id": "B1"}, {**GOOD, "id": "B2"}]
    shown = capsys.readouterr().out
    assert all(name in shown for name in ("A1", "B1", "B2", "✓"))


def test_a_missed_goal_is_listed_and_fails_nothing(lay: Lay, capsys: pytest.CaptureFixture[str]) -> None:
    folder = lay(slow=[{**GOOD, "value": 1.5}])

    assert bench.main([], folder) == 0

    shown = capsys.readouterr().out
    assert "✗" in shown
    assert "MISSED A1" in shown


def test_a_bench_that_breaks_is_named_and_the_others_are_still_shown(
    lay: Lay, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = lay(fine=[GOOD], torn="raise RuntimeError('no such figure')")

    assert bench.main([], folder) == 1

    shown = capsys.readouterr().out
    assert "BROKE torn" in shown
    assert "no such figure" in shown
    assert kept(folder) == [GOOD]


def test_what_a_bench_leaves_out_is_said_aloud(lay: Lay, capsys: pytest.CaptureFixture[str]) -> None:
    folder = lay(shy="print('NO DATA: the folder is absent', file=sys.stderr); return []")

    assert bench.main([], folder) == 0

    assert "LEFT OUT of shy: NO DATA: the folder is absent" in capsys.readouterr().out


def test_a_bench_that_measures_nothing_without_a_word_is_named(
    lay: Lay, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench.main([], lay(mute=[])) == 0

    assert "LEFT OUT of mute: NO ROWS" in capsys.readouterr().out


def test_one_bench_alone_leaves_the_kept_figures_as_they_are(lay: Lay) -> None:
    folder = lay(one=[GOOD], two=[{**GOOD, "id": "B1"}])
    bench.main([], folder)
    before = kept(folder)

    assert bench.main(["--only", "two"], folder) == 0

    assert kept(folder) == before


def test_json_on_the_output_is_nothing_but_the_rows(lay: Lay, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["--json"], lay(slow=[{**GOOD, "value": 1.5}])) == 0

    captured = capsys.readouterr()
    assert json.loads(captured.out) == [{**GOOD, "value": 1.5}]
    assert "MISSED A1" in captured.err


def test_a_name_that_no_bench_has_is_answered_with_those_there_are(
    lay: Lay, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench.main(["--only", "fame"], lay(one=[GOOD])) == 2

    assert "no bench 'fame'; there are: one" in capsys.readouterr().err


def test_two_rows_with_one_id_are_refused(lay: Lay, capsys: pytest.CaptureFixture[str]) -> None:
    folder = lay(one=[GOOD], two=[GOOD])

    assert bench.main([], folder) == 1

    assert "BROKE two: row 'A1' is there already, from one" in capsys.readouterr().out
    assert kept(folder) == [GOOD]


def test_a_bench_that_never_ends_is_given_up(lay: Lay) -> None:
    folder = lay(endless="import time; time.sleep(60)")

    assert "given up" in bench.run("endless", folder, patience=0.5).fault


def test_every_bench_of_the_project_is_found() -> None:
    assert {"counters", "flow", "memory", "quality", "store"} <= set(bench.benches(bench.HERE))
    assert "rig" not in bench.benches(bench.HERE)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"goal": "> 2"}, "expected '>= number' or '<= number'"),
        ({"goal": "about 2"}, "expected '>= number'"),
        ({"value": float("nan")}, "expected a finite number"),
        ({"value": "2"}, "expected a finite number"),
        ({"value": True}, "expected a finite number"),
        ({"rounds": 0}, "expected a whole number from 1"),
        ({"unit": ""}, "expected a text that is not empty"),
        ({"mood": "good"}, "with exactly id, value, goal"),
    ],
)
def test_a_malformed_row_is_refused_by_name(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(BadRow, match=complaint):
        checked({**GOOD, **change})


@pytest.mark.parametrize("rubbish", [None, 3, "A1", [GOOD], {"id": "A1"}])
def test_what_is_no_mapping_of_the_six_is_refused(rubbish: Any) -> None:
    with pytest.raises(BadRow, match="is no row"):
        checked(rubbish)


def test_a_malformed_row_spoils_its_bench_and_no_other(lay: Lay, capsys: pytest.CaptureFixture[str]) -> None:
    folder = lay(fine=[GOOD], odd=[{**GOOD, "id": "B1", "rounds": 0}])

    assert bench.main([], folder) == 1

    assert "BROKE odd: row 'B1': rounds = 0" in capsys.readouterr().out
    assert kept(folder) == [GOOD]


@given(value=st.floats(-1e6, 1e6), goal=st.integers(-1000, 1000))
def test_a_goal_is_met_at_the_limit_and_on_its_own_side(value: float, goal: int) -> None:
    least, most = {**GOOD, "value": value}, {**GOOD, "value": value}
    least["goal"], most["goal"] = f">= {goal}", f"<= {goal}"

    assert met(least) == (value >= goal)
    assert met(most) == (value <= goal)


def test_a_row_holds_the_median_of_its_rounds() -> None:
    made = row("A1", [5, 1, 3], "<= 3", "µs", "itself")

    assert (made["value"], made["rounds"]) == (3, 3)
    assert met(made)


# — measuring how long messages wait —


def test_waiting_is_taken_at_the_load_it_should_be_and_while_nobody_took_the_cores_away() -> None:
    assert fits({"busy": SHARE, "stolen": QUIET})
    assert not fits({"busy": SHARE + 0.1, "stolen": 0.0})
    assert not fits({"busy": SHARE, "stolen": 2 * QUIET})
    assert fits({"busy": SHARE, "stolen": 0.0, "held": QUIET})
    assert not fits({"busy": SHARE, "stolen": 0.0, "held": 2 * QUIET})


def test_of_several_measurings_the_fittest_counts_however_long_messages_waited() -> None:
    fit, busy, disturbed = (
        {"busy": busy, "stolen": stolen, "p99": p99}
        for busy, stolen, p99 in ((SHARE, 0.0, 9.0), (SHARE + 0.1, 0.0, 1.0), (SHARE, 0.5, 1.0))
    )

    assert fittest([disturbed, busy, fit]) == fit
    assert fittest([disturbed, busy]) == busy
    assert fittest([disturbed, {**disturbed, "stolen": 0.1}])["stolen"] == 0.1


def test_a_machine_of_which_there_is_no_time_to_see_is_not_calm() -> None:
    assert not calm(within=0)
