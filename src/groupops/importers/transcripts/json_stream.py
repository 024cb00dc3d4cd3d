"""Reads a document of JSON piece by piece: its outer keys, and the items of one list, of any length in little memory."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final

CHUNK = 256 * 1024
"""Bytes that are read at once."""
MAX_VALUE = 16 * 1024**2
"""Characters of the longest single item or value that is kept."""

_DECODER: Final = json.JSONDecoder()
_BLANK: Final = re.compile(r"[ \t\r\n]*")
_TURNS: Final = re.compile(r'["{}\[\]]')
_QUOTE: Final = re.compile(r'["\\]')
_BARE: Final = re.compile(r"[^\s,\]}]*")
_NEAR = 16
"""A fault this close behind the end of what was read may be none: more is read first."""


class BrokenJsonError(Exception):
    """A document is no JSON from some place on.

    Args:
        why: what is wrong.
        line, offset: number of the line, and of the byte, from 1 and 0.
    """

    def __init__(self, why: str, line: int, offset: int) -> None:
        super().__init__(why)
        self.line = line
        self.offset = offset

    @property
    def where(self) -> str:
        """The place, in words."""
        return f"line {self.line}, byte {self.offset}"


@dataclass(slots=True)
class JsonStream:
    """A document that is read forwards.

    Args:
        file: its bytes, from the beginning.
        encoding: how its text is written.
    """

    file: BinaryIO
    encoding: str
    _text: str = ""
    _at: int = 0
    _line: int = 1
    _offset: int = 0
    _over: bool = False
    _decoder: codecs.IncrementalDecoder = field(init=False)

    def __post_init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder(self.encoding)()

    def peek(self) -> str:
        """Give the next character that is not blank; nothing at the end."""
        while True:
            match = _BLANK.match(self._text, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def expect(self, signs: str) -> str:
        """Take the next character, which must be one of these.

        Raises:
            BrokenJsonError: it is another one, or there is none.
        """
        sign = self.peek()
        if not sign or sign not in signs:
            raise self.broken(f"{sign!r} where one of {' '.join(signs)} was expected")
        self._at += 1
        return sign

    def value(self) -> Any:
        """Read the next value whole.

        Raises:
            BrokenJsonError: it is none, is longer than `MAX_VALUE` or nested too deeply.
        """
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if not self._may_be_cut(error) or not self._more():
                    self._at = min(error.pos, len(self._text))
                    raise self.broken(error.msg) from error
                self._measure()
            except (RecursionError, ValueError) as error:
                raise self.broken(f"nested too deeply, or a number too long: {error}") from error
            else:
                if end + _NEAR <= len(self._text) or not self._more():  # or else a number may go on
                    self._at = end
                    return value

    def skip(self) -> None:
        """Pass over the next value without keeping it.

        Raises:
            BrokenJsonError: the document ends in it.
        """
        first = self.peek()
        if first == '"':
            self._at += 1
            self._skip_text()
        elif first and first in "{[":
            self._at += 1
            self._skip_nested()
        else:
            self._skip_bare()

    def pairs(self) -> Iterator[str]:
        """Give the keys of an object; whoever takes one must read or skip its value before the next.

        Raises:
            BrokenJsonError: it is no object.
        """
        self.expect("{")
        if self.peek() == "}":
            self._at += 1
            return
        while True:
            if self.peek() != '"':
                raise self.broken("a key in quotation marks was expected")
            key = self.value()
            self.expect(":")
            yield key
            if self.expect(",}") == "}":
                return

    def items(self) -> Iterator[Any]:
        """Give the items of a list, one after the other.

        Raises:
            BrokenJsonError: it is no list, or an item is no JSON; what came before was given already.
        """
        self.expect("[")
        if self.peek() == "]":
            self._at += 1
            return
        while True:
            yield self.value()
            if self.expect(",]") == "]":
                return

    def broken(self, why: str) -> BrokenJsonError:
        """Give an error that names the place reached."""
        before = self._text[: self._at]
        line = self._line + before.count("\n")
        return BrokenJsonError(why, line, self._offset + len(before.encode(self._plain, "surrogatepass")))

    # — more text —

    @property
    def _plain(self) -> str:
        return "utf-8" if self.encoding.startswith("utf") else self.encoding

    def _more(self) -> bool:
        """Read on; what was passed is forgotten. False at the end."""
        if self._over:
            return False
        passed, self._text, self._at = self._text[: self._at], self._text[self._at :], 0
        self._line += passed.count("\n")
        self._offset += len(passed.encode(self._plain, "surrogatepass"))
        chunk = self.file.read(max(CHUNK, len(self._text)))
        self._over = not chunk
        try:
            self._text += self._decoder.decode(chunk, self._over)
        except UnicodeDecodeError as error:
            self._over = True
            raise self.broken(f"a byte is not {self.encoding}: {error.reason}") from error
        return bool(chunk) or self._at < len(self._text)

    def _may_be_cut(self, error: json.JSONDecodeError) -> bool:
        return error.msg.startswith("Unterminated string") or error.pos >= len(self._text) - _NEAR

    def _measure(self) -> None:
        if len(self._text) - self._at > MAX_VALUE:
            raise self.broken(f"a value has more than {MAX_VALUE} characters")

    # — passing over —

    def _find(self, pattern: re.Pattern[str]) -> str:
        """Go behind the next character that fits and give it."""
        while True:
            found = pattern.search(self._text, self._at)
            if found:
                self._at = found.end()
                return found[0]
            self._at = len(self._text)
            if not self._more():
                raise self.broken("the document ends in the middle of a value")

    def _skip_text(self) -> None:
        while self._find(_QUOTE) == "\\":
            if self._at >= len(self._text) and not self._more():
                raise self.broken("the document ends in the middle of a text")
            self._at += 1

    def _skip_nested(self) -> None:
        depth = 1
        while depth:
            turn = self._find(_TURNS)
            if turn == '"':
                self._skip_text()
            else:
                depth += 1 if turn in "{[" else -1

    def _skip_bare(self) -> None:
        while True:
            match = _BARE.match(self._text, self._at)
            end = match.end() if match else self._at
            if end == self._at:
                raise self.broken("a value was expected")
            self._at = end
            if end < len(self._text) or not self._more():
                return
            if self._text[self._at : self._at + 1] in ",]} \r\n\t":
                return
