"""How long a soak runs: whole with GROUPOPS_SOAK=full, else a seeded tenth that is the same every time."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Soak:
    """The size and the dice of one soak."""

    full: bool
    seed: int

    def rounds(self, whole: int) -> int:
        """`whole` rounds in a full soak, else a tenth of them, at least one."""
        return whole if self.full else max(1, whole // 10)

    def random(self) -> random.Random:
        """Fresh dice: equal rolls for an equal seed."""
        return random.Random(self.seed)
