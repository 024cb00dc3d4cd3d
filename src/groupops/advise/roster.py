"""Holds a member list against the one before and against the roster, and says what humans are to look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from groupops.advise.findings import Difference, RosterLine
from groupops.advise.members import words
from groupops.advise.names import NameBook, is_made, plain
from groupops.events import Listed, MembersListed
from groupops.importers.transcripts.participants import Matching, Review, match
from groupops.importers.transcripts.values import Party, Report, Seen
from groupops.importers.transcripts.words import formats
from groupops.member_lists import differences
from groupops.people import AccountId, Clause, GroupId, Person, PersonLine, native_of
from groupops.plugin import Texts

SHOWN = 5
"""Names that are shown beside one that fits nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberList:
    """A member list as it was handed in.

    Args:
        lines: the members, each account once.
        doubles: shown names that stand in it more than once, without an account to tell them apart.
    """

    lines: tuple[Listed, ...]
    doubles: tuple[str, ...] = ()

    @classmethod
    def of(cls, parties: Iterable[Party], book: NameBook) -> MemberList:
        """Make a list of what was read, with the account of whoever is known by name."""
        told = tuple(parties)
        shown = Counter(plain(one.card or one.name) for one in told if not one.id)
        names = [one.card or one.name for one in told]
        doubles = tuple(dict.fromkeys(name for name in names if shown[plain(name)] > 1))
        lines: dict[AccountId, Listed] = {}
        for one in told:
            party = book.meant(one)
            account = AccountId(f"{book.platform}:{party.id.removeprefix(f'{book.platform}:')}")
            lines.setdefault(
                account, Listed(account=account, name=party.name, card=party.card, role=party.role)
            )
        return cls(lines=tuple(lines.values()), doubles=doubles)

    def fact(self, group_id: GroupId, at: datetime) -> MembersListed:
        """Give the fact that it was read; the same list at the same moment is the same fact."""
        told = "\n".join(f"{line.account}\t{line.name}\t{line.card}" for line in self.lines)
        digest = blake2b(told.encode("utf-8", "replace"), digest_size=9).hexdigest()
        return MembersListed(
            id=f"{group_id}/members/{digest}/{at.isoformat()}",
            at=at,
            group_id=group_id,
            source="export",
            members=self.lines,
        )


def matched(
    lines: Sequence[Listed], persons: Iterable[tuple[Person, Sequence[AccountId]]], platform: str
) -> Matching:
    """Find out which members are whom on the roster.

    Args:
        lines: the members.
        persons: the register, with accounts.
        platform: whose accounts.
    """
    report = Report(name="members", format=formats()["chatlab-json"], platform=platform)
    for line in lines:
        party = Party(id=native_of(line.account), name=line.name, card=line.card, role=line.role)
        report.senders[str(line.account)] = Seen(party=party)
    return match(report, [_line_of(person, accounts) for person, accounts in persons])


def _line_of(person: Person, accounts: Sequence[AccountId]) -> PersonLine:
    return PersonLine(
        person_id=person.id, ref=person.ref, name=person.name, active=person.active, accounts=tuple(accounts)
    )


@dataclass(frozen=True, slots=True)
class Differing:
    """Says how a list differs.

    Args:
        platform: whose members.
        say: the texts.
        clauses: rule id → where it stands in the policy.
    """

    platform: str
    say: Texts
    clauses: Mapping[str, Clause]

    def from_before(self, known: Mapping[AccountId, Listed], listed: MembersListed) -> Iterator[RosterLine]:
        """Say who came, went and changed names since the list before; nothing for the first list or a doubted one."""
        if not known:
            return
        found = differences(known, listed)
        for joined in found.joined:
            yield self._line("joined", joined.card or joined.name, joined.account)
        for left in found.left:
            line = known[left.account]
            yield self._line("left", line.card or line.name or native_of(left.account), left.account)
        for renamed in found.renamed:
            yield self._line("renamed", renamed.new, renamed.account, detail=renamed.old)

    def from_roster(self, members: MemberList, matching: Matching) -> Iterator[RosterLine]:
        """Say who is not on the roster, who has left, who is missing, and whose name fits several."""
        for name in members.doubles:
            yield self._line("same_name", name)
        for one in matching.review:
            yield self._reviewed(one)
        for certain in matching.matched:
            if not certain.line.active:
                sender = certain.sender
                yield self._line("leaver", _shown(sender), self._account(sender), detail=certain.line.name)
        for line in matching.silent:
            yield self._line("missing", line.name, detail=line.ref)

    def _reviewed(self, one: Review) -> RosterLine:
        names = self.say("joint").join(line.name for line in one.candidates[:SHOWN])
        kinds: dict[str, Difference] = {"left": "leaver", "unknown": "stranger"}
        kind = kinds.get(one.why, "unsure")
        return self._line(kind, _shown(one.sender), self._account(one.sender), detail=names)

    def _line(self, kind: Difference, name: str, account: str = "", *, detail: str = "") -> RosterLine:
        rules = words().clauses.get(kind, ())
        clause = next((self.clauses[rule] for rule in rules if rule in self.clauses), None)
        values = {"name": name, "detail": detail, "clause": f"({clause.ref})" if clause else ""}
        return RosterLine(
            kind=kind,
            name=name,
            account="" if is_made(account) else account,
            detail=detail,
            clause=clause.ref if clause else "",
            ask=self._if_any(f"ask.{kind}", values),
            notice=self._if_any(f"notice.{kind}", values),
        )

    def _account(self, seen: Seen) -> str:
        return f"{self.platform}:{seen.party.id}"

    def _if_any(self, key: str, values: Mapping[str, object]) -> str:
        keys = self.say.keys()
        return self.say(key, **values) if key in keys else ""


def _shown(seen: Seen) -> str:
    return seen.party.card or seen.party.name or seen.party.id
