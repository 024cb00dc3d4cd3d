"""How a group's policy changes: checked before it is kept, only differences are kept, and nothing is lost."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from groupops import GroupId, Manifest, Settings, Stage
from groupops.errors import ConfigError, PackError
from groupops.records import PolicyRevision
from groupops.revisions import (
    STAGES,
    PolicyState,
    Resolver,
    apply,
    bind,
    change,
    diff,
    move,
    next_revision,
    roll_back,
    state_of,
)
from groupops.settings import PackShelf, parse_pack, resolve

GROUP = GroupId("qq:1")
AT = datetime(2025, 3, 3, 9, tzinfo=UTC)


class Shop(Settings):
    count: int = Field(default=0, ge=0, title="数")
    words: tuple[str, ...] = Field(default=(), title="词")
    prices: dict[str, int] = Field(default_factory=dict, title="表")


@pytest.fixture
def resolver() -> Resolver:
    shelf = PackShelf(
        [
            parse_pack('[pack]\nid = "five"\n[plugins]\nenabled = ["shop"]\n[shop]\ncount = 5\n'),
            parse_pack('[pack]\nid = "six"\n[shop]\ncount = 6\n'),
        ]
    )
    return Resolver(shelf=shelf, manifests={"shop": Manifest(title="店", settings=Shop)})


class Book:
    """A group's revisions, kept as a store would keep them."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self.revisions: list[PolicyRevision] = []

    @property
    def state(self) -> PolicyState:
        return state_of(self.revisions[-1] if self.revisions else None)

    def keep(self, state: PolicyState, note: str = "") -> PolicyRevision | None:
        made = next_revision(
            GROUP, self.revisions, state, author="qq:9", at=AT, resolver=self._resolver, note=note
        )
        self.revisions += [] if made is None else [made]
        return made


@pytest.fixture
def book(resolver: Resolver) -> Book:
    book = Book(resolver)
    book.keep(PolicyState(packs=("five",), stage=Stage.SHADOW))
    return book


def test_the_first_revision_says_what_was_bound(book: Book) -> None:
    first = book.revisions[0]

    assert (first.number, first.author, first.at) == (1, "qq:9", AT)
    assert first.diff == {"packs": [[], ["five"]], "stage": ["draft", "shadow"]}


def test_a_change_is_kept_as_a_difference(book: Book) -> None:
    made = book.keep(change(book.state, "shop.count", 7), note="too few")

    assert made is not None
    assert made.diff == {"shop.count": [None, 7]}
    assert (made.number, made.overrides, made.note) == (2, {"shop.count": 7}, "too few")


def test_what_the_packs_say_already_is_not_kept(book: Book) -> None:
    assert book.keep(change(book.state, "shop.count", 5)) is None
    assert len(book.revisions) == 1


def test_an_own_setting_that_a_new_pack_makes_needless_is_let_go(book: Book) -> None:
    book.keep(change(book.state, "shop.count", 6))
    made = book.keep(bind(book.state, ["five", "six"]))

    assert made is not None
    assert made.overrides == {}
    assert made.diff == {"packs": [["five"], ["five", "six"]], "shop.count": [6, None]}


@pytest.mark.parametrize(("key", "value"), [("shop.count", -1), ("shop.cuont", 1), ("shp.count", 1)])
def test_a_change_that_does_not_hold_is_not_kept(book: Book, key: str, value: int) -> None:
    with pytest.raises(ConfigError, match=f"the group's own setting {key.partition('.')[0]}"):
        book.keep(change(book.state, key, value))

    assert len(book.revisions) == 1


def test_a_pack_that_is_not_there_cannot_be_bound(book: Book) -> None:
    with pytest.raises(PackError, match="there is no pack 'seven'"):
        book.keep(bind(book.state, ["seven"]))


@pytest.mark.parametrize("key", ["packs", "stage"])
def test_packs_and_stage_are_no_settings(key: str) -> None:
    with pytest.raises(ConfigError, match="is no setting; packs are bound"):
        change(PolicyState(), key, "x")


@pytest.mark.parametrize("key", ["shop", "shop.", ".count", ""])
def test_half_a_key_is_told_how_to_be_written(key: str) -> None:
    with pytest.raises(ConfigError, match=r"is no key of a setting; write <plugin>\.<key>"):
        change(PolicyState(), key, 1)


def test_none_takes_the_groups_own_setting_back(book: Book) -> None:
    book.keep(change(book.state, "shop.count", 7))
    made = book.keep(change(book.state, "shop.count", None))

    assert made is not None
    assert (made.diff, made.overrides) == ({"shop.count": [7, None]}, {})


def test_a_table_sets_its_keys_and_replaces_what_was_set_below_it() -> None:
    one = change(PolicyState(), "shop.prices", {"x": 1, "y": 2})
    other = change(one, "shop.prices", {"z": 3})

    assert one.overrides == {"shop.prices.x": 1, "shop.prices.y": 2}
    assert other.overrides == {"shop.prices.z": 3}


def test_texts_whose_keys_begin_alike_do_not_undo_one_another() -> None:
    one = change(PolicyState(), "messages.core.clause.with_text", "a")

    assert change(one, "messages.core.clause", "b").overrides == {
        "messages.core.clause.with_text": "a",
        "messages.core.clause": "b",
    }


def test_a_revision_is_rolled_back_by_a_new_one(book: Book) -> None:
    book.keep(change(book.state, "shop.count", 7))
    book.keep(change(book.state, "shop.words", ["a"]))

    made = book.keep(roll_back(book.revisions, 1), note="back to 1")

    assert made is not None
    assert (made.number, made.overrides) == (4, {})
    assert made.diff == {"shop.count": [7, None], "shop.words": [["a"], None]}
    assert [one.number for one in book.revisions] == [1, 2, 3, 4]


def test_a_revision_that_is_not_there_is_told_with_those_that_are(book: Book) -> None:
    with pytest.raises(ConfigError, match="there is no revision 9; there are 1 to 1"):
        roll_back(book.revisions, 9)
    with pytest.raises(ConfigError, match="there are none yet"):
        roll_back([], 1)


@pytest.mark.parametrize("here", STAGES)
@pytest.mark.parametrize("there", STAGES)
def test_a_stage_goes_down_to_any_and_up_by_one_unless_it_is_forced(here: Stage, there: Stage) -> None:
    state = PolicyState(stage=here)

    assert move(state, there, force=True).stage is there
    if STAGES.index(there) <= STAGES.index(here) + 1:
        assert move(state, str(there)).stage is there
    else:
        with pytest.raises(ConfigError, match=f"from stage {here} the next one up is"):
            move(state, there)


def test_a_stage_that_does_not_exist_is_told_with_those_that_do() -> None:
    with pytest.raises(ConfigError, match="there is no stage 'enforce'; did you mean 'enforced'"):
        move(PolicyState(), "enforce")


def test_groups_that_differ_in_their_own_words_share_everything_else(resolver: Resolver) -> None:
    ours, theirs = (
        resolver.policy(("five",), {"shop.words": ["a"]}),
        resolver.policy(("five",), {"shop.words": ["b"]}),
    )

    assert ours.settings["shop"] != theirs.settings["shop"]
    assert ours.ladders is theirs.ladders
    assert ours.discipline is theirs.discipline


def _resolved(resolver: Resolver, packs: tuple[str, ...], overrides: dict[str, Any]) -> Any:
    """What `resolve` makes of it without any short cut, be it an error."""
    try:
        return resolve(resolver.shelf, resolver.manifests, resolver.env, packs, overrides)
    except ConfigError as error:
        return type(error), str(error)


def _by_the_resolver(resolver: Resolver, packs: tuple[str, ...], overrides: dict[str, Any]) -> Any:
    try:
        return resolver.policy(packs, overrides)
    except ConfigError as error:
        return type(error), str(error)


_OVERRIDES = st.fixed_dictionaries(
    {},
    optional={
        "shop.count": st.sampled_from([1, 5, -1, "many"]),
        "shop.words": st.lists(st.sampled_from("ab"), max_size=2),
        "shop.prices.tea": st.integers(0, 3),
        "shop.prices": st.just({"tea": 2}),
        "shop.color": st.just("red"),
        "discipline.appeal_hours": st.sampled_from([24, 0]),
        "plugins.enabled": st.just(["shop"]),
        "ladder.soft.ttl_days": st.sampled_from([30, 0]),
        "nowhere.at": st.just(1),
    },
)


@given(packs=st.sampled_from([(), ("five",), ("six", "five"), ("off",), ("none",)]), overrides=_OVERRIDES)
def test_a_policy_is_the_same_whether_or_not_what_lies_below_was_laid_before(
    packs: tuple[str, ...], overrides: dict[str, Any]
) -> None:
    shelf = PackShelf(
        [
            parse_pack('[pack]\nid = "five"\n[plugins]\nenabled = ["shop"]\n[shop]\ncount = 5\n'),
            parse_pack('[pack]\nid = "six"\n[shop]\ncount = 6\n[shop.prices]\ntea = 1\n'),
            parse_pack('[pack]\nid = "off"\n[shop]\ncount = -6\n'),
        ]
    )
    resolver = Resolver(shelf=shelf, manifests={"shop": Manifest(title="店", settings=Shop)})

    assert _by_the_resolver(resolver, packs, overrides) == _resolved(resolver, packs, overrides)


def test_groups_with_one_policy_share_one_object(resolver: Resolver) -> None:
    alike, other = {"shop.count": 7}, {"shop.count": 7, "group.name": "甲"}

    assert resolver.policy(["five"], alike) is resolver.policy(["five"], dict(alike))
    assert (
        resolver.policy(["five"], alike).settings["shop"] is resolver.policy(["five"], other).settings["shop"]
    )


VALUES: st.SearchStrategy[Any] = st.one_of(
    st.integers(), st.booleans(), st.text(max_size=3), st.lists(st.integers(), max_size=2)
)
STATES = st.builds(
    PolicyState,
    packs=st.lists(st.sampled_from("abc"), unique=True).map(tuple),
    stage=st.sampled_from(STAGES),
    overrides=st.dictionaries(st.sampled_from(["shop.count", "shop.words", "group.name", "shop.prices.x"]), VALUES),
)  # fmt: skip


@given(old=STATES, new=STATES)
def test_a_difference_applied_to_the_old_state_gives_the_new_one_and_back(
    old: PolicyState, new: PolicyState
) -> None:
    there = diff(old, new)
    back = {key: [after, before] for key, (before, after) in there.items()}

    assert apply(old, there) == new
    assert apply(new, back) == old


@given(state=STATES)
def test_a_state_does_not_differ_from_itself(state: PolicyState) -> None:
    assert diff(state, state) == {}


@given(states=st.lists(STATES, min_size=1, max_size=5), at=st.integers(0, 4))
def test_replaying_the_differences_gives_the_state_of_every_revision(
    states: list[PolicyState], at: int
) -> None:
    at = min(at, len(states) - 1)
    before = [PolicyState(), *states[:-1]]

    state = PolicyState()
    for old, new in list(zip(before, states, strict=True))[: at + 1]:
        state = apply(state, diff(old, new))

    assert state == states[at]
