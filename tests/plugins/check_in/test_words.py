"""What people write: places in their own words, days and weeks."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupops_check_in.dates import LONGEST_DAYS, NoDay, monday_of, read_day, read_days, read_week
from groupops_check_in.fences import Placed, Site, circle
from groupops_check_in.places import holds_coordinates
from groupops_check_in.said import LONGEST, Unsaid, read_place

HEAD = Site(label="总部", fence=circle(39.9, 116.4, 300, "gcj02"), city="北京", also=("公司", "HQ"))
TODAY = date(2025, 3, 5)
DAYS = st.dates(date(1990, 1, 1), date(2100, 1, 1))


@pytest.mark.parametrize(
    "text", ["总部", "在公司", "我在总部。", "到公司", "hq", "HQ", " 总 部 ", "我现在在公司"]
)
def test_a_site_is_known_by_its_name_and_by_other_words(text: str) -> None:
    assert read_place(text, [HEAD], "site") == Placed(label="总部", site=True)


@pytest.mark.parametrize("text", ["客户A处", "休假", "在路上", "3号工地", "总部对面"])
def test_other_words_are_as_good(text: str) -> None:
    assert read_place(text, [HEAD], "site") == Placed(label=text)


def test_with_cities_a_site_stands_for_its_city() -> None:
    assert read_place("在公司", [HEAD], "city") == Placed(label="北京", site=True)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        (" 。 ", "empty"),
        ("39.9087,116.3975", "numbers"),
        ("39.9087", "numbers"),
        ("https://map.example/?p=1", "link"),
        ("字" * (LONGEST + 1), "long"),
    ],
)
def test_what_is_no_place_is_said_to_be_none(text: str, why: str) -> None:
    assert read_place(text, [HEAD], "site") == Unsaid(why=why)


@given(st.text(max_size=80))
def test_whatever_is_written_no_coordinates_and_no_long_text_are_left(text: str) -> None:
    found = read_place(text, [HEAD], "site")
    if isinstance(found, Placed):
        assert 0 < len(found.label) <= LONGEST
        assert not holds_coordinates(found.label)
        assert "\n" not in found.label


@given(st.floats(-90, 90), st.floats(-180, 180), st.sampled_from([",", " ", ",", ", "]), st.integers(3, 8))
def test_coordinates_are_never_taken_for_a_place(lat: float, lon: float, between: str, digits: int) -> None:
    assert read_place(f"{lat:.{digits}f}{between}{lon:.{digits}f}", [HEAD], "site") == Unsaid(why="numbers")


# — days —


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("今天", TODAY),
        ("昨天", date(2025, 3, 4)),
        ("后天", date(2025, 3, 7)),
        ("周三", TODAY),
        ("星期天", date(2025, 3, 9)),
        ("下周一", date(2025, 3, 10)),
        ("上周五", date(2025, 2, 28)),
        ("3月8日", date(2025, 3, 8)),
        ("3-8", date(2025, 3, 8)),
        ("12月31号", date(2024, 12, 31)),
        ("2025-03-08", date(2025, 3, 8)),
        ("2024年2月29日", date(2024, 2, 29)),
    ],
)
def test_days_are_read_as_people_write_them(text: str, day: date) -> None:
    assert read_day(text, TODAY) == day


@pytest.mark.parametrize("text", ["", "那天", "2月30日", "13-1", "2025-02-29", "大周三", "周八", "3月"])
def test_what_is_no_day_is_said_to_be_none(text: str) -> None:
    with pytest.raises(NoDay):
        read_day(text, TODAY)


@given(DAYS, DAYS)
def test_a_day_in_full_is_that_day_whenever_it_is_read(day: date, today: date) -> None:
    for text in (
        f"{day:%Y-%m-%d}",
        f"{day.year}年{day.month}月{day.day}日",
        f"{day.year}/{day.month}/{day.day}",
    ):
        assert read_day(text, today) == day


@given(DAYS, st.integers(-180, 180))
def test_a_day_without_a_year_is_the_nearest_one(today: date, apart: int) -> None:
    day = today + timedelta(days=apart)
    assert read_day(f"{day.month}月{day.day}日", today) == day or (day.month, day.day) == (2, 29)


@given(DAYS, st.integers(0, LONGEST_DAYS - 1), st.sampled_from(["至", "到", "~", " 至 "]))
def test_a_span_is_read_from_its_ends(first: date, length: int, between: str) -> None:
    last = first + timedelta(days=length)
    assert read_days(f"{first}{between}{last}", TODAY) == (first, last)


@given(DAYS)
def test_a_span_backwards_or_too_long_is_none(day: date) -> None:
    for other in (day - timedelta(days=1), day + timedelta(days=LONGEST_DAYS)):
        with pytest.raises(NoDay):
            read_days(f"{day}至{other}", TODAY)


@given(st.text(max_size=20))
def test_no_text_crashes_the_reading_of_days(text: str) -> None:
    for read in (read_day, read_days, read_week):
        try:
            read(text, TODAY)
        except NoDay:
            continue


@given(DAYS)
def test_any_day_names_its_week(day: date) -> None:
    monday = monday_of(day)
    year, week, _ = day.isocalendar()
    assert monday.weekday() == 0
    assert read_week(f"{day}", TODAY) == read_week(f"{year}-W{week:02}", TODAY) == monday
    assert read_week("上周", day) == monday - timedelta(days=7)
    assert read_week("", day) == read_week("本周", day) == monday
