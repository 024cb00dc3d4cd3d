"""Markings: signs that a text or file is an official secret or an approved-only document."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from groupops_moderation.fold import load_fold

Kind = Literal["grade", "word", "document_number", "signer", "copy_number"]

_GRADE = re.compile(
    r"(?:绝密|机密|秘密)\s*\*\s*(?:\d{1,2}\s*[年月]|长期)?|密\s*级\s*[:]\s*(?:绝密|机密|秘密)"
)
_NUMBER = re.compile(
    r"[\u4e00-\u9fa5]{1,12}\s*[\u3014\[(\uff3b\u3010]\s*(?:19|20)\d\d\s*[\u3015\])\uff3d\u3011]\s*第?\s*\d{1,5}\s*号"
)
_SIGNER = re.compile(r"签\s*发\s*人\s*[:]\s*[\u4e00-\u9fa5]{2,4}")
_COPY = re.compile(r"份\s*号\s*[:]\s*\d{4,6}")
_LINE_OR_FRAME = r"(?:^|[\n\[(\u3010\u3014<《_-])\s*{word}\s*(?:$|[\n\])\u3011\u3015>》_.,。!-])"


_STARS = str.maketrans("★☆", "**")


@dataclass(frozen=True, kw_only=True, slots=True)
class Marking:
    """A marking found; `start` and `end` are positions in the original text.

    `certain` says that it stands as a marking does (starred, framed, on a line of its own, in a number's proper
    brackets); a mere mention in a sentence is not certain and is a matter for people.
    """

    kind: Kind
    text: str
    start: int
    end: int
    certain: bool


@dataclass(frozen=True)
class Markings:
    """Looks for the markings that a group's rules name.

    Args:
        words: markings such as 机密 or 内部资料; one that ends in ★ counts only with the star.
        number_prefixes: issuers whose document numbers count; empty means every issuer.
    """

    words: Sequence[str] = ("机密", "绝密", "秘密★", "内部资料")
    number_prefixes: Sequence[str] = ()

    def find(self, text: str) -> list[Marking]:
        """The markings in a message.

        Args:
            text: the original text.
        """
        return self._look(text)

    def find_in_name(self, name: str) -> list[Marking]:
        """The markings in the name of a file; there a word is never a mere mention.

        Args:
            name: the file's name, with or without extension.
        """
        return [
            Marking(kind=m.kind, text=m.text, start=m.start, end=m.end, certain=True)
            for m in self._look(name)
        ]

    def _look(self, text: str) -> list[Marking]:
        text = text.translate(_STARS)  # one for one, so that places stay
        soft = load_fold().softly(text)
        found = [*self._grades(soft), *self._numbers(soft), *self._others(soft)]
        taken = [(start, end) for _, start, end, _ in found]
        found += [w for w in self._words(soft) if not any(a <= w[1] and w[2] <= b for a, b in taken)]
        spans = load_fold().spans(text, soft, soft=True) if found else []
        return [
            Marking(kind=kind, text=soft[a:b], start=spans[a][0], end=spans[b - 1][1], certain=certain)
            for kind, a, b, certain in sorted(found, key=lambda f: f[1])
        ]

    def _grades(self, soft: str) -> list[tuple[Kind, int, int, bool]]:
        return [("grade", *m.span(), True) for m in _GRADE.finditer(soft)]

    def _numbers(self, soft: str) -> list[tuple[Kind, int, int, bool]]:
        return [
            ("document_number", *m.span(), "\u3014" in m[0])
            for m in _NUMBER.finditer(soft)
            if not self.number_prefixes or any(prefix in m[0] for prefix in self.number_prefixes)
        ]

    def _others(self, soft: str) -> list[tuple[Kind, int, int, bool]]:
        signers: list[tuple[Kind, int, int, bool]] = [
            ("signer", *m.span(), True) for m in _SIGNER.finditer(soft)
        ]
        return signers + [("copy_number", *m.span(), True) for m in _COPY.finditer(soft)]

    def _words(self, soft: str) -> list[tuple[Kind, int, int, bool]]:
        if self._any is None:
            return []
        return [("word", *m.span(), self._stands(soft, m)) for m in self._any.finditer(soft)]

    def _stands(self, soft: str, match: re.Match[str]) -> bool:
        """Whether the word is set apart as a marking is."""
        around = soft[max(0, match.start() - 2) : match.end() + 2]
        return re.search(_LINE_OR_FRAME.format(word=re.escape(match[0])), around) is not None

    @cached_property
    def _any(self) -> re.Pattern[str] | None:
        """All plain marking words in one pattern; starred ones are grades and found as such."""
        soft = load_fold().softly
        plain = [re.escape(soft(word)) for word in self.words if soft(word) and not word.endswith(("★", "☆"))]
        return re.compile("|".join(sorted(plain, key=len, reverse=True))) if plain else None
