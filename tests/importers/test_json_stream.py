"""A document is read piece by piece as it would be read whole, and a fault in it has a place."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupops.importers.transcripts import json_stream
from groupops.importers.transcripts.json_stream import BrokenJsonError, JsonStream

DOCUMENTS: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture(autouse=True, scope="module")
def _in_small_pieces() -> Iterator[None]:
    usual, json_stream.CHUNK = json_stream.CHUNK, 7
    yield
    json_stream.CHUNK = usual


def stream(text: str) -> JsonStream:
    return JsonStream(io.BytesIO(text.encode()), "utf-8")


@given(items=st.lists(DOCUMENTS, max_size=5), indent=st.sampled_from([None, 2]))
def test_the_items_of_a_list_are_those_of_the_whole_list(items: list[Any], indent: int | None) -> None:
    text = json.dumps(items, ensure_ascii=False, indent=indent)

    assert list(stream(text).items()) == items


@given(document=st.dictionaries(st.text(max_size=6), DOCUMENTS, max_size=5), kept=st.integers(0, 31))
def test_values_may_be_read_or_passed_over_in_any_order(document: dict[str, Any], kept: int) -> None:
    read, found = stream(json.dumps(document, ensure_ascii=False)), {}

    for number, key in enumerate(read.pairs()):
        if kept >> number & 1:
            found[key] = read.value()
        else:
            read.skip()

    assert found == {key: document[key] for number, key in enumerate(document) if kept >> number & 1}
    assert read.peek() == ""


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('[{"a": 1},\n {"a": 2},\n {"a" 3}]', "line 3, byte 28"),
        ('[{"a": "早"},\n {"a": "早'.encode().decode(), "line 2"),
        ("[1, 2", "line 1, byte 5"),
        ("[1 2]", "line 1, byte 3"),
    ],
)
def test_a_fault_has_a_place(text: str, where: str) -> None:
    with pytest.raises(BrokenJsonError) as caught:
        list(stream(text).items())

    assert caught.value.where.startswith(where)


def test_a_document_that_is_nested_without_end_is_a_fault() -> None:
    with pytest.raises(BrokenJsonError, match="nested too deeply"):
        list(stream("[" * 100_000).items())


@given(text=st.text('{}[]",:\\ntrue10.e- ', max_size=30))
def test_whatever_stands_there_is_read_or_refused(text: str) -> None:
    read = stream(text)
    try:
        found = list(read.items())
    except BrokenJsonError:
        return
    assert (
        json.loads(text[: len(text)] if not read.peek() else text[: text.rindex("]") + 1] or "[]") == found
        or read.peek()
    )
