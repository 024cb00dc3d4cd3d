"""Books offences and has humans decide them: cases, strikes, approvals, appeals, undoing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Literal

from groupops.actions import (
    Action,
    AskStewards,
    Capability,
    DecideJoin,
    DirectMessage,
    Errand,
    Mute,
    OpenCase,
    Option,
    ReadCheckIns,
    RemoveMember,
    Reply,
    SendText,
)
from groupops.altered import altered
from groupops.clock import Clock
from groupops.directory import PeopleBook
from groupops.echoes import SAME_UTTERANCE_S
from groupops.events import Event, MessagePosted, MessageRecalled, witness_of
from groupops.hooks import Hooks
from groupops.outbox import Outbox
from groupops.people import AccountId, Clause, GroupId, Member, PersonId, Role, Stage
from groupops.plan import GroupPlan
from groupops.plugin import Texts
from groupops.policy import Discipline, Ladder
from groupops.records import (
    Asking,
    Audit,
    Booked,
    Booking,
    Case,
    CaseStatus,
    Decision,
    Due,
    Known,
    OutboxRow,
    OutboxState,
    Purpose,
    Records,
    Ticket,
)
from groupops.sanctions import (
    TALK,
    Contained,
    NextStep,
    Standing,
    agreed,
    approvals_for,
    burst_of,
    contain,
    forgiven_by_recall,
    has_agreed,
    may_be_done,
    may_decide,
    next_step,
    opening_status,
    reversals,
)
from groupops.ticker import CORE
from groupops.verdicts import Evidence, Offence, Ruling, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came of a human's word on a case.

    Args:
        text: what the giver is told.
        case: the case as it stands now, or None when there is none.
        rows: actions that follow, stored already.
        errands: what the core has to do besides.
        owner: the plugin that asked for the errands.
    """

    text: str
    case: Case | None = None
    rows: tuple[OutboxRow, ...] = ()
    errands: tuple[Errand, ...] = ()
    owner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """An offence as it happened: all that a booking is decided from, but for the strikes."""

    event: Event
    plan: GroupPlan
    member: Member
    worst: Offence
    offences: tuple[Offence, ...]
    standing: Standing
    contained: Contained

    def owner(self, action: Action) -> Offence:
        """Give the offence that asked for an action; each has a clause of its own."""
        return next((one for one in self.offences if action in one.contain), self.worst)

    @property
    def ladder(self) -> Ladder | None:
        """The ladder it counts on, if any."""
        return self.plan.policy.ladders.get(self.worst.ladder) if self.worst.ladder else None


Asks = Callable[[OutboxRow], Asking | None] | None
"""Says how a row that asks the stewards is carried out; see `Booking`."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """An offence before anything is read of whoever did it."""

    event: Event
    plan: GroupPlan
    member: Member
    ruling: Ruling
    worst: Offence
    standing: Standing
    asking: Asks


def _goes_unsaid(case: Case, scene: _Scene) -> bool:
    """Say whether a member would hear nothing until a human decides, on a ladder that begins with no reminder.

    A reminder is none of its steps then: it counts for nothing. Who may be removed hears of it beforehand anyhow.
    """
    ladder = scene.ladder
    if ladder is None or case.status is not CaseStatus.PROPOSED or scene.member.protected:
        return False
    return ladder.pick == "next" and ladder.steps[0] not in ("remind", "kick")


@dataclass(slots=True)
class Casebook:
    """The cases of all groups.

    Args:
        records: where they are kept.
        clock: when it is.
        people: who is who.
        outbox: makes rows of actions.
        hooks: for the plugins that own a ladder step.
        texts: the core's texts.
        plan_of: gives the plan of the group a case belongs to.
    """

    records: Records
    clock: Clock
    people: PeopleBook
    outbox: Outbox
    hooks: Hooks
    texts: Texts
    plan_of: Callable[[GroupId], GroupPlan | None]

    # — booking —

    async def book(self, event: Event, plan: GroupPlan, member: Member, ruling: Ruling) -> Booked | None:
        """Book a ruling's offence: case, ladder step and actions in one transaction.

        Args:
            event: the fact.
            plan: the group's plan.
            member: who did it.
            ruling: what was said.

        Returns:
            What was written, or None when nothing could be (no stable sender).
        """
        worst = ruling.worst
        if worst is None or not member.account:
            return None
        now = self.clock.now()
        mutes = any(isinstance(action, Mute) for action in ruling.contain)
        midnight = plan.local(now).replace(hour=0, minute=0, second=0, microsecond=0) if mutes else None
        asking = self.outbox.asking(event.group_id)
        seen = _Seen(event, plan, member, ruling, worst, self._standing(event, plan, member), asking)
        return await self.records.book(
            event.id,
            member.account,
            worst.ladder,
            now,
            partial(self._weighed, seen),
            name=member.name,
            recent=event.at - max(SAME_UTTERANCE, timedelta(seconds=plan.policy.discipline.burst_s)),
            contained=midnight,
        )

    def _weighed(self, seen: _Seen, known: Known) -> Booking | Case:
        """Decide what an offence is: one that was told before, one more hit of a burst, or a case of its own. Pure."""
        event, ruling = seen.event, seen.ruling
        told = next((case for case in known.recent if _is_told_again(case, event)), None)
        if told is not None:
            return _with_evidence(told, Evidence(what="source", detail=event.source))
        offences, muted = _offences(ruling), _muted(known.contained)
        standing = replace(seen.standing, muted=muted) if muted else seen.standing
        contained = contain(offences, standing)
        first = _same_burst(event, known.recent, seen.worst, seen.plan)
        if first is not None:
            return self._one_more(seen, first, contained)
        scene = _Scene(
            event=event,
            plan=seen.plan,
            member=seen.member,
            worst=seen.worst,
            offences=offences,
            standing=standing,
            contained=contained,
        )
        draft = self._draft(event, seen.plan, seen.member, known.person_id, ruling)
        return self._booking(draft, scene, known.strikes, seen.asking)

    def _one_more(self, seen: _Seen, case: Case, contained: Contained) -> Booking | Case:
        """Add a further hit of one burst to its case: contained like the first, no second strike."""
        mark = Evidence(what="repeat", detail=seen.event.id)
        if mark in case.evidence:
            return case
        actions = [action for action in contained.now if not isinstance(action, (Reply, SendText))]
        rows = self._rows_of(seen.event.id, "contain", actions, seen.ruling.plugin, case.id)
        return Booking(case=replace(case, evidence=(*case.evidence, mark)), outbox=rows)

    async def add_evidence(self, case: Case, evidence: Evidence) -> Case:
        """Add evidence to a case, e.g. a second source that saw the same utterance; nothing else changes."""
        if evidence in case.evidence:
            return case
        return (await self.records.update_case(replace(case, evidence=(*case.evidence, evidence)))).case

    def _standing(self, event: Event, plan: GroupPlan, member: Member) -> Standing:
        return Standing(
            member=member,
            stage=plan.stage,
            late=event.arrived_late,
            roles_known=Capability.READ_ROLE in self.outbox.can(event.group_id),
            muted=timedelta(),
            limit=timedelta(minutes=plan.policy.discipline.hold_mute_minutes),
        )

    def _draft(
        self, event: Event, plan: GroupPlan, member: Member, person_id: PersonId, ruling: Ruling
    ) -> Case:
        worst = ruling.worst
        assert worst is not None  # noqa: S101 - the caller asked
        message = event if isinstance(event, MessagePosted) else None
        keep = all(offence.keep_text for offence in _offences(ruling))
        return Case(
            event_id=event.id,
            group_id=event.group_id,
            person_id=person_id,
            account=member.account,
            message_id=message.message_id if message else "",
            plugin=ruling.plugin,
            rule=worst.rule,
            clause=worst.clause or plan.policy.clauses.get(worst.rule),
            reason=worst.reason,
            reasons=ruling.reasons,
            severity=worst.severity,
            evidence=(
                *(evidence for offence in _offences(ruling) for evidence in offence.evidence),
                Evidence(what="source", detail=event.source),
            ),
            excerpt=message.text if message and keep else "",
            ladder=worst.ladder,
            status=CaseStatus.MEASURE,
            stage=plan.stage,
            revision=plan.group.revision,
            opened_at=event.at if not event.arrived_late else self.clock.now(),
        )

    def _booking(self, draft: Case, scene: _Scene, strikes: int, asking: Asks) -> Booking:
        """Make the case and all that follows at once. Pure."""
        ladder = scene.ladder
        discipline = scene.plan.policy.discipline
        step = None if ladder is None else next_step(ladder, strikes, discipline)
        status = opening_status(scene.worst, step, scene.standing)
        case = self._opened(draft, ladder, step, status, strikes, discipline)

        def follow(numbered: Case) -> tuple[OutboxRow, ...]:
            said = self._said_at_once(numbered, scene)
            done = [action for action in scene.contained.now if not isinstance(action, (Reply, SendText))]
            whose = (draft.plugin, numbered.id)
            rows = self._rows_of(draft.event_id, "contain", (*said, *done), *whose)
            asks = self._asks(numbered, scene, step)
            return rows + self._rows_of(draft.event_id, "steward", asks, *whose, first=len(rows))

        due = (self._lapse_of(case, scene.plan),) if status.open else ()
        return Booking(case=case, for_case=follow, due=due, asking=asking)

    def _rows_of(
        self,
        event_id: str,
        purpose: Purpose,
        actions: Sequence[Action],
        plugin: str,
        case_id: int,
        *,
        first: int = 0,
    ) -> tuple[OutboxRow, ...]:
        rows = self.outbox.rows
        return (
            rows(event_id, purpose, actions, plugin=plugin, case_id=case_id, first=first) if actions else ()
        )

    def _opened(
        self,
        draft: Case,
        ladder: Ladder | None,
        step: NextStep | None,
        status: CaseStatus,
        strikes: int,
        discipline: Discipline,
    ) -> Case:
        """Give the case as it opens: what is in force at once has its clocks running from now."""
        now = self.clock.now()
        counts = status is CaseStatus.EFFECTIVE
        in_force = status in (CaseStatus.EFFECTIVE, CaseStatus.MEASURE)
        shown = step if step and status is not CaseStatus.FLAGGED else None
        return altered(
            draft,
            status=status,
            step=shown.name if shown else "",
            step_index=shown.index if shown else -1,
            strike=strikes + 1 if counts else 0,
            approvals_needed=step.approvals if step else int(status.open),
            noticed_at=now if in_force else None,
            expires_at=now + timedelta(days=ladder.ttl_days) if ladder and counts else None,
            appeal_until=now + timedelta(hours=discipline.appeal_hours) if in_force else None,
        )

    def _said_at_once(self, case: Case, scene: _Scene) -> tuple[Action, ...]:
        """Make one message of all that is to be said to the member now (two hits are told once)."""
        event, member = scene.event, scene.member
        words = [action for action in scene.contained.now if isinstance(action, (Reply, SendText))]
        owners = [scene.owner(action) for action in words]
        parts = [
            self._with_clause(action.text, offence.clause or scene.plan.policy.clauses.get(offence.rule))
            for action, offence in zip(words, owners, strict=True)
        ]
        unsaid = scene.worst not in owners
        if case.status is CaseStatus.EFFECTIVE and unsaid:
            notice = scene.worst.notice or self.message(scene.plan, "notice.remind", case, member)
            parts.insert(0, self._with_clause(notice, case.clause))
        elif unsaid and _goes_unsaid(case, scene):
            notice = self.message(scene.plan, "notice.noticed", case, member)
            parts.insert(0, self._with_clause(notice, case.clause))
        if not parts:
            return ()
        text = "\n".join(dict.fromkeys(parts))
        if isinstance(event, MessagePosted):
            return (
                Reply(group_id=case.group_id, message_id=event.message_id, text=text, account=member.account),
            )
        return (SendText(group_id=case.group_id, text=text, mentions=(member.account,)),)

    def _with_clause(self, text: str, clause: Clause | None) -> str:
        """Say once which rule it is about: a plugin that words a reminder does not know the pack's numbering."""
        if clause is None or clause.ref in text:
            return text
        return text + self.texts("clause", ref=clause.ref)

    def _asks(self, case: Case, scene: _Scene, step: NextStep | None) -> tuple[Action, ...]:
        """Make what the stewards are asked."""
        asks: list[Action] = []
        member = scene.member
        if case.status.open:
            asks.append(self._ask_for_decision(case, scene.plan, member, step))
        for wanted in scene.contained.human:
            text = self.texts(
                "steward.by_hand", name=member.called, what=self._deed(wanted), reason=case.reason
            )
            shown = None if isinstance(wanted, _UNPROVABLE) else wanted
            asks.append(AskStewards(group_id=case.group_id, text=text, wanted=shown))
        return tuple(asks)

    def _ask_for_decision(
        self, case: Case, plan: GroupPlan, member: Member, step: NextStep | None
    ) -> AskStewards:
        key = "steward.flagged" if case.status is CaseStatus.FLAGGED else "steward.proposed"
        named = self.texts(f"step.{case.step}") if case.step else self._menu(step)
        text = self.message(plan, key, case, member, step=named, needed=case.approvals_needed)
        return AskStewards(
            group_id=case.group_id, text=text, subject=f"case:{case.id}", options=self._options()
        )

    def _menu(self, step: NextStep | None) -> str:
        names = step.menu if step else ()
        return "/".join(self.texts(f"step.{name}") for name in names)

    def _options(self) -> tuple[Option, ...]:
        return (
            Option(word=self.texts("word.approve"), label=self.texts("label.approve")),
            Option(word=self.texts("word.reject"), label=self.texts("label.reject")),
        )

    def _deed(self, action: Action) -> str:
        return self.texts(f"deed.{action.kind}")

    # — words —

    def message(self, plan: GroupPlan | None, key: str, case: Case, member: Member, **more: object) -> str:
        """Give a text about a case: by the pack's `[messages]` where it has one, else the core's own."""
        texts = self.texts
        own = plan.policy.messages.get(f"core.{key}") if plan else None
        if own is not None:
            texts = texts.over({key: own})
        return texts(
            key,
            **{
                "id": case.id,
                "name": member.called,
                "reason": case.reason,
                "clause": self.clause(case.clause),
                "hours": plan.policy.discipline.appeal_hours if plan else 0,
                **more,
            },
        )

    def clause(self, clause: Clause | None) -> str:
        """Say which rule, e.g. `(篇十 二.7:…)`; empty where none is named."""
        if clause is None:
            return ""
        return self.texts("clause.with_text" if clause.text else "clause", ref=clause.ref, text=clause.text)

    # — deciding —

    async def approve(self, case_id: int, who: Member, note: str, plan: GroupPlan, event_id: str) -> Answered:
        """A steward says yes: an offence is confirmed, a step approved, or an appeal accepted.

        Args:
            case_id: which case.
            who: the steward.
            note: why, and on a ladder whose step a human picks, first the step's word.
            plan: the group's plan.
            event_id: the fact by which it was said; what follows is keyed by it.
        """
        case = await self._read(case_id)
        if case is None or not case.status.open:
            return self._not_open(case_id, case)
        who, plan = self._at_home(case, who, plan)
        pid = await self._person_id(who.account)
        picked, note = self._picked(case, plan, note)
        step = picked or self._step_for(case, plan, await self._strikes(case))
        if step is None:
            return Answered(text=self.texts("refused.pick", menu=self._menu_of(case, plan)), case=case)
        reasoned = plan.policy.discipline.reason_required and step.name in ("kick", "mute", "refer")
        reasoned = reasoned and case.status is not CaseStatus.APPEALED
        refusal = may_decide(
            case, who, pid, note, reason_needed=reasoned, reporter_id=await self._person_id(case.reporter)
        )
        if refusal is not None:
            return Answered(text=self.texts(refusal.key, id=case.id), case=case)
        decision = Decision(
            account=who.account, person_id=pid, word="approve", note=note, at=self.clock.now()
        )
        if case.status is CaseStatus.APPEALED:
            return await self._accept_appeal(case, decision, plan, event_id)
        if step.name == "kick" and (case.status is CaseStatus.FLAGGED or not case.step):
            return await self._confirm(case, decision, step)
        if has_agreed(case, who.account, pid):
            return Answered(text=self.texts("refused.twice", id=case.id), case=case)
        agreeing = replace(
            case,
            status=CaseStatus.PROPOSED,
            decisions=(*case.decisions, decision),
            step=step.name,
            step_index=step.index,
            approvals_needed=approvals_for(step.name, plan.policy.discipline),
        )
        return await self._count(agreeing, who, plan, event_id)

    async def _count(self, case: Case, who: Member, plan: GroupPlan, event_id: str) -> Answered:
        """See whether enough different stewards agreed; if so, the step is taken."""
        got = len(agreed(case))
        if got < case.approvals_needed:
            alone = await self._owner_alone(case, who, plan, event_id)
            if alone is not None:
                return alone
            case, rows = self._with_prior_notice(case, plan, event_id)
            booked = await self.records.update_case(case, outbox=rows)
            await self._audit(booked.case, "approved", who.account, got=got)
            return Answered(
                text=self.texts("approved.more", id=case.id, got=got, needed=case.approvals_needed),
                case=booked.case,
                rows=booked.outbox,
            )
        return await self._take_effect(case, who, plan, event_id)

    def _with_prior_notice(
        self, case: Case, plan: GroupPlan, event_id: str
    ) -> tuple[Case, tuple[OutboxRow, ...]]:
        """Tell the member, once, that a removal is being considered, where the policy wants that (C58)."""
        if case.step != "kick" or not plan.policy.discipline.prior_notice or case.noticed_at is not None:
            return case, ()
        told = replace(case, noticed_at=self.clock.now())
        return told, self._notice_rows(told, "notice.prior", plan, event_id)

    async def _owner_alone(self, case: Case, who: Member, plan: GroupPlan, event_id: str) -> Answered | None:
        """G17: where too few may decide, the owner decides alone once the member had notice for a day."""
        owns = who.role is Role.OWNER or who.account == plan.group.owner
        if not owns or len(await self._eligible(case)) >= case.approvals_needed:
            return None
        hours = plan.policy.discipline.notice_hours
        now = self.clock.now()
        if case.noticed_at is not None and now - case.noticed_at >= timedelta(hours=hours):
            return await self._take_effect(case, who, plan, event_id)
        if case.noticed_at is not None:
            return Answered(text=self.texts("approved.notice_runs", id=case.id, hours=hours), case=case)
        # The owner has to say it again when the time is up; what was said now is the notice.
        *before, said = case.decisions
        told = replace(case, noticed_at=now, decisions=(*before, replace(said, word="notice")))
        rows = self._notice_rows(told, "notice.prior", plan, event_id)
        booked = await self.records.update_case(told, outbox=rows)
        await self._audit(booked.case, "prior notice given", who.account)
        return Answered(
            text=self.texts("approved.notice_given", id=case.id, hours=hours),
            case=booked.case,
            rows=booked.outbox,
        )

    async def _eligible(self, case: Case) -> list[AccountId]:
        """Give the stewards who may decide a case: not its subject and not its reporter, by whatever account."""
        barred = {case.person_id, await self._person_id(case.reporter)} - {None}
        return [
            account
            for account in self.people.stewards_of(case.group_id)
            if account not in (case.account, case.reporter) and await self._person_id(account) not in barred
        ]

    async def _take_effect(self, case: Case, who: Member, plan: GroupPlan, event_id: str) -> Answered:
        now = self.clock.now()
        ladder = plan.policy.ladders.get(case.ladder)
        strikes = await self._strikes(case)
        effective = replace(
            case,
            status=CaseStatus.EFFECTIVE,
            strike=strikes + 1 if case.ladder else 0,
            decided_at=now,
            noticed_at=case.noticed_at or now,
            expires_at=now + timedelta(days=ladder.ttl_days if ladder else plan.policy.retention.strike_days),
            appeal_until=now + timedelta(hours=plan.policy.discipline.appeal_hours),
        )
        owner, imposed = await self._impose(effective, plan)
        errands = tuple(item for item in imposed if isinstance(item, Errand))
        actions = [
            item
            for item in imposed
            if not isinstance(item, Errand) and (plan.stage is Stage.ENFORCED or not item.bites)
        ]
        # Whoever owns the step also says what it means for the member.
        rows = () if owner else self._notice_rows(effective, f"notice.{case.step}", plan, event_id)
        rows += self.outbox.rows(
            event_id,
            "step",
            actions,
            plugin=owner or case.plugin,
            case_id=case.id,
            first=_AFTER_ANSWER + len(rows),
        )
        counted = (strikes, now) if case.ladder else None
        booked = await self.records.update_case(effective, outbox=rows, counted=counted)
        await self._audit(booked.case, "effective", who.account, step=case.step, strike=effective.strike)
        return Answered(
            text=self.texts("approved.done", id=case.id, step=self.texts(f"step.{case.step}")),
            case=booked.case,
            rows=booked.outbox,
            errands=errands,
            owner=owner,
        )

    async def _impose(self, case: Case, plan: GroupPlan) -> tuple[str, Sequence[Action | Errand]]:
        """Turn an approved step into actions: by the plugin that owns it, which is named, else by the core."""
        member = self.people.member(case.group_id, case.account)
        owner = plan.impose.get(case.step)
        if owner is not None:
            bound = self.hooks.bind(
                "impose", owner.plugin, {**owner.constants, "step": case.step, "case": case}
            )
            if bound is not None:
                asked = await self.hooks.wait(self.hooks.ask((bound,), None, plan.group, member))
                if asked.answers:
                    return owner.plugin, asked.answers[0].value
        return "", self._core_step(case, plan, member)

    def _core_step(self, case: Case, plan: GroupPlan, member: Member) -> Sequence[Action | Errand]:
        group = case.group_id
        match case.step:
            case "mute":
                return (
                    Mute(
                        group_id=group,
                        account=case.account,
                        span=timedelta(minutes=plan.policy.discipline.mute_minutes),
                    ),
                )
            case "kick":
                return (RemoveMember(group_id=group, account=case.account, reason=case.reason),)
            case "refer":
                text = self.message(plan, "steward.refer", case, member, to=plan.policy.discipline.refer_to)
                return (AskStewards(group_id=group, text=text),)
            case "admin_case":
                return (
                    AskStewards(group_id=group, text=self.message(plan, "steward.admin_case", case, member)),
                )
            case "redpacket":
                return (
                    AskStewards(
                        group_id=group,
                        text=self.message(
                            plan, "steward.no_owner", case, member, step=self.texts("step.redpacket")
                        ),
                    ),
                )
            case _:
                return ()

    def _notice_rows(self, case: Case, key: str, plan: GroupPlan, event_id: str) -> tuple[OutboxRow, ...]:
        """Make the notice to the member: private, with a neutral word in the group where that cannot be."""
        if not self.texts.has(key):
            return ()
        member = self.people.member(case.group_id, case.account)
        neutral = self.message(plan, "notice.neutral", case, member)
        note = next((d.note for d in reversed(case.decisions) if d.note), "")
        text = self.message(plan, key, case, member, note=note)
        message = DirectMessage(group_id=case.group_id, account=case.account, text=text, neutral=neutral)
        return self.outbox.rows(
            event_id, "notice", (message,), plugin=case.plugin, case_id=case.id, first=_AFTER_ANSWER
        )

    async def reject(self, case_id: int, who: Member, note: str, plan: GroupPlan, event_id: str) -> Answered:
        """A steward says no: it is no offence, the step is not taken, or an appeal is turned down."""
        case = await self._read(case_id)
        if case is None or not case.status.open:
            return self._not_open(case_id, case)
        who, plan = self._at_home(case, who, plan)
        decided = await self._decided(case, who, note, "reject")
        if isinstance(decided, Answered):
            return decided
        if case.status is CaseStatus.APPEALED:
            return await self._turn_down(case, decided, who, plan, event_id)
        return await self._undo(decided, CaseStatus.DISMISSED, who, plan, event_id, "rejected.done")

    async def _turn_down(
        self, case: Case, decided: Case, who: Member, plan: GroupPlan, event_id: str
    ) -> Answered:
        """Turn an appeal down: the case stands where it stood, and what the appeal held up goes on."""
        if await self._judges_own_word(case, who):
            return Answered(text=self.texts("refused.own_decision", id=case.id), case=case)
        now = self.clock.now()
        resumed = replace(decided, status=_before_appeal(case), decided_at=now)
        told = self._notice_rows(resumed, "notice.appeal_rejected", plan, event_id)
        held = await self._held_up(case)
        rows = told + tuple(
            replace(
                row,
                id=0,
                event_id=event_id,
                index=_AFTER_ANSWER + len(told) + place,
                attempts=0,
                state=OutboxState.WAITING,
                receipt=None,
                created_at=now,
                changed_at=None,
            )
            for place, row in enumerate(held)
        )
        due = (self._lapse_of(resumed, plan),) if resumed.status.open else ()
        booked = await self.records.update_case(resumed, outbox=rows, due=due)
        await self._audit(booked.case, "appeal rejected", who.account, resumed=len(held))
        return Answered(text=self.texts("rejected.appeal", id=case.id), case=booked.case, rows=booked.outbox)

    async def _held_up(self, case: Case) -> list[OutboxRow]:
        """Give the actions that were cancelled because of the appeal that is open now."""
        appealed_at = next(d.at for d in reversed(case.decisions) if d.word.startswith("appeal"))
        return [
            row
            for row in await self.records.outbox(case_id=case.id)
            if row.state is OutboxState.CANCELLED
            and row.purpose in ("contain", "step", "notice")
            and row.changed_at is not None
            and row.changed_at >= appealed_at
        ]

    async def undo(self, case_id: int, who: Member, note: str, plan: GroupPlan, event_id: str) -> Answered:
        """A steward takes a decided case back: the strike goes, what can be reversed is reversed."""
        return await self._take_back(case_id, who, note, plan, event_id, CaseStatus.REVERSED, "undone")

    async def waive(self, case_id: int, who: Member, note: str, plan: GroupPlan, event_id: str) -> Answered:
        """A steward excuses the member (豁免): the case stays on record, nothing follows from it any more."""
        return await self._take_back(case_id, who, note, plan, event_id, CaseStatus.WAIVED, "waived")

    async def waive_unanswered(
        self, case_id: int, owner: str, note: str, plan: GroupPlan, event_id: str
    ) -> Answered | None:
        """Waive a case whose appeal nobody decided, by the word of the plugin that owns its step; else nothing."""
        case = await self._read(case_id)
        if case is None or case.status is not CaseStatus.APPEALED:
            return None
        hearer = plan.impose.get(case.step)
        if hearer is None or hearer.plugin != owner:
            return None
        decision = Decision(
            account=AccountId(""), person_id=None, word="waive", note=note, at=self.clock.now()
        )
        decided = replace(case, decisions=(*case.decisions, decision))
        nobody = Member(account=AccountId(""))
        return await self._undo(decided, CaseStatus.WAIVED, nobody, plan, event_id, "waived")

    async def dismiss(self, case_id: int, who: Member, note: str, plan: GroupPlan, event_id: str) -> Answered:
        """A steward says that it was no offence at all (误报), also where the case is decided already."""
        return await self._take_back(
            case_id, who, note, plan, event_id, CaseStatus.DISMISSED, "rejected.done"
        )

    async def _take_back(  # noqa: PLR0917 - who takes back which case into what, and why
        self, case_id: int, who: Member, note: str, plan: GroupPlan, event_id: str, to: CaseStatus, key: str
    ) -> Answered:
        case = await self._read(case_id)
        if case is None or case.status not in _UNDOABLE:
            return self._not_open(case_id, case)
        who, plan = self._at_home(case, who, plan)
        decided = await self._decided(case, who, note, "undo")
        if isinstance(decided, Answered):
            return decided
        return await self._undo(decided, to, who, plan, event_id, key)

    async def _decided(self, case: Case, who: Member, note: str, word: str) -> Case | Answered:
        """Add a steward's decision to a case, or say why that may not be."""
        pid = await self._person_id(who.account)
        refusal = may_decide(
            case, who, pid, note, reason_needed=True, reporter_id=await self._person_id(case.reporter)
        )
        if refusal is not None:
            return Answered(text=self.texts(refusal.key, id=case.id), case=case)
        decision = Decision(account=who.account, person_id=pid, word=word, note=note, at=self.clock.now())
        return replace(case, decisions=(*case.decisions, decision))

    async def _undo(
        self, case: Case, to: CaseStatus, who: Member, plan: GroupPlan, event_id: str, key: str
    ) -> Answered:
        """Take a case out of force: waiting actions are cancelled, done ones reversed, the member told."""
        now = self.clock.now()
        await self.records.cancel_outbox(case.id, now)
        done = [
            row.action
            for row in await self.records.outbox(case_id=case.id)
            if may_be_done(row) and row.purpose in ("contain", "step")
        ]
        tickets = await self._tickets_of(case)
        closed = replace(case, status=to, decided_at=now, expires_at=None)
        told = self._notice_rows(closed, f"notice.{to.value}", plan, event_id) if case.noticed_at else ()
        by_hand = [ticket.wanted for ticket in tickets if ticket.wanted is not None and _done_by_hand(ticket)]
        back = (
            *reversals([*done, *by_hand]),
            *self._invite_back(case, [*done, *by_hand]),
        )
        rows = told + self.outbox.rows(
            event_id, "reversal", back, plugin=case.plugin, case_id=case.id, first=_AFTER_ANSWER + len(told)
        )
        booked = await self.records.update_case(closed, outbox=rows)
        await self._close(tickets)
        await self._audit(booked.case, to.value, who.account)
        return Answered(text=self.texts(key, id=case.id), case=booked.case, rows=booked.outbox)

    def _invite_back(self, case: Case, done: Iterable[Action]) -> tuple[Action, ...]:
        """A removal cannot be taken back by a machine: a steward is asked to invite the person again."""
        if not any(isinstance(action, RemoveMember) for action in done):
            return ()
        member = self.people.member(case.group_id, case.account)
        return (
            AskStewards(
                group_id=case.group_id, text=self.texts("steward.invite_back", name=member.called, id=case.id)
            ),
        )

    async def _tickets_of(self, case: Case) -> list[Ticket]:
        """Give the tickets a case led to, closed ones too."""
        tickets = await self.records.tickets(group_id=case.group_id, open_only=False)
        return [ticket for ticket in tickets if ticket.case_id == case.id]

    async def _close(self, tickets: Iterable[Ticket]) -> None:
        """Close what is open of tickets that were read before the case was decided; what came of that stays."""
        for ticket in tickets:
            if ticket.closed_at is None:
                await self.records.close_ticket(ticket.id, by="case", at=self.clock.now())

    # — appealing —

    async def appeal(
        self, case_id: int, who: Member, reason: str, plan: GroupPlan, event_id: str
    ) -> Answered:
        """The member appeals: what still waits is held, and a human who did not decide before decides."""
        case = await self._read(case_id)
        pid = await self._person_id(who.account)
        mine = case is not None and (case.account == who.account or pid == case.person_id)
        if case is None or not mine:
            return Answered(text=self.texts("appeal.not_yours", id=case_id))
        who, plan = self._at_home(case, who, plan)
        if case.status not in (CaseStatus.EFFECTIVE, CaseStatus.MEASURE, CaseStatus.PROPOSED):
            return Answered(text=self.texts(f"appeal.status.{case.status.value}", id=case.id), case=case)
        now = self.clock.now()
        if case.appeal_until is not None and now > case.appeal_until:
            return Answered(text=self.texts("appeal.too_late", id=case.id), case=case)
        # One appeal against one decision: a step that was taken after a turned-down appeal may be appealed anew.
        if any(decision.word == f"appeal:{case.status.value}" for decision in case.decisions):
            return Answered(text=self.texts("appeal.again", id=case.id), case=case)
        held = await self.records.cancel_outbox(case.id, now)
        line = Decision(
            account=who.account, person_id=pid, word=f"appeal:{case.status.value}", note=reason, at=now
        )
        appealed = replace(case, status=CaseStatus.APPEALED, decisions=(*case.decisions, line))
        rows = self._asked_to_decide_appeal(appealed, plan, event_id)
        booked = await self.records.update_case(appealed, outbox=rows, due=(self._due(case, plan, "appeal"),))
        await self._audit(booked.case, "appealed", who.account, held=held)
        return Answered(text=self.texts("appeal.taken", id=case.id), case=booked.case, rows=booked.outbox)

    def _asked_to_decide_appeal(self, case: Case, plan: GroupPlan, event_id: str) -> tuple[OutboxRow, ...]:
        subject = self.people.member(case.group_id, case.account)
        note = next((d.note for d in reversed(case.decisions) if d.word.startswith("appeal:")), "")
        text = self.message(plan, "steward.appeal", case, subject, note=note)
        ask = AskStewards(
            group_id=case.group_id, text=text, subject=f"case:{case.id}", options=self._options()
        )
        return self.outbox.rows(
            event_id, "steward", (ask,), plugin=case.plugin, case_id=case.id, first=_AFTER_ANSWER
        )

    async def appeal_waits(self, case_event: str, plan: GroupPlan, event_id: str) -> Answered | None:
        """An appeal was not decided in time: it stays one, and the stewards are asked again.

        Args:
            case_event: the fact the case came from.
            plan: the group's plan.
            event_id: the fact that the time came.
        """
        case = await self.records.case_of_event(case_event)
        if case is None or case.status is not CaseStatus.APPEALED:
            return None
        rows = self._asked_to_decide_appeal(case, plan, event_id)
        booked = await self.records.update_case(case, outbox=rows, due=(self._due(case, plan, "appeal"),))
        return Answered(text="", case=booked.case, rows=booked.outbox)

    async def _accept_appeal(
        self, case: Case, decision: Decision, plan: GroupPlan, event_id: str
    ) -> Answered:
        who = self.people.member(case.group_id, decision.account)
        if await self._judges_own_word(case, who):
            return Answered(text=self.texts("refused.own_decision", id=case.id), case=case)
        accepted = replace(case, decisions=(*case.decisions, replace(decision, word="accept")))
        return await self._undo(accepted, CaseStatus.REVERSED, who, plan, event_id, "appeal.accepted")

    async def _judges_own_word(self, case: Case, who: Member) -> bool:
        """Say whether somebody else has to decide this appeal, because `who` decided the case and others did not."""
        decided = [decision for decision in case.decisions if decision.word in ("approve", "confirm")]
        before = {decision.account for decision in decided} | {decision.person_id for decision in decided}
        before.discard(None)
        if not before & {who.account, await self._person_id(who.account)}:
            return False
        others = [a for a in await self._eligible(case) if not before & {a, await self._person_id(a)}]
        return bool(others)

    # — by themselves —

    async def recalled(self, event: MessageRecalled, plan: GroupPlan) -> Answered | None:
        """An author took a message back: in time, the strike goes and a private thank-you is said (G11)."""
        if not event.by_author:
            return None
        for case in await self.records.cases(group_id=event.group_id, message_id=event.message_id):
            if case.account != event.account or case.status not in _RECALLABLE:
                continue
            rows = await self.records.outbox(case_id=case.id)
            bitten = any(row.action.bites and may_be_done(row) for row in rows)
            grace = timedelta(seconds=plan.policy.discipline.self_recall_grace_s)
            if not forgiven_by_recall(case, event.at, grace, bitten=bitten):
                continue
            tickets = await self._tickets_of(case)
            await self.records.cancel_outbox(case.id, self.clock.now())
            withdrawn = replace(
                case, status=CaseStatus.WITHDRAWN, decided_at=self.clock.now(), expires_at=None
            )
            told = self._notice_rows(withdrawn, "notice.withdrawn", plan, event.id)
            booked = await self.records.update_case(withdrawn, outbox=told)
            await self._close(tickets)
            return Answered(text="", case=booked.case, rows=booked.outbox)
        return None

    async def lapse(self, event_id: str) -> Case | None:
        """Nobody decided in time: the case lapses, and with it whatever waited for the decision."""
        case = await self.records.case_of_event(event_id)
        if case is None or case.status not in (CaseStatus.FLAGGED, CaseStatus.PROPOSED):
            return None
        tickets = await self._tickets_of(case)
        await self.records.cancel_outbox(case.id, self.clock.now())
        lapsed = replace(case, status=CaseStatus.LAPSED, decided_at=self.clock.now())
        stored = (await self.records.update_case(lapsed)).case
        await self._close(tickets)
        await self._audit(stored, "lapsed", "clock")
        return stored

    async def report(self, event_id: str, report: OpenCase, plugin: str, plan: GroupPlan) -> Booked:
        """Put a report before the stewards as a flagged case; nothing is done to anybody.

        What the machine saw already is one case with it, or one message would be two strikes.
        """
        earlier = await self._about(report)
        if earlier is not None:
            return await self._join_report(earlier, report)
        member = self.people.member(report.group_id, report.account)
        now = self.clock.now()
        draft = Case(
            event_id=event_id,
            group_id=report.group_id,
            person_id=_NOBODY_YET,
            account=report.account,
            message_id=report.message_id,
            plugin=plugin,
            rule=report.rule,
            clause=plan.policy.clauses.get(report.rule),
            reason=report.reason,
            reasons=(report.reason,),
            severity=Severity(report.severity),
            evidence=(Evidence(what="report"),),
            excerpt=report.excerpt,
            ladder=report.ladder,
            status=CaseStatus.FLAGGED,
            stage=plan.stage,
            revision=plan.group.revision,
            opened_at=now,
            approvals_needed=1,
            reporter=report.reporter,
        )

        def follow(numbered: Case) -> tuple[OutboxRow, ...]:
            ask = self._ask_for_decision(numbered, plan, member, None)
            return self.outbox.rows(event_id, "steward", (ask,), plugin=plugin, first=_AFTER_ANSWER)

        asking = self.outbox.asking(report.group_id)
        booking = Booking(case=draft, for_case=follow, due=(self._lapse_of(draft, plan),), asking=asking)
        return await self.records.book(event_id, report.account, report.ladder, now, lambda _: booking)

    async def _about(self, report: OpenCase) -> Case | None:
        """Find the case that stands for the message a report is about."""
        if not report.message_id:
            return None
        cases = await self.records.cases(group_id=report.group_id, message_id=report.message_id)
        return next(
            (c for c in cases if c.account == report.account and c.status in _ALIVE and c.ladder), None
        )

    async def _join_report(self, case: Case, report: OpenCase) -> Booked:
        """Note on a case that somebody reported the same; from now on the reporter may not decide it."""
        mark = Evidence(what="report")
        decided = any(line.account == report.reporter for line in case.decisions)
        joined = replace(
            case,
            evidence=case.evidence if mark in case.evidence else (*case.evidence, mark),
            reporter=case.reporter or (None if decided else report.reporter),
        )
        if joined == case:
            return Booked(case=case, outbox=(), fresh=False)
        stored = await self.records.update_case(joined)
        return Booked(case=stored.case, outbox=(), fresh=False)

    def _lapse_of(self, case: Case, plan: GroupPlan) -> Due:
        """Give the moment by which a human has to decide."""
        return self._due(case, plan, "lapse")

    def _due(self, case: Case, plan: GroupPlan, what: Literal["lapse", "appeal"]) -> Due:
        return Due(
            job=f"case/{case.event_id}/{what}",
            due_at=self.clock.now() + timedelta(hours=plan.policy.discipline.approve_hours),
            group_id=case.group_id,
            plugin=CORE,
            payload=case.event_id,
        )

    # — small helps —

    async def _read(self, case_id: int) -> Case | None:
        """Read a case, with its deciders as they are bound now: two accounts may have become one person since."""
        case = await self.records.case(case_id)
        if case is None or not case.decisions:
            return case
        now = {line.account: await self._person_id(line.account) for line in case.decisions}
        lines = (replace(line, person_id=now[line.account] or line.person_id) for line in case.decisions)
        return replace(case, decisions=tuple(lines))

    async def _person_id(self, account: AccountId | None) -> PersonId | None:
        person = await self.records.person_of(account) if account else None
        return None if person is None else person.id

    def _at_home(self, case: Case, who: Member, plan: GroupPlan) -> tuple[Member, GroupPlan]:
        """A case is decided by its own group's stewards and policy, in whatever group the word was given."""
        if case.group_id == plan.group.id:
            return who, plan
        return self.people.member(case.group_id, who.account), self.plan_of(case.group_id) or plan

    async def _strikes(self, case: Case) -> int:
        return await self.records.strikes(case.person_id, case.ladder, self.clock.now()) if case.ladder else 0

    def _step_for(self, case: Case, plan: GroupPlan, strikes: int) -> NextStep | None:
        """Give the step a yes leads to: the one proposed, or the ladder's next; None when a human must pick."""
        if case.status is CaseStatus.APPEALED:
            return NextStep(name=case.step, index=case.step_index, automatic=False, approvals=1)
        if case.step:
            return NextStep(
                name=case.step,
                index=case.step_index,
                automatic=False,
                approvals=approvals_for(case.step, plan.policy.discipline),
            )
        ladder = plan.policy.ladders.get(case.ladder)
        if ladder is None:
            return NextStep(name="remind", index=0, automatic=False, approvals=1)
        step = next_step(ladder, strikes, plan.policy.discipline)
        return None if ladder.pick == "human" else step

    def _picked(self, case: Case, plan: GroupPlan, note: str) -> tuple[NextStep | None, str]:
        """Read the step a human picked, where the ladder leaves that to humans."""
        ladder = plan.policy.ladders.get(case.ladder)
        if ladder is None or ladder.pick != "human" or case.step:
            return None, note
        word, *rest = note.split(None, 1) or ("",)
        for index, name in enumerate(ladder.steps):
            if word in (name, self.texts(f"step.{name}")):
                approvals = approvals_for(name, plan.policy.discipline)
                return NextStep(name=name, index=index, automatic=False, approvals=approvals), "".join(
                    rest
                ).strip()
        return None, note

    def _menu_of(self, case: Case, plan: GroupPlan) -> str:
        ladder = plan.policy.ladders.get(case.ladder)
        return "/".join(self.texts(f"step.{name}") for name in ladder.steps) if ladder else ""

    async def _confirm(self, case: Case, decision: Decision, step: NextStep) -> Answered:
        """Confirm an offence whose step is a removal: that is one act, approving the removal another (G17)."""
        confirmed = replace(
            case,
            status=CaseStatus.PROPOSED,
            step=step.name,
            step_index=step.index,
            approvals_needed=step.approvals,
            decisions=(*case.decisions, replace(decision, word="confirm")),
        )
        stored = (await self.records.update_case(confirmed)).case
        await self._audit(stored, "confirmed", decision.account)
        return Answered(text=self.texts("approved.confirmed", id=case.id, needed=step.approvals), case=stored)

    def _not_open(self, case_id: int, case: Case | None) -> Answered:
        key = "case.none" if case is None else "case.closed"
        return Answered(text=self.texts(key, id=case_id), case=case)

    async def _audit(self, case: Case, what: str, actor: str, **detail: object) -> None:
        await self.records.note(
            Audit(
                at=self.clock.now(),
                what=f"case {what}",
                actor=actor,
                group_id=case.group_id,
                subject=f"case:{case.id}",
                detail={"rule": case.rule, "status": case.status.value, **detail},
            )
        )


_AFTER_ANSWER = 100
"""Rows that follow from a command's fact are numbered from here; the answer itself has number 0."""

_ALIVE = frozenset(
    {
        CaseStatus.FLAGGED,
        CaseStatus.PROPOSED,
        CaseStatus.EFFECTIVE,
        CaseStatus.APPEALED,
    }
)
"""Cases of which something may still come, or has."""

_RECALLABLE = (CaseStatus.FLAGGED, CaseStatus.PROPOSED, CaseStatus.EFFECTIVE, CaseStatus.MEASURE)


_UNDOABLE = frozenset(
    {
        CaseStatus.EFFECTIVE,
        CaseStatus.MEASURE,
        CaseStatus.PROPOSED,
        CaseStatus.APPEALED,
        CaseStatus.FLAGGED,
    }
)

_NOBODY_YET = PersonId(0)
"""Stands in a draft until the record says whose case it is."""

SAME_UTTERANCE = timedelta(seconds=SAME_UTTERANCE_S)

_UNPROVABLE = (*TALK, AskStewards, DecideJoin, ReadCheckIns)
"""Actions of which no list and no fact shows that somebody did them by hand."""


def _muted(contained: Iterable[OutboxRow]) -> timedelta:
    """Add up how long the machine asked to mute a person; what was called off before it was done does not count."""
    spans = (
        row.action.span
        for row in contained
        if isinstance(row.action, Mute) and (row.state is not OutboxState.CANCELLED or may_be_done(row))
    )
    return sum(spans, timedelta())


def _is_told_again(case: Case, event: Event) -> bool:
    """Say whether a case is of the utterance that another source tells now: memory of it is empty after a restart."""
    return (
        isinstance(event, MessagePosted)
        and case.group_id == event.group_id
        and case.event_id != event.id
        and case.message_id != event.message_id
        and abs(case.opened_at - event.at) <= SAME_UTTERANCE
        and bool(case.excerpt)
        and case.excerpt == event.text
        and witness_of(_source_of(case.evidence)) not in ("", witness_of(event.source))
    )


def _source_of(evidence: Iterable[Evidence]) -> str:
    """Give the first source a case was seen by, as its evidence tells."""
    return next((item.detail for item in evidence if item.what == "source"), "")


def _with_evidence(case: Case, evidence: Evidence) -> Booking | Case:
    """Add evidence to a case of which nothing new follows."""
    if evidence in case.evidence:
        return case
    return Booking(case=replace(case, evidence=(*case.evidence, evidence)), again=True)


def _same_burst(event: Event, recent: Sequence[Case], worst: Offence, plan: GroupPlan) -> Case | None:
    """Find the case this hit belongs to: same ladder, within the burst of its first hit (G9).

    A case that came to nothing (taken back in time, dismissed) shelters no further hit, but what was a hit of
    it stays one: told again after a restart, it is no new offence.
    """
    burst = timedelta(seconds=plan.policy.discipline.burst_s)
    if not worst.ladder or not burst:
        return None
    since, mark = event.at - burst, Evidence(what="repeat", detail=event.id)
    here = [case for case in recent if case.group_id == event.group_id and case.opened_at >= since]
    counted = next((case for case in here if mark in case.evidence), None)
    return counted or next(
        (
            case
            for case in here
            if case.event_id != event.id
            and case.ladder == worst.ladder
            and case.status in _ALIVE
            and burst_of(case, event.at, burst)
        ),
        None,
    )


def _done_by_hand(ticket: Ticket) -> bool:
    return ticket.closed_at is not None and ticket.closed_by != "case"


def _offences(ruling: Ruling) -> tuple[Offence, ...]:
    return tuple(said.verdict for said in ruling.offences if isinstance(said.verdict, Offence))


def _before_appeal(case: Case) -> CaseStatus:
    """Read from the last appeal line where the case stood before it."""
    for decision in reversed(case.decisions):
        word, _, status = decision.word.partition(":")
        if word == "appeal":
            return CaseStatus(status)
    return CaseStatus.EFFECTIVE
