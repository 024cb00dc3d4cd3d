"""What a JSON card (ark) of QQ shares: a place, a link, or a card of another kind. Everything in it may be forged."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from groupops import Card, Link, Location, Segment
from groupops_onebot.shapes import table, tables

LARGEST = 65_536
"""Characters of a card that are read; the longest ones QQ itself makes have some thousands."""

SHOWN = 2_000
"""Characters kept of a card's words."""

MAP = "com.tencent.map"
PLACE = "Location.Search"

KINDS: tuple[tuple[str, str], ...] = (
    ("com.tencent.miniapp", "mini_program"),
    ("com.tencent.contact", "contact"),
    ("com.tencent.troopsharecard", "contact"),
    ("com.tencent.multimsg", "forward"),
    ("com.tencent.mannounce", "announcement"),
    ("com.tencent.music", "music"),
)
"""Beginning of an app's name → kind of card."""

_URLS = ("qqdocurl", "jumpUrl", "jumpURL", "url", "pcJumpUrl")
_TITLES = ("title", "name", "nickname", "appName")
_TEXTS = ("desc", "summary", "contact", "text", "address")


def segments_of(data: Any) -> tuple[Segment, ...]:
    """Give what a card shares; one that cannot be read is a card without words. Never raises."""
    found = _parsed(data)
    if found is None:
        return (Card(card_kind="json"),)
    app = _word(found.get("app"))
    place = _place(found) if app == MAP else None
    return (place,) if place is not None else tuple(_shared(found, app))


def place_of(latitude: Any, longitude: Any, label: str) -> Location | None:
    """Make a place of two numbers, as QQ gives them (GCJ-02); None when they are nowhere on the earth."""
    lat, lng = _degrees(latitude, 90.0), _degrees(longitude, 180.0)
    if lat is None or lng is None:
        return None
    return Location(latitude=lat, longitude=lng, crs="gcj02", label=label[:SHOWN])


def _parsed(data: Any) -> dict[str, Any] | None:
    if isinstance(data, dict):
        return table(data)
    if not isinstance(data, str) or len(data) > LARGEST:
        return None
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return table(found) if isinstance(found, dict) else None


def _place(card: Mapping[str, Any]) -> Location | None:
    place = table(table(card.get("meta")).get(PLACE))
    label = _word(place.get("name")) or _word(place.get("address"))
    return place_of(place.get("lat"), place.get("lng"), label)


def _degrees(value: Any, most: float) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and abs(number) <= most else None


def _shared(card: Mapping[str, Any], app: str) -> Iterator[Segment]:
    views = tuple(_views(card))
    url = _first(views, _URLS)
    title = _first(views, _TITLES) or _word(card.get("prompt"))
    text = _first(views, _TEXTS)
    kind = next((kind for start, kind in KINDS if app.startswith(start)), "json")
    if url:
        yield Link(url=url, title=title)
    if not url or text or kind != "json":
        yield Card(card_kind=kind, title=title, text=text)


def _views(card: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Give what a card shows: the tables of its `meta`, then its own."""
    meta = table(card.get("meta"))
    yield from tables(list(meta.values()))
    yield meta


def _first(views: tuple[Mapping[str, Any], ...], names: tuple[str, ...]) -> str:
    return next((word for name in names for view in views if (word := _word(view.get(name)))), "")


def _word(value: Any) -> str:
    return value.strip()[:SHOWN] if isinstance(value, str) else ""
