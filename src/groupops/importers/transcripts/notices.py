"""What lines of a platform say: who came, who went, what was taken back; never asked about what a member wrote."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Literal

from groupops.importers.transcripts.values import Joined, Left, Noticed, Party, Recalled, Renamed, Value
from groupops.importers.transcripts.words import MAX_NOTICE, Notice, line, words

Style = Literal["wechat", "qq"]

_MANY: Final = "、"


def noticed(style: Style, text: str, base: Mapping[str, Any], *, ids: bool = False) -> Value:
    """Give what a line of the platform says.

    Args:
        style: whose lines they are.
        text: the line.
        base: `row`, `at` and whatever else every value has.
        ids: True where the format writes each name with its id in brackets behind it.

    Returns:
        A value; `Noticed` with the event `other` for a line nobody knows.
    """
    said = text.strip()
    if len(said) <= MAX_NOTICE:
        known = words().wechat if style == "wechat" else words().qq
        for notice in known:
            if match := notice.pattern.search(said):
                return _value(notice, match, said, base, ids=ids)
    return Noticed(**base, text=text)


def _value(notice: Notice, match: re.Match[str], text: str, base: Mapping[str, Any], *, ids: bool) -> Value:
    found = match.groupdict()
    by = party_of(found["by"], ids=ids) if found.get("by") else None
    who = tuple(party_of(name, ids=ids) for name in (found.get("who") or "").split(_MANY) if name.strip())
    match notice.event:
        case "member_join" if who:
            how: Any = notice.how
            return Joined(**base, who=who, by=by, how=how, text=text)
        case "member_leave" | "member_kick" if who:
            return Left(**base, who=who, by=by, removed=notice.event == "member_kick", text=text)
        case "rename":
            return Renamed(**base, name=found["name"], by=by, text=text)
        case "recall":
            return Recalled(**base, by=by, author=next(iter(who), None), text=text)
        case "member_join" | "member_leave" | "member_kick":
            return Noticed(**base, text=text)
        case event:
            return Noticed(**base, event=event, who=who, by=by, text=text)


def party_of(name: str, *, ids: bool = False) -> Party:
    """Give somebody as a line names them; an id in brackets at the end is taken off the name."""
    told = name.strip()
    match = line("id_at_end" if ids else "wxid_at_end").match(told)
    return Party(id=match["id"], name=match["n"]) if match else Party(name=told)
