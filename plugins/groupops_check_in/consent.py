"""Consent: what a person was told and answered, and whether it holds today; pure."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from groupops import AccountId, GroupId, PersonId
from groupops_check_in.settings import CheckIn

KEPT_AFTER = timedelta(days=3 * 365)
"""How long what was agreed to is kept once it has ended (`rules.md` §4.2)."""


class Word(StrEnum):
    """One line of the log of consent."""

    ASKED = "asked"
    """The purpose was told, and an answer asked for."""
    AGREED = "agreed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    """Taken back, with deletion of all places."""
    ERASED = "erased"
    """All places were deleted; what was agreed to holds on."""
    ENDED = "ended"
    """The person left the organisation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A line of the log.

    Args:
        group_id, person_id, account: where and who.
        word: what happened.
        terms: what it was about, as `terms_of` gives it.
        purpose: the text that was agreed to; empty for every other word.
        at: when, aware.
    """

    group_id: GroupId
    person_id: PersonId
    account: AccountId
    word: Word
    terms: str
    purpose: str = ""
    at: datetime


def terms_of(settings: CheckIn) -> str:
    """Give a mark of what is agreed to; other purposes, sources, places, terms or audiences need a new word."""
    told = [settings.purpose, settings.precision, str(settings.retention_days), settings.dispatcher_role]
    told += ["attendance"] if settings.attendance_minutes else []
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]


def holds(last: Said | None, terms: str) -> bool:
    """Say whether somebody's last word is consent to these terms."""
    return last is not None and last.word is Word.AGREED and last.terms == terms


def is_before(at: datetime, last: Said) -> bool:
    """Say whether something happened before a word was said; platforms tell moments in whole seconds."""
    return at.replace(microsecond=0) < last.at.replace(microsecond=0)


def to_be_asked(last: Said | None, terms: str) -> bool:
    """Say whether somebody may be asked: once for each set of terms, and never again after a no or a withdrawal."""
    if last is None:
        return True
    return last.terms != terms and last.word in (Word.ASKED, Word.AGREED)


def was_told(last: Said | None, terms: str) -> bool:
    """Say whether somebody has been told these very terms, so that a yes is a yes to them."""
    return last is not None and last.terms == terms and last.word is not Word.ENDED
