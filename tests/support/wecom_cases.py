"""A casebook with one case in it, whose state a test sets."""

from __future__ import annotations

from datetime import UTC, datetime

from groupops import AccountId, Case, GroupId, PersonId
from groupops.records import CaseStatus
from tests.support.wecom_rig import MEMBER, ROOM


class Casebook:
    """Case 12, and how it stands."""

    def __init__(self) -> None:
        self.status = CaseStatus.PROPOSED

    async def case(self, case_id: int) -> Case | None:
        found = Case(
            id=case_id,
            event_id=f"fact{case_id}",
            opened_at=datetime(2026, 11, 26, 4, 0, tzinfo=UTC),
            group_id=GroupId(f"wecom:{ROOM}"),
            account=AccountId(f"wecom:{MEMBER}"),
            rule="moderation.ads",
            reason="发广告",
            person_id=PersonId(1),
            plugin="moderation",
            status=self.status,
        )
        return found if case_id == 12 else None
