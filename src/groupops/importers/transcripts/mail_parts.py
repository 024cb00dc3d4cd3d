"""Messages selected in WeChat and sent by mail: the readable part of a mail, the lines of a page and which are bold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_binary_file, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Final

from groupops.errors import ImportFailed
from groupops.importers.transcripts.source import Source, clean, opened
from groupops.importers.transcripts.words import line

MAX_MAIL = 64 * 1024**2
"""Bytes of the largest mail or page that is read: such a selection has some hundred messages and its pictures."""

MAX_PAGE = 16 * 1024**2
"""Characters of the largest page whose lines are made: they take many times as much memory."""

MAX_SHOWN_LINE = 300
"""Characters of a line that may be a heading, a date or a sender."""

_BREAKS: Final = frozenset(
    "address article blockquote center dd div dt h1 h2 h3 h4 h5 hr li p pre table td tr ul".split()
)
_BOLD: Final = frozenset({"b", "strong"})
_SILENT: Final = frozenset({"script", "style", "head", "title"})


@dataclass(frozen=True, slots=True, kw_only=True)
class MailLine:
    """A line of a selection.

    Args:
        number: of the line, in its part.
        text: what it says.
        bold: whether it is; None in plain text.
    """

    number: int
    text: str
    bold: bool | None = None


def unquoted(text: str) -> str:
    """Give a line without the marks of a mail that is quoted, and without what is too long to be looked at."""
    while text.startswith(">"):
        text = text[1:].removeprefix(" ")
    return text if len(text) <= MAX_SHOWN_LINE else ""


def is_web_page(text: str) -> bool:
    """Say whether a text is HTML."""
    start = text.lstrip()[:200].lower()
    return start.startswith(("<!doctype html", "<html", "<div", "<body", "<meta", "<head", "<table", "<span"))


def of_page(source: Source) -> bool:
    """Say whether a page is a selection of messages."""
    return _is_selection(page_lines(_bounded(source, _text(source))))


def of_mail(source: Source) -> str:
    """Say which format the readable part of a mail has; nothing for a mail that is no selection of messages."""
    page, text = mail_texts(source)
    if page and _is_selection(page_lines(_bounded(source, page))):
        return "wechat-html"
    return "wechat-mail" if text and _is_selection(plain_lines(_bounded(source, text))) else ""


def _is_selection(lines: Iterator[MailLine]) -> bool:
    return any(line("mail_head").match(unquoted(one.text)) for one in lines)


def lines_of(source: Source) -> Iterator[MailLine]:
    """Give the lines of a selection, out of a mail, a page or a text.

    Raises:
        ImportFailed: the file is too large for one.
    """
    text = _text(source)
    if is_web_page(text):
        return page_lines(_bounded(source, text))
    page, plain = mail_texts(source) if line("mail_field").match(text) else ("", "")
    if page and _is_selection(page_lines(_bounded(source, page))):
        return page_lines(page)
    return plain_lines(_bounded(source, plain or text))


def _bounded(source: Source, text: str) -> str:
    if len(text) > MAX_PAGE:
        why = f"its text has more than {MAX_PAGE} characters; a selection of messages is smaller"
        raise ImportFailed(source.path.name, [why])
    return text


def _text(source: Source) -> str:
    with opened(source.path) as file:
        raw = file.read(MAX_MAIL + 1)
    if len(raw) > MAX_MAIL:
        raise ImportFailed(
            source.path.name, [f"it has more than {MAX_MAIL} bytes; such a selection is smaller"]
        )
    try:
        return clean(raw.decode(source.encoding))
    except UnicodeDecodeError as error:
        before = raw[: error.start].count(b"\n")
        where = f"line {before + 1}: byte {error.start} of the file is not {source.encoding}"
        raise ImportFailed(source.path.name, [f"{where}: {error.reason}"]) from error


def mail_texts(source: Source) -> tuple[str, str]:
    """Give the page and the plain text of a mail; nothing where it has none."""
    with opened(source.path) as file:
        mail = message_from_binary_file(file, policy=policy.default)
    found = {"text/html": "", "text/plain": ""}
    for part in mail.walk():
        kind = part.get_content_type()
        if kind in found and not found[kind]:
            found[kind] = _content(part)
    return clean(found["text/html"]), clean(found["text/plain"])


def _content(part: EmailMessage) -> str:
    try:
        content = part.get_content()
    except (LookupError, UnicodeError, ValueError, AssertionError):  # an unknown alphabet, or none at all
        return ""
    return content if isinstance(content, str) else ""


def plain_lines(text: str) -> Iterator[MailLine]:
    """Give the lines of a plain text."""
    for number, one in enumerate(text.split("\n"), start=1):
        yield MailLine(number=number, text=one.rstrip("\r"))


def page_lines(page: str) -> Iterator[MailLine]:
    """Give the lines of a page as one sees them, and which of them are bold."""
    reader = _Page()
    reader.feed(page)
    reader.close()
    reader.end_line()
    yield from reader.lines


@dataclass
class _Page(HTMLParser):
    """Turns a page into lines."""

    lines: list[MailLine] = field(default_factory=list[MailLine])
    _parts: list[str] = field(default_factory=list[str])
    _bold: int = 0
    _silent: int = 0
    _plain: int = 0
    """Characters of the line that are not bold."""

    def __post_init__(self) -> None:
        HTMLParser.__init__(self, convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a line, or bold letters; what stands behind a tag that was cut off is of another line."""
        if self._parts and any("<" in name for name, _ in attrs):
            self.end_line()
        if tag in _SILENT:
            self._silent += 1
        elif tag in _BOLD:
            self._bold += 1
        elif tag == "br" or (tag in _BREAKS and self._parts):
            self.end_line()

    def handle_endtag(self, tag: str) -> None:
        """End a line, or bold letters."""
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag in _BOLD:
            self._bold = max(0, self._bold - 1)
        elif tag in _BREAKS and self._parts:
            self.end_line()

    def handle_data(self, data: str) -> None:
        """Take letters; a line break in the source is a blank in the page."""
        if self._silent:
            return
        text = data.replace("\r", " ").replace("\n", " ").replace("\u00a0", " ")
        if not text.strip() and not self._parts:
            return
        self._parts.append(text)
        if not self._bold:
            self._plain += len(text.strip())

    def end_line(self) -> None:
        """Put away the line that was begun."""
        text = "".join(self._parts).strip()
        self.lines.append(
            MailLine(number=len(self.lines) + 1, text=text, bold=bool(text) and not self._plain)
        )
        self._parts.clear()
        self._plain = 0
