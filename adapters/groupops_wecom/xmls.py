"""XML as WeCom posts it: read into tables, with no entity, no document type and no depth; and written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element, ParseError, fromstring
from xml.sax.saxutils import escape as _escaped

DEEPEST = 8
"""Levels that are read; WeCom's deepest has six."""

_ROOT_FIRST = re.compile(r"\s*(?:<\?xml[^<>]*\?>\s*)?<[A-Za-z_]")
"""How a document begins that brings no document type: one stands before the root or nowhere."""


class XmlError(ValueError):
    """It is no XML of WeCom's."""


def tree_of(body: bytes | str) -> dict[str, Any]:
    """Read a document into a table: tag → text, table, or a list of these where a tag repeats.

    A document type is refused before anything of it is read: without one there are no entities to unfold and no
    files to fetch. Attributes are passed over.

    Raises:
        XmlError: it is no XML, brings a document type, or is nested too deep.
    """
    try:
        text = body if isinstance(body, str) else body.decode()
        if not _ROOT_FIRST.match(text):
            raise XmlError("it does not begin with its root")
        root = fromstring(text)  # noqa: S314 - what makes it unsafe cannot stand there: see above
    except (ParseError, ValueError) as error:
        raise XmlError(f"the body is no plain XML: {type(error).__name__}") from None
    found = _tree(root, 1)
    return found if isinstance(found, dict) else {}


def _tree(element: Element, depth: int) -> str | dict[str, Any]:
    if not len(element):
        return element.text or ""
    if depth >= DEEPEST:
        raise XmlError("nested deeper than WeCom nests")
    made: dict[str, Any] = {}
    for child in element:
        found = _tree(child, depth + 1) if len(child) else child.text or ""
        tag = child.tag
        if tag not in made:
            made[tag] = found
        elif isinstance(made[tag], list):
            made[tag].append(found)
        else:
            made[tag] = [made[tag], found]
    return made


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
