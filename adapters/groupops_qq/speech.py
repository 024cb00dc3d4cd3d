"""What the bot says, in the form the platform lets through: addresses, names in place of mentions, cards, buttons."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from groupops import Option
from groupops_qq.config import Config
from groupops_qq.read import button_data

LABEL = 10
"""Characters of a button's label (official documentation)."""

ROW = 2
ROWS = 5

_LABELS = r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+"
_ENDINGS = (
    "com|cn|net|org|io|top|xyz|cc|me|tv|vip|info|club|site|shop|online|app|dev|link|store|live|work|fun|wang|ltd|"
    "edu|gov|mobi|asia|pro|ink|icu|hk|tw|jp|uk|us|ru|de|co|ly|gl|to|im|ai"
)
_ADDRESS = re.compile(
    rf"(?P<scheme>https?://)(?P<host>[^\s/?#<>\"']+)(?P<rest>[/?#][^\s<>\"']*)?"
    rf"|(?<![\w@.\-])(?P<bare>{_LABELS}(?:{_ENDINGS}))(?![\w\-])(?P<more>(?::\d{{2,5}})?(?:[/?#][^\s<>\"']*)?)",
    re.IGNORECASE | re.ASCII,
)

_MARKUP = re.compile(r"([\\`*_~\[\]()#>|!])")


def with_addresses(text: str, config: Config) -> str:
    """Give a text with the addresses in it as the operator wants them; registered ones stay as they are."""
    if config.qq_urls == "keep":
        return text

    def put(found: re.Match[str]) -> str:
        host = (found.group("host") or found.group("bare") or "").lower()
        if is_under(host.partition(":")[0], config.qq_url_hosts):
            return found.group()
        if config.qq_urls == "drop":
            return ""
        # A full stop of full width is read by people, and is no address.
        behind = (found.group("rest") or "") + (found.group("more") or "")
        return (found.group("host") or found.group("bare") or "").replace(".", "．") + behind

    return _ADDRESS.sub(put, text)


def is_under(host: str, hosts: Iterable[str]) -> bool:
    """Say whether a host is one of some, or under one of them."""
    return any(host == one or host.endswith(f".{one}") for one in hosts)


def named(names: Iterable[str]) -> str:
    """Give names in place of mentions, which the platform does not let a bot make in plain text."""
    return "".join(f"@{name} " for name in names if name)


def markdown(title: str, text: str) -> str:
    """Give a title and a text as Markdown in which nothing that people wrote counts as markup."""
    head = f"**{plain(title)}**\n\n" if title else ""
    return head + plain(text).replace("\n", "\n\n")


def plain(text: str) -> str:
    """Take the meaning from what Markdown would make something of."""
    return _MARKUP.sub(r"\\\1", text.replace("&", "&amp;").replace("<", "&lt;"))


def fits_buttons(options: tuple[Option, ...], subject: str) -> bool:
    """Say whether options can be buttons: there are some, not too many, and it is known what they are about."""
    return bool(subject) and 0 < len(options) <= ROW * ROWS


def keyboard(options: tuple[Option, ...], subject: str, group: str) -> dict[str, Any]:
    """Make buttons that everybody may press; who may choose is for the core to say.

    Args:
        options: the answers.
        subject: what they are about.
        group: the group on whose behalf they are offered.
    """
    buttons = [_button(number, option, subject, group) for number, option in enumerate(options, 1)]
    rows = [{"buttons": buttons[at : at + ROW]} for at in range(0, len(buttons), ROW)]
    return {"content": {"rows": rows}}


def _button(number: int, option: Option, subject: str, group: str) -> dict[str, Any]:
    label = (option.label or option.word)[:LABEL]
    return {
        "id": str(number),
        "render_data": {"label": label, "visited_label": label, "style": 1},
        "action": {
            "type": 1,
            "permission": {"type": 2},
            "data": button_data(subject, option.word, group),
            "unsupport_tips": option.word,
        },
    }
