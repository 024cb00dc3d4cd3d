"""Scenarios: acceptance cases in Chinese Gherkin, played on the make-believe platform with a stopped clock."""

from groupops.scenario.language import Registry, Step, given, then, when
from groupops.scenario.playing import (
    Played,
    Report,
    Result,
    Watcher,
    installed_plugins,
    load,
    play,
    play_one,
    run,
)
from groupops.scenario.reading import Scenario
from groupops.scenario.stage import Stageplay, Unmet
from groupops.scenario.steps import registry
from groupops.scenario.words import profile_names

__all__ = [
    "Played",
    "Registry",
    "Report",
    "Result",
    "Scenario",
    "Stageplay",
    "Step",
    "Unmet",
    "Watcher",
    "given",
    "installed_plugins",
    "load",
    "play",
    "play_one",
    "profile_names",
    "registry",
    "run",
    "then",
    "when",
]
