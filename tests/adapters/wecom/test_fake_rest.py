"""The make-believe REST interface keeps WeCom's rules: tokens, rates, letters, groups, contacts, customers, robots."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from groupops_wecom.testing import (
    BROKEN,
    BUSY,
    CORP,
    CUT,
    LOST,
    App,
    BlockedError,
    Callback,
    FakeWeCom,
    Fault,
    running,
)
from tests.support.wecom_raw import RawCaller, raw_caller

Office = tuple[FakeWeCom, App, RawCaller]
CUSTOMERS = "externalcontact"
RULE: dict[str, Any] = {
    "rule_name": "groupops-1",
    "word_list": ["赌场"],
    "semantics_list": [3],
    "intercept_type": 1,
    "applicable_range": {"user_list": ["zhangsan"], "department_list": [3]},
}


@pytest.fixture
async def there() -> AsyncIterator[Office]:
    """A company of four in two departments, an app with everything allowed, and its token."""
    async with running() as wecom:
        world = wecom.world
        world.department(2, "运维部")
        world.department(3, "一组", 2, leaders=("zhangsan",))
        world.hire("zhangsan", "张三", 2, mobile="13800000001", email="z@x.example")
        world.hire("lisi", "李四", 3)
        world.hire("wangwu", "王五", 3)
        world.hire("zhaoliu", "赵六", 1)
        app = world.app(customers=True, callback=Callback(url="http://127.0.0.1:1/", receive_id=CORP))
        async with raw_caller(wecom, app) as caller:
            yield wecom, app, caller


def letter(to: str, content: str = "早", **rest: Any) -> dict[str, Any]:
    return {"touser": to, "msgtype": "text", "agentid": 1000002, "text": {"content": content}, **rest}


def code(answer: dict[str, Any]) -> int:
    return int(answer["errcode"])


# — tokens —


async def test_a_token_lasts_two_hours_and_asking_again_gives_the_same(there: Office) -> None:
    wecom, _, caller = there
    first = caller.token

    wecom.clock.forward(hours=1)
    again = await caller.gets_token()
    wecom.clock.forward(hours=1)

    assert (again["access_token"], again["expires_in"]) == (first, 3600)
    assert code(await caller.posts("message/send", letter("lisi"))) == 42001
    assert (await caller.gets_token())["access_token"] != first


async def test_a_token_can_be_revoked_and_the_secret_be_wrong(there: Office) -> None:
    wecom, _, caller = there

    wecom.rest.revoke_tokens()

    assert code(await caller.posts("message/send", letter("lisi"))) == 40014
    assert code(await caller.posts("message/send", letter("lisi"), access_token="")) == 41001
    assert code(await caller.gets_token(corpsecret="x")) == 40001
    assert code(await caller.gets_token(corpid="wwOther")) == 40013


async def test_what_is_recorded_of_a_call_holds_no_secret(there: Office) -> None:
    wecom, app, caller = there
    await caller.posts("webhook/send", key="robot-key")

    shown = repr(wecom.rest.calls)

    assert not any(secret in shown for secret in (app.secret, caller.token, "robot-key"))


# — rates and what can go wrong —


async def test_an_interface_called_too_often_is_shut_for_its_whole_window(there: Office) -> None:
    wecom, _, caller = there
    asked = {"opencheckindatatype": 3, "starttime": 1, "endtime": 2, "useridlist": ["lisi"]}

    codes = [code(await caller.posts("checkin/getcheckindata", asked)) for _ in range(601)]
    wecom.clock.forward(seconds=59)
    still = code(await caller.posts("checkin/getcheckindata", asked))
    wecom.clock.forward(seconds=1)

    assert codes == [0] * 600 + [45009]
    assert still == 45009
    assert code(await caller.posts("checkin/getcheckindata", asked)) == 0


async def test_too_many_calls_at_once_are_refused(there: Office) -> None:
    wecom, _, caller = there
    wecom.rest.most_at_once = 2
    wecom.rest.faults.add("user/get", *[Fault(slow=0.1)] * 3)

    answers = await asyncio.gather(*(caller.gets("user/get", userid="lisi") for _ in range(3)))

    assert sorted(map(code, answers)) == [0, 0, 45033]


async def test_an_answer_that_is_lost_was_done_and_one_that_is_cut_was_not(there: Office) -> None:
    wecom, _, caller = there
    wecom.rest.faults.add("message/send", LOST, CUT, BROKEN, BUSY)
    inbox = wecom.world.people["lisi"].inbox

    with pytest.raises(httpx.RemoteProtocolError):
        await caller.posts("message/send", letter("lisi", "一"))
    with pytest.raises(httpx.RemoteProtocolError):
        await caller.posts("message/send", letter("lisi", "二"))
    with pytest.raises(ValueError, match="Expecting value"):
        await caller.posts("message/send", letter("lisi", "三"))
    busy = await caller.posts("message/send", letter("lisi", "四"))

    assert [one.text for one in inbox] == ["一"]
    assert code(busy) == -1
    assert [one.errcode for one in wecom.rest.calls[1:]] == [0, -2, 503, -1]


@pytest.mark.parametrize(
    ("name", "raw", "errcode"),
    [
        ("message/send", b'{"text":{"content":"\\u65e9"}}', 40033),
        ("message/send", b"<xml/>", 47001),
        ("message/send", b"[]", 47001),
        ("message/fly", b"{}", 40097),
        ("appchat/get", b"{}", 43001),
    ],
)
async def test_a_call_that_is_none_is_refused(there: Office, name: str, raw: bytes, errcode: int) -> None:
    _, _, caller = there
    answer = await caller.client.post(f"/cgi-bin/{name}", params={"access_token": caller.token}, content=raw)
    assert answer.json()["errcode"] == errcode


async def test_nobody_may_call_from_an_address_that_is_not_trusted(there: Office) -> None:
    wecom, _, caller = there
    wecom.rest.trusted = False
    assert code(await caller.posts("message/send", letter("lisi"))) == 60020


# — letters —


async def test_a_letter_reaches_people_departments_and_everybody(there: Office) -> None:
    wecom, _, caller = there

    await caller.posts("message/send", letter("LISI|nobody", "一"))
    await caller.posts("message/send", letter("", "二", toparty="2"))
    await caller.posts("message/send", letter("@all", "三"))

    got = {name: [one.text for one in person.inbox] for name, person in wecom.world.people.items()}
    assert got == {
        "zhangsan": ["二", "三"],
        "lisi": ["一", "二", "三"],
        "wangwu": ["二", "三"],
        "zhaoliu": ["三"],
    }


async def test_a_letter_says_whom_it_did_not_reach_in_small_letters(there: Office) -> None:
    wecom, _, caller = there
    wecom.world.people["wangwu"].status = 5

    some = await caller.posts("message/send", letter("lisi|WangWu"))
    none = await caller.posts("message/send", letter("WangWu"))

    assert some["invaliduser"] == "wangwu"
    assert code(none) == 81013


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        (letter("lisi", "x" * 2049), 45002),
        (letter("lisi", ""), 44004),
        (letter("lisi", agentid=1000003), 301002),
        (letter("lisi", msgtype="poem"), 40008),
        (letter("lisi", msgtype="image", image={"media_id": "none"}), 40007),
        (letter("lisi", msgtype="news", news={"articles": [{}] * 9}), 45008),
        (letter("lisi", duplicate_check_interval=14401), 40035),
    ],
)
async def test_a_letter_that_cannot_be_is_refused(there: Office, body: dict[str, Any], errcode: int) -> None:
    _, _, caller = there
    assert code(await caller.posts("message/send", body)) == errcode


async def test_the_same_request_again_is_not_delivered_when_repeats_are_checked(there: Office) -> None:
    wecom, _, caller = there
    checked = letter("lisi", enable_duplicate_check=1, duplicate_check_interval=600)
    inbox = wecom.world.people["lisi"].inbox

    first, second = [await caller.posts("message/send", checked) for _ in range(2)]
    within = len(inbox)
    wecom.clock.forward(minutes=10)
    await caller.posts("message/send", checked)
    after = len(inbox)
    for _ in range(2):
        await caller.posts("message/send", letter("lisi"))

    assert first["msgid"] == second["msgid"]
    assert (within, after, len(inbox)) == (1, 2, 4)


async def test_what_a_member_gets_too_much_of_is_dropped_without_a_word(there: Office) -> None:
    wecom, _, caller = there

    codes = {code(await caller.posts("message/send", letter("lisi", str(n)))) for n in range(31)}

    assert codes == {0}
    assert len(wecom.world.people["lisi"].inbox) == 30
    assert [userid for userid, _ in wecom.rest.letters.dropped] == ["lisi"]


async def test_a_letter_is_recalled_within_a_day(there: Office) -> None:
    wecom, _, caller = there
    one, two = [await caller.posts("message/send", letter("lisi", text)) for text in ("一", "二")]

    await caller.posts("message/recall", {"msgid": one["msgid"]})
    wecom.clock.forward(days=1, seconds=1)
    await caller.gets_token()
    late = await caller.posts("message/recall", {"msgid": two["msgid"]})

    assert [said.recalled for said in wecom.world.people["lisi"].inbox] == [True, False]
    assert code(late) != 0


async def test_a_card_is_changed_once_by_its_code(there: Office) -> None:
    wecom, app, caller = there
    buttons = {
        "card_type": "button_interaction",
        "main_title": {"title": "请假"},
        "button_list": [
            {"text": "批准", "key": "yes"},
            {"type": 1, "text": "看", "url": "https://x.example"},
        ],
        "task_id": "leave_1",
    }
    sent = await caller.posts(
        "message/send", letter("lisi|wangwu", msgtype="template_card", template_card=buttons)
    )
    change = {
        "userids": ["lisi"],
        "agentid": app.agent_id,
        "response_code": sent["response_code"],
        "button": {"replace_name": "已批准"},
    }

    done = [code(await caller.posts("message/update_template_card", change)) for _ in range(2)]

    card = wecom.world.people["lisi"].inbox[0].card
    assert card is not None
    assert card.done == {"lisi": "已批准"}
    assert done == [0, 40035]


async def test_an_app_without_a_callback_sends_no_buttons(there: Office) -> None:
    _, app, caller = there
    app.callback = None
    card = {
        "card_type": "button_interaction",
        "main_title": {"title": "x"},
        "button_list": [{"text": "a", "key": "k"}],
        "task_id": "t",
    }
    answer = await caller.posts("message/send", letter("lisi", msgtype="template_card", template_card=card))
    assert code(answer) == 40058


# — an app's groups —


async def duty(caller: RawCaller) -> None:
    people = ["zhangsan", "lisi", "wangwu"]
    made = await caller.posts(
        "appchat/create", {"name": "值班群", "owner": "lisi", "userlist": people, "chatid": "duty01"}
    )
    assert made["chatid"] == "duty01"


async def test_an_app_removes_members_of_its_own_group_only(there: Office) -> None:
    wecom, _, caller = there
    await duty(caller)
    wecom.world.group("别人的群", "lisi", ["wangwu"], appchat_id="other", app=7)

    done = await caller.posts("appchat/update", {"chatid": "duty01", "del_user_list": ["wangwu"]})
    other = await caller.posts("appchat/update", {"chatid": "other", "del_user_list": ["wangwu"]})
    none = await caller.posts("appchat/update", {"chatid": "nowhere", "del_user_list": ["wangwu"]})

    info = (await caller.gets("appchat/get", chatid="duty01"))["chat_info"]
    assert [code(one) for one in (done, other, none)] == [0, 86008, 86003]
    assert info["userlist"] == ["lisi", "zhangsan"]


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        ({"del_user_list": ["lisi"]}, 86005),
        ({"del_user_list": ["lisi"], "owner": "zhangsan"}, 0),
        ({"del_user_list": ["zhangsan", "wangwu"]}, 86006),
        ({"del_user_list": ["zhaoliu"]}, 86007),
        ({"add_user_list": ["nobody"]}, 86007),
        ({"name": "夜班群"}, 0),
    ],
)
async def test_a_change_of_a_group_leaves_it_an_owner_and_two_members(
    there: Office, body: dict[str, Any], errcode: int
) -> None:
    _, _, caller = there
    await duty(caller)
    assert code(await caller.posts("appchat/update", {"chatid": "duty01", **body})) == errcode


async def test_a_group_of_an_app_takes_no_cards_and_gives_no_message_id(there: Office) -> None:
    wecom, _, caller = there
    await duty(caller)
    words = {"chatid": "duty01", "msgtype": "text", "text": {"content": "请 <@lisi> 处理"}}

    said = await caller.posts("appchat/send", words)
    card = await caller.posts("appchat/send", {"chatid": "duty01", "msgtype": "template_card"})

    assert set(said) == {"errcode", "errmsg"}
    assert code(card) == 40008
    assert [one.text for one in wecom.world.groups[0].said] == ["请 <@lisi> 处理"]


async def test_only_an_app_for_the_whole_company_makes_groups(there: Office) -> None:
    _, app, caller = there
    app.root = False
    assert code(await caller.posts("appchat/create", {"userlist": ["zhangsan", "lisi"]})) == 48002


# — contacts and check-ins —


async def test_departments_are_walked_and_do_not_hold_the_people_of_those_within(there: Office) -> None:
    _, _, caller = there

    lines = (await caller.gets("department/list", id=2))["department"]
    people = (await caller.gets("user/list", department_id=2))["userlist"]

    assert [(one["id"], one["parentid"], one["department_leader"]) for one in lines] == [
        (2, 1, []),
        (3, 2, ["zhangsan"]),
    ]
    assert [one["userid"] for one in people] == ["zhangsan"]
    assert not {"mobile", "email"} & set(people[0])


async def test_the_contacts_secret_lists_ids_and_nothing_else(there: Office) -> None:
    wecom, _, app_caller = there
    async with raw_caller(wecom, wecom.world.contacts_secret) as caller:
        first = await caller.posts("user/list_id", {"limit": 3})
        rest = await caller.posts("user/list_id", {"limit": 3, "cursor": first["next_cursor"]})
        denied = await caller.gets("user/list", department_id=1)

    assert [one["userid"] for one in first["dept_user"] + rest["dept_user"]] == list(wecom.world.people)
    assert rest["next_cursor"] == ""
    assert code(denied) == 48002
    assert code(await app_caller.posts("user/list_id", {})) == 48002


async def test_somebody_is_found_by_mobile_by_mail_and_by_the_encrypted_id(there: Office) -> None:
    wecom, _, caller = there
    open_id = wecom.world.people["lisi"].open_userid

    plain = await caller.posts("batch/openuserid_to_userid", {"open_userid_list": [open_id, "lisi"]})

    assert (await caller.posts("user/getuserid", {"mobile": "13800000001"}))["userid"] == "zhangsan"
    assert (await caller.posts("user/get_userid_by_email", {"email": "z@x.example"}))["userid"] == "zhangsan"
    assert code(await caller.posts("user/getuserid", {"mobile": ""})) == 60111
    assert plain["userid_list"] == [{"open_userid": open_id, "userid": "lisi"}]
    assert plain["invalid_open_userid_list"] == ["lisi"]


async def test_check_ins_are_whole_numbers_of_a_millionth_degree(there: Office) -> None:
    wecom, _, caller = there
    wecom.check_in("lisi", 23.134, 113.358, exception="地点异常")
    wecom.clock.forward(hours=1)
    wecom.check_in("lisi", 23.2, 113.4, "外出打卡", notes="客户A处")
    start = int(wecom.clock()) - 7200
    asked = {"starttime": start, "endtime": start + 7200, "useridlist": ["lisi"]}

    on_site = await caller.posts("checkin/getcheckindata", {"opencheckindatatype": 1, **asked})
    outside = await caller.posts("checkin/getcheckindata", {"opencheckindatatype": 2, **asked})

    (line,) = on_site["checkindata"]
    assert (line["lat"], line["lng"], line["exception_type"]) == (23134000, 113358000, "地点异常")
    assert [one["notes"] for one in outside["checkindata"]] == ["客户A处"]


@pytest.mark.parametrize(
    ("changed", "errcode"),
    [
        ({"useridlist": []}, 301023),
        ({"useridlist": ["lisi"] * 101}, 301023),
        ({"useridlist": ["nobody"]}, 301021),
        ({"endtime": 1 + 31 * 86400}, 301024),
    ],
)
async def test_a_question_for_check_ins_that_is_too_wide_is_refused(
    there: Office, changed: dict[str, Any], errcode: int
) -> None:
    _, _, caller = there
    asked = {"opencheckindatatype": 3, "starttime": 1, "endtime": 2, "useridlist": ["lisi"], **changed}
    assert code(await caller.posts("checkin/getcheckindata", asked)) == errcode


# — customers —


async def test_customer_groups_are_listed_page_by_page_and_seen_whole(there: Office) -> None:
    wecom, _, caller = there
    wecom.world.customer("wmExt0001", "客户甲")
    for number in range(3):
        group = wecom.world.group(f"客户群{number}", "lisi", [], customer_id=f"wrCustomer{number}")
    await wecom.join("wmExt0001", group, scene=3, invitor="lisi")

    first = await caller.posts(f"{CUSTOMERS}/groupchat/list", {"limit": 2})
    rest = await caller.posts(f"{CUSTOMERS}/groupchat/list", {"limit": 2, "cursor": first["next_cursor"]})
    seen = await caller.posts(f"{CUSTOMERS}/groupchat/get", {"chat_id": "wrCustomer2", "need_name": 1})

    lines = first["group_chat_list"] + rest["group_chat_list"]
    assert [one["chat_id"] for one in lines] == ["wrCustomer0", "wrCustomer1", "wrCustomer2"]
    guest = seen["group_chat"]["member_list"][1]
    assert guest | {"userid": "wmExt0001", "type": 2, "join_scene": 3, "name": "客户甲"} == guest
    assert guest["invitor"] == {"userid": "lisi"}


async def test_an_app_that_is_not_listed_for_customers_sees_nothing_of_them(there: Office) -> None:
    _, app, caller = there
    app.customers = False
    assert code(await caller.posts(f"{CUSTOMERS}/groupchat/list", {"limit": 1})) == 48002


async def test_a_welcome_template_has_words_and_one_thing_besides(there: Office) -> None:
    wecom, _, caller = there
    name = f"{CUSTOMERS}/group_welcome_template"
    link = {"title": "群规", "url": "https://example.com"}

    made = await caller.posts(f"{name}/add", {"text": {"content": "欢迎 %NICKNAME%"}, "link": link})
    both = await caller.posts(f"{name}/add", {"link": link, "file": {"media_id": "x"}})
    id_ = made["template_id"]
    await caller.posts(f"{name}/edit", {"template_id": id_, "text": {"content": "您好"}})
    got = await caller.posts(f"{name}/get", {"template_id": id_})
    await caller.posts(f"{name}/del", {"template_id": id_})

    assert code(both) == 40058
    assert got["text"] == {"content": "您好"}
    assert wecom.rest.offices.templates == {}


async def test_an_intercept_rule_is_kept_as_it_was_made_and_changed(there: Office) -> None:
    _, _, caller = there

    made = await caller.posts(f"{CUSTOMERS}/add_intercept_rule", RULE)
    change = {
        "rule_id": made["rule_id"],
        "word_list": ["赌场", "贷款"],
        "extra_rule": {"semantics_list": [1]},
        "add_applicable_range": {"user_list": ["wangwu"]},
        "remove_applicable_range": {"department_list": [3]},
    }
    await caller.posts(f"{CUSTOMERS}/update_intercept_rule", change)
    listed = (await caller.gets(f"{CUSTOMERS}/get_intercept_rule_list"))["rule_list"]
    rule = (await caller.posts(f"{CUSTOMERS}/get_intercept_rule", {"rule_id": made["rule_id"]}))["rule"]
    await caller.posts(f"{CUSTOMERS}/del_intercept_rule", {"rule_id": made["rule_id"]})

    assert [(one["rule_id"], one["rule_name"]) for one in listed] == [(made["rule_id"], "groupops-1")]
    assert (rule["word_list"], rule["semantics_list"]) == (["赌场", "贷款"], [1])
    assert rule["applicable_range"] == {"user_list": ["zhangsan", "wangwu"], "department_list": []}
    assert (await caller.gets(f"{CUSTOMERS}/get_intercept_rule_list"))["rule_list"] == []


@pytest.mark.parametrize(
    "changed",
    [
        {"rule_name": ""},
        {"rule_name": "长" * 21},
        {"word_list": []},
        {"word_list": ["词"] * 301},
        {"word_list": ["长" * 33]},
        {"semantics_list": [4]},
        {"intercept_type": 3},
        {"applicable_range": {}},
        {"applicable_range": {"user_list": ["nobody"]}},
    ],
)
async def test_an_intercept_rule_beyond_the_limits_is_refused(there: Office, changed: dict[str, Any]) -> None:
    _, _, caller = there
    assert code(await caller.posts(f"{CUSTOMERS}/add_intercept_rule", {**RULE, **changed})) != 0


async def test_a_rule_stops_staff_in_its_range_and_nobody_else(there: Office) -> None:
    wecom, _, caller = there
    wecom.world.customer("wmExt0001", "客户甲")
    people = ["lisi", "zhaoliu", "wmExt0001"]
    group = wecom.world.group("客户群", "zhangsan", people, customer_id="wrCustomer01")
    await caller.posts(f"{CUSTOMERS}/add_intercept_rule", RULE)

    for userid in ("zhangsan", "lisi"):
        with pytest.raises(BlockedError):
            await wecom.say(userid, group, "去赌场")
    with pytest.raises(BlockedError):
        await wecom.red_packet("lisi", group, 100)
    for userid in ("zhaoliu", "wmExt0001"):
        await wecom.say(userid, group, "去赌场")

    assert [one.by for one in group.said] == ["zhaoliu", "wmExt0001"]


# — the archive's rooms —


async def test_a_room_is_seen_with_the_archives_secret_where_somebody_is_archived(there: Office) -> None:
    wecom, _, app_caller = there
    wecom.world.group("车间群", "lisi", ["wangwu"], room_id="wrRoom01")
    async with raw_caller(wecom, wecom.world.archive_secret) as caller:
        before = await caller.posts("msgaudit/groupchat/get", {"roomid": "wrRoom01"})
        wecom.world.archived.add("wangwu")
        after = await caller.posts("msgaudit/groupchat/get", {"roomid": "wrRoom01"})

    assert code(before) == 301059
    assert [one["memberid"] for one in after["members"]] == ["lisi", "wangwu"]
    assert (after["roomname"], after["creator"]) == ("车间群", "lisi")
    assert code(await app_caller.posts("msgaudit/groupchat/get", {"roomid": "wrRoom01"})) == 48002


# — webhook robots —


async def test_a_robot_says_twenty_things_a_minute(there: Office) -> None:
    wecom, _, caller = there
    group = wecom.world.group("值班群", "lisi")
    wecom.world.robot("robot-key", group)
    words = {"msgtype": "text", "text": {"content": "打卡提醒", "mentioned_list": ["lisi"]}}

    codes = [code(await caller.posts("webhook/send", words, key="robot-key")) for _ in range(21)]
    wecom.clock.forward(minutes=1)

    assert codes == [0] * 20 + [45009]
    assert code(await caller.posts("webhook/send", words, key="robot-key")) == 0
    assert code(await caller.posts("webhook/send", words, key="another")) == 93000
    assert len(group.said) == 21


PICTURE = b"\x89PNG picture"


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        ({"msgtype": "markdown", "markdown": {"content": "x" * 4096}}, 0),
        ({"msgtype": "markdown", "markdown": {"content": "x" * 4097}}, 45002),
        ({"msgtype": "text", "text": {"content": "x" * 2049}}, 45002),
        ({"msgtype": "image", "image": {"base64": "eA==", "md5": "0"}}, 40058),
        (
            {
                "msgtype": "image",
                "image": {
                    "base64": base64.b64encode(PICTURE).decode(),
                    "md5": hashlib.md5(PICTURE, usedforsecurity=False).hexdigest(),
                },
            },
            0,
        ),
        (
            {
                "msgtype": "template_card",
                "template_card": {"card_type": "button_interaction", "main_title": {"title": "x"}},
            },
            40058,
        ),
    ],
)
async def test_a_robot_shows_only_what_fits(there: Office, body: dict[str, Any], errcode: int) -> None:
    wecom, _, caller = there
    wecom.world.robot("robot-key", wecom.world.group("值班群", "lisi"))
    assert code(await caller.posts("webhook/send", body, key="robot-key")) == errcode


async def test_a_form_carries_a_file_to_an_app_and_to_a_robot(there: Office) -> None:
    wecom, _, caller = there
    wecom.world.robot("robot-key", wecom.world.group("值班群", "lisi"))
    form = {"media": ("名单.csv", b"\r\na,b\r\n--x\r\n", "text/csv")}

    app = await caller.client.post(
        "/cgi-bin/media/upload", params={"access_token": caller.token, "type": "file"}, files=form
    )
    robot = await caller.client.post(
        "/cgi-bin/webhook/upload_media", params={"key": "robot-key", "type": "file"}, files=form
    )
    got = await caller.client.get(
        "/cgi-bin/media/get",
        params={"access_token": caller.token, "media_id": app.json()["media_id"]},
    )

    assert got.content == b"\r\na,b\r\n--x\r\n"
    assert wecom.world.media[robot.json()["media_id"]].name == "名单.csv"
    assert isinstance(app.json()["created_at"], str)
