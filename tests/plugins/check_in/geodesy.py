"""Vincenty's formulae on WGS-84, written down a second time: what the fences are held against."""

import math

A = 6_378_137.0
F = 1 / 298.257223563
B = A * (1 - F)


def inverse(lat1: float, lon1: float, lat2: float, lon2: float) -> tuple[float, float]:
    """Distance in metres and initial azimuth in radians between two points in degrees."""
    if (lat1, lon1) == (lat2, lon2):
        return 0.0, 0.0
    u1, u2 = (math.atan((1 - F) * math.tan(math.radians(lat))) for lat in (lat1, lat2))
    su1, cu1, su2, cu2 = math.sin(u1), math.cos(u1), math.sin(u2), math.cos(u2)
    wide = math.radians(lon2 - lon1)
    lam = wide
    for _ in range(200):
        sl, cl = math.sin(lam), math.cos(lam)
        sin_s = math.hypot(cu2 * sl, cu1 * su2 - su1 * cu2 * cl)
        if sin_s == 0:
            return 0.0, 0.0
        cos_s = su1 * su2 + cu1 * cu2 * cl
        sigma = math.atan2(sin_s, cos_s)
        sin_a = cu1 * cu2 * sl / sin_s
        cos2a = 1 - sin_a**2
        cos2m = cos_s - 2 * su1 * su2 / cos2a if cos2a else 0.0
        c = F / 16 * cos2a * (4 + F * (4 - 3 * cos2a))
        before, lam = (
            lam,
            wide + (1 - c) * F * sin_a * (sigma + c * sin_s * (cos2m + c * cos_s * (2 * cos2m**2 - 1))),
        )
        if abs(lam - before) < 1e-13:
            break
    usq = cos2a * (A**2 - B**2) / B**2
    a_, b_ = _series(usq)
    metres = B * a_ * (sigma - _delta(b_, sin_s, cos_s, cos2m))
    return metres, math.atan2(cu2 * math.sin(lam), cu1 * su2 - su1 * cu2 * math.cos(lam))


def direct(lat: float, lon: float, azimuth: float, metres: float) -> tuple[float, float]:
    """The point that lies so many metres away in a direction (radians); latitude and longitude in degrees."""
    u1 = math.atan((1 - F) * math.tan(math.radians(lat)))
    su1, cu1, sa, ca = math.sin(u1), math.cos(u1), math.sin(azimuth), math.cos(azimuth)
    sigma1 = math.atan2(math.tan(u1), ca)
    sin_a = cu1 * sa
    cos2a = 1 - sin_a**2
    a_, b_ = _series(cos2a * (A**2 - B**2) / B**2)
    sigma = metres / (B * a_)
    for _ in range(50):
        cos2m = math.cos(2 * sigma1 + sigma)
        before = sigma
        sigma = metres / (B * a_) + _delta(b_, math.sin(sigma), math.cos(sigma), cos2m)
        if abs(sigma - before) < 1e-14:
            break
    ss, cs, cos2m = math.sin(sigma), math.cos(sigma), math.cos(2 * sigma1 + sigma)
    lat2 = math.atan2(su1 * cs + cu1 * ss * ca, (1 - F) * math.hypot(sin_a, su1 * ss - cu1 * cs * ca))
    lam = math.atan2(ss * sa, cu1 * cs - su1 * ss * ca)
    c = F / 16 * cos2a * (4 + F * (4 - 3 * cos2a))
    wide = lam - (1 - c) * F * sin_a * (sigma + c * ss * (cos2m + c * cs * (2 * cos2m**2 - 1)))
    return math.degrees(lat2), lon + math.degrees(wide)


def _series(usq: float) -> tuple[float, float]:
    return (
        1 + usq / 16384 * (4096 + usq * (-768 + usq * (320 - 175 * usq))),
        usq / 1024 * (256 + usq * (-128 + usq * (74 - 47 * usq))),
    )


def _delta(b: float, ss: float, cs: float, cos2m: float) -> float:
    inner = cs * (2 * cos2m**2 - 1) - b / 6 * cos2m * (4 * ss**2 - 3) * (4 * cos2m**2 - 3)
    return b * ss * (cos2m + b / 4 * inner)


def along(start: tuple[float, float], end: tuple[float, float], step: float) -> list[tuple[float, float]]:
    """Points of a geodesic, `step` metres apart, its ends among them; latitude and longitude."""
    metres, azimuth = inverse(*start, *end)
    count = max(1, math.ceil(metres / step))
    return [*(direct(*start, azimuth, metres * n / count) for n in range(count)), end]


def beyond_line_m(lat: float, lon: float, start: tuple[float, float], end: tuple[float, float]) -> float:
    """Distance in metres from a point to a geodesic between two others, by ternary search along it."""
    metres, azimuth = inverse(*start, *end)
    low, high = 0.0, metres

    def away(at: float) -> float:
        return inverse(lat, lon, *direct(*start, azimuth, at))[0]

    for _ in range(80):
        one, two = low + (high - low) / 3, high - (high - low) / 3
        low, high = (low, two) if away(one) < away(two) else (one, high)
    return away((low + high) / 2)


def inside(lat: float, lon: float, ring: list[tuple[float, float]]) -> bool:
    """Whether a point lies in a polygon whose sides were cut into short pieces (ray casting on degrees)."""
    found = False
    for (lat1, lon1), (lat2, lon2) in zip(ring, [*ring[1:], ring[0]], strict=True):
        if (lat1 > lat) != (lat2 > lat) and lon < lon1 + (lon2 - lon1) * (lat - lat1) / (lat2 - lat1):
            found = not found
    return found
