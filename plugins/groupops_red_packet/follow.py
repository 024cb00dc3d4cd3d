"""From a case to its item: whatever the core decides of the case is carried over into the ledger."""

from __future__ import annotations

from collections.abc import Sequence

from groupops import Action, AskStewards, Case, Errand, Stage
from groupops_red_packet.journal import Entry, Item, Move, NotPossible, Order, State
from groupops_red_packet.ledger import Acted, Decide, Proposal, month_of, source_of
from groupops_red_packet.room import STEP, SUBJECT, Room

_OPENING = frozenset({"proposed", "effective", "appealed"})
"""What a case may be for its item to be opened; one that came to nothing never had any."""


async def propose(case: Case, room: Room) -> Acted | None:
    """Open the item of a case that stands at our step; None where nothing is opened.

    The amount is the tariff of the rule, no more than the month's cap leaves; nothing at all outside
    `commitment`, and nothing before the policy is enforced. Who has left the organisation is entered no more.
    """
    settings = room.settings
    if room.closed_key or case.step != STEP or case.status.value not in _OPENING:
        return None
    if room.has_left(case.account):
        return None
    draft = Item(
        case_id=case.id,
        group_id=case.group_id,
        person_id=case.person_id,
        account=case.account,
        rule=case.rule,
        clause=case.clause.ref if case.clause else "",
        source=source_of(case.id, case.group_id, case.message_id),
        mode=settings.mode,
        alternatives=settings.alternatives,
        approvals=settings.approvals_needed,
        due_days=settings.due_days,
        lapse_days=settings.lapse_days,
        opened_at=room.now,
    )
    bites = room.group.stage is Stage.ENFORCED
    return await room.ledger.propose(
        Proposal(
            draft=draft,
            amount_fen=settings.tariff_fen(case.rule) if bites else 0,
            cap_fen=settings.cap_fen,
            month=month_of(case.opened_at, room.zone),
            at=room.now,
        )
    )


async def imposed(case: Case, room: Room) -> list[Action | Errand]:
    """Answer an approved step: the item is there, and what follows comes when the case is in force.

    Where nothing is opened, the stewards are told so, since they approved something that does not happen.
    """
    closed = f"steward.{room.closed_key}" if room.closed_key else ""
    if not closed and room.has_left(case.account):
        closed = "steward.left"
    if closed:
        return [AskStewards(group_id=case.group_id, text=room.texts(closed, id=case.id))]
    acted = await propose(case, room)
    return [] if acted is None else _duplicate(case, acted, room)


def _duplicate(case: Case, acted: Acted, room: Room) -> list[Action | Errand]:
    if acted.item.case_id == case.id:
        return []
    text = room.texts("steward.duplicate", id=case.id, other=acted.item.case_id)
    return [AskStewards(group_id=case.group_id, text=text, subject=f"{SUBJECT}{case.id}")]


async def follow(case: Case, room: Room, key: str) -> list[Action | Errand]:
    """Bring a case's item to where the case stands.

    Args:
        case: as it is now.
        room: the case's group.
        key: of the fact that made us look; the same fact twice does and says the same.

    Returns:
        The notice to the person, and what the stewards are asked.
    """
    if await room.ledger.item(case.id) is None:
        acted = await propose(case, room)
        if acted is None or acted.item.case_id != case.id:
            return []
    return await act(case.id, room, key, lambda item, journal: orders_of(case, item, journal, room))


async def act(case_id: int, room: Room, key: str, decide: Decide) -> list[Action | Errand]:
    """Do something to an item that nobody asked for in words; gives what is to be said of it."""
    try:
        acted = await room.ledger.act(case_id, key, decide)
    except NotPossible as error:
        room.tools.log.info(
            "item stays", item=case_id, move=error.move.value, state=error.item.state.value, why=error.why
        )
        return []
    return [] if acted is None else after(acted, room)


def after(acted: Acted, room: Room) -> list[Action | Errand]:
    """Say what follows from lines of the journal, to the item's person and to the stewards."""
    item = acted.item
    moves = {entry.move for entry in acted.written}
    said: list[Action | Errand] = []
    if Move.APPROVE in moves or (acted.written and not item.state.open):
        said.append(room.done_with(item))
    if Move.NOTIFY in moves:
        said.append(room.notice(item))
    elif Move.AGREE in moves and Move.APPROVE not in moves:
        agreed = sum(entry.move is Move.AGREE for entry in acted.journal)
        said.append(room.ask(item, "steward.more", "option.agree", missing=max(1, item.approvals - agreed)))
    if any(
        entry.move is Move.REVERSE and entry.source.value == State.SETTLED.value for entry in acted.written
    ):
        said.append(room.ask(item, "steward.give_back"))
    return said


def orders_of(case: Case, item: Item, journal: Sequence[Entry], room: Room) -> list[Order]:
    """Say what has to be done to an item so that it stands where its case does; pure."""
    status = case.status.value
    if status in ("proposed", "flagged", "effective"):
        return _in_force(case, item, journal, room)
    move = _ENDS.get(status)
    if status == "dismissed" and not item.state.open:
        move = Move.REVERSE
    return [] if move is None or _is_so(item, move) else [_order(room, move)]


_ENDS = {
    "appealed": Move.APPEAL,
    "reversed": Move.REVERSE,
    "waived": Move.WAIVE,
    "dismissed": Move.CANCEL,
    "withdrawn": Move.CANCEL,
    "lapsed": Move.EXPIRE,
}
"""What a case's end means for its item."""


def _is_so(item: Item, move: Move) -> bool:
    """Say whether an item stands there already, or is past it."""
    if move is Move.APPEAL:
        return item.state is State.APPEALED or not item.state.open
    if move is Move.REVERSE:
        return item.state not in (State.SETTLED, State.SETTLED_BY_ALTERNATIVE) and not item.state.open
    return not item.state.open


def _in_force(case: Case, item: Item, journal: Sequence[Entry], room: Room) -> list[Order]:
    """Go on where an appeal stopped; once the case is in force, count who approved it, and tell the person."""
    orders: list[Order] = []
    state = item.state
    if state is State.APPEALED:
        orders.append(_order(room, Move.RESUME))
        state = item.before or State.PROPOSED
    if case.status.value != "effective":
        return orders
    if state is State.PROPOSED:
        agreed = approvers(journal, room)
        for account in _approved_by(case, item, room):
            if room.human(account) not in agreed:
                agreed.add(room.human(account))
                orders.append(_order(room, Move.AGREE, actor=account))
        if len(agreed) >= item.approvals:
            orders.append(_order(room, Move.APPROVE))
            state = State.APPROVED
    if state is State.APPROVED and not item.frozen:
        orders.append(_order(room, Move.NOTIFY))
    return orders


def _approved_by(case: Case, item: Item, room: Room) -> list[str]:
    """Give the stewards who approved the case's step and may approve items here."""
    return [
        str(line.account)
        for line in case.decisions
        if line.word == "approve"
        and not room.barrier(item, case, room.tools.people.member(item.group_id, line.account))
    ]


def approvers(journal: Sequence[Entry], room: Room) -> set[str]:
    """Give who agreed to an item so far, one word per human."""
    return {room.human(entry.actor) for entry in journal if entry.move is Move.AGREE}


def _order(room: Room, move: Move, actor: str = "core") -> Order:
    return Order(move=move, at=room.now, actor=actor)
