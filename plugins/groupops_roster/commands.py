"""The commands of the roster: their words, and who answers each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from groupops import Arg, Command, CommandGiven
from groupops_roster import avatars, bindings, checking, delegates, guests, naming, newcomers, outsiders
from groupops_roster.scene import Answer, Scene

_Answers = Callable[[Scene, CommandGiven], Awaitable[Answer]]

_MEMBER = Arg(name="@某人", of="member")
_NUMBER = Arg(name="编号", of="int")

ROSTER = Command(
    word="名册",
    title="看名册核对的结果(核对),或等待确认的绑定(待核)",
    args=(Arg(name="核对/待核"),),
    stewards_only=True,
)
CHECK, REVIEW = "核对", "待核"

CONFIRM = Command(
    word="确认绑定", title="确认一条账号与人的对应", args=(_NUMBER,), stewards_only=True, bare=True
)
DENY = Command(
    word="否认绑定", title="否认一条账号与人的对应", args=(_NUMBER,), stewards_only=True, bare=True
)
TELL = Command(
    word="自报",
    title="私信:报单位和编号后四位,供管理员核验,不作保留",
    args=(Arg(name="单位"), Arg(name="编号后四位")),
)
VOUCH = Command(word="担保", title="为一位新成员担保", args=(_MEMBER,), bare=True)
VERIFY = Command(
    word="核验",
    title="确认一位新成员的身份,可写明是名册上的谁",
    args=(_MEMBER, Arg(name="姓名", of="text", optional=True)),
    stewards_only=True,
    bare=True,
)
GUEST = Command(
    word="来宾",
    title="登记一位来宾的邀请与同意;说明写“取消”则结束",
    args=(_MEMBER, Arg(name="邀请人/说明", of="text")),
    stewards_only=True,
    bare=True,
)
REPORT = Command(word="举报外人", title="请管理员核对一位成员是否属于本群;可私信", args=(_MEMBER,), bare=True)
ENROL = Command(
    word="入册",
    title="把本单位的一个人写进名册",
    args=(Arg(name="姓名 部门 [编号]", of="text"),),
    bare=True,
)
UPDATE = Command(
    word="更新名册",
    title="写明一位成员是谁;单独发送则关闭名册已能说明的事项",
    args=(Arg(name="@某人 姓名 部门 [编号]", of="text", optional=True),),
    bare=True,
)
REMOVE = Command(
    word="移出",
    title="写明本单位的一个人已离开,理由必填",
    args=(Arg(name="姓名 理由", of="text"),),
    bare=True,
)
EXCEPT = Command(
    word="名片例外",
    title="准许一位成员另写群名片;理由写“取消”则结束",
    args=(_MEMBER, Arg(name="理由", of="text")),
    stewards_only=True,
    bare=True,
)
OWN_CARD = Command(word="我的名片", title="看自己的群名片是否合格、应怎样写")
AVATAR = Command(word="头像", title="声明头像是本人照片(本人),或收回声明(撤回)", args=(Arg(name="本人/撤回"),), bare=True)  # fmt: skip

TABLE = (
    ROSTER,
    CONFIRM,
    DENY,
    TELL,
    VOUCH,
    VERIFY,
    GUEST,
    REPORT,
    ENROL,
    UPDATE,
    REMOVE,
    EXCEPT,
    OWN_CARD,
    AVATAR,
)


async def _roster(scene: Scene, event: CommandGiven) -> Answer:
    if event.args[0] == CHECK:
        return await checking.on_demand(scene, event)
    if event.args[0] == REVIEW:
        return await bindings.listed(scene, event)
    return [scene.answer(event, scene.say("roster_form"))]


async def answered(scene: Scene, event: CommandGiven) -> Answer | None:
    """Answer one of the roster's commands."""
    table: dict[str, _Answers] = {
        ROSTER.word: _roster,
        CONFIRM.word: bindings.confirmed,
        DENY.word: bindings.denied,
        TELL.word: newcomers.told_oneself,
        VOUCH.word: newcomers.vouched,
        VERIFY.word: newcomers.verified,
        GUEST.word: guests.registered,
        REPORT.word: outsiders.reported,
        ENROL.word: delegates.enrolled,
        UPDATE.word: delegates.updated,
        REMOVE.word: delegates.removed,
        EXCEPT.word: naming.except_member,
        OWN_CARD.word: naming.own_card,
        AVATAR.word: avatars.declared,
    }
    answer = table.get(event.name)
    return None if answer is None else await answer(scene, event)
