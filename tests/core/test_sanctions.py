"""What follows from an offence: the machine keeps within its bounds for every ladder, person and sequence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from groupops import (
    Action,
    AskStewards,
    DeleteMessage,
    Evidence,
    Member,
    Mute,
    MuteAll,
    Offence,
    Pardon,
    RemoveMember,
    Reply,
    Role,
    SendText,
    SetCard,
    Severity,
    Stage,
)
from groupops.plugin import HOLDING_MUTE
from groupops.policy import DEFAULT_LADDERS, Discipline, Ladder
from groupops.records import Case, CaseStatus, Decision, OutboxRow, OutboxState
from groupops.sanctions import (
    TALK,
    Standing,
    agreed,
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
from groupops.verdicts import AUTO_ORDER, Said, settle

GROUP, WHO = "sandbox:g1", "sandbox:wang"
NOW = datetime(2025, 3, 3, 1, 0, tzinfo=UTC)
STEPS = ("remind", "warn", "severe_warn", "educate", "mute", "kick", "redpacket", "refer", "admin_case")

mutes = st.integers(0, 600).map(lambda m: Mute(group_id=GROUP, account=WHO, span=timedelta(minutes=m)))
deeds = st.sampled_from(
    (
        SendText(group_id=GROUP, text="请注意"),
        Reply(group_id=GROUP, message_id="1", text="请注意"),
        DeleteMessage(group_id=GROUP, message_id="1", account=WHO),
        RemoveMember(group_id=GROUP, account=WHO),
        SetCard(group_id=GROUP, account=WHO, card="x"),
        MuteAll(group_id=GROUP),
        AskStewards(group_id=GROUP, text="看一看"),
    )
)
evidence = st.sampled_from(("word", "url", "report", "source")).map(lambda what: Evidence(what=what))
offences = st.builds(
    Offence,
    rule=st.sampled_from(("a.x", "a.y", "b.x")),
    reason=st.sampled_from(("甲", "乙")),
    severity=st.sampled_from(Severity),
    ladder=st.sampled_from(("", "soft", "warn")),
    auto=st.sampled_from(AUTO_ORDER),
    contain=st.lists(mutes | deeds, max_size=4).map(tuple),
    evidence=st.lists(evidence, max_size=2).map(tuple),
)
members = st.builds(
    Member,
    account=st.sampled_from((WHO, "")),
    role=st.sampled_from(Role),
    steward=st.booleans(),
)
standings = st.builds(
    Standing,
    member=members,
    stage=st.sampled_from((Stage.WARN_ONLY, Stage.ENFORCED)),
    late=st.booleans(),
    roles_known=st.booleans(),
    muted=st.integers(0, 60).map(lambda m: timedelta(minutes=m)),
)


# — merging —


@given(
    st.lists(
        st.builds(Said, plugin=st.sampled_from("abc"), verdict=offences)
        | st.builds(
            Said,
            plugin=st.sampled_from("abc"),
            verdict=st.builds(
                Pardon,
                reason=st.sampled_from(("急", "诉求")),
                rules=st.sampled_from(((), ("a.",), ("b.x",))),
                below=st.sampled_from(Severity),
            ),
        ),
        max_size=4,
    )
)
def test_the_order_of_the_verdicts_changes_nothing(said: list[Said]) -> None:
    rulings = {repr(settle(order)) for order in permutations(said)}

    assert len(rulings) == 1


@given(st.lists(st.builds(Said, plugin=st.sampled_from("ab"), verdict=offences), min_size=1, max_size=5))
def test_the_worst_offence_decides_and_every_reason_is_kept_once(said: list[Said]) -> None:
    ruling = settle(said)

    assert ruling.worst is not None
    assert ruling.worst.severity == max(one.verdict.severity for one in said)
    assert set(ruling.reasons) == {one.verdict.reason for one in said}
    assert len(set(ruling.contain)) == len(ruling.contain)


@given(st.lists(st.builds(Said, plugin=st.just("a"), verdict=offences), max_size=4))
def test_a_pardon_below_critical_never_lifts_what_is_critical(said: list[Said]) -> None:
    ruling = settle([*said, Said(plugin="p", verdict=Pardon(reason="诉求"))])

    critical = [one for one in said if one.verdict.severity is Severity.CRITICAL]
    assert len(ruling.offences) == len(critical)


# — ladders —


@given(
    st.lists(st.sampled_from(STEPS), min_size=1, max_size=6),
    st.integers(0, 8),
    st.integers(0, 20),
    st.integers(1, 9),
)
def test_only_a_first_reminder_ever_runs_without_a_human(
    steps: list[str], human_from: int, strikes: int, approvals: int
) -> None:
    try:
        ladder = Ladder(steps=tuple(steps), human_from=human_from)  # type: ignore[arg-type]
    except ValidationError:
        assert human_from > 1 or steps[0] != "remind"
        return
    step = next_step(ladder, strikes, Discipline(kick_approvals=approvals))

    assert step.name == steps[min(strikes, len(steps) - 1)]
    assert step.automatic == (strikes == 0 and steps[0] == "remind" and human_from == 1)
    assert step.automatic == (step.approvals == 0)
    assert step.name != "kick" or step.approvals == approvals


@pytest.mark.parametrize(
    ("steps", "most"), [(("remind", "warn"), 1), (("warn", "kick"), 0), (("remind",), 1)]
)
def test_a_ladder_that_lets_the_machine_do_more_is_refused_with_what_it_may_be_at_most(
    steps: tuple[str, ...], most: int
) -> None:
    Ladder(steps=steps, human_from=most)  # type: ignore[arg-type]

    with pytest.raises(ValidationError, match=f"it may be at most {most}"):
        Ladder(steps=steps, human_from=most + 1)  # type: ignore[arg-type]


@given(st.sampled_from(sorted(DEFAULT_LADDERS)), st.integers(0, 50))
def test_on_a_ladder_for_humans_no_step_is_proposed(name: str, strikes: int) -> None:
    ladder = DEFAULT_LADDERS[name]
    assume(ladder.pick == "human")

    step = next_step(ladder, strikes, Discipline())

    assert (step.name, step.automatic, step.menu) == ("", False, ladder.steps)


# — containment —


@given(st.lists(offences, max_size=5), standings)
def test_nobody_is_muted_by_the_machine_longer_than_half_an_hour_a_day(
    said: list[Offence], standing: Standing
) -> None:
    muted = [action.span for action in contain(said, standing).now if isinstance(action, Mute)]

    assert sum(muted, standing.muted) <= max(HOLDING_MUTE, standing.muted)
    assert all(span > timedelta() for span in muted)


@given(st.lists(offences, max_size=5), standings)
def test_nothing_that_was_asked_for_is_lost_but_words_that_may_not_be_said(
    said: list[Offence], standing: Standing
) -> None:
    contained = contain(said, standing)

    kinds = {action.kind for action in (*contained.now, *contained.human)}
    wanted = {action for offence in said for action in offence.contain if not isinstance(action, TALK)}
    assert {action.kind for action in wanted if not _is_empty(action)} <= kinds


def _is_empty(action: Action) -> bool:
    return isinstance(action, Mute) and not action.span


@given(st.lists(offences, max_size=5), standings)
def test_the_machine_never_removes_renames_or_mutes_a_whole_group(
    said: list[Offence], standing: Standing
) -> None:
    now = contain(said, standing).now

    assert not any(isinstance(action, (RemoveMember, SetCard, MuteAll)) for action in now)


@given(st.lists(offences, max_size=5), standings)
def test_owners_admins_and_stewards_hear_words_at_most(said: list[Offence], standing: Standing) -> None:
    assume(standing.member.protected)

    assert not any(action.bites for action in contain(said, standing).now)


@given(st.lists(offences, max_size=5), standings)
def test_a_role_that_could_be_read_and_was_not_is_reminded_and_recalled_at_most(
    said: list[Offence], standing: Standing
) -> None:
    unknown = replace(standing, member=Member(account=WHO, role=Role.UNKNOWN), roles_known=True)

    assert not any(isinstance(action, Mute) for action in contain(said, unknown).now)


@given(st.lists(offences, max_size=5), standings)
def test_what_came_too_late_or_from_nobody_is_never_acted_on(said: list[Offence], standing: Standing) -> None:
    for hindered in (replace(standing, late=True), replace(standing, member=Member(account=""))):
        assert all(isinstance(action, AskStewards) for action in contain(said, hindered).now)
        assert all(opening_status(offence, None, hindered) is CaseStatus.FLAGGED for offence in said)


@given(st.lists(offences, max_size=5), standings)
def test_a_report_alone_never_mutes(said: list[Offence], standing: Standing) -> None:
    reported = [replace(offence, evidence=(Evidence(what="report"),)) for offence in said]

    assert not any(isinstance(action, Mute) for action in contain(reported, standing).now)


@given(st.lists(offences, max_size=5), standings)
def test_where_a_policy_only_warns_nothing_bites(said: list[Offence], standing: Standing) -> None:
    warned = replace(standing, stage=Stage.WARN_ONLY)

    assert not any(action.bites for action in contain(said, warned).now)


@given(offences, standings, st.sampled_from(sorted(DEFAULT_LADDERS)), st.integers(0, 5))
def test_no_case_takes_effect_by_itself_but_a_plain_member_s_first_reminder(
    offence: Offence, standing: Standing, name: str, strikes: int
) -> None:
    step = next_step(DEFAULT_LADDERS[name], strikes, Discipline())

    if opening_status(offence, step, standing) is CaseStatus.EFFECTIVE:
        assert (step.name, strikes) == ("remind", 0)
        assert not standing.member.protected
        assert not standing.late
        assert offence.auto != "flag"


# — deciding —


def case(**more: object) -> Case:
    made = Case(
        id=7,
        event_id="e",
        group_id=GROUP,  # type: ignore[arg-type]
        person_id=1,  # type: ignore[arg-type]
        account=WHO,  # type: ignore[arg-type]
        plugin="rude",
        rule="rude.word",
        reason="用语",
        severity=Severity.MEDIUM,
        status=CaseStatus.PROPOSED,
        opened_at=NOW,
    )
    return replace(made, **more)  # type: ignore[arg-type]


STEWARD = Member(account="sandbox:admin", steward=True)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("who", "person", "why"),
    [
        (Member(account="sandbox:li"), 9, "refused.not_steward"),
        (Member(account="sandbox:li", role=Role.ADMIN), 9, "refused.not_steward"),
        (Member(account=WHO, steward=True), 9, "refused.subject"),
        (Member(account="sandbox:second", steward=True), 1, "refused.subject"),
        (Member(account="sandbox:li", steward=True), 9, "refused.reporter"),
        (Member(account="qq:5", steward=True), 4, "refused.reporter"),
    ],
)
def test_who_may_not_decide_is_told_why(who: Member, person: int, why: str) -> None:
    refusal = may_decide(
        case(reporter="sandbox:li"),
        who,
        person,
        "理由",
        reason_needed=True,
        reporter_id=4,  # type: ignore[arg-type]
    )

    assert refusal is not None
    assert refusal.key == why


def test_a_steward_and_an_owner_may_decide() -> None:
    for who in (STEWARD, Member(account="sandbox:owner", role=Role.OWNER)):  # type: ignore[arg-type]
        assert may_decide(case(), who, None, "", reason_needed=False) is None


@pytest.mark.parametrize("note", ["", "  "])
def test_a_decision_that_needs_a_reason_is_not_taken_without(note: str) -> None:
    refusal = may_decide(case(), STEWARD, None, note, reason_needed=True)

    assert refusal is not None
    assert refusal.key == "refused.reason"


def test_one_person_agrees_once_by_whatever_account() -> None:
    def line(account: str, person: int | None, word: str = "approve") -> Decision:
        return Decision(account=account, person_id=person, word=word, note="", at=NOW)  # type: ignore[arg-type]

    decided = case(
        decisions=(line("qq:1", 5), line("wechat:1", 5), line("qq:2", None), line("qq:3", 6, "confirm"))
    )

    assert len(agreed(decided)) == 2
    assert has_agreed(decided, "wecom:1", 5)  # type: ignore[arg-type]
    assert not has_agreed(decided, "qq:3", 6)  # type: ignore[arg-type]


# — bursts, recalls, reversals —


@given(st.integers(-600, 600), st.integers(0, 300))
def test_a_hit_belongs_to_a_burst_whichever_of_the_two_came_first(apart: int, burst: int) -> None:
    at = NOW + timedelta(seconds=apart)

    belongs = burst_of(case(), at, timedelta(seconds=burst))

    assert belongs == (abs(apart) <= burst)
    assert belongs == burst_of(case(opened_at=at), NOW, timedelta(seconds=burst))


@pytest.mark.parametrize(("seconds", "forgiven"), [(0, True), (120, True), (120.001, False)])
def test_a_message_taken_back_within_the_grace_is_forgiven(seconds: float, forgiven: bool) -> None:
    recalled = NOW + timedelta(seconds=seconds)

    assert forgiven_by_recall(case(), recalled, timedelta(seconds=120), bitten=False) is forgiven


@pytest.mark.parametrize(
    ("more", "bitten"),
    [
        ({"severity": Severity.CRITICAL}, False),
        ({}, True),
        ({"evidence": (Evidence(what="repeat", detail="e2"),)}, False),
        ({"decisions": (Decision(account=WHO, person_id=None, word="approve", note="", at=NOW),)}, False),
    ],
)
def test_what_was_grave_acted_on_repeated_or_decided_is_not_forgiven_by_a_recall(
    more: dict[str, object], bitten: bool
) -> None:
    assert not forgiven_by_recall(case(**more), NOW, timedelta(seconds=120), bitten=bitten)


@given(st.lists(mutes | deeds, max_size=6))
def test_what_can_be_reversed_is_reversed_last_first(actions: list[Action]) -> None:
    back = reversals(actions)

    reversible = [action for action in actions if not action.irreversible]
    assert [action.inverse for action in reversed(reversible)] == list(back)


@pytest.mark.parametrize("state", OutboxState)
def test_what_may_have_reached_the_platform_is_taken_for_done(state: OutboxState) -> None:
    row = OutboxRow(
        event_id="e",
        index=0,
        group_id=GROUP,  # type: ignore[arg-type]
        action=Mute(group_id=GROUP, account=WHO, span=HOLDING_MUTE),  # type: ignore[arg-type]
        purpose="contain",
        state=state,
        created_at=NOW,
    )

    assert may_be_done(row) == (state in {OutboxState.DONE, OutboxState.PERFORMING, OutboxState.IN_DOUBT})
