"""Frequent questions: the one that was meant is found however it is put, and nothing is answered by guessing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from groupops_welcome.rulebook import folded
from groupops_welcome.settings import Question

SUGGESTED = 3
"""As many questions are named when none is near enough."""

LIKENESS = 40.0
"""From this score on (0 to 100) a question is worth naming."""

TELLING = 3
"""Characters of a question that tell something wherever they stand; two stand in many a sentence."""

_IDLE = re.compile(
    "[??!!。.,,、的了吗呢啊呀吧]"
    "|请问|一下|怎么样|怎么办|怎么|怎样|如何|什么|为何|哪里|哪儿|在哪|多少|几点|可以|能不能|是不是|我想|我要"
)
"""Signs and small words that tell no question from another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a question came to.

    Args:
        question: the one that was meant, or None.
        near: others that may have been meant, best first.
    """

    question: Question | None = None
    near: tuple[Question, ...] = ()


def lookup(text: str, faq: Sequence[Question], floor: float) -> Found:
    """Find the question that was meant.

    Args:
        text: the question as it was put.
        faq: what the operator listed.
        floor: score (0 to 100) from which on one is taken for meant.
    """
    asked = _bare(text)
    if not asked:
        return Found()
    scored = sorted(((_score(asked, question), -place) for place, question in enumerate(faq)), reverse=True)
    ranked = [(score, faq[-place]) for score, place in scored if score >= min(LIKENESS, floor)]
    if ranked and ranked[0][0] >= floor:
        return Found(question=ranked[0][1])
    return Found(near=tuple(question for _, question in ranked[:SUGGESTED]))


def _score(asked: str, question: Question) -> float:
    return max(_alike(asked, _bare(way)) for way in question.ask)


def _alike(asked: str, way: str) -> float:
    """Score two questions: the same words count, one within the other nearly as much when it says enough."""
    from rapidfuzz import fuzz  # a bot that is asked nothing has no use for it

    whole = fuzz.ratio(asked, way)
    if min(len(asked), len(way)) < TELLING:
        return whole
    return max(whole, 0.9 * fuzz.partial_ratio(asked, way))


def _bare(text: str) -> str:
    plain = folded(text)
    return _IDLE.sub("", plain) or plain
