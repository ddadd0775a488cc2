"""The audit log in the admin: read-only."""

from django.contrib import admin

from accounts.models import AuditEntry
from records.admin.base import LargeTable, LookOnly


@admin.register(AuditEntry)
class AuditEntryAdmin(LookOnly, LargeTable):
    """Entries of the audit log."""

    list_display = ("number", "at", "who", "action", "object_kind", "object_id", "source")
    ordering = ("-number",)
    search_fields = ("user_name",)
    search_help_text = "Search by the name of a person."
