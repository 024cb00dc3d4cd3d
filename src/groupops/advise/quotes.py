"""Which message a quotation means where the format tells only whose words they were: the latest with the same words."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from groupops.importers.transcripts.values import Reply, Said

MOST: Final = 20_000
"""Messages that are remembered: who quotes something older than that is not followed to it."""

_NAMED: Final = "name:"


@dataclass(slots=True)
class Quoted:
    """Remembers who said what, and finds what is quoted among it."""

    _said: OrderedDict[tuple[str, str], str] = field(default_factory=OrderedDict[tuple[str, str], str])

    def note(self, value: Said, message_id: str) -> None:
        """Remember a message under whatever its sender may be quoted by."""
        text = value.text.strip()
        if not text:
            return
        for who in self._names(value):
            self._said[who, text] = message_id
            self._said.move_to_end((who, text))
        while len(self._said) > MOST:
            self._said.popitem(last=False)

    def _names(self, value: Said) -> Iterator[str]:
        sender = value.sender
        yield sender.key
        for shown in {sender.name, sender.card} - {""}:
            yield f"{_NAMED}{shown}"

    def found(self, reply: Reply | None) -> Reply | None:
        """Give a quotation with the id of the message it means, if that was read and is certain to be one of theirs."""
        if reply is None or reply.message_id or not (reply.sender and reply.text):
            return reply
        message_id = self._said.get((reply.sender, reply.text.strip()), "")
        return replace(reply, message_id=message_id) if message_id else reply
