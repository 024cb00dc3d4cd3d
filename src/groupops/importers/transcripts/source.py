"""The bytes of a transcript: their encoding, their lines with numbers, their rows of CSV; bounded, never whole in memory."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from groupops.errors import ImportFailed
from groupops.importers.transcripts.values import Report

MAX_FILE = 2 * 1024**3
"""Bytes of the largest file that is read."""
MAX_LINE = 4 * 1024**2
"""Bytes (characters, in UTF-16) of the longest line."""
MAX_CELL = 16 * 1024**2
"""Characters of the longest cell of a CSV: some hold whole documents of XML."""
MAX_TEXT = 64 * 1024
"""Characters of the longest text of a message."""
HEAD = 64 * 1024
"""Bytes that are looked at first."""
CHUNK = 256 * 1024
"""Bytes that are read at once."""

_FEW = 0.3
"""Share of broken characters up to which a text is still taken for UTF-8: of other alphabets it is most."""

_BOMS: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_STRAY: Final = {0: None, 0x2028: None, 0xFEFF: None}
"""Characters that programs leave in texts and nobody sees."""


def clean(text: str) -> str:
    """Give a text without characters that nobody sees; emoji and the blank behind a mention stay."""
    stray = "\0" in text or "\u2028" in text or "\ufeff" in text
    return text.translate(_STRAY) if stray else text


def opened(path: Path) -> BinaryIO:
    """Open a file that is not too large.

    Raises:
        ImportFailed: it cannot be read, or has more than `MAX_FILE` bytes.
    """
    try:
        size = path.stat().st_size
        if size > MAX_FILE:
            raise ImportFailed(path.name, [f"it has {size} bytes, at most {MAX_FILE} are read"])
        return path.open("rb")
    except OSError as error:
        raise ImportFailed(path.name, [f"it cannot be read: {error.strerror}"]) from error


def encoding_of(path: Path) -> str:
    """Find out how a file's text is written: by its mark, else UTF-8, else GB18030.

    Only as much is read as has a character beyond ASCII in it. Now and then a broken byte does not make UTF-8
    anything else, for then all names would be garbage: it is a fault of its line.

    Raises:
        ImportFailed: it cannot be read, or is none of these.
    """
    with opened(path) as file:
        head = file.read(HEAD)
        marked = next((encoding for mark, encoding in _BOMS if head.startswith(mark)), None)
        if marked:
            return marked
        while head and head.isascii():
            head = file.read(HEAD)
    for encoding, share in (("utf-8", _FEW), ("gb18030", 0.0)):
        if _broken(head, encoding) <= share:
            return encoding
    raise ImportFailed(
        path.name, ["its text is neither UTF-8 nor UTF-16 nor GB18030; save it as UTF-8 and try again"]
    )


def _broken(head: bytes, encoding: str) -> float:
    """Give the share of broken ones among the characters beyond ASCII; the last one may be cut."""
    text = codecs.getincrementaldecoder(encoding)("replace").decode(head)
    bad = text.count("\ufffd")
    beyond = sum(not sign.isascii() for sign in text) if bad else 1
    return bad / beyond


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file whose encoding is known."""

    path: Path
    encoding: str

    def lines(self, report: Report) -> Iterator[tuple[int, str]]:
        """Give every line with its number, without its end; one that cannot be decoded is a fault and left out.

        Raises:
            ImportFailed: a line is longer than `MAX_LINE`: this is no text.
        """
        for number, _, raw in self.raw_lines():
            text = self.decoded(number, raw, report)
            if text is not None:
                yield number, text

    def raw_lines(self) -> Iterator[tuple[int, int, bytes]]:
        """Give number, offset and bytes of every line; UTF-16 is handed on in UTF-8, offsets too.

        Raises:
            ImportFailed: as `lines`.
        """
        with opened(self.path) as file:
            lines = _of_utf16(file, self.path) if self.encoding == "utf-16" else _of_bytes(file, self.path)
            offset = len(codecs.BOM_UTF8) if self.encoding == "utf-8-sig" else 0
            for number, line in enumerate(lines, start=1):
                yield number, offset, line
                offset += len(line)

    def decoded(self, number: int, raw: bytes, report: Report) -> str | None:
        """Give a line as text, or note why not."""
        encoding = "utf-8" if self.encoding.startswith("utf") else self.encoding
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError as error:
            report.rows += 1
            report.fault(f"line {number}", f"byte {error.start} is not {encoding}: {error.reason}")
            return None
        return clean(text.rstrip("\r\n"))

    def records(self, report: Report, width: int) -> Iterator[tuple[int, list[str]]]:
        """Give the rows of a CSV behind its heading, each with the number of its last line.

        Rows that are broken are faults and left out.
        """
        csv.field_size_limit(MAX_CELL)
        reader = csv.reader(self._with_ends(report), strict=True)
        numbered = 0
        while True:
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                report.rows += 1
                report.fault(f"line {reader.line_num}", f"is not CSV: {error}")
                continue
            numbered += 1
            if numbered == 1 or not row:
                continue
            if len(row) == width:
                yield reader.line_num, row
                continue
            report.rows += 1
            report.fault(f"line {reader.line_num}", f"has {len(row)} cells, expected {width}")

    def _with_ends(self, report: Report) -> Iterator[str]:
        for _, text in self.lines(report):
            yield f"{text}\n"


def _of_bytes(file: BinaryIO, path: Path) -> Iterator[bytes]:
    first = True
    while line := file.readline(MAX_LINE + 1):
        if len(line) > MAX_LINE:
            raise ImportFailed(path.name, [f"a line has more than {MAX_LINE} bytes; this is no transcript"])
        yield line.removeprefix(codecs.BOM_UTF8) if first else line
        first = False


def _of_utf16(file: BinaryIO, path: Path) -> Iterator[bytes]:
    """Cut UTF-16 into lines, in UTF-8; what cannot be decoded becomes bytes that cannot either."""
    decoder = codecs.getincrementaldecoder("utf-16")(errors="surrogatepass")
    rest = ""
    last = False
    while not last:
        chunk = file.read(CHUNK)
        last = not chunk
        try:
            *whole, rest = (rest + decoder.decode(chunk, last)).split("\n")
        except UnicodeDecodeError as error:
            raise ImportFailed(path.name, [f"it is not UTF-16: {error.reason}"]) from error
        yield from (f"{line}\n".encode("utf-8", "surrogatepass") for line in whole)
        if len(rest) > MAX_LINE:
            raise ImportFailed(
                path.name, [f"a line has more than {MAX_LINE} characters; this is no transcript"]
            )
    if rest:
        yield rest.encode("utf-8", "surrogatepass")
