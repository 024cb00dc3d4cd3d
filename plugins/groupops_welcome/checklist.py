"""A newcomer's checklist: what is on it, what is done, and how it is kept in one column."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

ItemKind = Literal["rules", "card", "item"]
ItemState = Literal["open", "done", "missed", "cancelled"]

OF_RULES = ("群规", "规则", "规定", "规章", "制度", "须知")
OF_CARDS = ("昵称", "名片", "备注名", "实名")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line of a checklist.

    Args:
        kind: what settles it: `rules` the word 已读, `card` a change of card, `item` the word 已办.
        title: what is to be done, in words.
        state: how far it is.
    """

    kind: ItemKind
    title: str
    state: ItemState = "open"

    @property
    def open(self) -> bool:
        """True while it is still to be done."""
        return self.state == "open"


Items = tuple[Item, ...]

OPEN: frozenset[ItemState] = frozenset({"open"})

UNDONE: frozenset[ItemState] = frozenset({"open", "missed"})
"""States of a line that may still be ticked off: late is better than never, and nothing follows either way."""


def kind_of(title: str) -> ItemKind:
    """Tell from its words what settles a line of a checklist."""
    if any(word in title for word in OF_CARDS):
        return "card"
    return "rules" if any(word in title for word in OF_RULES) else "item"


def checklist(titles: Sequence[str], *, cards_asked: bool, cards_seen: bool, done: Collection[str]) -> Items:
    """Make a newcomer's checklist.

    Args:
        titles: its lines, as the group's policy has them.
        cards_asked: False leaves out what is about cards.
        cards_seen: False where no change of card is ever told: then a word has to do.
        done: titles that are done already.
    """
    made: list[Item] = []
    for title in titles:
        kind = kind_of(title)
        if kind == "card" and not cards_asked:
            continue
        seen = "item" if kind == "card" and not cards_seen else kind
        made.append(Item(kind=seen, title=title, state="done" if title in done else "open"))
    return tuple(made)


def with_state(items: Items, chosen: Iterable[int], state: ItemState) -> Items:
    """Give the lines with some of them, by place from 0, in another state."""
    places = frozenset(chosen)
    return tuple(replace(item, state=state) if place in places else item for place, item in enumerate(items))


def places(items: Items, *kinds: ItemKind, states: Collection[ItemState] = OPEN) -> tuple[int, ...]:
    """Give the places, from 0, of the lines of these kinds that are in one of these states."""
    return tuple(n for n, item in enumerate(items) if item.kind in kinds and item.state in states)


def done_titles(items: Items) -> frozenset[str]:
    """Give the titles of what is done."""
    return frozenset(item.title for item in items if item.state == "done")


def kept(items: Items) -> str:
    """Write a checklist for its column."""
    return json.dumps([[item.kind, item.title, item.state] for item in items], ensure_ascii=False)


def read(column: str) -> Items:
    """Read a checklist from its column."""
    return tuple(Item(kind=kind, title=title, state=state) for kind, title, state in json.loads(column))
