"""What every answer is made of: the moment, the group, its settings and clauses, who is who, and the words to say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from groupops import (
    AccountId,
    Action,
    AskStewards,
    Capability,
    CommandGiven,
    DirectMessage,
    Directory,
    Errand,
    Group,
    GroupId,
    Member,
    Note,
    Person,
    PersonId,
    Policy,
    Reply,
    Role,
    Tools,
    WakeAt,
)
from groupops_roster.belonging import Selector, Standing, standing_of
from groupops_roster.cards import Register, safe_card
from groupops_roster.settings import Roster

Answer = list[Action | Errand]
"""What the roster asks for in answer to a fact."""

OUTSIDER = "roster.outsider"
LEAVER = "roster.leaver"
CARD = "roster.card"
REAL_NAME = "roster.real_name"
AUDIT = "roster.audit"
MUST_JOIN = "roster.must_join"
AVATAR = "roster.avatar"
VERIFY = "roster.verify"
DELEGATES = "roster.delegates"
REPORT = "roster.report"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What the policy of a group says that the roster works by.

    Args:
        eligible: who may be in it, as the pack's `group.eligible` says.
        must_join: who has to be in it.
        refs: rule → where it stands in the regulation.
    """

    eligible: str = "members"
    must_join: tuple[Selector, ...] = ()
    refs: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def of(cls, policy: Policy) -> View:
        """Take from a policy what the roster works by."""
        return cls(
            eligible=policy.group.eligible,
            must_join=tuple(map(Selector, policy.group.must_join)),
            refs={rule: clause.ref for rule, clause in policy.clauses.items() if rule.startswith("roster.")},
        )


@dataclass(slots=True)
class Shelf:
    """The register of names, made once per edition of the directory and shared by all groups."""

    _edition: int = -1
    _made: dict[tuple[tuple[str, str], ...], Register] = field(
        default_factory=dict[tuple[tuple[str, str], ...], Register]
    )

    def register(self, people: Directory, aliases: Mapping[str, str]) -> Register:
        """Give the register as it is now, with a group's short forms of units."""
        if people.edition != self._edition:
            self._made.clear()
            self._edition = people.edition
        key = tuple(sorted(aliases.items()))
        found = self._made.get(key)
        if found is None:
            found = self._made[key] = Register.of(people.persons(), aliases)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One fact's surroundings.

    Args:
        now: the moment.
        group, settings, tools: as hooks get them.
        view: what the policy says besides.
        shelf: the register of names.
        connected: False in the operator's shell, where no platform is: what is on record counts there.
    """

    now: datetime
    group: Group
    settings: Roster
    view: View
    shelf: Shelf
    tools: Tools
    connected: bool = True

    @property
    def group_id(self) -> GroupId:
        """The group."""
        return self.group.id

    @property
    def register(self) -> Register:
        """Who there is, by name."""
        return self.shelf.register(self.tools.people, self.settings.card.aliases)

    # — who is who —

    def member(self, account: AccountId) -> Member:
        """Give a member as known now."""
        return self.tools.people.member(self.group_id, account)

    def members(self) -> Sequence[Member]:
        """Give the members that are checked; the bot's own account and the like are not."""
        known = self.tools.people.members(self.group_id)
        return [one for one in known if not self.settings.passes_over(one)]

    def inside(self, account: AccountId) -> bool:
        """Say whether an account is in the group, as far as known.

        A member of whom anything is known is one; only for others the whole list has to be gone through.
        """
        member = self.member(account)
        if member.name or member.card or member.joined_at or member.role is not Role.UNKNOWN:
            return True
        return any(one.account == account for one in self.tools.people.members(self.group_id))

    def person(self, account: AccountId) -> Person | None:
        """Give the registered person an account is bound to; None for a provisional one."""
        found = self.tools.people.person(account)
        return None if found is None or found.provisional else found

    def person_of_id(self, person_id: int) -> Person | None:
        """Give a registered person by number."""
        return next((one for one in self.tools.people.persons() if one.id == person_id), None)

    def standing(self, account: AccountId) -> Standing:
        """Say how an account stands to the roster; guests and the verified are known to the tables only."""
        return standing_of(self.person(account), self.view.eligible, self.view.must_join)

    def same_person(self, one: AccountId, other: AccountId) -> bool:
        """Say whether two accounts are one, or one person's."""
        first, second = self.person(one), self.person(other)
        return one == other or (first is not None and second is not None and first.id == second.id)

    def here(self, person: Person) -> tuple[AccountId, ...]:
        """Give a person's accounts that are in the group."""
        return tuple(one for one in self.on_platform(person.id) if self.inside(one))

    def on_platform(self, person_id: int) -> tuple[AccountId, ...]:
        """Give a person's accounts on the group's platform."""
        home = f"{self.group.platform}:"
        accounts = self.tools.people.accounts(PersonId(person_id))
        return tuple(one for one in accounts if one.startswith(home))

    def can(self, capability: Capability) -> bool:
        """Say whether the platform is able to do something in the group now."""
        return not self.connected or capability in self.tools.people.can(self.group_id)

    # — saying —

    def say(self, key: str, **values: object) -> str:
        """Give one of the roster's texts."""
        return self.tools.texts(key, **values)

    def ref(self, rule: str) -> str:
        """Give where a rule stands, in brackets; empty where the pack does not say."""
        ref = self.view.refs.get(rule, "")
        return self.say("ref", ref=ref) if ref else ""

    def called(self, account: AccountId) -> str:
        """Say who an account is, to stewards: its card without long numbers, and who it is on the roster."""
        member, person = self.member(account), self.person(account)
        shown = safe_card(member.called)
        if person is None or person.name == shown:
            return shown
        return self.say("who", card=shown, person=self.named(person))

    def named(self, person: Person) -> str:
        """Name a person with the unit."""
        unit = person.department or person.company or person.region
        return self.say("person", name=person.name, unit=unit) if unit else person.name

    def joined(self, names: Iterable[str]) -> str:
        """Write names one after the other."""
        return self.say("joint").join(names)

    def minute(self, moment: datetime) -> str:
        """Give a moment by the group's clocks, as `03-04 09:30`."""
        return f"{moment.astimezone(self.tools.people.timezone(self.group_id)):%m-%d %H:%M}"

    # — asking —

    def privately(self, account: AccountId, text: str, neutral: str = "") -> DirectMessage:
        """Write to one account; `neutral` is what may be said in the group where that is impossible."""
        return DirectMessage(group_id=self.group_id, account=account, text=text, neutral=neutral)

    def reply(self, event: CommandGiven, text: str) -> Action:
        """Answer a command where it was given; for answers that anybody may read."""
        if event.private or not event.message_id:
            return self.privately(event.account, text, text)
        return Reply(group_id=self.group_id, message_id=event.message_id, text=text, account=event.account)

    def answer(self, event: CommandGiven, text: str) -> Action:
        """Answer a command for its giver alone."""
        neutral = self.say("answer_neutral", name=safe_card(self.member(event.account).called))
        return self.privately(event.account, text, neutral)

    def stewards(self, text: str, subject: str = "") -> AskStewards:
        """Put something before the stewards."""
        return AskStewards(group_id=self.group_id, text=text, subject=subject)

    def wake(self, job: str, at: datetime) -> WakeAt:
        """Ask to be woken."""
        return WakeAt(group_id=self.group_id, job=job, at=at)

    def note(self, what: str, subject: str, actor: str = "", **detail: str | int) -> Note:
        """Write a line of audit."""
        return Note(group_id=self.group_id, what=what, subject=subject, actor=actor, detail=detail)
