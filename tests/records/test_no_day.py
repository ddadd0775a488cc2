"""The counters of records without a timestamp, and of those dated 0001-01-01."""

from datetime import UTC, date, datetime
from importlib import import_module

import pytest
from django.apps import apps

from records.models import RecordCount
from records.no_day import NO_DAY
from records.store.recount import check_counts
from tests.factories import land, row

pytestmark = pytest.mark.django_db

FIRST = datetime(1, 1, 1, tzinfo=UTC)


def counts():
    return {(c.day, c.status): c.count for c in RecordCount.objects.exclude(count=0)}


def test_the_first_day_of_the_calendar_is_a_day_like_any_other():
    land([row("s:1", {}, at=FIRST), row("s:2", {}), row("s:3", {})])
    assert counts() == {(date(1, 1, 1), "raw"): 1, (NO_DAY, "raw"): 2}
    assert not check_counts()
    assert list(
        RecordCount.objects.between(date(1, 1, 1), date(9999, 12, 31)).values_list("day")
    ) == [(date(1, 1, 1),)]


def test_counters_of_earlier_versions_are_told_apart():
    migration = import_module("records.migrations.0021_no_day")
    land([row("s:1", {}, at=FIRST), row("s:2", {}), row("s:3", {})])
    migration.move_back(apps, None)
    assert counts() == {(date(1, 1, 1), "raw"): 3}
    migration.move(apps, None)
    assert counts() == {(date(1, 1, 1), "raw"): 1, (NO_DAY, "raw"): 2}
    assert not check_counts()
