"""XML as WeCom posts it: read into tables, with no entity, no document type and no depth; and written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape as _escaped

DEEPEST = 8
"""Levels that are read; WeCom's deepest has six."""


class XmlError(ValueError):
    """It is no XML of WeCom's."""


def tree_of(body: bytes | str) -> dict[str, Any]:
    """Read a document into a table: tag → text, table, or a list of these where a tag repeats.

    A document type is refused before anything of it is read: without one there are no entities to unfold and no
    files to fetch. Attributes are passed over.

    Raises:
        XmlError: it is no XML, brings a document type, or is nested too deep.
    """
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = reader.refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.texts.append
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise XmlError(f"the body is no plain XML: {type(error).__name__}") from None
    found = next(iter(reader.levels[0].values()))
    return found if isinstance(found, dict) else {}  # pyright: ignore[reportUnknownVariableType] - texts and tables


class _Reader:
    """Builds the table; what it holds besides is the texts of the element that is open."""

    __slots__ = ("levels", "texts")

    def __init__(self) -> None:
        self.levels: list[dict[str, Any]] = [{}]
        self.texts: list[str] = []

    def refuse(self, *_: object) -> None:
        raise XmlError("a document type is none of WeCom's")

    def start(self, *_: object) -> None:
        if len(self.levels) > DEEPEST:
            raise XmlError("nested deeper than WeCom nests")
        self.levels.append({})
        self.texts.clear()

    def end(self, tag: str) -> None:
        found: Any = self.levels.pop() or "".join(self.texts)
        self.texts.clear()
        above = self.levels[-1]
        if tag not in above:
            above[tag] = found
        elif isinstance(above[tag], list):
            above[tag].append(found)
        else:
            above[tag] = [above[tag], found]


class Bare(str):
    """A text that is written without CDATA: numbers."""

    __slots__ = ()


def written(content: Mapping[str, Any], root: str = "xml") -> str:
    """Write a table as XML: texts in CDATA, numbers bare, lists as repeated tags."""
    return f"<{root}>{''.join(_written(tag, value) for tag, value in content.items())}</{root}>"


def _written(tag: str, value: Any) -> str:
    if isinstance(value, Mapping):
        return written(value, tag)  # pyright: ignore[reportUnknownArgumentType] - any shape
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "".join(_written(tag, one) for one in value)  # pyright: ignore[reportUnknownVariableType] - as above
    if isinstance(value, int | Bare):
        return f"<{tag}>{_escaped(str(value))}</{tag}>"
    return f"<{tag}><![CDATA[{_apart(str(value))}]]></{tag}>"


def _apart(text: str) -> str:
    """Keep a text from ending its CDATA, and leave out what XML cannot say."""
    sayable = "".join(
        char for char in text if char in "\t\n\r" or " " <= char <= "\ud7ff" or char >= "\ue000"
    )
    return sayable.replace("\ufffe", "").replace("\uffff", "").replace("]]>", "]]]]><![CDATA[>")
