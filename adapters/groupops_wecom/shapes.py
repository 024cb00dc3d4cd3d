"""Reading what WeCom says whatever its shape: nothing that stands there breaks anything."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from groupops_wecom.lenient import is_storable, table
from groupops_wecom.lenient import word as _word

__all__ = ["mark_of", "real", "rows", "selected", "table", "whole", "word"]

LONGEST_ID = 512
"""Characters of an id that are kept; WeCom's are far shorter."""

_WHOLE = re.compile(r"-?[0-9]{1,18}")
_REAL = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,20})?")


def word(found: Any, most: int = LONGEST_ID) -> str:
    """Give a text or a number as a text, anything else as an empty one."""
    if type(found) is str and len(found) <= most and is_storable(found):
        return found  # nearly all are so
    return _word(found, most)


def whole(found: Any) -> int:
    """Give a whole number, also one that is written; anything else as 0."""
    if isinstance(found, int) and not isinstance(found, bool):
        return found
    return int(found) if isinstance(found, str) and _WHOLE.fullmatch(found.strip()) else 0


def real(found: Any) -> float:
    """Give a number, also one that is written; anything else, and what is no finite number, as 0."""
    if isinstance(found, (int, float)) and not isinstance(found, bool):
        return float(found) if abs(found) < 1e12 else 0.0  # noqa: PLR2004 - beyond any degree or second
    written = found.strip() if isinstance(found, str) else ""
    return float(written) if _REAL.fullmatch(written) else 0.0


def rows(found: Any) -> list[Any]:
    """Give a list as it is, one thing as a list of it, nothing as an empty one."""
    if isinstance(found, list):
        return found  # pyright: ignore[reportUnknownVariableType] - any shape
    return [] if found in (None, "") else [found]


def mark_of(raw: Mapping[str, Any]) -> str:
    """Give what is the same for the same content, and for no other."""
    said = json.dumps(raw, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def selected(found: Any, item: str, question: str, ids: str, id_: str) -> dict[str, tuple[str, ...]]:
    """Give what was chosen on a card: question → options, in the nesting of JSON or of XML, by their names there."""
    chosen: dict[str, tuple[str, ...]] = {}
    for one in rows(table(found).get(item)):
        options = rows(table(table(one).get(ids)).get(id_))
        key = word(table(one).get(question))
        if key:
            chosen[key] = tuple(word(option) for option in options if word(option))
    return chosen
