"""What is said of a card: the verdict, the one suggestion, the person, and why."""

from dataclasses import dataclass
from enum import StrEnum

from groupops import Person


class Verdict(StrEnum):
    """How a card stands to the format of its group.

    `FIXABLE` is no offence: the card says who is meant, only not in the required way. `REMIND` is said where no
    roster can tell right from wrong: it may lead to a reminder and never to more.
    """

    VALID = "valid"
    FIXABLE = "fixable"
    INVALID = "invalid"
    REMIND = "remind"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What is said of one card.

    Args:
        verdict: how it stands to the format.
        suggestion: how it should read; set exactly when it is fixable, and valid by the same format.
        person: the one person it names; None when it names nobody or several of one name.
        why: key of a text (see `reason`); empty when valid.
        others: the persons it might mean when it names several; in F7 the referrer.
    """

    verdict: Verdict
    suggestion: str = ""
    person: Person | None = None
    why: str = ""
    others: tuple[Person, ...] = ()
