"""The operator's commands."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine, Iterable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar, cast

import typer
from rich.console import Console
from rich.table import Table

from groupops.errors import GroupOpsError
from groupops.operations import (
    LoguruLog,
    apps_of,
    assemble,
    load_hooks,
    opened,
    read_start,
    ready_folder,
    shelf_of,
)
from groupops.people import AccountId, GroupId, Stage
from groupops.records import Steward
from groupops.revisions import change
from groupops.settings import flat, pack_schema, read_value

P = ParamSpec("P")
T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help="按群规运营工作群。")
pack_app = typer.Typer(no_args_is_help=True, help="规则包。")
group_app = typer.Typer(no_args_is_help=True, help="群:绑定、阶段、设置、版本。")
steward_app = typer.Typer(no_args_is_help=True, help="管理员。")
scenario_app = typer.Typer(no_args_is_help=True, help="情景文件。")
app.add_typer(pack_app, name="pack")
app.add_typer(group_app, name="group")
app.add_typer(steward_app, name="steward")
app.add_typer(scenario_app, name="scenario")

AUTHOR = "operator"
"""Who is named as the author of a change made by command."""

Json = Annotated[bool, typer.Option("--json", help="以 JSON 输出")]
GroupArg = Annotated[str, typer.Argument(help="群,写“平台:群号”,如 qq:123456")]
Packs = Annotated[list[str], typer.Option("--pack", help="规则包编号,可多次")]


def out() -> Console:
    """Give the console that is written to."""
    return Console(emoji=False)


def _told(function: Callable[P, int | None]) -> Callable[P, None]:
    """Turn an error of ours into its sentence and exit code 1; anything else is a fault and shows itself."""

    @wraps(function)
    def told(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            code = function(*args, **kwargs)
        except GroupOpsError as error:
            Console(stderr=True, emoji=False).print(str(error), style="red", markup=False, highlight=False)
            raise typer.Exit(1) from None
        if code:
            raise typer.Exit(code)

    return told


def _now(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


# — running —


@app.command()
@_told
def run() -> int:
    """启动机器人(NoneBot)。"""
    from groupops.bridge import serve  # NoneBot is only loaded by the process that needs it

    serve(assemble(read_start(), log=LoguruLog()))
    return 0


@app.command()
@_told
def demo(
    headless: Annotated[bool, typer.Option("--headless", help="不停顿、不着色")] = False,
    folder: Annotated[
        Path | None, typer.Option("--out", help="周报和月结写到哪里(缺省 groupops-demo/)")
    ] = None,
) -> int:
    """演示:一个公司群的一周。"""
    from groupops.demo import run_demo

    return run_demo(headless=headless, console=out(), out=folder)


@app.command()
@_told
def migrate(
    check: Annotated[bool, typer.Option("--check", help="只看是否落后")] = False,
) -> int:
    """把数据库升级到当前版本。"""
    from groupops.store import schema

    start = read_start()
    ready_folder(start.config)
    apps = apps_of(load_hooks(start.config))
    url = start.config.database_url
    if check:
        missing = _now(schema.behind(url, apps))
        out().print("\n".join(missing) if missing else "数据库已是最新。", markup=False)
        return 1 if missing else 0
    done = _now(schema.migrate(url, apps))
    out().print("\n".join(done) if done else "数据库已是最新。", markup=False)
    return 0


@app.command()
@_told
def doctor(as_json: Json = False) -> int:
    """检查配置、数据库、计数器、连接、日历和不安全的设置,并说明怎么办。"""
    from groupops.doctor import examine, show

    findings = _now(examine())
    return show(findings, out(), as_json=as_json)


@app.command()
@_told
def plugins(as_json: Json = False) -> int:
    """列出已安装的插件和适配器。"""
    hooks = load_hooks(read_start().config)
    rows = [
        {
            "name": name,
            "title": one.manifest.title,
            "module": one.module.__name__,
            "hears": sorted(one.manifest.hears),
            "commands": [command.word for command in one.manifest.commands],
        }
        for name, one in sorted(hooks.loaded.items())
    ]
    return _shown(
        rows, ("name", "title", "module", "commands"), ("名称", "标题", "模块", "指令"), as_json=as_json
    )


# — packs —


@pack_app.command("list")
@_told
def pack_list(as_json: Json = False) -> int:
    """列出可用的规则包。"""
    rows = [
        {"id": pack.id, "title": pack.title, "extends": pack.extends, "source": ", ".join(pack.source_texts)}
        for pack in shelf_of(read_start().config)
    ]
    return _shown(
        rows, ("id", "title", "extends", "source"), ("编号", "标题", "继承", "来源"), as_json=as_json
    )


@pack_app.command("show")
@_told
def pack_show(pack_id: Annotated[str, typer.Argument(help="规则包编号")], as_json: Json = False) -> int:
    """按条文展示一个规则包。"""
    from groupops.views import pack_text

    start = read_start()
    hooks = load_hooks(start.config)
    shelf = shelf_of(start.config)
    policy = _resolver(hooks, shelf, start.settings).policy((pack_id,), {})
    if as_json:
        out().print_json(json.dumps(flat(policy), ensure_ascii=False, default=str))
        return 0
    text = pack_text(shelf.get(pack_id), policy, hooks.manifests)
    out().print(text, markup=False, highlight=False, soft_wrap=True)
    return 0


@pack_app.command("check")
@_told
def pack_check(
    files: Annotated[list[Path], typer.Argument(help="规则包文件")],
    schema: Annotated[bool, typer.Option("--schema", help="改为打印规则包的 JSON 模式")] = False,
) -> int:
    """检查规则包文件,说明每处错误。"""
    from groupops.shelf import parse_pack

    start = read_start()
    hooks = load_hooks(start.config)
    if schema:
        out().print_json(json.dumps(pack_schema(hooks.manifests), ensure_ascii=False))
        return 0
    packs = [parse_pack(_text(path), path=str(path)) for path in files]
    shelf = shelf_of(start.config).plus(*packs)
    for pack in packs:
        policy = _resolver(hooks, shelf, start.settings).policy((pack.id,), {})
        waiting = f",待安装的插件:{', '.join(policy.inactive)}" if policy.inactive else ""
        out().print(f"{pack.id} 无误:启用 {', '.join(policy.enabled) or '无'}{waiting}", markup=False)
    return 0


# — groups —


@group_app.command("list")
@_told
def group_list(as_json: Json = False) -> int:
    """列出已绑定的群。"""

    async def work() -> list[dict[str, Any]]:
        async with opened(assemble(read_start())) as engine:
            return [
                {
                    "group": plan.group.id,
                    "name": plan.group.name,
                    "packs": list(plan.group.packs),
                    "stage": plan.stage.value,
                    "revision": plan.group.revision,
                }
                for plan in engine.plans.all()
            ]

    keys = ("group", "name", "packs", "stage", "revision")
    return _shown(_now(work()), keys, ("群", "群名", "规则包", "阶段", "版本"), as_json=as_json)


@group_app.command("bind")
@_told
def group_bind(
    group: GroupArg,
    pack: Packs,
    stage: Annotated[Stage | None, typer.Option(help="从哪个阶段开始")] = None,
    name: Annotated[str, typer.Option(help="群名")] = "",
    owner: Annotated[str, typer.Option(help="群主账号,如 qq:10001")] = "",
    timezone: Annotated[str, typer.Option(help="时区")] = "",
) -> int:
    """绑定一个群并指定规则包。"""
    start = read_start()

    async def work() -> str:
        async with opened(assemble(start)) as engine:
            plan = await engine.bind_group(
                _group(group),
                packs=pack or start.config.default_packs,
                stage=stage,
                name=name,
                owner=AccountId(owner) if owner else None,
                timezone=timezone,
                author=AUTHOR,
            )
            return f"已绑定 {group}:{', '.join(plan.group.packs)},阶段 {plan.stage.value},第 {plan.group.revision} 版。"

    out().print(_now(work()), markup=False)
    return 0


@group_app.command("unbind")
@_told
def group_unbind(group: GroupArg) -> int:
    """解除绑定;已有的事项和审计保留。"""

    async def work() -> None:
        async with opened(assemble(read_start())) as engine:
            await engine.unbind_group(_group(group), author=AUTHOR)

    _now(work())
    out().print(f"已解除 {group}。", markup=False)
    return 0


@group_app.command("stage")
@_told
def group_stage(
    group: GroupArg,
    stage: Annotated[Stage, typer.Argument(help="draft rehearsed shadow warn_only enforced")],
    force: Annotated[bool, typer.Option(help="跳级")] = False,
) -> int:
    """调整群规的阶段。"""

    async def work() -> str:
        async with opened(assemble(read_start())) as engine:
            plan = await engine.stage(_group(group), stage, author=AUTHOR, force=force)
            waits = f"({plan.until} 生效前仍为 {plan.stage.value})" if plan.until else ""
            return f"{group} 现为 {stage.value}{waits}。"

    out().print(_now(work()), markup=False)
    return 0


@group_app.command("set")
@_told
def group_set(
    group: GroupArg,
    key: Annotated[str, typer.Argument(help="如 quiet_hours.action")],
    value: Annotated[str, typer.Argument(help="新值;留空表示恢复规则包的值")] = "",
) -> int:
    """修改群的一项设置。"""

    async def work() -> str:
        async with opened(assemble(read_start())) as engine:
            typed = read_value(key, value, engine.resolver.manifests) if value else None
            plan = await engine.set(_group(group), key, typed, author=AUTHOR)
            return f"{group} 第 {plan.group.revision} 版:{key} = {flat(plan.policy).get(key)!r}"

    out().print(_now(work()), markup=False)
    return 0


@group_app.command("show")
@_told
def group_show(
    group: GroupArg,
    history: Annotated[bool, typer.Option("--history", help="改为显示历次版本")] = False,
    as_json: Json = False,
) -> int:
    """显示群现行的全部设置,或历次版本。"""

    async def work() -> tuple[dict[str, Any], list[dict[str, Any]]]:
        async with opened(assemble(read_start())) as engine:
            plan = engine.plans.of(_group(group))
            if plan is None:
                await engine.revise(_group(group), lambda now: change(now, "group.name", None), author=AUTHOR)
            revisions = [
                {
                    "number": r.number,
                    "at": f"{r.at:%Y-%m-%d %H:%M}",
                    "author": r.author,
                    "diff": dict(r.diff),
                    "note": r.note,
                }
                for r in await engine.history(_group(group))
            ]
            return (flat(plan.policy) if plan else {}), revisions

    policy, revisions = _now(work())
    if history:
        keys = ("number", "at", "author", "diff", "note")
        return _shown(revisions, keys, ("版本", "时间", "作者", "变化", "说明"), as_json=as_json)
    rows = [{"key": key, "value": value} for key, value in policy.items()]
    return _shown(rows, ("key", "value"), ("设置", "值"), as_json=as_json)


@group_app.command("rollback")
@_told
def group_rollback(group: GroupArg, number: Annotated[int, typer.Argument(help="回到第几版")]) -> int:
    """回到以前的一版(作为新的一版)。"""

    async def work() -> int:
        async with opened(assemble(read_start())) as engine:
            return (await engine.roll_back(_group(group), number, author=AUTHOR)).group.revision

    out().print(f"{group} 现为第 {_now(work())} 版,内容同第 {number} 版。", markup=False)
    return 0


# — stewards —

AccountArg = Annotated[str, typer.Argument(help="账号,写“平台:账号”,如 qq:10001")]
InGroup = Annotated[str, typer.Option("--group", help="只在这个群;不写为所有群")]


@steward_app.command("add")
@_told
def steward_add(account: AccountArg, group: InGroup = "") -> int:
    """增加一名管理员。"""

    async def work() -> None:
        async with opened(assemble(read_start())) as engine:
            await engine.people.add_steward(_steward(account, group), by=AUTHOR)

    _now(work())
    out().print(f"已增加管理员 {account}。", markup=False)
    return 0


@steward_app.command("remove")
@_told
def steward_remove(account: AccountArg, group: InGroup = "") -> int:
    """取消一名管理员。"""

    async def work() -> bool:
        async with opened(assemble(read_start())) as engine:
            return await engine.people.remove_steward(_steward(account, group), by=AUTHOR)

    there = _now(work())
    out().print(f"已取消管理员 {account}。" if there else f"没有管理员 {account}。", markup=False)
    return 0 if there else 1


@steward_app.command("list")
@_told
def steward_list(as_json: Json = False) -> int:
    """列出管理员。"""

    async def work() -> list[dict[str, Any]]:
        async with opened(assemble(read_start())) as engine:
            return [
                {"account": one.account, "group": one.group_id or "*"}
                for one in await engine.parts.records.stewards()
            ]

    return _shown(_now(work()), ("account", "group"), ("账号", "群"), as_json=as_json)


# — rehearsing —


@scenario_app.command("run")
@_told
def scenario_run(
    paths: Annotated[list[Path], typer.Argument(help="情景文件或目录")],
    profile: Annotated[str, typer.Option(help="平台能力配置")] = "",
    as_json: Json = False,
) -> int:
    """在沙箱里演练情景文件。"""
    from groupops.scenario import run as play

    return play(paths, profile or None, as_json, out())


@app.command()
@_told
def rehearse(
    file: Annotated[Path, typer.Argument(help="聊天记录,任何认得的格式(见 docs/transcripts.md)")],
    pack: Packs,
    roster: Annotated[Path | None, typer.Option(help="名册 CSV")] = None,
    since: Annotated[str, typer.Option(help="从哪天起,如 2026-09-01")] = "",
    until: Annotated[str, typer.Option(help="到哪天止")] = "",
    against: Annotated[str, typer.Option(help="与另一规则包比较")] = "",
    lenient: Annotated[bool, typer.Option(help="跳过读不懂的行并报告")] = False,
    group: Annotated[str, typer.Option(help="文件里有几个群时,指明是哪个(编号或名称)")] = "",
    day: Annotated[str, typer.Option(help="文件里的时间不带日期时,指明(最后)一天")] = "",
    as_json: Json = False,
) -> int:
    """用历史记录预演规则包:会命中谁、哪一条。"""
    from groupops.rehearsal import run_rehearsal

    return run_rehearsal(
        file,
        pack,
        roster=roster,
        since=since,
        until=until,
        against=against or None,
        lenient=lenient,
        group=group,
        day=day,
        as_json=as_json,
        console=out(),
    )


@app.command()
@_told
def advise(
    files: Annotated[
        list[Path] | None, typer.Argument(help="聊天记录,任何认得的格式(见 docs/transcripts.md);可多个")
    ] = None,
    group: Annotated[str, typer.Option("--group", help="群,写“平台:群号”,如 wechat:工作群")] = "",
    members: Annotated[
        str,
        typer.Option("--members", help="成员名单:文件(每行一个名字、CSV 或 ChatLab);- 表示从标准输入粘贴"),
    ] = "",
    folder: Annotated[
        Path | None, typer.Option("--out", help="把网页、JSON 和可粘贴的提示写到这个文件夹")
    ] = None,
    watched: Annotated[Path | None, typer.Option("--watch", help="看着这个收件文件夹,放进来就读")] = None,
    word: Annotated[str, typer.Option("--say", help="替管理员答复,如 “批准 12 属实”")] = "",
    by: Annotated[str, typer.Option("--by", help="答复的管理员账号,如 wechat:wxid_1")] = "",
    chat: Annotated[str, typer.Option("--chat", help="文件里有几个群时,指明是哪个(编号或名称)")] = "",
    day: Annotated[str, typer.Option(help="文件里的时间不带日期时,指明(最后)一天")] = "",
    lenient: Annotated[bool, typer.Option(help="跳过读不懂的行并报告")] = False,
    as_json: Json = False,
) -> int:
    """没有机器人的群:读导出的记录和成员名单,给出发现、应办事项、名单差异和可粘贴的提示。"""
    from groupops.advise.command import run_advise

    return run_advise(
        files or (),
        _group(group),
        members=members,
        out=folder,
        watched=watched,
        word=word,
        by=by,
        chat=chat,
        day=day,
        lenient=lenient,
        json=as_json,
        console=out(),
    )


@app.command()
@_told
def bench(as_json: Json = False) -> int:
    """测量速度(须在源码目录中)。"""
    home = Path(__file__).parents[2] / "bench"  # it lies beside the sources, and in no wheel
    if not (home / "__main__.py").is_file():
        out().print("基准测试只在源码目录里:git clone 后运行 make bench。")
        return 1
    sys.path.insert(0, str(home.parent))
    from bench.__main__ import main

    return int(main(["--json"] if as_json else []) or 0)


# — small helps —


def _shown(
    rows: list[dict[str, Any]], keys: tuple[str, ...], titles: tuple[str, ...], *, as_json: bool
) -> int:
    if as_json:
        out().print_json(json.dumps(rows, ensure_ascii=False, default=str))
        return 0
    table = Table(*titles)
    for row in rows:
        table.add_row(*(_cell(row[key]) for key in keys))
    out().print(table, markup=False)
    return 0


def _cell(value: Any) -> str:
    return (
        ", ".join(map(str, cast("Iterable[object]", value)))
        if isinstance(value, (list, tuple))
        else str(value)
    )


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise GroupOpsError(f"{path}: cannot be read: {error.strerror}") from error


def main() -> None:
    """Run a command: one of these, or one that an installed plugin offers."""
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    if not words or words[0] not in _own_words():
        _mount()
    app()


@_told
def _mount() -> int:
    from groupops.desk import mount

    mount(app)
    return 0


def _own_words() -> frozenset[str]:
    commands = (one.name or getattr(one.callback, "__name__", "") for one in app.registered_commands)
    return frozenset((*commands, *(one.name or "" for one in app.registered_groups)))


def _group(text: str) -> GroupId:
    platform, colon, native = text.partition(":")
    if not (platform and colon and native):
        raise GroupOpsError(f"{text!r} names no group; write <platform>:<group>, e.g. qq:123456")
    return GroupId(text)


def _steward(account: str, group: str) -> Steward:
    platform, colon, native = account.partition(":")
    if not (platform and colon and native):
        raise GroupOpsError(f"{account!r} names no account; write <platform>:<account>, e.g. qq:10001")
    return Steward(account=AccountId(account), group_id=_group(group) if group else None)


def _resolver(hooks: Any, shelf: Any, settings: Any) -> Any:
    from groupops.engine import resolver_of

    return resolver_of(hooks, shelf, settings)
