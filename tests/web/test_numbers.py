"""Numbers and times as people read them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from web import numbers


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "—"),
        (0, "0"),
        (1234567, "1,234,567"),
        (1234.0, "1,234"),
        (1234.5678, "1,234.57"),
        (0.1 + 0.2, "0.3"),
        (-2.5, "-2.5"),
        (0.00001234, "1.234e-05"),
        (1e300, "1e+300"),
    ],
)
def test_numbers_have_separators_and_as_many_decimals_as_say_something(value, text):
    assert numbers.number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0%"), (100, "100%"), (99.999, "> 99.9%"), (0.01, "< 0.1%"), (12.345, "12.3%")],
)
def test_a_share_that_is_nearly_all_is_not_all(value, text):
    assert numbers.percent(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "—"), (0.0001, "under 1 ms"), (0.25, "250 ms"), (1.25, "1.2 s"), (59.7, "1 min 0 s"),
     (200, "3 min 20 s"), (7500, "2 h 5 min")],
)  # fmt: skip
def test_lengths_of_time_are_in_fitting_units(seconds, text):
    assert numbers.duration(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 bytes"), (999, "999 bytes"), (1500, "1.5 kB"), (2.1e12, "2.1 TB")]
)
def test_sizes_are_in_fitting_units(size, text):
    assert numbers.size(size) == text


@pytest.mark.parametrize(
    ("passed", "text"),
    [
        (timedelta(seconds=3), "just now"),
        (timedelta(minutes=1, seconds=5), "1 minute ago"),
        (timedelta(hours=5), "5 hours ago"),
        (timedelta(days=400), "1 year ago"),
        (-timedelta(days=2, minutes=1), "in 2 days"),
    ],
)
def test_moments_are_told_in_one_unit(passed, text):
    assert numbers.ago(timezone.now() - passed) == text
