"""Facts of the make-believe platform as NoneBot's events."""

from __future__ import annotations

from functools import cached_property

from nonebot.adapters import Event as BaseEvent
from pydantic import InstanceOf
from typing_extensions import override

from groupops_sandbox.facts import Fact
from groupops_sandbox.message import Message

REQUESTS = frozenset({"join_requested"})


class Event(BaseEvent):
    """Any fact; `fact` is what the platform said."""

    fact: InstanceOf[Fact]

    @override
    def get_type(self) -> str:
        return "notice"

    @override
    def get_event_name(self) -> str:
        return f"{self.get_type()}.{self.fact.kind}"

    @override
    def get_event_description(self) -> str:
        return f"{self.fact.id} in {self.fact.group} about {self.fact.account or 'the group'}"

    @override
    def get_user_id(self) -> str:
        return self.fact.account

    @override
    def get_session_id(self) -> str:
        return f"{self.fact.group}/{self.fact.account}"

    @override
    def get_message(self) -> Message:
        raise ValueError(f"a {self.get_event_name()} has no message")

    @override
    def is_tome(self) -> bool:
        return self.fact.to_bot or self.fact.private


class NoticeEvent(Event):
    """Something that happened in a group."""


class RequestEvent(Event):
    """Something that waits for an answer."""

    @override
    def get_type(self) -> str:
        return "request"


class MessageEvent(Event):
    """Something that was said, in a group or to the bot alone. Its words never stand in a log."""

    @override
    def get_type(self) -> str:
        return "message"

    @cached_property
    def message(self) -> Message:
        """The message; other NoneBot plugins may change it, the fact stays."""
        return Message.of(self.fact.segments)

    @override
    def get_message(self) -> Message:
        return self.message


def event_of(fact: Fact) -> Event:
    """Give the NoneBot event of a fact."""
    if fact.kind in {"message_posted", "command_given"}:
        return MessageEvent(fact=fact)
    if fact.kind in REQUESTS:
        return RequestEvent(fact=fact)
    return NoticeEvent(fact=fact)
