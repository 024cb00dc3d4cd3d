"""What WeCom does not tell and has to be asked for: who is in the app's range, who changed, what the archive holds."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nonebot.log import logger

from groupops_wecom.answers import why_of
from groupops_wecom.archive import Archived, Provider
from groupops_wecom.archived import ARCHIVE, no_interest, read_archived
from groupops_wecom.bot import AppBot
from groupops_wecom.contacts import Contacts, Status
from groupops_wecom.event import ChangeContact
from groupops_wecom.exception import WeComAdapterException
from groupops_wecom.jsonl import JsonlArchive
from groupops_wecom.people import Following
from groupops_wecom.rooms import Side, group_id, native_of
from groupops_wecom.shapes import table, whole

if TYPE_CHECKING:
    from groupops_wecom.wecom import WeCom

AGAIN = 60.0
"""Seconds before the contacts are asked for again that could not be read."""


BOOKED_AFTER = 120.0
"""Seconds after which what was handed in is booked or refused. What is younger is read again after a restart: the core
knows a fact by its id, so that nothing comes of it twice."""


class Pull:
    """Asks, now and then.

    Args:
        host: the platform.
    """

    def __init__(self, host: WeCom) -> None:
        self._host = host
        self._bell = asyncio.Event()
        self._following: Following | None = None
        self.lasting: set[asyncio.Task[Any]] = set()

    def begin(self) -> None:
        """Begin what lasts as long as the process."""
        app = self._host.standing.app()
        if app is not None:
            self._last(self._keep_range(app))
        if self._host.options.wecom_archive:
            self._last(self._keep_archive())
        self._last(self._host.reread())
        self._last(self._host.outcomes.keep_looking())

    def _last(self, doing: Any) -> None:
        task = asyncio.get_running_loop().create_task(doing)
        self.lasting.add(task)

    async def end(self) -> None:
        """End it."""
        for task in self.lasting:
            task.cancel()
        await asyncio.gather(*self.lasting, return_exceptions=True)
        self.lasting.clear()

    # — who is in range —

    async def _keep_range(self, app: AppBot) -> None:
        while True:
            try:
                await self.read_range(app)
                wait = self._host.options.wecom_contacts_minutes * 60.0
            except WeComAdapterException as error:
                logger.warning("who is in the range of the WeCom app could not be read: {}", why_of(error))
                wait = AGAIN
            await self._host.clock.sleep(wait)

    async def read_range(self, app: AppBot) -> None:
        """Read who is in the app's range, and their names.

        Raises:
            WeComAdapterException: WeCom does not say.
        """
        there: list[str] = []
        for member in await Contacts(app.api).everybody():
            if member.status is not Status.LEFT:
                there.append(member.userid)
                self._host.faces.name(member.userid, member.name)
        self._host.faces.keep_only(there)

    # — who changed —

    async def contact_changed(self, event: ChangeContact) -> None:
        """Tell the core of a member who came, changed or left; of whom the event names, it says no more."""
        user, app = event.user_id, self._host.standing.app()
        room = next((one for one in self._host.rooms if self._is_bound(one)), "")
        if not user or app is None:
            return
        if event.change == "delete_user":
            self._host.faces.lose(user)
        elif event.change.endswith("_user"):
            self._host.faces.reach((event.new_user_id or user,))
        if not room:
            return
        following = self._following or Following(app.api)
        self._following = following
        try:
            fact = await following.told_of(
                event, self._host.people, group_id(room), now=self._host.clock.now()
            )
        except WeComAdapterException as error:
            logger.warning("a changed contact could not be read: {}", why_of(error))
            return
        if fact is not None:
            await self._host.post((fact,))

    def _is_bound(self, room: str) -> bool:
        return self._host.people.group(group_id(room)) is not None

    # — the archive —

    @property
    def position(self) -> Path:
        """Where it is remembered how far the archive was read."""
        options = self._host.options
        return Path(options.wecom_archive_position or f"{options.wecom_archive}.position")

    def archive(self) -> JsonlArchive:
        """Give the archive's reader; it remembers a place only once all before it was surely booked."""
        clock = self._host.clock
        path = Path(self._host.options.wecom_archive)
        return JsonlArchive(path, self.position, lag=BOOKED_AFTER, now=lambda: clock.now().timestamp())

    def ring(self) -> None:
        """Say that there is something new."""
        self._bell.set()

    async def _keep_archive(self) -> None:
        provider = self.archive()
        after = await asyncio.to_thread(reached, self.position)
        while True:
            self._bell.clear()
            try:
                after = await self.read_archive(provider, after)
            except OSError as error:
                logger.warning("the archive could not be read: {}", error.strerror or type(error).__name__)
            waiting = asyncio.ensure_future(self._bell.wait())
            sleeping = asyncio.ensure_future(self._host.clock.sleep(self._host.options.wecom_archive_seconds))
            try:
                await asyncio.wait({waiting, sleeping}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                waiting.cancel()
                sleeping.cancel()

    async def read_archive(self, provider: Provider, after: int) -> int:
        """Hand in what stands behind a place; gives the place that was reached.

        Raises:
            OSError: it cannot be read.
        """
        reached = after
        async for message in provider.read(after):
            await self._archived(message)
            reached = message.seq
        return reached

    async def _archived(self, message: Archived) -> None:
        host = self._host
        if no_interest(message) or not self._is_ours(message):
            return
        host.faces.resolve(message.sender, message.sender)
        facts = read_archived(message, host.sight())
        for fact in facts:
            if fact.kind == "message_posted":
                room, user = native_of(fact.group_id), native_of(fact.account)
                host.memory.pair(room, user, fact.text, message.msgid, fact.at.timestamp())
                host.faces.was_in(user, room)
        await host.post(facts)

    def _is_ours(self, message: Archived) -> bool:
        """Say whether a room is looked after: the archive holds every chat of the company, and none is read unasked."""
        host = self._host
        room = host.rooms.room_of(message.room)
        known = any(side.kind == ARCHIVE and side.native == message.room for side in host.rooms.sides(room))
        if known or host.options.wecom_archive_all or self._is_bound(room):
            app = host.standing.app()
            keeper = app.info.corp_id if app is not None else ""
            host.meet(Side(kind="archive", native=message.room, keeper=keeper))
            return True
        host.heard_of(message.room)
        return False


def reached(position: Path) -> int:
    """Give the place up to which the archive was read before this start; 0 for the beginning."""
    try:
        return whole(table(json.loads(position.read_text("utf-8"))).get("seq"))
    except (OSError, ValueError):
        return 0
