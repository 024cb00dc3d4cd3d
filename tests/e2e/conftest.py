"""What the stories begin with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.official_workshop import OfficialWorkshop
from tests.e2e.onebot_workshop import OneBotWorkshop
from tests.e2e.workshop import made_home


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a database that has the roster in it, made by the operator's commands; the stories copy it."""
    return made_home(tmp_path_factory.mktemp("home"), OneBotWorkshop, OfficialWorkshop)
