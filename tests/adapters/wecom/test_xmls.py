"""XML of WeCom's is read as another reader reads it; entities, document types and depth are refused unread."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given
from hypothesis import strategies as st

from groupops_wecom.xmls import DEEPEST, XmlError, tree_of, written

LAUGHS = """<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;">]><xml><Content>&d;</Content></xml>"""
OUTSIDE = (
    """<!DOCTYPE xml [<!ENTITY file SYSTEM "file:///etc/passwd">]><xml><Content>&file;</Content></xml>"""
)
PARAMETER = """<!DOCTYPE xml [<!ENTITY % p SYSTEM "http://127.0.0.1/x.dtd"> %p;]><xml/>"""

TAGS = st.sampled_from(["Content", "Item", "MsgId", "EventKey"])
WORDS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=20
)
TREES = st.recursive(WORDS, lambda inner: st.dictionaries(TAGS, inner, min_size=1, max_size=3), max_leaves=6)


def test_texts_and_tables_and_repeated_tags_are_read() -> None:
    document = "<xml><A><![CDATA[<b>&]]></A><L><Item>x</Item><Item>y</Item></L><E/><N>7</N></xml>"

    assert tree_of(document) == {"A": "<b>&", "L": {"Item": ["x", "y"]}, "E": "", "N": "7"}


@pytest.mark.parametrize("bomb", [LAUGHS, OUTSIDE, PARAMETER, "<!DOCTYPE xml><xml><A>1</A></xml>"])
def test_a_document_type_is_refused(bomb: str) -> None:
    with pytest.raises(XmlError):
        tree_of(bomb)


def test_an_entity_that_was_never_named_is_refused() -> None:
    with pytest.raises(XmlError):
        tree_of("<xml><A>&nobody;</A></xml>")


def test_depth_is_refused() -> None:
    with pytest.raises(XmlError):
        tree_of("<a>" * 10_000 + "</a>" * 10_000)


@pytest.mark.parametrize("broken", ["", "<", "<xml>", "<xml></a>", "text", "<!-- none --><xml/>", "\0"])
def test_what_is_no_xml_is_refused(broken: str) -> None:
    with pytest.raises(XmlError):
        tree_of(broken.encode())


@given(st.binary(max_size=300))
def test_rubbish_is_refused_or_read_and_breaks_nothing(rubbish: bytes) -> None:
    try:
        tree_of(rubbish)
    except XmlError:
        return


@given(st.dictionaries(TAGS, TREES, min_size=1, max_size=4))
def test_what_is_written_is_read_again(content: dict[str, Any]) -> None:
    assert tree_of(written(content)) == content


@given(st.text(max_size=60))
def test_every_text_can_be_written(text: str) -> None:
    found = tree_of(written({"Content": text}))["Content"]

    assert isinstance(found, str)


@given(st.dictionaries(TAGS, TREES, min_size=1, max_size=4))
def test_another_reader_reads_the_same(content: dict[str, Any]) -> None:
    document = written(content)

    assert tree_of(document) == _theirs(fromstring(document))


def test_what_says_to_be_in_another_alphabet_is_read_as_it_is_sent() -> None:
    document = '<?xml version="1.0" encoding="gbk"?><xml><A>你好</A></xml>'

    assert tree_of(document.encode()) == {"A": "你好"}
    with pytest.raises(XmlError):
        tree_of(document.encode("utf-16"))


def test_words_about_document_types_are_words() -> None:
    assert tree_of("<xml><A><![CDATA[<!DOCTYPE html>]]></A></xml>") == {"A": "<!DOCTYPE html>"}


def test_the_deepest_document_that_is_read_is_as_deep_as_that() -> None:
    inner = "x"
    for _ in range(DEEPEST):
        inner = f"<a>{inner}</a>"

    assert isinstance(tree_of(inner), dict)
    with pytest.raises(XmlError):
        tree_of(f"<a>{inner}</a>")


def _theirs(element: Element) -> Any:
    return {child.tag: _theirs(child) for child in element} if len(element) else element.text or ""
