"""Reads what a statement is made of."""

from __future__ import annotations

from datetime import datetime

from groupops import Group
from groupops_red_packet.ledger import Ledger, next_month
from groupops_red_packet.statement import Statement, stated


async def statement_of(group: Group, first: datetime, ledger: Ledger) -> Statement:
    """Make the statement of a group's month.

    Args:
        group: whose.
        first: the first moment of the month, in the group's time.
        ledger: where it is read.
    """
    until = next_month(first)
    journal = await ledger.journal(group_id=group.id, until=until)
    items = await ledger.items(group_id=group.id, until=until)
    return stated(group, first, journal, items)
