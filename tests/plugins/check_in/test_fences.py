"""Fences: they agree with a geodesic reference within a metre, and what is left of a place is words."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groupops_check_in.fences import (
    BadFence,
    Circle,
    Placed,
    Polygon,
    Site,
    circle,
    nearest,
    place,
    polygon,
)
from groupops_check_in.places import Point
from tests.plugins.check_in.geodesy import along, beyond_line_m, direct, inside, inverse

METRE = 1.0
PLACES = st.tuples(st.floats(18.5, 52.5), st.floats(75.0, 133.0))
TURNS = st.floats(0, 2 * math.pi)


@given(PLACES, st.floats(10, 50_000), TURNS, st.floats(0, 3))
def test_a_circle_agrees_with_the_geodesic_reference(
    centre: tuple[float, float], radius: float, azimuth: float, far: float
) -> None:
    there = direct(*centre, azimuth, radius * far)
    fence = circle(*centre, radius, "wgs84")
    wanted = inverse(*centre, *there)[0] - radius

    assert fence.beyond_m(Point(lat=there[0], lon=there[1])) == pytest.approx(wanted, abs=METRE)


@st.composite
def stars(draw: st.DrawFn) -> tuple[tuple[float, float], float, list[tuple[float, float]]]:
    """A centre, a size in metres, and corners around the centre in order: a polygon that never crosses itself."""
    centre = draw(PLACES)
    size = draw(st.floats(50, 20_000))
    count = draw(st.integers(3, 9))
    reach = draw(st.lists(st.floats(0.3, 1.0), min_size=count, max_size=count))
    return (
        centre,
        size,
        [direct(*centre, 2 * math.pi * n / count, size * part) for n, part in enumerate(reach)],
    )


@given(stars(), TURNS, st.floats(0.01, 2))
@settings(max_examples=60)
def test_a_polygon_agrees_with_the_geodesic_reference(
    star: tuple[tuple[float, float], float, list[tuple[float, float]]], azimuth: float, far: float
) -> None:
    centre, size, corners = star
    there = direct(*centre, azimuth, size * far)
    fence = polygon([(lon, lat) for lat, lon in corners], "wgs84")
    found = fence.beyond_m(Point(lat=there[0], lon=there[1]))
    sides = list(zip(corners, [*corners[1:], corners[0]], strict=True))
    away = min(beyond_line_m(*there, *side) for side in sides)

    assert abs(found) == pytest.approx(away, abs=METRE)
    if away > METRE:
        ring = [point for start, end in sides for point in along(start, end, 200)[:-1]]
        assert (found < 0) is inside(*there, ring)


@given(stars())
@settings(max_examples=40)
def test_corners_lie_on_the_fence_and_may_be_given_either_way_round_and_closed(
    star: tuple[tuple[float, float], float, list[tuple[float, float]]],
) -> None:
    _, _, corners = star
    there = [(lon, lat) for lat, lon in corners]
    fences = [polygon(there, "wgs84"), polygon(there[::-1], "wgs84"), polygon([*there, there[0]], "wgs84")]
    for fence in fences:
        assert abs(fence.beyond_m(Point(lat=corners[0][0], lon=corners[0][1]))) < 0.01
        assert len(fence.corners) == len(corners)


@pytest.mark.parametrize(
    ("corners", "why"),
    [
        ([(116.39, 39.90), (116.40, 39.90)], "three or more"),
        ([(116.39, 39.90), (116.40, 39.91), (116.40, 39.90), (116.39, 39.91)], "crosses itself"),
        ([(116.39, 39.90), (116.39, 39.90), (116.40, 39.91)], "same point"),
        ([(116.39, 39.90), (116.41, 39.90), (116.40, 39.90)], "one line"),
        ([(116.39, 39.90), (118.39, 39.90), (116.40, 39.91)], "km from its first corner"),
        ([(39.90, 116.39), (39.91, 116.39), (39.90, 116.40)], "latitude"),
    ],
)
def test_a_fence_that_cannot_be_used_says_why(corners: list[tuple[float, float]], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        polygon(corners, "wgs84")


@pytest.mark.parametrize("radius", [0, -1, 50_001])
def test_a_circle_has_a_radius_that_means_something(radius: float) -> None:
    with pytest.raises(BadFence, match="radius_m"):
        circle(39.9, 116.4, radius, "gcj02")


HEAD = Site(label="总部", fence=circle(39.9087, 116.3975, 300, "gcj02"), city="北京")
STORE = Site(label="仓库", fence=circle(39.9087, 116.4200, 300, "gcj02"))
YARD = Site(
    label="大院",
    fence=polygon([(116.35, 39.88), (116.45, 39.88), (116.45, 39.94), (116.35, 39.94)], "gcj02"),
)


def test_only_the_label_of_a_site_is_left_of_a_place() -> None:
    assert place(39.9087, 116.3980, "gcj02", [HEAD, STORE], "site") == Placed(label="总部", site=True)
    assert place(39.9500, 116.3980, "gcj02", [HEAD, STORE], "site") == Placed(label="")


def test_where_sites_overlap_it_is_the_one_the_place_lies_deepest_in() -> None:
    point = HEAD.fence.centre if isinstance(HEAD.fence, Circle) else HEAD.fence.corners[0]
    found = nearest(point, [HEAD, YARD])
    assert found is not None
    assert found[0] is YARD


def test_an_unknown_system_that_makes_no_difference_is_certain() -> None:
    assert place(39.9087, 116.3975, "unknown", [YARD], "site") == Placed(label="大院", site=True)


def test_an_unknown_system_that_makes_a_difference_is_said() -> None:
    assert place(39.9087, 116.3975, "unknown", [HEAD], "site") == Placed(label="总部", unsure=True, site=True)


def test_an_unknown_system_that_means_different_sites_leaves_nothing_but_doubt() -> None:
    east = Site(label="东", fence=circle(39.9087, 116.3975, 50, "gcj02"))
    west = Site(label="西", fence=circle(39.9087, 116.3975, 50, "wgs84"))
    assert place(39.9087, 116.3975, "unknown", [east, west], "site") == Placed(label="", unsure=True)


def test_with_cities_a_place_is_the_city_of_a_site_near_it() -> None:
    assert place(39.9500, 116.3980, "gcj02", [HEAD, STORE], "city") == Placed(label="北京", site=True)
    assert place(31.2300, 121.4700, "gcj02", [HEAD], "city") == Placed(label="")


def test_with_cells_a_place_outside_all_sites_is_a_cell() -> None:
    assert place(39.9087, 116.3975, "gcj02", [HEAD], "cell_0.01").label == "总部"
    found = place(31.2300, 121.4700, "wgs84", [HEAD], "cell_0.01")
    assert found == Placed(label="31.23,121.47")


@given(st.floats(-90, 90), st.floats(-180, 180), st.sampled_from(["gcj02", "wgs84", "bd09", "unknown"]))
def test_what_is_left_of_any_place_is_a_label_or_nothing(lat: float, lon: float, crs: str) -> None:
    assert place(lat, lon, crs, [HEAD, STORE, YARD], "site").label in ("", "总部", "仓库", "大院")


def test_fences_show_no_numbers() -> None:
    assert "116" not in repr(Polygon(corners=(Point(lat=39.9, lon=116.4),)))
