"""What is known of the backups of this installation."""

from datetime import datetime

from django.db import connection, models
from django.db.models import Max


class BackupQuerySet(models.QuerySet["Backup"]):
    def is_there(self) -> bool:
        """Whether there is this table: a backup is also made before a new version migrates."""
        return self.model._meta.db_table in connection.introspection.table_names()

    def newest(self) -> "Backup | None":
        """The newest one that was made."""
        return self.filter(error="").order_by("-finished_at").first()

    def last_verified(self) -> datetime | None:
        """When a backup was last found to be intact."""
        found: datetime | None = self.filter(verify_error="").aggregate(at=Max("verified_at"))["at"]
        return found


class Backup(models.Model):
    """A backup that was made, or that could not be made."""

    # As its manifest has it; of a backup that failed, nobody has a manifest.
    id = models.UUIDField(primary_key=True)
    file = models.CharField(max_length=1000)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    bytes = models.PositiveBigIntegerField(default=0)
    # Why it could not be made; "" if it was.
    error = models.TextField(blank=True)
    # When it was last restored into a scratch database, and what was wrong with it then.
    verified_at = models.DateTimeField(null=True)
    verify_error = models.TextField(blank=True)

    objects = BackupQuerySet.as_manager()

    class Meta:
        db_table = "backups"
        ordering = ["-finished_at"]

    def __str__(self) -> str:
        return self.file

    @property
    def seconds(self) -> float:
        return (self.finished_at - self.started_at).total_seconds()
