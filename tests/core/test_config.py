"""The start-up configuration: typed from wherever it stands, and every mistake is named with its place."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import Field

from groupops import Manifest, Settings
from groupops.config import Config, dotenv_files, env_example, load_config, nonebot_keywords
from groupops.errors import ConfigError
from groupops.people import Stage

START_NONEBOT = """
import json, os, sys
from pathlib import Path
import nonebot
from nonebot.adapters.onebot.v11.config import Config as OneBot
from nonebot.drivers import Driver
from pydantic import BaseModel
from groupops.config import dotenv_files, load_config

class Bots(BaseModel):
    qq_bots: list[dict[str, str]] = []
    qq_is_sandbox: bool = False
    qq_intent: dict[str, int] = {}
    qq_token: str = ""
    qq_port: int = 0

start = load_config(os.environ, dotenv_files(os.environ, Path()))
if "--as-nonebot-alone" in sys.argv:
    nonebot.init(driver="~none")
else:
    nonebot.init(driver="~none", **start.nonebot)
onebot, bots = nonebot.get_plugin_config(OneBot), nonebot.get_plugin_config(Bots)
print(json.dumps({
    "token": onebot.onebot_access_token,
    "secret": onebot.onebot_secret,
    "urls": sorted(map(str, onebot.onebot_ws_urls)),
    "bots": bots.qq_bots,
    "sandbox": bots.qq_is_sandbox,
    "intent": bots.qq_intent,
    "digits": [bots.qq_token, bots.qq_port],
    "global": getattr(nonebot.get_driver().config, "qq_bots", None),
}))
"""

IN_THE_ENVIRONMENT = {
    "ONEBOT_ACCESS_TOKEN": "letmein",
    "ONEBOT_SECRET": "12345",
    "ONEBOT_WS_URLS": '["ws://127.0.0.1:3001/"]',
    "QQ_BOTS": '[{"id": "1", "secret": "s"}]',
    "QQ_IS_SANDBOX": "true",
    "QQ_INTENT__GUILDS": "1",
}
A_JSON_LIST = 'write a JSON list, e.g. ["one", "two"]'
AN_ACCOUNT = 'write "<platform>:<account>", e.g. "qq:10001"'
AS_THE_ADAPTERS_WANT_IT = {
    "token": "letmein",
    "secret": "12345",
    "urls": ["ws://127.0.0.1:3001/"],
    "bots": [{"id": "1", "secret": "s"}],
    "sandbox": True,
    "intent": {"guilds": 1},
    "digits": ["", 0],
    "global": [{"id": "1", "secret": "s"}],
}


def what_the_adapters_see(folder: Path, environ: dict[str, str], *arguments: str) -> dict[str, object]:
    """Start NoneBot in a process of its own and ask for the adapters' configuration."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("ONEBOT_", "QQ_"))}
    done = subprocess.run(
        [sys.executable, "-c", START_NONEBOT, *arguments],
        cwd=folder,
        env={**clean, **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_keys_of_adapters_that_stand_only_in_the_environment_arrive_typed(tmp_path: Path) -> None:
    assert what_the_adapters_see(tmp_path, IN_THE_ENVIRONMENT) == AS_THE_ADAPTERS_WANT_IT


def test_keys_of_adapters_that_stand_only_in_the_file_arrive_just_the_same(tmp_path: Path) -> None:
    lines = [f"{key}='{value}'" for key, value in IN_THE_ENVIRONMENT.items()]
    (tmp_path / ".env").write_text("\n".join(lines), encoding="utf-8")

    assert what_the_adapters_see(tmp_path, {}) == AS_THE_ADAPTERS_WANT_IT


def test_the_environment_is_stronger_than_the_file_and_tables_of_both_are_joined(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ONEBOT_ACCESS_TOKEN=old\nQQ_INTENT__GUILDS=0\n", encoding="utf-8")

    seen = what_the_adapters_see(tmp_path, {"ONEBOT_ACCESS_TOKEN": "new", "QQ_INTENT__USERS": "1"})

    assert seen["token"] == "new"
    assert seen["intent"] == {"guilds": 0, "users": 1}


def test_a_token_of_digits_stays_a_text_and_a_port_becomes_a_number(tmp_path: Path) -> None:
    assert what_the_adapters_see(tmp_path, {"QQ_TOKEN": "123456", "QQ_PORT": "3001"})["digits"] == [
        "123456",
        3001,
    ]


def test_nonebot_alone_would_not_have_them_in_its_global_configuration(tmp_path: Path) -> None:
    assert what_the_adapters_see(tmp_path, IN_THE_ENVIRONMENT, "--as-nonebot-alone")["global"] is None


def test_only_keys_with_the_named_beginnings_are_handed_over() -> None:
    environ = {"PATH": "secret", "ONEBOT_SECRET": "x", "HOST": "0.0.0.0", "QQ_EMPTY": ""}

    assert nonebot_keywords(environ, {}, ["ONEBOT_", "QQ_"]) == {"onebot_secret": "x"}


def test_nothing_is_handed_over_when_no_beginnings_are_named() -> None:
    assert nonebot_keywords({"ONEBOT_SECRET": "x"}, {}, []) == {}


def test_a_key_under_a_table_is_stronger_than_the_same_key_in_the_table() -> None:
    environ = {"QQ_INTENT": '{"guilds": 0, "users": 0}', "QQ_INTENT__GUILDS": "1"}

    assert nonebot_keywords(environ, {}, ["QQ_"]) == {"qq_intent": {"guilds": 1, "users": 0}}


def test_without_any_key_everything_has_its_default() -> None:
    start = load_config({})

    assert start.config == Config()
    assert start.config.adapters == ("sandbox",)
    assert start.config.default_stage is Stage.SHADOW
    assert start.config.database_url == "sqlite://data/groupops.sqlite3"


def test_the_database_lies_in_the_data_directory_unless_it_has_an_address(tmp_path: Path) -> None:
    in_folder = load_config({"GROUPOPS_DATA_DIR": str(tmp_path)}).config
    elsewhere = load_config({"GROUPOPS_DATABASE_URL": "postgres://u:p@h/d"}).config

    assert in_folder.database_url == f"sqlite://{tmp_path / 'groupops.sqlite3'}"
    assert elsewhere.database_url == "postgres://u:p@h/d"


def test_values_are_typed_and_keys_mean_the_same_in_any_case() -> None:
    environ = {
        "groupops_shards": "4",
        "GROUPOPS_STEWARDS": '["qq:10001"]',
        "GROUPOPS_DEFAULT_STAGE": "warn_only",
        "GROUPOPS_PACKS_DIR": "packs",
        "LOG_LEVEL": "DEBUG",
    }

    config = load_config(environ).config

    assert config.shards == 4
    assert config.stewards == ("qq:10001",)
    assert config.default_stage is Stage.WARN_ONLY
    assert config.pack_dirs == (Path("packs"),)
    assert config.log_level == "DEBUG"


def test_the_environment_beats_the_second_file_which_beats_the_first(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "GROUPOPS_SHARDS=1\nGROUPOPS_QUEUE_SIZE=1\nGROUPOPS_TIMEZONE=UTC\n", encoding="utf-8"
    )
    (tmp_path / ".env.prod").write_text("GROUPOPS_SHARDS=2\nGROUPOPS_QUEUE_SIZE=2\n", encoding="utf-8")

    config = load_config({"GROUPOPS_SHARDS": "3"}, dotenv_files({}, tmp_path)).config

    assert (config.shards, config.queue_size, config.timezone) == (3, 2, "UTC")


def test_which_second_file_is_read_is_said_by_the_environment_or_by_the_first(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ENVIRONMENT=test\n", encoding="utf-8")

    assert dotenv_files({}, tmp_path)[1].name == ".env.test"
    assert dotenv_files({"ENVIRONMENT": "dev"}, tmp_path)[1].name == ".env.dev"


def test_settings_of_plugins_are_kept_as_they_were_written() -> None:
    start = load_config({"GROUPOPS_QUIET_HOURS__ACTION": "remind", "GROUPOPS_SHARDS": "2"})

    assert start.settings == {"GROUPOPS_QUIET_HOURS__ACTION": "remind"}


def test_an_empty_value_is_one_that_nobody_filled_in() -> None:
    assert load_config({"GROUPOPS_SHARDS": "", "GROUPOPS_PACKS_DIR": " "}).config == Config()


def test_every_mistake_is_told_at_once_with_the_place_where_it_stands(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("GROUPOPS_SHARDS=0\nGROUPOPS_ADAPTER=sandbox\n", encoding="utf-8")

    with pytest.raises(ConfigError) as caught:
        load_config({"GROUPOPS_ADAPTERS": "sandbox", "GROUPOPS_STEWARDS": '["10001"]'}, [file])

    told = str(caught.value).splitlines()
    assert told == [
        f"{file}: GROUPOPS_ADAPTER is no setting; did you mean 'GROUPOPS_ADAPTERS'?",
        f"the environment: GROUPOPS_ADAPTERS=sandbox: input should be a valid tuple; {A_JSON_LIST}",
        f"the environment: GROUPOPS_STEWARDS=[\"10001\"]: '10001' names no platform; {AN_ACCOUNT}",
        f"{file}: GROUPOPS_SHARDS=0: input should be greater than or equal to 1",
    ]


def test_a_timezone_that_does_not_exist_is_told_with_the_nearest_one() -> None:
    with pytest.raises(ConfigError, match=r"GROUPOPS_TIMEZONE=Asia/Shangai: .*did you mean 'Asia/Shanghai'"):
        load_config({"GROUPOPS_TIMEZONE": "Asia/Shangai"})


def test_keys_of_the_test_run_are_no_mistakes() -> None:
    assert load_config({"GROUPOPS_DATA": "somewhere", "GROUPOPS_SOAK": "full"}).config == Config()


def test_the_example_of_a_setting_that_must_be_filled_in_is_empty() -> None:
    class Needy(Settings):
        token: str = Field(title="口令")

    assert "# 口令\n# GROUPOPS_NEEDY__TOKEN=\n" in env_example({"needy": Manifest(title="", settings=Needy)})
