"""A record whose database can be told to refuse: what is asked of it is handed on, or answered with an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from groupops.errors import StoreError
from groupops.records import Records

WRITES = frozenset(
    (
        "person_for put_person bind merge split put_group drop_group revise put_members put_steward "
        "drop_steward book update_case enqueue performing receipted cancel_outbox open_ticket close_ticket "
        "open_obligation update_obligation put_due drop_due claim_due note purge"
    ).split()
)
"""The methods of `Records` that change something."""


class RefusingRecords:
    """Hands everything on to another record, except what changes something while `refuses` is set.

    Args:
        inner: where things are kept.
    """

    def __init__(self, inner: Records) -> None:
        self.inner = inner
        self.refuses = False

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method: Callable[..., Any] = getattr(self.inner, name)
        if name not in WRITES:
            return method

        async def ask(*args: Any, **named: Any) -> Any:
            if self.refuses:
                raise StoreError(f"the database refuses {name}")
            return await method(*args, **named)

        return ask
