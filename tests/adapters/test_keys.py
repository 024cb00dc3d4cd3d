"""Without which keys an adapter does not start is written where an operator looks first."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from nonebot.adapters.onebot.v11.config import Config as OneBotConfig
from nonebot.adapters.qq.config import Config as QQConfig

from groupops import ConfigError
from groupops_onebot.config import Config as OwnOneBot
from groupops_onebot.door import door_of
from groupops_qq.config import Config as OwnQQ
from groupops_qq.door import setup_of

ROOT = Path(__file__).parents[2]
KEY = re.compile(r"\b(?:ONEBOT|QQ)_[A-Z_]+\b")


def onebot() -> object:
    return door_of(OneBotConfig.model_validate({}), OwnOneBot(onebot_http=True))


def official() -> object:
    return setup_of(QQConfig.model_validate({}), OwnQQ())


@pytest.mark.parametrize(
    ("start", "wanted"),
    [
        (onebot, {"ONEBOT_ACCESS_TOKEN", "ONEBOT_HTTP", "ONEBOT_SECRET", "ONEBOT_SELF_IDS"}),
        (official, {"QQ_BOTS"}),
    ],
)
@pytest.mark.parametrize("page", [".env.example", "docs/settings.md"])
def test_every_key_for_lack_of_which_a_start_is_refused_is_listed(
    start: Callable[[], object], wanted: set[str], page: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        start()
    named = set(KEY.findall(str(refused.value)))

    assert named == wanted
    assert named <= set(KEY.findall((ROOT / page).read_text(encoding="utf-8")))
