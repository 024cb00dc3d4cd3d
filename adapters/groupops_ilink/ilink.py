"""iLink: the platform `ilink` as the core has it, over however many bots have logged in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, cast

import nonebot
from nonebot import get_plugin_config
from nonebot.log import logger

from groupops import (
    AccountId,
    Action,
    Capability,
    Clock,
    CommandGiven,
    ConfigError,
    DirectMessage,
    Done,
    GroupId,
    GroupOpsError,
    Health,
    Impossible,
    InDoubt,
    Listed,
    Media,
    Notebook,
    Pace,
    PlatformError,
    Rate,
    Receipt,
    Refused,
    Role,
    Throttled,
    Unreachable,
    profile_of,
)
from groupops_ilink.answers import Answer, NotTaken
from groupops_ilink.config import Config, faults, logins
from groupops_ilink.contacts import USED, Contact, Contacts
from groupops_ilink.lines import Line
from groupops_ilink.read import NAME, account, read, written_at
from groupops_ilink.words import word

ADAPTER = "Weixin"
"""What `nonebot-adapter-wechatclaw` calls itself."""

NOTED_AFTER_S = 2.0
"""Seconds until what changed is written down."""

PACE = Pace(
    messages=Rate(every=timedelta(seconds=2)),
    jitter=0.2,
    merge=True,
    merge_after=timedelta(seconds=1),
)
"""Three messages within a second were seen to shut a bot for an hour (protocol sheet 2.4); texts that waited go as one."""


class ILink:
    """The platform; satisfies `groupops.Platform` and says that it has no groups (`groupops.Whispers`).

    Args:
        clock: where time comes from.
        book: where what is to be known after a restart is written.
    """

    name = NAME
    adapter_name = ADAPTER
    console = True

    def __init__(self, clock: Clock, book: Notebook) -> None:
        self.clock = clock
        self.config = Config()
        self.lines: dict[str, Line] = {}
        self.contacts = Contacts(self.config.ilink_answers)
        self._book = book
        self._noting: asyncio.Task[None] | None = None

    # — the port —

    def can(self, group_id: GroupId) -> frozenset[Capability]:  # noqa: ARG002 - it is the same everywhere
        """Give what a bot is able to do: write to one person."""
        return profile_of("groupops_ilink").can[Role.MEMBER]

    def hears(self, group_id: GroupId) -> frozenset[str]:  # noqa: ARG002 - as above
        """Give the kinds of facts that arrive."""
        return profile_of("groupops_ilink").hears_as(Role.MEMBER)

    async def perform(self, action: Action, *, key: str) -> Receipt:  # noqa: ARG002 - iLink knows no keys
        """Write to whoever wrote lately; every answer, and every answer that does not come, is a receipt."""
        if not isinstance(action, DirectMessage):
            return Impossible(capability=action.needs)
        contact = self.contacts.by_user.get(_native(action.account))
        if contact is None:
            return Refused(why="this person never wrote to the bot")
        shut = self._why_shut(contact)
        if shut is not None:
            return shut
        return await self._write(contact, action.text)

    async def members(self, group_id: GroupId) -> tuple[tuple[Listed, ...], bool]:
        """There are no groups; raises `PlatformError`."""
        raise PlatformError(f"iLink has no groups, and so no members of {group_id}")

    async def open(self, media: Media, *, cap: int) -> AsyncIterator[bytes]:  # noqa: ARG002 - nothing is opened
        """No media are read; raises `PlatformError`."""
        nothing: tuple[bytes, ...] = ()
        for chunk in nothing:
            yield chunk
        raise PlatformError(f"media are not read on iLink: {media.id[:80]!r}")

    def direct(self, account: AccountId) -> bool:
        """Say whether that account wrote to a bot once: a word to it goes out now, or when it writes again."""
        return account.startswith(f"{NAME}:") and _native(account) in self.contacts.by_user

    # — what it offers besides —

    def open_to(self, account: AccountId) -> bool:
        """Say whether a word to that account would go out now."""
        contact = self.contacts.by_user.get(_native(account))
        return contact is not None and self._why_shut(contact) is None

    def keep(self) -> timedelta:
        """Give how long a word waits for its reader."""
        return timedelta(days=self.config.ilink_keep_days)

    def attends(self, group_id: GroupId) -> bool:
        """Say whether something can be done now: for an account that wrote, whether it can be written to."""
        if _native(group_id) in self.contacts.by_user:
            return self.open_to(AccountId(group_id))
        return any(line.up for line in self.lines.values())

    def pace(self) -> Pace:
        """Give the pace."""
        return PACE

    def health(self) -> Health:
        """Give how the lines are."""
        lines = list(self.lines.values())
        since = [line.since for line in lines if line.since is not None]
        heard = [line.heard_at for line in lines if line.heard_at is not None]
        return Health(
            connected=bool(lines) and all(line.up for line in lines),
            since=max(since, default=None),
            last_event_at=max(heard, default=None),
            note="; ".join(f"{line.account}: {line.note}" for line in lines if line.note),
            bots={str(account(line.account)): line.up for line in lines},
        )

    # — behind NoneBot —

    def attach(self, driver: Any) -> None:
        """Register the adapter.

        Raises:
            ConfigError: it is not installed, or its configuration does not hold.
        """
        try:
            from nonebot.adapters.wechatclaw.config import Config as Theirs

            from groupops_ilink.adapter import Adapter
        except ImportError as error:
            raise ConfigError(
                f"the adapter nonebot-adapter-wechatclaw is not installed ({error.name}); "
                'install groupops[ilink], or take "ilink" out of GROUPOPS_ADAPTERS'
            ) from error
        theirs = get_plugin_config(Theirs)
        wrong = faults(theirs)
        if wrong:
            raise ConfigError("ilink: " + "\n".join(wrong))
        self.config = get_plugin_config(Config)
        self.contacts.answers = self.config.ilink_answers
        self.lines = {one.token: Line(one.account, one.token) for one in logins(theirs)}
        driver.on_startup(self._recall)
        driver.register_adapter(Adapter, host=self)
        driver.on_shutdown(self._note_now)

    def read(self, bot: Any, event: Any) -> CommandGiven | None:
        """Read one of the adapter's events, and remember that its sender may be answered."""
        now = self.clock.now()
        user = str(getattr(event, "from_user_id", ""))
        if user:
            token = str(getattr(event, "context_token", "") or "")
            self.contacts.wrote(user, str(bot.self_id), token, written_at(event, now))
            self._note_soon()
        return read(event, now)

    # — what the adapter tells —

    async def rest(self, token: str) -> None:
        """Wait for as long as nothing is to be received."""
        line = self.lines.get(token)
        now = self.clock.now()
        if line is not None and line.rest_until is not None and line.rest_until > now:
            await self.clock.sleep((line.rest_until - now).total_seconds())

    def cursor(self, token: str) -> str:
        """Give how far was read."""
        line = self.lines.get(token)
        return "" if line is None else self.contacts.cursors.get(line.account, "")

    def received(self, token: str, answer: Answer | None) -> None:
        """A poll ended."""
        line, now = self.lines.get(token), self.clock.now()
        if line is None:
            return
        if answer is None or answer.outcome == "ok":
            line.heard(now)
        elif answer.outcome == "stale":
            self._spoiled(line)
        else:
            retry = timedelta(seconds=self.config.ilink_retry_seconds)
            line.failed(f"nothing can be received: {answer.why}", now, retry)
        if answer is not None and answer.cursor:
            self.contacts.cursors[line.account] = answer.cursor
            self._note_soon()

    def opened(self, account: str) -> None:
        """A bot is run."""
        self._put(account, online=True)

    def closed(self, account: str) -> None:
        """A bot is run no longer."""
        self._put(account, online=False)

    # — writing —

    def _why_shut(self, contact: Contact) -> Receipt | None:
        """Give the receipt of a word that cannot go out now, or None."""
        line, now = self._line(contact.bot), self.clock.now()
        if line is None or not line.online:
            return Unreachable(why="the bot is not logged in")
        if line.stale:
            return Unreachable(why=line.note)
        if line.is_mute(now):
            assert line.mute_until is not None  # noqa: S101 - it is mute until then
            return Throttled(retry_after=line.mute_until - now)
        lasts = timedelta(hours=self.config.ilink_window_hours)
        if not contact.is_open(now, lasts):
            return Unreachable(why=contact.why_shut(now, lasts))
        return None

    async def _write(self, contact: Contact, text: str) -> Receipt:
        """Write a text, in several messages where it is long."""
        parts = _parts(text, self.config.ilink_chars)
        if contact.left < min(len(parts), self.config.ilink_answers):
            return Unreachable(why=USED)
        ref = ""
        for number, part in enumerate(parts):
            # Counted first: a message whose answer is lost may have been taken all the same.
            contact.left -= 1
            last = contact.left == 0 and number == len(parts) - 1
            words = f"{part}\n{word('last')}" if last else part
            try:
                ref = await self._send(contact, words)
            except NotTaken as error:
                receipt = self._receipt(contact, error.answer)
                return receipt if number == 0 else InDoubt(why=f"only a part was taken: {error.answer.why}")
        return Done(ref=ref)

    async def _send(self, contact: Contact, text: str) -> str:
        bot = cast("Any", nonebot.get_bot(contact.bot))
        sent = await bot.send_text_message(to=contact.user, text=text, context_token=contact.token)
        line = self._line(contact.bot)
        if line is not None:
            line.sent()
        self._note_soon()
        return str(sent["message_id"])

    def _receipt(self, contact: Contact, answer: Answer) -> Receipt:
        """Say what it means that a message was not taken; only what may have been taken is counted."""
        line = self._line(contact.bot)
        assert line is not None  # noqa: S101 - it was written by it
        if answer.outcome != "doubtful":
            contact.left += 1
        match answer.outcome:
            case "throttled":
                first = timedelta(minutes=self.config.ilink_pause_minutes)
                return Throttled(retry_after=line.throttled(self.clock.now(), first))
            case "stale":
                self._spoiled(line)
                return Unreachable(why=line.note)
            case "unsent":
                return Unreachable(why=answer.why)
            case "doubtful":
                return InDoubt(why=answer.why)
            case _:
                return Refused(why=answer.why)

    def _spoiled(self, line: Line) -> None:
        line.spoiled(self.clock.now(), timedelta(minutes=self.config.ilink_stale_minutes))

    def _line(self, account: str) -> Line | None:
        return next((line for line in self.lines.values() if line.account == account), None)

    def _put(self, account: str, *, online: bool) -> None:
        line = self._line(account)
        if line is not None and line.online is not online:
            line.online, line.since = online, self.clock.now()

    # — across restarts —

    async def _recall(self) -> None:
        """Take what the process before this one knew; without it, people have to write once more."""
        try:
            self.contacts.recall(await self._book.read())
        except GroupOpsError as error:
            logger.warning("what was known of iLink contacts could not be read: {}", type(error).__name__)

    def _note_soon(self) -> None:
        if self._noting is None or self._noting.done():
            self._noting = asyncio.get_running_loop().create_task(self._note_later())

    async def _note_later(self) -> None:
        await self.clock.sleep(NOTED_AFTER_S)
        await self._note()

    async def _note_now(self) -> None:
        if self._noting is not None:
            self._noting.cancel()
            await asyncio.gather(self._noting, return_exceptions=True)
        await self._note()

    async def _note(self) -> None:
        try:
            await self._book.write(self.contacts.changes(self.clock.now()))
        except GroupOpsError as error:
            self.contacts.unwritten()
            logger.warning("what is known of iLink contacts was not kept: {}", type(error).__name__)


def _native(id_: str) -> str:
    return id_.partition(":")[2]


def _parts(text: str, most: int) -> list[str]:
    """Part a text into messages, between lines where there are any."""
    parts: list[str] = []
    while len(text) > most:
        cut = text.rfind("\n", 1, most + 1)
        cut = most if cut < 1 else cut
        parts.append(text[:cut])
        text = text[cut:].removeprefix("\n")
    return [*parts, text] if text or not parts else parts
