"""Looks over an installation and says of everything that is wrong what to do about it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import Final, Literal
from zoneinfo import ZoneInfo

from rich.console import Console

from groupops.clock import SystemClock
from groupops.config import Start
from groupops.counters import open_counters
from groupops.errors import GroupOpsError
from groupops.operations import (
    apps_of,
    assemble,
    calendar_of,
    load_hooks,
    opened,
    read_start,
    ready_folder,
    shelf_of,
)
from groupops.plan import GroupPlan
from groupops.store import schema

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

_ANYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, never listened on

YES = frozenset({"1", "on", "t", "true", "y", "yes"})
"""What an operator may write for yes."""

BOT_WITHIN_S = 3.0
"""Seconds the running bot may take to say how it is."""

State = Literal["ok", "warn", "bad"]

MARKS = {"ok": "[green]✓[/]", "warn": "[yellow]![/]", "bad": "[red]✗[/]"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Args:
        about: what, in Chinese.
        state: fine, worth a look, or broken.
        what: what was found.
        todo: what to do; empty when fine.
    """

    about: str
    state: State
    what: str
    todo: str = ""


async def examine(start: Start | None = None) -> tuple[Finding, ...]:
    """Look at configuration, plugins, packs, database, counters, calendar, groups and unsafe settings.

    Args:
        start: the configuration; read from `.env` and the environment if not given.

    Returns:
        What was found, in order; nothing is changed by looking.
    """
    if start is None:
        try:
            start = read_start()
        except GroupOpsError as error:
            return (Finding("配置", "bad", str(error), "按提示修改 .env 后重试。"),)
    findings = [Finding("配置", "ok", f"数据目录 {start.config.data_dir}")]
    looks: tuple[Callable[[Start], Awaitable[list[Finding]]], ...] = (
        _plugins,
        _packs,
        _database,
        _counters,
        _calendar,
        _doors,
        running_bot,
        _groups,
    )
    for look in looks:
        try:
            findings += await look(start)
        except GroupOpsError as error:
            findings.append(
                Finding(_ABOUT[look.__name__], "bad", str(error), "按提示处理后再运行 groupops doctor。")
            )
    return tuple(findings)


_ABOUT = {
    "_plugins": "插件",
    "_packs": "规则包",
    "_database": "数据库",
    "_counters": "计数器",
    "_calendar": "日历",
    "_doors": "对外接口",
    "running_bot": "运行中的机器人",
    "_groups": "群",
}


async def _plugins(start: Start) -> list[Finding]:
    hooks = load_hooks(start.config)
    return [Finding("插件", "ok", "、".join(sorted(hooks.loaded)))]


async def _packs(start: Start) -> list[Finding]:
    return [Finding("规则包", "ok", f"{len(shelf_of(start.config))} 个")]


async def _database(start: Start) -> list[Finding]:
    ready_folder(start.config)
    url = start.config.database_url
    missing = await schema.behind(url, apps_of(load_hooks(start.config)))
    if not missing:
        return [Finding("数据库", "ok", schema.shown(url))]
    if url.startswith("sqlite:"):
        return [Finding("数据库", "ok", f"{schema.shown(url)}(启动时自动升级)")]
    return [Finding("数据库", "bad", f"结构落后 {len(missing)} 步", "运行 groupops migrate。")]


async def _counters(start: Start) -> list[Finding]:
    if not start.config.redis_url:
        return [Finding("计数器", "ok", "进程内")]
    counters = open_counters(start.config.redis_url, SystemClock(), fail="hold")
    try:
        await counters.peek("doctor", 1.0)
    finally:
        await counters.close()
    return [Finding("计数器", "ok", "Redis")]


async def _calendar(start: Start) -> list[Finding]:
    today = SystemClock().now().astimezone(ZoneInfo(start.config.timezone)).date()
    missing = calendar_of(start.config).years_to_warn_of(today)
    if not missing:
        return [Finding("日历", "ok", f"{today.year} 年节假日数据齐全")]
    years = "、".join(map(str, missing))
    return [
        Finding(
            "日历",
            "warn",
            f"{years} 年没有调休数据,暂按周末休息",
            "国务院通知发布后升级 chinesecalendar,或用 GROUPOPS_CALENDAR_FILE 指定自己的日历表。",
        )
    ]


async def _doors(start: Start) -> list[Finding]:
    """Look for doors that stand open: an adapter without secrets, or a server that listens beyond this machine."""
    findings: list[Finding] = []
    given = {key.lower(): value for key, value in start.nonebot.items()}
    host = start.host
    if host not in LOOPBACK:
        findings.append(
            Finding(
                "对外接口",
                "warn",
                f"HOST={host} 对外监听",
                "仅在有反向代理和防火墙时这样设置,否则改为 127.0.0.1。",
            )
        )
    if "onebot" in start.config.adapters and not given.get("onebot_access_token"):
        findings.append(
            Finding(
                "对外接口",
                "bad",
                "ONEBOT_ACCESS_TOKEN 为空",
                "在 .env 中设置口令,并在 NapCat/LuckyLillia 中填写相同的值。",
            )
        )
    if "wechat" in start.config.adapters:
        findings.append(_account_at_risk(str(given.get("wechaty_accept_unofficial_risk", ""))))
    findings += [
        finding for name in sorted(_LONE) if name in start.config.adapters for finding in _lone(name, given)
    ]
    if start.config.stewards:
        findings.append(Finding("管理员", "ok", f"{len(start.config.stewards)} 名首次管理员"))
    return findings or [Finding("对外接口", "ok", f"只在 {host} 监听")]


_LONE: Final[Mapping[str, tuple[str, str, tuple[str, ...], str]]] = {
    "ilink": (
        "管理员的微信",
        "nonebot.adapters.wechatclaw",
        ("wechatclaw_accounts", "wechatclaw_token"),
        "只有一对一私信:扫码的管理员先说话,24 小时内才发得到他;令牌失效要重新扫码",
    ),
    "wxmp": (
        "公众号",
        "nonebot.adapters.wxmp",
        ("wxmp_bots",),
        "只收签名对得上的推送;关注者先说话才发得到他,回调地址要由反向代理接到本机",
    ),
}
"""Adapters of platforms without groups → what it is, the package behind it, the keys that name a bot, what to know."""


def _lone(name: str, given: Mapping[str, object]) -> list[Finding]:
    """Say whether a platform where one speaks alone is there and has a bot."""
    about, package, keys, known = _LONE[name]
    advice = f"pip install 'groupops[{name}]',或从 GROUPOPS_ADAPTERS 中去掉 {name}。"
    if not _is_there(package):
        return [Finding(about, "bad", f"没有安装 {package}", advice)]
    if not any(given.get(key) for key in keys):
        wanted = " 或 ".join(key.upper() for key in keys)
        return [Finding(about, "bad", f"{wanted} 没有写,机器人不会启动", "见 docs/adapters_ilink.md。")]
    return [Finding(about, "ok", known)]


def _is_there(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:
        return False


def _account_at_risk(accepted: str) -> Finding:
    """Say what a personal WeChat account behind other software risks, whether or not that was accepted."""
    if accepted.lower() not in YES:
        return Finding(
            "微信账号",
            "bad",
            "没有写 WECHATY_ACCEPT_UNOFFICIAL_RISK=true,机器人不会启动:微信不允许以非官方软件操作个人号",
            "账号主人知道账号可能被限制或封禁并同意,才在 .env 里写上;否则用企业微信、QQ,或不用机器人的 groupops advise。",
        )
    return Finding(
        "微信账号",
        "warn",
        "个人号经非官方软件登录,账号可能被限制或封禁",
        "不要用主号;放慢说话(GROUPOPS_PACE_…),留好备份,见 docs/adapters_wechat.md。",
    )


async def running_bot(start: Start) -> list[Finding]:
    """Ask the bot that runs on this machine how it and its connections are; one that does not run is no fault."""
    import httpx  # only whoever asks needs it

    host = "127.0.0.1" if start.host in _ANYWHERE else start.host
    about = _ABOUT["running_bot"]
    url = f"http://{f'[{host}]' if ':' in host else host}:{start.port}/readyz"
    try:
        async with httpx.AsyncClient(timeout=BOT_WITHIN_S, trust_env=False) as client:
            answer = await client.get(url)
    except (httpx.HTTPError, httpx.InvalidURL):
        return [Finding(about, "ok", f"没有在 {host}:{start.port} 运行")]
    lines = answer.text.splitlines()
    if not lines or lines[-1] not in ("ready", "not ready"):
        return [
            Finding(about, "warn", f"{host}:{start.port} 上是别的程序", "改 .env 里的 PORT,或停掉那个程序。")
        ]
    return [of_line(about, line) for line in lines[:-1]]


def of_line(about: str, line: str) -> Finding:
    """Give what a line of the running bot's own account comes to; what a platform says of itself goes along."""
    name, _, state = line.partition(": ")
    if state.startswith("ok") and state.endswith(")"):
        return Finding(about, "warn", line, "连接正常;括号里是平台告诉的情况,照适配器文档检查群设置。")
    if state.startswith("ok"):
        return Finding(about, "ok", line)
    if name.startswith("platform "):
        return Finding(about, "warn", line, "看协议端是否在线、账号是否被踢下线,口令和地址是否一致。")
    return Finding(about, "warn", line, "看日志里这一项的原因。")


async def _groups(start: Start) -> list[Finding]:
    """Look at the bound groups; a database that is behind is left alone."""
    if not start.config.database_url.startswith("sqlite:") and await schema.behind(
        start.config.database_url, apps_of(load_hooks(start.config))
    ):
        return []
    async with opened(assemble(start)) as engine:
        plans = engine.plans.all()
        stewards = await engine.parts.records.stewards()
    findings = [_group(plan) for plan in plans]
    if not plans:
        findings.append(
            Finding("群", "warn", "还没有绑定任何群", "运行 groupops group bind <平台:群号> --pack <编号>。")
        )
    if not stewards:
        findings.append(Finding("管理员", "warn", "没有管理员", "运行 groupops steward add <平台:账号>。"))
    return findings


def _group(plan: GroupPlan) -> Finding:
    about = f"群 {plan.group.id}"
    if plan.policy.inactive:
        return Finding(
            about,
            "warn",
            f"未安装的插件:{'、'.join(plan.policy.inactive)}",
            "安装这些插件,或忽略:相应条文暂不执行。",
        )
    return Finding(about, "ok", f"阶段 {plan.stage.value},第 {plan.group.revision} 版")


def show(findings: tuple[Finding, ...], console: Console, *, as_json: bool = False) -> int:
    """Print findings.

    Returns:
        1 when something is broken, else 0.
    """
    if as_json:
        console.print_json(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False))
    else:
        for finding in findings:
            console.print(MARKS[finding.state], end=" ")
            console.print(f"{finding.about}:{finding.what}", markup=False, highlight=False)
            if finding.todo:
                console.print(f"    → {finding.todo}", markup=False, highlight=False)
    return int(any(finding.state == "bad" for finding in findings))
