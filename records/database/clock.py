"""The clock of an installation is that of its database.

Leases, wake-up calls and schedules compare moments that different hosts have written, and the
clocks of hosts differ.
"""

from datetime import datetime

from django.db import connection
from django.utils import timezone


def now() -> datetime:
    """The current time, in UTC, as the database has it.

    SQLite is a library in this process, so this host's clock is its clock.
    """
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        # Not now(): that is when the transaction began.
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
        return moment
