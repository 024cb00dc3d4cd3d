"""A make-believe platform: behind the web sandbox, the scenarios, the rehearsals and the load tests."""

from __future__ import annotations

from collections.abc import Iterable

from groupops import Manifest, Platform, Tools, hookimpl
from groupops_sandbox.faults import Faults
from groupops_sandbox.profiles import Profile, profile, profiles
from groupops_sandbox.sandbox import Sandbox
from groupops_sandbox.world import NotAllowed, NotThere, Request, World

__all__ = [
    "Faults",
    "NotAllowed",
    "NotThere",
    "Profile",
    "Request",
    "Sandbox",
    "World",
    "manifest",
    "platforms",
    "profile",
    "profiles",
]

manifest = Manifest(title="沙箱")


@hookimpl
def platforms(tools: Tools) -> Iterable[Platform]:
    """Offer one connection with every capability, on the clock that runs."""
    return (Sandbox(tools.clock),)
