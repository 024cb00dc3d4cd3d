"""People who left the organisation and are in the group still: a time of grace, then a case (C08)."""

from __future__ import annotations

from collections.abc import Iterable

from groupops import AccountId, Person
from groupops_roster import cases
from groupops_roster.models import OPEN, Leaver
from groupops_roster.scene import LEAVER, Answer, Scene

JOB = "leaver"

ACTED = "acted"


async def left(scene: Scene, person: Person, accounts: Iterable[AccountId]) -> Answer:
    """Begin the grace of each account of somebody who left, unless it runs already."""
    asked: Answer = []
    for account in accounts:
        if scene.settings.leaver_action == "none" or await _row(scene, account) is not None:
            continue
        until = scene.now + scene.settings.leaver_grace
        await remember(scene, person, account, until_open=True)
        asked.append(scene.wake(f"{JOB}/{account}", until))
    return asked


async def remember(scene: Scene, person: Person, account: AccountId, *, until_open: bool) -> None:
    """Keep that somebody who left is inside; `until_open` False when what follows was asked for already."""
    await Leaver.create(
        group_id=scene.group_id,
        person_id=person.id,
        account=account,
        until=scene.now + scene.settings.leaver_grace,
        status=OPEN if until_open else ACTED,
        opened_at=scene.now,
    )


async def grace_over(scene: Scene, account: AccountId) -> Answer:
    """Act once the grace is over, if the person is still gone and the account still inside."""
    row = await _row(scene, account)
    if row is None or row.status != OPEN or row.until > scene.now:
        return []
    person = scene.person(account)
    if person is None or person.active:
        return await _end(scene, row, "returned")
    if not scene.inside(account):
        return await _end(scene, row, "left")
    row.status = ACTED
    await row.save()
    return await act(scene, account, scene.say("leaver_reason"))


async def act(scene: Scene, account: AccountId, reason: str) -> Answer:
    """Do what is set for leavers: a case for the stewards, or a word to them; nobody is put out by it."""
    if scene.settings.leaver_action == "none":
        return []
    if scene.settings.leaver_action == "flag" or scene.member(account).protected:
        return [scene.stewards(scene.say("leaver_flag", who=scene.called(account), reason=reason, ref=scene.ref(LEAVER)))]  # fmt: skip
    return await cases.open_case(scene, account, LEAVER, reason, ladder=scene.settings.removal_ladder)


async def returned(scene: Scene, accounts: Iterable[AccountId]) -> None:
    """Whoever came back to the organisation is no leaver."""
    await (
        Leaver.standing(scene.group_id)
        .filter(account__in=tuple(accounts))
        .update(status="returned", closed_at=scene.now)
    )


async def member_left(scene: Scene, account: AccountId) -> None:
    """Whoever left the group alone is done with."""
    await Leaver.standing(scene.group_id).filter(account=account).update(status="left", closed_at=scene.now)


async def grace_of(scene: Scene) -> dict[str, Leaver]:
    """Give the leavers of the group, by account."""
    return {row.account: row for row in await Leaver.standing(scene.group_id)}


async def _row(scene: Scene, account: AccountId) -> Leaver | None:
    return await Leaver.standing(scene.group_id).filter(account=account).order_by("-id").first()


async def _end(scene: Scene, row: Leaver, status: str) -> Answer:
    row.status, row.closed_at = status, scene.now
    await row.save()
    return []
