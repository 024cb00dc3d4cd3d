"""Words that an account is a person's, or two persons one: collected here, decided by stewards, carried out by the core."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from groupops import (
    AccountId,
    BindAccount,
    CommandGiven,
    Disputed,
    GroupId,
    MergePersons,
    Person,
    PersonId,
)
from groupops_roster.cases import dismissed
from groupops_roster.models import OPEN, Proposal
from groupops_roster.scene import OUTSIDER, Answer, Scene

BIND = "bind"
MERGE = "merge"

IMPORT = "import"

SHOWN = 30
"""Proposals shown at once; the rest follows as these are decided."""


async def propose_binding(
    account: AccountId, person_id: PersonId, *, source: str, at: datetime, group_id: GroupId | str = ""
) -> Proposal | None:
    """Write down a word that an account is a person's; a steward decides.

    Args:
        account: the account.
        person_id: the person.
        source: `card`, `join` or `import`.
        at: when it was said.
        group_id: where it was seen; empty = every group's stewards may decide.

    Returns:
        The open proposal, the earlier one if it stands already; None when a steward denied it before.
    """
    made = Proposal(
        what=BIND, group_id=group_id, account=account, person_id=person_id, source=source, opened_at=at
    )
    earlier = await Proposal.filter(what=BIND, account=account, person_id=person_id)
    return await _proposed(made, earlier)


async def propose_merge(kept: PersonId, gone: PersonId, *, at: datetime) -> Proposal | None:
    """Write down HR's word that two persons of the register are one (同一人); a steward decides.

    Args:
        kept: the person that stays.
        gone: the person whose accounts go to it.
        at: when it was said.

    Returns:
        As `propose_binding`; None also for a person and itself.
    """
    if kept == gone:
        return None
    made = Proposal(what=MERGE, person_id=kept, other_id=gone, source=IMPORT, opened_at=at)
    both = (kept, gone)
    earlier = await Proposal.filter(what=MERGE, person_id__in=both, other_id__in=both)
    return await _proposed(made, earlier)


async def propose_disputed(disputed: Iterable[Disputed], *, at: datetime) -> int:
    """Write down the accounts a roster gives to one person and that are another's; returns how many wait."""
    made = [await propose_binding(one.account, one.said, source=IMPORT, at=at) for one in disputed]
    return sum(row is not None for row in made)


async def open_proposals(group_id: GroupId | str | None = None) -> list[Proposal]:
    """Give what waits for a decision in a group, imports' words among it; None gives all there is."""
    rows = Proposal.filter(status=OPEN)
    if group_id is not None:
        rows = rows.filter(group_id__in=("", group_id))
    return await rows.order_by("id")


async def by_card(scene: Scene, account: AccountId, person: Person | None) -> Proposal | None:
    """Propose that an account is the person its card names; not where that person has an account already."""
    if person is None or scene.person(account) is not None or scene.on_platform(person.id):
        return None
    return await propose_binding(account, person.id, source="card", at=scene.now, group_id=scene.group_id)


async def proposed_here(scene: Scene, account: AccountId) -> Proposal | None:
    """Give the latest open proposal about an account in the group."""
    rows = Proposal.filter(what=BIND, account=account, status=OPEN, group_id__in=("", scene.group_id))
    return await rows.order_by("-id").first()


async def settle_bound(scene: Scene, accounts: Iterable[AccountId]) -> None:
    """Proposals about accounts that are bound by now came true, or are void; HR's word stays until it is decided."""
    for row in await Proposal.filter(what=BIND, account__in=tuple(accounts), status=OPEN):
        holder = scene.person(AccountId(row.account))
        if row.source != IMPORT or (holder is not None and holder.id == row.person_id):
            await _decide(row, "settled", scene.now, "")


async def member_left(scene: Scene, account: AccountId) -> None:
    """What was seen in the group only is void once the account has left it."""
    await Proposal.filter(account=account, group_id=scene.group_id, status=OPEN).update(
        status="settled", decided_at=scene.now
    )


async def listed(scene: Scene, event: CommandGiven) -> Answer:
    """`名册 待核`: show a steward what waits."""
    rows = await open_proposals(scene.group_id)
    if not rows:
        return [scene.answer(event, scene.say("review_none"))]
    lines = [in_words(scene, row) for row in rows[:SHOWN]]
    more = [scene.say("review_more", count=len(rows) - SHOWN)] if len(rows) > SHOWN else []
    return [scene.answer(event, "\n".join((scene.say("review_head"), *lines, *more)))]


def in_words(scene: Scene, row: Proposal) -> str:
    """Say what a proposal says, with its number."""
    person = _named(scene, row.person_id)
    if row.what == MERGE:
        return scene.say("review_merge", id=row.id, kept=person, gone=_named(scene, row.other_id))
    account = AccountId(row.account)
    return scene.say(
        "review_bind",
        id=row.id,
        who=scene.called(account),
        account=account,
        person=person,
        source=scene.say(f"source_{row.source}"),
    )


async def confirmed(scene: Scene, event: CommandGiven) -> Answer:
    """`确认绑定 <n>`: a steward says that it is so."""
    row = await _open_row(scene, event)
    if row is None:
        return [scene.answer(event, scene.say("review_no_such", id=event.args[0]))]
    if _own(scene, row, event.account):
        return [scene.answer(event, scene.say("review_own", id=row.id))]
    person = scene.person_of_id(row.person_id)
    if person is None:
        await _decide(row, "settled", scene.now, event.account)
        return [scene.answer(event, scene.say("review_void", id=row.id))]
    accounts = _accounts(scene, row)
    await _decide(row, "confirmed", scene.now, event.account)
    did = scene.note(
        "binding confirmed", f"person:{row.person_id}", event.account, proposal=row.id, kind=row.what
    )
    told = scene.answer(event, scene.say("review_confirmed", id=row.id, person=scene.named(person)))
    closed = [
        item
        for account in accounts
        for item in await dismissed(scene, account, event.account, scene.say("now_registered"), (OUTSIDER,))
    ]
    return [*_moves(scene, row, event.account), did, told, *closed]


async def denied(scene: Scene, event: CommandGiven) -> Answer:
    """`否认绑定 <n>`: a steward says that it is not so; the same is not proposed again."""
    row = await _open_row(scene, event)
    if row is None:
        return [scene.answer(event, scene.say("review_no_such", id=event.args[0]))]
    if _own(scene, row, event.account):
        return [scene.answer(event, scene.say("review_own", id=row.id))]
    await _decide(row, "denied", scene.now, event.account)
    did = scene.note("binding denied", f"person:{row.person_id}", event.account, proposal=row.id)
    return [did, scene.answer(event, scene.say("review_denied", id=row.id))]


def _moves(scene: Scene, row: Proposal, by: AccountId) -> Answer:
    """Give the errand that makes an account a person's, or two persons one with all that was booked of both."""
    kept = PersonId(row.person_id)
    if row.what == BIND:
        account = AccountId(row.account)
        return [BindAccount(group_id=scene.group_id, account=account, person_id=kept, by=by)]
    return [MergePersons(group_id=scene.group_id, kept=kept, gone=PersonId(row.other_id or 0), by=by)]


def _accounts(scene: Scene, row: Proposal) -> tuple[AccountId, ...]:
    if row.what == BIND:
        return (AccountId(row.account),)
    return scene.tools.people.accounts(PersonId(row.other_id or 0))


def _own(scene: Scene, row: Proposal, steward: AccountId) -> bool:
    """Nobody decides about the own account or person."""
    person = scene.person(steward)
    concerned = {row.person_id, row.other_id}
    return steward == row.account or (person is not None and person.id in concerned)


async def _open_row(scene: Scene, event: CommandGiven) -> Proposal | None:
    rows = Proposal.filter(id=int(event.args[0]), status=OPEN, group_id__in=("", scene.group_id))
    return await rows.first()


async def _decide(row: Proposal, status: str, at: datetime, by: str) -> None:
    row.status, row.decided_at, row.by = status, at, by
    await row.save()


async def _proposed(made: Proposal, earlier: Iterable[Proposal]) -> Proposal | None:
    """Give the one that stands, or keep the new one; what was denied stays denied."""
    earlier = tuple(earlier)
    if any(row.status == "denied" for row in earlier):
        return None
    standing = next((row for row in earlier if row.status == OPEN), None)
    if standing is not None:
        return standing
    await made.save()
    return made


def _named(scene: Scene, person_id: int | None) -> str:
    person = None if person_id is None else scene.person_of_id(person_id)
    return scene.say("nobody") if person is None else scene.named(person)
