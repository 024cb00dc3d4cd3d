"""Official accounts: the platform `wxmp` as the core has it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any, cast

import nonebot
from nonebot import get_plugin_config
from nonebot.log import logger

from groupops import (
    AccountId,
    Action,
    Capability,
    Clock,
    ConfigError,
    DirectMessage,
    Done,
    Event,
    GroupId,
    GroupOpsError,
    Health,
    Impossible,
    Listed,
    Media,
    Notebook,
    Pace,
    PlatformError,
    Rate,
    Receipt,
    Refused,
    Role,
    Unreachable,
    profile_of,
)
from groupops_wxmp.answers import BAD_TOKEN, SHUT, code_of, receipt_of
from groupops_wxmp.config import Config, faults
from groupops_wxmp.contacts import Contact, Contacts
from groupops_wxmp.read import NAME, account, read, written_at

ADAPTER = "WXMP"
"""What `nonebot-adapter-wxmp` calls itself."""

LONGEST = 2000
"""Bytes of a text; the platform takes 2048."""

MARGIN = timedelta(seconds=0.5)
"""So much earlier than the callback is answered anyway an answer has to be there."""

NOTED_AFTER_S = 2.0
"""Seconds until what changed is written down."""

PACE = Pace(messages=Rate(every=timedelta(milliseconds=200), burst=10))


class OfficialAccount:
    """The platform; satisfies `groupops.Platform` and says that it has no groups (`groupops.Whispers`).

    Args:
        clock: where time comes from.
        book: where what is to be known after a restart is written.
    """

    name = NAME
    adapter_name = ADAPTER
    console = False

    def __init__(self, clock: Clock, book: Notebook) -> None:
        self.clock = clock
        self.config = Config()
        self.contacts = Contacts()
        self.approved: dict[str, bool] = {}
        self.online: dict[str, bool] = {}
        self._reply_within = timedelta()
        self._book = book
        self._noting: asyncio.Task[None] | None = None
        self._since: datetime | None = None
        self._heard_at: datetime | None = None

    # — the port —

    def can(self, group_id: GroupId) -> frozenset[Capability]:  # noqa: ARG002 - it is the same everywhere
        """Give what an account is able to do: answer one member, and see places."""
        return profile_of("groupops_wxmp").can[Role.MEMBER]

    def hears(self, group_id: GroupId) -> frozenset[str]:  # noqa: ARG002 - as above
        """Give the kinds of facts that arrive."""
        return profile_of("groupops_wxmp").hears_as(Role.MEMBER)

    async def perform(self, action: Action, *, key: str) -> Receipt:  # noqa: ARG002 - the platform knows no keys
        """Write to whoever wrote lately; every answer, and every answer that does not come, is a receipt."""
        if not isinstance(action, DirectMessage):
            return Impossible(capability=action.needs)
        contact = self.contacts.by_openid.get(_native(action.account))
        if contact is None:
            return Refused(why="this member never wrote to the account")
        why = self._why_shut(contact)
        if why:
            return Unreachable(why=why)
        return await self._write(contact, action.text)

    async def members(self, group_id: GroupId) -> tuple[tuple[Listed, ...], bool]:
        """There are no groups; raises `PlatformError`."""
        raise PlatformError(f"an official account has no groups, and so no members of {group_id}")

    async def open(self, media: Media, *, cap: int) -> AsyncIterator[bytes]:  # noqa: ARG002 - nothing is opened
        """No media are read; raises `PlatformError`."""
        nothing: tuple[bytes, ...] = ()
        for chunk in nothing:
            yield chunk
        raise PlatformError(f"media are not read on an official account: {media.id[:80]!r}")

    def direct(self, account: AccountId) -> bool:
        """Say whether that member wrote once: a word goes out now, or when the member writes again."""
        return account.startswith(f"{NAME}:") and _native(account) in self.contacts.by_openid

    # — what it offers besides —

    def open_to(self, account: AccountId) -> bool:
        """Say whether a word to that member would go out now."""
        contact = self.contacts.by_openid.get(_native(account))
        return contact is not None and not self._why_shut(contact)

    def keep(self) -> timedelta:
        """Give how long a word waits for its reader."""
        return timedelta(hours=self.config.wxmp_keep_hours)

    def attends(self, group_id: GroupId) -> bool:
        """Say whether something can be done now: for a member who wrote, whether the member can be written to."""
        if _native(group_id) in self.contacts.by_openid:
            return self.open_to(AccountId(group_id))
        return any(self.online.values())

    def pace(self) -> Pace:
        """Give the pace."""
        return PACE

    def health(self) -> Health:
        """Give how it is: callbacks come in or not, so all that is known is whether they would be taken."""
        return Health(
            connected=bool(self.online) and all(self.online.values()),
            since=self._since,
            last_event_at=self._heard_at,
            bots={str(account(appid)): online for appid, online in self.online.items()},
        )

    # — behind NoneBot —

    def attach(self, driver: Any) -> None:
        """Register the adapter.

        Raises:
            ConfigError: it is not installed, or its configuration does not hold.
        """
        try:
            from nonebot.adapters.wxmp.config import Config as Theirs

            from groupops_wxmp.adapter import Adapter
        except ImportError as error:
            raise ConfigError(
                f"the adapter nonebot-adapter-wxmp is not installed ({error.name}); "
                'install groupops[wxmp], or take "wxmp" out of GROUPOPS_ADAPTERS'
            ) from error
        theirs = get_plugin_config(Theirs)
        self.config = get_plugin_config(Config)
        wrong = faults(theirs, self.config)
        if wrong:
            raise ConfigError("wxmp: " + "\n".join(wrong))
        self.approved = {bot.appid: bot.approve for bot in theirs.wxmp_bots}
        self.online = dict.fromkeys(self.approved, False)
        self._reply_within = timedelta(seconds=theirs.wxmp_official_timeout) - MARGIN
        driver.on_startup(self._recall)
        driver.register_adapter(Adapter, host=self)
        driver.on_shutdown(self._note_now)

    def read(self, bot: Any, event: Any) -> Event | None:
        """Read one of the adapter's events, and remember that its sender may be answered."""
        now = self._heard_at = self.clock.now()
        openid = str(getattr(event, "user_id", ""))
        found = read(event, now)
        if openid and found is not None:
            asked = (event, now + self._reply_within)
            self.contacts.wrote(Contact(openid, str(bot.self_id), written_at(event, now), asked=asked))
            self._note_soon()
        return found

    # — what the adapter tells, and asks —

    def is_fresh(self, timestamp: str) -> bool:
        """Say whether a callback was signed about now."""
        if not timestamp.isascii() or not timestamp.isdigit():
            return False
        away = abs(self.clock.now().timestamp() - int(timestamp[:12]))
        return away <= self.config.wxmp_freshness_seconds

    @property
    def most_bytes(self) -> int:
        """How long a callback may be."""
        return self.config.wxmp_body_bytes

    @property
    def api_root(self) -> str:
        """Where the platform's interface is."""
        return self.config.wxmp_api_root

    def opened(self, appid: str) -> None:
        """An account is served."""
        self.online[appid], self._since = True, self.clock.now()

    def closed(self, appid: str) -> None:
        """An account is served no longer."""
        self.online[appid], self._since = False, self.clock.now()

    # — writing —

    def _why_shut(self, contact: Contact) -> str:
        """Say why a word cannot go out now; empty when it can."""
        now = self.clock.now()
        if not self.online.get(contact.bot, False):
            return "the account is not served"
        if contact.passive(now) is not None:
            return ""
        if not self.approved.get(contact.bot, False):
            return "the account is not verified and only answers at once; waits until the member writes again"
        if now - contact.at >= timedelta(hours=self.config.wxmp_window_hours):
            return f"more than {self.config.wxmp_window_hours:g} h since the member wrote; waits until then"
        return contact.shut

    async def _write(self, contact: Contact, text: str) -> Receipt:
        """Answer on the spot where that is still possible and it is one message; else by customer service."""
        bot = cast("Any", nonebot.get_bot(contact.bot))
        parts = _parts(text)
        event = contact.passive(self.clock.now())
        if event is not None and (len(parts) == 1 or not self.approved[contact.bot]):
            contact.asked = None  # one callback takes one answer
            cut = parts[0] if len(parts) == 1 else f"{parts[0]}…"
            if await _replied(bot, event, cut):
                return Done()
            if not self.approved[contact.bot]:
                return Unreachable(
                    why="the callback was answered already; waits until the member writes again"
                )
        for part in parts:
            receipt = await self._serve(bot, contact, part)
            if not isinstance(receipt, Done):
                return receipt
        return Done()

    async def _serve(self, bot: Any, contact: Contact, text: str) -> Receipt:
        """Send a customer-service message; once more with a fresh access token where the old one does not count."""
        for again in (True, False):
            try:
                await bot.send_custom_message(contact.openid, text)
            except Exception as error:  # noqa: BLE001 - drivers raise what they like, and all of it is a receipt
                if again and code_of(error) in BAD_TOKEN:
                    bot._expires_in = 0  # noqa: SLF001 - the adapter has no other way to ask for a new one
                    continue
                receipt = receipt_of(error)
                if code_of(error) in SHUT:
                    contact.shut = f"{cast('Unreachable', receipt).why}; waits until the member writes again"
                return receipt
            return Done()
        raise AssertionError  # the second try always returns

    # — across restarts —

    async def _recall(self) -> None:
        """Take what the process before this one knew; without it, members have to write once more."""
        try:
            self.contacts.recall(await self._book.read(), self.clock.now())
        except GroupOpsError as error:
            logger.warning("what was known of members could not be read: {}", type(error).__name__)

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
            await self._book.write(self.contacts.changes())
        except GroupOpsError as error:
            logger.warning("what is known of members was not kept: {}", type(error).__name__)
        else:
            self.contacts.written()


async def _replied(bot: Any, event: Any, text: str) -> bool:
    """Answer a callback; False when it was answered, or let go, already."""
    from nonebot.adapters.wxmp.exception import OfficialReplyError

    try:
        await bot.reply_message(event, text)
    except (OfficialReplyError, asyncio.InvalidStateError):
        return False
    return True


def _native(id_: str) -> str:
    return id_.partition(":")[2]


def _parts(text: str) -> list[str]:
    """Part a text into messages of at most `LONGEST` bytes."""
    parts, part, size = list[str](), "", 0
    for sign in text:
        wide = len(sign.encode(errors="replace"))
        if size + wide > LONGEST:
            parts.append(part)
            part, size = "", 0
        part, size = part + sign, size + wide
    return [*parts, part]
