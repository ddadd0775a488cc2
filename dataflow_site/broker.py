"""The database queue of django-q2, independent of the clocks of the hosts."""

from datetime import UTC, datetime

from django_q.brokers.orm import ORM
from django_q.conf import Conf

# A task is free for a worker once the time of its lock lies in the past of that worker's clock.
FREE = datetime(2000, 1, 1, tzinfo=UTC)


class Broker(ORM):  # type: ignore[misc]  # django-q2 has no types
    """django-q2's own broker, whose new tasks are free at once for workers of every host.

    It would lock a new task until now by the clock of the host that enqueues it: a worker whose
    clock is an hour behind would leave it alone for an hour.
    """

    def enqueue(self, task: str) -> int:
        key = self.list_key or Conf.CLUSTER_NAME
        number: int = self.get_connection().create(key=key, payload=task, lock=FREE).pk
        return number
