"""How a group's policy changes: every change is checked, numbered, kept as a difference, and can be taken back."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import blake2b
from typing import Any
from weakref import WeakValueDictionary

from groupops.errors import ConfigError
from groupops.people import GroupId, Stage
from groupops.plugin import Manifest, Settings
from groupops.policy import Policy
from groupops.records import PolicyRevision
from groupops.settings import Below, resolve, split_key
from groupops.shelf import PackShelf, nearest

STAGES = tuple(Stage)
"""The stages in the order in which a policy climbs them."""

_OF_THE_STATE = ("packs", "stage")
_CACHED = 512
"""Policies kept ready; groups with settings of their own hold on to theirs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyState:
    """What a group's policy is made from.

    Args:
        packs: ids of the packs bound to it, in order.
        stage: how far it bites.
        overrides: dotted key → value, only where the group differs from its packs.
    """

    packs: tuple[str, ...] = ()
    stage: Stage = Stage.DRAFT
    overrides: Mapping[str, Any] = field(default_factory=dict[str, Any])


def state_of(revision: PolicyRevision | None) -> PolicyState:
    """Give the state after a revision; without one, the state of a group that nobody bound yet."""
    if revision is None:
        return PolicyState()
    return PolicyState(packs=revision.packs, stage=revision.stage, overrides=revision.overrides)


@dataclass(slots=True, kw_only=True)
class Resolver:
    """Resolves states against one shelf, one set of plugins and one environment; equal answers are one object.

    Args:
        shelf, manifests, env, known, texts: as `settings.resolve` takes them.
    """

    shelf: PackShelf
    manifests: Mapping[str, Manifest]
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    known: Collection[str] = ()
    texts: Mapping[str, Collection[str]] | None = None
    _policies: dict[tuple[tuple[str, ...], str], Policy] = field(
        default_factory=dict[tuple[tuple[str, ...], str], Policy], repr=False
    )
    _below: dict[tuple[str, ...], Below] = field(default_factory=dict[tuple[str, ...], Below], repr=False)
    _settings: WeakValueDictionary[tuple[str, bytes], Settings] = field(
        default_factory=WeakValueDictionary[tuple[str, bytes], Settings], repr=False
    )

    def policy(self, packs: Sequence[str], overrides: Mapping[str, Any]) -> Policy:
        """Give the policy of packs and overrides.

        Raises:
            PackError: a pack is missing or says something wrong.
            ConfigError: the environment or an override says something wrong.
        """
        key = (tuple(packs), json.dumps(overrides, sort_keys=True, ensure_ascii=False, default=str))
        found = self._policies.get(key)
        if found is None:
            found = self._resolve(packs, overrides)
            if len(self._policies) >= _CACHED:
                self._policies.clear()
            self._policies[key] = found
        return found

    def __call__(self, state: PolicyState) -> Policy:
        """Give the policy of a state; raises as `policy` does."""
        return self.policy(state.packs, state.overrides)

    def trim(self, state: PolicyState) -> PolicyState:
        """Give the state without the overrides that change nothing, so that only differences are stored.

        Raises:
            ConfigError: the state does not hold.
        """
        whole = self(state)
        kept = dict(state.overrides)
        for key in sorted(kept):
            fewer = {other: value for other, value in kept.items() if other != key}
            if self._changes_nothing(state.packs, fewer, whole):
                kept = fewer
        return replace(state, overrides=kept)

    def _changes_nothing(self, packs: Sequence[str], overrides: Mapping[str, Any], whole: Policy) -> bool:
        """Say whether fewer overrides give the same policy; a value that another one needs to hold is not idle."""
        try:
            return self._resolve(packs, overrides) == whole
        except ConfigError:
            return False

    def _resolve(self, packs: Sequence[str], overrides: Mapping[str, Any]) -> Policy:
        laid = self._laid(packs) if overrides else None
        policy = laid.over(overrides) if laid is not None else None
        policy = policy or resolve(
            self.shelf, self.manifests, self.env, packs, overrides, known=self.known, texts=self.texts
        )
        return replace(policy, settings={name: self._one(name, s) for name, s in policy.settings.items()})

    def _laid(self, packs: Sequence[str]) -> Below | None:
        """Give what lies below the groups' own settings; None where it does not hold without them."""
        key = tuple(packs)
        if key not in self._below:
            try:
                policy = self.policy(packs, {})
            except ConfigError:
                return None
            self._below[key] = Below(self.shelf, self.manifests, self.env, packs, policy)
        return self._below[key]

    def _one(self, name: str, settings: Settings) -> Settings:
        """Ten thousand groups with one setting hold one object, and a plan is shared by it."""
        told = settings.model_dump_json().encode()
        return self._settings.setdefault((name, blake2b(told, digest_size=16).digest()), settings)


def change(state: PolicyState, key: str, value: Any) -> PolicyState:
    """Give the state with one of the group's own settings changed.

    Args:
        state: the state before.
        key: dotted key, e.g. `quiet_hours.action`.
        value: the new value; a table sets each of its keys, None takes the group's own setting back.

    Raises:
        ConfigError: the key names no setting at all. Whether plugin and key exist is checked by
            `next_revision`, which resolves the whole.
    """
    if key in _OF_THE_STATE:
        raise ConfigError(
            f"{key!r} is no setting; packs are bound with `bind` and the stage is set with `stage`"
        )
    if "." not in key or not all(split_key(key)):
        raise ConfigError(
            f"{key!r} is no key of a setting; write <plugin>.<key>, e.g. quiet_hours.action, or a core "
            "table's: group, discipline, ladder, messages, retention, clause"
        )
    kept = {other: old for other, old in state.overrides.items() if not _overlaps(key, other)}
    return replace(state, overrides={**kept, **dict(_leaves(key, value))})


def _overlaps(one: str, other: str) -> bool:
    first, second = split_key(one), split_key(other)
    shared = min(len(first), len(second))
    return first[:shared] == second[:shared]


def _leaves(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():  # pyright: ignore[reportUnknownVariableType] - JSON of any shape
            yield from _leaves(f"{key}.{name}", inner)
    elif value is not None:
        yield key, value


def bind(state: PolicyState, packs: Sequence[str]) -> PolicyState:
    """Give the state with other packs bound, in this order; a pack named twice counts once."""
    return replace(state, packs=tuple(dict.fromkeys(packs)))


def move(state: PolicyState, stage: Stage | str, *, force: bool = False) -> PolicyState:
    """Give the state in another stage: down to any, up to the next one.

    Args:
        state: the state before.
        stage: the stage to go to, or its name.
        force: True to skip stages on the way up; the revision's note should say why.

    Raises:
        ConfigError: there is no such stage, or stages would be skipped.
    """
    to = _stage(stage)
    here, there = STAGES.index(state.stage), STAGES.index(to)
    if there > here + 1 and not force:
        skipped = ", ".join(STAGES[here + 1 : there])
        raise ConfigError(
            f"from stage {state.stage} the next one up is {STAGES[here + 1]}; going to {to} would skip "
            f"{skipped}: go step by step, or force it and note why"
        )
    return replace(state, stage=to)


def _stage(name: Stage | str) -> Stage:
    try:
        return Stage(name)
    except ValueError:
        raise ConfigError(f"there is no stage {name!r}{nearest(str(name), STAGES, every=True)}") from None


def diff(old: PolicyState, new: PolicyState) -> dict[str, list[Any]]:
    """Give what differs: `packs`, `stage` or dotted key → [old, new]; None where a side has no own setting."""
    before, after = _flat(old), _flat(new)
    keys = dict.fromkeys((*before, *after))
    return {key: [before.get(key), after.get(key)] for key in keys if before.get(key) != after.get(key)}


def apply(state: PolicyState, difference: Mapping[str, Sequence[Any]]) -> PolicyState:
    """Give the state after a difference; `apply(old, diff(old, new)) == new`."""
    after = {**_flat(state), **{key: new for key, (_, new) in difference.items()}}
    own = {key: value for key, value in after.items() if key not in _OF_THE_STATE and value is not None}
    return PolicyState(packs=tuple(after["packs"]), stage=Stage(after["stage"]), overrides=own)


def _flat(state: PolicyState) -> dict[str, Any]:
    return {"packs": list(state.packs), "stage": str(state.stage), **state.overrides}


def next_revision(
    group_id: GroupId,
    history: Sequence[PolicyRevision],
    state: PolicyState,
    *,
    author: str,
    at: datetime,
    resolver: Resolver,
    note: str = "",
) -> PolicyRevision | None:
    """Check a new state and make the revision to be stored by `Records.revise`.

    Args:
        group_id: which group.
        history: its revisions so far, oldest first.
        state: the state it is to have.
        author: who changes it.
        at: when (aware).
        resolver: checks that the state holds, and leaves out overrides that change nothing.
        note: why.

    Returns:
        The revision, or None when nothing would change.

    Raises:
        PackError: a pack is missing or says something wrong.
        ConfigError: an override says something wrong. Nothing is to be stored then.
    """
    last = history[-1] if history else None
    trimmed = resolver.trim(state)
    difference = diff(state_of(last), trimmed)
    if not difference:
        return None
    return PolicyRevision(
        group_id=group_id,
        number=1 if last is None else last.number + 1,
        author=author,
        at=at,
        diff=difference,
        packs=trimmed.packs,
        stage=trimmed.stage,
        overrides=trimmed.overrides,
        note=note,
    )


def roll_back(history: Sequence[PolicyRevision], number: int) -> PolicyState:
    """Give the state a group had after a revision, to be made the next revision; history is never rewritten.

    Args:
        history: the group's revisions.
        number: which revision to go back to.

    Raises:
        ConfigError: there is no such revision.
    """
    for revision in history:
        if revision.number == number:
            return state_of(revision)
    known = f"1 to {history[-1].number}" if history else "none yet"
    raise ConfigError(f"there is no revision {number}; there are {known}")
