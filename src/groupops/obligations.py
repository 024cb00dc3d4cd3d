"""Who owes what by when: deadlines, reminders, answers, explanations, and what follows when time is up."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from groupops.actions import DirectMessage, OpenObligation, SendText, SettleObligation
from groupops.calendar import WorkHours
from groupops.clock import Clock
from groupops.errors import CommandError, Conflict, PluginError
from groupops.events import ChoiceMade, Happening, ObligationMissed, TimeCame
from groupops.people import AccountId, GroupId, PersonId
from groupops.plugin import Directory, Texts
from groupops.records import Audit, Due, Obligation, ObligationStatus, Records
from groupops.ticker import CORE, LATE

SKEW = timedelta(minutes=10)
"""How much older than its arrival an event's own timestamp may be and still decide what was in time (G4)."""

ATTEMPTS = 8
"""How often a change is tried anew when somebody else changed the row first."""

_REMIND = "obligation/remind/"
_MISS = "obligation/miss/"
_SUBJECT = "obligation:"
_MINUTE = timedelta(minutes=1)
_FIRST_LATE = timedelta.resolution
_OVER = frozenset({ObligationStatus.SATISFIED, ObligationStatus.EXCUSED, ObligationStatus.CANCELLED})

ClockName = Literal["wall", "service"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What became of an answer.

    Args:
        obligation: as it stands now.
        was: where it stood before.
        late: True when the answer came after the deadline; it is recorded and saves nothing.
    """

    obligation: Obligation
    was: ObligationStatus
    late: bool = False

    @property
    def undoes_miss(self) -> bool:
        """True when an answer given in time arrived only after the obligation had been called missed."""
        return self.was is ObligationStatus.MISSED and self.obligation.status is ObligationStatus.SATISFIED


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """What follows from a due row: reminders to send, facts to post."""

    actions: tuple[SendText | DirectMessage, ...] = ()
    events: tuple[ObligationMissed, ...] = ()


def heard_at(event: Happening) -> datetime:
    """Give the moment at which an event counts as an answer (G4).

    The moment it was received decides, unless its own timestamp is older by at most `SKEW`: then the
    platform delivered late, and the sender is not made to pay for it. A timestamp ahead of us never counts.
    """
    received = event.received_at or event.at
    return event.at if timedelta(0) <= received - event.at <= SKEW else received


def after(start: datetime, minutes: float, clock: ClockName, hours: WorkHours) -> datetime:
    """Give the last moment in time `minutes` of a clock after `start`; that very moment is in time (G4, G5)."""
    if clock == "service":
        return hours.due(start, minutes)
    return start + timedelta(minutes=minutes)


def left(now: datetime, due_at: datetime, clock: ClockName, hours: WorkHours) -> timedelta:
    """Give how much of a clock's time is left until a deadline; zero when it is past."""
    if clock == "service":
        return hours.elapsed(now, due_at)
    return max(timedelta(0), due_at - now)


def planned(
    errand: OpenObligation, person_id: PersonId, plugin: str, now: datetime, hours: WorkHours
) -> Obligation:
    """Make the obligation that an errand asks for, with its deadline and the moments of its reminders.

    Raises:
        PluginError: the errand names no time at all.
    """
    if errand.due_at is None and errand.minutes <= 0:
        raise PluginError(
            plugin, f"opens obligation {errand.key!r} without a deadline: give minutes above 0, or due_at"
        )
    due_at = errand.due_at or after(now, errand.minutes, errand.clock, hours)
    reminders = sorted({after(now, minutes, errand.clock, hours) for minutes in errand.remind_minutes})
    return Obligation(
        key=errand.key,
        group_id=errand.group_id,
        person_id=person_id,
        account=errand.account,
        plugin=plugin,
        obligation_kind=errand.obligation_kind,
        title=errand.title,
        options=errand.options,
        clock=errand.clock,
        opened_at=now,
        due_at=due_at,
        remind_at=tuple(moment for moment in reminders if moment < due_at),
        excuse_until=due_at + timedelta(hours=errand.excuse_hours),
        private=errand.private,
    )


def answered(row: Obligation, at: datetime, note: str = "") -> Obligation | None:
    """Give an obligation after an answer; None when that answer changes nothing.

    Exactly at the deadline is in time. A late answer is written down and the status left to the deadline.
    """
    if row.status in _OVER or (at > row.due_at and row.satisfied_at is not None):
        return None
    note = note or row.note
    if at > row.due_at:
        return replace(row, satisfied_at=at, note=note)
    return replace(row, status=ObligationStatus.SATISFIED, satisfied_at=at, note=note)


def reopened(row: Obligation, at: datetime, hours: WorkHours) -> Obligation | None:
    """Give an obligation after its answer was taken back; None when there was none (G11).

    The clock stood from the answer until now, so deadline, reminders and excuse move by that pause.
    """
    if row.satisfied_at is None:
        return None
    if row.status is not ObligationStatus.SATISFIED:
        return replace(row, satisfied_at=None)
    answered_at, resumed_at = row.satisfied_at, max(at, row.satisfied_at)

    def moved(moment: datetime) -> datetime:
        rest = left(answered_at, moment, row.clock, hours)
        return after(resumed_at, rest / _MINUTE, row.clock, hours)

    due_at = moved(row.due_at)
    return replace(
        row,
        status=ObligationStatus.OPEN,
        satisfied_at=None,
        due_at=due_at,
        remind_at=tuple(moved(moment) for moment in row.remind_at if moment > answered_at),
        excuse_until=None if row.excuse_until is None else due_at + (row.excuse_until - row.due_at),
    )


def due_rows(row: Obligation) -> tuple[Due, ...]:
    """Give the due rows of an obligation: one per reminder, and one at the first instant after the deadline."""
    reminders = (
        Due(job=_REMIND + row.key, due_at=moment, group_id=row.group_id, plugin=CORE)
        for moment in row.remind_at
    )
    miss = Due(job=_MISS + row.key, due_at=row.due_at + _FIRST_LATE, group_id=row.group_id, plugin=CORE)
    return (*reminders, miss)


class Obligations:
    """Keeps obligations: opens, settles, excuses, reminds, and says what was missed.

    Args:
        records: where they are kept.
        clock: what time it is.
        hours: a group's working time.
        texts: a group's core texts, or those of no group (keys `owed.…`, `explain.…`, `excuse.…`, `joint`).
        people: for the names in reminders and the group's timezone.
    """

    def __init__(
        self,
        records: Records,
        clock: Clock,
        hours: Callable[[GroupId], WorkHours],
        *,
        texts: Callable[[GroupId | None], Texts],
        people: Directory,
    ) -> None:
        self._records = records
        self._clock = clock
        self._hours = hours
        self._texts = texts
        self._people = people

    @staticmethod
    def owns(job: str) -> bool:
        """Say whether a due row's job is one of ours, for `come_due`."""
        return job.startswith((_REMIND, _MISS))

    async def open(
        self, errand: OpenObligation, person_id: PersonId, plugin: str, event_id: str
    ) -> Obligation:
        """Open an obligation with its due rows in one step; a key that was opened before changes nothing.

        Raises:
            PluginError: the errand has no deadline.
            ConfigError: the group's service hours leave no working time.
        """
        now = self._clock.now()
        row = planned(errand, person_id, plugin, now, self._hours(errand.group_id))
        opened, fresh = await self._records.open_obligation(row, due_rows(row))
        if fresh:
            await self._note(opened, "obligation_opened", plugin, event=event_id)
        return opened

    async def settle(self, errand: SettleObligation, at: datetime) -> Settled | None:
        """Satisfy, reopen or call off what is owed under a key.

        Args:
            errand: which, and how.
            at: when the settling event counts, see `heard_at`.

        Returns:
            What became of it; None when nothing is owed under that key.
        """
        if errand.how == "satisfied":
            return await self._answer(errand.key, at, errand.note)
        if errand.how == "withdrawn":
            return await self._reopen(errand.key, at)
        return await self._finish(errand.key, ObligationStatus.CANCELLED, errand.note)

    async def choose(self, event: ChoiceMade) -> Settled | None:
        """Take an option that was chosen on `obligation:<number>` as the answer of whoever chose it.

        A reminder to several people carries the number of one of them, so a choice of another settles
        what that other owes under the same title.

        Returns:
            What became of it; None when the chooser owes no such thing, or it offers no such word.
        """
        subject = event.subject.removeprefix(_SUBJECT)
        if subject == event.subject or not subject.isdecimal():
            return None
        named = await self._records.obligation(int(subject))
        row = None if named is None else await self._owed_by(event.account, named)
        if row is None or (row.options and event.word not in {option.word for option in row.options}):
            return None
        return await self._answer(row.key, heard_at(event), event.note or event.word)

    async def explain(self, obligation_id: int, account: AccountId, reason: str) -> Obligation:
        """Take an explanation (说明) of the person who owes, once it is late and while excuses are taken (G6).

        Raises:
            CommandError: it cannot be taken; the text says why.
        """
        row = await self._found(obligation_id)
        texts = self._texts(row.group_id)
        if not await self._owes(account, row):
            raise CommandError(texts("explain.not_yours", id=obligation_id))
        if not reason.strip():
            raise CommandError(texts("explain.reason", id=obligation_id))
        now = self._clock.now()

        def decide(row: Obligation) -> Obligation:
            self._may_explain(row, now, texts)
            return replace(row, status=ObligationStatus.EXCUSE_PENDING, note=reason.strip())

        changed, _ = await self._change(obligation_id, decide)
        await self._note(changed, "obligation_explained", account, reason=reason.strip())
        return changed

    async def excuse(
        self, obligation_id: int, steward: AccountId, accept: bool, note: str = ""
    ) -> Obligation:
        """Have a steward excuse somebody, explained or not, or turn an explanation down.

        That the account may decide in the group is the caller's to check.

        Raises:
            CommandError: there is nothing to decide, or it is the steward's own; the text says so.
        """
        row = await self._found(obligation_id)
        texts = self._texts(row.group_id)
        if await self._owes(steward, row):
            raise CommandError(texts("excuse.own", id=obligation_id))

        def decide(row: Obligation) -> Obligation:
            waits = row.status is ObligationStatus.EXCUSE_PENDING
            if row.status in _OVER or not (accept or waits):
                raise CommandError(texts("excuse.none", id=obligation_id))
            status = ObligationStatus.EXCUSED if accept else ObligationStatus.MISSED
            return replace(row, status=status, note=note or row.note)

        changed, _ = await self._change(obligation_id, decide)
        if accept:
            await self._drop_due(changed.key)
        await self._note(changed, "obligation_decided", steward, accepted=accept, note=note)
        return changed

    async def come_due(self, due: Due | TimeCame) -> Came:
        """Say what follows from a due row of ours: a reminder, a missed deadline, or nothing any more."""
        if due.job.startswith(_REMIND):
            return await self._remind(due.job.removeprefix(_REMIND))
        if due.job.startswith(_MISS):
            return await self._miss(due.job.removeprefix(_MISS), due)
        return Came()

    async def recover(self) -> int:
        """Put in anew the deadlines that passed unheard, because a process died with the claimed row in hand.

        Returns:
            How many.
        """
        now = self._clock.now()
        unheard = [
            Due(job=_MISS + row.key, due_at=now, group_id=row.group_id, plugin=CORE)
            for row in await self._records.obligations(statuses=frozenset({ObligationStatus.OPEN}))
            if now - row.due_at > LATE
        ]
        await self._records.put_due(unheard)
        return len(unheard)

    async def _answer(self, key: str, at: datetime, note: str) -> Settled | None:
        row = await self._records.obligation_by_key(key)
        if row is None:
            return None
        changed, was = await self._change(row.id, lambda row: answered(row, at, note))
        if changed.status is ObligationStatus.SATISFIED:
            await self._drop_due(key)
        return Settled(obligation=changed, was=was.status, late=at > changed.due_at)

    async def _reopen(self, key: str, at: datetime) -> Settled | None:
        row = await self._records.obligation_by_key(key)
        if row is None:
            return None
        hours = self._hours(row.group_id)
        changed, was = await self._change(row.id, lambda row: reopened(row, at, hours), due_rows)
        if changed is not was:
            await self._note(
                changed, "obligation_reopened", changed.account, due_at=changed.due_at.isoformat()
            )
        return Settled(obligation=changed, was=was.status)

    async def _finish(self, key: str, status: ObligationStatus, note: str) -> Settled | None:
        row = await self._records.obligation_by_key(key)
        if row is None:
            return None

        def decide(row: Obligation) -> Obligation | None:
            return None if row.status in _OVER else replace(row, status=status, note=note or row.note)

        changed, was = await self._change(row.id, decide)
        await self._drop_due(key)
        return Settled(obligation=changed, was=was.status)

    async def _miss(self, key: str, due: Due | TimeCame) -> Came:
        row = await self._records.obligation_by_key(key)
        now = self._clock.now()
        if row is None or now <= row.due_at or row.status in _OVER:
            return Came()

        def decide(row: Obligation) -> Obligation | None:
            opened = row.status is ObligationStatus.OPEN and now > row.due_at
            return replace(row, status=ObligationStatus.MISSED) if opened else None

        changed, was = await self._change(row.id, decide)
        # An explanation may be quicker than the ticker, and a process may have died between noting the miss and
        # saying so: the deadline was missed all the same, and the fact's id is the same however often it is said.
        said_again = (ObligationStatus.EXCUSE_PENDING, ObligationStatus.MISSED)
        if changed is was and changed.status not in said_again:
            return Came()
        late = due.late if isinstance(due, TimeCame) else now - due.due_at > LATE
        return Came(events=(_missed(changed, now, late=late),))

    async def _remind(self, key: str) -> Came:
        row = await self._records.obligation_by_key(key)
        now = self._clock.now()
        if row is None or not _to_remind(row, now):
            return Came()
        alike = (row,) if row.private else await self._alike(row)
        taken = [one for each in alike if (one := await self._take_reminder(each, now)) is not None]
        if row.private:
            return Came(actions=tuple(self._private_reminder(one, now) for one in taken))
        return Came(actions=(self._reminder(taken, now),) if taken else ())

    async def _alike(self, row: Obligation) -> tuple[Obligation, ...]:
        """Give all that is still owed under the same title by the same moment: one reminder does for them."""
        owed = await self._records.obligations(
            group_id=row.group_id, statuses=frozenset({ObligationStatus.OPEN}), plugin=row.plugin
        )
        return tuple(one for one in owed if _errand(one) == _errand(row) and not one.private)

    async def _take_reminder(self, row: Obligation, now: datetime) -> Obligation | None:
        """Cross out the reminders that are due; None when there are none, or somebody else took them."""

        def decide(row: Obligation) -> Obligation | None:
            if not _to_remind(row, now):
                return None
            return replace(row, remind_at=tuple(moment for moment in row.remind_at if moment > now))

        changed, was = await self._change(row.id, decide)
        return None if changed is was else changed

    def _reminder(self, rows: list[Obligation], now: datetime) -> SendText:
        first = rows[0]
        texts = self._texts(first.group_id)
        names = texts("joint").join(self._called(row) for row in rows)
        return SendText(
            group_id=first.group_id,
            text=texts("owed.remind", names=names, **self._facts(first, now)),
            mentions=tuple(row.account for row in rows),
            options=first.options,
            subject=f"{_SUBJECT}{first.id}",
        )

    def _private_reminder(self, row: Obligation, now: datetime) -> DirectMessage:
        texts = self._texts(row.group_id)
        names = self._called(row)
        return DirectMessage(
            group_id=row.group_id,
            account=row.account,
            text=texts("owed.remind_private", names=names, **self._facts(row, now)),
            neutral=texts("owed.remind_neutral", names=names),
            options=row.options,
            subject=f"{_SUBJECT}{row.id}",
        )

    def _facts(self, row: Obligation, now: datetime) -> dict[str, object]:
        """What a reminder may say: title, number, whole minutes left (begun ones count), local deadline."""
        rest = left(now, row.due_at, row.clock, self._hours(row.group_id))
        local = row.due_at.astimezone(self._people.timezone(row.group_id))
        return {
            "title": row.title,
            "id": row.id,
            "left": math.ceil(rest / _MINUTE),
            "due": f"{local:%m-%d %H:%M}",
        }

    def _called(self, row: Obligation) -> str:
        return self._people.member(row.group_id, row.account).called

    def _may_explain(self, row: Obligation, now: datetime, texts: Texts) -> None:
        if row.status is ObligationStatus.EXCUSE_PENDING:
            raise CommandError(texts("explain.waiting", id=row.id))
        if row.status in _OVER:
            raise CommandError(texts("explain.not_needed", id=row.id))
        if now <= row.due_at:
            raise CommandError(texts("explain.too_early", id=row.id))
        if row.excuse_until is not None and now > row.excuse_until:
            until = row.excuse_until.astimezone(self._people.timezone(row.group_id))
            raise CommandError(texts("explain.too_late", id=row.id, until=f"{until:%m-%d %H:%M}"))

    async def _found(self, obligation_id: int) -> Obligation:
        row = await self._records.obligation(obligation_id)
        if row is None:
            raise CommandError(self._texts(None)("explain.none", id=obligation_id))
        return row

    async def _owes(self, account: AccountId, row: Obligation) -> bool:
        if account == row.account:
            return True
        person = await self._records.person_of(account)
        return person is not None and person.id == row.person_id

    async def _owed_by(self, account: AccountId, named: Obligation) -> Obligation | None:
        """Give the obligation of an account under the title of another's, or that very one."""
        if await self._owes(account, named):
            return named
        person = await self._records.person_of(account)
        if person is None:
            return None
        owed = await self._records.obligations(group_id=named.group_id, person_id=person.id)
        return next((row for row in owed if _errand(row) == _errand(named)), None)

    async def _change(
        self,
        obligation_id: int,
        decide: Callable[[Obligation], Obligation | None],
        due: Callable[[Obligation], tuple[Due, ...]] = lambda _: (),
    ) -> tuple[Obligation, Obligation]:
        """Change a row by what it is now, again when somebody was faster; gives it after and before.

        Both are the same object when `decide` leaves it alone.

        Raises:
            Conflict: the row changed `ATTEMPTS` times under our hands.
        """
        for _ in range(ATTEMPTS):
            row = await self._records.obligation(obligation_id)
            if row is None:
                raise Conflict(f"obligation {obligation_id} was forgotten meanwhile")
            changed = decide(row)
            if changed is None:
                return row, row
            try:
                return await self._records.update_obligation(changed, due(changed)), row
            except Conflict:
                continue
        raise Conflict(f"obligation {obligation_id} changed {ATTEMPTS} times meanwhile: try again")

    async def _drop_due(self, key: str) -> None:
        await self._records.drop_due(_REMIND + key)
        await self._records.drop_due(_MISS + key)

    async def _note(self, row: Obligation, what: str, actor: str, **detail: object) -> None:
        line = Audit(
            at=self._clock.now(),
            what=what,
            actor=actor,
            group_id=row.group_id,
            subject=f"{_SUBJECT}{row.id}",
            detail=detail,
        )
        await self._records.note(line)


def _to_remind(row: Obligation, now: datetime) -> bool:
    waiting = row.status is ObligationStatus.OPEN and row.satisfied_at is None and now <= row.due_at
    return waiting and any(moment <= now for moment in row.remind_at)


def _errand(row: Obligation) -> tuple[str, str, str, datetime]:
    """What several people owe in common."""
    return row.plugin, row.obligation_kind, row.title, row.due_at


def _missed(row: Obligation, now: datetime, *, late: bool) -> ObligationMissed:
    return ObligationMissed(
        id=f"obligation/{row.id}/missed/{row.due_at.isoformat()}",
        at=now,
        group_id=row.group_id,
        source="clock",
        obligation_id=row.id,
        obligation_kind=row.obligation_kind,
        person_id=row.person_id,
        account=row.account,
        plugin=row.plugin,
        late=late,
    )
