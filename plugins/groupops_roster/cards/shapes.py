"""Judges a card by its shape alone, where no roster can tell names or units."""

from collections.abc import Callable, Iterator

from groupops_roster.cards.faults import is_familiar
from groupops_roster.cards.folding import strict
from groupops_roster.cards.formats import Format
from groupops_roster.cards.reading import Reader, related
from groupops_roster.cards.words import load_words

_HAN_NAME = range(2, 5)
"""Characters of a Han name without dots, its surname among them."""

_SEGMENT = range(1, 11)
"""Characters of each part of a name with dots."""

_LEAST_UNIT = 2


def name_in(card: str, reader: Reader) -> str:
    """Gives the name that a card of the right shape states; empty when the shape is not right.

    Args:
        card: as the platform shows it.
        reader: of the group's format. With names in its register only these count as names.
    """
    register = reader.register
    is_name: Callable[[str], bool] = (
        (lambda text: bool(register.names.get(text))) if register else looks_like_name
    )
    return next((name for name in _candidates(strict(card), reader) if is_name(name)), "")


def _candidates(text: str, reader: Reader) -> Iterator[str]:
    """Where the name would stand."""
    match reader.format:
        case Format.NAME:
            yield text
        case Format.FREE:
            yield from _words(text)
        case Format.REFERRER:
            yield from _own_names(text, reader)
        case _:
            yield from _after_units(text, reader)


def _words(text: str) -> Iterator[str]:
    """The whole text, and each word of it that is no relation of somebody's."""
    yield text
    begin = 0
    for end in range(1, len(text) + 1):
        if end < len(text) and (text[end].isalnum() or text[end] == "·"):
            continue
        word = text[begin:end].strip("·")
        if word and not related(text, begin, end):
            yield word
        begin = end + 1


def _own_names(text: str, reader: Reader) -> Iterator[str]:
    """The part before a joiner, if a different name follows."""
    for joiner in filter(None, reader.joiners):
        own, _, other = text.partition(joiner)
        if own != other and (looks_like_name(other) or reader.register.names.get(other)):
            yield own


def _after_units(text: str, reader: Reader) -> Iterator[str]:
    """What follows a part that looks like a unit; with no joiner between them its last word has to say so."""
    for cut in range(_LEAST_UNIT, len(text)):
        for joiner in reader.joiners:
            joined = text[:cut].endswith(load_words().looks_like_unit) if joiner == "" else True
            if joined and text.startswith(joiner, cut) and text[:cut].isalnum():
                yield text[cut + len(joiner) :]


def looks_like_name(text: str) -> bool:
    """Whether a text has the shape of a whole name: Han with a surname, parts with dots, or Latin words."""
    if is_familiar(text):
        return False
    if "·" in text:
        return all(len(part) in _SEGMENT and all(map(is_han, part)) for part in text.split("·"))
    if all(map(is_han, text)):
        return len(text) in _HAN_NAME and _has_surname(text)
    return _is_latin_name(text)


def _has_surname(text: str) -> bool:
    """Whether a known surname stands before at least one more character, and no title at the end."""
    words = load_words()
    if any(text.endswith(title) for title in words.titles if len(title) > 1):
        return False
    return text[0] in words.single_surnames or text[:2] in words.compound_surnames


def _is_latin_name(text: str) -> bool:
    """Whether a text is two or more Latin words; one alone may be a nickname."""
    words = text.replace("-", " ").replace("'", " ").replace(".", " ").split()
    return len(words) > 1 and all(word.isalpha() and not any(map(is_han, word)) for word in words)


def is_han(char: str) -> bool:
    """Whether a character is a Han character."""
    return "\u3400" <= char <= "\u9fff" or "\U00020000" <= char <= "\U0003347f"
