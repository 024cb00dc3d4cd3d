"""Consent in words: told privately, given, refused and taken back; what follows is done at once (`rules.md` E4)."""

from collections.abc import Sequence
from datetime import datetime

from groupops import DirectMessage, Note, Option, PersonId, Tools
from groupops_check_in import book
from groupops_check_in.consent import Said, Word, holds, to_be_asked, was_told
from groupops_check_in.settings import CheckIn
from groupops_check_in.view import (
    Answer,
    Spoken,
    View,
    Worker,
    answer,
    can_write,
    cited,
    openly,
    worker_of,
    workers,
)

SUBJECT = "check_in:consent"
"""What a press on one of the buttons of the question is about."""


def purpose(view: View, tools: Tools) -> str:
    """Give the text that is agreed to: purpose, what is kept, how long, who sees it, what else will do, how to end it."""
    settings, texts = view.settings, tools.texts
    return texts(
        "purpose",
        clause=cited(view, texts),
        purpose=settings.purpose,
        kept=texts(f"kept_{settings.precision.replace('.', '_')}"),
        days=settings.retention_days,
        role=settings.dispatcher_role,
        attendance=texts("attendance") if settings.attendance_minutes else "",
        hours=_hours(settings, tools),
    )


def _hours(settings: CheckIn, tools: Tools) -> str:
    return "、".join(
        tools.texts("hours", name=one.name, open=f"{one.opens:%H:%M}", close=f"{one.closes:%H:%M}")
        for one in settings.all_shifts
    )


async def invite_all(view: View, at: datetime, tools: Tools) -> Answer:
    """Ask everybody who owes a check-in and has not been asked on these terms; each once."""
    known = await book.all_said(view.group_id)
    asked = [one for one in workers(view, tools) if to_be_asked(known.get(one.person.id), view.terms)]
    return await _invite(asked, view, at, tools)


async def invite(event: Spoken, view: View, tools: Tools) -> Answer:
    """Ask now, on a steward's word, and say how many were asked."""
    known = await book.all_said(view.group_id)
    owing = list(workers(view, tools))
    asked = [one for one in owing if to_be_asked(known.get(one.person.id), view.terms)]
    told = tools.texts("invited", count=len(asked), all=len(owing))
    return [
        *await _invite(asked, view, tools.clock.now(), tools),
        answer(event, told, tools.texts("neutral")),
    ]


async def _invite(asked: Sequence[Worker], view: View, at: datetime, tools: Tools) -> Answer:
    for worker in asked:
        await _write(view, worker, Word.ASKED, at)
    if not asked:
        return []
    text = purpose(view, tools)
    if not can_write(view, tools):
        return openly(view, text)
    return [_question(view, worker, text, tools) for worker in asked]


def _question(view: View, worker: Worker, text: str, tools: Tools) -> DirectMessage:
    words = (tools.texts("word_agree"), tools.texts("word_decline"))
    return DirectMessage(
        group_id=view.group_id,
        account=worker.account,
        text=text,
        options=tuple(Option(word=word) for word in words),
        subject=SUBJECT,
    )


async def _write(view: View, worker: Worker, word: Word, at: datetime, text: str = "") -> None:
    await book.say(
        Said(
            group_id=view.group_id,
            person_id=worker.person.id,
            account=worker.account,
            word=word,
            terms=view.terms,
            purpose=text,
            at=at,
        )
    )


async def agree(event: Spoken, view: View, tools: Tools) -> Answer:
    """Take a yes, once the purpose was told; before that, tell it."""
    texts = tools.texts
    worker = worker_of(event.account, view, tools)
    if worker is None:
        return [answer(event, texts("not_owed"), texts("neutral"))]
    last = await book.last_said(view.group_id, worker.person.id)
    if holds(last, view.terms):
        return [answer(event, texts("agreed_already"), texts("neutral"))]
    at = tools.clock.now()
    text = purpose(view, tools)
    if not was_told(last, view.terms):
        await _write(view, worker, Word.ASKED, at)
        first = texts("read_first", text=text)
        return [answer(event, first, first)]
    await _write(view, worker, Word.AGREED, at, text)
    due = f"{worker.shift.due:%H:%M}"
    return [
        answer(event, texts("agreed", due=due), texts("neutral")),
        _note(view, worker.person.id, "agreed", event),
    ]


async def decline(event: Spoken, view: View, tools: Tools) -> Answer:
    """Take a no: nothing follows from it, and it is not asked again. From who had agreed it is a withdrawal."""
    worker = worker_of(event.account, view, tools)
    if worker is None:
        return [answer(event, tools.texts("not_owed"), tools.texts("neutral"))]
    last = await book.last_said(view.group_id, worker.person.id)
    if last is not None and last.word is Word.AGREED:
        return await withdraw(event, view, tools)
    await _write(view, worker, Word.DECLINED, tools.clock.now())
    return [answer(event, tools.texts("declined"), tools.texts("neutral"))]


async def withdraw(event: Spoken, view: View, tools: Tools) -> Answer:
    """Take consent back in every group and delete all that was kept of the person, now."""
    person = tools.people.person(event.account)
    if person is None:
        return [answer(event, tools.texts("nothing_kept"), tools.texts("neutral"))]
    gone = await end(person.id, Word.WITHDRAWN, tools.clock.now())
    return [
        answer(event, tools.texts("withdrawn", count=gone), tools.texts("neutral")),
        _note(view, person.id, "withdrawn", event),
    ]


async def end(person_id: PersonId, word: Word, at: datetime) -> int:
    """End a person's consent in every group and delete the days; gives how many there were."""
    for said in await book.said_of(person_id):
        if said.word in (Word.AGREED, Word.ASKED):
            await book.say(
                Said(
                    group_id=said.group_id,
                    person_id=person_id,
                    account=said.account,
                    word=word,
                    terms=said.terms,
                    at=at,
                )
            )
    return await book.erase(person_id)


async def erase(event: Spoken, view: View, tools: Tools) -> Answer:
    """Delete a person's places and past days in every group; consent holds on."""
    person = tools.people.person(event.account)
    if person is None:
        return [answer(event, tools.texts("nothing_kept"), tools.texts("neutral"))]
    at = tools.clock.now()
    gone = await book.erase_places(person.id, view.today(at))
    last = await book.last_said(view.group_id, person.id)
    if last is not None:
        said = Said(
            group_id=view.group_id,
            person_id=person.id,
            account=event.account,
            word=Word.ERASED,
            terms=last.terms,
            at=at,
        )
        await book.say(said)
    return [
        answer(event, tools.texts("erased", count=gone), tools.texts("neutral")),
        _note(view, person.id, "places erased", event),
    ]


def _note(view: View, person_id: PersonId, what: str, event: Spoken) -> Note:
    return Note(
        group_id=view.group_id, what=f"check-in {what}", subject=f"person:{person_id}", actor=event.account
    )
