"""What an answer of this plugin is made from: the group, its terms, the ledger, and who may do what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from groupops import (
    AccountId,
    Action,
    AskStewards,
    Case,
    ChoiceMade,
    CloseTickets,
    CommandGiven,
    DirectMessage,
    Group,
    GroupOpsError,
    Member,
    Option,
    PersonId,
    Policy,
    Reply,
    Texts,
    Tools,
)
from groupops_red_packet.journal import Item, NotPossible, State
from groupops_red_packet.ledger import Ledger
from groupops_red_packet.settings import RedPacket
from groupops_red_packet.statement import money

STEP = "redpacket"
"""The ladder step this plugin owns."""

SUBJECT = "red_packet:"
"""What options of an item are about, with the item's number behind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the core's own tables say that matters here.

    Args:
        keep: how long after its closing an item keeps its person.
        restores: True where who comes back finds open items again (G13).
    """

    keep: timedelta = timedelta(days=365)
    restores: bool = True

    @classmethod
    def of(cls, policy: Policy) -> Terms:
        """Read them from a group's policy."""
        days = policy.retention.ledger_days
        return cls(keep=timedelta(days=days), restores=policy.discipline.rejoin_restores)


class Declined(GroupOpsError):
    """Something was asked for that may not be; `key` names the text that says why, `values` fill it in."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key)
        self.key = key
        self.values = values


Asked = CommandGiven | ChoiceMade


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """All that a hook was handed, and what is often asked of it."""

    group: Group
    settings: RedPacket
    terms: Terms
    ledger: Ledger
    tools: Tools

    @property
    def now(self) -> datetime:
        """When it is."""
        return self.tools.clock.now()

    @property
    def texts(self) -> Texts:
        """What may be said."""
        return self.tools.texts

    @property
    def zone(self) -> tzinfo:
        """The group's timezone."""
        return self.tools.people.timezone(self.group.id)

    @property
    def closed_key(self) -> str:
        """Which text says that nothing is opened here: `minors` or `off`; empty where items are opened."""
        if self.settings.works:
            return ""
        return "minors" if self.settings.minors else "off"

    # — who —

    def human(self, account: str) -> str:
        """Give the same word for all accounts of one person."""
        person = self.tools.people.person(AccountId(account))
        return account if person is None else f"p{person.id}"

    def person_of(self, account: AccountId) -> PersonId | None:
        """Give the person an account is bound to, if any."""
        person = self.tools.people.person(account)
        return None if person is None else person.id

    def has_left(self, account: AccountId) -> bool:
        """Say whether an account's person has left the organisation, and so owes nothing here."""
        person = self.tools.people.person(account) if account else None
        return person is not None and not person.active

    def owns(self, item: Item, account: AccountId) -> bool:
        """Say whether an item is about this account's person, by whatever account."""
        return bool(account) and (item.account == account or self.person_of(account) == item.person_id)

    async def theirs(
        self, account: AccountId, *, here: bool = False, open_only: bool = False
    ) -> Sequence[Item]:
        """Give the items of an account's person, oldest first; `here` = of this group alone."""
        person = self.person_of(account)
        return await self.ledger.items(
            group_id=self.group.id if here else None,
            persons=() if person is None else (person,),
            account=account,
            open_only=open_only,
        )

    def called(self, item: Item) -> str:
        """Give what an item's person is called in its group; empty once the person was taken out."""
        if not item.account:
            return ""
        return self.tools.people.member(item.group_id, item.account).called

    def barrier(self, item: Item, case: Case | None, who: Member) -> str:
        """Say why somebody may not decide about an item, as a text's key; empty when nothing stands against it.

        Never the subject and never the reporter, by whatever account; and only who may decide at all.
        """
        if not self.settings.may_decide(who):
            return "refused.not_steward"
        if self.owns(item, who.account):
            return "refused.subject"
        reporter = case.reporter if case else None
        if reporter and self.human(reporter) == self.human(who.account):
            return "refused.reporter"
        return ""

    async def decider(self, item: Item, account: AccountId) -> None:
        """Make sure that an account may decide about an item.

        Raises:
            Declined: it may not.
        """
        case = await self.tools.cases.case(item.case_id)
        barrier = self.barrier(item, case, self.tools.people.member(item.group_id, account))
        if barrier:
            raise Declined(barrier, id=item.case_id)

    # — words —

    def day(self, moment: datetime | None) -> str:
        """Write a day as the group has it."""
        return f"{moment.astimezone(self.zone):%Y-%m-%d}" if moment else ""

    def about(self, item: Item) -> str:
        """Say by which rule an item was opened."""
        return item.clause or self.texts("about")

    def values(self, item: Item) -> dict[str, object]:
        """Give what texts about an item are filled in with."""
        return {
            "id": item.case_id,
            "name": self.called(item),
            "about": self.about(item),
            "money": money(item.open_fen, self.texts),
            "alternatives": "、".join(item.alternatives),
            "chosen": item.chosen,
            "due": self.day(item.deadline),
            "state": self.texts(f"state.{item.state.value}"),
        }

    def say(self, asked: Asked, key: str, **values: object) -> Action:
        """Answer where it was asked; for words that name nobody and no amount."""
        text = self.texts(key, **values)
        if isinstance(asked, CommandGiven) and not asked.private and asked.message_id:
            return Reply(
                group_id=asked.group_id, message_id=asked.message_id, text=text, account=asked.account
            )
        return DirectMessage(group_id=asked.group_id, account=asked.account, text=text, neutral=text)

    def tell(self, asked: Asked, text: str) -> Action:
        """Answer privately; where that cannot be, the group only hears that there is an answer."""
        name = self.tools.people.member(asked.group_id, asked.account).called
        neutral = self.texts("answer.neutral", name=name)
        return DirectMessage(group_id=asked.group_id, account=asked.account, text=text, neutral=neutral)

    def write(self, item: Item, key: str, *, options: Sequence[Option] = (), subject: str = "") -> Action:
        """Write to an item's person privately; the group never hears of what or how much."""
        values = self.values(item)
        return DirectMessage(
            group_id=item.group_id,
            account=item.account,
            text=self.texts(key, **values),
            neutral=self.texts("notice.neutral", **values),
            options=tuple(options),
            subject=subject,
        )

    def ask(self, item: Item, key: str, *words: str, **values: object) -> Action:
        """Ask the stewards of an item's group; `words` are the texts' keys of the answers offered."""
        options = tuple(Option(word=self.texts(word)) for word in words)
        text = self.texts(key, **self.values(item) | values)
        subject = f"{SUBJECT}{item.case_id}"
        return AskStewards(group_id=item.group_id, text=text, subject=subject, options=options)

    def done_with(self, item: Item) -> CloseTickets:
        """Close what the stewards were asked about an item."""
        return CloseTickets(group_id=item.group_id, subject=f"{SUBJECT}{item.case_id}", by="red_packet")

    def notice(self, item: Item, key: str = "") -> Action:
        """Tell an item's person of it, with all answers there are."""
        kind = "capped" if item.mode == "commitment" and not item.open_fen else item.mode
        options = [Option(word=word) for word in item.alternatives]
        if kind != "capped":
            options.insert(0, Option(word=self.texts("option.accept")))
        options.append(Option(word=self.texts("option.appeal")))
        subject = f"{SUBJECT}{item.case_id}"
        return self.write(item, key or f"notice.{kind}", options=options, subject=subject)

    def refusal(self, error: Declined | NotPossible) -> tuple[str, dict[str, object]]:
        """Give the text that says why something was refused, and what fills it in."""
        if isinstance(error, Declined):
            return error.key, error.values
        item = error.item
        why = error.why
        if why == "state" and error.move.value == "settle" and item.state in (State.NOTIFIED, State.REDUCED):
            why = "not_accepted"
        key = f"refused.{why}"
        return (key if self.texts.has(key) else "refused.state"), self.values(item)


def number_of(subject: str) -> int | None:
    """Give the number of the item a choice is about; None when it is about something else."""
    number = subject.removeprefix(SUBJECT)
    return int(number) if subject.startswith(SUBJECT) and number.isascii() and number.isdigit() else None
