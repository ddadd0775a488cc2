"""Which other ids runs have given records."""

from django.contrib import admin

from records.admin.base import LISTED, LargeTable, LookOnly
from records.admin.runs import RunAdmin
from records.models import RecordKey, Rekey


@admin.register(RecordKey)
class RecordKeyAdmin(LookOnly, LargeTable):
    """Former and new ids of records, with the runs that gave them."""

    list_display = ("id", "record_id", "former_id", "run_id", "at", "undone_at")
    ordering = ("-id",)
    search_fields = ("record_id",)
    search_help_text = f"Search by the full id of a record. Shows at most {LISTED:,} keys."
    fields = ("record_id", "former_id", "new_id", "run", "at", "undone_at")


@admin.register(Rekey)
class RekeyAdmin(RunAdmin):
    """How far runs are that give records another key."""

    list_display = ("run_id", "total", "kept")
    list_filter = ()
    list_select_related = ()
    ordering = ("-run_id",)
    fields = ("run", "cursor", "total", "kept", "former_mapping")
