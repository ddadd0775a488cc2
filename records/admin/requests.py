"""The admin of what is kept of requests that import items: read-only."""

from django.contrib import admin

from records.admin.runs import PartOfRunAdmin
from records.models import IdempotencyKey, RowOutcomes

HELP = "Search by the number of an ingestion run."


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(PartOfRunAdmin):
    """Keys that senders have given their requests."""

    list_display = ("id", "key", "user", "run", "created_at")
    list_select_related = ("run", "user")
    search_help_text = HELP


@admin.register(RowOutcomes)
class RowOutcomesAdmin(PartOfRunAdmin):
    """What has become of the items of requests, by batch."""

    list_display = ("id", "run", "position")
    search_help_text = HELP
