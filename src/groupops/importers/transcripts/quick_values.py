"""Makes the one value nearly every line of a transcript becomes, and makes it fast; see `quick_facts` for how."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from groupops.importers.transcript import Precision
from groupops.importers.transcripts.values import Happened, Party, Said


class _Said(Happened):
    """A `Said` while it is made."""

    __slots__ = (
        "kind",
        "location",
        "media",
        "mentions",
        "message_id",
        "order",
        "raw_kind",
        "recalled",
        "recalled_at",
        "red_packet",
        "reply",
        "sender",
        "text",
    )

    __setattr__ = object.__setattr__
    __delattr__ = object.__delattr__


_new: Final = object.__new__


def said(row: int, at: datetime, precision: Precision, sender: Party, text: str, message_id: str) -> Said:
    """Give `Said` with a plain text of ChatLab's and everything else as it is by default."""
    value: Any = _new(_Said)
    value.row = row
    value.at = at
    value.precision = precision
    value.chat = ""
    value.doubt = ""
    value.sender = sender
    value.kind = "text"
    value.text = text
    value.message_id = message_id
    value.mentions = ()
    value.reply = None
    value.media = ()
    value.location = None
    value.red_packet = None
    value.recalled = False
    value.recalled_at = None
    value.order = 0
    value.raw_kind = "0"
    value.__class__ = Said
    return value  # type: ignore[no-any-return]
