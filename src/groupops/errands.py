"""What plugins ask of the core itself: obligations, moments, cases, persons, lines of audit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from groupops.actions import (
    Action,
    AskStewards,
    BindAccount,
    CloseTickets,
    DirectMessage,
    DismissCase,
    EnrolPersons,
    Errand,
    MergePersons,
    Note,
    OpenCase,
    OpenObligation,
    SettleObligation,
    UnbindAccount,
    WaiveCase,
    WakeAt,
)
from groupops.casebook import Casebook
from groupops.clock import Clock
from groupops.directory import PeopleBook
from groupops.events import CaseChanged, Event
from groupops.obligations import Obligations, heard_at
from groupops.outbox import Outbox
from groupops.people import GroupId, Person, PersonId
from groupops.plan import GroupPlan, PlanBook
from groupops.plugin import Texts
from groupops.records import Audit, Case, Due, Records

CASE_CHANGED = "case_changed"


@dataclass(slots=True)
class Errands:
    """Runs errands, whoever's answer they stood in.

    Args:
        plans, people, records, casebook, outbox, obligations: the engine's rooms.
        clock: when it is.
        texts: the core's texts.
    """

    plans: PlanBook
    people: PeopleBook
    records: Records
    casebook: Casebook
    outbox: Outbox
    obligations: Obligations
    clock: Clock
    texts: Texts

    async def run(
        self,
        event: Event,
        plan: GroupPlan,
        plugin: str,
        asked: Iterable[Action | Errand],
        facts: list[Event],
    ) -> list[Action]:
        """Run the errands among what a plugin asked.

        Args:
            event: the fact that was answered.
            plan: of its group.
            plugin: who answered.
            asked: the answer.
            facts: grows by the facts that follow; to be handled once the actions are stored.

        Returns:
            The actions of the answer, in order, and those that came of its errands.

        Raises:
            StoreError: the database refuses.
        """
        actions: list[Action] = []
        for number, item in enumerate(asked):
            match item:
                case OpenObligation() | SettleObligation() | WakeAt() | Note():
                    await self._remember(event, plugin, item)
                case EnrolPersons() | BindAccount() | UnbindAccount() | MergePersons():
                    actions += await self._change_persons(item, facts)
                case CloseTickets():
                    await self.close_tickets(item.group_id, item.subject, by=item.by)
                case WaiveCase():
                    await self._waive(event, plan, plugin, item, facts)
                case OpenCase():
                    booked = await self.casebook.report(f"{event.id}/{plugin}/{number}", item, plugin, plan)
                    await self.outbox.send(booked.untold)
                    facts += self.case_facts(booked.case)
                case DismissCase():
                    actions += await self._dismiss(event, plan, item, facts)
                case _:
                    actions.append(item)
        return actions

    async def _remember(
        self, event: Event, plugin: str, item: OpenObligation | SettleObligation | WakeAt | Note
    ) -> None:
        """Write down what is owed, what is owed no more, when to wake, or what was done."""
        match item:
            case OpenObligation():
                person = await self.records.person_for(item.account)
                await self.obligations.open(item, person.id, plugin, event.id)
            case SettleObligation():
                await self.obligations.settle(item, heard_at(event))
            case WakeAt():
                job = f"{plugin}/{item.job}/{item.group_id}"
                due = Due(
                    job=job, due_at=item.at, group_id=item.group_id, plugin=plugin, payload=item.payload
                )
                await self.records.put_due((due,))
            case Note():
                line = Audit(
                    at=self.clock.now(),
                    what=item.what,
                    actor=item.actor or plugin,
                    group_id=item.group_id,
                    subject=item.subject,
                    detail={"plugin": plugin, **item.detail},
                )
                await self.records.note(line)

    async def _change_persons(
        self, item: EnrolPersons | BindAccount | UnbindAccount | MergePersons, facts: list[Event]
    ) -> tuple[Action, ...]:
        """Change who is who; gives what the stewards are asked about accounts that others have."""
        match item:
            case BindAccount():
                facts += (await self.people.bind(item.account, item.person_id, by=item.by)).facts
            case MergePersons():
                facts += (await self.people.merge(item.kept, item.gone, by=item.by)).facts
            case UnbindAccount():
                facts += (await self.people.unbind(item.account, by=item.by)).facts
            case EnrolPersons():
                return await self._enrol(item, facts)
        return ()

    async def _enrol(self, item: EnrolPersons, facts: list[Event]) -> tuple[Action, ...]:
        enrolled, told = await self.people.enrol(item.lines, by=item.by)
        facts += told
        return tuple(
            AskStewards(
                group_id=item.group_id,
                text=self.texts(
                    "steward.disputed",
                    account=dispute.account,
                    said=_named(enrolled.persons, dispute.said),
                    holder=_named(self.people.persons(), dispute.holder),
                ),
                subject=f"account:{dispute.account}",
            )
            for dispute in enrolled.disputed
        )

    async def close_tickets(self, group_id: GroupId, subject: str, *, by: str) -> None:
        """Close what the stewards were asked under a subject; what somebody is still to do by hand stays."""
        for ticket in await self.records.tickets(group_id=group_id):
            if ticket.subject == subject and ticket.wanted is None:
                await self.records.close_ticket(ticket.id, by=by, at=self.clock.now())

    async def _waive(
        self, event: Event, plan: GroupPlan, plugin: str, item: WaiveCase, facts: list[Event]
    ) -> None:
        done = await self.casebook.waive_unanswered(item.case_id, plugin, item.note, plan, event.id)
        if done is not None and done.case is not None:
            await self.outbox.send(done.rows)
            facts += self.case_facts(done.case)

    async def _dismiss(
        self, event: Event, plan: GroupPlan, item: DismissCase, facts: list[Event]
    ) -> tuple[Action, ...]:
        """Dismiss a case on a steward's word; gives what the steward is told."""
        who = self.people.member(event.group_id, item.account)
        done = await self.casebook.dismiss(item.case_id, who, item.note, plan, event.id)
        await self.outbox.send(done.rows)
        if done.case is not None:
            facts += self.case_facts(done.case)
        told = DirectMessage(group_id=event.group_id, account=who.account, text=done.text, neutral=done.text)
        return (told,)

    def case_facts(self, case: Case) -> tuple[CaseChanged, ...]:
        """Make a fact of a case as it stands, where a plugin of its group wants to hear it."""
        plan = self.plans.of(case.group_id)
        if plan is None or CASE_CHANGED not in plan.reacts:
            return ()
        fact = CaseChanged(
            id=f"case/{case.id}/{case.version}",
            at=self.clock.now(),
            group_id=case.group_id,
            source="core",
            case_id=case.id,
            account=case.account,
            person_id=case.person_id,
            rule=case.rule,
            step=case.step,
            status=case.status.value,
        )
        return (fact,)


def _named(persons: Iterable[Person], person_id: PersonId) -> str:
    return next((one.name for one in persons if one.id == person_id), str(person_id))
