"""From our actions to the mode that can do them, and from WeCom's answers to receipts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from groupops import (
    AccountId,
    Action,
    Capability,
    DeleteMessage,
    DirectMessage,
    Done,
    Gone,
    Impossible,
    InDoubt,
    Option,
    Receipt,
    Refused,
    RemoveMember,
    RenameGroup,
    Reply,
    SendCard,
    SendFile,
    SendImage,
    SendText,
    Texts,
    UpdateCard,
)
from groupops_wecom.answers import is_unsent, kind_of, receipt_of, why_of
from groupops_wecom.bot import AiBot, AppBot
from groupops_wecom.budget import Claim
from groupops_wecom.buttons import Maker, asks_why, card_of, face_of, fits, pressed_card, task_of
from groupops_wecom.codes import CodeClass
from groupops_wecom.event import AiBotCardEvent
from groupops_wecom.exception import ApiNotAvailable, WeComAdapterException
from groupops_wecom.memory import Memory, Progress, SentCard
from groupops_wecom.profile import profiles
from groupops_wecom.rooms import Side, native_of
from groupops_wecom.shapes import rows, table, word
from groupops_wecom.standing import PRESS_WINDOW, Standing
from groupops_wecom.ways import (
    ByAiBot,
    ByApp,
    Called,
    CardPiece,
    Doubles,
    InAppChat,
    Medium,
    Piece,
    Way,
    Words,
    file_of,
    in_pieces,
    names_of,
)

Robots = Callable[[str], Way | None]
"""Gives the webhook robot of a name, as a way of saying something."""

Keeps = Callable[[str], Awaitable[None]]
"""Has something kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """What is needed to do something.

    Args:
        room: the action's group.
        standing: what each bot can do now.
        memory: what was heard and said of late.
        doubles: what was written to whom of late.
        robots: the webhook robots.
        texts: the adapter's own texts.
        now: the present.
        key: the action's idempotency key.
        keep: has a card kept that was sent, by its task.
    """

    room: str
    standing: Standing
    memory: Memory
    doubles: Doubles
    robots: Robots
    texts: Texts
    now: datetime
    key: str
    keep: Keeps

    @property
    def seconds(self) -> float:
        """The present, seconds since the epoch."""
        return self.now.timestamp()


async def perform(action: Action, hand: Hand) -> Receipt:
    """Do it; every answer of WeCom's is a receipt."""
    missing = lacks(action, hand)
    if missing is not None:
        return Impossible(capability=missing)
    try:
        return await _DOERS[action.kind](action, hand)
    except WeComAdapterException as error:
        return _failed(error, action.needs, hand)


REASONS = 5
"""Reasons that are offered to whoever decides (`texts.toml`)."""

_PRIVATELY = frozenset({"send_image", "send_file", "send_card"})


def lacks(action: Action, hand: Hand) -> Capability | None:
    """Give the capability that is needed and not there, or None."""
    if action.kind not in _DOERS:
        return action.needs
    able = hand.standing.can(hand.room, hand.seconds)
    if action.needs in able:
        return None
    if isinstance(action, DeleteMessage) and hand.memory.letters.get(action.message_id):
        return None
    privately = action.kind in _PRIVATELY and getattr(action, "account", None) is not None
    return None if privately and Capability.DIRECT_MESSAGE in able else action.needs


def _failed(error: Exception, needs: Capability, hand: Hand) -> Receipt:
    if kind_of(error) is CodeClass.FORBIDDEN:
        hand.standing.deny(hand.room, needs, hand.seconds)
    return receipt_of(error, needs)


# — ways —


def group_ways(hand: Hand, *, mention: bool = False) -> list[Way]:
    """Give the ways of saying something in a group, the best first: who can mention, when somebody is to be."""
    found: list[Way] = []
    for side in hand.standing.reachable(hand.room):
        way = _way(side, hand)
        if way is not None:
            found.append(way)
    if mention:
        found.sort(key=lambda way: Capability.MENTION not in way.able)
    return found


def _way(side: Side, hand: Hand) -> Way | None:
    if side.kind == "robot":
        return hand.robots(side.native)
    if side.kind == "aibot":
        bot = hand.standing.aibot_of(side)
        if bot is None or not bot.can_push(side.native):
            return None
        return ByAiBot(bot, side.native, "group", _able(bot))
    if side.kind == "appchat":
        app = hand.standing.app_of(side)
        size = hand.standing.sizes.get(side.native) or 1
        return None if app is None else InAppChat(app, side.native, size, profiles()["appchat"].can)
    return None


def _able(bot: AiBot) -> frozenset[Capability]:
    return profiles()["aibot-link" if bot.link is not None else "aibot-url"].can


_PRIVATE_ABLE = frozenset(
    {Capability.SEND_TEXT, Capability.SEND_CARD, Capability.SEND_IMAGE, Capability.SEND_FILE}
)


def private_ways(user: str, hand: Hand) -> list[Way]:
    """Give the ways of writing to somebody: the app, which knows repetitions; else an AI bot they have spoken to."""
    found: list[Way] = []
    app = hand.standing.app()
    if app is not None and hand.standing.faces.reaches(user):
        cards = frozenset[Capability]() if app.info.callback else frozenset({Capability.SEND_CARD})
        able, offers = _PRIVATE_ABLE - cards, hand.memory.offers
        found.append(ByApp(app, user, hand.key, hand.doubles, hand.seconds, able, offers))
    whisperer = hand.standing.whisperer(user)
    if whisperer is not None:
        bot, known = whisperer
        found.append(ByAiBot(bot, known, "private", _able(bot)))
    return found


async def say(pieces: Sequence[Piece], ways: Iterable[Way], needs: Capability, hand: Hand) -> Receipt:
    """Say pieces, all by one way: the first that does not refuse. What was begun is gone on with, not begun anew.

    Args:
        pieces: what is said, in order.
        ways: how, the best first.
        needs: what the action needs.
        hand: with what.
    """
    begun = hand.memory.progress.get(hand.key)
    receipt: Receipt = Impossible(capability=needs)
    for way in ways:
        if begun is not None and begun.pieces and way.name != begun.way:
            continue
        try:
            ref = await _all_by(way, pieces, hand)
        except WeComAdapterException as error:
            if kind_of(error) is CodeClass.CONFIGURATION:
                hand.standing.troubles.put(way.name, why_of(error))
            if isinstance(way, ByApp):
                _lost(way, error, hand)
                receipt = receipt_of(error, needs)
            else:
                receipt = _failed(error, needs, hand)
            progress = hand.memory.progress.get(hand.key)
            if not is_unsent(error) or (progress is not None and progress.pieces):
                return receipt
        else:
            hand.standing.troubles.drop(way.name)
            return Done(ref=ref)
    return receipt


def _lost(way: ByApp, error: Exception, hand: Hand) -> None:
    """Remember that the app cannot write to somebody."""
    if kind_of(error) in {CodeClass.ABSENT, CodeClass.FORBIDDEN}:
        hand.standing.faces.lose(way.user)


async def _all_by(way: Way, pieces: Sequence[Piece], hand: Hand) -> str:
    cut = in_pieces(pieces, way.most)
    progress = hand.memory.progress.get(hand.key)
    if progress is None or progress.way != way.name:
        progress = Progress(way.name)
        hand.memory.progress.put(hand.key, progress)
    for piece in cut[progress.pieces :]:
        progress.ref = await way.say(piece)
        progress.pieces += 1
    hand.memory.progress.drop(hand.key)
    if progress.ref and isinstance(way, ByApp):
        hand.memory.letters.put(progress.ref, (way.bot.self_id, way.now))
    return progress.ref


# — saying something —


async def _text(action: SendText, hand: Hand) -> Receipt:
    calls = _calls(action.mentions, hand)
    words = Words(action.text, calls)
    ways = group_ways(hand, mention=bool(calls))
    cards = [way for way in ways if Capability.SEND_CARD in way.able]
    if cards and fits(action.options, action.subject, hand.room):
        receipt = await _offer("", names_of(words) + action.text, action.options, action.subject, cards, hand)
        if not isinstance(receipt, Refused | Impossible):
            return receipt
    return await say((words,), [way for way in ways if Capability.SEND_TEXT in way.able], action.needs, hand)


def _calls(mentions: Iterable[AccountId], hand: Hand) -> tuple[Called, ...]:
    users = dict.fromkeys(native_of(one) for one in mentions)
    return tuple(Called(user, hand.standing.faces.called(user)) for user in users if user)


async def _offer(
    title: str, text: str, options: Sequence[Option], subject: str, ways: Sequence[Way], hand: Hand
) -> Receipt:
    """Send a card with buttons; what does not fit on it is said before."""
    maker: Maker = "app" if isinstance(ways[0], ByApp) else "aibot"
    face = face_of(title, text, maker, hand.texts("card.title"))
    task_id = task_of(hand.key)
    texts = hand.texts
    reasons = tuple(texts(f"why.{number}") for number in range(1, REASONS + 1)) if asks_why(subject) else ()
    card = CardPiece(card_of(face, options, subject, hand.room, task_id, why=(texts("why.title"), reasons)))
    hand.memory.cards.put(task_id, SentCard(face, hand.room))
    pieces: tuple[Piece, ...] = (Words(face.before), card) if face.before else (card,)
    receipt = await say(pieces, ways, Capability.SEND_CARD, hand)
    if isinstance(receipt, Done | InDoubt):
        await hand.keep(task_id)
    return receipt


async def _reply(action: Reply, hand: Hand) -> Receipt:
    """Answer a message so that it is quoted; what no AI bot was told cannot be, and the core mentions instead."""
    heard = hand.memory.heard.get(action.message_id)
    if heard is None or heard.room != hand.room:
        return Refused(why="this message cannot be answered so that it is quoted")
    bot = hand.standing.bots.bot(heard.bot)
    if not isinstance(bot, AiBot):
        return Refused(why="the bot the message was said to is not there")
    way = ByAiBot(bot, heard.event.chat_id, "group", _able(bot), heard.event)
    return await say((Words(action.text),), (way,), action.needs, hand)


_NO_WAY = Refused(why="this account cannot be written to privately")


async def _direct(action: DirectMessage, hand: Hand) -> Receipt:
    user = native_of(action.account)
    ways = private_ways(user, hand)
    if not ways:
        return _NO_WAY
    cards = [way for way in ways if Capability.SEND_CARD in way.able]
    if cards and fits(action.options, action.subject, hand.room):
        receipt = await _offer("", action.text, action.options, action.subject, cards, hand)
        if not isinstance(receipt, Refused | Impossible):
            return receipt
    return await say((Words(action.text),), ways, action.needs, hand)


async def _card(action: SendCard, hand: Hand) -> Receipt:
    ways = group_ways(hand) if action.account is None else private_ways(native_of(action.account), hand)
    cards = [way for way in ways if Capability.SEND_CARD in way.able]
    if not cards:
        return _NO_WAY if action.account is not None else Impossible(capability=action.needs)
    if not fits(action.options, action.subject, hand.room):
        return Refused(why="a card has from one to six buttons, and is about something")
    return await _offer(action.title, action.text, action.options, action.subject, cards, hand)


async def _image(action: SendImage, hand: Hand) -> Receipt:
    medium = Medium("image", "image.png", action.data)
    return await _medium(medium, action.caption, action.account, action.needs, hand)


async def _file(action: SendFile, hand: Hand) -> Receipt:
    return await _medium(file_of(action.name, action.data), action.text, action.account, action.needs, hand)


async def _medium(medium: Piece, words: str, who: AccountId | None, needs: Capability, hand: Hand) -> Receipt:
    """Say the words, then show the medium."""
    ways = group_ways(hand) if who is None else private_ways(native_of(who), hand)
    able = [way for way in ways if needs in way.able]
    if not able:
        return _NO_WAY if who is not None else Impossible(capability=needs)
    pieces: tuple[Piece, ...] = (Words(words), medium) if words else (medium,)
    return await say(pieces, able, needs, hand)


# — deeds —


async def _delete(action: DeleteMessage, hand: Hand) -> Receipt:
    """Take back a private message of the app's own; nobody else's can be."""
    by, sent_at = hand.memory.letters.get(action.message_id) or ("", 0.0)
    app = hand.standing.bots.bot(by)
    if not isinstance(app, AppBot):
        return Gone(why="there is no such message of the bot's own")
    await app.recall(action.message_id, sent_at)
    return Done()


async def _update(action: UpdateCard, hand: Hand) -> Receipt:
    """Replace a card that was pressed a moment ago."""
    event = hand.memory.open_cards.get(action.card_id)
    if event is None or hand.seconds - event.received >= PRESS_WINDOW:
        return Gone(why="no such card was pressed within the last seconds")
    bot = hand.standing.bots.bot(event.self_id)
    if not isinstance(event, AiBotCardEvent) or not isinstance(bot, AiBot):
        return Refused(why="this card cannot be replaced")
    hand.memory.open_cards.drop(action.card_id)  # it is replaced once
    face = face_of(action.title, action.text, "aibot", action.title[:20])
    await bot.update_card(
        event, pressed_card(face, "", hand.texts("card.repeat"), event.event_key, event.task_id)
    )
    return Done(ref=action.card_id)


async def _remove(action: RemoveMember, hand: Hand) -> Receipt:
    """Remove a member from a group of the app's own, and see that it is so."""
    app, chat = _own_chat(action.needs, hand)
    user = native_of(action.account)
    before = await _chat(app, chat)
    if user not in rows(before.get("userlist")):
        return Gone(why="this account is not in the group")
    if user == word(before.get("owner")):
        return Refused(why="this account is the owner of the group")
    failed: WeComAdapterException | None = None
    try:
        await _change(app, chat, {"del_user_list": [user]})
    except WeComAdapterException as error:
        failed = error  # a call whose answer was lost is made again, and then there is nobody left to remove
    try:
        there = user in rows((await _chat(app, chat)).get("userlist"))
    except WeComAdapterException as error:
        return InDoubt(why=f"removed, and not confirmed: {why_of(error)}")
    if there and failed is not None:
        raise failed
    return Refused(why="still in the group after the removal") if there else Done()


async def _rename(action: RenameGroup, hand: Hand) -> Receipt:
    app, chat = _own_chat(action.needs, hand)
    await _change(app, chat, {"name": action.name})
    return Done()


def _own_chat(needs: Capability, hand: Hand) -> tuple[AppBot, str]:
    side = next((one for one in hand.standing.reachable(hand.room) if one.kind == "appchat"), None)
    app = hand.standing.app_of(side) if side is not None else None
    if side is None or app is None:
        raise ApiNotAvailable(f"{needs}: the group is no group of an app")
    return app, side.native


async def _chat(app: AppBot, chat: str) -> dict[str, Any]:
    return table((await app.call("appchat/get", method="GET", params={"chatid": chat})).get("chat_info"))


async def _change(app: AppBot, chat: str, what: Mapping[str, Any]) -> None:
    claims = (Claim("appchat_update", app.info.corp_id),)
    await app.call("appchat/update", {"chatid": chat, **what}, claims=claims)


_DOERS: Mapping[str, Callable[[Any, Hand], Awaitable[Receipt]]] = MappingProxyType(
    {
        "send_text": _text,
        "reply": _reply,
        "direct_message": _direct,
        "send_card": _card,
        "send_image": _image,
        "send_file": _file,
        "delete_message": _delete,
        "update_card": _update,
        "remove_member": _remove,
        "rename_group": _rename,
    }
)
