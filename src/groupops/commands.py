"""Finds commands in what people write, and answers the core's own."""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any

from groupops.actions import Action, AskStewards
from groupops.casebook import Answered, Casebook
from groupops.clock import Clock
from groupops.directory import Bound, PeopleBook
from groupops.errors import CommandError
from groupops.events import ChoiceMade, CommandGiven, Event, Mention, MessagePosted, Quote
from groupops.obligations import Obligations
from groupops.people import AccountId, GroupId, Member, PersonId
from groupops.plan import GroupPlan
from groupops.plugin import Arg, Command, Texts, texts_of
from groupops.records import Audit, Case, CaseStatus, ObligationStatus, Records

PREFIXES = ("/", "\uff0f")
"""What a command in a group may begin with: a slash, or a full-width one."""

COLONS = (":", "\uff1a")
"""What may stand behind a command's word instead of a space."""


@cache
def core_commands() -> Mapping[str, tuple[str, Command]]:
    """Give the core's commands: word → (key, command), as `commands.toml` has them."""
    raw = tomllib.loads(resources.files("groupops").joinpath("commands.toml").read_text("utf-8"))
    return {table["word"]: (key, _command(table)) for key, table in raw.items()}


@cache
def core_initials() -> frozenset[str]:
    """Give the first characters a command of the core may begin with, the prefixes among them."""
    return frozenset(word[0] for word in core_commands()) | frozenset(PREFIXES)


def _command(table: Mapping[str, Any]) -> Command:
    return Command(
        word=table["word"],
        title=table["title"],
        args=tuple(Arg(name=form[0], of=form[1], optional=len(form) > 2) for form in table["form"]),  # noqa: PLR2004 - name, kind, "?"
        stewards_only=table.get("stewards_only", False),
        bare=table.get("bare", False),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A command that was found: the fact it is, or what its giver is told instead.

    Args:
        given: the command, when its form is right.
        owner: the plugin that answers it; empty for the core.
        wrong: what to answer when the form is wrong or the giver may not give it.
    """

    given: CommandGiven | None = None
    owner: str = ""
    wrong: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of a command.

    Args:
        text: the answer.
        private: True when it must not be said in the group.
        answered: what came of a case, with rows that follow.
        facts: facts to be posted.
        actions: actions that follow besides.
    """

    text: str
    private: bool = False
    answered: Answered | None = None
    facts: tuple[Event, ...] = ()
    actions: tuple[Action, ...] = ()


Handler = Callable[[CommandGiven, Member, GroupPlan], Awaitable[Answer]]


@dataclass(slots=True)
class Commands:
    """The core's commands and the way to find any.

    Args:
        records, clock, people: as everywhere.
        casebook: for cases.
        obligations: for explanations.
        texts: the core's texts.
    """

    records: Records
    clock: Clock
    people: PeopleBook
    casebook: Casebook
    obligations: Obligations
    texts: Texts
    _handlers: Mapping[str, Handler] = field(init=False)

    def __post_init__(self) -> None:
        self._handlers = {
            "help": self._help,
            "record": self._record,
            "why": self._why,
            "appeal": self._appeal,
            "explain": self._explain,
            "approve": self._approve,
            "reject": self._reject,
            "undo": self._undo,
            "waive": self._waive,
            "done": self._done,
            "bind": self._bind,
        }

    # — finding —

    def might_be(self, event: MessagePosted, plan: GroupPlan) -> bool:
        """Say quickly whether a message may hold a command; most talk is ruled out by one look-up."""
        text = event.text
        if not text:
            return False
        first = text[0]
        if first not in core_initials() and first not in plan.initials and not event.to_bot:
            return first.isspace() and not text.isspace()  # what is indented is looked at whole
        if first in PREFIXES or event.to_bot:
            return not text.isspace()
        word, _ = command_word(text)
        return word in core_commands() or word in plan.commands

    def find(
        self, event: MessagePosted, plan: GroupPlan, member: Member, *, private: bool = False
    ) -> Found | None:
        """Find the command in a message; None when it is mere talk, which gets no answer.

        In a group a command needs `/`, a mention or a quote of the bot, or a form that parses fully.
        """
        text = event.text
        addressed = private or event.to_bot or text[0] in PREFIXES
        word, rest = command_word(text.lstrip("".join(PREFIXES)))
        owner, command = self._look_up(word, plan)
        if command is None:
            return None
        try:
            args = parse_args(command, rest, _mentioned(event), self._resolver(event))
        except CommandError as error:
            return Found(wrong=str(error)) if addressed else None
        if not addressed and not (command.bare and args):
            return None
        if command.stewards_only and not member.steward:
            return Found(wrong=self.texts("command.stewards_only", word=command.word)) if addressed else None
        return Found(given=self._given(event, command, args, private=private), owner=owner)

    def checked(self, event: CommandGiven, plan: GroupPlan, member: Member) -> Found:
        """Check a command that came by itself (privately, by a button, from the console) against its form."""
        word, behind = command_word(event.name)
        owner, command = self._look_up(word, plan)
        if command is None:
            return Found(wrong=self.texts("command.unknown", word=event.name))
        if command.stewards_only and not member.steward:
            return Found(wrong=self.texts("command.stewards_only", word=event.name))
        if event.id.endswith("/command"):
            return Found(given=event, owner=owner)
        try:
            said = " ".join((behind, *event.args)).strip()
            args = parse_args(command, said, event.mentioned, self._resolver(event))
        except CommandError as error:
            return Found(wrong=str(error))
        return Found(given=replace(event, name=command.word, args=args), owner=owner)

    def _look_up(self, word: str, plan: GroupPlan) -> tuple[str, Command | None]:
        core = core_commands().get(word)
        if core is not None:
            return "", core[1]
        return plan.commands.get(word, ("", None))

    def _given(
        self, event: MessagePosted, command: Command, args: tuple[str, ...], *, private: bool
    ) -> CommandGiven:
        quoted = next((part for part in event.segments if isinstance(part, Quote)), None)
        return CommandGiven(
            id=f"{event.id}/command",
            at=event.at,
            group_id=event.group_id,
            source=event.source,
            received_at=event.received_at,
            account=event.account,
            name=command.word,
            args=args,
            private=private,
            message_id=event.message_id,
            quoted=quoted.message_id if quoted else "",
            quoted_account=quoted.account if quoted else None,
            quoted_text=quoted.text if quoted else "",
            mentioned=_mentioned(event),
        )

    def _resolver(self, event: MessagePosted | CommandGiven) -> Callable[[str], AccountId | None]:
        def resolve(word: str) -> AccountId | None:
            named = [
                m.account
                for m in self.people.members(event.group_id)
                if word in (m.account, m.card, m.name, m.real_name)
            ]
            return named[0] if len(named) == 1 else None

        return resolve

    # — answering —

    async def answer(self, event: CommandGiven, member: Member, plan: GroupPlan) -> Answer:
        """Answer one of the core's commands."""
        key, _ = core_commands()[event.name]
        return await self._handlers[key](event, member, plan)

    def is_core(self, name: str) -> bool:
        """Say whether a command is the core's."""
        return name in core_commands()

    async def choose(self, event: ChoiceMade, member: Member, plan: GroupPlan) -> Answer | None:
        """Take a choice on a case: the stewards' buttons are the words `批准` and `驳回`."""
        kind, _, number = event.subject.partition(":")
        if kind != "case" or not number.isdigit():
            return None
        yes, no = self.texts("word.approve"), self.texts("word.reject")
        if event.word == yes:
            done = await self.casebook.approve(int(number), member, event.note, plan, event.id)
        elif event.word == no:
            done = await self.casebook.reject(int(number), member, event.note, plan, event.id)
        else:
            return None
        return Answer(text=done.text, private=True, answered=done)

    async def _help(self, event: CommandGiven, member: Member, plan: GroupPlan) -> Answer:
        table = {word: command for word, (_, command) in core_commands().items()}
        table |= {command.word: command for _, command in plan.commands.values()}
        shown = [c for c in table.values() if member.steward or not c.stewards_only]
        if event.args:
            shown = [c for c in shown if c.word == event.args[0]] or shown
        lines = [self.texts("help.line", form=c.form, title=c.title) for c in shown]
        return Answer(text="\n".join((self.texts("help.head"), *lines)))

    async def _record(self, event: CommandGiven, member: Member, _plan: GroupPlan) -> Answer:
        about = member
        if event.args and event.args[0] != member.account:
            if not member.steward:
                return Answer(text=self.texts("command.stewards_only", word=event.name))
            about = self.people.member(event.group_id, AccountId(event.args[0]))
        person = await self.records.person_of(about.account)
        if person is None:
            return Answer(text=self.texts("record.empty", name=about.called), private=True)
        await self._note_look(event, person.id, own=about is member)
        return Answer(text=await self._record_text(person.id, about), private=True)

    async def _note_look(self, event: CommandGiven, person_id: PersonId, *, own: bool) -> None:
        if own:
            return
        await self.records.note(
            Audit(
                at=self.clock.now(),
                what="record looked up",
                actor=event.account,
                group_id=event.group_id,
                subject=f"person:{person_id}",
                detail={},
            )
        )

    async def _record_text(self, person_id: PersonId, about: Member) -> str:
        cases = [case for case in await self.records.cases(person_id=person_id) if case.status not in _UNTOLD]
        owed = await self.records.obligations(
            person_id=person_id,
            statuses=frozenset(
                {ObligationStatus.OPEN, ObligationStatus.MISSED, ObligationStatus.EXCUSE_PENDING}
            ),
        )
        looks = await self.records.audit(subject=f"person:{person_id}", what="record looked up")
        lines = [
            self.texts("record.head", name=about.called, cases=len(cases), owed=len(owed), looks=len(looks))
        ]
        lines += [self._case_line(case) for case in cases]
        lines += [
            self.texts(
                "record.owed",
                id=o.id,
                title=o.title,
                due=_minute(o.due_at, self.people, o.group_id),
                status=self.texts(f"obligation.{o.status.value}"),
            )
            for o in owed
        ]
        return "\n".join(lines)

    def _case_line(self, case: Case) -> str:
        step = self.texts(f"step.{case.step}") if case.step else self.texts("step.none")
        return self.texts(
            "record.case",
            id=case.id,
            day=_minute(case.opened_at, self.people, case.group_id),
            reason=case.reason,
            clause=self.casebook.clause(case.clause),
            step=step,
            status=self.texts(f"status.{case.status.value}"),
        )

    async def _why(self, event: CommandGiven, member: Member, _plan: GroupPlan) -> Answer:
        case = await self.records.case(int(event.args[0]))
        person = await self.records.person_of(member.account)
        mine = case is not None and (
            case.account == member.account or (person is not None and person.id == case.person_id)
        )
        if case is None or not (mine or self.people.decides(case.group_id, member.account)):
            return Answer(text=self.texts("case.none", id=event.args[0]), private=True)
        rule_text = self.casebook.clause(case.clause)
        seen = ", ".join(
            e.quote or e.detail
            for e in case.evidence
            if (e.quote or e.detail) and e.what not in ("repeat", "source")
        )
        lines = [
            self._case_line(case),
            self.texts("why.rule", rule=case.rule, clause=rule_text, revision=case.revision),
            self.texts("why.seen", seen=seen or self.texts("why.nothing_kept")),
        ]
        lines += [
            self.texts(
                "why.decision",
                word=self.texts(f"decision.{d.word.partition(':')[0]}"),
                note=d.note,
                day=_minute(d.at, self.people, case.group_id),
            )
            for d in case.decisions
        ]
        return Answer(text="\n".join(lines), private=True)

    async def _appeal(self, event: CommandGiven, member: Member, plan: GroupPlan) -> Answer:
        done = await self.casebook.appeal(int(event.args[0]), member, event.args[1], plan, event.id)
        return Answer(text=done.text, private=True, answered=done)

    async def _explain(self, event: CommandGiven, member: Member, _plan: GroupPlan) -> Answer:
        try:
            owed = await self.obligations.explain(int(event.args[0]), member.account, event.args[1])
        except CommandError as error:
            return Answer(text=str(error), private=True)
        ask = AskStewards(
            group_id=event.group_id,
            text=self.texts(
                "steward.excuse", id=owed.id, name=member.called, title=owed.title, note=event.args[1]
            ),
            subject=f"obligation:{owed.id}",
        )
        return Answer(text=self.texts("explain.taken", id=owed.id), private=True, actions=(ask,))

    async def _approve(self, event: CommandGiven, member: Member, plan: GroupPlan) -> Answer:
        number, note = (*event.args, "")[:2]
        if number.startswith("T"):
            return await self._excuse(event, member, accept=True, note=note)
        done = await self.casebook.approve(int(number), member, note, plan, event.id)
        return Answer(text=done.text, answered=done)

    async def _excuse(self, event: CommandGiven, member: Member, *, accept: bool, note: str) -> Answer:
        """Decide an explanation (G6): excused, or not, by a steward of the group in which it is owed."""
        number = int(event.args[0][1:])
        named = await self.records.obligation(number)
        if named is not None and not self.people.decides(named.group_id, member.account):
            return Answer(text=self.texts("refused.not_steward", id=event.args[0]))
        try:
            owed = await self.obligations.excuse(number, member.account, accept=accept, note=note)
        except CommandError as error:
            return Answer(text=str(error))
        return Answer(text=self.texts("excuse.accepted" if accept else "excuse.refused", id=owed.id))

    async def _reject(self, event: CommandGiven, member: Member, plan: GroupPlan) -> Answer:
        if event.args[0].startswith("T"):
            return await self._excuse(event, member, accept=False, note=event.args[1])
        done = await self.casebook.reject(int(event.args[0]), member, event.args[1], plan, event.id)
        return Answer(text=done.text, answered=done)

    async def _undo(self, event: CommandGiven, member: Member, plan: GroupPlan) -> Answer:
        done = await self.casebook.undo(int(event.args[0]), member, event.args[1], plan, event.id)
        return Answer(text=done.text, answered=done)

    async def _waive(self, event: CommandGiven, member: Member, plan: GroupPlan) -> Answer:
        done = await self.casebook.waive(int(event.args[0]), member, event.args[1], plan, event.id)
        return Answer(text=done.text, answered=done)

    async def _done(self, event: CommandGiven, member: Member, _plan: GroupPlan) -> Answer:
        """Close a ticket, of whatever group in which its giver decides."""
        number = int(event.args[0])
        ticket = next((one for one in await self.records.tickets() if one.id == number), None)
        if ticket is None or not self.people.decides(ticket.group_id, member.account):
            return Answer(text=self.texts("ticket.none", number=number))
        await self.records.close_ticket(number, by=event.account, at=self.clock.now())
        return Answer(text=self.texts("ticket.closed", number=number))

    async def _bind(self, event: CommandGiven, member: Member, _plan: GroupPlan) -> Answer:
        """Bind accounts: by a two-way code between two platforms, or by a steward's word."""
        try:
            if not event.args:
                return await self._bind_code(event, member)
            if len(event.args) == 1:
                bound = await self.people.give_code(member.account, event.args[0])
            elif member.steward:
                bound = await self._bind_by_word(event, member)
            else:
                return Answer(text=self.texts("command.stewards_only", word=event.name))
        except CommandError as error:
            return Answer(text=str(error), private=True)
        return Answer(text=self.texts("bind.done"), private=True, facts=bound.facts)

    async def _bind_code(self, event: CommandGiven, member: Member) -> Answer:
        if not event.private:
            return Answer(text=self.texts("bind.privately"))
        code = await self.people.ask_code(member.account, event.group_id)
        return Answer(text=self.texts("bind.code", code=code), private=True)

    async def _bind_by_word(self, event: CommandGiven, member: Member) -> Bound:
        account = (
            event.mentioned[0] if event.mentioned else self._resolver(event)(event.args[0].removeprefix("@"))
        )
        if account is None:
            raise CommandError(self.texts("command.no_such_member", name=event.args[0]))
        named = [person for person in await self.records.persons() if person.name == event.args[1].strip()]
        if len(named) != 1:
            raise CommandError(self.texts("bind.no_such_person", name=event.args[1]))
        return await self.people.bind(account, named[0].id, by=member.account)


_UNTOLD = frozenset({CaseStatus.DISMISSED, CaseStatus.WITHDRAWN, CaseStatus.LAPSED})
"""Cases that came to nothing are not held before anybody again."""


def parse_args(
    command: Command,
    text: str,
    mentioned: tuple[AccountId, ...],
    resolve: Callable[[str], AccountId | None],
) -> tuple[str, ...]:
    """Read a command's arguments from the text behind its word.

    Args:
        command: whose form counts.
        text: what stands behind the word.
        mentioned: who was mentioned with it.
        resolve: from a card or name to the one account that has it.

    Returns:
        The arguments as text, in the order of the form; left-out optional ones are absent.

    Raises:
        CommandError: the form is wrong; the text says the right one.
    """
    mentions = list(mentioned)
    args: list[str] = []
    rest = text
    for arg in command.args:
        if arg.of == "member" and mentions:
            args.append(mentions.pop(0))
            continue
        word, rest = (rest, "") if arg.of == "text" else _first_word(rest)
        if not word:
            if arg.optional:
                break
            raise CommandError(_right_form(command))
        args.append(_value(arg, word, command, resolve))
    if rest:
        raise CommandError(_right_form(command))
    return tuple(args)


def _first_word(text: str) -> tuple[str, str]:
    """Part a text at its first space, of whatever width."""
    word, *rest = text.split(None, 1) or ("",)
    return word, "".join(rest).strip()


def command_word(text: str) -> tuple[str, str]:
    """Part a text behind what may be a command's word: at its first space, or at a colon before that."""
    word, rest = _first_word(text)
    for colon in COLONS:
        head, found, tail = word.partition(colon)
        if found:
            return head, f"{tail} {rest}".strip()
    return word, rest


def _value(arg: Arg, word: str, command: Command, resolve: Callable[[str], AccountId | None]) -> str:
    if arg.of in ("int", "ref"):
        word = unicodedata.normalize("NFKC", word)  # full-width digits are digits
    if arg.of == "int" and not (word.isascii() and word.isdigit() and len(word) <= _DIGITS):
        raise CommandError(_right_form(command))
    if arg.of == "ref":
        word = word.upper()
        if not (word.isascii() and word.removeprefix("T").isdigit() and len(word) <= _DIGITS):
            raise CommandError(_right_form(command))
    if arg.of == "member":
        account = resolve(word.removeprefix("@"))
        if account is None:
            raise CommandError(texts_of("groupops")("command.no_such_member", name=word))
        return account
    return word


_DIGITS = 9
"""No record has a number longer than this, and no database a longer one to look for; longer ones are talk."""


def _right_form(command: Command) -> str:
    return texts_of("groupops")("command.form", form=command.form)


def _mentioned(event: MessagePosted) -> tuple[AccountId, ...]:
    return tuple(part.account for part in event.segments if isinstance(part, Mention) and part.account)


def _minute(moment: datetime, people: PeopleBook, group_id: GroupId) -> str:
    return f"{moment.astimezone(people.timezone(group_id)):%Y-%m-%d %H:%M}"
