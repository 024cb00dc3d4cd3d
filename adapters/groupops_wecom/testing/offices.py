"""REST calls that read and change what the company keeps: contacts, check-ins, customer groups, the archive's rooms."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from groupops_wecom.testing.cards import given, require
from groupops_wecom.testing.world import App, Group, Json, Person, World

if TYPE_CHECKING:
    from groupops_wecom.testing.rest import Caller

DAY: Final = 86400
RED_PACKET: Final = 3
ATTACHMENTS: Final = ("image", "link", "miniprogram", "file", "video")


class Offices:
    """The calls.

    Args:
        world: what there is.

    Attributes:
        templates: the welcome templates, by id.
        rules: the intercept rules, by id.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.templates: dict[str, Json] = {}
        self.rules: dict[str, Json] = {}
        self._owners: dict[str, int] = {}
        customers = "externalcontact"
        self.ways: Mapping[str, tuple[str, Callable[[Caller, Json], Any]]] = {
            "getcallbackip": ("GET", lambda _caller, _body: {"ip_list": ["127.0.0.1"]}),
            "department/list": ("GET", self._departments),
            "department/simplelist": ("GET", self._department_ids),
            "user/list": ("GET", self._users),
            "user/simplelist": ("GET", self._simple_users),
            "user/get": ("GET", self._user),
            "user/getuserid": ("POST", self._by_mobile),
            "user/get_userid_by_email": ("POST", self._by_email),
            "user/list_id": ("POST", self._user_ids),
            "batch/openuserid_to_userid": ("POST", self._plain_ids),
            "checkin/getcheckindata": ("POST", self._check_ins),
            f"{customers}/groupchat/list": ("POST", self._customer_groups),
            f"{customers}/groupchat/get": ("POST", self._customer_group),
            f"{customers}/group_welcome_template/add": ("POST", self._add_template),
            f"{customers}/group_welcome_template/edit": ("POST", self._edit_template),
            f"{customers}/group_welcome_template/get": ("POST", self._get_template),
            f"{customers}/group_welcome_template/del": ("POST", self._del_template),
            f"{customers}/add_intercept_rule": ("POST", self._add_rule),
            f"{customers}/get_intercept_rule_list": ("GET", self._list_rules),
            f"{customers}/get_intercept_rule": ("POST", self._get_rule),
            f"{customers}/update_intercept_rule": ("POST", self._update_rule),
            f"{customers}/del_intercept_rule": ("POST", self._del_rule),
            "msgaudit/groupchat/get": ("POST", self._room),
            "msgaudit/get_permit_user_list": ("POST", self._archived),
            "msgaudit/check_room_agree": ("POST", self._agreed),
            "msgaudit/get_robot_info": ("GET", self._robot),
        }

    # — contacts —

    def _departments(self, caller: Caller, body: Json) -> Json:
        _not_sync(caller)
        lines = [
            {
                "id": one.id,
                "name": one.name,
                "parentid": one.parent,
                "order": one.order,
                "department_leader": list(one.leaders),
            }
            for one in self._within(body.get("id"))
        ]
        return {"department": lines}

    def _department_ids(self, _: Caller, body: Json) -> Json:
        lines = [
            {"id": one.id, "parentid": one.parent, "order": one.order} for one in self._within(body.get("id"))
        ]
        return {"department_id": lines}

    def _within(self, number: Any) -> list[Any]:
        top = int(number) if number not in {None, ""} else 1
        require(top in self.world.departments, "department not found", 60003)
        return [self.world.departments[one] for one in self.world.below(top)]

    def _users(self, caller: Caller, body: Json) -> Json:
        _not_sync(caller)
        return {"userlist": [_detail(one) for one in self._members(body)]}

    def _simple_users(self, caller: Caller, body: Json) -> Json:
        _not_sync(caller)
        keys = ("userid", "name", "department", "open_userid")
        found = [{key: _detail(one).get(key, one.open_userid) for key in keys} for one in self._members(body)]
        return {"userlist": found}

    def _members(self, body: Json) -> list[Person]:
        """The people of one department, without those within it."""
        number = int(body.get("department_id") or 0)
        require(number in self.world.departments, "department not found", 60003)
        return [one for one in self.world.staff() if number in one.departments]

    def _user(self, caller: Caller, body: Json) -> Json:
        _not_sync(caller)
        return _detail(self._somebody(lambda one: one.userid == body.get("userid")))

    def _by_mobile(self, _: Caller, body: Json) -> Json:
        return {
            "userid": self._somebody(lambda one: bool(one.mobile) and one.mobile == body.get("mobile")).userid
        }

    def _by_email(self, _: Caller, body: Json) -> Json:
        return {
            "userid": self._somebody(lambda one: bool(one.email) and one.email == body.get("email")).userid
        }

    def _somebody(self, fits: Callable[[Person], bool]) -> Person:
        return given(next((one for one in self.world.staff() if fits(one)), None), "userid not found", 60111)

    def _user_ids(self, caller: Caller, body: Json) -> Json:
        require(caller.kind == "contacts", "api forbidden", 48002)
        pairs = [
            {"userid": one.userid, "department": number}
            for one in self.world.staff()
            for number in one.departments
        ]
        lines, cursor = _page(pairs, body, 10_000)
        return {"dept_user": lines, "next_cursor": cursor}

    def _plain_ids(self, _: Caller, body: Json) -> Json:
        asked = list(body.get("open_userid_list", ()))
        require(0 < len(asked) <= 1000, "open_userid_list", 40058)  # noqa: PLR2004
        known = {one.open_userid: one.userid for one in self.world.staff()}
        return {
            "userid_list": [{"open_userid": one, "userid": known[one]} for one in asked if one in known],
            "invalid_open_userid_list": [one for one in asked if one not in known],
        }

    # — check-ins —

    def _check_ins(self, caller: Caller, body: Json) -> Json:
        require(caller.app and caller.app.check_ins, "api forbidden", 48002)
        people, start, end = body.get("useridlist", []), body.get("starttime", 0), body.get("endtime", 0)
        require(1 <= len(people) <= 100, "useridlist", 301023)  # noqa: PLR2004
        require(all(one in self.world.people for one in people), "useridlist", 301021)
        require(0 < start <= end <= start + 30 * DAY, "time span", 301024)
        kinds = {1: ("上班打卡", "下班打卡"), 2: ("外出打卡",)}.get(body.get("opencheckindatatype", 0))
        require(kinds or body.get("opencheckindatatype") == 3, "opencheckindatatype", 40058)  # noqa: PLR2004
        lines: list[Json] = [
            {
                "userid": one.userid,
                "groupname": "",
                "checkin_type": one.kind,
                "exception_type": one.exception,
                "checkin_time": int(one.at),
                "location_title": one.title,
                "location_detail": one.detail,
                "wifiname": "",
                "notes": one.notes,
                "wifimac": "",
                "mediaids": [],
                "lat": round(one.lat * 1_000_000),
                "lng": round(one.lng * 1_000_000),
                "deviceid": "",
                "sch_checkin_time": 0,
                "groupid": 1,
                "schedule_id": 0,
                "timeline_id": 0,
            }
            for one in self.world.check_ins
            if one.userid in people and start <= one.at <= end and (kinds is None or one.kind in kinds)
        ]
        return {"checkindata": lines}

    # — customer groups —

    def _customer_groups(self, caller: Caller, body: Json) -> Json:
        _customers(caller)
        owners = body.get("owner_filter", {}).get("userid_list", [])
        limit = body.get("limit", 0)
        require(1 <= limit <= 1000, "limit", 40058)  # noqa: PLR2004
        require(owners or len(self.world.staff()) <= 1000, "use owner_filter", 81017)  # noqa: PLR2004
        groups = [one for one in self.world.groups if one.customer_id and not one.dismissed]
        found = [
            {"chat_id": one.customer_id, "status": 0} for one in groups if not owners or one.owner in owners
        ]
        lines, cursor = _page(found, body, limit)
        return {"group_chat_list": lines, "next_cursor": cursor}

    def _customer_group(self, caller: Caller, body: Json) -> Json:
        _customers(caller)
        group = given(self.world.find("customer", str(body.get("chat_id", ""))), "chat not exist", 86003)
        require(not group.dismissed, "chat not exist", 86003)
        return {
            "group_chat": {
                "chat_id": group.customer_id,
                "name": group.name,
                "owner": group.owner,
                "create_time": int(group.created_at),
                "notice": group.notice,
                "member_list": [self._sits(group, one, bool(body.get("need_name"))) for one in group.seats],
                "admin_list": [{"userid": one} for one in group.admins],
                "member_version": f"v{group.version}",
            }
        }

    def _sits(self, group: Group, userid: str, named: bool) -> Json:
        seat, person = group.seats[userid], self.world.people[userid]
        line: Json = {
            "userid": userid,
            "type": 2 if person.external else 1,
            "join_time": int(seat.joined_at),
            "join_scene": seat.scene,
            "group_nickname": seat.nickname,
        }
        if seat.invitor:
            line["invitor"] = {"userid": seat.invitor}
        return {**line, "name": person.name} if named else line

    def _add_template(self, caller: Caller, body: Json) -> Json:
        _customers(caller)
        _check_template(body)
        require(len(self.templates) < 100, "too many templates", 40058)  # noqa: PLR2004
        id_ = self.world.fresh("TEMPLATE")
        self.templates[id_] = {key: value for key, value in body.items() if key != "notify"}
        return {"template_id": id_}

    def _edit_template(self, caller: Caller, body: Json) -> Json:
        self._template(caller, body)
        _check_template(body)
        self.templates[body["template_id"]] = {
            k: v for k, v in body.items() if k not in {"notify", "template_id"}
        }
        return {}

    def _get_template(self, caller: Caller, body: Json) -> Json:
        return self._template(caller, body)

    def _del_template(self, caller: Caller, body: Json) -> Json:
        self._template(caller, body)
        del self.templates[body["template_id"]]
        return {}

    def _template(self, caller: Caller, body: Json) -> Json:
        _customers(caller)
        require(body.get("template_id") in self.templates, "template_id", 40058)
        return self.templates[body["template_id"]]

    # — intercept rules —

    def _add_rule(self, caller: Caller, body: Json) -> Json:
        app = _customers(caller)
        require(len(self.rules) < 100, "too many rules", 40058)  # noqa: PLR2004
        id_ = self.world.fresh("RULE")
        rule = {
            "rule_id": id_,
            "rule_name": body.get("rule_name", ""),
            "word_list": list(body.get("word_list", [])),
            "semantics_list": list(body.get("semantics_list", [])),
            "intercept_type": body.get("intercept_type"),
            "applicable_range": _range(body.get("applicable_range", {})),
            "create_time": int(self.world.now()),
        }
        self._check_rule(rule)
        self.rules[id_], self._owners[id_] = rule, app.agent_id
        return {"rule_id": id_}

    def _check_rule(self, rule: Json) -> None:
        require(1 <= len(str(rule["rule_name"])) <= 20, "rule_name")  # noqa: PLR2004
        words = rule["word_list"]
        require(1 <= len(words) <= 300, "word_list")  # noqa: PLR2004
        require(all(isinstance(one, str) and 1 <= len(one) <= 32 for one in words), "word_list")  # noqa: PLR2004
        require(set(rule["semantics_list"]) <= {1, 2, RED_PACKET}, "semantics_list")
        require(rule["intercept_type"] in {1, 2}, "intercept_type")
        people, parties = rule["applicable_range"].values()
        require(people or parties, "applicable_range")
        require(len(people) <= 1000 and len(parties) <= 1000, "applicable_range")  # noqa: PLR2004
        staff = {one.userid for one in self.world.staff()}
        require(set(people) <= staff, "user_list", 40003)
        require(set(parties) <= set(self.world.departments), "department_list", 60003)

    def _list_rules(self, caller: Caller, _: Json) -> Json:
        _customers(caller)
        keys = ("rule_id", "rule_name", "create_time")
        return {"rule_list": [{key: rule[key] for key in keys} for rule in self.rules.values()]}

    def _get_rule(self, caller: Caller, body: Json) -> Json:
        _customers(caller)
        require(body.get("rule_id") in self.rules, "rule_id")
        return {"rule": self.rules[body["rule_id"]]}

    def _update_rule(self, caller: Caller, body: Json) -> Json:
        rule = dict(self._own_rule(caller, body))
        rule |= {key: body[key] for key in ("rule_name", "word_list", "intercept_type") if key in body}
        if "extra_rule" in body:
            rule["semantics_list"] = list(body["extra_rule"].get("semantics_list", []))
        before = rule["applicable_range"]
        come, leave = (
            _range(body.get("add_applicable_range", {})),
            _range(body.get("remove_applicable_range", {})),
        )
        rule["applicable_range"] = {
            key: [one for one in dict.fromkeys([*before[key], *come[key]]) if one not in leave[key]]
            for key in before
        }
        self._check_rule(rule)
        self.rules[rule["rule_id"]] = rule
        return {}

    def _del_rule(self, caller: Caller, body: Json) -> Json:
        del self.rules[self._own_rule(caller, body)["rule_id"]]
        return {}

    def _own_rule(self, caller: Caller, body: Json) -> Json:
        app = _customers(caller)
        id_ = str(body.get("rule_id"))
        require(id_ in self.rules, "rule_id")
        require(self._owners[id_] == app.agent_id, "the rule is not of this app", 48002)
        return self.rules[id_]

    def blocks(self, userid: str, text: str, *, red_packet: bool = False) -> bool:
        """Whether what this member of staff writes to customers is stopped by a rule."""
        person = self.world.people[userid]
        for rule in self.rules.values():
            reach: Json = rule["applicable_range"]
            inside = {number for one in reach["department_list"] for number in self.world.below(one)}
            bound = userid in reach["user_list"] or bool(inside & set(person.departments))
            hit = any(word in text for word in rule["word_list"])
            hit |= red_packet and RED_PACKET in rule["semantics_list"]
            if bound and hit and rule["intercept_type"] == 1 and not person.external:
                return True
        return False

    # — the archive's rooms —

    def _room(self, caller: Caller, body: Json) -> Json:
        require(caller.kind == "archive", "api forbidden", 48002)
        group = given(self.world.find("room", str(body.get("roomid", ""))), "roomid", 301059)
        archived = not group.customer_id and set(group.seats) & self.world.archived
        require(archived, "no archived member in the room", 301059)
        members = [{"memberid": one, "jointime": int(seat.joined_at)} for one, seat in group.seats.items()]
        return {
            "roomname": group.name,
            "creator": group.owner,
            "room_create_time": int(group.created_at),
            "notice": group.notice,
            "members": members,
        }

    def _archived(self, caller: Caller, _: Json) -> Json:
        require(caller.kind == "archive", "api forbidden", 48002)
        return {"ids": sorted(self.world.archived)}

    def _agreed(self, caller: Caller, body: Json) -> Json:
        require(caller.kind == "archive", "api forbidden", 48002)
        group = self.world.find("room", str(body.get("roomid", "")))
        outside = [one for one in group.seats if self.world.people[one].external] if group else []
        return {"agreeinfo": [{"exteranalopenid": one, "agree_status": "Agree"} for one in outside]}

    def _robot(self, caller: Caller, body: Json) -> Json:
        require(caller.kind == "archive", "api forbidden", 48002)
        bot = given(self.world.bots.get(str(body.get("robot_id", "")).removeprefix("wb")), "robot_id")
        return {"data": {"robot_id": body["robot_id"], "name": bot.name, "creator_userid": ""}}


def _not_sync(caller: Caller) -> None:
    require(caller.kind == "app", "api forbidden", 48002)


def _customers(caller: Caller) -> App:
    app = given(caller.app, "api forbidden", 48002)
    require(app.customers, "api forbidden", 48002)
    return app


def _detail(one: Person) -> Json:
    """What an app made after June 2022 is told of somebody: neither mobile nor e-mail."""
    return {
        "userid": one.userid,
        "name": one.name,
        "department": list(one.departments),
        "order": [0] * len(one.departments),
        "position": one.position,
        "status": one.status,
        "isleader": 0,
        "is_leader_in_dept": [int(number in one.leads) for number in one.departments],
        "direct_leader": [],
        "alias": one.alias,
        "main_department": one.departments[0] if one.departments else 0,
        "extattr": {"attrs": []},
        "enable": int(one.status != 2),  # noqa: PLR2004
    }


def _page(lines: Sequence[Json], body: Json, most: int) -> tuple[list[Json], str]:
    start, limit = int(body.get("cursor") or 0), min(int(body.get("limit") or most), most)
    end = start + limit
    return list(lines[start:end]), str(end) if end < len(lines) else ""


def _check_template(body: Json) -> None:
    text = str(body.get("text", {}).get("content", ""))
    extras = [key for key in ATTACHMENTS if key in body]
    require(text or extras, "text", 44004)
    require(len(text.encode()) <= 3000, "text.content", 45002)  # noqa: PLR2004
    require(len(extras) <= 1, f"only one of {extras}")


def _range(given: Mapping[str, Any]) -> dict[str, list[Any]]:
    return {
        "user_list": list(given.get("user_list", [])),
        "department_list": list(given.get("department_list", [])),
    }
