"""Finds out whose a shown name is: one member's, several members', or nobody's that is known."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from groupops.events import Listed
from groupops.importers.transcripts.values import Party
from groupops.people import AccountId, native_of

Ground = Literal["one", "twins", "unknown"]
"""Whether one member goes by a name, several do, or nobody known does."""


@dataclass(frozen=True, slots=True)
class NameBook:
    """Names → the accounts that go by them in one group.

    Args:
        platform: whose accounts.
        names: plain name → accounts.
    """

    platform: str
    names: Mapping[str, frozenset[AccountId]] = field(default_factory=dict[str, frozenset[AccountId]])

    @classmethod
    def of(
        cls, platform: str, members: Iterable[Listed], real_names: Mapping[AccountId, str] | None = None
    ) -> NameBook:
        """Collect the names of members; a name in the group goes before a nickname.

        Args:
            platform: whose accounts.
            members: who is in the group.
            real_names: account → name on the roster.
        """
        found: dict[str, set[AccountId]] = {}
        for line in members:
            real = (real_names or {}).get(line.account, "")
            for name in {plain(name) for name in (line.card, line.name, real) if name}:
                found.setdefault(name, set()).add(line.account)
        return cls(platform, {name: frozenset(accounts) for name, accounts in found.items()})

    def account(self, name: str) -> tuple[AccountId, Ground]:
        """Give the account a name stands for; one that is made of the name where that is not sure."""
        accounts = self.names.get(plain(name), frozenset())
        if len(accounts) == 1:
            return next(iter(accounts)), "one"
        return self.made(name), "twins" if accounts else "unknown"

    def made(self, name: str) -> AccountId:
        """Give the account that is made of a name; it is no account of the platform's."""
        return AccountId(f"{self.platform}:name:{unicodedata.normalize('NFC', name).strip()}")

    def meant(self, party: Party) -> Party:
        """Give somebody with an id where there is only a name."""
        shown = party.card or party.name
        if party.id or not shown:
            return party
        account, _ = self.account(shown)
        return Party(id=native_of(account), name=party.name, card=party.card, role=party.role)


def plain(name: str) -> str:
    """Give a name as it is compared: forms folded, blanks left out."""
    return "".join(unicodedata.normalize("NFKC", name).split()).casefold()


def is_made(account: str) -> bool:
    """Say whether an account is only a name."""
    return native_of(AccountId(account)).startswith("name:")
