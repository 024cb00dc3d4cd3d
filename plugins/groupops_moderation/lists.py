"""Operators' word lists: plain text files with one word a line, under the category in brackets above."""

from functools import lru_cache
from pathlib import Path

from groupops import ConfigError
from groupops_moderation.categories import load_categories
from groupops_moderation.matcher import TermError, fold_term

LARGEST = 8 << 20
"""Bytes a list may have; a longer one is no list that somebody looks after."""

_FILES_KEPT = 64


Listed = tuple[tuple[str, tuple[str, ...]], ...]
"""Words by category, in the order in which they were written."""


def version_of(path: str) -> tuple[str, int, int]:
    """Tells two states of a list file apart: its path, when it was changed (ns) and its size (bytes).

    Raises:
        ConfigError: the file cannot be read.
    """
    try:
        seen = Path(path).stat()
    except OSError as error:
        raise ConfigError(f"list file {path!r} cannot be read: {error.strerror}; check the path") from error
    return path, seen.st_mtime_ns, seen.st_size


def read_list(path: str) -> Listed:
    """The words of a list file; read again only when the file has changed.

    The file is UTF-8. A line such as `[incite]` names the category of the lines below it; empty lines and lines
    that begin with `#` say nothing; every other line is one word or phrase.

    Args:
        path: as the operator wrote it, relative to the directory groupops was started in.

    Raises:
        ConfigError: the file cannot be read, or a line of it cannot be used; the text names file and line.
    """
    version = version_of(path)
    if version[2] > LARGEST:
        raise ConfigError(f"list file {path!r} has {version[2]} bytes; at most {LARGEST} are taken")
    return _read(*version)


@lru_cache(maxsize=_FILES_KEPT)
def _read(path: str, _changed: int, _size: int) -> Listed:
    """Reads a file as it is at one moment; the moment is only there to tell the versions apart."""
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        at = error.object[: error.start].count(b"\n") + 1
        raise ConfigError(f"list file {path!r}, line {at}: not UTF-8; save the file as UTF-8") from error
    except OSError as error:
        raise ConfigError(f"list file {path!r} cannot be read: {error.strerror}; check the path") from error
    found: dict[str, dict[str, None]] = {}
    category = ""
    for number, written in enumerate(lines, start=1):
        line = written.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("[") and line.endswith("]"):
            category = _category(path, number, line[1:-1].strip())
            continue
        found.setdefault(category, {})[_word(path, number, line, category)] = None
    return tuple((category, tuple(words)) for category, words in found.items())


def _category(path: str, number: int, name: str) -> str:
    known = load_categories()
    if name not in known:
        raise ConfigError(
            f"list file {path!r}, line {number}: there is no category {name!r}; there are {', '.join(known)}"
        )
    return name


def _word(path: str, number: int, word: str, category: str) -> str:
    if not category:
        raise ConfigError(
            f"list file {path!r}, line {number}: {word!r} stands under no category; write a line such as [incite] above"
        )
    try:
        fold_term(word)
    except TermError as error:
        raise ConfigError(f"list file {path!r}, line {number}: {error}") from error
    return word
