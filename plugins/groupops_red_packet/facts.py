"""What facts other than words mean for items: red packets seen, people who leave and come back, persons made one."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from groupops import (
    AccountId,
    Action,
    Errand,
    MemberJoined,
    MemberLeft,
    Note,
    PersonChanged,
    PersonId,
    RedPacketSent,
)
from groupops_red_packet.follow import act
from groupops_red_packet.journal import TOLD, Entry, Item, Move, Order, State
from groupops_red_packet.ledger import Decide
from groupops_red_packet.room import Room
from groupops_red_packet.statement import yuan

Said = list[Action | Errand]


async def seen(event: RedPacketSent, room: Room) -> Said:
    """Keep that a red packet was seen: a fact beside the sender's own oldest item, and no more than that.

    It never counts for anybody else's item (S09-06); the sender has to accept, and a steward to confirm.
    """
    noted = Note(
        group_id=event.group_id,
        what="red packet seen",
        subject=f"account:{event.account}",
        detail={"message": event.message_id},
    )
    item = await _oldest(event.account, room)
    if item is None:
        return [noted]
    amount = event.red_packet.amount_fen
    shown = "?" if amount is None else yuan(amount)
    note = f"red packet {shown} [{event.message_id[:64]}]"
    await act(item.case_id, room, event.id, lambda _i, _j: (_order(room, Move.EVIDENCE, note=note),))
    said: Said = [noted, room.ask(item, "steward.seen", "option.settle")]
    if item.state is not State.ACCEPTED:
        said.append(room.write(item, "notice.seen"))
    return said


async def _oldest(account: AccountId, room: Room) -> Item | None:
    """Give the item a red packet of this account may be for: a promise first, then what waits for an answer."""
    found = await room.theirs(account, here=True, open_only=True)
    ready = [item for item in found if item.state in TOLD and not item.frozen]
    return min(ready, key=lambda item: (item.state is not State.ACCEPTED, item.opened_at), default=None)


async def left(event: MemberLeft, room: Room) -> Said:
    """Freeze what is open of somebody who left; not while the same person is still in by another account (G13)."""
    person = room.person_of(event.account)
    others = {member.account for member in room.tools.people.members(event.group_id)} - {event.account}
    if person is not None and any(room.person_of(other) == person for other in others):
        return []
    for item in await room.theirs(event.account, here=True, open_only=True):
        if not item.frozen:
            await _move(item, room, event.id, Move.FREEZE)
    return []


async def joined(event: MemberJoined, room: Room) -> Said:
    """Take up again what was frozen, where the policy says so; nothing is added for having left (G13)."""
    if not room.terms.restores:
        return []
    said: Said = []
    for item in await room.theirs(event.account, here=True, open_only=True):
        if item.frozen:
            said += await act(item.case_id, room, f"{event.id}/{item.case_id}", _restored(room))
    return said


def _restored(room: Room) -> Decide:
    def decide(item: Item, _journal: Sequence[Entry]) -> Sequence[Order]:
        orders = [_order(room, Move.RESTORE)]
        return [*orders, _order(room, Move.NOTIFY)] if item.state is State.APPROVED else orders

    return decide


async def changed(event: PersonChanged, room: Room) -> Said:
    """Carry over what the core learnt of persons: who left the organisation owes nothing, merged ones are one."""
    persons = (event.person_id, *event.former)
    if event.change == "left":
        for item in await room.ledger.items(persons=(event.person_id,), open_only=True):
            await _move(item, room, event.id, Move.CANCEL)
        return []
    if event.change in {"roles", "returned"}:
        return []
    await _rehome(event, persons, room)
    return []


async def _rehome(event: PersonChanged, persons: Collection[PersonId], room: Room) -> None:
    """Give each item to the person its account is bound to now; what is of a merged person goes to the one kept."""
    for item in await room.ledger.items(persons=persons):
        owner = room.person_of(item.account) if item.account else None
        if event.change == "merged" and item.person_id in event.former:
            owner = event.person_id
        if owner is not None and owner != item.person_id:
            await _move(item, room, event.id, Move.REASSIGN, person_id=owner)


async def _move(item: Item, room: Room, event_id: str, move: Move, person_id: PersonId | None = None) -> None:
    order = _order(room, move, person_id=person_id)
    await act(item.case_id, room, f"{event_id}/{item.case_id}", lambda _i, _j: (order,))


def _order(room: Room, move: Move, *, note: str = "", person_id: PersonId | None = None) -> Order:
    return Order(move=move, at=room.now, actor="core", note=note, person_id=person_id)
