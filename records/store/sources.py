"""Sources that are no longer wanted."""

from django.db import transaction

from records.changes import Change, tell
from records.errors import SourceHasRecords
from records.models import DataRecord, RecordCount, Source, ValueCount


def delete_source(*, source: Source) -> None:
    """Delete a source without records, with its runs, rejected rows, rules and counters.

    Raises SourceHasRecords. A run of it that is under way loses its lease.
    """
    with transaction.atomic():
        # Landing takes the same lock, so that no record comes in between.
        Source.everything.select_for_update().get(pk=source.pk)
        if DataRecord.objects.of_source(source.name).exists():
            raise SourceHasRecords(source.name)
        RecordCount.objects.filter(source=source.name).delete()
        ValueCount.objects.filter(source=source.name).delete()
        pk = source.pk
        source.delete()
        # Of a draft's source nobody else has known.
        if not source.is_draft:
            tell(
                Change(
                    action="source.deleted",
                    kind="source",
                    object_id=pk,
                    label=source.name,
                    source=source.name,
                    before=source.settings,
                )
            )
