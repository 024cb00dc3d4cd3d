"""Name cards (群名片): says whether a card keeps to the format of its group, and how it should read.

Pure: no I/O after the data files are read, no clock, no store. The words:

    Register.of(persons, aliases={})            who there is, indexed; made anew when the directory's edition grows
    check(card, format, register, *, holder=None, separators=(), canonical="") -> Judgement
    card_of(person, format, register, *, separators=(), canonical="") -> str    the card the person should have, or ""
    whose(card, format, register) -> tuple[Person, ...]      whom the card may be naming, best first
    hint(format, separators=(), canonical="") -> str         the format in words for people, with an example
    safe_card(card) -> str                                   the card with long numbers taken out
    reason(why) -> str                                       a `Judgement.why` in words for people

`Format` is F1 to F7 (`Format("F1")`; `.enforceable` is False for F7, which is only ever read). A `Judgement` has
`verdict` (`valid`, `fixable`, `invalid`, and `remind` where no roster can tell), `suggestion` (only when fixable;
the same format always finds it valid), `person` (when the card names exactly one), `why` (empty when valid) and
`others` (persons it might mean when it names several; the referrer in F7). Departures and provisional persons are
not in the register. The empty `separators` and `canonical` mean the format's own.
"""

from groupops_roster.cards.formats import Format, hint, reason
from groupops_roster.cards.judging import card_of, check, whose
from groupops_roster.cards.masks import safe_card
from groupops_roster.cards.register import Register
from groupops_roster.cards.verdicts import Judgement, Verdict

__all__ = [
    "Format",
    "Judgement",
    "Register",
    "Verdict",
    "card_of",
    "check",
    "hint",
    "reason",
    "safe_card",
    "whose",
]
