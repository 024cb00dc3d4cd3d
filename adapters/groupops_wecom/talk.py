"""The adapter's own few words with people: what a group is called here, and which chats are one group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nonebot.log import logger

from groupops_wecom.answers import why_of
from groupops_wecom.bot import AiBot, AppBot, Bot
from groupops_wecom.event import MessageEvent
from groupops_wecom.exception import WeComAdapterException
from groupops_wecom.message import MessageSegment
from groupops_wecom.read import spoken
from groupops_wecom.rooms import LONGEST, Side, account, group_id
from groupops_wecom.shapes import table

if TYPE_CHECKING:
    from groupops_wecom.wecom import WeCom

SHOWN = 30
"""Groups that are listed at once."""

_LINK_ARGS = 2


class Talk:
    """Understands the adapter's own words (`texts.toml`), and answers them.

    Args:
        host: the platform.
    """

    def __init__(self, host: WeCom) -> None:
        self._host = host

    def is_own(self, event: MessageEvent) -> bool:
        """Say whether a message is one of the adapter's own words."""
        texts = self._host.texts
        words = _words(event)
        own = {texts("room.word"), texts("link.word"), texts("part.word")}
        return bool(words) and words[0] in own

    async def answer(self, bot: Bot, event: MessageEvent) -> None:
        """Do what was asked, and say so where it was asked."""
        text = MessageSegment.text(await self._answered(event))
        try:
            if isinstance(bot, AiBot):
                await bot.respond(event, text)
            else:
                await bot.send(event, text)
        except WeComAdapterException as error:
            logger.warning("a question about chats could not be answered: {}", why_of(error))

    async def _answered(self, event: MessageEvent) -> str:
        texts = self._host.texts
        word, *args = _words(event)
        here = self._host.rooms.room_of(event.chat_id)
        if word == texts("room.word"):
            return self._about(here) if here else self._all(event)
        if not self._is_steward(event, args[0] if len(args) > 1 else here):
            return texts("link.only")
        if word == texts("part.word"):
            return await self._part(args)
        return await self._link(args if len(args) == _LINK_ARGS or not here else [here, *args], event)

    def _is_steward(self, event: MessageEvent, room: str) -> bool:
        who = account(self._host.faces.plain(event.user_id) or "")
        return bool(who) and self._host.people.member(group_id(self._host.rooms.room_of(room)), who).steward

    # — what there is —

    def _about(self, room: str) -> str:
        texts = self._host.texts
        lines = [
            texts(
                "room.side",
                kind=texts(f"kind.{side.kind}"),
                native=side.id,
                name=f"({side.name})" if side.name else "",
            )
            for side in self._host.rooms.sides(room)
        ]
        return texts("room.here", id=room, sides="\n".join(lines))

    def _all(self, event: MessageEvent) -> str:
        texts = self._host.texts
        if not self._is_steward(event, ""):
            return texts("link.only")
        lines = [self._line(room) for room in self._host.rooms]
        unbound = [
            texts("room.line", id=one, kinds=texts("kind.archive"), name="") for one in self._host.unbound()
        ]
        found = [*lines, *unbound][:SHOWN]
        return "\n".join([texts("room.head"), *found]) if found else texts("room.none")

    def _line(self, room: str) -> str:
        texts = self._host.texts
        sides = self._host.rooms.sides(room)
        name = next((side.name for side in sides if side.name), "")
        return texts("room.line", id=room, kinds=self._kinds(room), name=f"({name})" if name else "")

    def _kinds(self, room: str) -> str:
        texts = self._host.texts
        kinds = dict.fromkeys(side.kind for side in self._host.rooms.sides(room))
        return "、".join(texts(f"kind.{kind}") for kind in kinds)

    # — what is changed —

    async def _link(self, args: list[str], event: MessageEvent) -> str:
        texts = self._host.texts
        if len(args) != _LINK_ARGS or any(len(one) > LONGEST for one in args):
            return texts("link.form")
        into, other = self._host.rooms.room_of(args[0]), args[1]
        if into not in self._host.rooms:
            return texts("link.unknown", id=args[0])
        found = await self._known(other)
        if not found:
            return texts("link.unknown", id=other)
        placed = self._host.rooms.link(into, found, self._host.faces.plain(event.user_id) or "")
        if not placed:
            return texts("link.nothing")
        await self._host.keep(placed)
        self._host.start(self._host.read_list(into))
        return texts("link.done", id=into, kinds=self._kinds(into))

    async def _known(self, id_: str) -> str:
        """Give the id under which a chat is known, after learning of one that can be looked up; nothing for none."""
        if id_ in self._host.robots():
            return f"robot-{id_}"
        if any(placed.side.id == id_ for placed in self._host.rooms.placed()):
            return id_
        app = self._host.standing.app()
        if id_ in self._host.unbound():
            keeper = app.info.corp_id if app is not None else ""
            self._host.meet(Side(kind="archive", native=id_, keeper=keeper))
            return id_
        return id_ if app is not None and await self._is_of(app, id_) else ""

    async def _is_of(self, app: AppBot, chat: str) -> bool:
        """Say whether a group was made by the app; WeCom tells nobody which are, so it is asked for this one."""
        try:
            answer = await app.call("appchat/get", method="GET", params={"chatid": chat})
        except WeComAdapterException:
            return False
        if not table(answer.get("chat_info")):
            return False
        self._host.meet(Side(kind="appchat", native=chat, keeper=app.self_id))
        return True

    async def _part(self, args: list[str]) -> str:
        texts = self._host.texts
        if len(args) != 1:
            return texts("part.form")
        placed = self._host.rooms.part(args[0])
        if not placed:
            return texts("link.nothing")
        await self._host.keep(placed)
        return texts("link.done", id=args[0], kinds=self._kinds(args[0]))


def _words(event: MessageEvent) -> list[str]:
    words = spoken(event.message).split()
    return [words[0].lstrip("/／"), *words[1:]] if words else []
