"""Settings: model defaults, `.env`, packs and a group's own overrides become one checked `Policy`."""

from __future__ import annotations

import json
import types
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, TypeGuard, TypeVar, Union, cast, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.json_schema import models_json_schema

from groupops.errors import ConfigError, PackError
from groupops.people import Clause, Stage
from groupops.plugin import Manifest, Settings
from groupops.policy import DEFAULT_LADDERS, Discipline, GroupTable, Ladder, Policy, Retention
from groupops.shelf import Pack, PackHeader, PackShelf, nearest, parse_pack

__all__ = [
    "CATALOGUE",
    "CORE_MODELS",
    "CORE_TABLES",
    "RENAMED",
    "Below",
    "Key",
    "Origin",
    "Pack",
    "PackHeader",
    "PackShelf",
    "decode",
    "effective_stage",
    "expected",
    "flat",
    "messages_of",
    "pack_schema",
    "parse_pack",
    "read_value",
    "resolve",
    "split_key",
]

CATALOGUE = frozenset(
    (
        "ads antifraud broadcast check_in confidentiality duty lookup membership moderation notices pacing "
        "publishing quiet_hours red_packet registry reports roster suggestions tasks topics welcome"
    ).split()
)
"""Plugins that belong to groupops; where one is not installed, its tables are inactive, not wrong."""

RENAMED: Mapping[str, str] = {
    "ack": "notices",
    "activity": "broadcast.activity",
    "checkin": "check_in",
    "confid": "confidentiality",
    "flood": "pacing.flood",
    "guide": "welcome",
    "inactive": "membership.inactive",
    "invite": "membership.invite",
    "leave": "membership.leave",
    "length": "pacing.length",
    "namecard": "roster.card",
    "publish": "publishing",
    "quiet": "quiet_hours",
    "quiethours": "quiet_hours",
    "redpacket": "red_packet",
    "report": "reports",
    "security": "membership.security",
    "share": "membership.share",
    "suggest": "suggestions",
    "task": "tasks",
    "topic": "topics",
    "voice": "pacing.voice",
    "moderation.burst_s": "discipline.burst_s",
    "moderation.self_recall_grace_s": "discipline.self_recall_grace_s",
}
"""Names that drafts of packs used → what they are called."""

CORE_MODELS: Mapping[str, type[Settings]] = {
    "group": GroupTable,
    "discipline": Discipline,
    "retention": Retention,
}
CORE_TABLES = frozenset({*CORE_MODELS, "plugins", "ladder", "messages", "clause"})
"""Tables that are the core's own; `[pack]` besides, which no layer may set."""

ENV_PREFIX = "GROUPOPS_"

Key = tuple[str, ...]
_S = TypeVar("_S", bound=Settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Who set a value.

    Args:
        kind: a pack, an environment key, or the group itself.
        name: the pack as it names itself, or the environment key.
        operator: True when the operator wrote it, False for what comes with groupops.
    """

    kind: Literal["default", "env", "pack", "override"]
    name: str = ""
    operator: bool = True

    def at(self, key: str) -> str:
        """Say where a key was set."""
        match self.kind:
            case "pack":
                return f"{self.name}: {key}"
            case "env":
                return f"{self.name} (environment or .env): {key}"
            case "override":
                return f"the group's own setting {key}"
            case "default":
                return f"the default of {key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fault:
    origin: Origin
    text: str


def _is_table(value: Any) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping)


def _is_list(value: Any) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, list | tuple)


@dataclass(slots=True)
class _Layers:
    """What was set, nested, with who set it last; tables merge key by key, everything else replaces."""

    values: dict[str, Any] = field(default_factory=dict[str, Any])
    origins: dict[Key, Origin] = field(default_factory=dict[Key, Origin])
    faults: list[_Fault] = field(default_factory=list[_Fault])

    def lay(self, table: Mapping[str, Any], origin: Origin) -> None:
        """Lay one source over what is there."""
        self._lay(self.values, table, origin, ())

    def _lay(self, below: dict[str, Any], table: Mapping[str, Any], origin: Origin, path: Key) -> None:
        for key, value in table.items():
            here = (*path, key)
            self.origins[here] = origin
            if not _is_table(value):
                below[key] = value
                continue
            if not _is_table(below.get(key)):
                below[key] = {}
            self._lay(below[key], value, origin, here)

    def of_tables(self, names: Collection[str]) -> _Layers:
        """Give some of the tables, so that more can be laid over them without touching these."""
        values = {name: deepcopy(self.values[name]) for name in names if name in self.values}
        return _Layers(values, {path: origin for path, origin in self.origins.items() if path[0] in names})

    def origin(self, path: Key) -> Origin:
        """Give who set a key, or the nearest table around it."""
        for end in range(len(path), 0, -1):
            found = self.origins.get(path[:end])
            if found is not None:
                return found
        return Origin(kind="default")

    def fault(self, path: Key, text: str, origin: Origin | None = None) -> None:
        """Note that a key is wrong."""
        origin = origin or self.origin(path)
        self.faults.append(_Fault(origin=origin, text=f"{origin.at('.'.join(path))} {text}"))

    def raise_faults(self) -> None:
        """Raise what was noted, all at once.

        Raises:
            PackError: at least one fault stands in a pack.
            ConfigError: all faults stand in the environment or in the group's own settings.
        """
        if not self.faults:
            return
        texts = list(dict.fromkeys(fault.text for fault in self.faults))
        in_pack = any(fault.origin.kind == "pack" for fault in self.faults)
        raise (PackError if in_pack else ConfigError)("\n".join(texts))


def resolve(
    shelf: PackShelf,
    manifests: Mapping[str, Manifest],
    env: Mapping[str, str],
    packs: Sequence[str],
    overrides: Mapping[str, Any],
    *,
    known: Collection[str] = (),
    texts: Mapping[str, Collection[str]] | None = None,
) -> Policy:
    """Give what applies in a group: defaults ‹ environment ‹ packs in order ‹ the group's overrides.

    Args:
        shelf: all packs.
        manifests: installed plugins, by name.
        env: `GROUPOPS_…` keys as text; those with `__` are settings, the others are not looked at.
        packs: ids of the packs bound to the group, in order. Enabled plugins are united; every other key
            is as the last pack says that sets it.
        overrides: dotted key → value, e.g. `{"quiet_hours.action": "remind"}`; `plugins.enabled` here has
            the last word.
        known: names of plugins that are there but switched off; their tables are inactive, not wrong.
        texts: `core` or plugin → keys of its texts; where given, `[messages.<it>]` may have no other.

    Returns:
        The policy.

    Raises:
        PackError: a pack is missing or says something wrong.
        ConfigError: the environment or an override says something wrong. Both name source, key, value and
            what was expected.
    """
    layers = _Layers()
    _lay_environment(layers, env, manifests)
    enabling = [_Enabling.of(layers)]
    _lay_packs(layers, shelf, packs)
    enabling += [_enabling_of_chain(shelf.chain(pack_id)) for pack_id in packs]
    for key, value in overrides.items():
        layers.lay(_nested(split_key(key), value), Origin(kind="override"))
    if "plugins.enabled" in overrides:
        enabling = [_Enabling.of(layers)]
    names = _Names(
        installed=frozenset(manifests), absent=(CATALOGUE | frozenset(known)) - frozenset(manifests)
    )
    _check_tables(layers, names)
    wanted = _wanted(enabling, layers, names)
    ladders = _ladders(layers)
    policy = Policy(
        enabled=tuple(name for name in wanted if name in names.installed),
        inactive=_inactive(wanted, layers, names),
        settings={name: _typed(layers, name, manifest.settings) for name, manifest in manifests.items()},
        ladders=ladders,
        discipline=_typed(layers, "discipline", Discipline),
        group=_typed(layers, "group", GroupTable),
        retention=_typed(layers, "retention", Retention),
        messages=_messages(layers, texts),
        clauses=_clauses(layers, manifests, names),
        effective=_effective(shelf, packs),
        titles=tuple(shelf.get(pack_id).title for pack_id in packs),
    )
    _check_ladder_names(layers, ladders)
    _check_money(layers)
    layers.raise_faults()
    return policy


class Below:
    """What lies below the groups' own settings: the environment and the packs bound to them, laid once.

    Args:
        shelf, manifests, env, packs: as `resolve` takes them.
        policy: what they resolve to without any override.
    """

    def __init__(
        self,
        shelf: PackShelf,
        manifests: Mapping[str, Manifest],
        env: Mapping[str, str],
        packs: Sequence[str],
        policy: Policy,
    ) -> None:
        self.policy = policy
        self._manifests = manifests
        self._layers = _Layers()
        _lay_environment(self._layers, env, manifests)
        _lay_packs(self._layers, shelf, packs)

    def over(self, overrides: Mapping[str, Any]) -> Policy | None:
        """Give the policy with a group's own settings over it, where nothing but plugins' own tables can change.

        Thousands of groups that differ in their own words then share all the rest of one policy, and none of
        them is resolved from the ground.

        Returns:
            The policy `resolve` gives; None when it has to be asked, as other tables might be touched.

        Raises:
            PackError, ConfigError: as `resolve`.
        """
        paths = {split_key(key): value for key, value in overrides.items()}
        if not all(self._stays_inside(path, value) for path, value in paths.items()):
            return None
        tables = {path[0] for path in paths}
        layers = self._layers.of_tables(tables)
        for path, value in paths.items():
            layers.lay(_nested(path, value), Origin(kind="override"))
        changed = {name: _typed(layers, name, self._manifests[name].settings) for name in tables}
        layers.raise_faults()
        return replace(self.policy, settings={**self.policy.settings, **changed})

    def _stays_inside(self, path: Key, value: Any) -> bool:
        """Say whether a setting is a plugin's own business: no ladder's name, no money, no table of tables."""
        inside = len(path) > 1 and path[0] in self._manifests and path[0] not in (*CORE_TABLES, "red_packet")
        return inside and not _is_table(value) and not any("ladder" in part for part in path)


def _lay_packs(layers: _Layers, shelf: PackShelf, packs: Sequence[str]) -> None:
    for pack in shelf.line(packs):
        layers.lay(pack.tables, _of_pack(pack))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Names:
    """Which plugins there are: installed, or known and not installed."""

    installed: frozenset[str]
    absent: frozenset[str]

    @property
    def all(self) -> frozenset[str]:
        return self.installed | self.absent


def _of_pack(pack: Pack) -> Origin:
    return Origin(kind="pack", name=str(pack), operator=not pack.shipped)


def split_key(key: str) -> Key:
    """Split a dotted key; names with dots of their own stay whole: `clause.moderation.porn.ref`."""
    head, *rest = key.split(".")
    if head == "clause" and rest:
        named = rest[-1:] if rest[-1] in _ClauseTable.model_fields else []
        return (head, ".".join(rest[: len(rest) - len(named)]), *named)
    if head == "messages" and rest:
        return (head, rest[0], *([".".join(rest[1:])] if rest[1:] else []))
    return (head, *rest)


def _nested(path: Key, value: Any) -> dict[str, Any]:
    for key in reversed(path):
        value = {key: value}
    return dict(value)


# — the environment —


def _lay_environment(layers: _Layers, env: Mapping[str, str], manifests: Mapping[str, Manifest]) -> None:
    for name in sorted(env):
        path = _env_path(name)
        if path is None or env[name] == "":
            continue
        value = decode(env[name], _annotation(path, manifests))
        layers.lay(_nested(path, value), Origin(kind="env", name=name.upper()))


def _env_path(name: str) -> Key | None:
    upper = name.upper()
    if not upper.startswith(ENV_PREFIX) or "__" not in upper:
        return None
    return split_key(upper.removeprefix(ENV_PREFIX).replace("__", ".").lower())


def decode(raw: str, annotation: Any) -> Any:
    """Read a value that somebody typed: JSON where it is JSON and the setting is not a text itself.

    Args:
        raw: what was typed.
        annotation: the setting's type; None where it is not known.
    """
    if _is_text(annotation):
        return raw
    try:
        return json.loads(raw)
    except json.JSONDecodeError:
        return raw


def read_value(key: str, text: str, manifests: Mapping[str, Manifest]) -> Any:
    """Read a setting as somebody types it (`group set`): JSON where it is JSON and the setting is no text.

    Args:
        key: the dotted key.
        text: what was typed.
        manifests: installed plugins; a key that none of them has is found by `resolve`.
    """
    return decode(text, _annotation(split_key(key), manifests))


def _is_text(annotation: Any) -> bool:
    origin, args = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return all(arg is type(None) or _is_text(arg) for arg in args)
    if origin is Literal:
        return all(isinstance(arg, str) for arg in args)
    return isinstance(annotation, type) and issubclass(annotation, str | Path)


def _annotation(path: Key, manifests: Mapping[str, Manifest]) -> Any:
    """Give the type of a setting, or None where there is no such setting."""
    head, *rest = path
    if head in ("messages", "clause"):
        return str
    if head == "ladder":
        rest = rest[1:]
    at: Any = Ladder if head == "ladder" else _models(manifests).get(head)
    for key in rest:
        at = _inner(at, key)
    return at


def _models(manifests: Mapping[str, Manifest]) -> dict[str, type[Settings]]:
    return {**{name: manifest.settings for name, manifest in manifests.items()}, **CORE_MODELS}


def _inner(annotation: Any, key: Any) -> Any:
    """Give the type of what lies under a key of a type: a field, a table's value, a list's item."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        found = annotation.model_fields.get(str(key))
        return None if found is None else found.annotation
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _inner(args[0], key)
    if origin in (Union, types.UnionType):
        return next((inner for arg in args if (inner := _inner(arg, key)) is not None), None)
    if not args or not isinstance(origin, type):
        return None
    return args[1] if issubclass(origin, Mapping) else args[0]


# — which tables and plugins —


def _check_tables(layers: _Layers, names: _Names) -> None:
    for table, value in list(layers.values.items()):
        if table not in CORE_TABLES and table not in names.all:
            layers.fault((table,), f"is no table{_meant(table, names.all | CORE_TABLES)}")
            del layers.values[table]
        elif not _is_table(value):
            layers.fault((table,), f"= {value!r}, but it is a table: write [{table}]")
            del layers.values[table]


def _meant(word: str, valid: Iterable[str]) -> str:
    renamed = RENAMED.get(word)
    return f"; it is called {renamed!r}" if renamed else nearest(word, valid)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Enabling:
    """Which plugins one source enables."""

    origin: Origin
    names: Any

    @classmethod
    def of(cls, layers: _Layers) -> _Enabling:
        """Give what the layers laid so far enable."""
        table = layers.values.get("plugins", {})
        names: Any = table.get("enabled", ()) if _is_table(table) else ()
        return cls(origin=layers.origin(("plugins", "enabled")), names=names)


def _enabling_of_chain(chain: tuple[Pack, ...]) -> _Enabling:
    """Within `extends` a list replaces; the lists of the packs bound to a group are united (G1)."""
    layers = _Layers()
    for pack in chain:
        layers.lay({"plugins": pack.tables.get("plugins", {})}, _of_pack(pack))
    return _Enabling.of(layers)


def _wanted(enabling: Iterable[_Enabling], layers: _Layers, names: _Names) -> tuple[str, ...]:
    """Give the plugins that are to run, in the order in which they were first named."""
    for key in layers.values.get("plugins", {}):
        if key != "enabled":
            layers.fault(("plugins", key), f"is no key{nearest(key, ['enabled'])}")
    wanted: dict[str, None] = {}
    for source in enabling:
        if not _is_list(source.names):
            layers.fault(
                ("plugins", "enabled"), f"= {source.names!r}, expected a list of plugins", source.origin
            )
            continue
        for name in source.names:
            if _is_plugin(name, source.origin, layers, names):
                wanted[name] = None
    return tuple(wanted)


def _is_plugin(name: Any, origin: Origin, layers: _Layers, names: _Names) -> bool:
    if isinstance(name, str) and name in names.all:
        return True
    key = ("plugins", "enabled")
    if not isinstance(name, str):
        layers.fault(key, f"names {name!r}, expected the name of a plugin", origin)
    elif name in CORE_TABLES:
        layers.fault(key, f"names {name!r}, which belongs to the core and always runs; leave it out", origin)
    else:
        renamed = RENAMED.get(name, "").partition(".")[0]
        meant = f"; it is called {renamed!r}" if renamed else nearest(name, names.all)
        layers.fault(key, f"names {name!r}, and there is no such plugin{meant}", origin)
    return False


def _inactive(wanted: Iterable[str], layers: _Layers, names: _Names) -> tuple[str, ...]:
    asked = dict.fromkeys((*wanted, *layers.values))
    return tuple(name for name in asked if name in names.absent)


# — typed tables —


def _typed(layers: _Layers, table: str, model: type[_S]) -> _S:
    """Give a table as its model; where it is wrong, note why and give the defaults."""
    return _validated(layers, (table,), model, layers.values.get(table, {})) or model.model_construct()


def _validated(layers: _Layers, path: Key, model: type[_S], values: Mapping[str, Any]) -> _S | None:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        for found in error.errors():
            _note(layers, path, model, dict(found))
        return None


def _note(layers: _Layers, path: Key, model: type[BaseModel], found: Mapping[str, Any]) -> None:
    where: tuple[Any, ...] = found["loc"]
    key = (*path, *(str(part) for part in where))
    if found["type"] == "extra_forbidden":
        layers.fault(key, f"is no key{_meant_key(key, _keys_at(model, where[:-1]))}")
    elif found["type"] == "value_error":
        layers.fault(key, f"does not hold: {found['ctx']['error']}")
    else:
        layers.fault(key, f"= {found['input']!r}: {expected(found)}")


def expected(found: Mapping[str, Any]) -> str:
    """Say what was expected, from one of pydantic's error records."""
    message = str(found["msg"])
    typed_list = isinstance(found["input"], str) and found["type"] in ("tuple_type", "list_type", "set_type")
    hint = '; write a JSON list, e.g. ["one", "two"]' if typed_list else ""
    return message[:1].lower() + message[1:] + hint


def _meant_key(key: Key, valid: Iterable[str]) -> str:
    renamed = RENAMED.get(".".join(key))
    return f"; it is called {renamed!r}" if renamed else nearest(key[-1], valid)


def _keys_at(model: Any, where: Iterable[Any]) -> list[str]:
    at = model
    for part in where:
        at = _inner(at, part)
    if get_origin(at) in (Union, types.UnionType):
        at = next((arg for arg in get_args(at) if hasattr(arg, "model_fields")), None)
    return list(getattr(at, "model_fields", ()))


# — the core's tables of tables —


def _ladders(layers: _Layers) -> dict[str, Ladder]:
    ladders = dict(DEFAULT_LADDERS)
    for name, table in layers.values.get("ladder", {}).items():
        path = ("ladder", name)
        if not _is_table(table):
            layers.fault(path, f"= {table!r}, but it is a table: write [ladder.{name}] with steps = [...]")
            continue
        below = DEFAULT_LADDERS[name].model_dump() if name in DEFAULT_LADDERS else {}
        made = _validated(layers, path, Ladder, {**below, **table})
        if made is not None:
            ladders[name] = made
    return ladders


def _messages(layers: _Layers, texts: Mapping[str, Collection[str]] | None) -> dict[str, str]:
    messages: dict[str, str] = {}
    for owner, table in layers.values.get("messages", {}).items():
        path = ("messages", owner)
        if not _is_table(table):
            layers.fault(
                path, f"stands alone; write it into the table of its owner: [messages.core] {owner} = …"
            )
            continue
        known = None if texts is None else texts.get(owner)
        for key, text in table.items():
            if not isinstance(text, str):
                layers.fault((*path, key), f"= {text!r}, expected a text")
            elif known is not None and key not in known:
                layers.fault((*path, key), f"is no text{nearest(key, known)}")
            else:
                messages[f"{owner}.{key}"] = text
    return messages


def messages_of(policy: Policy, owner: str) -> dict[str, str]:
    """Give the texts a policy replaces of one owner (`core` or a plugin): key → text."""
    head = f"{owner}."
    return {key.removeprefix(head): text for key, text in policy.messages.items() if key.startswith(head)}


class _ClauseTable(Settings):
    ref: str
    text: str = ""


def _clauses(layers: _Layers, manifests: Mapping[str, Manifest], names: _Names) -> dict[str, Clause]:
    clauses: dict[str, Clause] = {}
    for rule, table in layers.values.get("clause", {}).items():
        path = ("clause", rule)
        if not _is_table(table):
            layers.fault(path, f'= {table!r}, expected a table: [clause."{rule}"] with ref and text')
        elif _is_rule(rule, path, layers, manifests, names):
            made = _validated(layers, path, _ClauseTable, table)
            clauses[rule] = Clause(ref=made.ref, text=made.text) if made else Clause(ref="")
    return clauses


def _is_rule(rule: str, path: Key, layers: _Layers, manifests: Mapping[str, Manifest], names: _Names) -> bool:
    """A rule of the core or of a plugin that is not installed is taken as it is."""
    owner, dot, _ = rule.partition(".")
    if not dot or owner not in names.all | CORE_TABLES | {"pack"}:
        quoted = f'expected "<plugin>.<rule>"{_meant(owner, names.all | CORE_TABLES)}'
        layers.fault(path, f"names the rule {rule!r}; {quoted}")
        return False
    if owner in manifests and rule not in (rules := {known.id for known in manifests[owner].rules}):
        layers.fault(path, f"names the rule {rule!r}, which {owner} does not have{nearest(rule, rules)}")
        return False
    return True


# — what spans tables —


def _check_ladder_names(layers: _Layers, ladders: Mapping[str, Ladder]) -> None:
    """A setting called `ladder` or `…_ladder`, and every value of a table `ladders`, names a ladder."""
    for path, value in _leaves(layers.values, ()):
        names_one = path[-1] == "ladder" or path[-1].endswith("_ladder") or "ladders" in path[:-1]
        if names_one and isinstance(value, str) and value and value not in ladders:
            layers.fault(path, f"= {value!r}, and there is no such ladder{nearest(value, ladders)}")


def _check_money(layers: _Layers) -> None:
    """G18: owing money needs a legal basis and a consultation, both filled in by the operator."""
    table = layers.values.get("red_packet", {})
    if table.get("mode") != "commitment":
        return
    for key in ("legal_basis", "consulted_on"):
        path = ("red_packet", key)
        origin = layers.origin(path)
        if not table.get(key):
            mode = layers.origin(("red_packet", "mode")).at("red_packet.mode")
            layers.fault(path, f'is empty, but {mode} = "commitment" needs it; fill it in or use "education"')
        elif not origin.operator:
            layers.fault(path, "may not come with groupops; the operator has to fill it in")


def _leaves(table: Mapping[str, Any], path: Key) -> Iterator[tuple[Key, Any]]:
    for key, value in table.items():
        if _is_table(value):
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key), value


def _effective(shelf: PackShelf, packs: Iterable[str]) -> date | None:
    """The latest of the packs' dates: what is merged can only come into force as a whole (G20)."""
    dates = [
        next((pack.effective for pack in reversed(shelf.chain(pack_id)) if pack.effective), None)
        for pack_id in packs
    ]
    return max((day for day in dates if day is not None), default=None)


def effective_stage(stage: Stage, effective: date | None, today: date) -> Stage:
    """Give the stage a policy is in on a day: before its effective date nothing goes beyond shadow (G20).

    Args:
        stage: the stage the group was put in.
        effective: the policy's effective date; None = at once. On that day, from 00:00, it is in force.
        today: the day in the group's timezone.
    """
    waits = effective is not None and today < effective
    return Stage.SHADOW if waits and stage.books else stage


def flat(policy: Policy) -> dict[str, Any]:
    """Give every value of a policy as dotted key → JSON value, to show it or to compare two of them."""
    nested: dict[str, Any] = {
        "plugins": {"enabled": list(policy.enabled), "inactive": list(policy.inactive)},
        **{name: _told(settings) for name, settings in policy.settings.items()},
        "group": _told(policy.group),
        "discipline": _told(policy.discipline),
        "retention": _told(policy.retention),
        "ladder": {name: _told(ladder) for name, ladder in policy.ladders.items()},
        "messages": dict(policy.messages),
        "clause": {rule: {"ref": c.ref, "text": c.text} for rule, c in policy.clauses.items()},
        "pack": {"effective": policy.effective and policy.effective.isoformat()},
    }
    return {".".join(path): value for path, value in _leaves(nested, ())}


def _told(model: BaseModel) -> dict[str, Any]:
    """Give a model's values as JSON; a set has no order, so it is given one that every process finds again."""
    told: dict[str, Any] = _in_order(model, model.model_dump(mode="json"))
    return told


def _in_order(value: Any, told: Any) -> Any:
    """Give what a value was written as, with each set in it sorted, however deep it lies.

    What a plugin writes in a way of its own, or leaves out, stays as it was written.
    """
    if isinstance(value, (set, frozenset)) and isinstance(told, list):
        return sorted(cast("Iterable[Any]", told), key=repr)
    if isinstance(value, (list, tuple)) and isinstance(told, list):
        values, listed = cast("Sequence[Any]", value), cast("Sequence[Any]", told)
        alike = len(values) == len(listed)
        return [_in_order(*pair) for pair in zip(values, listed, strict=True)] if alike else listed
    if not isinstance(told, dict):
        return told
    table = cast("dict[str, Any]", told)
    if isinstance(value, BaseModel):
        names = [name for name in type(value).model_fields if name in table]
        return {**table, **{name: _in_order(getattr(value, name), table[name]) for name in names}}
    if isinstance(value, dict) and len(held := cast("Mapping[Any, Any]", value)) == len(table):
        pairs = zip(held.values(), table.items(), strict=True)
        return {key: _in_order(one, written) for one, (key, written) in pairs}
    return table


# — the schema of packs —


def pack_schema(manifests: Mapping[str, Manifest]) -> dict[str, Any]:
    """Give the JSON schema of a pack file, for editors that complete and check TOML.

    Args:
        manifests: installed plugins; tables of the others are allowed and not looked into.
    """
    models: list[type[BaseModel]] = [PackHeader, Ladder, *CORE_MODELS.values()]
    models += [manifest.settings for manifest in manifests.values()]
    refs, shared = models_json_schema([(model, "validation") for model in dict.fromkeys(models)])
    absent = CATALOGUE - frozenset(manifests)
    clause = {
        "type": "object",
        "properties": {"ref": {"type": "string"}, "text": {"type": "string"}},
        "required": ["ref"],
        "additionalProperties": False,
    }
    tables: dict[str, Any] = {
        "schema": {"const": 1},
        "pack": refs[PackHeader, "validation"],
        "plugins": _schema_of_plugins(CATALOGUE | frozenset(manifests)),
        "ladder": _table_of(refs[Ladder, "validation"]),
        "messages": _table_of(_table_of({"type": "string"})),
        "clause": _table_of(clause),
        **{name: refs[model, "validation"] for name, model in CORE_MODELS.items()},
        **{name: refs[manifest.settings, "validation"] for name, manifest in manifests.items()},
        **{name: {"type": "object"} for name in sorted(absent)},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "groupops pack",
        "type": "object",
        "properties": tables,
        "required": ["pack"],
        "additionalProperties": False,
        **shared,
    }


def _table_of(values: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": dict(values)}


def _schema_of_plugins(names: Iterable[str]) -> dict[str, Any]:
    enabled = {"type": "array", "items": {"enum": sorted(names)}}
    return {"type": "object", "properties": {"enabled": enabled}, "additionalProperties": False}
