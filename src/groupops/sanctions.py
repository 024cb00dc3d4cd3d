"""What follows from an offence, as pure functions: what the machine may do alone, which step comes, who may decide."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from groupops.actions import (
    Action,
    Announce,
    AskStewards,
    DeleteMessage,
    DirectMessage,
    InDoubt,
    Mute,
    Reply,
    SendCard,
    SendFile,
    SendImage,
    SendText,
    UpdateCard,
)
from groupops.people import Member, PersonId, Role, Stage
from groupops.plugin import HOLDING_MUTE
from groupops.policy import Discipline, Ladder
from groupops.records import Case, CaseStatus, OutboxRow, OutboxState
from groupops.verdicts import AUTO_ORDER, AutoMax, Offence, Severity

TALK = (SendText, Reply, DirectMessage, SendImage, SendFile, SendCard, UpdateCard, Announce)
"""Actions that only say something."""

MAYBE_DONE = frozenset({OutboxState.DONE, OutboxState.PERFORMING, OutboxState.IN_DOUBT})
"""States of actions that may have reached the platform."""

MEASURED = frozenset({"word", "pattern", "url", "file", "list", "window"})
"""Evidence a machine saw itself. A report is none of it: a report alone never contains anybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contained:
    """What is done at once, and what a human has to do or allow."""

    now: tuple[Action, ...] = ()
    human: tuple[Action, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What limits the machine towards one member at one moment.

    Args:
        member: who.
        stage: how far the policy bites.
        late: True when the fact came too late to act on.
        roles_known: True where the platform tells roles; where it does not, owner and stewards are the protected.
        muted: how long the machine has muted this person today.
        limit: how long it may mute one person in a day; never above `HOLDING_MUTE`.
    """

    member: Member
    stage: Stage
    late: bool = False
    roles_known: bool = True
    muted: timedelta = timedelta()
    limit: timedelta = HOLDING_MUTE

    @property
    def most(self) -> AutoMax:
        """The most the machine may do alone to this member now (`architecture.md` §3)."""
        if self.late or not self.member.account:
            return "flag"
        if self.stage is not Stage.ENFORCED or self.member.protected:
            return "remind"
        if self.member.role is Role.UNKNOWN and self.roles_known:
            return "recall"
        return "mute"


def contain(offences: Iterable[Offence], standing: Standing) -> Contained:
    """Sort the containment of offences into what is done now and what waits for a human.

    Args:
        offences: those that held.
        standing: what limits the machine.

    Returns:
        Actions without repeats; mutes cut so that one person is muted at most 30 minutes a day
        by the machine (`architecture.md` §6).
    """
    now: dict[Action, None] = {}
    human: dict[Action, None] = {}
    left = min(standing.limit, HOLDING_MUTE) - standing.muted
    for offence in offences:
        most = _lesser(offence.auto, standing.most)
        for action in offence.contain:
            if (
                isinstance(action, Mute)
                and _reaches("mute", most)
                and _measured(offence)
                and left > timedelta()
            ):
                span = min(action.span, left)
                left -= span
                now[replace(action, span=span)] = None
            elif not isinstance(action, Mute) and _reaches(_level(action), most):
                now[action] = None
            elif not isinstance(action, TALK):
                human[action] = None
    return Contained(now=tuple(now), human=tuple(human))


def _lesser(one: AutoMax, other: AutoMax) -> AutoMax:
    return one if AUTO_ORDER.index(one) <= AUTO_ORDER.index(other) else other


def _level(action: Action) -> AutoMax | Literal["human"]:
    if isinstance(action, AskStewards):
        return "flag"
    if isinstance(action, TALK):
        return "remind"
    return "recall" if isinstance(action, DeleteMessage) else "human"


def _reaches(level: AutoMax | Literal["human"], most: AutoMax) -> bool:
    return level != "human" and AUTO_ORDER.index(level) <= AUTO_ORDER.index(most)


def _measured(offence: Offence) -> bool:
    return any(evidence.what in MEASURED for evidence in offence.evidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """What a strike leads to.

    Args:
        name: the step; empty when a human picks one from `menu`.
        index: its place in the ladder; -1 when a human picks.
        automatic: True when the machine may take it alone: a first reminder.
        approvals: how many different stewards must agree.
        menu: the steps to pick from, by gravity.
    """

    name: str
    index: int
    automatic: bool
    approvals: int
    menu: tuple[str, ...] = ()


def next_step(ladder: Ladder, strikes: int, discipline: Discipline) -> NextStep:
    """Find the step for the next strike (G9, G10, G17).

    Args:
        ladder: the ladder.
        strikes: valid strikes the person has on it already.
        discipline: how many approvals a removal needs.

    Returns:
        The step: the number of valid strikes chooses it and the last one repeats; on a
        `pick = "human"` ladder no step is proposed.
    """
    if ladder.pick == "human":
        return NextStep(name="", index=-1, automatic=False, approvals=1, menu=ladder.steps)
    index = min(strikes, len(ladder.steps) - 1)
    name = ladder.steps[index]
    automatic = name == "remind" and strikes == 0 and index < ladder.human_from
    return NextStep(
        name=name,
        index=index,
        automatic=automatic,
        approvals=0 if automatic else approvals_for(name, discipline),
    )


def approvals_for(step: str, discipline: Discipline) -> int:
    """Give how many different stewards must agree to a step."""
    return discipline.kick_approvals if step == "kick" else 1


def opening_status(offence: Offence, step: NextStep | None, standing: Standing) -> CaseStatus:
    """Say how a case opens: as a measure, flagged for a human, proposed, or in effect at once."""
    if standing.most == "flag" or offence.auto == "flag":
        return CaseStatus.FLAGGED
    if step is None:
        return CaseStatus.MEASURE
    if step.automatic and not standing.member.protected:
        return CaseStatus.EFFECTIVE
    return CaseStatus.PROPOSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why somebody may not decide; `key` names the text that says so."""

    key: str


def may_decide(
    case: Case,
    who: Member,
    person_id: PersonId | None,
    note: str,
    *,
    reason_needed: bool,
    reporter_id: PersonId | None = None,
) -> Refusal | None:
    """Say why a member may not decide a case, or None when nothing stands against it.

    Never the subject and never the reporter, by whatever account; and with a reason where one is required (C58).

    Args:
        case: which case.
        who: who wants to decide, as a member of the case's group.
        person_id: the person behind that account, if bound.
        note: the reason given.
        reason_needed: True where none will not do.
        reporter_id: the person who reported it, if bound.
    """
    if not (who.steward or who.role is Role.OWNER):
        return Refusal(key="refused.not_steward")
    if who.account == case.account or (person_id is not None and person_id == case.person_id):
        return Refusal(key="refused.subject")
    same_person = person_id is not None and person_id == reporter_id
    if case.reporter is not None and (who.account == case.reporter or same_person):
        return Refusal(key="refused.reporter")
    if reason_needed and not note.strip():
        return Refusal(key="refused.reason")
    return None


def agreed(case: Case) -> frozenset[str]:
    """Give the different people who agreed to the step that is proposed, by person where bound."""
    return frozenset(
        _who(decision.person_id, str(decision.account))
        for decision in case.decisions
        if decision.word == "approve"
    )


def has_agreed(case: Case, account: str, person_id: PersonId | None) -> bool:
    """Say whether this human agreed already, by whatever account."""
    return _who(person_id, account) in agreed(case)


def _who(person_id: PersonId | None, account: str) -> str:
    return account if person_id is None else f"p{person_id}"


def burst_of(case: Case, at: datetime, burst: timedelta) -> bool:
    """Say whether a further hit at `at` belongs to this case: within the burst of its first hit (G9).

    Facts may come in another order than they happened, so a hit just before the booked one belongs to it too.
    """
    return abs(at - case.opened_at) <= burst


def forgiven_by_recall(case: Case, recalled_at: datetime, grace: timedelta, *, bitten: bool) -> bool:
    """Say whether an author's recall takes the case away (G11).

    Args:
        case: the case of the message.
        recalled_at: when the author took it back.
        grace: how long that forgives.
        bitten: True when something was already taken from the member (a recall or mute by the bot).

    Returns:
        True when it does; never for a burst, of which one message was taken back and others still stand.
    """
    machine_only = not case.decisions and not any(evidence.what == "repeat" for evidence in case.evidence)
    early = recalled_at - case.opened_at <= grace
    return early and machine_only and not bitten and case.severity < Severity.CRITICAL


def may_be_done(row: OutboxRow) -> bool:
    """Say whether an action may have been carried out: done, on its way, or sent with its answer lost."""
    return row.state in MAYBE_DONE or isinstance(row.receipt, InDoubt)


def reversals(done: Sequence[Action]) -> tuple[Action, ...]:
    """Give the actions that take back what was done, last first; what is irreversible has none."""
    return tuple(action.inverse for action in reversed(done) if action.inverse is not None)
