"""Reads the lines of ChatLab JSONL that have the shape nearly all have, a block of them at once, and finds the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Annotated, BinaryIO, Final, Literal

import msgspec

from groupops.errors import ImportFailed
from groupops.importers import chatlab_rows

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


_read: Final = msgspec.json.Decoder(PlainLine).decode
_encoded: Final = msgspec.json.Encoder().encode
_BROKEN: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

Run = list[PlainLine] | bytes
"""Lines with the shape nearly every line has, or a single one as it is."""


def blocks(file: BinaryIO, first: int, path: Path, longest: int) -> Iterator[tuple[int, list[bytes]]]:
    """Give the lines of a file from where it stands, some hundred at a time, each lot with the number of its first.

    Args:
        file: standing at the beginning of a line.
        first: number of that line.
        path: its name for people.
        longest: bytes a line may have.

    Raises:
        ImportFailed: a line is longer: this is no text.
    """
    while block := file.read(BLOCK):
        lines = BytesIO(block + file.readline(longest + 1)).readlines()
        if len(lines[-1]) > longest:
            raise ImportFailed(path.name, [f"a line has more than {longest} bytes; this is no transcript"])
        yield first, lines
        first += len(lines)


def runs(file: BinaryIO, first: int, path: Path, longest: int) -> Iterator[tuple[int, Run]]:
    """Give the lines of a file as `blocks` does: runs of those with the shape nearly every line has, others alone."""
    for number, lines in blocks(file, first, path, longest):
        run = all_plain(lines)
        if run is not None:
            yield number, run
        else:
            yield from _one_by_one(lines, number)


def _one_by_one(lines: Sequence[bytes], first: int) -> Iterator[tuple[int, Run]]:
    run: list[PlainLine] = []
    for number, raw in enumerate(lines, start=first):
        line = plain(raw)
        if line is not None:
            run.append(line)
            continue
        if run:
            yield number - len(run), run
            run = []
        yield number, raw
    if run:
        yield first + len(lines) - len(run), run


def all_plain(lines: Sequence[bytes]) -> list[PlainLine] | None:
    """Read lines; None when one of them has another shape."""
    try:
        read = list(map(_read, lines))
    except _BROKEN:
        return None
    return read if max(map(len, lines)) <= chatlab_rows.MAX_LINE else None


def plain(line: bytes) -> PlainLine | None:
    """Read a line; None when it has another shape."""
    try:
        return _read(line) if len(line) <= chatlab_rows.MAX_LINE else None
    except _BROKEN:
        return None


def from_somebody(line: PlainLine) -> bool:
    """Say whether a line is of a member who is named; blanks name nobody, and the platform has a name of its own."""
    sender = line.sender
    return not (sender == chatlab_rows.SYSTEM or sender.isspace() or line.accountName.isspace())


def as_bytes(line: PlainLine) -> bytes:
    """Give a line as it may stand in a file."""
    return _encoded(line)


def moments(lines: Sequence[PlainLine]) -> list[datetime]:
    """Give when lines were said; all at once, for one by one takes five times as long."""
    return msgspec.convert([line.timestamp for line in lines], list[datetime], strict=False)
