"""The operator's lexicon as WeCom's own intercept rules for customer groups; pure but for the few calls at the end.

A rule binds the company's own staff, whom its range names: what they write to customers is stopped or warned of before
it is sent. Customers are bound by none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from groupops import ConfigError
from groupops_wecom.lenient import number, rows, table, tables, text, word, words

PREFIX = "groupops-"
"""How the names of our rules begin; a rule of another name is never touched."""

WORDS = 300
"""Words of a rule, at most."""

LONGEST_WORD = 32
"""Characters of a word, at most; at least one."""

RULES = 100
"""Rules of the company, at most, whoever made them."""

NODES = 1000
"""Users and, apart from these, departments that a rule may name, at most."""

SEMANTICS: Mapping[str, int] = {"phone": 1, "email": 2, "red_packet": 3}
"""What WeCom recognises by its meaning: word → its number."""

BLOCK, WARN = 1, 2
"""What follows: the message is stopped, or its writer is warned and may send it all the same."""

Kind = Literal["add", "update", "delete"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Whom a rule binds.

    Args:
        users: user ids, sorted.
        departments: department ids, sorted; whoever is within is bound.
    """

    users: tuple[str, ...] = ()
    departments: tuple[int, ...] = ()

    @property
    def body(self) -> dict[str, Any]:
        """As WeCom has it."""
        return {"user_list": list(self.users), "department_list": list(self.departments)}

    def without(self, other: Range) -> Range:
        """Give what is in this one and not in the other."""
        return Range(
            users=tuple(one for one in self.users if one not in other.users),
            departments=tuple(one for one in self.departments if one not in other.departments),
        )

    def __bool__(self) -> bool:
        return bool(self.users or self.departments)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule as it is to be, or as it is.

    Args:
        name: 1 to 20 characters.
        words: sorted.
        semantics: numbers of `SEMANTICS`, sorted.
        kind: `BLOCK` or `WARN`.
        whom: whom it binds.
    """

    name: str
    words: tuple[str, ...]
    semantics: tuple[int, ...] = ()
    kind: int = BLOCK
    whom: Range

    @property
    def body(self) -> dict[str, Any]:
        """What `add_intercept_rule` takes."""
        return {
            "rule_name": self.name,
            "word_list": list(self.words),
            "semantics_list": list(self.semantics),
            "intercept_type": self.kind,
            "applicable_range": self.whom.body,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be published.

    Args:
        words: word → where the operator wrote it.
        semantics: numbers of `SEMANTICS`.
        kind: `BLOCK` or `WARN`.
        whom: whom the rules bind.
    """

    words: Mapping[str, str] = field(default_factory=dict[str, str])
    semantics: tuple[int, ...] = ()
    kind: int = BLOCK
    whom: Range = field(default_factory=Range)


def rules_of(wanted: Wanted, others: int = 0) -> tuple[Rule, ...]:
    """Cut a lexicon into rules: words in order, so that the same lexicon always gives the same rules.

    What is recognised by its meaning goes with the first rule, since WeCom takes no rule without a word.

    Args:
        wanted: what is to be published.
        others: rules that are not ours; they count for the limit.

    Raises:
        ConfigError: WeCom would not take it; all that is wrong is named, with the limit.
    """
    faults = [*_faults(wanted, others)]
    if faults:
        raise ConfigError("\n".join(faults))
    chosen = sorted(wanted.words)
    return tuple(
        Rule(
            name=f"{PREFIX}{place // WORDS + 1:03}",
            words=tuple(chosen[place : place + WORDS]),
            semantics=tuple(sorted(wanted.semantics)) if place == 0 else (),
            kind=wanted.kind,
            whom=wanted.whom,
        )
        for place in range(0, len(chosen), WORDS)
    )


def _faults(wanted: Wanted, others: int) -> Iterator[str]:
    for said, origin in sorted(wanted.words.items()):
        if not 1 <= len(said) <= LONGEST_WORD:
            yield (
                f"{origin}: {said!r} has {len(said)} characters; WeCom takes 1 to {LONGEST_WORD} in a word: "
                "shorten it or leave it out"
            )
    if wanted.semantics and not wanted.words:
        yield "what is recognised by its meaning needs a rule with at least one word: add a word"
    if wanted.words and not wanted.whom:
        yield "nobody is named whom the rules bind: name staff by --user or --department"
    for what, found in (("users", wanted.whom.users), ("departments", wanted.whom.departments)):
        if len(found) > NODES:
            yield f"{len(found)} {what} are named; WeCom takes at most {NODES}: name departments higher up"
    needed = -(-len(wanted.words) // WORDS)
    if needed + others > RULES:
        more = f" besides {others} that are not ours" if others else ""
        yield (
            f"{len(wanted.words)} words need {needed} rules{more}; WeCom takes at most {RULES} rules of {WORDS} words: "
            f"leave {len(wanted.words) - max(RULES - others, 0) * WORDS} words out"
        )


# — held against what is published —


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What WeCom has.

    Args:
        rules: our rules, by rule id, in the order of their names.
        others: how many rules are not ours.
    """

    rules: Mapping[str, Rule] = field(default_factory=dict[str, Rule])
    others: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One call.

    Args:
        kind: what is done.
        rule_id: of the rule; empty for one that is to be made.
        before, after: the rule as it is and as it is to be; None where there is none.
    """

    kind: Kind
    rule_id: str = ""
    before: Rule | None = None
    after: Rule | None = None

    @property
    def name(self) -> str:
        """The rule's name."""
        rule = self.after or self.before
        return rule.name if rule else ""

    @property
    def come(self) -> tuple[str, ...]:
        """Words that are stopped from now on by this rule."""
        there = set(self.before.words) if self.before else set[str]()
        return tuple(one for one in (self.after.words if self.after else ()) if one not in there)

    @property
    def gone(self) -> tuple[str, ...]:
        """Words that this rule does not stop any more."""
        stay = set(self.after.words) if self.after else set[str]()
        return tuple(one for one in (self.before.words if self.before else ()) if one not in stay)

    @property
    def call(self) -> tuple[str, dict[str, Any]]:
        """The interface and the body."""
        match self.kind, self.before, self.after:
            case "add", _, Rule() as rule:
                return "externalcontact/add_intercept_rule", rule.body
            case "update", Rule() as before, Rule() as after:
                return "externalcontact/update_intercept_rule", _update(self.rule_id, before, after)
            case _:
                return "externalcontact/del_intercept_rule", {"rule_id": self.rule_id}


def _update(rule_id: str, before: Rule, after: Rule) -> dict[str, Any]:
    """Give what an update takes: words and meanings whole, of the range only what comes and what goes."""
    come, gone = after.whom.without(before.whom), before.whom.without(after.whom)
    return {
        "rule_id": rule_id,
        "rule_name": after.name,
        "word_list": list(after.words),
        "extra_rule": {"semantics_list": list(after.semantics)},
        "intercept_type": after.kind,
        **({"add_applicable_range": come.body} if come else {}),
        **({"remove_applicable_range": gone.body} if gone else {}),
    }


def changes(published: Published, wanted: Sequence[Rule]) -> tuple[Change, ...]:
    """Give the calls that turn what is published into what is wanted; rules that are right are left alone.

    What is stopped stays so for as long as it can: rules go last, unless there is no room for those that come.
    """
    by_name = {rule.name: (rule_id, rule) for rule_id, rule in published.rules.items()}
    names = {rule.name for rule in wanted}
    spare = [rule_id for rule_id, rule in published.rules.items() if by_name[rule.name][0] != rule_id]
    gone = [
        Change(kind="delete", rule_id=rule_id, before=rule)
        for rule_id, rule in published.rules.items()
        if rule_id in spare or rule.name not in names
    ]
    updated: list[Change] = []
    added: list[Change] = []
    for rule in wanted:
        rule_id, before = by_name.get(rule.name, ("", None))
        if before is None:
            added.append(Change(kind="add", after=rule))
        elif before != rule:
            updated.append(Change(kind="update", rule_id=rule_id, before=before, after=rule))
    room = RULES - published.others - len(published.rules)
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


# — as it is kept and told —


def rule_of(raw: Mapping[str, Any]) -> Rule:
    """Read a rule as `get_intercept_rule` gives it, or as `Rule.body` wrote it."""
    whom = table(raw.get("applicable_range"))
    meanings = raw.get("semantics_list", table(raw.get("extra_rule")).get("semantics_list"))
    return Rule(
        name=text(raw.get("rule_name")),
        words=tuple(sorted(words(raw.get("word_list")))),
        semantics=tuple(sorted(_numbers(meanings))),
        kind=int(number(raw.get("intercept_type")) or BLOCK),
        whom=Range(
            users=tuple(sorted(words(whom.get("user_list")))),
            departments=tuple(sorted(_numbers(whom.get("department_list")))),
        ),
    )


def _numbers(value: Any) -> Iterator[int]:
    return (int(found) for one in rows(value) if (found := number(one)) is not None)


class Asks(Protocol):
    """What asks WeCom: `qyapi.QyApi`."""

    async def call(
        self, path: str, body: Mapping[str, Any] | None = None, *, method: Literal["POST", "GET"] = "POST"
    ) -> dict[str, Any]:
        """Call an interface; raises the adapter's errors."""
        ...


async def read_published(api: Asks) -> Published:
    """Read what WeCom has: our rules whole, of all others only how many there are.

    Raises:
        ActionFailed, NetworkError: as `QyApi.call`.
    """
    answer = await api.call("externalcontact/get_intercept_rule_list", method="GET")
    listed = tables(answer.get("rule_list"))
    ours = [one for one in listed if text(one.get("rule_name")).startswith(PREFIX)]
    found: dict[str, Rule] = {}
    for one in sorted(ours, key=lambda line: (text(line.get("rule_name")), word(line.get("rule_id")))):
        rule_id = word(one.get("rule_id"))
        told = await api.call("externalcontact/get_intercept_rule", {"rule_id": rule_id})
        found[rule_id] = rule_of(table(told.get("rule")))
    return Published(rules=found, others=len(listed) - len(ours))


async def carry_out(api: Asks, planned: Iterable[Change]) -> int:
    """Make the calls one after another; gives how many.

    Raises:
        ActionFailed, NetworkError: one was refused; those before it stand.
    """
    made = 0
    for change in planned:
        path, body = change.call
        await api.call(path, body)
        made += 1
    return made
