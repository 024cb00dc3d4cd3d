"""What tests of transcripts are made with: a file of any text, and its values as short lines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from groupops.importers.transcripts import Asked, Reading, Report, Said, Value, read

ZONE = ZoneInfo("Asia/Shanghai")

HERE = Path(__file__).parent

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file: `write(text)`, `write(text, encoding="gb18030")`, `write(text, name="a.txt")`."""

    def written(text: str, *, name: str = "talk", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    return written


def place_of(name: str, shared: Path) -> Path:
    """Give where a file of `expected.toml` lies: ours beside the tests, all others with the shared data."""
    return (HERE if name.startswith("files/") else shared / "transcripts") / name


def values_of(path: Path, asked: Asked | None = None) -> tuple[list[Value], Report]:
    """Read a transcript whole."""
    reading: Reading = read(path, asked)
    return list(reading), reading.report


def short(value: Value) -> str:
    """Give a value as `local time | sender | kind`; `-` is the platform."""
    when = value.at.astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, Said):
        return f"{when} | {value.sender.key} | {value.kind}"
    return f"{when} | - | {type(value).__name__.lower()}"


def said(path: Path, asked: Asked | None = None) -> list[tuple[str, str, str]]:
    """Give who said what when, of messages alone: local `HH:MM:SS`, key, text."""
    values, _ = values_of(path, asked)
    return [
        (value.at.astimezone(ZONE).strftime("%H:%M:%S"), value.sender.key, value.text)
        for value in values
        if isinstance(value, Said)
    ]
