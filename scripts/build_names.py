"""Builds the table of simplified characters by which the roster reads cards, so that OpenCC is needed here alone.

    python scripts/build_names.py [TARGET]

Only single characters that become one other single character are taken: names are not translated, they are
compared. What the general table leaves alone is asked of the tables for Hong Kong and Taiwan.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from opencc import OpenCC

TARGET = Path(__file__).parents[1] / "plugins/groupops_roster/cards/simplified.json"
HAN = (range(0x3400, 0x4DC0), range(0x4E00, 0xA000), range(0x20000, 0x33480))
TABLES = ("t2s", "hk2s", "tw2s")


def main() -> None:
    """Writes the table and says how large it became."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    table = build()
    target.write_text(json.dumps(table, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{target.name}: {len(table['from'])} characters")


def build() -> dict[str, str]:
    """Gives two texts of one length: the characters and, at the same places, what they become."""
    pairs = dict(changes())
    return {"from": "".join(pairs), "to": "".join(settle(char, pairs) for char in pairs)}


def changes() -> Iterator[tuple[str, str]]:
    """Every Han character that one of the tables changes, and what the first such table makes of it."""
    converters = [OpenCC(name).convert for name in TABLES]
    for block in HAN:
        for char in map(chr, block):
            plain = next((to for to in (convert(char) for convert in converters) if to != char), char)
            if len(plain) == 1 and plain != char:
                yield char, plain


def settle(char: str, pairs: dict[str, str]) -> str:
    """Follows a character to the end, so that simplifying twice is simplifying once."""
    seen = {char}
    while pairs.get(char, char) not in seen:
        char = pairs[char]
        seen.add(char)
    return char


if __name__ == "__main__":
    main()
