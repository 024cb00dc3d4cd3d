"""Whatever people do to cases in whatever order: strikes are what stands, and nobody decides who may not."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from groupops import (
    Event,
    Evidence,
    Gone,
    GroupId,
    MessagePosted,
    Mute,
    Offence,
    OpenCase,
    Person,
    PersonId,
    RemoveMember,
    Severity,
)
from groupops.records import Case, CaseStatus, OutboxRow, OutboxState
from groupops.testing import Rig, rig
from tests.support.stories import PACK, plugin

MEMBERS = ("wang", "li", "double")
STEWARDS = ("owner", "admin", "admin2", "again")
LADDERS = ("soft", "warn_kick", "kick", "by_severity")
CLOSED = (
    CaseStatus.REVERSED,
    CaseStatus.DISMISSED,
    CaseStatus.WAIVED,
    CaseStatus.WITHDRAWN,
    CaseStatus.LAPSED,
)
NOTES = ("理由", "移出 屡次", "禁言 言辞")


def judge(event: Event) -> Offence | None:
    """坏 and a ladder's name: an offence on that ladder, with a mute of twenty minutes."""
    if not isinstance(event, MessagePosted) or not event.text.startswith("坏"):
        return None
    mute = Mute(group_id=event.group_id, account=event.account, span=timedelta(minutes=20))
    return Offence(
        rule="rude.word",
        reason="用语",
        severity=Severity.HIGH,
        ladder=event.text.removeprefix("坏 "),
        auto="mute",
        contain=(mute,),
        evidence=(Evidence(what="word", quote="坏"),),
    )


def react(event: Event) -> list[OpenCase] | None:
    """举报 and a name: a report of that member."""
    if not isinstance(event, MessagePosted) or not event.text.startswith("举报"):
        return None
    about = f"sandbox:{event.text.removeprefix('举报 ')}"
    return [
        OpenCase(
            group_id=event.group_id,
            account=about,  # type: ignore[arg-type]
            rule="rude.word",
            reason="举报",
            ladder="kick",
            reporter=event.account,
        )
    ]


moves = st.one_of(
    st.tuples(st.just("offend"), st.sampled_from((*MEMBERS, "admin")), st.sampled_from(LADDERS)),
    st.tuples(st.just("report"), st.sampled_from((*MEMBERS, "admin2", "again")), st.sampled_from(MEMBERS)),
    st.tuples(st.just("recall"), st.sampled_from(MEMBERS), st.none()),
    st.tuples(st.just("appeal"), st.sampled_from(MEMBERS), st.integers(0, 5)),
    st.tuples(st.just("wait"), st.sampled_from((1, 5, 90, 25 * 60, 200 * 24 * 60)), st.none()),
    *(
        st.tuples(
            st.just(word),
            st.sampled_from((*STEWARDS, "li")),
            st.tuples(st.integers(0, 5), st.sampled_from(NOTES)),
        )
        for word in ("批准", "批准", "批准", "驳回", "撤销", "豁免")
    ),
)


@dataclass
class Story:
    """Plays moves, however senseless, and looks after each whether the laws still hold."""

    r: Rig

    async def play(self, move: tuple[str, Any, Any]) -> None:
        kind, who, what = move
        match kind:
            case "wait":
                await self.r.advance(timedelta(minutes=who))
            case "offend":
                await self._says(who, f"坏 {what}")
            case "report":
                await self._says(who, f"举报 {what}")
            case "recall":
                await self._recalls(who)
            case "appeal":
                await self._whispers(who, "申诉", what, "误会")
            case word:
                await self._whispers(who, word, what[0], what[1])

    async def _says(self, who: str, text: str) -> None:
        self._comes_back(who)
        await self.r.say("g1", who, text)

    async def _recalls(self, who: str) -> None:
        room = self.r.sandbox.world.room("g1")
        own = [p for p in room.posts.values() if p.account == f"sandbox:{who}" and p.recalled_by is None]
        if own and f"sandbox:{who}" in room.seats:
            await self.r.tell(self.r.sandbox.recall("g1", own[-1].id, by=who))

    async def _whispers(self, who: str, word: str, number: int, note: str) -> None:
        cases = await self._meant(who, word)
        if cases:
            self._comes_back(who)
            await self.r.whisper("g1", who, f"{word} {cases[number % len(cases)].id} {note}".strip())

    async def _meant(self, who: str, word: str) -> tuple[Case, ...]:
        """Give the cases a word may be about: mostly those it can do something to, so that much happens."""
        cases = await self.r.records.cases()
        if word == "申诉":
            fitting = tuple(
                case for case in cases if case.account == f"sandbox:{who}" and case.status not in CLOSED
            )
        elif word in ("批准", "驳回"):
            fitting = tuple(case for case in cases if case.status.open)
        else:
            fitting = tuple(case for case in cases if case.status is CaseStatus.EFFECTIVE)
        return fitting or cases

    def _comes_back(self, who: str) -> None:
        if f"sandbox:{who}" not in self.r.sandbox.world.room("g1").seats:
            self.r.sandbox.join("g1", who)

    # — the laws —

    async def look(self) -> None:
        cases = await self.r.records.cases()
        rows = {case.id: await self.r.records.outbox(case_id=case.id) for case in cases}
        await self._strikes_are_what_stands(cases)
        for case in cases:
            await self._decided_by_those_who_may(case)
            await self._removed_only_by_enough(case, rows[case.id])
            if case.status in CLOSED:
                nothing_follows(case, rows[case.id])
                everything_is_reversed(case, rows[case.id])
        self._machine_mutes_half_an_hour_a_day(cases, rows)

    async def _strikes_are_what_stands(self, cases: tuple[Case, ...]) -> None:
        now = self.r.clock.now()
        for person in {case.person_id for case in cases}:
            for ladder in LADDERS:
                standing = [
                    case
                    for case in cases
                    if (case.person_id, case.ladder, case.status) == (person, ladder, CaseStatus.EFFECTIVE)
                    and case.expires_at is not None
                    and case.expires_at > now
                ]
                assert await self.r.records.strikes(person, ladder, now) == len(standing)

    async def _person(self, account: Any) -> PersonId | str:
        person = await self.r.records.person_of(account)
        return account if person is None else person.id

    async def _decided_by_those_who_may(self, case: Case) -> None:
        deciders = [await self._person(line.account) for line in case.decisions if ":" not in line.word]
        agreed = [await self._person(line.account) for line in case.decisions if line.word == "approve"]
        assert case.person_id not in deciders
        assert case.reporter is None or await self._person(case.reporter) not in deciders
        assert len(agreed) == len(set(agreed))

    async def _removed_only_by_enough(self, case: Case, rows: tuple[OutboxRow, ...]) -> None:
        if not any(isinstance(row.action, RemoveMember) for row in rows):
            return
        agreed = {await self._person(line.account) for line in case.decisions if line.word == "approve"}
        if len(agreed) < 2:
            [said] = [line for line in case.decisions if line.word == "approve"]
            assert said.account == "sandbox:owner"
            assert case.noticed_at is not None
            assert said.at - case.noticed_at >= timedelta(hours=24)

    def _machine_mutes_half_an_hour_a_day(
        self, cases: tuple[Case, ...], rows: dict[int, tuple[OutboxRow, ...]]
    ) -> None:
        zone = self.r.engine.people.timezone(GroupId("sandbox:g1"))
        spent: dict[Any, timedelta] = {}
        for case in cases:
            for row in rows[case.id]:
                if row.purpose == "contain" and isinstance(row.action, Mute):
                    key = (case.person_id, row.created_at.astimezone(zone).date())
                    spent[key] = spent.get(key, timedelta()) + row.action.span
        assert all(span <= timedelta(minutes=30) for span in spent.values())


def nothing_follows(case: Case, rows: tuple[OutboxRow, ...]) -> None:
    late = [
        row
        for row in rows
        if row.purpose in ("contain", "step")
        and row.state is OutboxState.DONE
        and row.changed_at is not None
        and case.decided_at is not None
        and row.changed_at > case.decided_at
    ]
    assert late == []
    assert not any(row.state is OutboxState.WAITING for row in rows if row.purpose in ("contain", "step"))


def everything_is_reversed(case: Case, rows: tuple[OutboxRow, ...]) -> None:
    if case.status in (CaseStatus.WITHDRAWN, CaseStatus.LAPSED):
        return
    undone = [row.action for row in rows if row.purpose == "reversal" and has_come_to_an_end(row)]
    for row in rows:
        if row.purpose in ("contain", "step") and row.state is OutboxState.DONE and row.action.inverse:
            assert row.action.inverse in undone


def has_come_to_an_end(row: OutboxRow) -> bool:
    """Done, or there is nobody left to do it to."""
    return row.state is OutboxState.DONE or isinstance(row.receipt, Gone)


async def play(story: list[tuple[str, Any, Any]]) -> None:
    extra = {"rude": plugin(judge=judge, react=react)}
    stewards = ("sandbox:admin", "sandbox:admin2", "sandbox:again", "sandbox:li")
    async with rig(pack=PACK, plugins=(), extra=extra, stewards=stewards) as r:
        for account in ("again", "double"):
            await r.tell(r.sandbox.join("g1", account))
        one = await r.records.put_person(Person(id=PersonId(0), name="赵"))
        two = await r.records.put_person(Person(id=PersonId(0), name="钱"))
        for person, accounts in ((one, ("admin2", "again")), (two, ("wang", "double"))):
            for account in accounts:
                await r.engine.people.bind(f"sandbox:{account}", person.id, by="test")  # type: ignore[arg-type]
        teller = Story(r)
        for move in story:
            await teller.play(move)
            await teller.look()


@settings(max_examples=60)
@given(st.lists(moves, min_size=1, max_size=40))
def test_the_laws_of_the_casebook_hold_whatever_people_do(story: list[tuple[str, Any, Any]]) -> None:
    asyncio.run(play(story))
