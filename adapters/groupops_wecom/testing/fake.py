"""The make-believe WeCom as a whole, and what the people in it do."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from groupops_wecom.crypto import closed
from groupops_wecom.testing.aibots import AiBots, Anchor
from groupops_wecom.testing.archive import Archive
from groupops_wecom.testing.cards import pressed
from groupops_wecom.testing.clock import Clock
from groupops_wecom.testing.longlink import LongLink
from groupops_wecom.testing.pusher import Post, Pusher
from groupops_wecom.testing.refusals import WorldError
from groupops_wecom.testing.rest import Rest
from groupops_wecom.testing.world import AiBot, App, Card, CheckIn, Group, Json, Person, Said, Seat, World
from groupops_wecom.xmls import Bare

FILE_LASTS = 5 * 60


class FakeWeCom:
    """A company on WeCom, on loopback.

    Args:
        now: seconds since 1970; a clock that stands still unless it is put forward, when none is given.
        archive: a folder for what is said in archived rooms; nothing is kept without one.

    Attributes:
        world: what there is.
        bots: the AI bots' rules.
        link: their long connections.
        rest: the REST interface.
        pusher: what posts to callback URLs.
    """

    def __init__(self, now: Callable[[], float] | None = None, archive: Path | None = None) -> None:
        self.clock = Clock()
        self.world = World(now or self.clock)
        self.bots = AiBots(self.world)
        self.link = LongLink(self.bots)
        self.rest = Rest(self.world, self.bots)
        self.pusher = Pusher(self.world, self.bots, self.rest.letters)
        self.archive = Archive(self.world, archive) if archive else None
        self._greeted: dict[tuple[str, str], int] = {}

    # — people talk —

    async def say(
        self, userid: str, where: Group | AiBot | App, text: str, *, quote: Json | None = None
    ) -> Said:
        """Let somebody say something: in a group, to an AI bot alone, or in an app's chat.

        In a group an AI bot hears only what names it by `@` and its name.
        """
        if isinstance(where, App):
            said = self.world.post(self.world.people[userid], userid, "text", {"content": text})
            await self.tell_app(where, userid, {"MsgType": "text", "Content": text})
            return said
        extra: Json = {"quote": quote} if quote else {}
        return await self.send(userid, where, "text", {"content": text}, **extra)

    async def send(self, userid: str, where: Group | AiBot, kind: str, content: Json, **extra: Any) -> Said:
        """Let somebody send a message of any kind to a group or an AI bot.

        Args:
            userid: who.
            where: a group, or the bot.
            kind: the msgtype.
            content: what stands under it.
            **extra: further keys of what an AI bot is told, such as `quote`.
        """
        if isinstance(where, AiBot):
            said = Said(id=self.world.fresh("MSG"), at=self.world.now(), by=userid, kind=kind, body=content)
            await self._tell_message(where, self.world.people[userid], said, extra)
            return said
        self.world.member(where, userid)
        if where.customer_id and self.rest.offices.blocks(
            userid, str(content.get("content", "")), red_packet=kind == "redpacket"
        ):
            raise BlockedError(f"{userid} is stopped from writing this to customers")
        said = self.world.post(where, userid, kind, content)
        for bot in self._named(where, kind, content):
            await self._tell_message(bot, where, said, extra)
        return said

    def _named(self, group: Group, kind: str, content: Json) -> list[AiBot]:
        if kind == "mixed":
            texts = [str(one.get("text", {}).get("content", "")) for one in content["msg_item"]]
        else:
            texts = [str(content.get("content", ""))] if kind == "text" else []
        bots = [self.world.bots[one] for one in sorted(group.bots)]
        return [bot for bot in bots if any(f"@{bot.name}" in text for text in texts)]

    async def red_packet(
        self, userid: str, group: Group, fen: int, count: int = 1, *, wish: str = "恭喜发财", kind: int = 2
    ) -> Said:
        """Let somebody give a red packet; only the archive will know."""
        body = {"type": kind, "wish": wish, "totalcnt": count, "totalamount": fen}
        return await self.send(userid, group, "redpacket", body)

    async def take_back(self, userid: str, group: Group, said: Said) -> None:
        """Let somebody take a message back; only the archive will know."""
        said.recalled = True
        external = "_external" if group.customer_id else ""
        await self.send(userid, group, "revoke", {"pre_msgid": f"{said.id}_{int(said.at)}{external}"})

    def file(self, name: str, data: bytes, bot: AiBot) -> Json:
        """Put a file where an AI bot can fetch it for five minutes; gives what stands in the message.

        A bot on the long connection gets a key for each file; one in callback mode has its own for all.
        """
        key = base64.b64encode(os.urandom(32)).decode()
        mine = bot.callback.aes_key if bot.callback else key
        id_ = self.world.fresh("file")
        self.rest.files[id_] = (closed(data, mine), name, self.world.now() + FILE_LASTS)
        url = f"{self.rest.base}/files/{id_}"
        return {"url": url} if bot.callback else {"url": url, "aeskey": key}

    # — people open, press, rate —

    async def open_chat(self, userid: str, bot: AiBot) -> Anchor | None:
        """Let somebody open an AI bot's chat; it is told the first time of each day."""
        today = int((self.world.now() + 8 * 3600) // 86400)
        if self._greeted.get((bot.bot_id, userid)) == today:
            return None
        self._greeted[bot.bot_id, userid] = today
        return await self._tell_event(bot, self.world.people[userid], userid, "enter_chat", {}, placed=False)

    async def press(
        self, userid: str, card: Card | Said, key: str, selected: Mapping[str, Sequence[str]] | None = None
    ) -> Anchor | Post:
        """Let somebody press a button of a card.

        Args:
            userid: who.
            card: the card, or the message it is in.
            key: the button's key.
            selected: what is chosen, by question.

        Raises:
            WorldError: they see no such button.
        """
        found = card.card if isinstance(card, Said) else card
        if found is None:
            raise WorldError("the message has no card")
        pressed(found, userid, key)
        where = self._place_of(found)
        if isinstance(where, Group):
            self.world.member(where, userid)
        if found.maker in self.world.bots:
            return await self._press_bot(userid, found, key, selected or {}, where)
        return await self._press_app(userid, found, key, selected or {})

    async def _press_bot(
        self, userid: str, card: Card, key: str, selected: Mapping[str, Sequence[str]], where: Group | Person
    ) -> Anchor:
        event: Json = {
            "card_type": card.seen_by(userid)["card_type"],
            "event_key": key,
            "task_id": card.task_id,
        }
        if selected:
            items = [
                {"question_key": one, "option_ids": {"option_id": list(ids)}} for one, ids in selected.items()
            ]
            event["selected_items"] = {"selected_item": items}
        bot = self.world.bots[card.maker]
        return await self._tell_event(bot, where, userid, "template_card_event", event, card=card)

    async def _press_app(
        self, userid: str, card: Card, key: str, selected: Mapping[str, Sequence[str]]
    ) -> Post:
        fields: Json = {
            "MsgType": "event",
            "Event": "template_card_event",
            "EventKey": key,
            "TaskId": card.task_id,
            "CardType": card.seen_by(userid)["card_type"],
            "ResponseCode": self.rest.letters.code(card),
        }
        if selected:
            items = [
                {"QuestionKey": one, "OptionIds": {"OptionId": list(ids)}} for one, ids in selected.items()
            ]
            fields["SelectedItems"] = {"SelectedItem": items}
        return await self.tell_app(self.world.apps[int(card.maker)], userid, fields, card)

    async def rate(
        self, userid: str, bot: AiBot, where: Group | Person, feedback_id: str, mark: int = 1
    ) -> Anchor:
        """Let somebody rate an answer: 1 good, 2 bad, 3 not rated after all."""
        return await self._tell_event(
            bot, where, userid, "feedback_event", {"id": feedback_id, "type": mark, "content": ""}
        )

    def _place_of(self, card: Card) -> Group | Person:
        places: list[Group | Person] = [*self.world.groups, *self.world.people.values()]
        return next(place for place in places if any(one.card is card for one in place.said))

    # — people are somewhere —

    async def location(
        self, userid: str, app: App, lat: float, lon: float, label: str = "", scale: int = 15
    ) -> Post:
        """Let somebody send their position in an app's chat; degrees as the client has them, GCJ-02."""
        fields = {
            "MsgType": "location",
            "Location_X": _bare(lat),
            "Location_Y": _bare(lon),
            "Scale": scale,
            "Label": label,
            "AppType": "wxwork",
        }
        return await self.tell_app(app, userid, fields)

    async def seen_at(self, userid: str, app: App, lat: float, lon: float, precision: float = 30.0) -> Post:
        """Let a consenting member enter an app's chat, which reports the position."""
        fields = {
            "MsgType": "event",
            "Event": "LOCATION",
            "Latitude": _bare(lat),
            "Longitude": _bare(lon),
            "Precision": _bare(precision),
            "AppType": "wxwork",
        }
        return await self.tell_app(app, userid, fields)

    def check_in(self, userid: str, lat: float, lng: float, kind: str = "上班打卡", **rest: Any) -> CheckIn:
        """Let somebody check in with WeCom's own check-in, of which nobody is told."""
        made = CheckIn(userid=userid, at=self.world.now(), kind=kind, lat=lat, lng=lng, **rest)
        self.world.check_ins.append(made)
        return made

    # — people come and go —

    async def join(
        self, userids: str | Sequence[str], group: Group, *, scene: int = 1, invitor: str = ""
    ) -> None:
        """Let people come into a group; apps hear of it only for customer groups."""
        people = [userids] if isinstance(userids, str) else list(userids)
        for one in people:
            group.seats[one] = Seat(joined_at=self.world.now(), scene=scene, invitor=invitor)
        await self.changed(group, "add_member", people, join_scene=3 if scene == 3 else 0)  # noqa: PLR2004

    async def leave(self, userids: str | Sequence[str], group: Group, *, removed: bool = False) -> None:
        """Let people leave a group, or be removed by its owner in the client."""
        people = [userids] if isinstance(userids, str) else list(userids)
        for one in people:
            self.world.member(group, one)
            del group.seats[one]
        await self.changed(group, "del_member", people, quit_scene=int(removed))

    async def rename(self, group: Group, name: str) -> None:
        """Let a group have another name."""
        group.name = name
        await self.changed(group, "change_name", ())

    async def hand_over(self, group: Group, owner: str) -> None:
        """Let a group have another owner."""
        self.world.member(group, owner)
        group.owner = owner
        await self.changed(group, "change_owner", ())

    async def dismiss(self, group: Group) -> None:
        """Let a group be no more."""
        group.dismissed = True
        await self.changed(group, "", (), kind="dismiss")

    async def changed(
        self,
        group: Group,
        detail: str,
        people: Sequence[str],
        *,
        kind: str = "update",
        join_scene: int = 0,
        quit_scene: int = 0,
    ) -> None:
        """Tell the apps of customer contact that a customer group has changed."""
        before, group.version = group.version, group.version + 1
        if not group.customer_id:
            return
        fields: Json = {
            "MsgType": "event",
            "Event": "change_external_chat",
            "ChatId": group.customer_id,
            "ChangeType": kind,
        }
        if kind == "update":
            fields |= {"UpdateDetail": detail, "JoinScene": join_scene, "QuitScene": quit_scene}
            fields |= {"MemChangeCnt": len(people), "MemChangeList": {"Item": list(people)}}
            fields |= {"LastMemVer": f"v{before}", "CurMemVer": f"v{group.version}"}
        for app in self.world.apps.values():
            callback = app.customers_callback or app.callback
            if app.customers and callback:
                await self.pusher.tell(callback, fields)

    async def hire(self, userid: str, name: str, *departments: int, **rest: Any) -> Person:
        """Let somebody join the company; the contacts' assistant and the apps hear of it."""
        person = self.world.hire(userid, name, *departments, **rest)
        await self._contact_changed("create_user", person)
        await self._to_apps(userid, {"MsgType": "event", "Event": "subscribe"})
        return person

    async def fire(self, userid: str) -> None:
        """Let somebody leave the company, and its own groups with it."""
        person = self.world.people[userid]
        person.status = 5
        for group in self.world.groups:
            if userid in group.seats:
                await self.leave(userid, group, removed=True)
        await self._contact_changed("delete_user", person)
        await self._to_apps(userid, {"MsgType": "event", "Event": "unsubscribe"})

    async def move(self, userid: str, *departments: int) -> None:
        """Let somebody work in other departments."""
        person = self.world.people[userid]
        person.departments = list(departments)
        await self._contact_changed("update_user", person)

    async def _contact_changed(self, change: str, person: Person) -> None:
        if self.world.contacts_callback is None:
            return
        fields: Json = {
            "MsgType": "event",
            "Event": "change_contact",
            "ChangeType": change,
            "UserID": person.userid,
        }
        if change != "delete_user":
            fields["Department"] = ",".join(str(one) for one in person.departments)
        await self.pusher.tell(self.world.contacts_callback, fields)

    async def archive_grew(self) -> None:
        """Say that the archive has something new."""
        if self.world.archive_callback is not None:
            await self.pusher.tell(
                self.world.archive_callback, {"MsgType": "event", "Event": "msgaudit_notify"}
            )

    async def _to_apps(self, userid: str, fields: Json) -> None:
        for app in self.world.apps.values():
            if app.callback is not None:
                await self.tell_app(app, userid, fields)

    async def tell_app(self, app: App, userid: str, fields: Json, card: Card | None = None) -> Post:
        """Tell an app what somebody did: any message or event, without the head that each has."""
        number = {"MsgId": int(self.world.fresh("70000000000"))} if fields["MsgType"] != "event" else {}
        return await self.pusher.tell_app(app, {"FromUserName": userid, **fields, **number}, card)

    # — telling an AI bot —

    async def _tell_message(self, bot: AiBot, where: Group | Person, said: Said, extra: Json) -> Anchor:
        body = {**self._head(bot, where, said.by), "msgtype": said.kind, said.kind: said.body, **extra}
        return await self._told(self.bots.anchor(bot, "message", where, said.by, body))

    async def _tell_event(
        self,
        bot: AiBot,
        where: Group | Person,
        userid: str,
        kind: str,
        event: Json,
        *,
        card: Card | None = None,
        placed: bool = True,
    ) -> Anchor:
        head = self._head(bot, where, userid)
        if not placed:
            head.pop("chattype")
        inner: Json = {"eventtype": kind, **({kind: event} if event else {})}
        body = {**head, "create_time": int(self.world.now()), "msgtype": "event", "event": inner}
        anchor = self.bots.anchor(bot, kind, where, userid, body)
        anchor.card = card
        return await self._told(anchor)

    def _head(self, bot: AiBot, where: Group | Person, userid: str) -> Json:
        head: Json = {"msgid": self.world.fresh("MSGID"), "aibotid": bot.bot_id}
        if isinstance(where, Group):
            head["chatid"] = where.chat_id
        head["chattype"] = "group" if isinstance(where, Group) else "single"
        return {**head, "from": {"userid": self.bots.seen(bot, userid)}}

    async def _told(self, anchor: Anchor) -> Anchor:
        if anchor.bot.callback is not None:
            await self.pusher.tell_bot(anchor)
        else:
            await self.link.tell(anchor)
        return anchor


class BlockedError(WorldError):
    """An intercept rule stops it before it is sent."""


def _bare(number: float) -> Bare:
    return Bare(f"{number:.6f}")
