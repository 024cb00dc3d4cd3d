"""What an answer of this plugin stands on: the fact, the group, its settings and view, and the tools."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from groupops import (
    AccountId,
    Action,
    Capability,
    ChoiceMade,
    CommandGiven,
    DirectMessage,
    Errand,
    Event,
    Group,
    GroupId,
    Member,
    Reply,
    SendText,
    Tools,
    WakeAt,
)
from groupops_welcome.settings import Welcome
from groupops_welcome.view import View

Answers = list[Action | Errand]

NAME_LENGTH = 20
"""Characters of a nickname that are said; longer ones are mostly adverts."""

_ADVERT = re.compile(r"https?:|www\.|\.(?:com|cn|net|top|xyz)\b|\d{5,}", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One moment in one group.

    Args:
        event: what happened.
        group: where.
        settings: this plugin's there.
        view: what applies there.
        tools: the plugin's tools.
    """

    event: Event
    group: Group
    settings: Welcome
    view: View
    tools: Tools

    @property
    def group_id(self) -> GroupId:
        """Where it happened."""
        return self.group.id

    @property
    def now(self) -> datetime:
        """The moment it is, in UTC: SQLite compares moments as text."""
        return self.tools.clock.now().astimezone(UTC)

    @property
    def can(self) -> frozenset[Capability]:
        """What the platform is able to do here now."""
        return self.tools.people.can(self.group_id)

    @property
    def sees_cards(self) -> bool:
        """True where a change of card is told sooner or later."""
        read_lists = {Capability.READ_CARD, Capability.LIST_MEMBERS} <= self.can
        return read_lists or Capability.SEE_RENAMES in self.can

    def say(self, key: str, **values: object) -> str:
        """Give one of the plugin's texts."""
        return self.tools.texts(key, **values)

    def member(self, account: str) -> Member:
        """Give a member as known now."""
        return self.tools.people.member(self.group_id, AccountId(account))

    def speaks_at(self, moment: datetime) -> datetime:
        """Give the first moment from `moment` on at which the bot may speak unasked, in UTC."""
        zone = self.tools.people.timezone(self.group_id)
        return self.view.speaks_at(moment, zone, self.tools.calendar).astimezone(UTC)

    def wake(self, job: str, at: datetime) -> WakeAt:
        """Ask to be woken; all that is due by then is looked at, so one waking may stand for several."""
        return WakeAt(group_id=self.group_id, job=job, at=at)

    def post(self, text: str, accounts: Iterable[str] = ()) -> SendText:
        """Say something in the group, mentioning accounts where the platform can."""
        mentions = tuple(map(AccountId, accounts)) if Capability.MENTION in self.can else ()
        return SendText(group_id=self.group_id, text=text, mentions=mentions)

    def letter(self, account: str, text: str, neutral: str = "") -> DirectMessage:
        """Write to one account; `neutral` is said in the group where that cannot be."""
        return DirectMessage(group_id=self.group_id, account=AccountId(account), text=text, neutral=neutral)

    def answer(self, text: str) -> Action:
        """Answer whoever gave the command or made the choice, the way it was given."""
        event = self.event
        assert isinstance(event, CommandGiven | ChoiceMade)  # noqa: S101 - others give nothing to answer
        if isinstance(event, ChoiceMade) or event.private:
            return self.letter(event.account, text)
        if event.message_id:
            return Reply(
                group_id=self.group_id, message_id=event.message_id, text=text, account=event.account
            )
        return self.post(text, (event.account,))


def name_of(member: Member, otherwise: str) -> str:
    """Give how a newcomer is called aloud: short, on one line, and no advert.

    Args:
        member: the newcomer.
        otherwise: what is said of a name that cannot be.
    """
    seen = "".join(
        sign for sign in member.called if unicodedata.category(sign) not in {"Cf", "Cc", "Co", "Cs", "Cn"}
    )
    name = " ".join(seen.split())
    if not name or _ADVERT.search(unicodedata.normalize("NFKC", name)):
        return otherwise
    return name if len(name) <= NAME_LENGTH else f"{name[:NAME_LENGTH]}…"
