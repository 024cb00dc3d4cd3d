"""The persons of the samples, as registers."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from groupops import Person, PersonId
from groupops_roster.cards import Format, Register


def data(name: str) -> Mapping[str, Any]:
    return tomllib.loads((Path(__file__).parent / name).read_text(encoding="utf-8"))


def register(form: Format, persons: Iterable[Person] = ()) -> Register:
    """The register of one format's samples, with more persons if wanted."""
    return Register.of([*people(form), *persons], data("roster.toml")["aliases"])


@cache
def registers() -> Mapping[Format, Register]:
    return {form: register(form) for form in Format}


def people(form: Format) -> Iterator[Person]:
    numbers = count(1)
    for unit, names in data("roster.toml")[form.value].items():
        for name in names:
            yield Person(id=PersonId(next(numbers)), name=name, **_where(form, unit))


def _where(form: Format, unit: str) -> dict[str, str]:
    match form:
        case Format.REGION:
            return {"region": unit}
        case Format.COMPANY:
            company, _, department = unit.partition("/")
            return {"company": company, "department": department}
        case _:
            return {"department": unit}


def person(form: Format, name: str, unit: str = "") -> Person:
    """The person of a name, in the unit if the name is there twice."""
    return next(one for one in people(form) if one.name == name and unit in {"", one.department, one.region})
