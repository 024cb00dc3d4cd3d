"""What the platform's error codes mean: read from `codes.toml`, so that a new code is a line and no logic."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from types import MappingProxyType


class CodeClass(StrEnum):
    """What the client does about a code; `codes.toml` says what each is for."""

    RETRY = "retry"
    REFRESH = "refresh"
    CONFIGURATION = "configuration"
    THROTTLED = "throttled"
    SERIALISE = "serialise"
    FORBIDDEN = "forbidden"
    ABSENT = "absent"
    NARROW = "narrow"
    FALL_BACK = "fall_back"
    REPORT = "report"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a code means.

    Args:
        code: the number the platform answers with.
        kind: its class.
        means: what it is and what to do, for a person; empty for a code that is not known.
    """

    code: int
    kind: CodeClass = CodeClass.REPORT
    means: str = ""


@cache
def meanings() -> Mapping[int, Meaning]:
    """Give every code of `codes.toml`.

    Raises:
        ValueError: the file names a class that there is not, or a code twice.
    """
    text = resources.files(__package__ or "").joinpath("codes.toml").read_text("utf-8")
    found: dict[int, Meaning] = {}
    for kind, codes in tomllib.loads(text).items():
        for code, means in codes.items():
            if int(code) in found:
                raise ValueError(f"codes.toml: [{kind}] {code} stands there twice; keep one of them")
            found[int(code)] = Meaning(code=int(code), kind=CodeClass(kind), means=means)
    return MappingProxyType(found)


def meaning(code: int) -> Meaning:
    """Give what a code means; what is not known is to be reported."""
    return meanings().get(code) or Meaning(code=code)
