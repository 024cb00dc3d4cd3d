"""Moderation: what may not be posted, seen by words, addresses, numbers and markings, or reported by members."""

from groupops import Capability, Manifest, Rule
from groupops_moderation.categories import load_categories
from groupops_moderation.settings import Moderation

manifest = Manifest(
    title="内容审核",
    settings=Moderation,
    hears=frozenset({"message_posted", "command_given"}),
    needs=frozenset({Capability.RECEIVE_ALL, Capability.DELETE_MESSAGE, Capability.MUTE}),
    rules=tuple(Rule(id=one.rule, title=one.title) for one in load_categories().values()),
)
