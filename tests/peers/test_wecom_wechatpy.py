"""The enterprise client of wechatpy takes the make-believe REST interface for the real one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from groupops_wecom.testing import THROTTLED, App, FakeWeCom, running
from tests.support.peers import ROOT, Servant, WrongError, home_of
from tests.support.wecom_script import calls, recorded


@pytest.fixture(scope="module")
def servant() -> Iterator[Servant]:
    """The peer."""
    made = Servant(home_of("wecom-python"), ROOT / "tests/peers/wecom_wechatpy.py")
    yield made
    made.end()


@pytest.fixture
async def both(servant: Servant) -> AsyncIterator[tuple[FakeWeCom, App, Servant]]:
    """A company with an app, and the peer with the app's secret."""
    async with running() as wecom:
        world = wecom.world
        world.department(2, "运维部")
        for userid, name in (("zhangsan", "张三"), ("lisi", "李四"), ("wangwu", "王五")):
            world.hire(userid, name, 2)
        app = world.app(customers=True)
        await servant.does("connect", wecom.rest.base, world.corp_id, app.secret)
        yield wecom, app, servant


async def test_it_writes_to_people_and_sees_who_was_not_reached(
    both: tuple[FakeWeCom, App, Servant],
) -> None:
    wecom, app, wechatpy = both

    sent = await wechatpy.does("call", "message.send_text", app.agent_id, ["zhangsan", "Nobody"], "早")
    await wechatpy.does("call", "message.send_markdown", app.agent_id, "@all", "**早**")

    assert sent["invaliduser"] == "nobody"
    assert [one.text for one in wecom.world.people["zhangsan"].inbox] == ["早", "**早**"]
    assert [one.text for one in wecom.world.people["lisi"].inbox] == ["**早**"]


async def test_it_fetches_a_new_token_when_its_own_is_over_and_calls_again(
    both: tuple[FakeWeCom, App, Servant],
) -> None:
    wecom, app, wechatpy = both
    await wechatpy.does("call", "message.send_text", app.agent_id, "lisi", "一")

    wecom.rest.expire_tokens()
    await wechatpy.does("call", "message.send_text", app.agent_id, "lisi", "二")
    wecom.rest.revoke_tokens()
    await wechatpy.does("call", "message.send_text", app.agent_id, "lisi", "三")

    assert [one.text for one in wecom.world.people["lisi"].inbox] == ["一", "二", "三"]
    calls = [(one.name, one.errcode) for one in wecom.rest.calls]
    assert calls == [
        ("gettoken", 0),
        ("message/send", 0),
        ("message/send", 42001),
        ("gettoken", 0),
        ("message/send", 0),
        ("message/send", 40014),
        ("gettoken", 0),
        ("message/send", 0),
    ]


async def test_it_keeps_a_group_of_the_apps_own(both: tuple[FakeWeCom, App, Servant]) -> None:
    wecom, _, wechatpy = both
    people = ["zhangsan", "lisi", "wangwu"]

    await wechatpy.does("call", "appchat.create", "duty01", "值班群", "zhangsan", people)
    await wechatpy.does("call", "appchat.update", "duty01", del_user_list=["lisi"])
    await wechatpy.does("call", "appchat.send_text", "duty01", "请 <@wangwu> 处理")
    info = await wechatpy.does("call", "appchat.get", "duty01")

    assert info["userlist"] == ["zhangsan", "wangwu"]
    assert (info["owner"], info["name"]) == ("zhangsan", "值班群")
    assert [one.text for one in wecom.world.groups[0].said] == ["请 <@wangwu> 处理"]
    with pytest.raises(WrongError, match="86003"):
        await wechatpy.does("call", "appchat.get", "duty02")


async def test_it_reads_the_contacts(both: tuple[FakeWeCom, App, Servant]) -> None:
    _, _, wechatpy = both

    departments = await wechatpy.does("call", "department.get")
    people = await wechatpy.does("call", "user.list", 2)
    brief = await wechatpy.does("call", "user.list", 2, simple=True)
    one = await wechatpy.does("call", "user.get", "lisi")

    assert [(line["id"], line["parentid"]) for line in departments] == [(1, 0), (2, 1)]
    assert [line["userid"] for line in people] == ["zhangsan", "lisi", "wangwu"]
    assert [line["name"] for line in brief] == ["张三", "李四", "王五"]
    assert (one["name"], one["department"], one["status"]) == ("李四", [2], 1)
    assert "mobile" not in one


async def test_it_puts_a_file_up_and_gets_it_back(both: tuple[FakeWeCom, App, Servant]) -> None:
    wecom, app, wechatpy = both

    kept = await wechatpy.does("upload", "file", "list.csv", "张三,李四\r\n")
    await wechatpy.does("call", "message.send_file", app.agent_id, "lisi", kept["media_id"])

    assert await wechatpy.does("download", kept["media_id"]) == "张三,李四\r\n"
    assert wecom.world.media[kept["media_id"]].name == "list.csv"
    assert wecom.world.people["lisi"].inbox[0].kind == "file"


async def test_it_reads_customer_groups(both: tuple[FakeWeCom, App, Servant]) -> None:
    wecom, _, wechatpy = both
    wecom.world.customer("wmExt0001", "客户甲")
    wecom.world.group("客户群", "lisi", ["wmExt0001"], customer_id="wrCustomer01")

    found = await wechatpy.does("call", "external_contact_group_chat.list_all", 0, ["lisi"])
    group = await wechatpy.does("call", "external_contact_group_chat.get", "wrCustomer01")

    assert found == [{"chat_id": "wrCustomer01", "status": 0}]
    members = group["group_chat"]["member_list"]
    assert [(one["userid"], one["type"]) for one in members] == [("lisi", 1), ("wmExt0001", 2)]


async def test_it_is_told_when_it_calls_too_often(both: tuple[FakeWeCom, App, Servant]) -> None:
    wecom, _, wechatpy = both
    wecom.rest.faults.add("department/list", THROTTLED)

    with pytest.raises(WrongError, match="APILimitedException"):
        await wechatpy.does("call", "department.get")


async def test_its_calls_are_those_recorded(both: tuple[FakeWeCom, App, Servant]) -> None:
    wecom, app, wechatpy = both

    await wechatpy.does("call", "message.send_text", app.agent_id, "lisi", "早")
    await wechatpy.does("call", "message.send_markdown", app.agent_id, "lisi", "**早**")
    kept = await wechatpy.does("upload", "file", "list.csv", "张三,李四")
    await wechatpy.does("call", "message.send_file", app.agent_id, "lisi", kept["media_id"])
    await wechatpy.does("call", "department.get")
    await wechatpy.does("call", "user.list", 1)

    assert calls(wecom) == recorded("wechatpy")
