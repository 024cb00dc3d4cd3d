"""The check of a group against the roster: one list for the stewards, and cases as they are set (C05 to C08)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypedDict

from groupops import AccountId, Capability, CommandGiven, Member, Person
from groupops_roster import avatars, bindings, cases, delegates, guests, leavers, naming, newcomers
from groupops_roster.belonging import Standing
from groupops_roster.cards import Judgement, Verdict
from groupops_roster.models import CheckRun
from groupops_roster.scene import AUDIT, CARD, LEAVER, MUST_JOIN, OUTSIDER, Answer, Scene

Cards = Mapping[AccountId, Judgement]
"""What is said of the members' cards, by account."""

NAMES_SHOWN = 20
"""Names in one line of the list; the operator's shell shows all of them."""

AT_A_TIME = 50
"""Cards judged before others have their turn: about 20 ms."""

TOO_MANY_SHARE = 0.30
"""If more of a group than this is unknown, it is the roster that is not right, as with member lists."""

TOO_MANY_LEAST = 10
"""So many unknown members may always be put before the stewards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the tables tell of a group, read once for a check.

    Args:
        guests, verified, excepted: accounts.
        trials: accounts on trial whose time is not up.
        waiting: accounts a proposal is open for, with its person.
        proposals: how many proposals wait.
        settled: cases that the roster speaks against by now.
        declared: how many said that the picture is of them.
    """

    guests: Collection[str] = frozenset()
    verified: Collection[str] = frozenset()
    excepted: Collection[str] = frozenset()
    trials: Collection[str] = frozenset()
    waiting: Mapping[str, int] = field(default_factory=dict[str, int])
    proposals: int = 0
    settled: int = 0
    declared: int = 0


class _Proposed(TypedDict):
    """The part of `Known` that a look at the cards may change."""

    waiting: Mapping[str, int]
    proposals: int


@dataclass(slots=True, kw_only=True)
class Findings:
    """What a check finds, by the section of the list it belongs to; accounts and persons, not yet in words."""

    members: int = 0
    registered: int = 0
    unknown: list[AccountId] = field(default_factory=list[AccountId])
    stewards: list[AccountId] = field(default_factory=list[AccountId])
    trials: list[AccountId] = field(default_factory=list[AccountId])
    waiting: list[AccountId] = field(default_factory=list[AccountId])
    verified: list[AccountId] = field(default_factory=list[AccountId])
    guests: list[AccountId] = field(default_factory=list[AccountId])
    left: list[AccountId] = field(default_factory=list[AccountId])
    elsewhere: list[AccountId] = field(default_factory=list[AccountId])
    missing: list[Person] = field(default_factory=list[Person])
    idle: list[str] = field(default_factory=list[str])
    cards: list[AccountId] = field(default_factory=list[AccountId])
    seconds: list[tuple[AccountId, ...]] = field(default_factory=list[tuple[AccountId, ...]])
    claims: list[AccountId] = field(default_factory=list[AccountId])

    @property
    def worth_telling(self) -> int:
        """How many things somebody should look at."""
        looked_at = (self.unknown, self.stewards, self.waiting, self.verified, self.left, self.elsewhere)
        told = (self.missing, self.idle, self.cards, self.seconds, self.claims)
        return sum(len(one) for one in (*looked_at, *told))


async def known_of(scene: Scene) -> Known:
    """Read what the tables tell of a group."""
    return Known(
        guests=await guests.guests_here(scene),
        verified=await newcomers.verified_here(scene) | await cases.cleared(scene, OUTSIDER),
        excepted=await naming.exceptions(scene),
        trials=[row.account for row in (await newcomers.trials(scene)).values() if not row.flagged],
        **await _proposed(scene),
        settled=len(await delegates.settled_cases(scene)),
        declared=await avatars.count(scene),
    )


async def _proposed(scene: Scene) -> _Proposed:
    """Read what waits for a decision."""
    waiting = await bindings.open_proposals(scene.group_id)
    return {
        "waiting": {row.account: row.person_id for row in waiting if row.account},
        "proposals": len(waiting),
    }


# — finding: reads, and changes nothing —


async def cards_of(scene: Scene) -> Cards:
    """Judge the card of every member, once for a check; others have their turn in between."""
    cards: dict[AccountId, Judgement] = {}
    for number, member in enumerate(scene.members()):
        if number % AT_A_TIME == AT_A_TIME - 1:
            await scene.tools.clock.sleep(0)
        said = naming.judged(scene, member)
        if said is not None:
            cards[member.account] = said
    return cards


def found(scene: Scene, known: Known, cards: Cards) -> Findings:
    """Hold the members of a group against the roster."""
    members = scene.members()
    here = Findings(members=len(members))
    for member in members:
        _sort_in(scene, member, known, here)
        _look_at_card(scene, member.account, known, cards, here)
    here.registered = sum(scene.standing(one.account) is Standing.REGISTERED for one in members)
    _find_second_accounts(members, here)
    _find_missing(scene, members, known, here)
    return here


def _sort_in(scene: Scene, member: Member, known: Known, here: Findings) -> None:
    """Put a member where it belongs in the list."""
    account, standing = member.account, scene.standing(member.account)
    if standing is Standing.LEFT:
        here.left.append(account)
    elif standing is Standing.ELSEWHERE:
        here.elsewhere.append(account)
    elif standing is Standing.UNKNOWN:
        _unlisted(member, known, here).append(account)


def _unlisted(member: Member, known: Known, here: Findings) -> list[AccountId]:
    """Give the section of somebody the roster does not list."""
    account = member.account
    if account in known.guests:
        return here.guests
    if member.protected:
        return here.stewards
    if account in known.waiting:
        return here.waiting
    if account in known.verified:
        return here.verified
    return here.trials if account in known.trials else here.unknown


def _look_at_card(scene: Scene, account: AccountId, known: Known, cards: Cards, here: Findings) -> None:
    said = cards.get(account)
    if said is None or account in known.guests or account in known.excepted:
        return
    if said.verdict is not Verdict.VALID and scene.standing(account) is not Standing.LEFT:
        here.cards.append(account)
    unbound = scene.person(account) is None and account not in known.waiting
    if unbound and said.person is not None and scene.on_platform(said.person.id):
        here.claims.append(account)


def _find_second_accounts(members: Iterable[Member], here: Findings) -> None:
    """Find persons who are in the group by more than one account."""
    members = [one for one in members if one.person_id is not None and one.real_name]
    often = Counter(one.person_id for one in members)
    for person_id, times in often.items():
        if times > 1:
            here.seconds.append(tuple(one.account for one in members if one.person_id == person_id))


def _find_missing(scene: Scene, members: Iterable[Member], known: Known, here: Findings) -> None:
    """Find who has to be in the group and is not, where the platform tells who is in it."""
    if not scene.view.must_join or not scene.can(Capability.LIST_MEMBERS):
        return
    inside = {one.person_id for one in members} | set(known.waiting.values())
    active = [one for one in scene.tools.people.persons() if one.active]
    picked: set[int] = set()
    for selector in scene.view.must_join:
        meant = [one for one in active if selector.picks(one)]
        if not meant:
            here.idle.append(selector.word)
        for person in meant:
            if person.id not in inside and person.id not in picked:
                picked.add(person.id)
                here.missing.append(person)


# — saying —


def listed(scene: Scene, here: Findings, known: Known, changes: Iterable[str]) -> str:
    """Write the list: a line for each kind of finding, names cut after some."""
    head = scene.say(
        "list_head",
        moment=scene.minute(scene.now),
        members=here.members,
        registered=here.registered,
        ref=scene.ref(AUDIT),
    )
    return "\n".join((head, *_sections(scene, here, known), *_further(scene, here, known, changes)))


def _sections(scene: Scene, here: Findings, known: Known) -> list[str]:
    """Write the sections of accounts and persons."""
    people = {
        "unknown": (here.unknown, scene.ref(OUTSIDER)),
        "left": (here.left, scene.ref(LEAVER)),
        "waiting": (here.waiting, ""),
        "verified": (here.verified, ""),
        "trials": (here.trials, ""),
        "elsewhere": (here.elsewhere, ""),
        "stewards": (here.stewards, ""),
        "claims": (here.claims, ""),
        "cards": (here.cards, scene.ref(CARD)),
    }
    lines = [
        _section(scene, key, [scene.called(one) for one in accounts], ref)
        for key, (accounts, ref) in people.items()
        if accounts
    ]
    if here.missing:
        lines.append(_section(scene, "missing", map(scene.named, here.missing), scene.ref(MUST_JOIN)))
    if here.seconds:
        pairs = [scene.say("pair", names=" / ".join(map(scene.called, one))) for one in here.seconds]
        lines.append(_section(scene, "seconds", pairs, ""))
    if known.guests:
        lines.append(scene.say("list_guests", count=len(here.guests)))
    return lines


def _section(scene: Scene, key: str, names: Iterable[str], ref: str) -> str:
    every = list(names)
    shown = scene.joined(every[:NAMES_SHOWN])
    more = scene.say("and_more", count=len(every) - NAMES_SHOWN) if len(every) > NAMES_SHOWN else ""
    return scene.say(f"list_{key}", count=len(every), names=shown + more, ref=ref)


def _further(scene: Scene, here: Findings, known: Known, changes: Iterable[str]) -> list[str]:
    """Write what is not about members."""
    lines: list[str] = []
    if here.idle:
        lines.append(scene.say("list_idle", names=scene.joined(here.idle)))
    if scene.view.must_join and not scene.can(Capability.LIST_MEMBERS):
        lines.append(scene.say("list_no_list"))
    if known.proposals:
        lines.append(scene.say("list_proposals", count=known.proposals))
    if known.settled:
        lines.append(scene.say("list_settled", count=known.settled))
    if scene.settings.card.avatar_self_declare:
        lines.append(scene.say("list_avatars", count=known.declared))
    told = list(changes)
    if told:
        lines.append(_section(scene, "changes", told, ""))
    return lines


# — the daily check, and the one a steward asks for —


async def daily(scene: Scene, cards: Cards) -> Answer:
    """Check a group: begin what is set for whom was found, and give the stewards one list, if there is anything."""
    last = await CheckRun.filter(group_id=scene.group_id).order_by("-at").first()
    changes = await _changes(scene, None if last is None else last.at)
    known = await known_of(scene)
    acted = await _see_to_cards(scene, known, cards)
    known = replace(known, **await _proposed(scene))  # what a card says of its member may be proposed by now
    here = found(scene, known, cards)
    acted += await _see_to_leavers(scene, here)
    acted += await _see_to_unknown(scene, here)
    await CheckRun.create(group_id=scene.group_id, at=scene.now, found=here.worth_telling)
    noted = scene.note(
        "roster checked",
        f"group:{scene.group_id}",
        members=here.members,
        found=here.worth_telling,
        unknown=len(here.unknown),
    )
    if not here.worth_telling and not changes and not known.settled:
        return [*acted, noted]
    return [scene.stewards(listed(scene, here, known, changes)), *acted, noted]


async def on_demand(scene: Scene, event: CommandGiven) -> Answer:
    """`名册 核对`: show a steward the list as it is now; nothing follows from it."""
    known = await known_of(scene)
    here = found(scene, known, await cards_of(scene))
    last = await CheckRun.filter(group_id=scene.group_id).order_by("-at").first()
    text = listed(scene, here, known, await _changes(scene, None if last is None else last.at))
    return [
        scene.note("roster list shown", f"group:{scene.group_id}", event.account),
        scene.answer(event, text),
    ]


async def _changes(scene: Scene, since: datetime | None) -> list[str]:
    rows = await delegates.changes_since(scene, since)
    return [scene.say("change_line", by=scene.called(AccountId(row.by)), text=row.text) for row in rows]


async def _see_to_cards(scene: Scene, known: Known, cards: Cards) -> Answer:
    """Look at every card; only so many members are reminded for the first time at once."""
    watched, ended = await naming.watched(scene), await naming.ended(scene)
    left = scene.settings.card.remind_per_audit
    asked: Answer = []
    for account, said in cards.items():
        if account in known.guests or account in known.excepted:
            continue
        member, row = scene.member(account), watched.get(account)
        if row is not None:
            asked += await naming.followed(scene, member, said, row)
            continue
        right = said.verdict is Verdict.VALID
        settled = right and (scene.person(account) is not None or account in known.waiting)
        if settled or (not right and left <= 0):
            continue
        done = await naming.followed(scene, member, said, ended.get(account))
        left -= int(not right and bool(done))
        asked += done
    return asked


async def _see_to_leavers(scene: Scene, here: Findings) -> Answer:
    asked: Answer = []
    known = await leavers.grace_of(scene) if here.left else {}
    for account in [one for one in here.left if one not in known]:
        person = scene.person(account)
        if person is not None:
            asked += await leavers.left(scene, person, (account,))
    return asked


async def _see_to_unknown(scene: Scene, here: Findings) -> Answer:
    """Begin what is set for members the roster does not list, unless the roster itself looks wrong."""
    if not here.unknown or scene.settings.unknown_action == "flag":
        return []
    if too_many(len(here.unknown), here.members) or not scene.register:
        return [scene.stewards(scene.say("too_many", count=len(here.unknown), members=here.members))]
    asked: Answer = []
    for account in here.unknown:
        asked += await _see_to_one(scene, account)
    return asked


async def _see_to_one(scene: Scene, account: AccountId) -> Answer:
    """Ask somebody inside who that is, and put the question before the stewards now or when the time is up."""
    row = await newcomers.open_row(scene, account)
    if row is not None:  # the time is up; a case that nobody decided is put before the stewards again
        return await newcomers.act(scene, account)
    row = await newcomers.begin(scene, account, joined=False)
    asked = [newcomers.question(scene, row)]
    if scene.settings.unknown_action == "flag_then_case":
        return [*asked, scene.wake(f"{newcomers.JOB}/{account}", row.until)]
    row.flagged = True
    await row.save()
    return [*asked, *await newcomers.act(scene, account)]


def too_many(unknown: int, members: int) -> bool:
    """Say whether so many members are unknown that the roster, not the members, is to be looked at."""
    return unknown > max(TOO_MANY_LEAST, members * TOO_MANY_SHARE)
