"""From our actions to calls of the open platform, and from its answers to receipts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Literal

from groupops import (
    AccountId,
    Action,
    Capability,
    DecideJoin,
    DeleteMessage,
    DirectMessage,
    Done,
    Gone,
    Impossible,
    InDoubt,
    Mute,
    Option,
    Receipt,
    Refused,
    RemoveMember,
    Reply,
    Role,
    SendCard,
    SendFile,
    SendImage,
    SendText,
    Unmute,
)
from groupops_qq.answers import FAILURES, NotSent, meaning_of, receipt_of, why_of
from groupops_qq.bot import Bot
from groupops_qq.config import Config
from groupops_qq.content import NAME, account
from groupops_qq.memory import Memory, Said
from groupops_qq.quota import Quota
from groupops_qq.read import role_of
from groupops_qq.shapes import table, tables, word
from groupops_qq.speaker import Speaker
from groupops_qq.speech import fits_buttons, keyboard, markdown, named, with_addresses
from groupops_qq.standing import Person, Room, Seat, Standing
from groupops_qq.windows import Windows

LONGEST_MUTE = timedelta(days=30) - timedelta(minutes=1)
"""The platform mutes for thirty days at most."""

IMAGE_BYTES = 10 << 20
"""A picture larger than this goes up in parts."""

PAGES = 200
"""Pages of a member list that are read at most."""

PICTURE: Literal[1] = 1
FILE: Literal[4] = 4
TEXT, MARKDOWN, MEDIA = 0, 2, 7

Pages = tuple[dict[str, dict[str, Any]], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """Whose hand does it, and what it knows.

    Args:
        bot: the bot that does it.
        group: the openid of the action's group.
        can: what it is able to do there now.
        standing: what is known of groups and people.
        speaker: says things.
        memory: what was said of late.
        config: this adapter's keys.
        now: the present.
        key: the action's idempotency key.
    """

    bot: Bot
    group: str
    can: frozenset[Capability]
    standing: Standing
    speaker: Speaker
    memory: Memory
    config: Config
    now: datetime
    key: str

    @property
    def room(self) -> Room:
        """The action's group."""
        return self.standing.room(self.group, self.bot.self_id)

    def text(self, words: str) -> str:
        """Give words as the platform lets them through."""
        return with_addresses(words, self.config)


async def perform(action: Action, hand: Hand) -> Receipt:
    """Do it; every answer of the platform is a receipt."""
    missing = lacks(action, hand)
    if missing is not None:
        return Impossible(capability=missing)
    try:
        return await _DOERS[action.kind](action, hand)
    except FAILURES as error:
        if meaning_of(error) == "no_access":
            hand.standing.deny(hand.group, action.needs, hand.now)
        return receipt_of(error, action.needs)


def lacks(action: Action, hand: Hand) -> Capability | None:
    """Give the capability that is needed and not there, or None."""
    if action.kind not in _DOERS:
        return action.needs
    if action.needs in hand.can:
        return None
    if getattr(action, "account", None) is not None and action.kind in _PRIVATELY:
        # What is sent to one account needs no place in the group; whether it can be sent is asked where it is.
        return None if Capability.DIRECT_MESSAGE in hand.can and _is_granted(action, hand) else action.needs
    said = hand.memory.of(hand.group, getattr(action, "message_id", ""))
    if isinstance(action, DeleteMessage) and said is not None and said.own:
        own = Capability.DELETE_OWN_MESSAGE
        return None if own in hand.can else own
    return action.needs


_PRIVATELY = frozenset({"send_image", "send_file", "send_card"})


def _is_granted(action: Action, hand: Hand) -> bool:
    return not isinstance(action, SendCard) or hand.standing.keyboards


# — places —


@dataclass(frozen=True, slots=True)
class InGroup:
    """The action's group, as a place where something is said (`speaker.Place`)."""

    hand: Hand
    words: str = ""

    @property
    def id(self) -> str:
        """The group's openid."""
        return self.hand.group

    @property
    def windows(self) -> Windows:
        """Where may be answered."""
        return self.hand.standing.group_windows

    @property
    def quota(self) -> Quota:
        """How much may be said unasked."""
        return self.hand.standing.group_quota

    @property
    def unasked(self) -> bool:
        """Whether the owner allows it, or nobody has said that it is not so."""
        return self.hand.room.proactive is not False

    async def post(self, body: dict[str, Any]) -> Any:
        """Send a message."""
        return await self.hand.bot.call("POST", "v2", "groups", self.id, "messages", body=body)

    def spoke(self, answer: dict[str, Any]) -> None:
        """Remember it as the bot's own; who speaks is not muted."""
        self.hand.room.spoke()
        index = word(table(answer.get("ext_info")).get("ref_idx"))
        said = Said(
            id=word(answer.get("id"), 512),
            group=self.id,
            account=account(self.hand.bot.self_id),
            text=self.words,
            at=self.hand.now,
            index=index,
            own=True,
        )
        self.hand.memory.keep(said)

    def refused(self, meaning: str) -> None:
        """Remember what a refusal says of the bot in the group."""
        room = self.hand.room
        match meaning:
            case "muted":
                room.mute(self.hand.now)
            case "not_there":
                room.there = False
            case "not_asked":
                room.proactive = False
            case "no_markup":
                self.hand.standing.keyboards = False
            case _:
                pass


@dataclass(frozen=True, slots=True)
class ToOne:
    """One person, as a place where something is said (`speaker.Place`)."""

    hand: Hand
    person: Person

    @property
    def id(self) -> str:
        """The person's openid."""
        return self.person.openid

    @property
    def windows(self) -> Windows:
        """Where may be answered."""
        return self.hand.standing.private_windows

    @property
    def quota(self) -> Quota:
        """How much may be said unasked."""
        return self.hand.standing.private_quota

    @property
    def unasked(self) -> bool:
        """Whether the person takes messages."""
        return self.person.open

    async def post(self, body: dict[str, Any]) -> Any:
        """Send a message."""
        return await self.hand.bot.call("POST", "v2", "users", self.id, "messages", body=body)

    def spoke(self, answer: dict[str, Any]) -> None:
        """Nothing needs to be remembered of it."""

    def refused(self, meaning: str) -> None:
        """Remember that the person takes no messages, or none unasked."""
        if meaning in {"no_private", "not_asked"}:
            self.person.open = False
        elif meaning == "no_markup":
            self.hand.standing.keyboards = False


def _person(who: AccountId, hand: Hand) -> ToOne | None:
    native = _native(who)
    person = hand.standing.people.get(native)
    return ToOne(hand, person) if person is not None and hand.standing.reaches(native, hand.now) else None


_NO_WAY = Refused(why="this account cannot be written to privately")


# — saying something —


async def _text(action: SendText, hand: Hand) -> Receipt:
    names = named(hand.standing.called(hand.group, _native(who)) for who in action.mentions)
    words = hand.text(names + action.text)
    return await _offer(InGroup(hand, words), words, action.options, action.subject, hand, action.needs)


async def _offer(
    place: InGroup | ToOne,
    words: str,
    options: tuple[Option, ...],
    subject: str,
    hand: Hand,
    needs: Capability,
) -> Receipt:
    """Say words, with buttons where they are granted; where they turn out not to be, without."""
    if hand.standing.keyboards and fits_buttons(options, subject):
        body = _marked("", words, options, subject, hand)
        receipt = await hand.speaker.say(place, body, hand.key, needs)
        if hand.standing.keyboards:
            return receipt
    return await hand.speaker.say(place, _worded(words), hand.key, needs)


def _worded(words: str) -> dict[str, Any]:
    return {"msg_type": TEXT, "content": words}


def _marked(title: str, text: str, options: tuple[Option, ...], subject: str, hand: Hand) -> dict[str, Any]:
    buttons = {"keyboard": keyboard(options, subject, hand.group)} if fits_buttons(options, subject) else {}
    return {"msg_type": MARKDOWN, "markdown": {"content": markdown(title, text)}, **buttons}


async def _reply(action: Reply, hand: Hand) -> Receipt:
    """Answer a message, quoting it where it is known by what; a message nobody remembers has to exist."""
    said = hand.memory.of(hand.group, action.message_id)
    if said is None and hand.standing.group_windows.get(hand.group, action.message_id) is None:
        hand.standing.group_windows.open(hand.group, action.message_id, "message", hand.now, hand.now)
    name = hand.standing.called(hand.group, _native(action.account)) if action.account else ""
    quoted = said.index if said is not None else ""
    words = hand.text(action.text if quoted else named([name]) + action.text)
    body = {**_worded(words), **({"message_reference": {"message_id": quoted}} if quoted else {})}
    return await hand.speaker.say(
        InGroup(hand, words), body, hand.key, action.needs, answers=action.message_id
    )


async def _direct(action: DirectMessage, hand: Hand) -> Receipt:
    place = _person(action.account, hand)
    if place is None:
        return _NO_WAY
    return await _offer(place, hand.text(action.text), action.options, action.subject, hand, action.needs)


async def _card(action: SendCard, hand: Hand) -> Receipt:
    place = InGroup(hand, action.title) if action.account is None else _person(action.account, hand)
    if place is None:
        return _NO_WAY
    body = _marked(hand.text(action.title), hand.text(action.text), action.options, action.subject, hand)
    return await hand.speaker.say(place, body, hand.key, action.needs)


async def _image(action: SendImage, hand: Hand) -> Receipt:
    return await _media(action, PICTURE, "image.png", action.caption, hand)


async def _file(action: SendFile, hand: Hand) -> Receipt:
    return await _media(action, FILE, action.name, action.text, hand)


async def _media(action: SendImage | SendFile, kind: int, name: str, words: str, hand: Hand) -> Receipt:
    """Put it up, then say it; putting it up twice shows nothing twice."""
    place = InGroup(hand, words) if action.account is None else _person(action.account, hand)
    if place is None:
        return _NO_WAY
    try:
        info = await _put_up(place, kind, name, action.data, hand.bot)
    except FAILURES as error:
        place.refused(meaning_of(error))
        receipt = receipt_of(error, action.needs)
        return NOT_UP if isinstance(receipt, InDoubt) else receipt
    body = {"msg_type": MEDIA, "content": hand.text(words) or " ", "media": {"file_info": info}}
    return await hand.speaker.say(place, body, hand.key, action.needs)


NOT_UP = receipt_of(NotSent("the file could not be put up"), Capability.SEND_FILE)
"""Nothing was said yet, so that it can be tried again whatever became of the file."""


async def _put_up(place: InGroup | ToOne, kind: int, name: str, data: bytes, bot: Bot) -> str:
    if kind == PICTURE and len(data) <= IMAGE_BYTES:
        answer = await _put_up_whole(place, kind, data, bot)
    elif isinstance(place, InGroup):
        answer = await bot.post_group_upload(place.id, FILE, name, data, srv_send_msg=False)
    else:
        answer = await bot.post_c2c_upload(place.id, FILE, name, data, srv_send_msg=False)
    if not answer.file_info:
        raise NotSent("the platform took the file and gave no handle for it")
    return str(answer.file_info)


async def _put_up_whole(place: InGroup | ToOne, kind: Any, data: bytes, bot: Bot) -> Any:
    if isinstance(place, InGroup):
        return await bot.post_group_files(
            group_openid=place.id, file_type=kind, file_data=data, srv_send_msg=False
        )
    return await bot.post_c2c_files(openid=place.id, file_type=kind, file_data=data, srv_send_msg=False)


# — deeds —


async def _delete(action: DeleteMessage, hand: Hand) -> Receipt:
    await hand.bot.call("DELETE", "v2", "groups", hand.group, "messages", action.message_id)
    return Done()


async def _mute(action: Mute, hand: Hand) -> Receipt:
    until = hand.now + min(action.span, LONGEST_MUTE)
    moment = until.replace(microsecond=0).isoformat()
    return await _restrict(action.account, {"op": "add", "mute_expire_at": moment}, hand)


async def _unmute(action: Unmute, hand: Hand) -> Receipt:
    return await _restrict(action.account, {"op": "del"}, hand)


async def _restrict(who: AccountId, said: dict[str, Any], hand: Hand) -> Receipt:
    members = [{**said, "member_openid": _native(who)}]
    path = ("v2", "groups", hand.group, "restrict_chat_setting")
    await hand.bot.call("POST", *path, body={"members": members})
    return Done()


async def _remove(action: RemoveMember, hand: Hand) -> Receipt:
    """Remove a member, and see that it is so: the platform says only that it has taken the list."""
    openid = _native(action.account)
    before = await _line(openid, hand)
    if before is None:
        return Gone(why="this account is not in the group")
    if role_of(word(before.get("member_role"))) in {Role.OWNER, Role.ADMIN} or before.get("bot") is True:
        return Refused(why="this account is an admin of the group, or a bot")
    said = table(
        await hand.bot.call(
            "POST",
            *("v2", "groups", hand.group, "batch_remove_members"),
            body={"member_openids": [openid], "add_to_member_blacklist": False},
        )
    )
    return await _confirmed(openid, said.get("remove_members_result") == "success", hand)


async def _confirmed(openid: str, taken: bool, hand: Hand) -> Receipt:
    try:
        there = await _line(openid, hand) is not None
    except FAILURES as error:
        return Done() if taken else InDoubt(why=f"removed, and not confirmed: {why_of(error)}")
    return Refused(why="still in the group after the removal") if there else Done()


async def _line(openid: str, hand: Hand) -> dict[str, Any] | None:
    """Give what the platform says of a member; None when a whole list does not have it.

    Raises:
        one of `answers.FAILURES`: it cannot be said.
    """
    try:
        found = table(await hand.bot.call("GET", "v2", "groups", hand.group, "members", openid))
        if found.get("member_openid") == openid:
            return found
    except FAILURES as error:
        if isinstance(error, NotSent):
            raise
    # That one member could not be read may have many reasons; that the whole list lacks it has one.
    lines, complete = await listed(hand.bot, hand.group)
    if openid not in lines and not complete:
        raise NotSent("the member list could not be read to its end")
    return lines.get(openid)


async def listed(bot: Bot, group: str) -> Pages:
    """Read a group's member list page by page: openid → line; False when it could not be read to its end.

    Raises:
        one of `answers.FAILURES`: a page could not be read.
    """
    lines: dict[str, dict[str, Any]] = {}
    cursor, seen = "", {""}
    for _ in range(PAGES):
        params = {"cursor": cursor} if cursor else None
        page = table(await bot.call("GET", "v2", "groups", group, "members", params=params))
        for line in tables(page.get("members")):
            if openid := word(line.get("member_openid")):
                lines[openid] = line
        cursor = word(page.get("next_cursor"), 2_000)
        if not cursor:
            return lines, True
        if cursor in seen:
            break
        seen.add(cursor)
    return lines, False


def seat_of(line: Mapping[str, Any]) -> Seat:
    """Give what a line of a member list says of a member."""
    return Seat(word(line.get("username")), role_of(word(line.get("member_role"))))


async def _decide(action: DecideJoin, hand: Hand) -> Receipt:
    said: dict[str, Any] = {
        "op": "approve" if action.accept else "decline",
        "join_request_id": action.request_id,
    }
    if not action.accept:
        said |= {"reject_reason": action.reason, "add_to_member_blacklist": False}
    who = _native(action.account)
    await hand.bot.call("POST", "v2", "groups", hand.group, "approval_join_request", who, body=said)
    return Done()


_DOERS: Mapping[str, Callable[[Any, Hand], Awaitable[Receipt]]] = MappingProxyType(
    {
        "send_text": _text,
        "reply": _reply,
        "send_image": _image,
        "send_file": _file,
        "send_card": _card,
        "direct_message": _direct,
        "delete_message": _delete,
        "mute": _mute,
        "unmute": _unmute,
        "remove_member": _remove,
        "decide_join": _decide,
    }
)


def _native(who: AccountId) -> str:
    platform, _, native = who.partition(":")
    return native if platform == NAME else ""
