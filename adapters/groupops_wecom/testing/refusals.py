"""What the make-believe WeCom says no with, and what can be made to go wrong."""

from __future__ import annotations

from dataclasses import dataclass


class RefusalError(Exception):
    """WeCom says no.

    Args:
        errcode: its number.
        errmsg: its words; the real ones end in a hint that differs each time, so nobody should read them.
    """

    def __init__(self, errcode: int, errmsg: str = "refused") -> None:
        super().__init__(f"{errcode} {errmsg}")
        self.errcode = errcode
        self.errmsg = errmsg


class WorldError(Exception):
    """A test asks for something that cannot happen, such as pressing a button nobody shows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """What befalls one call.

    Args:
        errcode: it is refused with this number, and nothing is done.
        status: HTTP only: it is answered with this status and no JSON, and nothing is done.
        cut: the connection breaks before anything is done.
        lost: it is done, and then the connection breaks instead of the answer.
        mute: it is done, and never answered; the connection stays.
        slow: real seconds until the answer goes out; it is done at once.
    """

    errcode: int = 0
    status: int = 200
    cut: bool = False
    lost: bool = False
    mute: bool = False
    slow: float = 0.0


THROTTLED = Fault(errcode=45009)
"""Too many calls."""
CROWDED = Fault(errcode=45033)
"""Too many calls at once."""
BUSY = Fault(errcode=-1)
"""The system is busy."""
BROKEN = Fault(status=503)
"""A server in between gave up."""
CUT = Fault(cut=True)
"""Nothing was done."""
LOST = Fault(lost=True)
"""It was done, and nobody was told."""
MUTE = Fault(mute=True)
"""It was done, and nobody is told; the connection stays."""


class Faults:
    """What is to go wrong, by the name of a call."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[Fault]] = {}

    def add(self, name: str, *faults: Fault) -> None:
        """Let the next calls of this name go wrong, one fault for each; `*` names every call."""
        self._waiting.setdefault(name, []).extend(faults)

    def clear(self) -> None:
        """Let nothing more go wrong."""
        self._waiting.clear()

    def take(self, name: str) -> Fault:
        """What befalls a call that has come; a fault without anything in it when it goes well."""
        for key in (name, "*"):
            if self._waiting.get(key):
                return self._waiting[key].pop(0)
        return Fault()
