"""Answers to commands and buttons: what members may do with their own items, and stewards with those of others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

from groupops import Action, Arg, ChoiceMade, Command, CommandGiven, Errand, Note, SendFile
from groupops_red_packet.follow import approvers
from groupops_red_packet.journal import (
    Entry,
    Item,
    Move,
    NotPossible,
    Order,
    State,
    late_for_approval,
)
from groupops_red_packet.ledger import Acted
from groupops_red_packet.room import Asked, Declined, Room, number_of
from groupops_red_packet.statement import as_text, as_xlsx, fen_of, first_of, money, totals
from groupops_red_packet.stating import statement_of

NOTE = 200
"""Characters kept of what somebody wrote about an item."""

LINES = 20
"""Items listed in one answer."""

_SAID = 2
"""Letters an apology must have at least: signs alone are no words."""

_SIGNS = " ::,,"
"""What may stand between an alternative and the words said for it."""

_YEAR = timedelta(days=366)

Said = list[Action | Errand]
Handler = Callable[[Asked, Sequence[str], Room], Awaitable[Said]]


async def answer(event: CommandGiven, room: Room) -> Said:
    """Answer a command of ours."""
    handler = HANDLERS[event.name]
    if room.closed_key and event.name not in ALWAYS:
        return [room.say(event, room.closed_key)]
    return await _guarded(handler, event, event.args, room)


async def choose(event: ChoiceMade, room: Room) -> Said | None:
    """Take a choice about an item; the same as its typed command. None when it is about something else."""
    number = number_of(event.subject)
    if number is None:
        return None
    if room.closed_key:
        return [room.say(event, room.closed_key)]
    texts, args = room.texts, (str(number), event.note)
    if event.word == texts("option.appeal"):
        return [room.say(event, "said.appeal", id=number)]
    for word, handler in (("option.accept", _accept), ("option.agree", _agree), ("option.settle", _settle)):
        if event.word == texts(word):
            return await _guarded(handler, event, args, room)
    wanted = event.note if event.word == texts("option.instead") else f"{event.word} {event.note}"
    return await _guarded(_instead, event, (str(number), wanted.strip()), room)


async def _guarded(handler: Handler, event: Asked, args: Sequence[str], room: Room) -> Said:
    """Say why something was refused, where it was."""
    try:
        return await handler(event, args, room)
    except (Declined, NotPossible) as error:
        key, values = room.refusal(error)
        if key == "refused.amount":
            return [room.tell(event, room.texts(key, **values))]
        return [room.say(event, key, **values)]


# — a member and the own items —


async def _own(event: Asked, args: Sequence[str], room: Room) -> Item:
    """Give the own item that is meant; somebody else's is not there."""
    item = await room.ledger.item(int(args[0]))
    if item is None or not room.owns(item, event.account):
        raise Declined("refused.none", id=args[0])
    return item


async def _accept(event: Asked, args: Sequence[str], room: Room) -> Said:
    """The person promises; it also takes back an alternative that was chosen before."""
    item = await _own(event, args, room)

    def decide(now: Item, _journal: Sequence[Entry]) -> Sequence[Order]:
        if now.state is State.ACCEPTED and now.chosen:
            return (_by(event, room, Move.CHOOSE),)
        return (_by(event, room, Move.ACCEPT),)

    await room.ledger.act(item.case_id, event.id, decide)
    return [room.say(event, "said.accept", id=item.case_id)]


async def _instead(event: Asked, args: Sequence[str], room: Room) -> Said:
    """The person chooses an alternative; with its words behind it, one that is done by words is done."""
    item = await _own(event, args, room)
    wanted = args[1].strip() if len(args) > 1 else ""
    if not wanted:
        return [room.say(event, "said.choices", **_public(item, room))]
    chosen = next((one for one in item.alternatives if wanted.startswith(one)), None)
    if chosen is None:
        raise Declined("refused.terms", **_public(item, room))
    words = wanted.removeprefix(chosen).lstrip(_SIGNS)
    if chosen in room.settings.worded and words:
        return await _worded(event, item, chosen, words, room)
    acted = await _do(event, item, room, _by(event, room, Move.CHOOSE, chosen=chosen))
    excuse = chosen in room.settings.excusing
    ask = room.ask(acted.item, "steward.excuse" if excuse else "steward.chosen", chosen=chosen)
    said = room.say(event, "said.excuse" if excuse else "said.choose", id=item.case_id, chosen=chosen)
    return [said, ask]


def _public(item: Item, room: Room) -> dict[str, object]:
    values = room.values(item)
    return {key: values[key] for key in ("id", "alternatives", "chosen", "state")}


async def _apologise(event: Asked, args: Sequence[str], room: Room) -> Said:
    """The person says it in words, here and now (S09-03); the words themselves are not kept."""
    item = await _own(event, args, room)
    chosen = next((one for one in item.alternatives if one in room.settings.worded), None)
    if chosen is None:
        raise Declined("refused.no_worded", **_public(item, room))
    return await _worded(event, item, chosen, args[1], room)


async def _worded(event: Asked, item: Item, chosen: str, words: str, room: Room) -> Said:
    """Take words for the deed: where no amount is open that settles it, else a steward confirms."""
    if sum(letter.isalpha() for letter in words) < _SAID:
        raise Declined("refused.words", id=item.case_id)

    def decide(now: Item, _journal: Sequence[Entry]) -> Sequence[Order]:
        pick = _by(event, room, Move.CHOOSE, chosen=chosen)
        last = Move.EVIDENCE if now.open_fen else Move.SUBSTITUTE
        return pick, _by(event, room, last, note=event.id[:NOTE])

    acted = await room.ledger.act(item.case_id, event.id, decide)
    if acted is not None and acted.item.state is State.SETTLED_BY_ALTERNATIVE:
        return [room.say(event, "said.worded", id=item.case_id, chosen=chosen)]
    ask = room.ask(item, "steward.completed", "option.settle", chosen=chosen, note="")
    return [room.say(event, "said.worded_asked", id=item.case_id), ask]


async def _completed(event: Asked, args: Sequence[str], room: Room) -> Said:
    """The person says that the chosen alternative is done; a steward confirms."""
    item = await _own(event, args, room)
    if not item.chosen:
        raise Declined("refused.nothing_chosen", id=item.case_id)
    note = _kept(event, args)
    acted = await _do(event, item, room, _by(event, room, Move.EVIDENCE, note=note))
    shown = f"({note})" if note else ""
    ask = room.ask(acted.item, "steward.completed", "option.settle", note=shown)
    return [room.say(event, "said.completed", id=item.case_id), ask]


async def _evidence(event: Asked, args: Sequence[str], room: Room) -> Said:
    """The person hands in a proof; who does that of an own item accepts it by the same word."""
    item = await _own(event, args, room)
    note = _kept(event, args)

    def decide(now: Item, _journal: Sequence[Entry]) -> Sequence[Order]:
        proof = _by(event, room, Move.EVIDENCE, note=note)
        if now.state in (State.NOTIFIED, State.REDUCED) and not now.chosen:
            return _by(event, room, Move.ACCEPT), proof
        return (proof,)

    await room.ledger.act(item.case_id, event.id, decide)
    ask = room.ask(item, "steward.evidence", "option.settle", note=note)
    return [room.say(event, "said.evidence", id=item.case_id), ask]


def _kept(event: Asked, args: Sequence[str]) -> str:
    """Give what is kept of a person's own words, with the message they point at."""
    quoted = event.quoted if isinstance(event, CommandGiven) else ""
    words = (args[1] if len(args) > 1 else "")[:NOTE]
    return f"{words} [{quoted[:64]}]".strip() if quoted else words


async def _mine(event: Asked, _args: Sequence[str], room: Room) -> Said:
    """List the own items, of all groups; nobody else ever sees this list."""
    found = await room.theirs(event.account)
    shown = [item for item in found if item.state.open or room.now - item.opened_at < _YEAR]
    if not shown:
        return [room.tell(event, room.texts("mine.none"))]
    lines = [room.texts("mine.head"), *(_line(item, room) for item in shown[-LINES:])]
    if len(shown) > LINES:
        lines.append(room.texts("mine.more", count=len(shown) - LINES))
    return [room.tell(event, "\n".join(lines))]


def _line(item: Item, room: Room) -> str:
    texts = room.texts
    due = texts("mine.due", due=room.day(item.deadline)) if item.deadline and item.notified_at else ""
    return texts(
        "mine.line",
        id=item.case_id,
        day=room.day(item.opened_at),
        about=room.about(item),
        state=texts(f"state.{item.state.value}"),
        frozen=texts("state.frozen") if item.frozen else "",
        money=money(item.open_fen or item.closed_fen, texts),
        due=due,
    )


# — a steward and the items of others —


async def _decided(event: Asked, args: Sequence[str], room: Room) -> Item:
    """Give the item a steward means and may decide about."""
    item = await room.ledger.item(int(args[0]))
    if item is None:
        raise Declined("refused.none", id=args[0])
    await room.decider(item, event.account)
    return item


async def _agree(event: Asked, args: Sequence[str], room: Room) -> Said:
    """A further steward approves; with the last one the person is told."""
    item = await _decided(event, args, room)
    case = await room.tools.cases.case(item.case_id)
    if item.state is State.PROPOSED and (case is None or case.status.value != "effective"):
        raise Declined("refused.case", id=item.case_id)

    def decide(now: Item, journal: Sequence[Entry]) -> Sequence[Order]:
        if now.state is State.PROPOSED and late_for_approval(now, room.now):
            raise Declined("refused.late", id=now.case_id)
        agreed = approvers(journal, room)
        if room.human(event.account) in agreed:
            raise Declined("refused.twice", id=now.case_id)
        orders = [_by(event, room, Move.AGREE)]
        if len(agreed) + 1 >= now.approvals:
            orders.append(_by(event, room, Move.APPROVE))
            orders += [] if now.frozen else [_by(event, room, Move.NOTIFY)]
        return orders

    acted = await room.ledger.act(item.case_id, event.id, decide)
    moves = {entry.move for entry in acted.written} if acted else set[Move]()
    if acted is None or Move.APPROVE not in moves:
        return [room.say(event, "said.agree", id=item.case_id)]
    if Move.NOTIFY not in moves:
        return [room.say(event, "said.approved_away", id=item.case_id)]
    return [room.say(event, "said.approved", id=item.case_id), room.notice(acted.item)]


async def _settle(event: Asked, args: Sequence[str], room: Room) -> Said:
    """A steward confirms that it is done: by the alternative if one was chosen, else by red packet."""
    item = await _decided(event, args, room)
    note = _kept(event, args)

    def decide(now: Item, _journal: Sequence[Entry]) -> Sequence[Order]:
        if now.state.open and not now.evidence and not note and now.state is not State.APPEALED:
            ready = now.chosen or now.state is State.ACCEPTED
            raise Declined("refused.no_proof" if ready else "refused.not_accepted", id=now.case_id)
        return (_by(event, room, Move.SUBSTITUTE if now.chosen else Move.SETTLE, note=note),)

    acted = await room.ledger.act(item.case_id, event.id, decide)
    now = acted.item if acted else item
    if not now.settled:
        # The same words, handed in a second time, and meanwhile the item was taken back.
        raise NotPossible("closed", Move.SETTLE, now)
    return [
        room.say(event, f"said.{now.state.value}", id=item.case_id),
        room.write(item, f"notice.{now.state.value}"),
    ]


async def _waive(event: Asked, args: Sequence[str], room: Room) -> Said:
    """A steward excuses the person; nothing is open any more."""
    item = await _decided(event, args, room)
    await _do(event, item, room, _by(event, room, Move.WAIVE, note=args[1][:NOTE]))
    noted = _noted(event, item, "red packet item waived", room)
    return [room.say(event, "said.waived", id=item.case_id), room.write(item, "notice.waived"), noted]


async def _reduce(event: Asked, args: Sequence[str], room: Room) -> Said:
    """A steward takes something off; the person answers anew to what is left."""
    item = await _decided(event, args, room)
    left = fen_of(args[1])
    if left is None:
        raise Declined("refused.yuan", id=item.case_id, word=args[1])
    order = _by(event, room, Move.REDUCE, amount_fen=left, note=args[2][:NOTE])
    acted = await _do(event, item, room, order)
    noted = _noted(event, item, "red packet item reduced", room)
    return [
        room.say(event, "said.reduced", id=item.case_id),
        room.notice(acted.item, "notice.reduced"),
        noted,
    ]


async def _totals(event: Asked, _args: Sequence[str], room: Room) -> Said:
    """Tell a steward what the group's items come to, without names."""
    found = await room.ledger.items(group_id=room.group.id)
    text = totals(found, room.day(room.now), room.texts)
    return [room.tell(event, text), _looked(event, "red packet totals looked up", room)]


async def _month(event: Asked, args: Sequence[str], room: Room) -> Said:
    """Hand a steward the statement of a month, privately."""
    word = args[0] if args else ""
    first = first_of(word, room.zone, room.now)
    if first is None:
        raise Declined("refused.month", word=word)
    made = await statement_of(room.group, first, room.ledger)
    file = SendFile(
        group_id=event.group_id,
        account=event.account,
        name=room.texts("statement.file", month=made.month),
        data=as_xlsx(made, room.called, room.texts),
        text=as_text(made, room.texts),
        passing=True,  # it can be made again at any time
    )
    noted = _looked(event, "red packet statement exported", room, month=made.month)
    if isinstance(event, CommandGiven) and event.private:
        return [file, noted]
    return [file, room.say(event, "statement.sent"), noted]


# — small helps —


async def _do(event: Asked, item: Item, room: Room, order: Order) -> Acted:
    acted = await room.ledger.act(item.case_id, event.id, lambda _now, _journal: (order,))
    return acted or Acted(item=item, fresh=False)


def _by(event: Asked, room: Room, move: Move, **more: str | int) -> Order:
    return replace(Order(move=move, at=room.now, actor=event.account), **more)  # type: ignore[arg-type]


def _noted(event: Asked, item: Item, what: str, room: Room) -> Note:
    return Note(
        group_id=room.group.id, what=what, subject=f"case:{item.case_id}", actor=event.account, detail={}
    )


def _looked(event: Asked, what: str, room: Room, **detail: str) -> Note:
    return Note(
        group_id=room.group.id,
        what=what,
        subject=f"group:{room.group.id}",
        actor=event.account,
        detail=dict(detail),
    )


_NUMBER = Arg(name="编号", of="int")
_WHY = Arg(name="理由", of="text")
_MORE = Arg(name="说明", of="text", optional=True)

_TABLE: tuple[tuple[Command, Handler], ...] = (
    (Command(word="接受", title="本人接受一项红包事项", args=(_NUMBER,), bare=True), _accept),
    (
        Command(
            word="替代",
            title="为一项红包事项选一种替代方式;不写方式则列出可选的",
            args=(_NUMBER, Arg(name="方式", of="text", optional=True)),
            bare=True,
        ),
        _instead,
    ),
    (
        Command(
            word="致歉",
            title="用文字致歉来完成一项红包事项",
            args=(_NUMBER, Arg(name="要说的话", of="text")),
            bare=True,
        ),
        _apologise,
    ),
    (
        Command(
            word="已完成替代",
            title="告诉管理员所选的替代方式已经完成",
            args=(_NUMBER, _MORE),
            aliases=("完成替代",),
            bare=True,
        ),
        _completed,
    ),
    (
        Command(
            word="凭证",
            title="为一项红包事项提交凭证(可引用截图),由管理员确认",
            args=(_NUMBER, Arg(name="说明", of="text")),
            bare=True,
        ),
        _evidence,
    ),
    (Command(word="我的台账", title="私信您本人的红包事项"), _mine),
    (
        Command(
            word="核准红包",
            title="作为另一名管理员核准一项红包事项",
            args=(_NUMBER,),
            stewards_only=True,
            bare=True,
        ),
        _agree,
    ),
    (
        Command(
            word="结清",
            title="确认一项红包事项已经完成",
            args=(_NUMBER, _MORE),
            stewards_only=True,
            bare=True,
        ),
        _settle,
    ),
    (
        Command(
            word="减免",
            title="减免一项红包事项",
            args=(_NUMBER, _WHY),
            aliases=("免除",),
            stewards_only=True,
            bare=True,
        ),
        _waive,
    ),
    (
        Command(
            word="减至",
            title="把一项红包事项减到几元",
            args=(_NUMBER, Arg(name="元"), _WHY),
            stewards_only=True,
            bare=True,
        ),
        _reduce,
    ),
    (Command(word="台账", title="私信本群红包台账的合计,不含姓名", stewards_only=True), _totals),
    (
        Command(
            word="月结",
            title="私信一个月的红包台账表格,缺省为上个月",
            args=(Arg(name="月份", of="text", optional=True),),
            stewards_only=True,
            bare=True,
        ),
        _month,
    ),
)

COMMANDS = tuple(command for command, _ in _TABLE)
"""The commands there are, as the manifest names them."""

HANDLERS: Mapping[str, Handler] = MappingProxyType({command.word: handler for command, handler in _TABLE})
"""The word of a command → what answers it."""

ALWAYS = frozenset({"我的台账", "减免", "台账", "月结"})
"""Answered also where nothing is opened, so that what is open can be seen and closed."""
