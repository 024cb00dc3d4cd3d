"""Builds the fold table that the moderation plugin ships, so that OpenCC is needed here and nowhere else.

    python scripts/build_fold.py [TARGET]

The table says for every character what is left of it once its disguise is taken off: compatibility forms
(NFKD), accents, case, traditional characters (OpenCC, one by one), enclosed letters and digits. Characters that
carry nothing are listed as ranges in two classes: `invisible` ones never stand between words (zero-width,
combining, variation, direction marks, emoji), `separators` do (spaces, line breaks, punctuation, brackets).
"""

import json
import sys
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from opencc import OpenCC

TARGET = Path(__file__).parents[1] / "plugins/groupops_moderation/fold.json"
HANGUL = range(0xAC00, 0xD7A4)
PRIVATE_USE = range(0xE000, 0xF900)  # old handset emoji live here
EMOJI = (range(0x1F000, 0x1F100), range(0x1F1E6, 0x1F200), range(0x1F300, 0x1FB00))  # tiles, flags, pictures
DINGBATS = range(0x2600, 0x27C0)
TAGS = (range(0xFE00, 0xFE10), range(0xE0000, 0xE01F0))
FILLERS = {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0}
ARROWS_AND_STARS = range(0x2B00, 0x2C00)
SEPARATING_HAN = {0x4E36}  # the dot stroke, used as a pause mark
HAN = (range(0x3400, 0x4DC0), range(0x4E00, 0xA000), range(0xF900, 0xFB00), range(0x20000, 0x31350))


def main() -> None:
    """Writes the table and says how large it became."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    table = build()
    target.write_text(json.dumps(table, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{target.name}: {len(table['one'][0])} single, {len(table['many'])} multiple characters")


def build() -> dict[str, object]:
    """Sorts every assigned character into invisible, separator, mapped or left alone."""
    simplify = OpenCC("t2s").convert
    invisible, separators, mapped = [], [], {}
    for code in every_code():
        char = chr(code)
        if is_invisible(code):
            invisible.append(code)
            continue
        undisguised = settle(char, simplify)
        if all(is_separator(ord(part)) for part in undisguised):
            separators.append(code)
        if undisguised != char:
            mapped[char] = undisguised
    one = {char: to for char, to in mapped.items() if len(to) == 1}
    return {
        "unicode": unicodedata.unidata_version,
        "invisible": ranges(invisible),
        "separators": ranges(separators),
        "one": ["".join(one), "".join(one.values())],
        "many": {char: to for char, to in mapped.items() if len(to) != 1},
    }


def every_code() -> Iterable[int]:
    """Code points of the planes that chat texts draw from, without surrogates."""
    yield from range(0xD800)
    yield from range(0xE000, 0x32000)
    yield from range(0xE0000, 0xE01F0)


def is_invisible(code: int) -> bool:
    """Whether the character adds nothing and never parts two words."""
    if code in FILLERS or any(code in block for block in (PRIVATE_USE, *EMOJI, *TAGS)):
        return True
    category = unicodedata.category(chr(code))
    if category == "Cc":
        return chr(code) not in "\t\n\v\f\r\x85"
    pictures = code in DINGBATS or code in ARROWS_AND_STARS
    return category in {"Cf", "Mn", "Me"} or (pictures and category == "So")


def is_separator(code: int) -> bool:
    """Whether the character is there only to part or decorate words."""
    category = unicodedata.category(chr(code))
    if code in SEPARATING_HAN or category == "Cc":
        return True
    return category[0] in "PSZ" and not letter_in_a_frame(chr(code))


def letter_in_a_frame(char: str) -> str:
    """The Latin letter that a circled or squared symbol shows, or nothing."""
    if unicodedata.category(char) != "So":
        return ""
    name = unicodedata.name(char, "")
    if " LATIN CAPITAL LETTER " in name or " LATIN SMALL LETTER " in name:
        return name.rpartition(" ")[2].lower() if len(name.rpartition(" ")[2]) == 1 else ""
    return ""


def settle(char: str, simplify) -> str:  # noqa: ANN001 - a bound method of the C library
    """Takes the disguises off until nothing changes, so that folding twice is folding once."""
    previous = ""
    while char != previous:
        previous, char = char, undisguise(char, simplify)
    return char


def undisguise(text: str, simplify) -> str:  # noqa: ANN001 - a bound method of the C library
    """One round: frames, numbers, compatibility forms, accents, case, traditional form."""
    plain = "".join(letter_in_a_frame(c) or number(c) or c for c in text)
    apart = "".join(c if ord(c) in HANGUL else unicodedata.normalize("NFKD", c) for c in plain)
    bare = "".join(c for c in apart if not is_invisible(ord(c)))
    return "".join(simplify(c) if is_han(c) else c for c in bare.casefold())


def number(char: str) -> str:
    """The digits that a circled or otherwise dressed number shows, or nothing."""
    if unicodedata.category(char) != "No" or is_han(char):
        return ""
    value = unicodedata.numeric(char, 0.5)
    return str(int(value)) if value == int(value) and 0 <= value <= 50 else ""  # noqa: PLR2004 - circled numbers end at 50


def is_han(char: str) -> bool:
    """Whether the character is a Han character, in any block."""
    return any(ord(char) in block for block in HAN)


def ranges(codes: list[int]) -> list[list[int]]:
    """Neighbouring code points as [first, last]."""
    found: list[list[int]] = []
    for code in codes:
        if found and found[-1][1] == code - 1:
            found[-1][1] = code
        else:
            found.append([code, code])
    return found


if __name__ == "__main__":
    main()
