"""Every scenario file is played here, one test for each scenario and profile."""

from pathlib import Path

import pytest

from groupops.scenario import Scenario, installed_plugins, load, play_one
from groupops.scenario.playing import chosen_profiles

FOLDER = Path(__file__).parents[2] / "scenarios"
INSTALLED = installed_plugins()


def _name(scenario: Scenario, profile: str) -> str:
    where = scenario.path.relative_to(FOLDER).with_suffix("")
    return f"{where}:{scenario.line}:{scenario.title.partition(' ')[0]}@{profile}"


CASES = [
    pytest.param(scenario, profile, id=_name(scenario, profile))
    for scenario in load([FOLDER])
    for profile in chosen_profiles(scenario, INSTALLED)
]


@pytest.mark.parametrize(("scenario", "profile"), CASES)
async def test_a_scenario_holds(scenario: Scenario, profile: str) -> None:
    result = await play_one(scenario, profile, plugins=INSTALLED)

    if result.verdict == "skipped":
        pytest.skip(result.why)
    assert result.verdict == "passed", result.why
