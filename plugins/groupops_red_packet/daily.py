"""Once a day: what the clock decides of a group's items, and what a stopped process may have missed."""

from __future__ import annotations

from collections.abc import Sequence

from groupops import Action, DirectMessage, Errand, Note, SendText, TimeCame, WaiveCase
from groupops_red_packet.follow import act, follow
from groupops_red_packet.journal import (
    Entry,
    Item,
    Move,
    Order,
    is_lapsed,
    is_overdue,
    late_for_approval,
    reminders_due,
    unanswered,
)
from groupops_red_packet.ledger import Decide
from groupops_red_packet.room import Room
from groupops_red_packet.statement import as_public, as_text, first_of
from groupops_red_packet.stating import statement_of

Said = list[Action | Errand]

MOST = 500
"""Items looked at in one day and group; the oldest first, so that every one has its turn as they close."""


async def day(event: TimeCame, room: Room) -> Said:
    """Bring every open item of the group up to date, and take the persons out of old ones.

    Money is never asked for: what is late is a word to the stewards and nothing else (E1, E2).
    """
    said: Said = []
    for item in (await room.ledger.items(group_id=room.group.id, open_only=True))[:MOST]:
        said += await _looked_at(item, event, room)
    gone = await room.ledger.anonymise(room.group.id, room.now - room.terms.keep)
    if gone:
        said.append(Note(group_id=room.group.id, what="red packet items anonymised", detail={"items": gone}))
    if not room.closed_key and event.due_at.astimezone(room.zone).day == 1:
        said += await _monthly(room)
    return said


async def _looked_at(item: Item, event: TimeCame, room: Room) -> Said:
    key = f"{event.id}/{item.case_id}"
    if room.settings.minors:
        return await act(item.case_id, room, f"{key}/minors", _one(room, Move.CANCEL))
    if room.has_left(item.account):  # the word of it may have been lost with its process
        return await act(item.case_id, room, f"{key}/left", _one(room, Move.CANCEL))
    case = await room.tools.cases.case(item.case_id)
    said = await follow(case, room, f"{key}/case") if case is not None else []
    if room.closed_key:
        return said  # switched off: what the core decides is still carried over, no clock is
    return said + await _clocked(item.case_id, key, room)


async def _clocked(case_id: int, key: str, room: Room) -> Said:
    """Do what the clock says of one item; at most one thing a day."""
    item = await room.ledger.item(case_id)
    if item is None or not item.state.open:
        return []
    now = room.now
    if late_for_approval(item, now):
        return await act(case_id, room, f"{key}/expire", _one(room, Move.EXPIRE))
    if unanswered(item, now):
        return await _won(item, room, f"{key}/won")
    if item.frozen:
        return []
    if is_lapsed(item, now):
        return await _then(item, room, f"{key}/lapse", Move.EXPIRE, ("notice.lapsed",))
    if is_overdue(item, now):
        return (
            [] if item.overdue else await _then(item, room, f"{key}/due", Move.OVERDUE, ("steward.overdue",))
        )
    if reminders_due(item, now, room.settings.remind_before_days) > item.reminded:
        return await _then(item, room, f"{key}/remind", Move.REMIND, ("notice.remind",))
    return []


async def _won(item: Item, room: Room, key: str) -> Said:
    """An appeal nobody decided ends in the person's favour, in the ledger and at the core, which tells the person."""
    acted = await room.ledger.act(item.case_id, key, _one(room, Move.WAIVE))
    if acted is None or not acted.written:
        return []
    waive = WaiveCase(
        group_id=item.group_id, case_id=item.case_id, note=room.texts("appeal_won", id=item.case_id)
    )
    return [waive, room.done_with(item)]


async def _then(item: Item, room: Room, key: str, move: Move, words: Sequence[str]) -> Said:
    """Do something and say it; the item is told of as it was, which is what the words are about."""
    acted = await room.ledger.act(item.case_id, key, _one(room, move))
    if acted is None or not acted.written:
        return []
    return [room.ask(item, word) if word.startswith("steward.") else room.write(item, word) for word in words]


def _one(room: Room, move: Move) -> Decide:
    def decide(_item: Item, _journal: Sequence[Entry]) -> Sequence[Order]:
        return (Order(move=move, at=room.now, actor="clock"),)

    return decide


async def _monthly(room: Room) -> Said:
    """Hand the stewards last month's sums, and post counts alone where there are enough to hide in."""
    first = first_of("", room.zone, room.now)
    if first is None:
        return []
    made = await statement_of(room.group, first, room.ledger)
    if made.empty:
        return []
    text = room.texts("steward.month", month=made.month, statement=as_text(made, room.texts))
    said: Said = [
        DirectMessage(group_id=room.group.id, account=member.account, text=text)
        for member in room.tools.people.members(room.group.id)
        if member.steward
    ]
    if room.settings.post_totals and len(made.items) >= room.settings.post_least:
        said.append(SendText(group_id=room.group.id, text=as_public(made, room.texts)))
    return said
