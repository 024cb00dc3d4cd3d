"""What stewards called a false alarm: sentences in which nothing counts any more, in the group that said so."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from groupops import GroupId
from groupops_moderation.fold import Span, load_fold
from groupops_moderation.matcher import fold_term


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """A sentence that was a false alarm; it is a regression case too: no list may hit it again.

    Args:
        group_id: where it is let pass.
        phrase: the sentence as it was written.
        case_id: the case that was a false alarm.
        by: who said so.
        at: when.
    """

    group_id: GroupId
    phrase: str
    case_id: int
    by: str
    at: datetime


class Allowances:
    """The false alarms of all groups, looked at only when a message was hit: they take effect at once."""

    __slots__ = ("_kept",)

    def __init__(self, kept: Iterable[Allowance] = ()) -> None:
        self._kept: dict[GroupId, dict[str, Allowance]] = {}
        for one in kept:
            self.add(one)

    def add(self, allowance: Allowance) -> None:
        """Takes in a sentence.

        Raises:
            TermError: folding leaves less than two characters of it.
        """
        self._kept.setdefault(allowance.group_id, {})[fold_term(allowance.phrase)] = allowance

    def of(self, group_id: GroupId) -> Mapping[str, Allowance]:
        """The false alarms of a group by their folded sentence."""
        return self._kept.get(group_id, {})

    def spans(self, group_id: GroupId, text: str, also: Iterable[str] = ()) -> list[Span]:
        """Where a text repeats what is let pass, as positions in the original text.

        Args:
            group_id: whose false alarms count.
            text: the original text of a message.
            also: further folded phrases that are let pass.
        """
        phrases = (*self._kept.get(group_id, ()), *also)
        if not phrases:
            return []
        fold = load_fold()
        folded = fold.text(text)
        return [
            fold.source(text, *match.span())
            for phrase in phrases
            for match in re.finditer(re.escape(phrase), folded)
        ]
