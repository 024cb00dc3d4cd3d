"""Remembers which ids were seen, millions of them in little memory."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable
from typing import Final

SMALL: Final = 400_000
"""Ids kept in an ordinary set; more are kept in a table of eight bytes for each place."""

_MASK: Final = 0xFFFFFFFFFFFFFFFF
_FULL: Final = 0.6


class SeenIds:
    """A set of ids that only grows; one of 10^13 new ids may be taken for a known one when it holds ten million."""

    __slots__ = ("_count", "_few", "_table")

    def __init__(self) -> None:
        self._few: set[int] | None = set()
        self._table = array("Q")
        self._count = 0

    def __len__(self) -> int:
        return len(self._few) if self._few is not None else self._count

    def add(self, id_: object) -> bool:
        """Remember an id; False when it was known."""
        digest = hash(id_)
        few = self._few
        if few is None:
            return self._place(digest & _MASK or 1)
        if digest in few:
            return False
        few.add(digest)
        if len(few) > SMALL:
            self._spread()
        return True

    def add_all(self, ids: Collection[object]) -> bool:
        """Remember ids, if they differ and none of them was known; False when one was, and then none is remembered."""
        digests = set(map(hash, ids))
        few = self._few
        if len(digests) < len(ids) or not (self._new(digests) if few is None else few.isdisjoint(digests)):
            return False
        if few is None:
            for digest in digests:
                self._place(digest & _MASK or 1)
            return True
        few |= digests
        if len(few) > SMALL:
            self._spread()
        return True

    def _new(self, digests: Iterable[int]) -> bool:
        """Say that none of them stands in the table."""
        table = self._table
        last = len(table) - 1
        for digest in digests:
            found = digest & _MASK or 1
            at = (found ^ found >> 32) & last
            while known := table[at]:
                if known == found:
                    return False
                at = (at + 1) & last
        return True

    def _spread(self) -> None:
        few, self._few = self._few or set[int](), None
        self._table = array("Q", bytes(8 * 1_048_576))
        for digest in few:
            self._place(digest & _MASK or 1)

    def _place(self, digest: int) -> bool:
        table = self._table
        last = len(table) - 1
        at = (digest ^ digest >> 32) & last
        while found := table[at]:
            if found == digest:
                return False
            at = (at + 1) & last
        table[at] = digest
        self._count += 1
        if self._count > len(table) * _FULL:
            self._grow()
        return True

    def _grow(self) -> None:
        old = self._table
        self._table, self._count = array("Q", bytes(16 * len(old))), 0
        for digest in old:
            if digest:
                self._place(digest)
