"""The counters that pages read instead of counting rows."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime

from django.db import connection

from records.no_day import NO_DAY


def day_of(timestamp: datetime | str | None) -> date:
    """The day (UTC) under which a record is counted; a text is a moment in UTC."""
    if timestamp is None:
        return NO_DAY
    if isinstance(timestamp, str):
        return date.fromisoformat(timestamp[:10])
    return (timestamp if timestamp.tzinfo is UTC else timestamp.astimezone(UTC)).date()


class CountChanges:
    """Changes of RecordCount, gathered while rows are written and applied in one statement."""

    def __init__(self) -> None:
        self._changes: Counter[tuple[str, date, str]] = Counter()
        self._values: Counter[tuple[str, str]] = Counter()

    def add(
        self, source: str, timestamp: datetime | str | None, status: str, count: int = 1
    ) -> None:
        self._changes[source, day_of(timestamp), status] += count

    def add_day(self, source: str, day: date, status: str, count: int) -> None:
        """So many records of a day (UTC) more."""
        self._changes[source, day, status] += count

    def add_all(self, source: str, timestamps: Iterable[str | None], status: str) -> None:
        """Records with these timestamps came, all of one source and status."""
        days = Counter([timestamp and timestamp[:10] for timestamp in timestamps])
        for day, count in days.items():
            self.add(source, day, status, count)

    def move(self, source: str, timestamp: datetime | None, before: str, after: str) -> None:
        """A record went from one status to another."""
        self.add(source, timestamp, before, -1)
        self.add(source, timestamp, after, 1)

    def add_values(self, source: str, *, filled: int, unread: int) -> None:
        """So many current results with a value more, so many of them unread."""
        self._values[source, "filled"] += filled
        self._values[source, "unread"] += unread

    def apply(self) -> None:
        """Write the changes; call it last in the transaction that wrote the rows."""
        self._apply_values()
        # Sorted, so that two transactions lock the counters that they share in the same order.
        changes = sorted((key, count) for key, count in self._changes.items() if count)
        if not changes:
            return
        with connection.cursor() as cursor:
            for start in range(0, len(changes), 200):
                chunk = changes[start : start + 200]
                values = ", ".join(["(%s, %s, %s, %s)"] * len(chunk))
                cursor.execute(
                    "INSERT INTO record_counts (source, day, status, count) "  # noqa: S608
                    f"VALUES {values} ON CONFLICT (source, day, status) "
                    "DO UPDATE SET count = record_counts.count + excluded.count",
                    [part for key, count in chunk for part in (*key, count)],
                )
        self._changes.clear()

    def _apply_values(self) -> None:
        sources = sorted({source for (source, _), count in self._values.items() if count})
        with connection.cursor() as cursor:
            for source in sources:
                counts = [self._values[source, name] for name in ("filled", "unread")]
                cursor.execute(
                    "INSERT INTO value_counts (source, filled, unread) VALUES (%s, %s, %s) "
                    "ON CONFLICT (source) DO UPDATE SET "
                    "filled = value_counts.filled + excluded.filled, "
                    "unread = value_counts.unread + excluded.unread",
                    [source, *counts],
                )
        self._values.clear()
