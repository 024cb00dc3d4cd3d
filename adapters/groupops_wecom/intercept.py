"""The operator's lexicon as WeCom's own intercept rules for customer groups; pure but for the few calls at the end.

A rule binds the company's own staff, whom its range names: what they write to customers is stopped or warned of before
it is sent. Customers are bound by none.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from types import MappingProxyType
from typing import Any, Literal

from groupops import ConfigError
from groupops_wecom.customers import (
    LONGEST_WORD,
    MOST_NODES,
    MOST_RULES,
    MOST_WORDS,
    Customers,
    InterceptRule,
    Range,
    Reaction,
    Semantics,
)

PREFIX = "groupops-"
"""How the names of our rules begin; a rule of another name is never touched."""

MEANINGS: Mapping[str, Semantics] = MappingProxyType({one.name.lower(): one for one in Semantics})
"""What WeCom recognises by its meaning, by the words an operator writes: `phone`, `email`, `red_packet`."""

Kind = Literal["add", "update", "delete"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be published.

    Args:
        words: word → where the operator wrote it.
        meanings: what is recognised by its meaning.
        reaction: whether a message is stopped, or its writer warned.
        whom: whom the rules bind.
    """

    words: Mapping[str, str] = field(default_factory=dict[str, str])
    meanings: tuple[Semantics, ...] = ()
    reaction: Reaction = Reaction.BLOCK
    whom: Range = field(default_factory=Range)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What WeCom has.

    Args:
        rules: our rules with their ids, in the order of their names.
        others: how many rules are not ours.
    """

    rules: tuple[InterceptRule, ...] = ()
    others: int = 0


def rules_of(wanted: Wanted, there: Published | None = None) -> tuple[InterceptRule, ...]:
    """Cut a lexicon into rules: words in order, and no word moves from the rule that it is published in.

    So nothing that is stopped before and after is let through while the calls are made, and one word more is one call.
    What is recognised by its meaning goes with the first rule: whether WeCom takes a rule without a word is not known.

    Args:
        wanted: what is to be published.
        there: what is published; the rules that are not ours count for the limit.

    Raises:
        ConfigError: WeCom would not take it; all that is wrong is named, with the limit.
    """
    stands = there or Published()
    faults = [*_faults(wanted, stands.others)]
    if faults:
        raise ConfigError("\n".join(faults))
    filled = sorted((name, words) for name, words in _placed(wanted.words, stands).items() if words)
    return tuple(
        InterceptRule(
            name=name,
            words=tuple(sorted(words)),
            semantics=tuple(sorted(wanted.meanings)) if place == 0 else (),
            reaction=wanted.reaction,
            range=wanted.whom,
        )
        for place, (name, words) in enumerate(filled)
    )


def _placed(wanted: Iterable[str], there: Published) -> dict[str, list[str]]:
    """Give each word its rule: the one that it stands in, else the first with room, else a new one."""
    left = set(wanted)
    places: dict[str, list[str]] = {}
    for rule in there.rules:
        stays = [word for word in sorted(rule.words) if word in left][:MOST_WORDS]
        if rule.name not in places:
            places[rule.name] = stays
            left -= set(stays)
    fresh = (name for number in count(1) if (name := f"{PREFIX}{number:03}") not in places)
    waiting = deque(sorted(left))
    for words in [*places.values()]:
        while waiting and len(words) < MOST_WORDS:
            words.append(waiting.popleft())
    while waiting:
        places[next(fresh)] = [waiting.popleft() for _ in range(min(MOST_WORDS, len(waiting)))]
    return places


def _faults(wanted: Wanted, others: int) -> Iterator[str]:
    for said, origin in sorted(wanted.words.items()):
        if not 1 <= len(said.strip()) <= LONGEST_WORD or len(said) > LONGEST_WORD:
            yield (
                f"{origin}: {said!r} has {len(said)} characters; WeCom takes 1 to {LONGEST_WORD} in a word: "
                "shorten it or leave it out"
            )
    if wanted.meanings and not wanted.words:
        yield "what is recognised by its meaning needs a rule with at least one word: add a word"
    if wanted.words and not wanted.whom:
        yield "nobody is named whom the rules bind: name staff by --user or --department"
    for what, found in (("users", wanted.whom.users), ("departments", wanted.whom.departments)):
        if len(found) > MOST_NODES:
            yield f"{len(found)} {what} are named; WeCom takes at most {MOST_NODES}: name departments higher up"
    needed = -(-len(wanted.words) // MOST_WORDS)
    if needed + others > MOST_RULES:
        more = f" besides {others} that are not ours" if others else ""
        surplus = len(wanted.words) - max(MOST_RULES - others, 0) * MOST_WORDS
        yield (
            f"{len(wanted.words)} words need {needed} rules{more}; WeCom takes at most {MOST_RULES} rules of "
            f"{MOST_WORDS} words: leave {surplus} words out"
        )


# — held against what is published —


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One call.

    Args:
        kind: what is done.
        before, after: the rule as it is and as it is to be; None where there is none.
    """

    kind: Kind
    before: InterceptRule | None = None
    after: InterceptRule | None = None

    @property
    def name(self) -> str:
        """The rule's name."""
        rule = self.after or self.before
        return rule.name if rule else ""

    @property
    def come(self) -> tuple[str, ...]:
        """Words that are stopped from now on by this rule."""
        return _only_in(self.after, self.before)

    @property
    def gone(self) -> tuple[str, ...]:
        """Words that this rule does not stop any more."""
        return _only_in(self.before, self.after)


def _only_in(one: InterceptRule | None, other: InterceptRule | None) -> tuple[str, ...]:
    there = set(other.words) if other else set[str]()
    return tuple(word for word in (one.words if one else ()) if word not in there)


def bare(rule: InterceptRule) -> InterceptRule:
    """Give a rule without its id and with everything in order: two that say the same are the same."""
    whom = Range(users=tuple(sorted(rule.range.users)), departments=tuple(sorted(rule.range.departments)))
    return replace(
        rule, id="", words=tuple(sorted(rule.words)), semantics=tuple(sorted(rule.semantics)), range=whom
    )


def changes(published: Published, wanted: Sequence[InterceptRule]) -> tuple[Change, ...]:
    """Give the calls that turn what is published into what is wanted; rules that are right are left alone.

    What is stopped stays so for as long as it can: rules go last, unless there is no room for those that come.
    """
    kept = {rule.name: rule for rule in reversed(published.rules)}  # of several of one name the first
    names = {rule.name for rule in wanted}
    gone = [
        Change(kind="delete", before=rule)
        for rule in published.rules
        if rule.name not in names or kept[rule.name] is not rule
    ]
    updated: list[Change] = []
    added: list[Change] = []
    for rule in wanted:
        before = kept.get(rule.name)
        if before is None:
            added.append(Change(kind="add", after=rule))
        elif bare(before) != bare(rule):
            updated.append(Change(kind="update", before=before, after=replace(rule, id=before.id)))
    room = MOST_RULES - published.others - len(published.rules)
    return (*updated, *added, *gone) if len(added) <= room else (*gone, *updated, *added)


# — what the operator wrote —


def lexicon_of(settings: object, where: str) -> dict[str, str]:
    """Give the operator's own words of a group: word → where it is written.

    Read as data, by the names the settings have: `use` says which categories count, `operator_words` are the group's
    own, `operator_list_files` name files. Shipped lists, patterns and addresses are no words of the operator's.

    Args:
        settings: the group's settings of moderation.
        where: how the group is called in errors.

    Raises:
        ConfigError: a file cannot be read.
    """
    used = set(_strings(getattr(settings, "use", ())))
    found: dict[str, str] = {}
    own: Any = getattr(settings, "operator_words", {})
    for category, said in dict(own).items():
        if category in used:
            found |= dict.fromkeys(_strings(said), f"{where} operator_words.{category}")
    for path in _strings(getattr(settings, "operator_list_files", ())):
        found |= {one: origin for one, origin in read_words(path).items() if _category_of(origin) in used}
    return found


def _strings(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple | set | frozenset):
        return ()
    return tuple(one for one in value if isinstance(one, str))  # pyright: ignore[reportUnknownVariableType] - data


def read_words(path: str) -> dict[str, str]:
    """Read a word list: UTF-8, one word a line, `#` before what says nothing, `[category]` above its words.

    Returns:
        word → file, line and category.

    Raises:
        ConfigError: the file cannot be read.
    """
    try:
        with open(path, encoding="utf-8-sig") as file:  # noqa: PTH123 - the path as the operator wrote it
            lines = file.read().splitlines()
    except OSError as error:
        raise ConfigError(f"word list {path!r} cannot be read: {error.strerror}; check the path") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"word list {path!r} is not UTF-8; save it as UTF-8") from error
    found: dict[str, str] = {}
    category = ""
    for place, written in enumerate(lines, start=1):
        line = written.strip()
        if line.startswith("[") and line.endswith("]"):
            category = line[1:-1].strip()
        elif line and not line.startswith("#"):
            found.setdefault(line, f"{path}:{place} [{category}]")
    return found


def _category_of(origin: str) -> str:
    return origin.rpartition("[")[2].removesuffix("]")


# — as it is told —


async def read_published(customers: Customers) -> Published:
    """Read what WeCom has: our rules, of all others only how many there are.

    Raises:
        ActionFailed, NetworkError: as `QyApi.call`.
    """
    told = await customers.rules()
    ours = [rule for rule in told if rule.name.startswith(PREFIX)]
    return Published(
        rules=tuple(sorted(ours, key=lambda rule: (rule.name, rule.id))), others=len(told) - len(ours)
    )


async def carry_out(customers: Customers, planned: Iterable[Change]) -> int:
    """Make the calls one after another; gives how many.

    Raises:
        ActionFailed, NetworkError: one was refused; those before it stand.
    """
    made = 0
    for change in planned:
        await _call(customers, change)
        made += 1
    return made


async def _call(customers: Customers, change: Change) -> None:
    match change:
        case Change(before=None, after=InterceptRule() as rule):
            await customers.add_rule(rule)
        case Change(before=InterceptRule() as before, after=InterceptRule() as rule):
            await customers.update_rule(rule, before.range)
        case Change(before=InterceptRule() as rule):
            await customers.remove_rule(rule.id)
        case _:
            pass
