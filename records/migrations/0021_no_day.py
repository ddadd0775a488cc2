"""Counts of records without a timestamp move to a day that no file has: 0001-01-01 is a date."""

from datetime import UTC, date, datetime
from typing import Any

from django.db import migrations
from django.db.models import Count

BEFORE, AFTER = date(1, 1, 1), date(1, 1, 2)


def move(apps: Any, schema_editor: Any) -> None:
    """Undated records get their new day, those of 0001-01-01 keep theirs."""
    _add_all(apps, BEFORE, AFTER)
    dated = apps.get_model("records", "DataRecord").objects.filter(
        timestamp__lt=datetime(1, 1, 2, tzinfo=UTC)
    )
    for row in dated.order_by().values("source", "status").annotate(records=Count("pk")):
        _add(apps, row["source"], AFTER, row["status"], -row["records"])
        _add(apps, row["source"], BEFORE, row["status"], row["records"])


def move_back(apps: Any, schema_editor: Any) -> None:
    _add_all(apps, AFTER, BEFORE)


def _add_all(apps: Any, start: date, end: date) -> None:
    counters = apps.get_model("records", "RecordCount").objects.filter(day=start)
    for counter in list(counters):
        _add(apps, counter.source, end, counter.status, counter.count)
    counters.delete()


def _add(apps: Any, source: str, day: date, status: str, count: int) -> None:
    counters = apps.get_model("records", "RecordCount").objects
    counter, _ = counters.get_or_create(
        source=source, day=day, status=status, defaults={"count": 0}
    )
    counter.count += count
    counter.save(update_fields=["count"])


class Migration(migrations.Migration):
    dependencies = [
        ("records", "0020_draft_sources"),
    ]

    operations = [
        migrations.RunPython(move, move_back),
    ]
