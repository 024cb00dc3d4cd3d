"""What a member list tells that was not known, and how thousands of such lists are kept in little memory."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from groupops.events import Listed, MemberJoined, MemberLeft, MemberRenamed, MembersListed, RoleChanged
from groupops.people import AccountId, Role

CONFIRM_FRACTION = 0.30
"""A list that lacks more than this share of those known is believed only by a steward (`architecture.md` §4)."""

FOLD_AT = 32
"""Lines changed before a roll is written anew."""

Suspicion = Literal["incomplete", "empty", "shrunk"]

_ROLES = (Role.UNKNOWN, Role.MEMBER, Role.ADMIN, Role.OWNER)
_OWNER = re.compile(rb"\n([^\t\n]+)\t%d\t" % _ROLES.index(Role.OWNER))
_BLANKS = str.maketrans("\t\n", "  ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """What a list changes.

    Args:
        joined, left, renamed, roles: the facts, those that have such a mark being `inferred`; their ids
            follow from the list's own id, so the same list read twice gives the same facts.
        put: lines that are new or differ in anything, as they are to be stored.
        suspicious: why nothing is changed until a steward confirms the list; None when it is believed.
    """

    joined: tuple[MemberJoined, ...] = ()
    left: tuple[MemberLeft, ...] = ()
    renamed: tuple[MemberRenamed, ...] = ()
    roles: tuple[RoleChanged, ...] = ()
    put: tuple[Listed, ...] = ()
    suspicious: Suspicion | None = None

    @property
    def facts(self) -> tuple[MemberLeft | MemberJoined | MemberRenamed | RoleChanged, ...]:
        """All facts: who left before who came."""
        return (*self.left, *self.joined, *self.renamed, *self.roles)

    @property
    def gone(self) -> tuple[AccountId, ...]:
        """The accounts that are to be forgotten."""
        return tuple(fact.account for fact in self.left)

    def applied(self, known: Mapping[AccountId, Listed]) -> dict[AccountId, Listed]:
        """Give what is known after the list."""
        gone = frozenset(self.gone)
        kept = {account: line for account, line in known.items() if account not in gone}
        return kept | {line.account: line for line in self.put}


def differences(
    known: Mapping[AccountId, Listed], listed: MembersListed, *, confirm_fraction: float = CONFIRM_FRACTION
) -> Differences:
    """Compare a member list with what was known. Pure.

    What a list does not tell is kept: a role it calls unknown, an empty nickname, a missing moment of
    joining, and the cards when nobody in the list has one (a platform that cannot read them). A role that
    was unknown and is told for the first time was learnt, it did not change.

    Args:
        known: the members as last known.
        listed: the list; a `confirmed` one is believed whatever it says.
        confirm_fraction: the share of those known that may be missing at once, 0 to 1.

    Returns:
        What changed; nothing but the reason when the list is incomplete, empty or lacks too many.
    """
    told = {line.account: line for line in listed.members if line.account}
    suspicious = _suspicion(known, told, listed, confirm_fraction)
    if suspicious is not None:
        return Differences(suspicious=suspicious)
    cards_told = any(line.card for line in told.values())
    now = {
        account: line if (old := known.get(account)) is None else _merged(old, line, cards_told=cards_told)
        for account, line in told.items()
    }
    both = [(known[account], line) for account, line in now.items() if account in known]
    return Differences(
        joined=tuple(_joined(listed, line) for account, line in now.items() if account not in known),
        left=tuple(_left(listed, account) for account in known if account not in now),
        renamed=tuple(_renamed(listed, old, line) for old, line in both if old.card != line.card),
        roles=tuple(
            _role(listed, line)
            for old, line in both
            if old.role is not line.role and old.role is not Role.UNKNOWN
        ),
        put=tuple(line for account, line in now.items() if known.get(account) != line),
    )


def _suspicion(
    known: Mapping[AccountId, Listed],
    told: Mapping[AccountId, Listed],
    listed: MembersListed,
    confirm_fraction: float,
) -> Suspicion | None:
    if listed.confirmed:
        return None
    if not listed.complete:
        return "incomplete"
    if not told:
        return "empty"
    missing = len(known.keys() - told.keys())
    # Rounded, so that 30 % of any whole number is not missed by a hair of binary fractions.
    return "shrunk" if missing > round(confirm_fraction * len(known), 6) else None


def _merged(old: Listed, line: Listed, *, cards_told: bool) -> Listed:
    return replace(
        line,
        name=line.name or old.name,
        card=line.card if cards_told else old.card,
        role=old.role if line.role is Role.UNKNOWN else line.role,
        joined_at=line.joined_at or old.joined_at,
    )


def _joined(listed: MembersListed, line: Listed) -> MemberJoined:
    return MemberJoined(
        id=f"{listed.id}/joined/{line.account}",
        at=listed.at,
        group_id=listed.group_id,
        source=listed.source,
        account=line.account,
        name=line.name,
        card=line.card,
        inferred=True,
    )


def _left(listed: MembersListed, account: AccountId) -> MemberLeft:
    return MemberLeft(
        id=f"{listed.id}/left/{account}",
        at=listed.at,
        group_id=listed.group_id,
        source=listed.source,
        account=account,
        how="unknown",
        inferred=True,
    )


def _renamed(listed: MembersListed, old: Listed, line: Listed) -> MemberRenamed:
    return MemberRenamed(
        id=f"{listed.id}/renamed/{line.account}",
        at=listed.at,
        group_id=listed.group_id,
        source=listed.source,
        account=line.account,
        old=old.card,
        new=line.card,
        inferred=True,
    )


def _role(listed: MembersListed, line: Listed) -> RoleChanged:
    return RoleChanged(
        id=f"{listed.id}/role/{line.account}",
        at=listed.at,
        group_id=listed.group_id,
        source=listed.source,
        account=line.account,
        role=line.role,
    )


class Roll:
    """The members of one group, as one string of bytes with a line each: some 40 bytes a member.

    Ten thousand groups with fifty members each fit into a few tens of megabytes, where a dictionary of
    values takes several hundred. Written in GB 18030, which has every character and needs two bytes for a
    Chinese one; neither separator ever occurs inside a character of it. A tab or line break in a name is
    read back as a space. Changes wait beside the bytes until there are enough to write them anew.
    """

    __slots__ = ("_bytes", "_changed", "_count", "listed")

    def __init__(self, lines: Iterable[Listed] = (), *, listed: bool = False) -> None:
        self.listed = listed
        """Whether it came from a list, rather than from what was seen in passing."""
        self._changed: dict[AccountId, Listed | None] = {}
        self._bytes, self._count = _written(lines)

    def __len__(self) -> int:
        self._fold()
        return self._count

    def __iter__(self) -> Iterator[Listed]:
        self._fold()
        return (_read(line) for line in self._bytes.split(b"\n")[1:-1])

    def __contains__(self, account: AccountId) -> bool:
        return self.get(account) is not None

    def get(self, account: AccountId) -> Listed | None:
        """Give a member's line, or None when the account is not on the roll."""
        if account in self._changed:
            return self._changed[account]
        if not account:
            return None
        start = self._start(account)
        if start < 0:
            return None
        return _read(self._bytes[start + 1 : self._bytes.index(b"\n", start + 1)])

    def owners(self) -> frozenset[AccountId]:
        """Give the owner, or whoever the list says are: looked for in the bytes, since every word to stewards asks."""
        self._fold()
        return frozenset(AccountId(found.decode("gb18030")) for found in _OWNER.findall(self._bytes))

    def _start(self, account: AccountId) -> int:
        """Give where the line break before a member's written line is, or -1."""
        return self._bytes.find(b"\n" + _encoded(account) + b"\t")

    def put(self, line: Listed) -> None:
        """Add a member, or replace its line."""
        self._changed[line.account] = line
        self._fold_when_full()

    def drop(self, account: AccountId) -> None:
        """Take a member off; one that is not on the roll changes nothing."""
        self._changed[account] = None
        self._fold_when_full()

    def _fold_when_full(self) -> None:
        if len(self._changed) >= FOLD_AT:
            self._fold()

    def _fold(self) -> None:
        if not self._changed:
            return
        changed, self._changed = self._changed, {}
        if not any(line is None or self._start(account) >= 0 for account, line in changed.items()):
            # Only newcomers: they are written behind the others, which need not be read for that.
            behind, count = _written(line for line in changed.values() if line is not None)
            self._bytes, self._count = self._bytes + behind[1:], self._count + count
            return
        kept = {line.account: line for line in map(_read, self._bytes.split(b"\n")[1:-1])}
        lines = (line for line in (kept | changed).values() if line is not None)
        self._bytes, self._count = _written(lines)


def _written(lines: Iterable[Listed]) -> tuple[bytes, int]:
    parts = [_line(line) for line in lines if line.account]
    return b"\n".join((b"", *parts, b"")), len(parts)


def _line(line: Listed) -> bytes:
    joined = "" if line.joined_at is None else repr(line.joined_at.timestamp())
    role = str(_ROLES.index(line.role))
    return b"\t".join(_encoded(text) for text in (line.account, role, joined, line.card, line.name))


def _read(line: bytes) -> Listed:
    account, role, joined, card, name = line.decode("gb18030").split("\t")
    return Listed(
        account=AccountId(account),
        name=name,
        card=card,
        role=_ROLES[int(role)],
        joined_at=datetime.fromtimestamp(float(joined), UTC) if joined else None,
    )


def _encoded(text: str) -> bytes:
    return text.translate(_BLANKS).encode("gb18030", "replace")
