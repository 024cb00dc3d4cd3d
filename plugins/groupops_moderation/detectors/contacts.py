"""Contacts: the phone, account or link that an advert wants people to turn to."""

import re
from dataclasses import dataclass
from typing import Literal

from groupops_moderation.detectors.urls import find_addresses
from groupops_moderation.fold import load_fold

Kind = Literal["phone", "account", "telegram", "link"]

_PHONE = re.compile(r"(?<!\d)(?:1[3-9]\d{9}|[48]00\d{7}|0\d{9,11})(?!\d)")
_ACCOUNT = re.compile(
    r"(?:qq|[qvx号群信微薇威扣加我系])(\d{5,11})(?!\d)|(?<![a-z0-9])([a-z]{2,16}\d{2,10}[a-z0-9]{0,8})(?![a-z0-9])"
)
_TELEGRAM = re.compile(r"(?<![a-z0-9_.])@[a-z][a-z0-9_]{4,31}(?![a-z0-9_.])")


@dataclass(frozen=True, kw_only=True, slots=True)
class Contact:
    """A way to reach somebody, as it reads after folding."""

    kind: Kind
    value: str


def find_contacts(text: str) -> list[Contact]:
    """Phones, account numbers and names, Telegram handles and links in a text, however their digits are dressed.

    A number alone says little; this is asked only when an advert's words were found.

    Args:
        text: the original text of a message.
    """
    fold = load_fold()
    soft, hard = fold.softly(text), fold.text(text)
    links = [Contact(kind="link", value=address.host) for address in find_addresses(text)]
    handles = [Contact(kind="telegram", value=value) for value in _TELEGRAM.findall(soft)]
    phones = [Contact(kind="phone", value=value) for value in _PHONE.findall(hard)]
    accounts = [Contact(kind="account", value=number or name) for number, name in _ACCOUNT.findall(hard)]
    return [*links, *handles, *phones, *accounts]
