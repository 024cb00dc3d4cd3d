"""Answers to who asks for a list: a day, a week, or what is kept of oneself; only privately, and noted."""

import asyncio
from collections.abc import Iterable
from datetime import date, timedelta

from groupops import AccountId, Capability, CommandGiven, Member, SendFile, SendImage, Tools
from groupops_check_in import book
from groupops_check_in.board import Roll, Week, roll_text, week_of, week_text
from groupops_check_in.consent import Word, holds
from groupops_check_in.daily import sent
from groupops_check_in.dates import NoDay, monday_of, read_day, read_week
from groupops_check_in.fonts import NoFont
from groupops_check_in.view import (
    Answer,
    View,
    answer,
    can_write,
    dispatchers,
    may_see,
    names,
    openly,
    privately,
    worker_of,
)

_SIX_DAYS = timedelta(days=6)


async def roll(event: CommandGiven, member: Member, view: View, tools: Tools) -> Answer:
    """Give a day's list to a dispatcher or a steward, and what waits for approval."""
    texts = tools.texts
    if not may_see(member, view):
        return [answer(event, texts("not_dispatcher"), texts("not_dispatcher"))]
    try:
        day = read_day(event.args[0] if event.args else texts("word_today"), view.today(event.at))
    except NoDay:
        return [answer(event, texts("no_day"), texts("no_day"))]
    entries = await book.entries(view.group_id, day, day)
    lines = [
        roll_text(Roll(day=day, shift="", entries=tuple(entries)), view, names(tools), texts)
        if entries
        else texts("roll_empty", day=f"{day:%Y-%m-%d}", days=view.settings.retention_days)
    ]
    waiting = await book.open_petitions(view.group_id)
    if waiting:
        lines.append(texts("petitions_wait", ids="、".join(str(one.id) for one in waiting)))
    looked = sent(view, "check-in list looked at", day.isoformat(), 1, event.account)
    return [answer(event, "\n".join(lines), texts("alone_only")), looked]


async def board(event: CommandGiven, member: Member, view: View, tools: Tools) -> Answer:
    """Give a week's board to a dispatcher or a steward: as text, and where the platform can, picture and table."""
    texts = tools.texts
    if not may_see(member, view):
        return [answer(event, texts("not_dispatcher"), texts("not_dispatcher"))]
    try:
        monday = read_week(event.args[0] if event.args else "", view.today(event.at))
    except NoDay:
        return [answer(event, texts("no_week"), texts("no_week"))]
    week = await load_week(monday, view, tools)
    looked = sent(view, "check-in board looked at", monday.isoformat(), 1, event.account)
    shown = await _shown([event.account], week, view, tools)
    return [answer(event, week_text(week, texts), texts("alone_only")), *shown, looked]


async def sent_board(at: date, view: View, tools: Tools) -> Answer:
    """Give this week's board to the dispatchers, unasked."""
    monday = monday_of(at)
    week = await load_week(monday, view, tools)
    if not week.lines:
        return []
    if not can_write(view, tools):
        return openly(view, tools.texts("roll_waits"))
    to = dispatchers(view, tools)
    said: Answer = [*privately(view, to, week_text(week, tools.texts))]
    said += await _shown(to, week, view, tools)
    return [*said, sent(view, "check-in board sent", monday.isoformat(), len(to))]


async def load_week(monday: date, view: View, tools: Tools) -> Week:
    """Put a week of a group together from what is kept."""
    entries = await book.entries(view.group_id, monday, monday + _SIX_DAYS)
    days = [monday + timedelta(days=number) for number in range(7)]
    worked = {day: tools.calendar.is_workday(day) for day in days}
    return week_of(monday, entries, view, names(tools), worked, tools.texts)


async def _shown(to: Iterable[AccountId], week: Week, view: View, tools: Tools) -> Answer:
    """Make picture and table once, where both the platform and this machine are able to, and give them to each."""
    if not week.lines or not can_write(view, tools):
        return []
    picture, sheet = await _picture(week, view, tools), await _sheet(week, view, tools)
    name = tools.texts("file_name", first=f"{week.days[0]:%Y%m%d}")
    said: Answer = []
    for account in to:
        if picture is not None:
            said.append(SendImage(group_id=view.group_id, data=picture, account=account, passing=True))
        if sheet is not None:
            said.append(
                SendFile(group_id=view.group_id, name=name, data=sheet, account=account, passing=True)
            )
    return said


async def _picture(week: Week, view: View, tools: Tools) -> bytes | None:
    """Draw the board, where a picture can be sent and there is a font for it."""
    from groupops_check_in.picture import draw

    if Capability.SEND_IMAGE not in tools.people.can(view.group_id):
        return None
    try:
        return await asyncio.to_thread(draw, week, tools.texts, view.settings.font)
    except NoFont as error:
        tools.log.warning("no picture of the board", group=view.group_id, why=str(error))
        return None


async def _sheet(week: Week, view: View, tools: Tools) -> bytes | None:
    """Write the board as a table, where a file can be sent."""
    from groupops_check_in.sheet import table

    if Capability.SEND_FILE not in tools.people.can(view.group_id):
        return None
    return await asyncio.to_thread(table, week, tools.texts)


async def mine(event: CommandGiven, view: View, tools: Tools) -> Answer:
    """Tell a person what is kept of them here: consent, days, corrections, petitions."""
    texts = tools.texts
    worker = worker_of(event.account, view, tools)
    person = tools.people.person(event.account)
    if person is None or (worker is None and not await book.said_of(person.id)):
        return [answer(event, texts("not_owed"), texts("neutral"))]
    last = await book.last_said(view.group_id, person.id)
    lines = [
        texts("mine_agreed", day=f"{view.local(last.at):%Y-%m-%d}", days=view.settings.retention_days)
        if last is not None and holds(last, view.terms)
        else texts("mine_withdrawn" if last and last.word is Word.WITHDRAWN else "mine_no_consent")
    ]
    today = view.today(event.at)
    first = today - timedelta(days=view.settings.retention_days)
    kept = await book.entries(view.group_id, first, date.max, person.id)
    lines += [
        texts(
            "mine_day",
            day=f"{entry.day:%m-%d}",
            state=texts(f"state_{entry.state.value}"),
            time=view.clock(entry.at) if entry.at else "",
            place=entry.place or (texts("nowhere") if entry.at else ""),
            means=texts("mine_means", means=texts(f"means_{entry.means}")) if entry.means else "",
        ).rstrip()
        for entry in kept
    ]
    lines += [
        texts("mine_moved", day=f"{move.day:%m-%d}", was=move.was or texts("nowhere"), place=move.place)
        for move in await book.moves(view.group_id, person.id, first, today)
    ]
    lines += [
        texts("mine_waits", id=one.id, what=texts(f"what_{one.what.value}"), day=f"{one.day:%m-%d}")
        for one in await book.open_petitions(view.group_id, person.id)
    ]
    return [answer(event, "\n".join(lines), texts("neutral"))]
