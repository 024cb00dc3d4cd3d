"""What may be asked of a platform: actions in the imperative, the capabilities they need, and their receipts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Literal

from groupops.people import AccountId, GroupId, PersonId, PersonLine


class Capability(StrEnum):
    """What a platform may be able to do. Closed: later work only adds. `docs/capabilities.md` maps the sheets' rows."""

    RECEIVE_ALL = "receive_all"
    RECEIVE_MENTIONS = "receive_mentions"
    SEND_TEXT = "send_text"
    REPLY = "reply"
    MENTION = "mention"
    SEND_IMAGE = "send_image"
    SEND_FILE = "send_file"
    SEND_CARD = "send_card"
    UPDATE_CARD = "update_card"
    DIRECT_MESSAGE = "direct_message"
    DELETE_MESSAGE = "delete_message"
    DELETE_OWN_MESSAGE = "delete_own_message"
    MUTE = "mute"
    MUTE_ALL = "mute_all"
    REMOVE_MEMBER = "remove_member"
    SET_CARD = "set_card"
    DECIDE_JOIN = "decide_join"
    ANNOUNCE = "announce"
    RENAME_GROUP = "rename_group"
    LIST_MEMBERS = "list_members"
    READ_CARD = "read_card"
    READ_ROLE = "read_role"
    READ_INVITER = "read_inviter"
    READ_HISTORY = "read_history"
    READ_CHECK_INS = "read_check_ins"
    SEE_JOINS = "see_joins"
    SEE_LEAVES = "see_leaves"
    SEE_RENAMES = "see_renames"
    SEE_RECALLS = "see_recalls"
    SEE_LOCATION = "see_location"
    SEE_RED_PACKET = "see_red_packet"
    SEE_MEDIA = "see_media"
    DEDUPE_SENDS = "dedupe_sends"
    ASK_STEWARDS = "ask_stewards"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One answer that may be given; rendered as a word to send or as a button.

    Args:
        word: what is sent back, e.g. `收到`.
        label: what is shown, e.g. `收到,马上办`.
    """

    word: str
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What every action has: the group it is done in (or on whose behalf)."""

    needs: ClassVar[Capability]
    irreversible: ClassVar[bool] = False
    """True when nothing can take the action back."""
    repeatable: ClassVar[bool] = False
    """True when doing it twice is the same as doing it once (a mute, not a text)."""
    bites: ClassVar[bool] = False
    """True when it takes something away from a member."""

    group_id: GroupId

    @property
    def inverse(self) -> Action | None:
        """Give the action that takes this one back, or None."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class SendText(Deed):
    """Post a text in the group, mentioning `mentions` where the platform can.

    `passing`, here and in the other messages: what was said is forgotten by the record as soon as it is known
    what became of it; for words that may be kept no longer than what they are about.
    """

    needs = Capability.SEND_TEXT
    irreversible = True
    text: str
    mentions: tuple[AccountId, ...] = ()
    options: tuple[Option, ...] = ()
    subject: str = ""
    passing: bool = False
    kind: Literal["send_text"] = "send_text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply(Deed):
    """Answer a message with a text that quotes it."""

    needs = Capability.REPLY
    irreversible = True
    message_id: str
    text: str
    account: AccountId | None = None
    passing: bool = False
    kind: Literal["reply"] = "reply"


@dataclass(frozen=True, slots=True, kw_only=True)
class SendImage(Deed):
    """Post a picture, or send it to one account when `account` is given; `data` is a PNG or JPEG."""

    needs = Capability.SEND_IMAGE
    irreversible = True
    data: bytes
    caption: str = ""
    account: AccountId | None = None
    passing: bool = False
    kind: Literal["send_image"] = "send_image"


@dataclass(frozen=True, slots=True, kw_only=True)
class SendFile(Deed):
    """Post a file, or send it to one account when `account` is given.

    `text` is said with it, and alone where no file can be sent.
    """

    needs = Capability.SEND_FILE
    irreversible = True
    name: str
    data: bytes
    text: str = ""
    account: AccountId | None = None
    passing: bool = False
    kind: Literal["send_file"] = "send_file"


@dataclass(frozen=True, slots=True, kw_only=True)
class SendCard(Deed):
    """Post a card with a title, a text and options as buttons."""

    needs = Capability.SEND_CARD
    irreversible = True
    title: str
    text: str
    options: tuple[Option, ...] = ()
    subject: str = ""
    account: AccountId | None = None
    kind: Literal["send_card"] = "send_card"


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateCard(Deed):
    """Replace a card that was sent."""

    needs = Capability.UPDATE_CARD
    repeatable = True
    card_id: str
    title: str
    text: str
    kind: Literal["update_card"] = "update_card"


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectMessage(Deed):
    """Write to one account privately. `neutral` is what may be said in the group when that is impossible."""

    needs = Capability.DIRECT_MESSAGE
    irreversible = True
    account: AccountId
    text: str
    neutral: str = ""
    options: tuple[Option, ...] = ()
    subject: str = ""
    passing: bool = False
    kind: Literal["direct_message"] = "direct_message"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteMessage(Deed):
    """Take somebody's message away (撤回). `account` is its author."""

    needs = Capability.DELETE_MESSAGE
    irreversible = True
    repeatable = True
    bites = True
    message_id: str
    account: AccountId | None = None
    kind: Literal["delete_message"] = "delete_message"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute(Deed):
    """Keep an account from posting for `span`."""

    needs = Capability.MUTE
    repeatable = True
    bites = True
    account: AccountId
    span: timedelta
    kind: Literal["mute"] = "mute"

    @property
    def inverse(self) -> Action | None:
        """Unmute the account."""
        return Unmute(group_id=self.group_id, account=self.account)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmute(Deed):
    """Let an account post again."""

    needs = Capability.MUTE
    repeatable = True
    account: AccountId
    kind: Literal["unmute"] = "unmute"


@dataclass(frozen=True, slots=True, kw_only=True)
class MuteAll(Deed):
    """Mute or unmute the whole group."""

    needs = Capability.MUTE_ALL
    repeatable = True
    bites = True
    on: bool = True
    kind: Literal["mute_all"] = "mute_all"

    @property
    def inverse(self) -> Action | None:
        """The other way round."""
        return MuteAll(group_id=self.group_id, on=not self.on)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveMember(Deed):
    """Remove an account from the group (移出). Cannot be taken back; the person may be invited again."""

    needs = Capability.REMOVE_MEMBER
    irreversible = True
    repeatable = True
    bites = True
    account: AccountId
    reason: str = ""
    kind: Literal["remove_member"] = "remove_member"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetCard(Deed):
    """Set an account's card; `old` is what it was."""

    needs = Capability.SET_CARD
    repeatable = True
    account: AccountId
    card: str
    old: str = ""
    kind: Literal["set_card"] = "set_card"

    @property
    def inverse(self) -> Action | None:
        """Set the former card."""
        return SetCard(group_id=self.group_id, account=self.account, card=self.old, old=self.card)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideJoin(Deed):
    """Accept or refuse a request to come in."""

    needs = Capability.DECIDE_JOIN
    irreversible = True
    repeatable = True
    account: AccountId
    request_id: str
    accept: bool
    reason: str = ""
    kind: Literal["decide_join"] = "decide_join"


@dataclass(frozen=True, slots=True, kw_only=True)
class Announce(Deed):
    """Publish a group notice (群公告)."""

    needs = Capability.ANNOUNCE
    irreversible = True
    text: str
    kind: Literal["announce"] = "announce"


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameGroup(Deed):
    """Give the group a name; `old` is what it was."""

    needs = Capability.RENAME_GROUP
    repeatable = True
    name: str
    old: str = ""
    kind: Literal["rename_group"] = "rename_group"

    @property
    def inverse(self) -> Action | None:
        """Give the former name."""
        return RenameGroup(group_id=self.group_id, name=self.old, old=self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCheckIns(Deed):
    """Ask the company's attendance when and where some accounts checked in; what it has comes as `CheckedInElsewhere`.

    Args:
        accounts: whose; whoever did not consent to it is not among them.
        since, until: of which span (aware), both ends included.
    """

    needs = Capability.READ_CHECK_INS
    irreversible = True
    repeatable = True
    accounts: tuple[AccountId, ...]
    since: datetime
    until: datetime
    kind: Literal["read_check_ins"] = "read_check_ins"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskStewards(Deed):
    """Put a task before the stewards: a ticket (工单), or a case to decide.

    The core carries it out itself (a row, and word to every steward), so that every platform can.

    Args:
        text: what to do, in words.
        subject: what it is about, e.g. `case:12`; empty for a plain ticket.
        options: the answers offered.
        wanted: the action a human is to do by hand; a member list that shows it done closes the ticket.
    """

    needs = Capability.ASK_STEWARDS
    irreversible = True
    repeatable = True
    text: str
    subject: str = ""
    options: tuple[Option, ...] = ()
    wanted: Mute | RemoveMember | DeleteMessage | SetCard | MuteAll | Unmute | RenameGroup | None = None
    kind: Literal["ask_stewards"] = "ask_stewards"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenObligation:
    """An errand for the core: somebody owes something by a deadline.

    Args:
        group_id: where.
        account: who owes it.
        obligation_kind: `<plugin>.<what>`, e.g. `tasks.answer`.
        title: what is owed, in words.
        key: unique; opening the same key again changes nothing (an edited task keeps its clock, G5).
        minutes: time allowed, in minutes of `clock`; ignored when `due_at` is given.
        due_at: fixed deadline (aware).
        clock: `wall` always runs, `service` only in working time and never in quiet windows (G5).
        remind_minutes: when to remind, in minutes of the same clock after opening.
        options: the answers offered.
        excuse_hours: how long after the deadline an explanation is taken (G6).
        private: remind by direct message rather than in the group.
    """

    group_id: GroupId
    account: AccountId
    obligation_kind: str
    title: str
    key: str
    minutes: int = 0
    due_at: datetime | None = None
    clock: Literal["wall", "service"] = "wall"
    remind_minutes: tuple[int, ...] = ()
    options: tuple[Option, ...] = ()
    excuse_hours: int = 24
    private: bool = False
    kind: Literal["open_obligation"] = "open_obligation"


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleObligation:
    """An errand for the core: what was owed under `key` is done, taken back, or called off.

    Args:
        group_id: where.
        key: the obligation's key.
        how: `satisfied` by an event, `withdrawn` when that event was taken back (the clock resumes where it
            stood), `cancelled` when nothing is owed any more.
        note: why, in words.
    """

    group_id: GroupId
    key: str
    how: Literal["satisfied", "withdrawn", "cancelled"] = "satisfied"
    note: str = ""
    kind: Literal["settle_obligation"] = "settle_obligation"


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeAt:
    """An errand for the core: post `TimeCame(job, plugin, payload)` at a moment; the same job and moment once."""

    group_id: GroupId
    job: str
    at: datetime
    payload: str = ""
    kind: Literal["wake_at"] = "wake_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCase:
    """An errand for the core: put a report before the stewards as a case; by itself it never contains anybody.

    Args:
        group_id: where.
        account: whom it is about.
        rule: the rule's id.
        reason: why, in words.
        severity: 1 low … 4 critical, as in `Severity`.
        ladder: the ladder a confirmed case counts on.
        message_id: the message reported, if any.
        excerpt: its text, where it may be kept.
        reporter: who reported it; never shown, never may decide it.
    """

    group_id: GroupId
    account: AccountId
    rule: str
    reason: str
    severity: int = 2
    ladder: str = ""
    message_id: str = ""
    excerpt: str = ""
    reporter: AccountId | None = None
    kind: Literal["open_case"] = "open_case"


@dataclass(frozen=True, slots=True, kw_only=True)
class DismissCase:
    """An errand for the core: a steward said that a case is no offence, in whatever state it is.

    Whoever may not decide the case (its subject, its reporter) is told so and nothing changes; else the strike
    goes, what can be reversed is reversed, and the giver is told.

    Args:
        group_id: where it was said.
        case_id: which case.
        account: the steward who said it.
        note: why, in words.
    """

    group_id: GroupId
    case_id: int
    account: AccountId
    note: str
    kind: Literal["dismiss_case"] = "dismiss_case"


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolPersons:
    """An errand for the core: what a roster says of persons; its facts (`PersonChanged`) follow.

    An account nobody has is bound; one of a provisional person is, with all that was booked of it, merged into
    the person; one of another person stays where it is (see `Disputed`).

    Args:
        group_id: where it was said.
        lines: the persons.
        by: the account or office that says so.
    """

    group_id: GroupId
    lines: tuple[PersonLine, ...]
    by: str
    kind: Literal["enrol_persons"] = "enrol_persons"


@dataclass(frozen=True, slots=True, kw_only=True)
class BindAccount:
    """An errand for the core: an account is a person's, by a human's word; from a provisional one it is merged."""

    group_id: GroupId
    account: AccountId
    person_id: PersonId
    by: str
    kind: Literal["bind_account"] = "bind_account"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnbindAccount:
    """An errand for the core: an account is nobody's any more, by a human's word."""

    group_id: GroupId
    account: AccountId
    by: str
    kind: Literal["unbind_account"] = "unbind_account"


@dataclass(frozen=True, slots=True, kw_only=True)
class MergePersons:
    """An errand for the core: two persons are one, by a human's word; all that was booked of `gone` is `kept`'s."""

    group_id: GroupId
    kept: PersonId
    gone: PersonId
    by: str
    kind: Literal["merge_persons"] = "merge_persons"


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseTickets:
    """An errand for the core: what the stewards were asked under `subject` is done with.

    Args:
        group_id: where it was asked.
        subject: the `subject` of the `AskStewards` that asked.
        by: the account or plugin that saw to it.
    """

    group_id: GroupId
    subject: str
    by: str
    kind: Literal["close_tickets"] = "close_tickets"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiveCase:
    """An errand for the core: nobody decided an appeal in time, so the member is excused.

    Only a case that stands appealed is waived so, and only by the plugin that owns its step: time may be in
    a member's favour, never against.
    """

    group_id: GroupId
    case_id: int
    note: str
    kind: Literal["waive_case"] = "waive_case"


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """An errand for the core: a line of audit; never contents of messages.

    Args:
        group_id: where.
        what: what happened, in English, e.g. `roster exported`.
        subject: what it is about, e.g. `person:7`.
        actor: who did it; empty for the plugin itself.
        detail: what else is to be known.
    """

    group_id: GroupId
    what: str
    subject: str = ""
    actor: str = ""
    detail: Mapping[str, str | int] = field(default_factory=dict[str, "str | int"])
    kind: Literal["note"] = "note"


Errand = (
    OpenObligation
    | SettleObligation
    | WakeAt
    | OpenCase
    | DismissCase
    | EnrolPersons
    | BindAccount
    | UnbindAccount
    | MergePersons
    | CloseTickets
    | WaiveCase
    | Note
)
"""What a plugin may ask of the core itself, beside actions."""


Action = (
    SendText
    | Reply
    | SendImage
    | SendFile
    | SendCard
    | UpdateCard
    | DirectMessage
    | DeleteMessage
    | Mute
    | Unmute
    | MuteAll
    | RemoveMember
    | SetCard
    | DecideJoin
    | Announce
    | RenameGroup
    | ReadCheckIns
    | AskStewards
)
"""Anything that may be asked; `kind` tells which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """It was done. `ref` is the platform's handle of what came of it (a message id), if any."""

    ref: str = ""
    kind: Literal["done"] = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The platform would not; `why` in its words."""

    why: str = ""
    kind: Literal["refused"] = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Impossible:
    """The platform cannot, here and now."""

    capability: Capability
    kind: Literal["impossible"] = "impossible"


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttled:
    """Not now; again after `retry_after`."""

    retry_after: timedelta = field(default=timedelta(seconds=5))
    kind: Literal["throttled"] = "throttled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """The target is no longer there (member left, message too old)."""

    why: str = ""
    kind: Literal["gone"] = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreachable:
    """The platform could not be reached; nothing was sent."""

    why: str = ""
    kind: Literal["unreachable"] = "unreachable"


@dataclass(frozen=True, slots=True, kw_only=True)
class InDoubt:
    """It was sent and the answer was lost: repeatable actions are repeated, texts are shown to a steward."""

    why: str = ""
    kind: Literal["in_doubt"] = "in_doubt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """It would have been done; this was a rehearsal or a stage that does not bite."""

    kind: Literal["rehearsed"] = "rehearsed"


def without_words(action: Action) -> Action:
    """Give a message that passes as the record keeps it once it was sent: to whom and when, not what."""
    if not getattr(action, "passing", False):
        return action
    match action:
        case SendImage():
            return replace(action, data=b"", caption="")
        case SendFile():
            return replace(action, data=b"", text="")
        case DirectMessage():
            return replace(action, text="", neutral="")
        case SendText() | Reply():
            return replace(action, text="")
        case _:
            return action


Receipt = Done | Refused | Impossible | Throttled | Gone | Unreachable | InDoubt | Rehearsed
"""What became of an action."""
