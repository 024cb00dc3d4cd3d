"""Reads the lines of ChatLab JSONL that have the shape nearly all have, a block of them at once, and finds the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Annotated, BinaryIO, Final, Literal

import msgspec

from groupops.errors import ImportFailed
from groupops.importers import chatlab_rows
from groupops.importers.transcripts.source import MAX_LINE

BLOCK = 64 * 1024
"""Bytes of lines that are read at once."""


class PlainLine(msgspec.Struct, gc=False, tag_field="_type", tag="message"):
    """A text and nothing more; a line that has another shape is looked at key by key."""

    sender: Annotated[str, msgspec.Meta(min_length=1)]
    accountName: Annotated[str, msgspec.Meta(min_length=1)]  # noqa: N815 - the format's own names
    timestamp: Annotated[int, msgspec.Meta(ge=chatlab_rows.EARLIEST, lt=chatlab_rows.LATEST)]
    type: Literal[0]
    content: Annotated[str, msgspec.Meta(max_length=chatlab_rows.MAX_TEXT)]
    platformMessageId: Annotated[str, msgspec.Meta(min_length=1)]  # noqa: N815
    groupNickname: str | None = None  # noqa: N815
    replyToMessageId: None = None  # noqa: N815
    groupops: None = None


_one: Final = msgspec.json.Decoder(PlainLine).decode
_encoded: Final = msgspec.json.Encoder().encode
_BROKEN: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

Run = list[PlainLine] | bytes
"""Lines with the shape nearly every line has, or a single one as it is."""


def runs(file: BinaryIO, first: int, path: Path) -> Iterator[tuple[int, Run]]:
    """Give the lines of a file from where it stands, each run of them with the number of its first.

    A block of lines is read at once, and line by line only where one of it has another shape.

    Args:
        file: standing at the beginning of a line.
        first: number of that line.
        path: its name for people.

    Raises:
        ImportFailed: a line is longer than `MAX_LINE`: this is no text.
    """
    while block := file.read(BLOCK):
        block += file.readline(MAX_LINE + 1)
        lines = BytesIO(block).readlines()
        if len(lines[-1]) > MAX_LINE:
            raise ImportFailed(path.name, [f"a line has more than {MAX_LINE} bytes; this is no transcript"])
        yield from _one_by_one(lines, first) if len(block) > chatlab_rows.MAX_LINE else _at_once(lines, first)
        first += len(lines)


def _at_once(lines: Sequence[bytes], first: int) -> Iterable[tuple[int, Run]]:
    try:
        return ((first, list(map(_one, lines))),)
    except _BROKEN:
        return _one_by_one(lines, first)


def _one_by_one(lines: Sequence[bytes], first: int) -> Iterator[tuple[int, Run]]:
    run: list[PlainLine] = []
    for number, raw in enumerate(lines, start=first):
        line = _plain(raw)
        if line is not None:
            run.append(line)
            continue
        if run:
            yield number - len(run), run
            run = []
        yield number, raw
    if run:
        yield first + len(lines) - len(run), run


def _plain(raw: bytes) -> PlainLine | None:
    try:
        return _one(raw) if len(raw) <= chatlab_rows.MAX_LINE else None
    except _BROKEN:
        return None


def as_bytes(line: PlainLine) -> bytes:
    """Give a line as it may stand in a file."""
    return _encoded(line)


def moments(lines: Sequence[PlainLine]) -> list[datetime]:
    """Give when lines were said; all at once, for one by one takes five times as long."""
    return msgspec.convert([line.timestamp for line in lines], list[datetime], strict=False)
