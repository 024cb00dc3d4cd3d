"""A group as check-in sees it: its settings read, who owes, who sees the list, and which way words may go."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from groupops import (
    AccountId,
    Action,
    Capability,
    ChoiceMade,
    Clause,
    CommandGiven,
    DirectMessage,
    Errand,
    Group,
    GroupId,
    LocationShared,
    Member,
    Option,
    Person,
    PersonId,
    Policy,
    SendText,
    Texts,
    Tools,
)
from groupops_check_in.consent import terms_of
from groupops_check_in.day import Entry
from groupops_check_in.fences import Site
from groupops_check_in.settings import CheckIn
from groupops_check_in.shifts import Shift, shift_of

Answer = list[Action | Errand]
"""What an answer is made of."""

RULE = "check_in.report"
"""The rule a pack gives the clause of: where business staff report from in the morning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """Somebody who owes a check-in.

    Args:
        person: who.
        account: where to write to: the first of the accounts on the group's platform.
        shift: the shift the person works.
    """

    person: Person
    account: AccountId
    shift: Shift


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a group's answers need.

    Args:
        group_id: where.
        name: the group's name, for the head of a board.
        settings: as set.
        zone: the timezone days and moments are read in.
        sites: the sites as values.
        terms: the mark of what is agreed to.
        clause: where the rule stands in the regulation, or None.
    """

    group_id: GroupId
    name: str
    settings: CheckIn
    zone: ZoneInfo
    sites: tuple[Site, ...]
    terms: str
    clause: Clause | None = None

    def local(self, moment: datetime) -> datetime:
        """Give a moment by the group's clocks."""
        return moment.astimezone(self.zone)

    def today(self, moment: datetime) -> date:
        """Give the date it is in the group."""
        return self.local(moment).date()

    def clock(self, moment: datetime) -> str:
        """Show a moment by the group's clocks, as `08:41`."""
        return f"{self.local(moment):%H:%M}"

    def blank(self, worker: Worker, day: date) -> Entry:
        """Give the day of somebody of whom nothing is known yet."""
        return Entry(
            group_id=self.group_id,
            person_id=worker.person.id,
            account=worker.account,
            day=day,
            shift=worker.shift.name,
        )


def view_of(group: Group, settings: CheckIn, policy: Policy) -> View:
    """Make the view of a group."""
    return View(
        group_id=group.id,
        name=group.name or group.id,
        settings=settings,
        zone=ZoneInfo(group.timezone),
        sites=settings.places,
        terms=terms_of(settings),
        clause=policy.clauses.get(RULE),
    )


# — who —


def workers(view: View, tools: Tools) -> Iterator[Worker]:
    """Give who owes a check-in in a group: registered, still here, of one of the roles.

    Where the platform tells no member lists, everybody of the register who has an account there counts as a member.
    """
    can_list = Capability.LIST_MEMBERS in tools.people.can(view.group_id)
    inside = {member.account for member in tools.people.members(view.group_id)} if can_list else None
    for person in tools.people.persons():
        shift = shift_of(person.org_roles, view.settings.all_shifts) if person.active else None
        account = _account_of(person, view.group_id, inside, tools) if shift else None
        if shift and account:
            yield Worker(person=person, account=account, shift=shift)


def _account_of(
    person: Person, group_id: GroupId, inside: set[AccountId] | None, tools: Tools
) -> AccountId | None:
    platform = group_id.partition(":")[0]
    accounts = (one for one in tools.people.accounts(person.id) if one.partition(":")[0] == platform)
    return next((one for one in accounts if inside is None or one in inside), None)


def worker_of(account: AccountId, view: View, tools: Tools) -> Worker | None:
    """Give whoever an account is, if that person owes a check-in."""
    person = tools.people.person(account)
    if person is None or person.provisional or not person.active:
        return None
    shift = shift_of(person.org_roles, view.settings.all_shifts)
    return Worker(person=person, account=account, shift=shift) if shift else None


def names(tools: Tools) -> dict[PersonId, Person]:
    """Give the register by number."""
    return {person.id: person for person in tools.people.persons()}


def dispatchers(view: View, tools: Tools) -> tuple[AccountId, ...]:
    """Give whom lists go to: whoever has the dispatcher's role, else the group's stewards; one account each."""
    role = view.settings.dispatcher_role
    named = (person for person in tools.people.persons() if person.active and role in person.org_roles)
    found = [one for person in named if (one := _account_of(person, view.group_id, None, tools))]
    return tuple(found) or stewards(view, tools)


def stewards(view: View, tools: Tools) -> tuple[AccountId, ...]:
    """Give the stewards who are in the group, one account each."""
    chosen: dict[str, AccountId] = {}
    for member in tools.people.members(view.group_id):
        if member.steward:
            chosen.setdefault(member.key, member.account)
    return tuple(chosen.values())


def may_see(member: Member, view: View) -> bool:
    """Say whether a member may see lists and decide petitions."""
    return member.steward or view.settings.dispatcher_role in member.org_roles


# — saying —


def privately(
    view: View,
    accounts: Iterable[AccountId],
    text: str,
    neutral: str = "",
    *,
    options: tuple[Option, ...] = (),
    subject: str = "",
) -> list[DirectMessage]:
    """Write to some accounts alone; `neutral` is what the group may read where that is impossible."""
    return [
        DirectMessage(
            group_id=view.group_id,
            account=account,
            text=text,
            neutral=neutral,
            options=options,
            subject=subject,
            passing=True,  # a place is kept no longer than its day
        )
        for account in accounts
    ]


def can_write(view: View, tools: Tools) -> bool:
    """Say whether the platform lets the bot write to members alone."""
    return Capability.DIRECT_MESSAGE in tools.people.can(view.group_id)


Spoken = CommandGiven | ChoiceMade | LocationShared
"""What people say that check-in answers."""


def in_group(event: Spoken) -> bool:
    """Say whether something was said before everybody."""
    return not isinstance(event, ChoiceMade) and not event.private


def answer(event: Spoken, text: str, neutral: str = "") -> DirectMessage:
    """Answer whoever said something, alone; the group reads `neutral` at most, and only of what was said in it."""
    open_words = neutral if in_group(event) else ""
    return DirectMessage(
        group_id=event.group_id, account=event.account, text=text, neutral=open_words, passing=True
    )


def openly(view: View, text: str) -> Answer:
    """Say something to the whole group, naming nobody."""
    return [SendText(group_id=view.group_id, text=text)]


def how(view: View, texts: Texts, tools: Tools) -> str:
    """Say how to check in here: by location where the platform shows it, by words everywhere."""
    seen = Capability.SEE_LOCATION in tools.people.can(view.group_id)
    return texts("how_both" if seen and "location" in view.settings.methods else "how_text")


def cited(view: View, texts: Texts) -> str:
    """Give the clause the rule stands on, as a parenthesis; empty without one."""
    return texts("clause", ref=view.clause.ref) if view.clause else ""
