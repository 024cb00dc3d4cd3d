"""From a message to a verdict: what speaks against it, what for it, and what follows at once."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from groupops import (
    Action,
    DeleteMessage,
    DirectMessage,
    Evidence,
    Member,
    MessagePosted,
    Mute,
    Offence,
    Pardon,
    Reply,
    Severity,
    Text,
    Texts,
)
from groupops_moderation.categories import AutoMax
from groupops_moderation.findings import (
    Finding,
    Words,
    by_addresses,
    by_markings,
    by_numbers,
    by_parts,
    by_patterns,
    by_words,
    outside,
    passed,
    words_of,
)
from groupops_moderation.fold import Span, load_fold
from groupops_moderation.matcher import Hit, SplitHit
from groupops_moderation.settings import Moderation
from groupops_moderation.speech import load_speech
from groupops_moderation.view import View
from groupops_moderation.workshop import Workshop

OWN_RULES = "moderation."
"""What a pardon speaks against: measures of other plugins, such as a reminder at night, are theirs."""

MARKED = "confidential"
"""The category whose offences are told to their author alone and count as no strike by themselves."""


def judged(
    event: MessagePosted, member: Member, settings: Moderation, view: View, own: Workshop, texts: Texts
) -> Offence | Pardon | None:
    """Judge one message by words, patterns, numbers, markings, addresses and files. Neither waits nor stores.

    Args:
        event: the message; what it quotes is not its sender's.
        member: who posted it.
        settings: the group's settings.
        view: the same, compiled.
        own: the workshop, whose automaton knows the view.
        texts: the plugin's texts.
    """
    text = event.text
    hits = _hits(event, view, own)
    if not hits and not view.watches and _plain(event):
        return None
    words = words_of(text, hits, view) if hits else _NO_WORDS
    if words.grievance and settings.grievance_hint and load_speech().complains(text):
        own.hint(event.id, member)
    found = list(_found(event, words, settings, view, own))
    if not found or settings.exempts(member):
        return None
    spans = own.allowances.spans(event.group_id, text, view.allow)
    if spans:
        words = replace(words, hits=outside(words.hits, spans))
        found = [one for one in _found(event, words, settings, view, own) if not _passed(one, spans)]
    held, shield = _shielded(event, found, words, texts)
    if shield and words.grievance and settings.grievance_hint:
        own.hint(event.id, member)
    if held:
        return _offence(event, held, settings, texts)
    return Pardon(reason=shield, rules=(OWN_RULES,)) if shield else None


def _hits(event: MessagePosted, view: View, own: Workshop) -> list[Hit | SplitHit]:
    """The words in a message, and those that reach into it from the sender's short messages right before."""
    text = event.text
    hits = own.find(view, text) if text else []
    own.recent.note(event)
    if view.within and event.account:
        earlier = own.recent.before(event, view.within)
        if earlier:
            hits += own.find_across(view, (*earlier, text))
    return hits


_NO_WORDS = Words(hits=())


def _found(
    event: MessagePosted, words: Words, settings: Moderation, view: View, own: Workshop
) -> Iterator[Finding]:
    """Ask every detector; each rules most messages out at a glance."""
    text = event.text
    if words.hits:
        yield from by_words(text, words.hits, view)
    if text and view.watches:
        yield from _beside_words(text, settings, view)
    if not _plain(event):
        yield from by_parts(event, settings, view, partial(own.find, view))


def _beside_words(text: str, settings: Moderation, view: View) -> Iterator[Finding]:
    yield from by_patterns(text, settings, view)
    if view.has_address is not None and view.has_address(text):
        yield from by_addresses(text, settings, view)
    if view.has_digits is None and view.has_mark is None:
        return
    folded = load_fold().text(text)
    if view.has_digits is not None and view.has_digits(folded):
        yield from by_numbers(text, settings, view)
    if view.has_mark is not None and view.has_mark(folded):
        yield from by_markings(text, view)


def _plain(event: MessagePosted) -> bool:
    return len(event.segments) <= 1 and (not event.segments or isinstance(event.segments[0], Text))


def _passed(found: Finding, spans: Sequence[Span]) -> bool:
    """Whether all that was seen lies in sentences that are let pass."""
    return all(
        one.start is not None and one.end is not None and passed(one.start, one.end, spans)
        for one in found.evidence
    )


def _shielded(
    event: MessagePosted, found: list[Finding], words: Words, texts: Texts
) -> tuple[list[Finding], str]:
    """Lift what a complaint or a command shields (G19).

    Returns:
        What is left, and by what the rest was lifted; empty where nothing was.
    """
    shield = _shield(event, words, texts)
    grave = any(one.category.severity >= Severity.CRITICAL for one in found)
    if not shield or grave or not any(one.category.shielded for one in found):
        return found, ""
    return [one for one in found if not one.category.shielded], shield


def _shield(event: MessagePosted, words: Words, texts: Texts) -> str:
    if load_speech().is_command(event):
        return texts("command")
    return texts("grievance", word=words.grievance) if words.grievance else ""


def _offence(event: MessagePosted, found: list[Finding], settings: Moderation, texts: Texts) -> Offence:
    """One offence for the worst category, with the evidence of all."""
    worst = max(found, key=lambda one: one.gravity)
    category = worst.category
    ladder = settings.ladders.get(MARKED, "") if category.id == MARKED else settings.ladder_of(category.id)
    return Offence(
        rule=category.rule,
        reason=_reason(worst, found, texts),
        severity=category.severity,
        ladder=ladder,
        auto=worst.auto,
        contain=tuple(_contained(event, worst, settings, texts)),
        evidence=tuple(dict.fromkeys(seen for one in _worst_first(found) for seen in _kept(one))),
        keep_text=all(one.category.keeps for one in found),
    )


def _worst_first(found: list[Finding]) -> list[Finding]:
    return sorted(found, key=lambda one: one.gravity, reverse=True)


def _kept(found: Finding) -> Iterator[Evidence]:
    """The evidence as it may be stored: without a quote where the category keeps nothing."""
    if found.category.keeps:
        yield from found.evidence
    else:
        yield from (replace(seen, quote="") for seen in found.evidence)


def _reason(worst: Finding, found: list[Finding], texts: Texts) -> str:
    others = dict.fromkeys(
        one.category.title for one in _worst_first(found) if one.category.id != worst.category.id
    )
    said = texts("seen" if worst.acts else "suspected", title=worst.category.title)
    return said + (texts("also", others="、".join(others)) if others else "")


def _contained(event: MessagePosted, worst: Finding, settings: Moderation, texts: Texts) -> Iterator[Action]:
    """What is done at once; who it cannot be done to, or where, is the core's to know."""
    auto, category = worst.auto, worst.category
    if auto == "flag":
        return
    group, account = event.group_id, event.account
    if category.id == MARKED:
        yield DirectMessage(
            group_id=group, account=account, text=texts("marking"), neutral=texts("marking_neutral")
        )
    elif category.asks:
        yield Reply(group_id=group, message_id=event.message_id, text=texts("source"), account=account)
    if _takes_away(auto) and category.recalls:
        yield DeleteMessage(group_id=group, message_id=event.message_id, account=account)
    if auto == "mute":
        yield Mute(group_id=group, account=account, span=settings.mute_span)


def _takes_away(auto: AutoMax) -> bool:
    return auto in ("recall", "mute")
