"""Cards that do not keep to the format: reminded of privately, not too often, and then put before the stewards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from groupops import (
    AccountId,
    Action,
    Capability,
    CommandGiven,
    Member,
    MemberRenamed,
    ObligationMissed,
    OpenObligation,
    Person,
    SetCard,
    SettleObligation,
)
from groupops_roster import bindings, cases, guests
from groupops_roster.belonging import Standing, words
from groupops_roster.cards import Format, Judgement, Verdict, card_of, check, hint, reason, safe_card
from groupops_roster.models import OPEN, CardException, CardWatch
from groupops_roster.scene import CARD, Answer, Scene

JOB = "card"

OWED = "roster.card"
"""The kind of obligation a card that has to be changed is."""

FULL = "full"

JUDGED = 20_000
"""Verdicts on cards that are remembered with a register, so that a nightly check thinks about new cards only."""


def judged(scene: Scene, member: Member) -> Judgement | None:
    """Say how a member's card stands; None where the group asks for none, or no card can be read.

    Where no card is set, people see the nickname, so that is what counts.
    """
    table, shown = scene.settings.card, member.card or member.name
    if not table.enforce or not shown or not scene.can(Capability.READ_CARD):
        return None
    holder, known = scene.person(member.account), scene.register.judged
    asked = (shown, holder, table.format, table.separators, table.canonical_separator)
    said = known.get(asked)
    if said is None:
        if len(known) >= JUDGED:
            known.clear()
        said = known[asked] = check(
            shown,
            Format(table.format),
            scene.register,
            holder=holder,
            separators=table.separators,
            canonical=table.canonical_separator,
        )
    return said


async def renamed(scene: Scene, event: MemberRenamed) -> Answer:
    """Look at a card that was changed."""
    return await looked_at(scene, scene.member(event.account))


async def woken(scene: Scene, account: AccountId) -> Answer:
    """Look again when the grace of a newcomer, or the time between two reminders, is over."""
    if not scene.inside(account):
        return []
    return await looked_at(scene, scene.member(account))


async def looked_at(scene: Scene, member: Member) -> Answer:
    """Settle what a card owed if it is right now; else remind, if the time has come."""
    if scene.settings.passes_over(member) or await guests.is_guest(scene, member.account):
        return []
    said = judged(scene, member)
    if said is None or await excepted(scene, member.account):
        return []
    return await followed(scene, member, said, await _row(scene, member.account))


async def followed(scene: Scene, member: Member, said: Judgement, row: CardWatch | None) -> Answer:
    """As `looked_at`, of whom it is known that the card counts.

    Args:
        scene: the surroundings.
        member: who is no guest, and may not keep another card.
        said: how the card stands.
        row: what is remembered of it, or None.
    """
    if scene.standing(member.account) is Standing.LEFT:
        return []
    await bindings.by_card(scene, member.account, _named_by(said))
    if said.verdict is Verdict.VALID:
        return await _settled(scene, row, "valid", "satisfied")
    if row is None or row.closed_at is not None:
        row = await _begun(scene, member.account, row)
    return await _reminded(scene, member, said, row)


def _named_by(said: Judgement) -> Person | None:
    return said.person if said.verdict in (Verdict.VALID, Verdict.FIXABLE) else None


async def _begun(scene: Scene, account: AccountId, earlier: CardWatch | None) -> CardWatch:
    """Begin to count anew (G12); when the last reminder was sent is remembered, so that to and fro is not spam."""
    return await CardWatch.create(
        group_id=scene.group_id,
        account=account,
        reminded_at=None if earlier is None else earlier.reminded_at,
        opened_at=scene.now,
    )


async def _reminded(scene: Scene, member: Member, said: Judgement, row: CardWatch) -> Answer:
    table = scene.settings.card
    if row.status != OPEN:
        return []
    next_at = None if row.reminded_at is None else row.reminded_at + table.every
    if next_at is not None and next_at > scene.now:
        return [scene.wake(f"{JOB}/{member.account}", next_at)] if row.reminders == 0 else []
    if row.reminders >= table.max_reminders:
        row.status = FULL
        await row.save()
        return []
    row.reminders += 1
    row.reminded_at = scene.now
    await row.save()
    asked: Answer = [_reminder(scene, member, said)]
    if row.reminders == 1 and not member.protected:
        asked.append(_owed(scene, row))
    return [*asked, scene.wake(f"{JOB}/{member.account}", scene.now + table.every)]


def _owed(scene: Scene, row: CardWatch) -> OpenObligation:
    """What is owed is written in the member's own record, where a steward may excuse it."""
    table = scene.settings.card
    return OpenObligation(
        group_id=scene.group_id,
        account=AccountId(row.account),
        obligation_kind=OWED,
        title=scene.say("card_owed"),
        key=_key(row),
        due_at=scene.now + table.every * table.max_reminders,
        private=True,
    )


def _key(row: CardWatch) -> str:
    return f"{OWED}/{row.group_id}/{row.account}/{row.id}"


def _reminder(scene: Scene, member: Member, said: Judgement) -> Action:
    """Remind privately; where the group allows it and it is sure who it is, set the card instead."""
    table = scene.settings.card
    if _may_be_set(scene, member, said):
        return SetCard(group_id=scene.group_id, account=member.account, card=said.suggestion, old=member.card)
    open_talk = table.channel == "dm_then_group" and not member.protected
    neutral = scene.say("card_neutral", name=safe_card(member.called)) if open_talk else ""
    return scene.privately(member.account, in_words(scene, member, said), neutral)


def _may_be_set(scene: Scene, member: Member, said: Judgement) -> bool:
    person = scene.person(member.account)
    sure = person is not None and said.person is not None and person.id == said.person.id
    wanted = scene.settings.card.auto_set and said.verdict is Verdict.FIXABLE and not member.protected
    return wanted and sure and scene.can(Capability.SET_CARD)


def in_words(scene: Scene, member: Member, said: Judgement) -> str:
    """Say to a member how the card stands; a number in it is not repeated."""
    shown = safe_card(member.card or member.name)
    if said.verdict is Verdict.VALID:
        return scene.say("card_valid", card=shown)
    better = said.suggestion or _card_of_holder(scene, member)
    key = "card_suggested" if better else "card_wrong"
    return scene.say(
        key,
        card=shown,
        why=reason(said.why),
        better=better,
        form=_form(scene),
        ref=scene.ref(CARD),
    )


def _card_of_holder(scene: Scene, member: Member) -> str:
    """Give the card a registered member should have, whatever it reads now."""
    person, table = scene.person(member.account), scene.settings.card
    if person is None or not person.active or table.format == "F6":
        return ""
    return card_of(
        person,
        Format(table.format),
        scene.register,
        separators=table.separators,
        canonical=table.canonical_separator,
    )


def _form(scene: Scene) -> str:
    table = scene.settings.card
    return hint(Format(table.format), table.separators, table.canonical_separator)


async def _settled(
    scene: Scene, row: CardWatch | None, status: str, how: Literal["satisfied", "cancelled"]
) -> Answer:
    """Nothing is owed any more; nothing is said about it."""
    if row is None or row.closed_at is not None:
        return []
    row.status, row.closed_at = status, scene.now
    await row.save()
    return [SettleObligation(group_id=scene.group_id, key=_key(row), how=how)]


async def missed(scene: Scene, event: ObligationMissed) -> Answer:
    """Put before the stewards who was reminded in vain; it is no strike, whatever they say (`after_max`)."""
    if event.obligation_kind != OWED or event.account is None or not scene.inside(event.account):
        return []
    if scene.settings.card.after_max != "admin_case":
        return []
    member = scene.member(event.account)
    said = judged(scene, member)
    standing = scene.standing(event.account)
    off = said is None or said.verdict in (Verdict.VALID, Verdict.REMIND) or standing is Standing.UNKNOWN
    if off or await excepted(scene, event.account):
        return []
    return await cases.open_case(scene, event.account, CARD, scene.say("card_case"))


async def member_left(scene: Scene, account: AccountId) -> Answer:
    """Who has left owes no card."""
    await CardException.filter(group_id=scene.group_id, account=account, ended_at=None).update(
        ended_at=scene.now
    )
    return await _settled(scene, await _row(scene, account), "left", "cancelled")


async def excepted(scene: Scene, account: AccountId) -> bool:
    """Say whether a steward let a member keep another card."""
    return await CardException.filter(group_id=scene.group_id, account=account, ended_at=None).exists()


async def exceptions(scene: Scene) -> frozenset[str]:
    """Give the accounts that may keep another card."""
    rows = await CardException.filter(group_id=scene.group_id, ended_at=None)
    return frozenset(row.account for row in rows)


async def except_member(scene: Scene, event: CommandGiven) -> Answer:
    """`名片例外 @某人 理由`: a steward lets a member keep another card, e.g. for protection; `取消` ends it."""
    account, why = AccountId(event.args[0]), event.args[1].strip()
    if scene.same_person(account, event.account):
        return [scene.answer(event, scene.say("not_oneself"))]
    subject = f"account:{account}"
    if why in words().ends:
        rows = CardException.filter(group_id=scene.group_id, account=account, ended_at=None)
        ended = await rows.update(ended_at=scene.now)
        key = "exception_ended" if ended else "exception_none"
        return [
            scene.note("card exception ended", subject, event.account),
            scene.answer(event, scene.say(key)),
        ]
    if not await excepted(scene, account):
        await CardException.create(
            group_id=scene.group_id, account=account, reason=why, by=event.account, at=scene.now
        )
    return [
        scene.note("card exception", subject, event.account),
        *await _settled(scene, await _row(scene, account), "excepted", "cancelled"),
        *await cases.dismissed(scene, account, event.account, scene.say("now_excepted"), (CARD,)),
        scene.answer(event, scene.say("exception_done")),
    ]


async def own_card(scene: Scene, event: CommandGiven) -> Answer:
    """`我的名片`: say to a member how the card stands and how it should read."""
    member = scene.member(event.account)
    said = judged(scene, member)
    if said is None:
        return [scene.answer(event, scene.say("card_unread", form=_form(scene)))]
    if await excepted(scene, event.account):
        return [scene.answer(event, scene.say("card_excepted"))]
    return [scene.answer(event, in_words(scene, member, said))]


async def watched(scene: Scene) -> dict[str, CardWatch]:
    """Give the rows of cards that are not right yet, by account."""
    rows: Sequence[CardWatch] = await CardWatch.filter(group_id=scene.group_id, closed_at=None)
    return {row.account: row for row in rows}


async def ended(scene: Scene) -> dict[str, CardWatch]:
    """Give the last row of each card that came to its end, by account: all at once, for a group has many members."""
    rows: Sequence[CardWatch] = await CardWatch.filter(
        group_id=scene.group_id, closed_at__isnull=False
    ).order_by("id")
    return {row.account: row for row in rows}


async def _row(scene: Scene, account: AccountId) -> CardWatch | None:
    return await CardWatch.filter(group_id=scene.group_id, account=account).order_by("-id").first()
