"""Newcomers whom the roster does not list: held as on trial, asked little, vouched for, verified by a steward (C06, C11)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from groupops import AccountId, Action, BindAccount, CommandGiven, MemberJoined, Person
from groupops_roster import bindings, cases, guests, leavers, naming
from groupops_roster.belonging import Standing
from groupops_roster.cards import Format, whose
from groupops_roster.models import OPEN, Probation, Proposal
from groupops_roster.scene import OUTSIDER, VERIFY, Answer, Scene

JOB = "probation"

TRIES = 5
"""Answers taken from one account: numbers must not be guessed."""

TOLD_PER_HOUR = 10
"""Newcomers of whom the stewards of a group are told one by one in an hour."""

_HOUR_S = 3600.0

LAST_SIGNS = 4
"""Signs of the organisation's number that are asked for (E12: no more)."""


async def joined(scene: Scene, event: MemberJoined) -> Answer:
    """Look whether a newcomer is on the roster; who is not is on trial, and is told how to be verified."""
    member = scene.member(event.account)
    if scene.settings.passes_over(member):
        return []
    card = await _card_later(scene, event)
    person = scene.person(event.account)
    if person is not None and not person.active:
        return [*await leavers.left(scene, person, (event.account,)), _leaver_came(scene, event), *card]
    if person is not None or not scene.settings.verify_on_join or member.steward:
        return card
    # Who let a request in, the bot or a steward, invited nobody.
    inviter = None if event.how == "approve" else event.operator
    return [*await on_trial(scene, event.account, inviter=inviter), *card]


async def _card_later(scene: Scene, event: MemberJoined) -> Answer:
    """The card is looked at once the grace is over."""
    if not scene.settings.card.enforce:
        return []
    at = event.at + timedelta(minutes=scene.settings.card.grace_minutes)
    if at <= scene.now:
        return await naming.looked_at(scene, scene.member(event.account))
    return [scene.wake(f"{naming.JOB}/{event.account}", at)]


def _leaver_came(scene: Scene, event: MemberJoined) -> Action:
    return scene.stewards(scene.say("leaver_came", who=scene.called(event.account)))


async def on_trial(scene: Scene, account: AccountId, *, inviter: AccountId | None = None) -> Answer:
    """Hold a newcomer as on trial; whoever said enough when asking to come in is not asked again."""
    await close(scene, account, "left")
    known = await bindings.proposed_here(scene, account)
    row = await begin(scene, account, joined=True)
    if known is not None and known.source == "join":
        row.matched, row.tries = known.person_id, 1
        await row.save()
    elif known is None:
        known = await bindings.by_card(scene, account, _stated(scene, account))
    asked = [] if row.tries else [question(scene, row)]
    return [
        *asked,
        *await _word_to_stewards(scene, row, inviter, known),
        scene.wake(f"{JOB}/{account}", row.until),
    ]


async def _word_to_stewards(
    scene: Scene, row: Probation, inviter: AccountId | None, known: Proposal | None
) -> Answer:
    """Tell the stewards of a newcomer; of many at once they are told that there are many."""
    count = await scene.tools.counters.add(f"roster/{scene.group_id}/newcomers", _HOUR_S)
    if count > TOLD_PER_HOUR:
        return [scene.stewards(scene.say("newcomers"))] if count == TOLD_PER_HOUR + 1 else []
    account = AccountId(row.account)
    told = scene.say(
        "newcomer",
        who=scene.called(account),
        account=account,
        inviter=scene.say("invited_by", name=scene.called(inviter)) if inviter else "",
        until=scene.minute(row.until),
        more=_proposal_words(scene, known),
        ref=scene.ref(OUTSIDER),
    )
    return [scene.stewards(told)]


def _stated(scene: Scene, account: AccountId) -> Person | None:
    """Give the one registered person a newcomer's card names, if it names one."""
    said = naming.judged(scene, scene.member(account))
    return None if said is None else said.person


def _proposal_words(scene: Scene, row: Proposal | None) -> str:
    return "" if row is None else scene.say("may_be", proposal=bindings.in_words(scene, row))


def question(scene: Scene, row: Probation) -> Action:
    """Ask a newcomer for the unit and the last signs of the number, and say who may vouch."""
    account = AccountId(row.account)
    name = scene.member(account).called
    voucher = scene.say("voucher_needed" if scene.settings.voucher_required else "voucher_possible")
    until = scene.minute(row.until)
    text = scene.say("verify", until=until, voucher=voucher, ref=scene.ref(VERIFY))
    return scene.privately(account, text, scene.say("verify_neutral", name=name, until=until))


async def begin(scene: Scene, account: AccountId, *, joined: bool) -> Probation:
    """Write down that somebody is on trial from now on."""
    return await Probation.create(
        group_id=scene.group_id,
        account=account,
        joined=joined,
        until=scene.now + scene.settings.probation,
        opened_at=scene.now,
    )


# — what is said about newcomers —


async def told_oneself(scene: Scene, event: CommandGiven) -> Answer:
    """`自报 单位 编号后四位`: compare, keep only whom it fits, and say to nobody whether it does."""
    if not event.private:
        return [scene.reply(event, scene.say("tell_privately"))]
    if scene.person(event.account) is not None:
        return [scene.answer(event, scene.say("tell_registered"))]
    row = await open_row(scene, event.account) or await begin(scene, event.account, joined=False)
    if row.tries >= TRIES:
        return [scene.answer(event, scene.say("tell_enough"))]
    found = matching(scene.tools.people.persons(), event.args[0], event.args[1])
    fresh = row.tries == 0 or (found is not None and row.matched != found.id)
    row.tries += 1
    row.matched = None if found is None else found.id
    await row.save()
    told = [scene.stewards(ready_words(scene, row))] if fresh else []
    return [scene.answer(event, scene.say("tell_taken")), *told]


def matching(persons: Iterable[Person], unit: str, number: str) -> Person | None:
    """Give the one active person of a unit whose number ends so; None when there is none, or several.

    Args:
        persons: the register.
        unit: a department, company, region or position as the person wrote it.
        number: the last four signs of the organisation's number, or more of it.
    """
    number, unit = number.strip().casefold(), unit.strip().casefold()
    if len(number) < LAST_SIGNS or not unit:
        return None
    fitting = [
        one for one in persons if one.active and one.ref.casefold().endswith(number) and _of_unit(one, unit)
    ]
    return fitting[0] if len(fitting) == 1 else None


def _of_unit(person: Person, unit: str) -> bool:
    units = (person.department, person.company, person.region)
    return any(unit == known.casefold() for known in units if known)


def ready_words(scene: Scene, row: Probation) -> str:
    """Say to the stewards what is known of a newcomer; the answers themselves are said to nobody."""
    account = AccountId(row.account)
    person = None if row.matched is None else scene.person_of_id(row.matched)
    fits = scene.say("fits", person=scene.named(person)) if person is not None else scene.say("fits_nobody")
    sponsor = (
        scene.say("sponsored_by", name=scene.called(AccountId(row.sponsor)))
        if row.sponsor
        else scene.say("sponsor_missing" if scene.settings.voucher_required else "sponsor_none")
    )
    answered = fits if row.tries else scene.say("not_answered")
    return scene.say("ready", who=scene.called(account), account=account, fits=answered, sponsor=sponsor)


async def vouched(scene: Scene, event: CommandGiven) -> Answer:
    """`担保 @某人`: one registered member vouches for a newcomer, nobody for himself (E12)."""
    account = AccountId(event.args[0])
    row = await open_row(scene, account)
    refusal = _may_not_vouch(scene, event.account, account, row)
    if refusal:
        did = scene.note("voucher refused", f"account:{account}", event.account, why=refusal)
        return [did, scene.reply(event, scene.say(refusal))]
    if row is None or row.sponsor:
        return [scene.reply(event, scene.say("vouch_enough"))]
    row.sponsor = event.account
    await row.save()
    return [
        scene.note("newcomer vouched for", f"account:{account}", event.account),
        scene.reply(event, scene.say("vouch_done")),
        scene.stewards(ready_words(scene, row)),
    ]


def _may_not_vouch(scene: Scene, sponsor: AccountId, account: AccountId, row: Probation | None) -> str:
    """Give the text that says why somebody may not vouch; empty when nothing is against it."""
    if scene.same_person(sponsor, account):
        return "vouch_self"
    if row is not None and row.matched is not None and row.matched == _id_of(scene, sponsor):
        return "vouch_self"
    if scene.standing(sponsor) not in (Standing.REGISTERED, Standing.ELSEWHERE):
        return "vouch_unknown"
    return "vouch_needless" if row is None else ""


def _id_of(scene: Scene, account: AccountId) -> int | None:
    person = scene.person(account)
    return None if person is None else person.id


async def verified(scene: Scene, event: CommandGiven) -> Answer:
    """`核验 @某人 [姓名]`: a steward takes somebody off trial, and binds the account where it is clear to whom."""
    account = AccountId(event.args[0])
    if scene.same_person(account, event.account):
        return [scene.answer(event, scene.say("not_oneself"))]
    if scene.person(account) is not None:
        left = scene.standing(account) is Standing.LEFT
        return [scene.answer(event, scene.say("verify_left" if left else "verify_registered"))]
    row = await open_row(scene, account)
    if scene.settings.voucher_required and (row is None or not row.sponsor):
        return [scene.answer(event, scene.say("verify_unvouched"))]
    named = event.args[1] if len(event.args) > 1 else ""
    person, refusal = await _person_meant(scene, account, row, named)
    if refusal:
        return [scene.answer(event, scene.say(refusal, name=named))]
    if person is not None and person.id == _id_of(scene, event.account):
        return [scene.answer(event, scene.say("not_oneself"))]
    await _verify(scene, account, row, event.account)
    return [
        *_binding(scene, account, person, event.account),
        scene.note("newcomer verified", f"account:{account}", event.account),
        scene.answer(event, _verified_words(scene, account, person)),
        *await cases.dismissed(scene, account, event.account, scene.say("now_verified"), (OUTSIDER,)),
    ]


async def _person_meant(
    scene: Scene, account: AccountId, row: Probation | None, named: str
) -> tuple[Person | None, str]:
    """Give whom a newcomer is: by the steward's word, by the answers, or by what is proposed; or why that is unclear."""
    if named:
        found = [one for one in whose(named, Format.FREE, scene.register) if one.name in named]
        return (found[0], "") if len(found) == 1 else (None, "verify_no_such")
    if row is not None and row.matched is not None:
        return scene.person_of_id(row.matched), ""
    proposal = await bindings.proposed_here(scene, account)
    return (None if proposal is None else scene.person_of_id(proposal.person_id)), ""


def _binding(scene: Scene, account: AccountId, person: Person | None, by: AccountId) -> Answer:
    if person is None:
        return []
    return [BindAccount(group_id=scene.group_id, account=account, person_id=person.id, by=by)]


def _verified_words(scene: Scene, account: AccountId, person: Person | None) -> str:
    who = scene.called(account)
    if person is None:
        return scene.say("verified_unlisted", who=who)
    return scene.say("verified", who=who, person=scene.named(person))


async def _verify(scene: Scene, account: AccountId, row: Probation | None, by: AccountId) -> None:
    row = row or await begin(scene, account, joined=False)
    row.status, row.by, row.matched, row.closed_at = "verified", by, None, scene.now
    await row.save()


# — when the time is up —


async def ran_out(scene: Scene, account: AccountId) -> Answer:
    """Do what is set once the time of somebody on trial is up: tell the stewards, or have them decide."""
    row = await open_row(scene, account)
    if row is None or row.flagged or row.until > scene.now:
        return []
    if not scene.inside(account):
        return await close(scene, account, "left")
    if scene.person(account) is not None:
        return await close(scene, account, "registered")
    if await guests.is_guest(scene, account):
        return await close(scene, account, "guest")
    row.flagged = True
    await row.save()
    return await act(scene, account)


async def act(scene: Scene, account: AccountId) -> Answer:
    """Put somebody the roster does not list before the stewards, as it is set; nobody is put out by it."""
    settings = scene.settings
    if scene.member(account).protected or (
        settings.unknown_action == "flag" and settings.probation_until == "hours"
    ):
        text = scene.say("unknown_flag", who=scene.called(account), account=account, ref=scene.ref(OUTSIDER))
        return [scene.stewards(text)]
    ladder = settings.removal_ladder if settings.probation_until == "hours" else ""
    return await cases.open_case(scene, account, OUTSIDER, scene.say("unknown_case"), ladder=ladder)


async def open_row(scene: Scene, account: AccountId) -> Probation | None:
    """Give the open trial of an account."""
    rows = Probation.filter(group_id=scene.group_id, account=account, status=OPEN)
    return await rows.order_by("-id").first()


async def trials(scene: Scene) -> dict[str, Probation]:
    """Give the open trials of the group, by account."""
    rows = await Probation.filter(group_id=scene.group_id, status=OPEN).order_by("id")
    return {row.account: row for row in rows}


async def verified_here(scene: Scene) -> frozenset[str]:
    """Give the accounts that a steward verified and that have not left since."""
    rows = await Probation.filter(group_id=scene.group_id, status="verified")
    return frozenset(row.account for row in rows)


async def close(scene: Scene, account: AccountId, status: str) -> Answer:
    """End the trial of an account; what the answers fitted is forgotten with it."""
    await Probation.filter(group_id=scene.group_id, account=account, status=OPEN).update(
        status=status, closed_at=scene.now, matched=None
    )
    return []


async def member_left(scene: Scene, account: AccountId) -> None:
    """A trial, and its good end, are for one stay."""
    await Probation.filter(group_id=scene.group_id, account=account, status__in=(OPEN, "verified")).update(
        status="left", closed_at=scene.now, matched=None
    )
