"""The page shows whatever people write as they wrote it, and none of it becomes markup."""

from __future__ import annotations

from datetime import UTC, datetime
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from groupops.advise import Advice, Finding, Notice, as_notices, as_page, as_text
from groupops.advise.page import document, tag

AT = datetime(2025, 3, 12, 9, 0, tzinfo=UTC)
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=60)


class Reader(HTMLParser):
    """Collects elements and words of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    return reader


def advice(text: str) -> Advice:
    finding = Finding(
        event_id="e",
        message_id=text,
        file=text,
        row=1,
        at=AT,
        account="wechat:a",
        name=text,
        rule="rude.word",
        reason=text,
        severity=1,
        clause=text,
        clause_text=text,
        text=text,
        quotes=(text,),
        standing="case",
        notice=text,
        ask=text,
    )
    return Advice(
        group="wechat:g1",
        group_name=text,
        titles=(text,),
        timezone="Asia/Shanghai",
        stage="enforced",
        made_at=AT,
        findings=(finding,),
        notices=(Notice(text=text, to=text),),
    )


@given(TEXTS)
def test_a_text_comes_out_of_an_element_as_it_went_in(text: str) -> None:
    reader = read(document("t", [tag("p", text, title=text)]))

    assert reader.tags.count("p") == 1
    assert text in "".join(reader.words)


@given(TEXTS)
def test_a_page_has_the_same_elements_whatever_people_wrote(text: str) -> None:
    assert read(as_page(advice(text))).tags == read(as_page(advice("字"))).tags


def test_a_page_needs_no_script_and_nothing_from_elsewhere() -> None:
    page = as_page(advice("<script>alert(1)</script><img src=http://example.com/x>"))

    assert not {"script", "img", "link", "iframe"} & set(read(page).tags)
    assert "default-src 'none'" in page
    assert "src=" not in page.replace("&lt;img src=http://example.com/x&gt;", "")


def test_notices_are_numbered_and_say_to_whom_they_are_to_be_passed_on() -> None:
    assert as_notices(advice("请注意")) == "【1】请私下转告 请注意\n请注意\n"


def test_the_text_says_the_same_as_the_page() -> None:
    text = as_text(advice("坏话"))

    assert "坏话" in text
    assert "待裁定" in text
    assert "\x1b" not in text
