"""REST calls that write to people: messages of an app, its groups, its media, and webhook robots."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from groupops_wecom.testing.aibots import MEDIA_BYTES, MEDIA_WINDOW
from groupops_wecom.testing.cards import WITH_TASK, check_card, given, require, table
from groupops_wecom.testing.meters import Meter
from groupops_wecom.testing.refusals import RefusalError
from groupops_wecom.testing.world import App, Card, Group, Json, Media, Person, Said, Seat, World

if TYPE_CHECKING:
    from groupops_wecom.testing.rest import Caller

DAY: Final = 86400
CARD_WINDOW: Final = 3 * DAY
APPCHAT_KINDS: Final = ("text", "image", "voice", "video", "file", "textcard", "news", "mpnews", "markdown")
MESSAGE_KINDS: Final = (*APPCHAT_KINDS, "miniprogram_notice", "template_card")
ROBOT_KINDS: Final = ("text", "markdown", "markdown_v2", "image", "news", "file", "voice", "template_card")
CHAT_ID: Final = re.compile(r"[0-9A-Za-z]{1,32}")


@dataclass(kw_only=True, slots=True)
class Sent:
    """A message of an app to people, which may be taken back."""

    said: Said
    agent_id: int


class Letters:
    """The calls.

    Args:
        world: what there is.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.sent: dict[str, Sent] = {}
        self.dropped: list[tuple[str, Json]] = []
        self.codes: dict[str, tuple[Card, float]] = {}
        self._repeats: dict[str, tuple[float, Json]] = {}
        self._member = Meter((30, 60), (1000, 3600))
        self._in_groups = Meter((200, 60), (10_000, DAY))
        self._crowd = Meter((20_000, 60), bans=True)
        self._day = Meter((200_000, DAY))
        self._robot = Meter((20, 60))
        self.ways: Mapping[str, tuple[str, Callable[[Caller, Json], Any]]] = {
            "message/send": ("POST", self._send),
            "message/update_template_card": ("POST", self._update_card),
            "message/recall": ("POST", self._recall),
            "appchat/create": ("POST", self._create),
            "appchat/update": ("POST", self._change),
            "appchat/get": ("GET", self._get),
            "appchat/send": ("POST", self._send_group),
            "media/upload": ("POST", self._upload),
            "media/uploadimg": ("POST", self._upload_picture),
            "media/get": ("GET", self._download),
        }

    # — to people —

    def _send(self, caller: Caller, body: Json) -> Json:
        app = _app(caller)
        require("agentid" in body, "agentid missing", 41011)
        require(
            body["agentid"] == app.agent_id, "not allow operate another agent with this accesstoken", 301002
        )
        repeat = self._repeated(app, body)
        if repeat is not None:
            return repeat
        people, invalid = self._receivers(body)
        content = self._content(app, body, MESSAGE_KINDS)
        require(people, "all touser & toparty & totag invalid", 81013)
        require(
            self._day.admits(str(app.agent_id), self.world.now(), len(people)), "api freq out of limit", 45009
        )
        said, answer = self._delivered(app, people, str(body["msgtype"]), content)
        self.sent[said.id] = Sent(said=said, agent_id=app.agent_id)
        done = {
            "invaliduser": "|".join(invalid).lower(),
            "invalidparty": "",
            "invalidtag": "",
            "unlicenseduser": "",
        }
        done |= {"msgid": said.id, **answer}
        self._repeats[_request(app, body)] = (self.world.now(), done)
        return done

    def _repeated(self, app: App, body: Json) -> Json | None:
        """The answer to the same request, when repeats are to be dropped and it came not long ago."""
        interval = body.get("duplicate_check_interval", 1800)
        require(0 < interval <= 4 * 3600, "duplicate_check_interval", 40035)
        at, done = self._repeats.get(_request(app, body), (0.0, None))
        return done if body.get("enable_duplicate_check") == 1 and self.world.now() - at < interval else None

    def _receivers(self, body: Json) -> tuple[list[Person], list[str]]:
        if body.get("touser") == "@all":
            return [one for one in self.world.staff() if one.status == 1], []
        named = [one for one in str(body.get("touser", "")).split("|") if one]
        parties = [one.strip() for one in str(body.get("toparty", "")).split("|") if one.strip()]
        require(len(named) <= 1000 and len(parties) <= 100, "touser", 40035)  # noqa: PLR2004
        staff = {one.userid.lower(): one for one in self.world.staff() if one.status == 1}
        found = {one.lower(): staff[one.lower()] for one in named if one.lower() in staff}
        for party in parties:
            inside = set(self.world.below(int(party))) if int(party) in self.world.departments else set[int]()
            found |= {key: one for key, one in staff.items() if inside & set(one.departments)}
        return list(found.values()), [one for one in named if one.lower() not in staff]

    def _delivered(self, app: App, people: list[Person], kind: str, content: Json) -> tuple[Said, Json]:
        card = None
        answer: Json = {}
        if kind == "template_card":
            card = Card(task_id=str(content.get("task_id", "")), template=content, maker=str(app.agent_id))
            if content["card_type"] in WITH_TASK:
                answer["response_code"] = self.code(card)
        said = Said(
            id=self.world.fresh("MSG"),
            at=self.world.now(),
            by=str(app.agent_id),
            kind=kind,
            body=content,
            card=card,
        )
        for person in people:
            if self._member.admits(f"{app.agent_id} {person.userid}", self.world.now()):
                person.inbox.append(said)
            else:
                self.dropped.append((person.userid, content))
        return said, answer

    def code(self, card: Card) -> str:
        """A response code for a card: good for one change of it within three days."""
        code = self.world.fresh("RESPONSECODE")
        self.codes[code] = (card, self.world.now())
        return code

    def _update_card(self, caller: Caller, body: Json) -> Json:
        app = _app(caller)
        require(body.get("agentid") == app.agent_id, "agentid", 301002)
        card, at = given(self.codes.get(str(body.get("response_code"))), "response_code", 40035)
        require(self.world.now() - at <= CARD_WINDOW, "response_code is too old", 40035)
        everybody = bool(body.get("atall"))
        people = [one for one in body.get("userids", ()) if one in self.world.people]
        for party in body.get("partyids", ()):
            inside = set(self.world.below(int(party)))
            people += [one.userid for one in self.world.staff() if inside & set(one.departments)]
        require(everybody or people, "userids", 40035)
        del self.codes[str(body["response_code"])]
        self.change(card, list(self.world.people) if everybody else people, body)
        wrong = [one for one in body.get("userids", ()) if one not in self.world.people]
        return {"invaliduser": wrong}

    def change(self, card: Card, people: list[str], how: Json) -> None:
        """Change what these people see of a card: its button is switched off, or it is another card.

        Raises:
            RefusalError: it says neither, or the new card is not one.
        """
        if "button" in how:
            name = how["button"].get("replace_name")
            require(name, "button.replace_name")
            card.done.update(dict.fromkeys(people, str(name)))
            return
        template = table(how.get("template_card"), "template_card")
        check_card(template, of_app=True, update=True)
        card.shown.update(dict.fromkeys(people, template))

    def _recall(self, caller: Caller, body: Json) -> Json:
        sent = given(self.sent.get(str(body.get("msgid"))), "msgid", 40035)
        require(sent.agent_id == _app(caller).agent_id, "msgid", 40035)
        require(self.world.now() - sent.said.at <= DAY, "message is too old to recall", 40035)
        sent.said.recalled = True
        return {}

    # — an app's groups —

    def _create(self, caller: Caller, body: Json) -> Json:
        app = _app(caller)
        require(app.root, "api forbidden", 48002)
        members = list(dict.fromkeys(body.get("userlist", ())))
        require(2 <= len(members) <= 2000, "userlist", 86006)  # noqa: PLR2004
        require(all(self._of_staff(one) for one in members), "userlist", 86007)
        owner = str(body.get("owner") or members[0])
        require(owner in members, "owner", 86005)
        chat_id = str(body.get("chatid") or self.world.fresh("chat"))
        require(CHAT_ID.fullmatch(chat_id), "invalid chatid", 86001)
        require(self.world.find("appchat", chat_id) is None, "chatid exists", 86001)
        self.world.group(str(body.get("name", ""))[:50], owner, members, appchat_id=chat_id, app=app.agent_id)
        return {"chatid": chat_id}

    def _own(self, caller: Caller, body: Json) -> Group:
        group = given(self.world.find("appchat", str(body.get("chatid", ""))), "chat not exist", 86003)
        require(group.app == _app(caller).agent_id, "chat is not created by this app", 86008)
        return group

    def _change(self, caller: Caller, body: Json) -> Json:
        group = self._own(caller, body)
        leave, come = list(body.get("del_user_list", ())), list(body.get("add_user_list", ()))
        require(all(one in group.seats for one in leave), "del_user_list", 86007)
        require(all(self._of_staff(one) for one in come), "add_user_list", 86007)
        after = [one for one in group.seats if one not in leave] + come
        owner = str(body.get("owner") or group.owner)
        require(owner in after, "owner", 86005)
        require(2 <= len(after) <= 2000, "member count", 86006)  # noqa: PLR2004
        for one in leave:
            del group.seats[one]
        for one in come:
            group.seats.setdefault(one, Seat(joined_at=self.world.now()))
        group.owner, group.name = owner, str(body.get("name") or group.name)
        return {}

    def _get(self, caller: Caller, body: Json) -> Json:
        group = self._own(caller, body)
        info = {"chatid": group.appchat_id, "name": group.name, "owner": group.owner}
        return {"chat_info": {**info, "userlist": list(group.seats), "chat_type": 0}}

    def _send_group(self, caller: Caller, body: Json) -> Json:
        app, group = _app(caller), self._own(caller, body)
        content = self._content(app, body, APPCHAT_KINDS)
        now = self.world.now()
        require(self._crowd.admits(self.world.corp_id, now, len(group.seats)), "api freq out of limit", 45009)
        for one in group.seats:
            if not self._in_groups.admits(f"{app.agent_id} {one}", now):
                self.dropped.append((one, content))
        self.world.post(group, str(app.agent_id), str(body["msgtype"]), content)
        return {}

    def _of_staff(self, userid: str) -> bool:
        person = self.world.people.get(userid)
        return person is not None and not person.external and person.status == 1

    def _content(self, app: App, body: Json, kinds: tuple[str, ...]) -> Json:
        kind = str(body.get("msgtype", ""))
        require(kind in kinds, f"msgtype {kind!r}", 40008)
        content = table(body.get(kind), f"{kind} is empty", 44004)
        match kind:
            case "text" | "markdown" | "markdown_v2":
                _words(content, 4096 if kind == "markdown_v2" else 2048)
            case "image" | "voice" | "video" | "file":
                self._media(kind, content)
            case "textcard":
                require(all(content.get(key) for key in ("title", "description", "url")), "textcard", 44004)
            case "news":
                require(1 <= len(content.get("articles", ())) <= 8, "articles", 45008)  # noqa: PLR2004
            case "template_card":
                check_card(content, of_app=True)
                require(
                    app.callback or content["card_type"] not in WITH_TASK, "no callback for the card", 40058
                )
            case _:
                pass
        return content

    def _media(self, kind: str, content: Json) -> None:
        media = self.world.media.get(str(content.get("media_id")))
        fresh = media is not None and media.kind == kind and self.world.now() - media.at <= MEDIA_WINDOW
        require(fresh, "media_id", 40007)

    # — media —

    def _upload(self, _: Caller, body: Json) -> Json:
        media = self._kept(body)
        return {"errmsg": "", "type": media.kind, "media_id": media.id, "created_at": str(int(media.at))}

    def _kept(self, body: Json) -> Media:
        kind, data = str(body.get("type")), _file(body)
        require(kind in MEDIA_BYTES, "type", 40004)
        require(5 < len(data) <= MEDIA_BYTES[kind], "media size", 40006)  # noqa: PLR2004
        require(body.get("filename"), "filename", 40035)
        return self.world.keep(kind, str(body["filename"]), data)

    def _upload_picture(self, _: Caller, body: Json) -> Json:
        media = self.world.keep("image", str(body.get("filename")), _file(body))
        return {"url": f"https://wework.example/{media.id}"}

    def _download(self, _: Caller, body: Json) -> Media:
        media = given(self.world.media.get(str(body.get("media_id"))), "invalid media_id", 40007)
        require(self.world.now() - media.at <= MEDIA_WINDOW, "invalid media_id", 40007)
        return media

    # — webhook robots —

    def webhook(self, name: str, query: Mapping[str, str], body: Json) -> Json:
        """Write into the group a key belongs to, or keep a file for it.

        Raises:
            RefusalError: no such key, more than 20 in a minute, or a body that cannot be shown.
        """
        robot = given(self.world.robots.get(query.get("key", "")), "invalid webhook url", 93000)
        if name == "webhook/upload_media":
            media = self._kept({**body, "type": query.get("type")})
            return {"type": media.kind, "media_id": media.id, "created_at": str(int(media.at))}
        require(name == "webhook/send", f"no such interface: {name}", 40097)
        content = self._robot_content(body)
        require(self._robot.admits(robot.key, self.world.now()), "api freq out of limit", 45009)
        self.world.post(robot.group, robot.key, str(body["msgtype"]), content)
        return {}

    def _robot_content(self, body: Json) -> Json:
        kind = str(body.get("msgtype", ""))
        require(kind in ROBOT_KINDS, f"msgtype {kind!r}", 40008)
        content = table(body.get(kind), f"{kind} is empty", 44004)
        match kind:
            case "text" | "markdown" | "markdown_v2":
                _words(content, 2048 if kind == "text" else 4096)
            case "image":
                _picture(content)
            case "news":
                require(1 <= len(content.get("articles", ())) <= 8, "articles", 45008)  # noqa: PLR2004
            case "file" | "voice":
                self._media(kind, content)
            case _:
                require(content.get("card_type") in {"text_notice", "news_notice"}, "card_type")
                check_card(content, of_app=True)
        return content


def _app(caller: Caller) -> App:
    if caller.app is None:
        raise RefusalError(48002, "api forbidden")
    return caller.app


def _file(body: Json) -> bytes:
    data = body.get("media")
    if not isinstance(data, bytes):
        raise RefusalError(41005, "media data missing")
    return data


def _request(app: App, body: Json) -> str:
    return f"{app.agent_id} {json.dumps(body, sort_keys=True)}"


def _words(content: Json, most: int) -> None:
    text = str(content.get("content", ""))
    require(text, "content is empty", 44004)
    require(len(text.encode()) <= most, f"content is longer than {most} bytes", 45002)


def _picture(content: Json) -> None:
    try:
        data = base64.b64decode(str(content.get("base64", "")), validate=True)
    except binascii.Error:
        raise RefusalError(40058, "base64") from None
    require(0 < len(data) <= 2 << 20, "image size", 40009)
    require(hashlib.md5(data, usedforsecurity=False).hexdigest() == content.get("md5"), "md5")
