"""The operator's commands for WeCom: contacts taken in as a roster, the lexicon published as intercept rules."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from groupops import Desk
from groupops_wecom.customers import Range, Reaction
from groupops_wecom.publishing import Asked, publish, roll_back, show_rules
from groupops_wecom.taking import Taking, take_contacts

AppId = Annotated[int, typer.Option("--app", help="哪个应用(AgentId);只配置了一个时不用写")]
Json = Annotated[bool, typer.Option("--json", help="以 JSON 输出")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="只显示,不改动(缺省)")]
Apply = Annotated[bool, typer.Option("--apply", help="生效")]
Groups = Annotated[list[str] | None, typer.Option("--group", help="取哪个群的自备词(内容审核),可多次")]
Lists = Annotated[list[str] | None, typer.Option("--words", help="另取一个词表文件,一行一词,可多次")]
Users = Annotated[list[str] | None, typer.Option("--user", help="约束哪位员工(userid),可多次")]
Departments = Annotated[list[int] | None, typer.Option("--department", help="约束哪个部门(编号),可多次")]
Also = Annotated[
    list[str] | None, typer.Option("--also", help="另外识别:red_packet 红包、phone 手机号、email 邮箱")
]
WarnOnly = Annotated[bool, typer.Option("--warn-only", help="只提醒,仍可发出;缺省为警告并拦截")]


def commands(desk: Desk) -> typer.Typer:
    """Give `groupops wecom …`."""
    app = typer.Typer(no_args_is_help=True, help="企业微信:通讯录、客户群拦截词。")

    @app.command("contacts", help="对照登记册显示通讯录会带来的变动;加 --apply 才生效,要么全部,要么都不。")
    def contacts(  # noqa: PLR0917 - typer turns parameters into options  # pyright: ignore[reportUnusedFunction]
        dry_run: DryRun = False,
        apply: Apply = False,
        keep_details: Annotated[
            bool, typer.Option("--keep-details", help="登记册已有的人,不改部门和职务")
        ] = False,
        yes: Annotated[bool, typer.Option("--yes", help="三成以上的人不见了也照办")] = False,
        report: Annotated[
            Path | None, typer.Option("--report", help="把全部变动写进 .csv 或 .xlsx,一处一行")
        ] = None,
        force: Annotated[bool, typer.Option("--force", help="文件已存在时覆盖")] = False,
        app_id: AppId = 0,
        as_json: Json = False,
    ) -> None:
        taking = Taking(
            apply=apply and not dry_run,
            keep_details=keep_details,
            yes=yes,
            app=app_id,
            report=report,
            force=force,
            as_json=as_json,
        )
        desk.now(take_contacts(desk, taking))

    app.add_typer(_intercept(desk), name="intercept")
    return app


def _intercept(desk: Desk) -> typer.Typer:
    """Give `groupops wecom intercept …`."""
    app = typer.Typer(
        no_args_is_help=True,
        help="把自备词发布为客户群的拦截规则。规则只约束范围内的本单位员工,管不到客户。",
    )

    @app.command("plan", help="显示发布会带来的变动,什么都不改。")
    def plan(  # noqa: PLR0917 - typer turns parameters into options  # pyright: ignore[reportUnusedFunction]
        group: Groups = None,
        words: Lists = None,
        user: Users = None,
        department: Departments = None,
        also: Also = None,
        warn_only: WarnOnly = False,
        app_id: AppId = 0,
        as_json: Json = False,
    ) -> None:
        asked = _asked(group, words, user, department, also, warn_only=warn_only, app=app_id, as_json=as_json)
        desk.now(publish(desk, asked))

    @app.command("publish", help="发布:显示变动并照办。")
    def publish_(  # noqa: PLR0917 - as above  # pyright: ignore[reportUnusedFunction]
        group: Groups = None,
        words: Lists = None,
        user: Users = None,
        department: Departments = None,
        also: Also = None,
        warn_only: WarnOnly = False,
        app_id: AppId = 0,
        as_json: Json = False,
    ) -> None:
        asked = _asked(group, words, user, department, also, warn_only=warn_only, app=app_id, as_json=as_json)
        desk.now(publish(desk, replace(asked, apply=True)))

    @app.command("rollback", help="回到上一次发布之前;加 --dry-run 只显示。")
    def rollback(  # pyright: ignore[reportUnusedFunction]
        dry_run: Annotated[bool, typer.Option("--dry-run", help="只显示,不改动")] = False,
        app_id: AppId = 0,
        as_json: Json = False,
    ) -> None:
        desk.now(roll_back(desk, Asked(apply=not dry_run, app=app_id, as_json=as_json)))

    @app.command("show", help="显示企业微信上现有的、由本程序发布的规则。")
    def show(app_id: AppId = 0, as_json: Json = False) -> None:  # pyright: ignore[reportUnusedFunction]
        desk.now(show_rules(desk, Asked(app=app_id, as_json=as_json)))

    return app


def _asked(
    group: list[str] | None,
    words: list[str] | None,
    user: list[str] | None,
    department: list[int] | None,
    also: list[str] | None,
    *,
    warn_only: bool,
    app: int,
    as_json: bool,
) -> Asked:
    whom = Range(users=tuple(sorted(set(user or ()))), departments=tuple(sorted(set(department or ()))))
    return Asked(
        groups=tuple(group or ()),
        lists=tuple(words or ()),
        whom=whom,
        also=tuple(also or ()),
        reaction=Reaction.WARN if warn_only else Reaction.BLOCK,
        app=app,
        as_json=as_json,
    )
