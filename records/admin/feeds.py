"""Feeds and the files that they found: read-only, without secrets."""

from django.contrib import admin

from records.admin.base import LargeTable, LookOnly
from records.models import Feed, FolderFile


@admin.register(Feed)
class FeedAdmin(LookOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Automatic imports; they are edited on their own pages."""

    list_display = ("source", "kind", "enabled", "schedule", "next_at")
    list_select_related = ("source",)
    exclude = ("config", "secrets")


@admin.register(FolderFile)
class FolderFileAdmin(LookOnly, LargeTable):
    """Files in folders, with their last known state."""

    list_display = ("name", "feed", "size", "run", "seen_at")
    list_select_related = ("feed__source", "run")
    ordering = ("-id",)
    search_fields = ("name",)
    search_help_text = "Search by file name."
