"""The greeting's template: its slots, and how a sentence is left out whose slot has nothing to say."""

import re

SLOTS = frozenset({"name", "format_hint", "rules"})

_SLOT = re.compile(r"\{([^{}]*)\}")
_CLAUSE = re.compile(r"[^,,;;。!!??\n]*[,,;;。!!??\n]|[^,,;;。!!??\n]+$")
_SOFT = ",,;;、:: "
_HARD = "。!!??\n"


def slots_of(template: str) -> frozenset[str]:
    """Give the names in braces."""
    return frozenset(_SLOT.findall(template))


def without(template: str, slot: str) -> str:
    """Leave out the clauses that hold a slot; the sentence around them still ends as one.

    Args:
        template: the whole text.
        slot: the slot's name.
    """
    mark = f"{{{slot}}}"
    if mark not in template:
        return template
    kept = ""
    for clause in _CLAUSE.findall(template):
        if mark not in clause:
            kept += clause
        elif clause[-1] in _HARD or template.endswith(clause):
            kept = _closed(kept, clause[-1])
    return kept.strip()


def _closed(text: str, sign: str) -> str:
    """End a sentence whose last clause is gone; a line that had ended stays ended."""
    bare = text.rstrip(_SOFT + "\n")
    if "\n" in text[len(bare) :] or sign == "\n":
        return f"{bare}\n"
    if not bare or bare[-1] in _HARD:
        return bare
    return bare + (sign if sign in _HARD else "。")
