"""Addresses: links and bare domains, also when obfuscated, against lists; and names of executable files."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from groupops_moderation.fold import load_fold
from groupops_moderation.packs import load_context

Verdict = Literal["allowed", "denied", "unknown"]

_TLD = (
    "com|cn|net|org|top|xyz|vip|cc|me|io|co|info|biz|site|online|shop|store|club|fun|live|link|app|icu|ltd|pro|tv|"
    "ws|la|pw|tk|ml|ga|cf|gq|in|ru|us|uk|jp|kr|hk|tw|sg|my|ph|vn|eu|de|fr|work|win|bid|men|loan|click|gov|edu|mobi|"
    "asia|name|tech|space|website|press|host|wang|ren|group|art|life|world|today|news|wiki|test|example"
)
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOT = r"(?:\.|\s?[。．｡·•∙]\s?|\s?[\[(【（]\s?(?:\.|dot|点)\s?[\])】）]\s?|点| \. )"
_HOST = rf"(?:{_LABEL}{_DOT}){{1,6}}(?:{_TLD})(?![a-z0-9-])"
_IP = r"(?:\d{1,3}\.){3}\d{1,3}(?![\d.])"
_ADDRESS = re.compile(
    rf"(?:(?P<scheme>h(?:tt|xx)ps?|ftp)\s?[:：]\s?/\s?/\s?(?P<named>(?:{_LABEL}{_DOT})*{_LABEL}|{_IP})"
    rf"|(?<![a-z0-9@._-])(?P<bare>{_HOST}))"
    r"(?P<port>:\d{1,5})?(?P<path>/[^\s\u2e80-\uffef<>\"'“”]*)?",
)
_DOTS = re.compile(_DOT)
_HINT = re.compile(r"[.。．｡·•∙点]|dot|//|／／")
_NAME = re.compile(r"[^\s/\\:*?\"<>|，。；：！？、（）()【】]{1,80}\.[A-Za-z0-9]{1,5}(?![A-Za-z0-9])")


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """A link or bare domain.

    `host` is lower case and without obfuscation; `obfuscated` says that the original was not written that way.
    `start` and `end` are positions in the original text.
    """

    host: str
    path: str
    start: int
    end: int
    obfuscated: bool


@dataclass(frozen=True, slots=True)
class DomainLists:
    """Allowed and denied domains; each entry speaks for its subdomains, the longest entry wins, a draw denies."""

    allowed: frozenset[str]
    denied: frozenset[str]

    @classmethod
    def of(cls, allowed: Iterable[str] = (), denied: Iterable[str] = ()) -> "DomainLists":
        """Reads entries as operators write them: `example.com`, `*.example.com`, `https://example.com/x`.

        Raises:
            ValueError: an entry holds no domain.
        """
        return cls(frozenset(map(domain, allowed)), frozenset(map(domain, denied)))

    def judge(self, host: str) -> Verdict:
        """What the lists say of a host, most specific entry first."""
        while host:
            if host in self.denied:
                return "denied"
            if host in self.allowed:
                return "allowed"
            host = host.partition(".")[2]
        return "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class ExecutableName:
    """A file name that would run code when opened; `disguised` = it poses as a document (`发票.pdf.exe`)."""

    name: str
    extension: str
    disguised: bool


def find_addresses(text: str) -> list[Address]:
    """The links and bare domains in a text, read through full-width forms, invisible marks and `[点]` for a dot.

    Args:
        text: the original text of a message.
    """
    if not _HINT.search(text) and "%" not in text and "&" not in text:
        return []
    soft = load_fold().softly(text)
    matches = [m for m in _ADDRESS.finditer(soft) if m["bare"] or m["named"]]
    spans = load_fold().spans(text, soft, soft=True) if matches else []
    return [_address(m, text, spans[m.start()][0], spans[m.end() - 1][1]) for m in matches]


def domain(entry: str) -> str:
    """The bare domain an operator's list entry means.

    Raises:
        ValueError: there is none.
    """
    host = entry.strip().lower().partition("://")[2] or entry.strip().lower()
    host = host.removeprefix("*.").partition("/")[0].partition(":")[0].strip(".")
    if not re.fullmatch(rf"(?:{_LABEL}\.)+[a-z0-9-]+|[^\x00-\x7f.]+(?:\.[^\s.]+)+", host):
        raise ValueError(f"domain list: {entry!r} names no domain; write it like example.com")
    return host


def find_executables(text: str) -> list[ExecutableName]:
    """The names of executable files in a text or, handed in alone, in the name of a posted file."""
    if "." not in text and "\uff0e" not in text:
        return []
    found = (executable(match[0]) for match in _NAME.finditer(load_fold().softly(text)))
    return [name for name in found if name]


def executable(name: str) -> ExecutableName | None:
    """What a file name says about running code, or None if it is a plain document."""
    stem, _, extension = name.lower().rpartition(".")
    files = load_context()
    if extension not in files.executable:
        return None
    return ExecutableName(name=name, extension=extension, disguised=stem.rpartition(".")[2] in files.document)


def _address(match: re.Match[str], text: str, start: int, end: int) -> Address:
    """A match with its host cleaned."""
    host = _DOTS.sub(".", match["named"] or match["bare"]).replace(" ", "")
    written = text[start:end].lower()
    return Address(
        host=host,
        path=match["path"] or "",
        start=start,
        end=end,
        obfuscated=host not in written or written.startswith("hxx"),
    )
