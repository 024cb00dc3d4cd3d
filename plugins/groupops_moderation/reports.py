"""What members say about messages: reports, and a steward's word that a case was a false alarm."""

from collections.abc import Sequence
from dataclasses import dataclass

from groupops import (
    AccountId,
    Action,
    Case,
    CommandGiven,
    DirectMessage,
    DismissCase,
    Errand,
    Member,
    OpenCase,
    Role,
    Severity,
    Texts,
    Tools,
)
from groupops_moderation import models
from groupops_moderation.allowances import Allowance
from groupops_moderation.categories import Category, load_categories
from groupops_moderation.findings import by_words, words_of
from groupops_moderation.matcher import TermError
from groupops_moderation.settings import Moderation
from groupops_moderation.view import View
from groupops_moderation.workshop import Workshop

PLUGIN = "moderation"
ANYTHING = "other_harm"
"""The category of a report that fits none of those in use."""

_AGAIN_S = 7 * 86_400.0
_HOUR_S = 3_600.0
_MACHINE = frozenset({"word", "list", "pattern", "url"})

Answer = list[Action | Errand]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a report is about: an account, the message if there is one, and its text if that is known."""

    account: AccountId
    message_id: str = ""
    text: str = ""


async def report(
    event: CommandGiven, settings: Moderation, view: View, own: Workshop, tools: Tools
) -> Answer:
    """Take a member's report: a case for the stewards, nothing for anybody else; the reporter is told privately.

    Args:
        event: the command `举报`, with its reason as its only argument.
        settings: the group's settings.
        view: the same, compiled.
        own: the workshop.
        tools: the plugin's tools.
    """
    texts = tools.texts
    reason = event.args[0].strip() if event.args else ""
    found = _target(event, reason, own, tools)
    if isinstance(found, str):
        return [_privately(event, texts(found), texts)]
    target, reason = found
    if target.account == event.account:
        return [_privately(event, texts("report_self"), texts)]
    refusal = await _refusal(event, target, settings, tools)
    if refusal:
        return [_privately(event, texts(refusal), texts)]
    if own.must_wait(view):
        await own.ready(view)
    category = _category(reason, target.text, view, own)
    hits = own.find(view, target.text) if target.text else []
    if words_of(target.text, hits, view).grievance and category.severity < Severity.CRITICAL:
        return [_privately(event, texts("report_grievance"), texts), _hint_for(event, target.account, texts)]
    return [
        _case(event, target, reason, category, settings, texts),
        _privately(event, texts("report_taken"), texts),
    ]


def _target(event: CommandGiven, words: str, own: Workshop, tools: Tools) -> tuple[Target, str] | str:
    """Find out whom and what a report is about; else the key of the text that says what is missing."""
    if event.quoted:
        known = own.recent.message(event.group_id, event.quoted)
        account = event.quoted_account or (known.account if known else None)
        if account is None:
            return "report_unknown"
        text = event.quoted_text or (known.text if known else "")
        return Target(account=account, message_id=event.quoted, text=text), words
    if event.mentioned:
        return Target(account=event.mentioned[-1]), words
    name, _, rest = words.partition(" ")
    named = _named(name.removeprefix("@"), tools.people.members(event.group_id))
    return (Target(account=named), rest.strip()) if named else "report_form"


def _named(name: str, members: Sequence[Member]) -> AccountId | None:
    """The one member who is called so."""
    found = [
        m.account
        for m in members
        if name and name in (m.account, m.account.partition(":")[2], m.card, m.name, m.real_name)
    ]
    return found[0] if len(found) == 1 else None


async def _refusal(event: CommandGiven, target: Target, settings: Moderation, tools: Tools) -> str:
    """The key of the text by which a report is turned away: too many, or there is one already."""
    base = f"moderation/{event.group_id}"
    if await tools.counters.add(f"{base}/reports/{event.account}", _HOUR_S) > settings.reports_per_hour:
        return "report_often"
    about = target.message_id or f"{target.account}/{event.account}"
    return "" if await tools.counters.once(f"{base}/reported/{about}", _AGAIN_S) else "report_again"


def _category(reason: str, text: str, view: View, own: Workshop) -> Category:
    """The category a report is about: as its words say, else as the message's words vote, else any."""
    for category in view.active.values():
        if any(word in reason for word in (category.title, *category.called)):
            return category
    hits = own.find(view, text) if text else []
    voted = list(by_words(text, words_of(text, hits, view).hits, view))
    if voted:
        return max(voted, key=lambda one: one.gravity).category
    return view.active.get(ANYTHING) or load_categories()[ANYTHING]


def _case(
    event: CommandGiven, target: Target, reason: str, category: Category, settings: Moderation, texts: Texts
) -> OpenCase:
    """The reporter's words go along only where nothing else says what it is about."""
    vague = category.id == ANYTHING and reason
    key = "reported_as" if vague else "reported"
    return OpenCase(
        group_id=event.group_id,
        account=target.account,
        rule=category.rule,
        reason=texts(key, title=category.title, words=reason),
        severity=category.severity,
        ladder=settings.ladder_of(category.id),
        message_id=target.message_id,
        excerpt=target.text if category.keeps else "",
        reporter=event.account,
    )


def _privately(event: CommandGiven, text: str, texts: Texts) -> DirectMessage:
    return DirectMessage(
        group_id=event.group_id, account=event.account, text=text, neutral=texts("report_neutral")
    )


def _hint_for(event: CommandGiven, account: AccountId, texts: Texts) -> DirectMessage:
    return DirectMessage(
        group_id=event.group_id, account=account, text=texts("hint"), neutral=texts("hint_neutral")
    )


async def false_alarm(event: CommandGiven, member: Member, own: Workshop, tools: Tools) -> Answer:
    """Take a steward's word that a case was a false alarm: it is dismissed and its sentence is let pass.

    Args:
        event: the command `误报`, with the number of the case and, if given, a remark.
        member: the steward.
        own: the workshop.
        tools: the plugin's tools.
    """
    texts = tools.texts
    case = await tools.cases.case(int(event.args[0]))
    if case is None or case.plugin != PLUGIN:
        return [_told(event, texts("allow_none", id=event.args[0]))]
    if not _may_decide(case, member):
        return [_told(event, texts("allow_involved", id=case.id))]
    kept = await _let_pass(case, event, own)
    note = " ".join((texts("allow_note"), *event.args[1:]))
    return [
        _told(event, texts("allowed" if kept else "allowed_unkept", id=case.id)),
        DismissCase(group_id=case.group_id, case_id=case.id, account=event.account, note=note),
    ]


def _may_decide(case: Case, member: Member) -> bool:
    """Whether the core would let this steward decide; it says so itself only once the sentence is let pass."""
    involved = member.account in (case.account, case.reporter) or case.person_id == member.person_id
    return not involved and (member.steward or member.role is Role.OWNER)


async def _let_pass(case: Case, event: CommandGiven, own: Workshop) -> bool:
    """Let the sentence of a case pass; False where none was kept, or a report and no machine was wrong."""
    if not case.excerpt or not any(seen.what in _MACHINE for seen in case.evidence):
        return False
    entry = Allowance(
        group_id=case.group_id, phrase=case.excerpt, case_id=case.id, by=event.account, at=event.at
    )
    try:
        own.allowances.add(entry)
    except TermError:
        return False
    await models.keep_entry(entry)
    return True


def _told(event: CommandGiven, text: str) -> DirectMessage:
    return DirectMessage(group_id=event.group_id, account=event.account, text=text, neutral=text)
