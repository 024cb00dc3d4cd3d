"""What there is in the make-believe WeCom: a company, its people, groups, bots, apps, and what was said."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from groupops_wecom.testing.refusals import WorldError

CORP = "ww1234567890abcdef"
BOT_SECRET = "bot-secret"  # noqa: S105 - of a make-believe platform
APP_SECRET = "app-secret"  # noqa: S105 - as above
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Callback:
    """Where a bot or an app wants to be told, and with what secrets.

    Args:
        url: an HTTP address.
        token: signs.
        aes_key: the EncodingAESKey, 43 characters.
        receive_id: what ends each plaintext: the corp id for an app, nothing for an AI bot.
    """

    url: str
    token: str = "callback-token"  # noqa: S105 - of a make-believe platform
    aes_key: str = AES_KEY
    receive_id: str = ""


@dataclass(kw_only=True, slots=True)
class Card:
    """A template card that was sent.

    Args:
        template: as it was sent.
        maker: id of the bot, or of the app as text.
        shown: what single people see instead by now.
        done: people whose buttons are switched off.
    """

    task_id: str
    template: Json
    maker: str
    shown: dict[str, Json] = field(default_factory=dict[str, Json])
    done: dict[str, str] = field(default_factory=dict[str, str])

    def seen_by(self, userid: str) -> Json:
        """What this person sees of it."""
        return self.shown.get(userid, self.template)


@dataclass(kw_only=True, slots=True)
class Said:
    """A message as it stands in a conversation.

    Args:
        id: its number.
        at: seconds since 1970.
        by: a userid, a bot's id, an app's id as text, or a robot's key.
        kind: its msgtype; a stream counts as `markdown`.
        body: what WeCom was told under the msgtype.
        finished: whether it is frozen; false only for a stream that goes on.
        recalled: whether it was taken back.
        card: the card in it.
    """

    id: str
    at: float
    by: str
    kind: str
    body: Json
    finished: bool = True
    recalled: bool = False
    card: Card | None = None

    @property
    def text(self) -> str:
        """The words a reader sees first."""
        if self.card is not None:
            title: Json = self.card.template.get("main_title", {})
            return str(title.get("title") or self.card.template.get("sub_title_text", ""))
        return str(self.body.get("content") or self.body.get("title") or "")


@dataclass(kw_only=True, slots=True)
class Person:
    """Somebody of the company, or of outside.

    Args:
        status: 1 active, 2 disabled, 4 not activated, 5 left.
        open_userid: what a bot sees instead of the id whose maker is no super admin.
        external: not of the company.
        inbox: what bots and apps sent to them alone.
    """

    userid: str
    name: str
    departments: list[int] = field(default_factory=lambda: [1])
    position: str = ""
    mobile: str = ""
    email: str = ""
    alias: str = ""
    leads: tuple[int, ...] = ()
    status: int = 1
    open_userid: str = ""
    external: bool = False
    inbox: list[Said] = field(default_factory=list[Said])

    @property
    def said(self) -> list[Said]:
        """The same as the inbox: a person is a conversation too."""
        return self.inbox


@dataclass(kw_only=True, slots=True)
class Department:
    """A department; 1 is the root, whose parent is 0."""

    id: int
    name: str
    parent: int = 1
    order: int = 0
    leaders: tuple[str, ...] = ()


@dataclass(kw_only=True, slots=True)
class Seat:
    """A member's place in a group.

    Args:
        scene: how they came: 1 invited, 2 by a link, 3 by a QR code.
    """

    joined_at: float
    scene: int = 1
    invitor: str = ""
    nickname: str = ""


@dataclass(kw_only=True, slots=True)
class Group:
    """A group chat, with the name each product has for it; an empty one = that product does not know it.

    Args:
        chat_id: the AI bots' name.
        appchat_id: the name under which `app` made it.
        room_id: the archive's name.
        customer_id: the name among customer groups.
        app: the app that made it, 0 for none.
        bots: ids of the AI bots in it.
    """

    name: str
    owner: str
    seats: dict[str, Seat]
    created_at: float
    chat_id: str = ""
    appchat_id: str = ""
    room_id: str = ""
    customer_id: str = ""
    app: int = 0
    bots: set[str] = field(default_factory=set[str])
    admins: list[str] = field(default_factory=list[str])
    notice: str = ""
    version: int = 1
    dismissed: bool = False
    said: list[Said] = field(default_factory=list[Said])


@dataclass(kw_only=True, slots=True)
class AiBot:
    """An AI bot.

    Args:
        plain_ids: whether its maker is a super admin, so that it sees userids as they are.
        callback: set = it is in callback mode, and the long connection is closed to it.
    """

    bot_id: str
    secret: str
    name: str
    plain_ids: bool = True
    callback: Callback | None = None


@dataclass(kw_only=True, slots=True)
class App:
    """A self-built app.

    Args:
        root: whether its visible range is the whole company; without that it may make no groups.
        customers: whether customer contact may be called.
        check_ins: whether check-in data may be read.
        callback: where it is told; without one it can send no cards with buttons.
        customers_callback: where it is told of customers, if elsewhere.
    """

    agent_id: int
    secret: str
    name: str = "groupops"
    root: bool = True
    customers: bool = False
    check_ins: bool = True
    callback: Callback | None = None
    customers_callback: Callback | None = None


@dataclass(kw_only=True, slots=True)
class Robot:
    """A webhook robot: whoever has the key writes into the group."""

    key: str
    group: Group


@dataclass(kw_only=True, slots=True)
class CheckIn:
    """A line of the OA check-in, as `getcheckindata` gives it; latitude and longitude in GCJ-02 degrees."""

    userid: str
    at: float
    kind: str = "上班打卡"
    exception: str = ""
    title: str = ""
    detail: str = ""
    lat: float = 0.0
    lng: float = 0.0
    notes: str = ""


@dataclass(kw_only=True, slots=True)
class Media:
    """A file on WeCom's side, for three days."""

    id: str
    kind: str
    name: str
    data: bytes
    at: float


class World:
    """The company.

    Args:
        now: seconds since 1970.
        corp_id: its id.
    """

    def __init__(self, now: Callable[[], float], corp_id: str = CORP) -> None:
        self.now = now
        self.corp_id = corp_id
        self.people: dict[str, Person] = {}
        self.departments: dict[int, Department] = {1: Department(id=1, name="公司", parent=0)}
        self.groups: list[Group] = []
        self.bots: dict[str, AiBot] = {}
        self.apps: dict[int, App] = {}
        self.robots: dict[str, Robot] = {}
        self.check_ins: list[CheckIn] = []
        self.media: dict[str, Media] = {}
        self.archived: set[str] = set()
        self.hears: list[Callable[[Group | Person, Said], None]] = []
        self.contacts_secret = "contacts-secret"  # noqa: S105 - of a make-believe platform
        self.contacts_callback: Callback | None = None
        self.archive_secret = "archive-secret"  # noqa: S105 - of a make-believe platform
        self.archive_callback: Callback | None = None
        self._numbers = count(1)

    def fresh(self, prefix: str) -> str:
        """An id that was not there before."""
        return f"{prefix}{next(self._numbers):08d}"

    def hire(self, userid: str, name: str, *departments: int, archived: bool = False, **rest: Any) -> Person:
        """Let somebody be of the company; `archived` = what they say in groups is kept."""
        person = Person(userid=userid, name=name, departments=list(departments or (1,)), **rest)
        person.open_userid = person.open_userid or f"woOpenId{userid[::-1]}"
        self.people[userid] = person
        if archived:
            self.archived.add(userid)
        return person

    def customer(self, userid: str, name: str) -> Person:
        """Let there be somebody outside."""
        self.people[userid] = Person(userid=userid, name=name, departments=[], external=True)
        return self.people[userid]

    def department(
        self, number: int, name: str, parent: int = 1, *, leaders: tuple[str, ...] = ()
    ) -> Department:
        """Let there be a department."""
        made = Department(id=number, name=name, parent=parent, order=len(self.departments), leaders=leaders)
        self.departments[number] = made
        return made

    def group(self, name: str, owner: str, members: Iterable[str] = (), **ids: Any) -> Group:
        """Let there be a group; `ids` = the names the products have for it, and `bots`."""
        seats = {userid: Seat(joined_at=self.now()) for userid in dict.fromkeys([owner, *members])}
        made = Group(name=name, owner=owner, seats=seats, created_at=self.now(), **ids)
        self.groups.append(made)
        return made

    def ai_bot(
        self, bot_id: str = "aib0001", secret: str = BOT_SECRET, name: str = "小助手", **rest: Any
    ) -> AiBot:
        """Let there be an AI bot."""
        self.bots[bot_id] = AiBot(bot_id=bot_id, secret=secret, name=name, **rest)
        return self.bots[bot_id]

    def app(self, agent_id: int = 1000002, secret: str = APP_SECRET, **rest: Any) -> App:
        """Let there be a self-built app."""
        self.apps[agent_id] = App(agent_id=agent_id, secret=secret, **rest)
        return self.apps[agent_id]

    def robot(self, key: str, group: Group) -> Robot:
        """Let there be a webhook robot in a group."""
        self.robots[key] = Robot(key=key, group=group)
        return self.robots[key]

    def find(self, product: str, id_: str) -> Group | None:
        """The group a product has this id for; `product` = `chat`, `appchat`, `room` or `customer`."""
        if not id_:
            return None
        return next((one for one in self.groups if getattr(one, f"{product}_id") == id_), None)

    def staff(self) -> list[Person]:
        """Everybody who is of the company and has not left."""
        return [one for one in self.people.values() if not one.external and one.status != 5]  # noqa: PLR2004

    def below(self, department: int) -> list[int]:
        """A department and all within it."""
        inner = [
            one.id for one in self.departments.values() if one.parent == department and one.id != department
        ]
        return [department, *(number for one in inner for number in self.below(one))]

    def member(self, group: Group, userid: str) -> Seat:
        """Somebody's seat; an error when they are not in the group."""
        if userid not in group.seats:
            raise WorldError(f"{userid} is not in the group {group.name}; in it: {', '.join(group.seats)}")
        return group.seats[userid]

    def post(self, where: Group | Person, by: str, kind: str, body: Json, card: Card | None = None) -> Said:
        """Put a message into a conversation."""
        said = Said(id=self.fresh("MSG"), at=self.now(), by=by, kind=kind, body=body, card=card)
        where.said.append(said)
        for hear in self.hears:
            hear(where, said)
        return said

    def keep(self, kind: str, name: str, data: bytes) -> Media:
        """Keep a file."""
        made = Media(id=self.fresh("MEDIA"), kind=kind, name=name, data=data, at=self.now())
        self.media[made.id] = made
        return made
