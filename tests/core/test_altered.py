"""Tests of changing single fields of frozen values."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupops.altered import altered


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    number: int
    text: str = ""
    parts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Summed:
    parts: tuple[int, ...]
    total: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "total", sum(self.parts))


@given(
    number=st.integers(),
    changes=st.fixed_dictionaries(
        {}, optional={"number": st.integers(), "text": st.text(), "parts": st.tuples(st.integers())}
    ),
)
def test_it_gives_what_the_standard_library_gives_and_leaves_the_first_as_it_was(
    number: int, changes: dict[str, Any]
) -> None:
    line = _Line(number=number, text="before", parts=(1,))

    changed = altered(line, **changes)

    assert changed == replace(line, **changes)
    assert line == _Line(number=number, text="before", parts=(1,))


def test_a_field_that_is_not_there_is_refused() -> None:
    with pytest.raises(KeyError, match="nummer"):
        altered(_Line(number=1), nummer=2)


def test_a_class_that_works_something_out_is_refused_rather_than_left_wrong() -> None:
    with pytest.raises(TypeError, match="_Summed works something out"):
        altered(_Summed(parts=(1, 2)), parts=(3,))
