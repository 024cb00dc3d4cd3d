"""What an adapter says it can do is read from its own file, role by role."""

from __future__ import annotations

from pathlib import Path

import pytest

from groupops import Capability, Role, profile_of

FILE = """
[one]
title = "A connection"
can = ["send_text"]
can_as_admin = ["mute"]
can_as_owner = ["announce"]
hears = ["message_posted"]
hears_as_admin = ["join_requested"]
hears_privately = ["command_given"]
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package that holds a profile and nothing else."""
    name = f"profile_of_{tmp_path.name}"
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    return name


def write(package: str, tmp_path: Path, text: str) -> None:
    (tmp_path / package / "profile.toml").write_text(text, "utf-8")


def test_whoever_has_a_role_can_do_what_the_lesser_ones_can(package: str, tmp_path: Path) -> None:
    write(package, tmp_path, FILE)

    can = profile_of(package).can

    assert can[Role.MEMBER] == can[Role.UNKNOWN] == {Capability.SEND_TEXT}
    assert can[Role.ADMIN] == {Capability.SEND_TEXT, Capability.MUTE}
    assert can[Role.OWNER] == can[Role.ADMIN] | {Capability.ANNOUNCE}


def test_what_is_said_privately_is_heard_in_every_role(package: str, tmp_path: Path) -> None:
    write(package, tmp_path, FILE)

    found = profile_of(package)

    assert found.hears_as(Role.MEMBER) == {"message_posted", "command_given"}
    assert found.hears_as(Role.ADMIN) == {"message_posted", "command_given", "join_requested"}


def test_a_capability_there_is_none_of_is_named(package: str, tmp_path: Path) -> None:
    write(package, tmp_path, FILE.replace("send_text", "fly"))

    with pytest.raises(ValueError, match="fly"):
        profile_of(package)


@pytest.mark.parametrize("package", ["groupops_ilink", "groupops_wechat", "groupops_wxmp"])
def test_the_profile_of_a_house_adapter_is_there(package: str) -> None:
    assert profile_of(package).title
