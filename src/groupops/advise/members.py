"""Reads a member list as people have it: names pasted one per line, a CSV, or a transcript that lists its members."""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

from groupops.advise.names import plain
from groupops.errors import ImportFailed
from groupops.importers.transcripts.detect import detect
from groupops.importers.transcripts.reading import Reading
from groupops.importers.transcripts.source import encoding_of, opened
from groupops.importers.transcripts.values import Asked, Party, Report
from groupops.people import Role

MAX_BYTES: Final = 8 * 1024**2
"""Bytes of the largest list: the largest groups have some thousand members."""
MAX_LINES: Final = 20_000
MAX_NAME: Final = 100
"""Characters of the longest name: platforms allow 60 at most."""


@dataclass(frozen=True, slots=True)
class ListWords:
    """Words and patterns by which a list is understood."""

    columns: Mapping[str, str]
    roles: Mapping[str, Role]
    bullet: re.Pattern[str]
    role: re.Pattern[str]
    comment: re.Pattern[str]
    clauses: Mapping[str, tuple[str, ...]]
    members: tuple[str, ...]
    separators: tuple[str, ...]
    stops: str


@cache
def words() -> ListWords:
    """Read the words once."""
    raw = tomllib.loads(resources.files("groupops.advise").joinpath("words.toml").read_text("utf-8"))
    return ListWords(
        columns={plain(word): key for key, known in raw["columns"].items() for word in known},
        roles={plain(word): Role(key) for key, known in raw["roles"].items() for word in known},
        bullet=re.compile(raw["lines"]["bullet"]),
        role=re.compile(raw["lines"]["role"]),
        comment=re.compile(raw["lines"]["comment"]),
        clauses={key: tuple(rules) for key, rules in raw["clauses"].items()},
        members=tuple(raw["files"]["members"]),
        separators=tuple(raw["files"]["separators"]),
        stops=raw["files"]["stops"],
    )


def read_members(path: Path) -> tuple[Party, ...]:
    """Read a member list from a file.

    Args:
        path: names one per line, a CSV with a heading, or a transcript that lists its members.

    Raises:
        ImportFailed: it cannot be read, lists nobody, or a line is no name; every faulty line is named.
    """
    listed = _of_transcript(path)
    if listed is not None:
        return listed
    with opened(path) as file:
        raw = file.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise ImportFailed(path.name, [f"it has more than {MAX_BYTES} bytes; a member list is smaller"])
    return members_of(raw.decode(encoding_of(path), "replace"), path.name)


def members_of(text: str, name: str) -> tuple[Party, ...]:
    """Read a member list from what was pasted.

    Args:
        text: names one per line, or a CSV with a heading.
        name: of the file, for the error.

    Raises:
        ImportFailed: as `read_members`.
    """
    lines = text.lstrip("\ufeff").splitlines()
    if len(lines) > MAX_LINES:
        raise ImportFailed(name, [f"it has {len(lines)} lines, at most {MAX_LINES} are read"])
    heading = next((line for line in lines if line.strip()), "")
    separator, columns = _columns(heading)
    faults: list[str] = []
    found = _rows(lines, separator, columns, faults) if columns else _names(lines, faults)
    if faults:
        raise ImportFailed(name, faults)
    if not found:
        raise ImportFailed(
            name, ["it lists nobody; write one name per line, or a CSV with a heading such as nickname"]
        )
    return tuple(found)


def _of_transcript(path: Path) -> tuple[Party, ...] | None:
    """Give the members a transcript lists; None for what is no transcript."""
    report: Report | None = None
    with suppress(ImportFailed):
        detected = detect(path)
        reading = Reading(detected, Asked(), path.name)
        for _ in reading:
            pass
        report = reading.report
    return tuple(report.members.values()) if report is not None and report.members else None


def _columns(heading: str) -> tuple[str, tuple[str, ...]]:
    """Give the separator of a CSV and what its columns are; no columns when this is no heading of one."""
    for separator in words().separators:
        if separator not in heading and heading.strip():
            cells = [heading]
        else:
            cells = next(csv.reader([heading], delimiter=separator), list[str]())
        keys = tuple(words().columns.get(plain(cell), "") for cell in cells)
        if "name" in keys or "card" in keys:
            return separator, keys
    return "", ()


def _rows(lines: Sequence[str], separator: str, columns: tuple[str, ...], faults: list[str]) -> list[Party]:
    found: list[Party] = []
    reader = csv.reader(lines, delimiter=separator)
    begun = False
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        if not begun:
            begun = True  # the heading
            continue
        told = {key: cell.strip() for key, cell in zip(columns, cells, strict=False) if key}
        if not (told.get("name") or told.get("card")) or max(map(len, told.values())) > MAX_NAME:
            faults.append(f"line {reader.line_num}: it has no name, or one longer than {MAX_NAME} characters")
            continue
        role = words().roles.get(plain(told.get("role", "")), Role.UNKNOWN)
        name = told.get("name") or told.get("card", "")
        found.append(Party(id=told.get("account", ""), name=name, card=told.get("card", ""), role=role))
    return found


def _names(lines: Sequence[str], faults: list[str]) -> list[Party]:
    found: list[Party] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip() or words().comment.match(line):
            continue
        text, role = words().bullet.sub("", line).strip(), Role.UNKNOWN
        if match := words().role.search(text):
            text, role = text[: match.start()].strip(), words().roles[plain(match["role"])]
        if not text or len(text) > MAX_NAME:
            faults.append(f"line {number}: {line.strip()[:40]!r} is no name; write one name per line")
            continue
        found.append(Party(name=text, role=role))
    return found
