"""Sites: circles and polygons an operator draws, and which of them a place lies in."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Literal

from groupops_check_in.places import Crs, Point, candidates, cell, distance_m, seen_from, to_wgs84

REACH_M = 50_000.0
"""The largest radius of a circle, in metres: beyond it a fence says nothing of where somebody works."""

SIDE_M = 100_000.0
"""How far apart, in metres, two corners of a polygon may lie: within it the plane serves to a tenth of a metre."""

Precision = Literal["site", "city", "cell_0.01"]
"""What is kept of a place: the site's label, the site's city, or outside all sites a cell of 0.01°."""

Corner = tuple[float, float]


class BadFence(ValueError):
    """A fence that cannot be used; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circle:
    """All that lies within `radius_m` metres of a point, the rim included."""

    centre: Point
    radius_m: float

    def beyond_m(self, point: Point) -> float:
        """Give how far outside a point lies, in metres; inside, how far from the rim, as a negative number."""
        return distance_m(self.centre, point) - self.radius_m


@dataclass(frozen=True, slots=True, kw_only=True)
class Polygon:
    """All that lies within a closed line of geodesics that does not cross itself."""

    corners: tuple[Point, ...]

    def beyond_m(self, point: Point) -> float:
        """Give how far outside a point lies, in metres; inside, how far from the line, as a negative number."""
        flat = [seen_from(point, corner) for corner in self.corners]
        away = min(_from_origin(a, b) for a, b in _sides(flat))
        return -away if _around_origin(flat) else away


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A place that has a name.

    Args:
        label: the name; all that is kept of whoever is there.
        fence: where it is.
        city: the city it lies in; empty where nobody said.
        also: other words people use for it.
    """

    label: str
    fence: Circle | Polygon
    city: str = ""
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """What is left of a place: words.

    Args:
        label: what is kept; empty outside all sites.
        unsure: True when the system was unknown and the answer depends on it.
        site: True when the label stands for one of the operator's sites.
    """

    label: str
    unsure: bool = False
    site: bool = False


def circle(lat: float, lon: float, radius_m: float, crs: Crs) -> Circle:
    """Make a circle.

    Args:
        lat: degrees of the centre, in `crs`.
        lon: degrees of the centre, in `crs`.
        radius_m: metres, above 0 and at most `REACH_M`.
        crs: the system.

    Raises:
        BadFence, NoPlace: it cannot be used.
    """
    if not 0 < radius_m <= REACH_M:
        raise BadFence(f"radius_m = {radius_m:g}: expected more than 0 and at most {REACH_M:g} metres")
    return Circle(centre=to_wgs84(lat, lon, crs), radius_m=radius_m)


def polygon(corners: Sequence[Corner], crs: Crs) -> Polygon:
    """Make a polygon.

    Args:
        corners: longitude and latitude of each corner in order, in degrees of `crs`; three or more. The first may be
            repeated at the end.
        crs: the system.

    Raises:
        BadFence, NoPlace: it has too few corners, crosses itself, or is too large.
    """
    ring = list(corners[:-1] if len(corners) > 1 and corners[0] == corners[-1] else corners)
    if len(ring) < 3:  # noqa: PLR2004 - a triangle
        raise BadFence(f"polygon has {len(ring)} corners: expected three or more, as in [[116.39, 39.90], …]")
    points = tuple(to_wgs84(lat, lon, crs) for lon, lat in ring)
    _require_size(points)
    flat = [seen_from(points[0], point) for point in points]
    _require_simple(flat)
    area = abs(sum(_turn(flat[0], a, b) for a, b in _sides(flat))) / 2
    around = sum(math.dist(a, b) for a, b in _sides(flat))
    if area < around / 2 * _WIDTH_M:
        raise BadFence("polygon: its corners lie on one line, so that nothing is inside")
    return Polygon(corners=points)


def _require_size(points: Sequence[Point]) -> None:
    """From the first corner half of `SIDE_M` suffices for all: no two are further apart than twice that."""
    far = max(distance_m(points[0], point) for point in points)
    if far > SIDE_M / 2:
        raise BadFence(
            f"polygon reaches {far / 1000:.0f} km from its first corner: expected at most {SIDE_M / 2000:.0f} km; "
            "are longitude and latitude in this order?"
        )


def _require_simple(flat: Sequence[Corner]) -> None:
    """Raise BadFence for corners that coincide and for sides that meet anywhere but in a common corner."""
    sides = list(_sides(flat))
    for number, (a, b) in enumerate(sides):
        if math.dist(a, b) < _POINT_M:
            raise BadFence(f"polygon: corners {number + 1} and {_next(number, sides)} are the same point")
    for (i, one), (j, other) in combinations(enumerate(sides), 2):
        if _cross(one, other, neighbours=j - i in (1, len(sides) - 1)):
            raise BadFence(
                f"polygon crosses itself: the side from corner {i + 1} meets the side from corner {j + 1}; "
                "give the corners in order around the site"
            )


_POINT_M = 0.01
"""Corners closer than this, in metres, are one point."""

_WIDTH_M = 1.0
"""How wide, in metres, a site is at least on average."""


def _next(number: int, sides: Sequence[object]) -> int:
    return (number + 1) % len(sides) + 1


def _sides(corners: Sequence[Corner]) -> Iterator[tuple[Corner, Corner]]:
    return pairwise((*corners, corners[0]))


def _turn(a: Corner, b: Corner, c: Corner) -> float:
    """Give twice the area of a triangle: positive when it turns left."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _cross(one: tuple[Corner, Corner], other: tuple[Corner, Corner], *, neighbours: bool) -> bool:
    (a, b), (c, d) = one, other
    if neighbours:  # they meet in one corner by right; folded back onto each other they may not be
        tip, end, start = (b, d, a) if b == c else (a, c, b)
        folded = _touches(end, start, tip) or _touches(start, tip, end)
        return folded and _ahead(tip, start, end)
    if max(_turn(a, b, c) * _turn(a, b, d), _turn(c, d, a) * _turn(c, d, b)) < 0:
        return True
    return any(_touches(p, *side) for p, side in ((a, other), (b, other), (c, one), (d, one)))


def _ahead(tip: Corner, start: Corner, end: Corner) -> bool:
    """Say whether two points lie on the same side of a tip."""
    return (start[0] - tip[0]) * (end[0] - tip[0]) + (start[1] - tip[1]) * (end[1] - tip[1]) > 0


def _touches(p: Corner, a: Corner, b: Corner) -> bool:
    return _from_origin((a[0] - p[0], a[1] - p[1]), (b[0] - p[0], b[1] - p[1])) < _POINT_M


def _from_origin(a: Corner, b: Corner) -> float:
    """Give the distance from the origin to the stretch between two points of the plane."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = dx * dx + dy * dy
    along = 0.0 if length == 0 else max(0.0, min(1.0, -(a[0] * dx + a[1] * dy) / length))
    return math.hypot(a[0] + along * dx, a[1] + along * dy)


def _around_origin(flat: Sequence[Corner]) -> bool:
    """Say whether a closed line goes around the origin, by how often a ray to the east meets it."""
    inside = False
    for (ax, ay), (bx, by) in _sides(flat):
        if (ay > 0) != (by > 0) and ax + (bx - ax) * ay / (ay - by) > 0:
            inside = not inside
    return inside


# — what is kept —


def nearest(point: Point, sites: Iterable[Site]) -> tuple[Site, float] | None:
    """Give the site whose fence a point lies deepest in, or else nearest to, and how far beyond it; None of none."""
    return min(
        ((site, site.fence.beyond_m(point)) for site in sites), key=lambda found: found[1], default=None
    )


def place(
    lat: float, lon: float, crs: str, sites: Sequence[Site], precision: Precision, city_m: float = REACH_M
) -> Placed:
    """Turn a place into the words that are kept of it.

    A place in an unknown system may be at as many points as there are systems. Where they all mean the same words,
    these are certain; where some lie in one site and the others in none, it is that site, unsure; where they lie in
    different sites, or in none and the cells differ, nothing is kept but that it is unsure.

    Args:
        lat: degrees, in `crs`.
        lon: degrees, in `crs`.
        crs: the system; anything but the three known ones is unknown.
        sites: the operator's sites.
        precision: what is kept.
        city_m: how far from a site, in metres, it is still the site's city.

    Raises:
        NoPlace: it is no place on earth.
    """
    words = [_words(point, sites, precision, city_m) for point in candidates(lat, lon, crs)]
    if len({(one.label, one.site) for one in words}) == 1:
        return words[0]
    hits = {one.label for one in words if one.site}
    label = hits.pop() if len(hits) == 1 else ""
    return Placed(label=label, unsure=True, site=bool(label))


def _words(point: Point, sites: Sequence[Site], precision: Precision, city_m: float) -> Placed:
    found = nearest(point, sites)
    if precision == "city":
        return _city(point, sites, city_m)
    if found is not None and found[1] <= 0:
        return Placed(label=found[0].label, site=True)
    return Placed(label=cell(point) if precision == "cell_0.01" else "")


def _city(point: Point, sites: Sequence[Site], city_m: float) -> Placed:
    found = nearest(point, (site for site in sites if site.city))
    if found is None or found[1] > city_m:
        return Placed(label="")
    return Placed(label=found[0].city, site=True)
