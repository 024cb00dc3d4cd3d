"""Our client and what stands on it, against the make-believe WeCom that foreign software takes for the real one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from groupops_wecom.budget import Throttled
from groupops_wecom.chats import Chats, difference
from groupops_wecom.checkins import CheckIns, Oddity
from groupops_wecom.contacts import Contacts, OpenIds
from groupops_wecom.customers import Customers, Range, Semantics, Welcome
from groupops_wecom.exception import InDoubt, WindowClosed
from groupops_wecom.intercept import Wanted, carry_out, changes, read_published, rules_of
from groupops_wecom.letters import Letters, TemplateCard, To, Words
from groupops_wecom.qyapi import QyApi
from groupops_wecom.templates import Button, Unfit, button_interaction
from groupops_wecom.testing import BROKEN, BUSY, CROWDED, CUT, LOST, App, Callback, FakeWeCom, running
from tests.support.wecom_stub import OVER_HTTPX, Hours, requests

pytestmark = OVER_HTTPX

Office = tuple[FakeWeCom, App, QyApi, Hours]


@pytest.fixture
async def there() -> AsyncIterator[Office]:
    """A company, and our client with the app's secret; time passes when somebody waits."""
    hours = Hours()
    async with running(FakeWeCom(lambda: hours.moment)) as wecom, requests() as request:
        world = wecom.world
        world.department(2, "运维部")
        world.department(3, "一组", 2)
        world.hire("zhangsan", "张三", 2, position="组长")
        world.hire("lisi", "李四", 3)
        app = world.app(customers=True)
        secrets = {"app": app.secret, "contacts": world.contacts_secret, "archive": world.archive_secret}
        yield (
            wecom,
            app,
            QyApi(world.corp_id, secrets, request, wecom.rest.base, clock=hours.hurried, dice=lambda: 0.0),
            hours,
        )


def letter(content: str = "早", **rest: Any) -> dict[str, Any]:
    return {
        "touser": "lisi",
        "msgtype": "text",
        "agentid": 1000002,
        "text": {"content": content},
        **rest,
    }


def counts(wecom: FakeWeCom, name: str) -> list[int]:
    return [one.errcode for one in wecom.rest.calls if one.name == name]


@pytest.mark.parametrize("spent", ["expire_tokens", "revoke_tokens"])
async def test_twenty_calls_with_a_spent_token_ask_for_one_new_one_and_are_all_done(
    there: Office, spent: str
) -> None:
    wecom, _, api, _ = there
    await api.call("message/send", letter("先"))
    getattr(wecom.rest, spent)()

    await asyncio.gather(*(api.call("message/send", letter(str(n))) for n in range(20)))

    assert counts(wecom, "gettoken") == [0, 0]
    assert len(wecom.world.people["lisi"].inbox) == 21


async def test_a_token_is_renewed_in_time_over_a_whole_day(there: Office) -> None:
    wecom, _, api, hours = there

    for _ in range(24 * 12):
        await api.call("department/list", method="GET")
        hours.moment += 300

    assert set(counts(wecom, "department/list")) <= {0, 42001}
    assert counts(wecom, "department/list").count(0) == 24 * 12
    assert len(counts(wecom, "gettoken")) <= 40


async def test_what_is_checked_for_repeats_arrives_once_whatever_breaks(there: Office) -> None:
    wecom, _, api, _ = there
    for content, faults in (("一", (LOST, BROKEN, CUT)), ("二", (BUSY, LOST))):
        wecom.rest.faults.add("message/send", *faults)
        await api.call("message/send", letter(content, enable_duplicate_check=1))

    assert [one.text for one in wecom.world.people["lisi"].inbox] == ["一", "二"]


@pytest.mark.parametrize("interval", [120, 1800])
async def test_what_may_have_arrived_is_not_sent_again_once_wecom_would_not_know_it(
    there: Office, interval: int
) -> None:
    wecom, _, api, _ = there
    wecom.rest.faults.add("message/send", LOST)
    api._dice = lambda: 2.0 * interval  # the machine stands still between the two tries

    with pytest.raises(InDoubt):
        await api.call(
            "message/send", letter("一", enable_duplicate_check=1, duplicate_check_interval=interval)
        )

    assert [one.text for one in wecom.world.people["lisi"].inbox] == ["一"]


async def test_what_is_not_checked_for_repeats_is_in_doubt_and_arrives_once(there: Office) -> None:
    wecom, _, api, _ = there
    await api.call("appchat/create", {"chatid": "duty01", "userlist": ["zhangsan", "lisi"]})
    wecom.rest.faults.add("appchat/send", LOST)
    words = {"chatid": "duty01", "msgtype": "text", "text": {"content": "一"}}

    with pytest.raises(InDoubt):
        await api.call("appchat/send", words)

    assert [one.text for one in wecom.world.groups[0].said] == ["一"]


async def test_calls_that_crowd_go_one_after_another(there: Office) -> None:
    wecom, _, api, _ = there
    wecom.rest.faults.add("message/send", CROWDED, CROWDED)

    await asyncio.gather(*(api.call("message/send", letter(str(n))) for n in range(5)))

    assert sorted(one.text for one in wecom.world.people["lisi"].inbox) == ["0", "1", "2", "3", "4"]


async def test_an_interface_that_is_shut_is_left_alone_for_its_window(there: Office) -> None:
    wecom, _, api, hours = there
    asked = {"opencheckindatatype": 3, "starttime": 1, "endtime": 2, "useridlist": ["lisi"]}
    for _ in range(600):
        wecom.rest._rates_of["checkin/getcheckindata"].admits(
            f"{wecom.world.corp_id} checkin/getcheckindata", hours.moment
        )

    with pytest.raises(Throttled) as refused:
        await api.call("checkin/getcheckindata", asked)
    hours.moment += refused.value.wait

    assert (await api.call("checkin/getcheckindata", asked))["checkindata"] == []
    assert counts(wecom, "checkin/getcheckindata") == [45009, 0]


async def test_the_contacts_are_read_as_they_are(there: Office) -> None:
    *_, api, _ = there
    contacts = Contacts(api)

    departments = await contacts.departments()
    members = await contacts.everybody()
    ids = [one async for one in contacts.ids()]

    assert [(one.id, one.name) for one in departments] == [(1, "公司"), (2, "运维部"), (3, "一组")]
    assert [(one.userid, one.name) for one in members] == [("zhangsan", "张三"), ("lisi", "李四")]
    assert ids == [("zhangsan", (2,)), ("lisi", (3,))]


async def test_encrypted_ids_become_plain_ones(there: Office) -> None:
    wecom, _, api, _ = there
    open_id = wecom.world.people["lisi"].open_userid

    found = await OpenIds(api).plain([open_id, "zhangsan"])

    assert found[open_id] == "lisi"


async def test_check_ins_are_read_as_they_were_made(there: Office) -> None:
    wecom, _, api, hours = there
    wecom.check_in("lisi", 23.134, 113.358, "外出打卡", notes="客户A处", exception="地点异常")

    (line,) = [one async for one in CheckIns(api).between(["lisi"], hours.moment - 60, hours.moment + 60)]

    assert (line.userid, line.at, line.notes) == ("lisi", hours.moment, "客户A处")
    assert (line.latitude, line.longitude, line.oddities) == (23.134, 113.358, (Oddity.PLACE,))


async def test_a_member_is_put_out_of_an_apps_group_and_the_difference_shows_it(there: Office) -> None:
    wecom, app, api, _ = there
    wecom.world.hire("wangwu", "王五")
    chats = Chats(api, app.agent_id)

    id_ = await chats.create("值班群", "lisi", ["lisi", "zhangsan", "wangwu"], "duty01")
    before = await chats.get(id_)
    gone = await chats.kick(id_, ["lisi", "nobody"])
    after = await chats.get(id_)

    assert gone == ("lisi",)
    assert difference(before, after) == ((), ("lisi",))
    assert wecom.world.groups[0].owner == after.owner != "lisi"
    with pytest.raises(Unfit):
        await chats.kick(id_, ["zhangsan"])


async def test_a_letter_is_sent_once_taken_back_and_its_card_changed_once(there: Office) -> None:
    wecom, app, api, _ = there
    app.callback = Callback(url="http://127.0.0.1:1/")
    letters, lisi = Letters(api, app.agent_id), To(users=("lisi",))
    inbox = wecom.world.people["lisi"].inbox
    leave = button_interaction("请假", task_id="leave_1", buttons=[Button("批准", "yes")])
    wecom.rest.faults.add("message/send", LOST)

    for _ in range(2):
        sent = await letters.send(Words(content="一"), lisi, key="notice 1")
    await letters.recall(sent)
    card = await letters.send(TemplateCard(card=leave), lisi)
    await letters.update_card(card.response_code, button="已批准", users=["lisi"])
    with pytest.raises(WindowClosed):
        await letters.update_card(card.response_code, button="又批准", users=["lisi"])

    assert [(one.text, one.recalled) for one in inbox] == [("一", True), ("请假", False)]
    assert inbox[1].card is not None
    assert inbox[1].card.done == {"lisi": "已批准"}


async def test_customer_groups_and_their_welcome_are_read_as_they_are(there: Office) -> None:
    wecom, _, api, _ = there
    customers = Customers(api)
    wecom.world.customer("wmExt0001", "客户甲")
    group = wecom.world.group("客户群", "lisi", [], customer_id="wrCustomer01")
    await wecom.join("wmExt0001", group, scene=3, invitor="lisi")

    ids = [one async for one in customers.groups()]
    seen = await customers.group("wrCustomer01")
    welcome = Welcome(
        text="欢迎 %NICKNAME%", kind="link", attached={"title": "群规", "url": "https://x.example"}
    )
    template = await customers.add_welcome(welcome)

    assert ids == [("wrCustomer01", 0)]
    assert [(one.id, one.staff, one.scene) for one in seen.members] == [
        ("lisi", True, 1),
        ("wmExt0001", False, 3),
    ]
    assert (seen.owner, seen.version) == ("lisi", f"v{group.version}")
    assert (await customers.welcome(template)).body() == welcome.body()
    assert len(wecom.rest.offices.templates) == 1


async def test_the_published_rules_are_those_that_were_wanted_field_by_field(there: Office) -> None:
    wecom, _, api, _ = there
    customers = Customers(api)
    whom = Range(users=("lisi",), departments=(2,))
    words = {f"词{n:03}": "here" for n in range(301)}
    wanted = rules_of(Wanted(words=words, meanings=(Semantics.RED_PACKET,), whom=whom))

    made = await carry_out(customers, changes(await read_published(customers), wanted))

    first, second = wecom.rest.offices.rules.values()
    fields = {
        "rule_name": "groupops-001",
        "word_list": [f"词{n:03}" for n in range(300)],
        "semantics_list": [3],
        "intercept_type": 1,
        "applicable_range": {"user_list": ["lisi"], "department_list": [2]},
    }
    assert made == 2
    assert {key: first[key] for key in fields} == fields
    assert {**fields, "rule_name": "groupops-002", "word_list": ["词300"], "semantics_list": []} == {
        key: second[key] for key in fields
    }
    assert changes(await read_published(customers), wanted) == ()


async def test_another_lexicon_changes_the_published_rules_and_taking_it_back_restores_them(
    there: Office,
) -> None:
    wecom, _, api, _ = there
    customers = Customers(api)
    meanings = (Semantics.RED_PACKET,)
    before = rules_of(
        Wanted(words={"赌场": "a", "贷款": "a"}, meanings=meanings, whom=Range(users=("lisi",)))
    )
    after = rules_of(Wanted(words={"赌场": "a"}, whom=Range(users=("zhangsan",))))
    await carry_out(customers, changes(await read_published(customers), before))
    rules = {key: dict(rule) for key, rule in wecom.rest.offices.rules.items()}

    await carry_out(customers, changes(await read_published(customers), after))
    (changed,) = wecom.rest.offices.rules.values()
    await carry_out(customers, changes(await read_published(customers), before))

    assert (changed["word_list"], changed["semantics_list"]) == (["赌场"], [])
    assert changed["applicable_range"] == {"user_list": ["zhangsan"], "department_list": []}
    assert wecom.rest.offices.rules == rules
