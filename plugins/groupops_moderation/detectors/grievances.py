"""Grievances: words by which a member speaks up about work, and which shield from strikes."""

from collections.abc import Sequence

from ahocorasick_rs import AhoCorasick, MatchKind

from groupops_moderation.fold import load_fold
from groupops_moderation.matcher import fold_term


class Grievances:
    """The grievance words of one group. Asked only about a message that offended."""

    __slots__ = ("_search", "_words")

    def __init__(self, words: Sequence[str]) -> None:
        """Prepares the words.

        Args:
            words: as the operator wrote them.

        Raises:
            TermError: a word of which folding leaves less than two characters.
        """
        self._words = list(words)
        folded = [fold_term(word) for word in words]
        self._search = AhoCorasick(folded, MatchKind.Standard).find_matches_as_indexes

    def find(self, text: str) -> tuple[str, ...]:
        """The words a text contains, as the operator wrote them, in the order of the list.

        Args:
            text: the original text of a message.
        """
        matches = self._search(load_fold().text(text), overlapping=True)
        return tuple(self._words[number] for number in sorted({number for number, _, _ in matches}))
