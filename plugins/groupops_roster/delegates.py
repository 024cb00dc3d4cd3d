"""Changes of the roster said in a group: by stewards, and by whoever looks after a unit, for that unit only (C09)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from groupops import AccountId, CommandGiven, EnrolPersons, Person, PersonLine
from groupops_roster import cases, guests, leavers, naming
from groupops_roster.belonging import Authority, authority_of
from groupops_roster.cards import Verdict, safe_card
from groupops_roster.models import DelegateChange
from groupops_roster.newcomers import verified_here
from groupops_roster.scene import CARD, DELEGATES, LEAVER, OUTSIDER, Answer, Scene

LONGEST = 60
"""Characters a name or a unit may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a command says of a person: `姓名 部门 [编号]`."""

    name: str
    department: str
    ref: str = ""


def read_person(text: str) -> Told | None:
    """Read `姓名 部门 [编号]`; a name may hold spaces, a number is ASCII with a digit. None when it is not that."""
    parts = text.split()
    ref = parts.pop() if len(parts) > 2 and _is_ref(parts[-1]) else ""  # noqa: PLR2004 - name, unit, number
    if len(parts) < 2:  # noqa: PLR2004 - name and unit
        return None
    told = Told(name=" ".join(parts[:-1]), department=parts[-1], ref=ref)
    fields = (told.name, told.department)
    return told if all(len(one) <= LONGEST and safe_card(one) == one for one in fields) else None


def _is_ref(word: str) -> bool:
    return word.isascii() and any(sign.isdigit() for sign in word)


# — putting somebody on the roster —


async def enrolled(scene: Scene, event: CommandGiven) -> Answer:
    """`入册 姓名 部门 [编号]`: put somebody of one's unit on the roster."""
    told = read_person(event.args[0])
    if told is None:
        return [scene.answer(event, scene.say("enrol_form"))]
    refused = await _refused_unit(scene, event, told.department)
    if refused:
        return refused
    known = _alike(scene, told)
    if known is not None and not _authority(scene, event).over(known, inside=False):
        return await _refuse(scene, event, scene.named(known))
    if known is not None and known.active:
        return [scene.answer(event, scene.say("enrol_known", person=scene.named(known)))]
    line = _line(scene, event, told, known)
    text = scene.say("change_enrolled", person=_words(told))
    return await _changed(scene, event, (line,), "roster enrolled", text)


def _alike(scene: Scene, told: Told) -> Person | None:
    """Find who is meant on the roster: by the number, else by name and unit."""
    persons = scene.tools.people.persons()
    by_ref = [one for one in persons if told.ref and one.ref == told.ref]
    alike = [one for one in persons if (one.name, one.department) == (told.name, told.department)]
    found = by_ref or alike
    return found[0] if len(found) == 1 else None


def _line(
    scene: Scene, event: CommandGiven, told: Told, known: Person | None, *accounts: AccountId
) -> PersonLine:
    """Say what is told; what a command does not say stays as it was, roles above all."""
    giver = scene.person(event.account)
    company = known.company if known is not None else (giver.company if giver is not None else "")
    return PersonLine(
        person_id=None if known is None else known.id,
        ref=told.ref or ("" if known is None else known.ref),
        name=told.name,
        department=told.department,
        company=company,
        position="" if known is None else known.position,
        region="" if known is None else known.region,
        org_roles=frozenset() if known is None else known.org_roles,
        accounts=accounts,
    )


# — who somebody is —


async def updated(scene: Scene, event: CommandGiven) -> Answer:
    """`更新名册 @某人 姓名 部门 [编号]`: say who somebody in the group is; alone, close what the roster has settled."""
    if not event.args:
        return await _closed(scene, event)
    account, text = _meant(scene, event)
    told = None if account is None else read_person(text)
    if account is None or told is None:
        return [scene.answer(event, scene.say("update_form"))]
    if account == event.account:
        return [scene.answer(event, scene.say("not_oneself"))]
    refused = await _refused_unit(scene, event, told.department)
    if refused:
        return refused
    known = scene.person(account) or _alike(scene, told)
    if known is not None and not _authority(scene, event).over(known, inside=True):
        return await _refuse(scene, event, scene.named(known))
    line = _line(scene, event, told, known, account)
    change = scene.say("change_updated", person=_words(told))
    done = await _changed(scene, event, (line,), "roster updated", change)
    return [*done, *await _dismissals(scene, event, account, (OUTSIDER,), "now_registered")]


def _meant(scene: Scene, event: CommandGiven) -> tuple[AccountId | None, str]:
    """Part the account from the words: a mention, or a card or name that only one member has."""
    text = event.args[0]
    if event.mentioned:
        return event.mentioned[0], text
    word, _, rest = text.partition(" ")
    shown = word.removeprefix("@")
    fitting = [
        one.account for one in scene.members() if shown in (one.account, one.card, one.name, one.real_name)
    ]
    return (fitting[0] if len(fitting) == 1 else None), rest


async def _closed(scene: Scene, event: CommandGiven) -> Answer:
    """Close the cases that the roster has settled since."""
    if not scene.member(event.account).steward:
        return await _refuse(scene, event, scene.say("whole_roster"))
    settled = await settled_cases(scene)
    done: Answer = []
    for account, rule, why in settled:
        done += await _dismissals(scene, event, account, (rule,), why)
    count = len([item for item in done if item.kind == "dismiss_case"])
    return [*done, scene.answer(event, scene.say("closed" if count else "closed_none", count=count))]


async def settled_cases(scene: Scene) -> list[tuple[AccountId, str, str]]:
    """Give the undecided cases that the roster speaks against: account, rule, and the text that says why."""
    waiting = await cases.undecided(scene)
    if not waiting:
        return []
    verified, invited = await verified_here(scene), await guests.guests_here(scene)
    excepted = await naming.exceptions(scene)
    found: list[tuple[AccountId, str, str]] = []
    for row in waiting:
        account = AccountId(row.account)
        why = _settled_by(scene, account, row.rule, verified | invited, excepted)
        if why:
            found.append((account, row.rule, why))
    return found


def _settled_by(
    scene: Scene, account: AccountId, rule: str, known: frozenset[str], excepted: frozenset[str]
) -> str:
    """Give the text that says why a case is settled; empty while it is not."""
    person = scene.person(account)
    here = person is not None and person.active
    if rule == OUTSIDER and (here or account in known):
        return "now_registered" if here else "now_verified"
    if rule == LEAVER and here:
        return "now_returned"
    if rule != CARD:
        return ""
    said = naming.judged(scene, scene.member(account))
    right = said is not None and said.verdict is Verdict.VALID
    return "now_right" if right or account in excepted else ""


async def _dismissals(
    scene: Scene, event: CommandGiven, account: AccountId, rules: Iterable[str], why: str
) -> Answer:
    """Only a steward's word closes a case; a delegate's change is listed to the stewards."""
    if not scene.member(event.account).steward:
        return []
    return await cases.dismissed(scene, account, event.account, scene.say(why), rules)


# — taking somebody off —


async def removed(scene: Scene, event: CommandGiven) -> Answer:
    """`移出 李四 调离`: say that somebody has left, and why; the reason is required."""
    person, reason, refusal = _leaving(scene, event)
    if person is None:
        return [scene.answer(event, scene.say(refusal, name=safe_card(event.args[0])))]
    own = scene.person(event.account)
    if own is not None and own.id == person.id:
        return [scene.answer(event, scene.say("not_oneself"))]
    authority = _authority(scene, event)
    here = scene.here(person)
    if not authority.over(person, inside=bool(here)):
        return await _refuse(scene, event, scene.named(person))
    if not reason:
        return [scene.answer(event, scene.say("remove_reason", name=person.name))]
    line = _gone(scene, person)
    change = scene.say("change_removed", person=scene.named(person), reason=safe_card(reason))
    done = await _changed(scene, event, (line,), "roster removed", change)
    for account in here:
        await leavers.member_left(scene, account)
        await leavers.remember(scene, person, account, until_open=False)
        done += await leavers.act(scene, account, scene.say("leaver_said", reason=safe_card(reason)))
    return done


def _gone(scene: Scene, person: Person) -> PersonLine:
    return PersonLine(
        person_id=person.id,
        ref=person.ref,
        name=person.name,
        department=person.department,
        company=person.company,
        position=person.position,
        region=person.region,
        org_roles=person.org_roles,
        active=False,
        left_at=scene.now,
    )


def _leaving(scene: Scene, event: CommandGiven) -> tuple[Person | None, str, str]:
    """Give who is to leave and why, or the text that says what is wrong."""
    text = event.args[0].strip()
    if event.mentioned:
        person = scene.person(event.mentioned[0])
        return (person, text, "") if person is not None else (None, "", "remove_unknown")
    words = text.split()
    for end in range(len(words), 0, -1):
        found = _called(scene, " ".join(words[:end]))
        if len(found) == 1:
            return found[0], " ".join(words[end:]), ""
        if found:
            return None, "", "remove_several"
    return None, "", "remove_unknown"


def _called(scene: Scene, name: str) -> Sequence[Person]:
    """Give the active persons of a name, or of `部门-姓名`; of several, those in the group."""
    active = [one for one in scene.tools.people.persons() if one.active]
    found = [one for one in active if name in (one.name, f"{one.department}-{one.name}")]
    inside = [one for one in found if scene.here(one)]
    return inside if len(found) > 1 and inside else found


# — what all of it has in common —


def _authority(scene: Scene, event: CommandGiven) -> Authority:
    giver = scene.member(event.account)
    found = authority_of(giver, scene.person(event.account), scene.settings.delegate_roles)
    return found or Authority()


async def _refused_unit(scene: Scene, event: CommandGiven, department: str) -> Answer:
    """Refuse a change of a unit the giver does not look after; nothing when the giver does."""
    person = scene.person(event.account)
    company = "" if person is None else person.company
    if _authority(scene, event).over_unit(company, department):
        return []
    return await _refuse(scene, event, department)


async def _refuse(scene: Scene, event: CommandGiven, about: str) -> Answer:
    """Turn an attempt down, and write it down (S21)."""
    text = scene.say("change_refused", what=event.name, about=safe_card(about))
    await _keep(scene, event, text, refused=True)
    return [
        scene.note("roster change refused", f"account:{event.account}", event.account, command=event.name),
        scene.answer(event, scene.say("refused", ref=scene.ref(DELEGATES))),
    ]


async def _changed(
    scene: Scene, event: CommandGiven, lines: tuple[PersonLine, ...], what: str, text: str
) -> Answer:
    await _keep(scene, event, text, refused=False)
    known = lines[0].person_id
    subject = f"person:{known}" if known is not None else f"account:{event.account}"
    return [
        EnrolPersons(group_id=scene.group_id, lines=lines, by=event.account),
        scene.note(what, subject, event.account),
        scene.answer(event, scene.say("change_done", text=text)),
    ]


async def _keep(scene: Scene, event: CommandGiven, text: str, *, refused: bool) -> None:
    await DelegateChange.create(
        group_id=scene.group_id, by=event.account, text=text, refused=refused, at=scene.now
    )


def _words(told: Told) -> str:
    return f"{told.name}({told.department})"


async def changes_since(scene: Scene, moment: datetime | None) -> list[DelegateChange]:
    """Give what was said of the roster in this group since a moment; from the start when it is None."""
    rows = DelegateChange.filter(group_id=scene.group_id)
    rows = rows if moment is None else rows.filter(at__gt=moment)
    return await rows.order_by("id")
