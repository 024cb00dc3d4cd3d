"""The archive's own library, where it is installed: what goes wrong is told apart, and nothing is asked of outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig

import pytest

from groupops_wecom.exception import ConfigFault
from groupops_wecom.finance_sdk import FinanceSdk
from tests.e2e.started import free_port
from tests.support.peers import ROOT, home_of


async def test_without_the_library_it_is_said_what_to_install() -> None:
    with pytest.raises(ConfigFault, match="pip install pywecomarchive"):
        await anext(FinanceSdk("wwCORP", "SECRET", {}).read(0))


@pytest.mark.skipif(sys.platform != "linux", reason="NO WHEEL: pywecomarchive comes for Linux only")
def test_what_the_library_cannot_do_is_told_apart() -> None:
    home = home_of("wecom-python")
    paths = os.pathsep.join([str(ROOT / "adapters"), sysconfig.get_path("purelib")])

    done = subprocess.run(
        [home, ROOT / "tests/peers/wecom_finance_sdk.py", str(free_port())],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["pull"] == "NetworkError NetworkError(archive: 10001; nothing was pulled)"
    assert "cannot be decrypted" in said["nonsense"]
    assert "cannot be decrypted" in said["another's"]
    assert said["no key"].startswith("ConfigFault")
    assert "version 3 is missing" in said["not there"]
    assert "SECRET" not in done.stdout + done.stderr
