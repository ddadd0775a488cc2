"""Signs of life of the background workers."""

from django.db import models


class Heartbeat(models.Model):
    """When a worker of a queue last carried out a task: what health checks and pages look at."""

    queue = models.CharField(max_length=40, unique=True)
    seen_at = models.DateTimeField()

    class Meta:
        db_table = "heartbeats"

    def __str__(self) -> str:
        return f"{self.queue}: {self.seen_at}"
