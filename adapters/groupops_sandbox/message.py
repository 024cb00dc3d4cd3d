"""Messages of the make-believe platform as NoneBot has them; a text is never parsed as markup."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nonebot.adapters import Message as BaseMessage
from nonebot.adapters import MessageSegment as BaseSegment
from typing_extensions import override

from groupops import AccountId, Mention, Segment, Text


class MessageSegment(BaseSegment["Message"]):
    """One part of a message. `data["part"]` is groupops' own segment, where there is one."""

    @classmethod
    @override
    def get_message_class(cls) -> type[Message]:
        return Message

    @override
    def is_text(self) -> bool:
        return self.type == "text"

    @override
    def __str__(self) -> str:
        return self.data["text"] if self.is_text() else f"[{self.type}]"

    @staticmethod
    def text(text: str) -> MessageSegment:
        """Make a part of plain words."""
        return MessageSegment("text", {"text": text})

    @staticmethod
    def at(account: str) -> MessageSegment:
        """Make a mention of an account."""
        return MessageSegment("mention", {"part": Mention(account=AccountId(account)), "account": account})


class Message(BaseMessage[MessageSegment]):
    """A message; a string becomes one part of plain words, whatever is in it."""

    @classmethod
    @override
    def get_segment_class(cls) -> type[MessageSegment]:
        return MessageSegment

    @staticmethod
    @override
    def _construct(msg: str) -> Iterable[MessageSegment]:
        yield MessageSegment.text(msg)

    @classmethod
    def of(cls, segments: Iterable[Segment]) -> Message:
        """Make a message of groupops' segments."""
        return cls([_segment(part) for part in segments])

    def segments(self) -> tuple[Segment, ...]:
        """Give groupops' segments; a part that is not one of ours becomes its words."""
        return tuple(_part(segment) for segment in self)


def _segment(part: Segment) -> MessageSegment:
    if isinstance(part, Text):
        return MessageSegment.text(part.text)
    return MessageSegment(part.kind, {"part": part})


def _part(segment: MessageSegment) -> Segment:
    part: Any = segment.data.get("part")
    return Text(text=str(segment)) if part is None else part
