"""Finds a font that has Chinese characters: the one that is set, else what fontconfig knows of."""

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from groupops import GroupOpsError

LOOK_S = 4.0
"""Seconds fontconfig may take."""

_LIKED = ("noto sans cjk sc", "source han sans", "noto sans cjk", "pingfang", "microsoft yahei", "wenquanyi")
"""Families without serifs, the best first; any other font that claims to have Chinese comes after them."""


class NoFont(GroupOpsError):
    """There is no font with Chinese characters on this machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """One face of a font file."""

    path: str
    index: int = 0


@cache
def found() -> tuple[Face, Face]:
    """Give a regular and a bold face with Chinese characters, as fontconfig knows them.

    Raises:
        NoFont: fontconfig is not there, or knows none.
    """
    listing = ("fc-list", ":lang=zh-cn", "--format", "%{file}\\t%{index}\\t%{family}\\t%{style}\\n")
    try:
        told = subprocess.run(listing, capture_output=True, text=True, timeout=LOOK_S, check=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise NoFont(_hint(f"fontconfig could not be asked ({type(error).__name__})")) from None
    return chosen(told.splitlines())


def chosen(lines: Iterable[str]) -> tuple[Face, Face]:
    """Choose a regular and a bold face from fontconfig's list: file, index, families and styles, parted by tabs.

    Raises:
        NoFont: the list is empty.
    """
    known = [line.split("\t") for line in lines if line.count("\t") == 3]  # noqa: PLR2004 - four columns
    if not known:
        raise NoFont(_hint("fontconfig knows no font with Chinese characters"))
    best = min(_rank(family) for _, _, family, _ in known)
    faces = [
        (style.lower(), _face(path, index)) for path, index, family, style in known if _rank(family) == best
    ]
    regular = _styled(faces, ("regular", "book", "normal"))
    return regular or faces[0][1], _styled(faces, ("bold", "medium")) or regular or faces[0][1]


def _rank(family: str) -> int:
    folded = family.lower()
    return next((place for place, liked in enumerate(_LIKED) if liked in folded), len(_LIKED))


def _styled(faces: Iterable[tuple[str, Face]], styles: tuple[str, ...]) -> Face | None:
    listed = list(faces)
    return next((face for wanted in styles for style, face in listed if wanted in style.split(",")), None)


def _face(path: str, index: str) -> Face:
    # A number above 65535 names an instance of a variable font as well; its low half is the face.
    return Face(path=path, index=int(index) & 0xFFFF if index.isdigit() else 0)


def _hint(why: str) -> str:
    return (
        f"{why}: install one, as in `apt install fonts-noto-cjk`, or name a file in check_in.font; "
        "text and table of the board need none"
    )


def faces(path: str) -> tuple[Face, Face]:
    """Give a regular and a bold face: of the file that is set, else as `found`.

    Raises:
        NoFont: as `found`.
    """
    return (Face(path=path), Face(path=path)) if path else found()
