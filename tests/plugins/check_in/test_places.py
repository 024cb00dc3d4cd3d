"""Coordinates: golden points of the three systems, and an implementation of our own to hold the library against."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupops_check_in.places import (
    ERROR_M,
    NoPlace,
    Point,
    candidates,
    cell,
    distance_m,
    holds_coordinates,
    seen_from,
    to_wgs84,
)
from tests.plugins.check_in.geodesy import direct, inverse

# WGS-84 and GCJ-02 of the same places, as published with the reversed algorithm.
SHANGHAI = ((31.1774276, 121.5272106), (31.17530398364597, 121.531541859215))
SHENZHEN = ((22.543847, 113.912316), (22.540796131694766, 113.9171764808363))
BEIJING = ((39.911954, 116.377817), (39.91334545536069, 116.38404722455657))
# GCJ-02 and BD-09 of Tian'anmen, as Baidu's converter gives them.
TIANANMEN = ((39.915, 116.404), (39.92133699351021, 116.41036949371029))

CHINA = st.tuples(st.floats(18.5, 52.5), st.floats(75.0, 133.0))


@pytest.mark.parametrize(("wgs", "gcj"), [SHANGHAI, SHENZHEN, BEIJING])
def test_golden_points_of_the_official_system(wgs: tuple[float, float], gcj: tuple[float, float]) -> None:
    found = to_wgs84(*gcj, "gcj02")
    assert inverse(found.lat, found.lon, *wgs)[0] <= ERROR_M["gcj02"]


def test_the_golden_point_of_baidu_s_system() -> None:
    gcj, bd = TIANANMEN
    assert distance_m(to_wgs84(*bd, "bd09"), to_wgs84(*gcj, "gcj02")) <= ERROR_M["bd09"]


@given(CHINA)
def test_conversions_are_as_exact_as_is_said_of_them(place: tuple[float, float]) -> None:
    gcj = to_gcj(*place)
    bd = to_bd(*gcj)
    assert inverse(*place, *_pair(to_wgs84(*gcj, "gcj02")))[0] <= ERROR_M["gcj02"]
    assert inverse(*place, *_pair(to_wgs84(*bd, "bd09")))[0] <= ERROR_M["bd09"]
    assert _pair(to_wgs84(*place, "wgs84")) == place


@given(st.floats(-60, -10), st.floats(-170, 60))
def test_outside_china_the_systems_are_one(lat: float, lon: float) -> None:
    assert {_pair(point) for point in candidates(lat, lon, "unknown")} == {(lat, lon)}


def test_an_unknown_system_may_be_any_of_the_three() -> None:
    assert len(candidates(*BEIJING[1], "unknown")) == 3
    assert candidates(*BEIJING[1], "gcj02") == (to_wgs84(*BEIJING[1], "gcj02"),)


@pytest.mark.parametrize("place", [(91.0, 0.0), (0.0, 181.0), (math.nan, 0.0), (math.inf, 0.0)])
def test_what_is_no_place_is_turned_away_without_showing_numbers(place: tuple[float, float]) -> None:
    with pytest.raises(NoPlace) as error:
        to_wgs84(*place, "gcj02")
    assert str(place[0]) not in str(error.value)


@given(CHINA, st.floats(0, 2 * math.pi), st.floats(1, 200_000))
def test_distances_agree_with_vincenty(place: tuple[float, float], azimuth: float, metres: float) -> None:
    there = direct(*place, azimuth, metres)
    found = distance_m(Point(lat=place[0], lon=place[1]), Point(lat=there[0], lon=there[1]))
    assert found == pytest.approx(metres, abs=0.001)


@given(CHINA, st.floats(0, 2 * math.pi), st.floats(1, 20_000))
def test_the_plane_shows_a_place_where_it_is(
    place: tuple[float, float], azimuth: float, metres: float
) -> None:
    there = direct(*place, azimuth, metres)
    east, north = seen_from(Point(lat=place[0], lon=place[1]), Point(lat=there[0], lon=there[1]))
    assert math.hypot(east - metres * math.sin(azimuth), north - metres * math.cos(azimuth)) < 0.5


def test_a_point_shows_no_numbers() -> None:
    assert repr(Point(lat=39.90871, lon=116.39752)) == "Point(…)"


def test_a_cell_is_named_by_its_south_western_corner() -> None:
    assert cell(Point(lat=39.9087, lon=116.3975)) == "39.90,116.39"
    assert cell(Point(lat=-0.001, lon=-0.001)) == "-0.01,-0.01"


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("39.9087,116.3975", True),
        ("我在39.9087 这边", True),
        ("北纬39度54分", True),
        ("116°23′", True),
        ("客户A处3楼", False),
        ("2.5公里外的工地", False),
        ("1024号院", False),
    ],
)
def test_numbers_that_place_somebody_are_told_from_others(text: str, numbers: bool) -> None:
    assert holds_coordinates(text) is numbers


# — the published algorithm, once more —

_KRASOVSKY, _EE = 6_378_245.0, 0.00669342162296594323


def to_gcj(lat: float, lon: float) -> tuple[float, float]:
    x, y = lon - 105.0, lat - 35.0
    d_lat = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x))
    d_lon = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x))
    common = (20 * math.sin(6 * x * math.pi) + 20 * math.sin(2 * x * math.pi)) * 2 / 3
    d_lat += common + (20 * math.sin(y * math.pi) + 40 * math.sin(y / 3 * math.pi)) * 2 / 3
    d_lat += (160 * math.sin(y / 12 * math.pi) + 320 * math.sin(y * math.pi / 30)) * 2 / 3
    d_lon += common + (20 * math.sin(x * math.pi) + 40 * math.sin(x / 3 * math.pi)) * 2 / 3
    d_lon += (150 * math.sin(x / 12 * math.pi) + 300 * math.sin(x / 30 * math.pi)) * 2 / 3
    magic = 1 - _EE * math.sin(math.radians(lat)) ** 2
    d_lat = math.degrees(d_lat) / (_KRASOVSKY * (1 - _EE) / (magic * math.sqrt(magic)))
    d_lon = math.degrees(d_lon) / (_KRASOVSKY / math.sqrt(magic) * math.cos(math.radians(lat)))
    return lat + d_lat, lon + d_lon


def to_bd(lat: float, lon: float) -> tuple[float, float]:
    turn = math.pi * 3000 / 180
    z = math.hypot(lon, lat) + 0.00002 * math.sin(lat * turn)
    theta = math.atan2(lat, lon) + 0.000003 * math.cos(lon * turn)
    return z * math.sin(theta) + 0.006, z * math.cos(theta) + 0.0065


def _pair(point: Point) -> tuple[float, float]:
    return point.lat, point.lon
