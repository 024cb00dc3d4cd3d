"""Every acceptance line of the packs that are told in full is a scenario, and says which rules it is about."""

import re
from collections import Counter
from pathlib import Path

import pytest

from groupops.scenario import Scenario, load
from groupops.settings import CATALOGUE

FOLDER = Path(__file__).parents[2] / "scenarios"

LINES = {
    "s02": (
        "S02-01 S02-03 S02-05 S02-06 S02-07 S02-10 S02-11 S02-12 "
        "S02-13 S02-14 S02-16 S02-18 S02-19 S02-21 S02-22 S02-23 "
    ),
    "s09": (
        "S09-01 S09-02 S09-03 S09-06 S09-08 S09-11 S09-12 S09-13 S09-16 S09-17 S09-18 S09-19 S09-20 S09-21 "
    ),
    "s10": (
        "S10-02 S10-03 S10-05 S10-06 S10-09 S10-10 S10-11 S10-12 "
        "S10-16 S10-17 S10-19 S10-20 S10-21 S10-23 S10-24 S10-25 "
    ),
    "common": (
        "COM-02 COM-05 COM-08 COM-10 COM-11 COM-13 COM-14 COM-15 "
        "COM-16 COM-17 COM-18 COM-19 COM-20 COM-21 COM-22 COM-23 "
    ),
}
"""The acceptance list of each pack, by folder."""

TITLE = re.compile(r"(?P<line>[A-Z0-9]+-\d\d) \((?P<rules>S\d\d[a-c]?\.R\d+(?:, S\d\d[a-c]?\.R\d+)*)\)")

SCENARIOS = load([FOLDER])


def of_folder(folder: str) -> list[Scenario]:
    return [one for one in SCENARIOS if one.path.parent.name == folder]


@pytest.mark.parametrize("folder", LINES)
def test_every_line_is_a_scenario_of_its_folder(folder: str) -> None:
    told = Counter(one.title.partition(" ")[0] for one in of_folder(folder))

    assert [line for line in LINES[folder].split() if not told[line]] == []


@pytest.mark.parametrize("folder", LINES)
def test_a_scenario_of_a_line_names_its_rules(folder: str) -> None:
    lines = [one.title for one in of_folder(folder) if re.match(r"[A-Z0-9]+-\d\d", one.title)]

    assert [title for title in lines if not TITLE.match(title)] == []


@pytest.mark.parametrize("folder", ["s02", "s09", "s10"])
def test_scenarios_are_said_for_all_nine_profiles(folder: str) -> None:
    assert [one.title for one in of_folder(folder) if "@profiles" not in one.tags and not one.only] == []


def test_a_scenario_waits_for_plugins_that_are_known() -> None:
    assert {name for one in SCENARIOS for name in one.needs} <= CATALOGUE
