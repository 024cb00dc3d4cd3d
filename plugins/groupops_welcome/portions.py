"""Long texts in portions that fit a message."""

import re
from collections.abc import Iterable, Iterator

_SENTENCE = re.compile(r"[^。!?;!?;\n]*[。!?;!?;\n]?")


def portions(lines: Iterable[str], limit: int) -> tuple[str, ...]:
    """Lay lines together into texts of at most `limit` characters; nothing is lost or turned round.

    Args:
        lines: what is to be said, in order; one that is too long by itself is parted behind a sentence.
        limit: characters of one message, at least 1.
    """
    made: list[str] = []
    for line in lines:
        for piece in _pieces(line, limit):
            if made and len(made[-1]) + 1 + len(piece) <= limit:
                made[-1] += f"\n{piece}"
            else:
                made.append(piece)
    return tuple(made)


def _pieces(line: str, limit: int) -> Iterator[str]:
    if len(line) <= limit:
        yield line
        return
    held = ""
    for sentence in filter(None, _SENTENCE.findall(line)):
        if held and len(held) + len(sentence) > limit:
            yield held
            held = ""
        held += sentence
        while len(held) > limit:
            yield held[:limit]
            held = held[limit:]
    if held:
        yield held
