"""Start-up configuration: what `.env` and the process environment say, typed, before anything else runs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any, Literal, cast
from zoneinfo import available_timezones

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from groupops.errors import ConfigError
from groupops.people import Stage
from groupops.plugin import Manifest
from groupops.settings import CORE_MODELS, ENV_PREFIX, decode, expected
from groupops.shelf import nearest

OF_TESTS = frozenset({"GROUPOPS_DATA", "GROUPOPS_SOAK", "GROUPOPS_SOAK_SEED"})
"""Keys that belong to the test run; they are no settings and no mistakes."""

HOST, PORT = "127.0.0.1", 8080
"""Where NoneBot listens unless its keys of these names say otherwise."""

TOKEN_LENGTH = 16
"""Characters of the shortest token that opens a door."""

OF_NONEBOT = {"log_level": "LOG_LEVEL"}
"""Fields that are read from a key of NoneBot's, so that there is one key for one thing."""


class Config(BaseModel):
    """What is fixed while the process runs. Every field is the key `GROUPOPS_<FIELD>`, but for `OF_NONEBOT`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    adapters: tuple[str, ...] = Field(
        default=("sandbox",), title="启用的平台适配器(入口点名称),sandbox 为内置沙箱"
    )
    data_dir: Path = Field(default=Path("data"), title="数据目录,默认的数据库和临时文件放在这里")
    database_url: str = Field(
        default_factory=lambda known: f"sqlite://{known['data_dir'] / 'groupops.sqlite3'}",
        title="数据库地址;留空则用数据目录里的 SQLite 文件,也可写 postgres://用户:口令@主机/库名",
    )
    redis_url: str = Field(default="", title="计数器所用的 Redis 地址,留空则在进程内计数")
    bus: str = Field(default="", title="多进程部署时的总线地址(redis://…),留空则只有一个进程")
    packs_dir: Path | None = Field(default=None, title="自备规则包的目录,与自带的规则包一同可用")
    calendar_file: Path | None = Field(
        default=None, title="自己的上班日历(CSV:日期,workday 或 rest,名称),优先于内置的节假日数据"
    )
    default_packs: tuple[str, ...] = Field(default=(), title="绑定群时没有指明规则包就用这些")
    default_stage: Stage = Field(default=Stage.SHADOW, title="新绑定的群从哪个阶段开始")
    stewards: tuple[str, ...] = Field(default=(), title='首次启动时的管理员,写“平台:账号”,如 ["qq:10001"]')
    extra_plugins: tuple[str, ...] = Field(default=(), title="不打包也加载的插件模块名")
    disabled_plugins: tuple[str, ...] = Field(default=(), title="已安装但不加载的插件")
    timezone: str = Field(default="Asia/Shanghai", title="群没有另行指定时所用的时区")
    counters_fail: Literal["open", "hold"] = Field(
        default="open", title="Redis 不可用时:open 放行并告警,hold 暂停处理直到恢复"
    )
    gate: Literal["permission", "matcher"] = Field(
        default="permission", title="消息从 NoneBot 进入的方式,matcher 为兼容性最好的备用方式"
    )
    shards: int = Field(default=16, ge=1, le=1024, title="群分成多少路并行处理,同一群始终按顺序")
    queue_size: int = Field(default=1000, ge=1, le=1_000_000, title="每一路最多排队多少条,满了就让平台等待")
    hook_timeout_seconds: float = Field(default=5.0, gt=0, le=60, title="等待一个插件答复的最长时间(秒)")
    stop_timeout_seconds: float = Field(
        default=20.0, ge=0, le=600, title="停止时等待手头工作完成的最长时间(秒)"
    )
    delivery_queue: int = Field(
        default=1000, ge=1, le=1_000_000, title="每个平台在内存里至多排多少个待发动作,多出的留在数据库里等"
    )
    delivery_at_once: int = Field(default=8, ge=1, le=256, title="同时向一个平台发出的调用至多几个")
    outage_hours: float = Field(
        default=24.0,
        ge=1,
        le=720,
        title="连接中断时发不出去的动作最多等多少小时;过了就不再做,要紧的开工单",
    )
    pace: bool = Field(default=True, title="是否按平台说明的节奏发送(个人账号防风控)")
    pace_messages_per_minute: int | None = Field(
        default=None, ge=1, le=6000, title="有节奏要求的平台每分钟至多发多少条消息,留空则照平台说的"
    )
    pace_group_messages_per_minute: int | None = Field(
        default=None, ge=1, le=6000, title="其中每个群每分钟至多多少条,留空则照平台说的"
    )
    pace_slow_seconds: float | None = Field(
        default=None, gt=0, le=3600, title="两次移出、改名片、发公告之间至少隔几秒,留空则照平台说的"
    )
    scan_minutes: int = Field(default=360, ge=0, le=10080, title="每隔多少分钟读一遍各群成员名单,0 为从不读")
    health_tell: Literal["ticket", "log"] = Field(
        default="ticket", title="连接中断或机器人失去权限时:ticket 告诉管理员,log 只记日志"
    )
    health_grace_seconds: float = Field(default=60.0, ge=0, le=86400, title="连接中断多久(秒)才算出了问题")
    inbox_token: str = Field(default="", title="推送收件箱的口令,至少 16 个字符")
    inbox_dir: Path | None = Field(
        default=None,
        title="推送收件箱的目录,每个群一个子文件夹,由 groupops advise --watch 读;必须同时设口令,留空则不收推送",
    )
    env_prefixes: tuple[str, ...] = Field(
        default=(
            "ONEBOT_",
            "QQ_",
            "WECOM_",
            "WECHAT_",
            "WECHATY_",
            "WECHATCLAW_",
            "ILINK_",
            "WXMP_",
            "FASTAPI_",
        ),
        title="进程环境中哪些开头的键要交给适配器",
    )
    log_level: str | int = Field(default="INFO", title="日志级别(NoneBot 自己的键)")

    @field_validator("timezone")
    @classmethod
    def _timezone_exists(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"there is no such timezone{nearest(value, available_timezones())}")
        return value

    @field_validator("inbox_dir")
    @classmethod
    def _no_inbox_stands_open(cls, value: Path | None, known: ValidationInfo) -> Path | None:
        shown = len(known.data.get("inbox_token", ""))
        if value is not None and shown < TOKEN_LENGTH:
            raise ValueError(
                f"GROUPOPS_INBOX_TOKEN has {shown} characters; whoever pushes has to show one of {TOKEN_LENGTH} or more"
            )
        return value

    @field_validator("stewards")
    @classmethod
    def _stewards_have_a_platform(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for account in value:
            platform, colon, native = account.partition(":")
            if not (platform and colon and native):
                raise ValueError(
                    f'{account!r} names no platform; write "<platform>:<account>", e.g. "qq:10001"'
                )
        return value

    @property
    def pack_dirs(self) -> tuple[Path, ...]:
        """The operator's directories of packs, as `PackShelf.load` takes them."""
        return () if self.packs_dir is None else (self.packs_dir,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What was read at start.

    Args:
        config: the typed configuration.
        settings: the `GROUPOPS_…__…` keys, as `settings.resolve` takes them.
        nonebot: keywords for `nonebot.init`, typed, so that adapters find their own keys.
        host, port: where NoneBot listens, by its own keys.
    """

    config: Config
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    nonebot: Mapping[str, Any] = field(default_factory=dict[str, Any])
    host: str = HOST
    port: int = PORT


def dotenv_files(environ: Mapping[str, str], folder: Path) -> tuple[Path, ...]:
    """Give the files NoneBot reads in a folder, the stronger one last: `.env`, `.env.<ENVIRONMENT or prod>`."""
    base = folder / ".env"
    stated = _upper(dotenv_values(base, encoding="utf-8")) | _upper(environ)
    return base, folder / f".env.{stated.get('ENVIRONMENT') or 'prod'}"


def load_config(environ: Mapping[str, str], dotenv: Iterable[Path] = ()) -> Start:
    """Read the configuration; the process environment is stronger than files, a later file than an earlier.

    Args:
        environ: the process environment.
        dotenv: files in `.env` form; one that is not there is left out. See `dotenv_files`.

    Raises:
        ConfigError: a key is unknown or a value does not hold; the text names where it stands, the key, the
            value and what was expected.
    """
    values: dict[str, str] = {}
    sources: dict[str, str] = {}
    for source, found in _sources(environ, dotenv):
        values |= found
        sources |= dict.fromkeys(found, source)
    own = {key: value for key, value in values.items() if key.startswith(ENV_PREFIX) and key not in OF_TESTS}
    settings = {key: value for key, value in own.items() if "__" in key}
    flat_keys = {key: value for key, value in own.items() if "__" not in key}
    flat_keys |= {key: values[key] for key in OF_NONEBOT.values() if key in values}
    config = _config(flat_keys, sources)
    port = values.get("PORT", "")
    return Start(
        config=config,
        settings=settings,
        nonebot=nonebot_keywords(values, {}, config.env_prefixes),
        host=values.get("HOST", HOST),
        port=int(port) if port.isdigit() else PORT,
    )


def _sources(environ: Mapping[str, str], dotenv: Iterable[Path]) -> Iterator[tuple[str, dict[str, str]]]:
    for file in dotenv:
        if file.is_file():
            yield str(file), _upper(dotenv_values(file, encoding="utf-8"))
    yield "the environment", _upper(environ)


def _upper(values: Mapping[str, str | None]) -> dict[str, str]:
    """Keys mean the same in any case; an empty value is one that nobody filled in."""
    return {key.upper(): value.strip() for key, value in values.items() if value and value.strip()}


def env_key(name: str) -> str:
    """Give the key a field of `Config` is read from."""
    return OF_NONEBOT.get(name, f"{ENV_PREFIX}{name.upper()}")


def _config(values: Mapping[str, str], sources: Mapping[str, str]) -> Config:
    fields = {env_key(name): (name, info.annotation) for name, info in Config.model_fields.items()}
    unknown = [
        f"{sources[key]}: {key} is no setting{nearest(key, fields)}" for key in values if key not in fields
    ]
    typed = {fields[key][0]: decode(value, fields[key][1]) for key, value in values.items() if key in fields}
    try:
        config = Config.model_validate(typed)
    except ValidationError as error:
        raise ConfigError("\n".join([*unknown, *_faults(error, values, sources)])) from error
    if unknown:
        raise ConfigError("\n".join(unknown))
    return config


def _faults(error: ValidationError, values: Mapping[str, str], sources: Mapping[str, str]) -> Iterator[str]:
    for found in error.errors():
        key = env_key(str(found["loc"][0]))
        if key not in values:
            continue  # a default that hangs on another field's value
        why = str(found["ctx"]["error"]) if found["type"] == "value_error" else expected(dict(found))  # pyright: ignore[reportTypedDictNotRequiredAccess] - a value_error has one
        yield f"{sources[key]}: {key}={values[key]}: {why}"


def nonebot_keywords(
    environ: Mapping[str, str], dotenv: Mapping[str, str | None], prefixes: Iterable[str]
) -> dict[str, Any]:
    """Give the keywords `nonebot.init` needs so that adapters see their keys wherever these stand.

    NoneBot's global configuration finds keys it does not declare only in its files, never in the environment
    alone. Values are read as NoneBot reads its files: JSON where it is JSON, else text; `A__B` becomes a
    table. Keys are lower case, empty values are left out. A bare number is left out too: `get_plugin_config`
    reads it from the environment as the field wants it, and a token of digits handed over as a number would
    be refused where a text is wanted.

    Args:
        environ: the process environment; stronger than `dotenv`.
        dotenv: what the files say.
        prefixes: beginnings of the keys to hand over; nothing else of the environment is looked at.
    """
    starts = tuple(prefix.upper() for prefix in prefixes)
    keywords: dict[str, Any] = {}
    values = _upper(dotenv) | _upper(environ)
    for key in sorted(values, key=lambda key: (key.count("__"), key)):
        value = decode(values[key], None)
        if starts and key.startswith(starts) and not _is_bare_number(key, value):
            _put(keywords, key.lower().split("__"), value)
    return keywords


def _is_bare_number(key: str, value: Any) -> bool:
    return "__" not in key and isinstance(value, int | float) and not isinstance(value, bool)


def _put(table: dict[str, Any], path: list[str], value: Any) -> None:
    *tables, last = path
    for name in tables:
        inner = table.get(name)
        if not isinstance(inner, dict):
            inner = table[name] = {}
        table = inner  # pyright: ignore[reportUnknownVariableType] - JSON of any shape
    table[last] = value


def env_example(manifests: Mapping[str, Manifest]) -> str:
    """Give the text of `.env.example`: every setting an operator may set, its default and one sentence.

    Args:
        manifests: the plugins whose settings are to be listed.
    """
    words = Template(resources.files("groupops").joinpath("env.template").read_text("utf-8"))
    core = "\n\n".join(_entry(env_key(name), *_shown(Config, name)) for name in Config.model_fields)
    tables = [_table(name, model, "") for name, model in CORE_MODELS.items()]
    tables += [_table(name, one.settings, one.title) for name, one in sorted(manifests.items())]
    return words.substitute(core=core, tables="\n".join(table for table in tables if table)).rstrip() + "\n"


def _table(name: str, model: type[BaseModel], title: str) -> str:
    entries = list(_entries(name, model))
    head = f"# --- {name}" + (f" {title}" if title else "") + " ---\n\n"
    return head + "\n\n".join(entries) + "\n" if entries else ""


def _entries(path: str, model: type[BaseModel]) -> Iterator[str]:
    for name, info in model.model_fields.items():
        inner = info.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _entries(f"{path}__{name}", inner)
        else:
            yield _entry(f"{ENV_PREFIX}{path}__{name}".upper(), *_shown(model, name))


def _shown(model: type[BaseModel], name: str) -> tuple[str, str]:
    """Give a field's sentence and its default as it would be typed."""
    info = model.model_fields[name]
    if info.is_required() or (info.default_factory is not None and model is Config):
        return info.title or name, ""
    default = info.get_default(call_default_factory=True, validated_data={})
    return info.title or name, _as_typed(default)


def _as_typed(value: Any) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, str | Path):
        return str(value)
    if isinstance(value, set | frozenset):
        value = sorted(cast("set[Any]", value))
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else str(value)


def _entry(key: str, title: str, default: str) -> str:
    return f"# {title}\n# {key}={default}"
