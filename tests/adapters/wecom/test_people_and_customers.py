"""Contacts, check-ins and customer groups: what is asked, in which shares, and what is read out of any answer."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupops_wecom import checkins
from groupops_wecom.checkins import CheckIn, CheckInKind, CheckIns, Oddity, shares, spans
from groupops_wecom.contacts import Contacts, Department, Member, OpenIds, Status
from groupops_wecom.customers import Customers, InterceptRule, Range, Reaction, Semantics, Welcome
from groupops_wecom.exception import ActionFailed, InDoubt
from groupops_wecom.qyapi import QyApi
from groupops_wecom.templates import Unfit
from tests.support.wecom_stub import LOST, OVER_HTTPX, Asked, Hours, Said, Stub, ok, requests, said, stub

pytestmark = OVER_HTTPX

MONTH = 30 * 24 * 3600


@pytest.fixture
async def server() -> AsyncIterator[Stub]:
    async with stub() as standing:
        yield standing


@pytest.fixture
def hours() -> Hours:
    return Hours()


@pytest.fixture
async def api(server: Stub, hours: Hours) -> AsyncIterator[QyApi]:
    secrets = {"app": "S", "contacts": "C"}
    async with requests() as request:
        yield QyApi("wwCORP", secrets, request, server.base, clock=hours.hurried, dice=lambda: 0.0)


# — contacts —

DEPARTMENTS = ok(
    department=[
        {"id": 3, "name": "华东", "parentid": 2, "order": 1},
        {"id": 1, "name": "公司", "parentid": 0, "department_leader": ["boss"]},
        {"id": 2, "name": "业务部", "parentid": 1},
        {"name": "no id"},
    ]
)

USERS: dict[str, list[dict[str, Any]]] = {
    "1": [{"userid": "boss", "name": "总", "department": [1], "status": 1, "is_leader_in_dept": [1]}],
    "2": [
        {
            "userid": "zhangsan",
            "name": "张三",
            "department": [2, 3],
            "is_leader_in_dept": [0, 1],
            "direct_leader": ["boss"],
            "main_department": 2,
            "position": "销售",
            "status": 1,
        },
        {"name": "no id"},
    ],
    "3": [
        {"userid": "zhangsan", "name": "张三", "department": [2, 3], "status": 1},
        {"userid": "gone", "name": "走", "department": [3], "status": 5},
    ],
}


def users(asked: Asked) -> Said:
    return ok(userlist=USERS[asked.query["department_id"]])


async def test_departments_come_from_above(server: Stub, api: QyApi) -> None:
    server.on("department/list", DEPARTMENTS)

    assert await Contacts(api).departments() == (
        Department(id=1, name="公司", leaders=("boss",)),
        Department(id=2, name="业务部", parent=1),
        Department(id=3, name="华东", parent=2),
    )


async def test_departments_whose_upper_ones_are_not_seen_come_all_the_same(server: Stub, api: QyApi) -> None:
    rows = [{"id": 7, "name": "a", "parentid": 5}, {"id": 8, "parentid": 9}, {"id": 9, "parentid": 8}]
    server.on("department/list", ok(department=rows))

    assert {one.id for one in await Contacts(api).departments()} == {7, 8, 9}


async def test_everybody_is_walked_to_and_stands_there_once(server: Stub, api: QyApi) -> None:
    server.on("department/list", DEPARTMENTS).on("user/list", users)

    everybody = {one.userid: one for one in await Contacts(api).everybody()}

    assert list(everybody) == ["boss", "zhangsan", "gone"]
    assert everybody["zhangsan"] == Member(
        userid="zhangsan",
        name="张三",
        departments=(2, 3),
        main_department=2,
        position="销售",
        leads=(3,),
        leaders=("boss",),
        status=Status.ACTIVE,
    )
    assert everybody["gone"].status is Status.LEFT


async def test_half_a_list_is_no_list(server: Stub, api: QyApi) -> None:
    server.on("department/list", DEPARTMENTS).on("user/list", users, said(60011, "no privilege"))

    with pytest.raises(ActionFailed, match="60011"):
        await Contacts(api).everybody()


async def test_ids_come_page_by_page_with_the_contacts_secret(server: Stub, api: QyApi) -> None:
    server.on(
        "user/list_id",
        ok(
            dept_user=[{"userid": "a", "department": 1}, {"userid": "b", "department": 1}], next_cursor="NEXT"
        ),
        ok(dept_user=[{"userid": "a", "department": 2}], next_cursor=""),
    )

    found = [one async for one in Contacts(api).ids()]

    assert found == [("a", (1, 2)), ("b", (1,))]
    assert [asked.json["cursor"] for asked in server.calls("user/list_id")] == ["", "NEXT"]
    assert server.calls("gettoken")[0].query["corpsecret"] == "C"


async def test_encrypted_ids_are_asked_for_once_a_thousand_at_a_time(server: Stub, api: QyApi) -> None:
    def resolve(asked: Asked) -> Said:
        ids = asked.json["open_userid_list"]
        assert len(ids) <= 1000
        known = [
            {"open_userid": one, "userid": one.removeprefix("wo")} for one in ids if one.startswith("wo")
        ]
        return ok(
            userid_list=known, invalid_open_userid_list=[one for one in ids if not one.startswith("wo")]
        )

    server.on("batch/openuserid_to_userid", resolve)
    ids, openids = OpenIds(api), [f"wo{number}" for number in range(1500)]

    first = await ids.plain([*openids, "zhangsan"])
    again = await ids.plain(["wo7", "zhangsan"])

    assert (first["wo1499"], first["zhangsan"]) == ("1499", "zhangsan")
    assert again == {"wo7": "7", "zhangsan": "zhangsan"}
    assert (ids.known("wo7"), ids.known("zhangsan")) == ("7", None)
    assert len(server.calls("batch/openuserid_to_userid")) == 2


async def test_an_id_that_could_not_be_resolved_is_asked_for_again_after_a_day(
    server: Stub, api: QyApi, hours: Hours
) -> None:
    server.on(
        "batch/openuserid_to_userid",
        ok(userid_list=[], invalid_open_userid_list=["wo1"]),
        ok(userid_list=[{"open_userid": "wo1", "userid": "one"}]),
    )
    ids = OpenIds(api)

    assert await ids.plain(["wo1"]) == {"wo1": "wo1"}
    hours.moment += 24 * 3600 + 1
    assert await ids.plain(["wo1"]) == {"wo1": "one"}


# — check-ins —

LINE: dict[str, Any] = {
    "userid": "zhangsan",
    "groupname": "白班",
    "checkin_type": "上班打卡",
    "exception_type": "时间异常;地点异常",
    "checkin_time": 1_700_000_000,
    "location_title": "广州塔",
    "location_detail": "广州市",
    "wifiname": "",
    "notes": "路上",
    "mediaids": ["M"],
    "lat": 23_106_574,
    "lng": 113_324_587,
    "deviceid": "D",
    "sch_checkin_time": 1_699_999_000,
    "groupid": 1,
}


async def test_a_line_is_read_field_by_field(server: Stub, api: QyApi) -> None:
    server.on("checkin/getcheckindata", ok(checkindata=[LINE, {"userid": ""}]))

    found = [one async for one in CheckIns(api).between(["zhangsan"], 1_700_000_000, 1_700_086_400)]

    assert found == [
        CheckIn(
            userid="zhangsan",
            kind=CheckInKind.ON_DUTY,
            at=1_700_000_000,
            due=1_699_999_000,
            oddities=(Oddity.TIME, Oddity.PLACE),
            latitude=23.106574,
            longitude=113.324587,
            title="广州塔",
            detail="广州市",
            group="白班",
            group_id=1,
            device="D",
            notes="路上",
            media=("M",),
        )
    ]
    assert server.calls("checkin/getcheckindata")[0].json == {
        "opencheckindatatype": 3,
        "starttime": 1_700_000_000,
        "endtime": 1_700_086_400,
        "useridlist": ["zhangsan"],
    }


async def test_many_people_over_a_long_time_are_asked_for_in_shares(server: Stub, api: QyApi) -> None:
    people = [f"u{number}" for number in range(250)]

    assert [
        one async for one in CheckIns(api).between(people, 1_700_000_000, 1_700_000_000 + 2 * MONTH)
    ] == []

    asked = [one.json for one in server.calls("checkin/getcheckindata")]
    assert len(asked) == 3 * 3
    assert max(len(one["useridlist"]) for one in asked) == 100
    assert max(one["endtime"] - one["starttime"] for one in asked) < MONTH


@given(since=st.integers(0, 2**33), length=st.integers(-10, 10 * MONTH))
def test_spans_cover_every_second_once(since: int, length: int) -> None:
    found = list(spans(since, since + length))

    assert sum(end - start + 1 for start, end in found) == max(length + 1, 0)
    assert all(0 <= end - start < MONTH for start, end in found)
    assert all(before[1] + 1 == after[0] for before, after in itertools.pairwise(found))


@given(people=st.lists(st.text(max_size=5), max_size=350))
def test_shares_hold_everybody_once(people: list[str]) -> None:
    found = [one for share in shares(people) for one in share]

    assert found == list(dict.fromkeys(people))
    assert all(1 <= len(share) <= 100 for share in shares(people))


async def test_no_more_than_six_hundred_questions_go_within_a_minute(
    server: Stub, api: QyApi, hours: Hours
) -> None:
    moments: list[float] = []

    def note(_: Asked) -> Said:
        moments.append(hours.moment)
        return ok(checkindata=[])

    server.on("checkin/getcheckindata", note)
    claims = (checkins.Claim("checkin", "wwCORP", 598),)
    api.budget.take(claims)

    records = CheckIns(api)
    for _ in range(2):
        assert [one async for one in records.between(["a"], 0, 1)] == []
    hours.moment += 40
    assert [one async for one in records.between(["a"], 0, 1)] == []

    assert moments[2] - moments[0] > 60


@pytest.mark.parametrize(
    ("lat", "lng"), [(0, 0), (None, 1), ("23", "113"), (91_000_000, 1), (1, 181_000_000), (True, True)]
)
def test_a_place_that_is_none_is_none(lat: Any, lng: Any) -> None:
    found = checkins.read(LINE | {"lat": lat, "lng": lng})

    assert found is not None
    assert (found.latitude, found.longitude) == (None, None)


@pytest.mark.parametrize(
    ("said_", "read", "happened"),
    [
        ("", (), True),
        ("未打卡", (Oddity.MISSING,), False),
        ("wifi异常;非常用设备", (Oddity.WIFI, Oddity.DEVICE), True),
        ("时间异常；新的异常", (Oddity.TIME, "新的异常"), True),
    ],
)
def test_what_is_odd_is_read_and_what_is_not_known_is_kept(said_: str, read: Any, happened: bool) -> None:
    found = checkins.read(LINE | {"exception_type": said_})

    assert found is not None
    assert (found.oddities, found.happened, found.in_order) == (read, happened, not read)


# — customer groups —

GROUP = ok(
    group_chat={
        "chat_id": "wrAbCd0001",
        "name": "客户群",
        "owner": "zhangsan",
        "create_time": 1_700_000_000,
        "notice": "公告",
        "member_list": [
            {"userid": "zhangsan", "type": 1, "join_time": 1_700_000_000, "join_scene": 1, "name": "张三"},
            {
                "userid": "wmExt0001",
                "type": 2,
                "unionid": "U",
                "join_time": 1_700_000_001,
                "join_scene": 3,
                "invitor": {"userid": "zhangsan"},
                "group_nickname": "客",
            },
            {"type": 2},
        ],
        "admin_list": [{"userid": "lisi"}],
        "member_version": "aaa",
    }
)


async def test_groups_come_page_by_page(server: Stub, api: QyApi) -> None:
    server.on(
        "externalcontact/groupchat/list",
        ok(group_chat_list=[{"chat_id": "wr1", "status": 0}], next_cursor="NEXT"),
        ok(group_chat_list=[{"chat_id": "wr2", "status": 1}]),
    )

    found = [one async for one in Customers(api).groups(["zhangsan"])]

    asked = [one.json for one in server.calls("externalcontact/groupchat/list")]
    assert found == [("wr1", 0), ("wr2", 1)]
    assert asked[0] == {
        "status_filter": 0,
        "cursor": "",
        "limit": 1000,
        "owner_filter": {"userid_list": ["zhangsan"]},
    }
    assert asked[1]["cursor"] == "NEXT"


async def test_a_group_is_read_with_staff_and_guests(server: Stub, api: QyApi) -> None:
    server.on("externalcontact/groupchat/get", GROUP)

    group = await Customers(api).group("wrAbCd0001")

    assert [(one.id, one.staff, one.scene, one.invited_by) for one in group.members] == [
        ("zhangsan", True, 1, ""),
        ("wmExt0001", False, 3, "zhangsan"),
    ]
    assert (group.owner, group.admins, group.version) == ("zhangsan", ("lisi",), "aaa")


async def test_a_welcome_is_put_into_the_library_changed_read_and_taken_out(server: Stub, api: QyApi) -> None:
    path = "externalcontact/group_welcome_template"
    link = {"title": "群规", "url": "https://example.com"}
    welcome = Welcome(text="欢迎 %NICKNAME%", kind="link", attached=link)
    server.on(f"{path}/add", ok(template_id="T")).on(
        f"{path}/get", ok(text={"content": "欢迎 %NICKNAME%"}, link=link)
    )
    customers = Customers(api)

    made = await customers.add_welcome(welcome)
    await customers.edit_welcome(made, replace(welcome, text="您好"))
    found = await customers.welcome(made)
    await customers.remove_welcome(made)

    assert server.calls(f"{path}/add")[0].json == {
        "text": {"content": "欢迎 %NICKNAME%"},
        "link": link,
        "notify": 1,
    }
    assert server.calls(f"{path}/edit")[0].json == {
        "template_id": "T",
        "text": {"content": "您好"},
        "link": link,
    }
    assert found == welcome
    assert server.calls(f"{path}/del")[0].json == {"template_id": "T"}


@pytest.mark.parametrize(
    "welcome",
    [
        Welcome(text=""),
        Welcome(text="长" * 1001),
        Welcome(text="x", kind="link"),
        Welcome(text="x", attached={"a": 1}),
    ],
)
async def test_a_welcome_that_would_be_refused_is_not_sent(
    server: Stub, api: QyApi, welcome: Welcome
) -> None:
    with pytest.raises(Unfit):
        await Customers(api).add_welcome(welcome)

    assert server.asked == []


# — intercept rules —

RULE = InterceptRule(
    name="groupops-1",
    words=("违禁词",),
    semantics=(Semantics.RED_PACKET,),
    range=Range(users=("zhangsan",), departments=(2,)),
)


async def test_a_rule_is_published_field_by_field_as_the_sheet_has_it(server: Stub, api: QyApi) -> None:
    server.on("externalcontact/add_intercept_rule", ok(rule_id="R"))

    assert await Customers(api).add_rule(RULE) == "R"

    assert server.calls("externalcontact/add_intercept_rule")[0].json == {
        "rule_name": "groupops-1",
        "word_list": ["违禁词"],
        "semantics_list": [3],
        "intercept_type": 1,
        "applicable_range": {"user_list": ["zhangsan"], "department_list": [2]},
    }


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": ""}, "rule_name"),
        ({"name": "n" * 21}, "rule_name"),
        ({"words": (), "semantics": ()}, "both empty"),
        ({"words": tuple(map(str, range(301)))}, "at most 300 words, not 301"),
        ({"words": ("长" * 33,)}, "1 to 32"),
        ({"words": (" ",)}, "1 to 32"),
        ({"words": ("a", "a")}, "twice"),
        ({"range": Range()}, "applicable_range is empty"),
        ({"range": Range(users=tuple(map(str, range(1001))))}, "user_list has at most 1000"),
        ({"range": Range(departments=tuple(range(1001)))}, "department_list has at most 1000"),
    ],
)
async def test_a_rule_that_would_be_refused_is_not_published(
    server: Stub, api: QyApi, change: dict[str, Any], words: str
) -> None:
    with pytest.raises(Unfit, match=words):
        await Customers(api).add_rule(replace(RULE, **change))

    assert server.asked == []


async def test_there_are_a_hundred_rules_at_most(server: Stub, api: QyApi) -> None:
    rules = [{"rule_id": str(number), "rule_name": "x"} for number in range(100)]
    server.on("externalcontact/get_intercept_rule_list", ok(rule_list=rules))

    with pytest.raises(Unfit, match="100 rules already"):
        await Customers(api).add_rule(RULE)

    assert server.calls("externalcontact/add_intercept_rule") == []


async def test_a_change_of_a_rule_tells_who_comes_in_and_who_goes(server: Stub, api: QyApi) -> None:
    rule = replace(RULE, id="R", reaction=Reaction.WARN)

    await Customers(api).update_rule(rule, before=Range(users=("zhangsan", "lisi")))

    assert server.calls("externalcontact/update_intercept_rule")[0].json == {
        "rule_id": "R",
        "rule_name": "groupops-1",
        "word_list": ["违禁词"],
        "intercept_type": 2,
        "extra_rule": {"semantics_list": [3]},
        "add_applicable_range": {"user_list": [], "department_list": [2]},
        "remove_applicable_range": {"user_list": ["lisi"], "department_list": []},
    }


async def test_a_rule_that_was_never_published_is_not_changed(server: Stub, api: QyApi) -> None:
    with pytest.raises(Unfit, match="no id"):
        await Customers(api).update_rule(RULE, before=Range())

    assert server.asked == []


async def test_all_rules_are_read_and_one_is_taken_away(server: Stub, api: QyApi) -> None:
    body = RULE.body()
    extra = {"semantics_list": body.pop("semantics_list")}
    server.on(
        "externalcontact/get_intercept_rule_list", ok(rule_list=[{"rule_id": "R", "rule_name": "groupops-1"}])
    )
    server.on("externalcontact/get_intercept_rule", ok(rule={"rule_id": "R", **body, "extra_rule": extra}))
    customers = Customers(api)

    assert await customers.rules() == (replace(RULE, id="R"),)
    await customers.remove_rule("R")

    assert server.calls("externalcontact/del_intercept_rule")[0].json == {"rule_id": "R"}


async def test_a_rule_whose_publication_was_not_answered_is_in_doubt(server: Stub, api: QyApi) -> None:
    server.on("externalcontact/add_intercept_rule", LOST)

    with pytest.raises(InDoubt):
        await Customers(api).add_rule(RULE)

    assert len(server.calls("externalcontact/add_intercept_rule")) == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=9,
)


@given(data=st.data())
def test_a_line_of_any_shape_is_read(data: st.DataObject) -> None:
    row = LINE | {data.draw(st.sampled_from(sorted(LINE))): data.draw(JSON)}

    assert isinstance(checkins.read(row), CheckIn | None)
