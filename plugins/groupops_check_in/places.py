"""Coordinates: from whatever system a platform speaks to WGS-84, with how far off that may be; distances in metres."""

import math
import re
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

Crs = Literal["gcj02", "wgs84", "bd09"]
"""The systems in use in mainland China: GPS, the official maps (Gaode, Tencent), and Baidu."""

SYSTEMS: tuple[Crs, ...] = ("gcj02", "wgs84", "bd09")
"""Every system a point may be in that does not say so; the likeliest in China first."""

ERROR_M: dict[Crs, float] = {"wgs84": 0.0, "gcj02": 0.5, "bd09": 1.0}
"""How far, in metres at most, a point may be off once converted: what `geocoordinates-rs` states of its inverses.

A test holds the conversion against an implementation of its own.
"""

_A = 6_378_137.0
_F = 1 / 298.257223563
_E2 = _F * (2 - _F)
"""The ellipsoid WGS-84: semi-major axis in metres, flattening, squared eccentricity."""

_CELL = 100
"""Cells of a degree: 0.01° is about a kilometre."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A place on WGS-84, in degrees. It lives as long as a fact is being answered, and is never written anywhere."""

    lat: float
    lon: float

    def __repr__(self) -> str:
        """Keep coordinates out of logs and tracebacks."""
        return "Point(…)"


class NoPlace(ValueError):
    """Numbers that are no place on earth. Its text names no numbers, so that it may be logged."""


@cache
def _library() -> Any:
    """The conversions; loaded when the first place is looked at."""
    import geocoordinates_ffi  # type: ignore[import-untyped]

    return geocoordinates_ffi


def to_wgs84(lat: float, lon: float, crs: Crs) -> Point:
    """Convert a place to WGS-84; off by `ERROR_M[crs]` at most. Outside China the systems are one and the same.

    Args:
        lat: degrees, north positive.
        lon: degrees, east positive.
        crs: the system both are in.

    Raises:
        NoPlace: they are no place on earth.
    """
    if not (abs(lat) <= 90 and abs(lon) <= 180):  # noqa: PLR2004 - nor is what is no number
        raise NoPlace("latitude must lie within ±90 and longitude within ±180 degrees")
    ffi = _library()
    match crs:
        case "gcj02":
            found = ffi.gcj02_to_wgs84_refined(ffi.Gcj02(lat=lat, lon=lon))
        case "bd09" if not ffi.out_of_china(lat, lon):
            found = ffi.bd09_to_wgs84_refined(ffi.Bd09(lat=lat, lon=lon))
        case _:
            return Point(lat=lat, lon=lon)
    return Point(lat=found.lat, lon=found.lon)


def candidates(lat: float, lon: float, crs: str) -> tuple[Point, ...]:
    """Give where a place may be: one point, or one for each system when it does not say which it is in.

    Raises:
        NoPlace: as `to_wgs84`.
    """
    systems: tuple[Crs, ...] = tuple(one for one in SYSTEMS if one == crs) or SYSTEMS
    return tuple(to_wgs84(lat, lon, one) for one in systems)


def distance_m(a: Point, b: Point) -> float:
    """Give the geodesic distance on WGS-84, in metres (Karney's algorithm)."""
    ffi = _library()
    distance: float = ffi.geodesic_distance_m(
        ffi.coordinate_wgs84(a.lat, a.lon), ffi.coordinate_wgs84(b.lat, b.lon)
    )
    return distance


def cell(point: Point) -> str:
    """Name the cell of 0.01° that a point lies in by its south-western corner: `39.90,116.39`."""
    lat, lon = (math.floor(degrees * _CELL) / _CELL for degrees in (point.lat, point.lon))
    return f"{lat:.2f},{lon:.2f}"


def seen_from(eye: Point, point: Point) -> tuple[float, float]:
    """Project a point onto the plane that touches the earth at `eye`, along lines from the earth's centre.

    Geodesics become straight lines, so a line of a fence that passes near `eye` may be measured in the plane:
    for fences of `fences.SIDE_M` to within a tenth of a metre.

    Args:
        eye: where the plane touches.
        point: what is projected; less than a quarter of the way round the earth.

    Returns:
        Metres to the east and to the north.
    """
    east, north, up = _plane(eye, point)
    radius = _radius(eye.lat)
    scale = radius / (radius + up)
    return east * scale, north * scale


def _plane(eye: Point, point: Point) -> tuple[float, float, float]:
    """Give a point's place east, north and above the plane that touches the ellipsoid at `eye`, in metres."""
    (x0, y0, z0), (x, y, z) = _earth_fixed(eye), _earth_fixed(point)
    dx, dy, dz = x - x0, y - y0, z - z0
    lat, lon = math.radians(eye.lat), math.radians(eye.lon)
    outward = dx * math.cos(lon) + dy * math.sin(lon)
    east = dy * math.cos(lon) - dx * math.sin(lon)
    north = dz * math.cos(lat) - outward * math.sin(lat)
    return east, north, outward * math.cos(lat) + dz * math.sin(lat)


def _earth_fixed(point: Point) -> tuple[float, float, float]:
    """Give a point on the ellipsoid in metres from the earth's centre."""
    lat, lon = math.radians(point.lat), math.radians(point.lon)
    normal = _A / math.sqrt(1 - _E2 * math.sin(lat) ** 2)
    across = normal * math.cos(lat)
    return across * math.cos(lon), across * math.sin(lon), normal * (1 - _E2) * math.sin(lat)


def _radius(lat: float) -> float:
    """Give the mean radius of curvature at a latitude, in metres."""
    return _A * math.sqrt(1 - _E2) / (1 - _E2 * math.sin(math.radians(lat)) ** 2)


# A number with three or more decimals places somebody within a hundred metres; so do degrees with minutes.
_NUMBERS = re.compile(r"\d{1,3}[.,。.]\d{3,}|\d{1,3}\s*[°度]\s*\d{1,2}")


def holds_coordinates(text: str) -> bool:
    """Say whether a text gives a place in numbers: such a text is never kept."""
    return _NUMBERS.search(text) is not None
