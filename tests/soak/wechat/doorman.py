"""The second plugin of the WeChat soak: who is asked to leave is a task for the stewards."""

from __future__ import annotations

import re

from groupops import AccountId, AskStewards, Event, Manifest, Member, MessagePosted, RemoveMember, hookimpl

ASKED = re.compile(r"请 (\S+) 离开")

manifest = Manifest(title="门房", hears=frozenset({"message_posted"}))


@hookimpl
def react(event: Event, member: Member) -> list[AskStewards] | None:
    found = ASKED.search(event.text) if isinstance(event, MessagePosted) else None
    if found is None:
        return None
    wanted = RemoveMember(
        group_id=event.group_id, account=AccountId(f"wechat:{found[1]}"), reason="名册上没有"
    )
    return [AskStewards(group_id=event.group_id, text=f"请移出 {found[1]}", wanted=wanted)]
