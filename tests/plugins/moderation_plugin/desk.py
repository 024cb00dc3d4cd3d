"""Judging alone: a message, settings, a workshop, and nothing of the flow around them."""

from itertools import count

from groupops import AccountId, GroupId, Member, MessagePosted, Offence, Pardon
from groupops.plugin import texts_of
from groupops.testing import MONDAY
from groupops_moderation.judging import judged
from groupops_moderation.settings import Moderation
from groupops_moderation.view import View
from groupops_moderation.workshop import Workshop

WHO = Member(account=AccountId("qq:1"), name="小张")
_numbers = count(1)


def message(text: str) -> MessagePosted:
    """A member's message in the group qq:9."""
    number = next(_numbers)
    return MessagePosted(
        id=f"e{number}", at=MONDAY, group_id=GroupId("qq:9"), account=WHO.account, message_id=f"m{number}",
        text=text,
    )  # fmt: skip


def view_of(settings: Moderation) -> View:
    """Settings compiled, with an automaton of their own."""
    return Workshop().view(settings)


def asked(text: str, settings: Moderation, view: View, own: Workshop) -> Offence | Pardon | None:
    """What is said of a text by a workshop whose automaton of all groups was never built."""
    return judged(message(text), WHO, settings, view, own, texts_of("groupops_moderation"))
