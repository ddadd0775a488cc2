"""Feeds and the files that they saw: to be looked at, but for what may hold a secret."""

from django.contrib import admin

from records.admin.base import LargeTable, LookOnly
from records.models import Feed, FolderFile


@admin.register(Feed)
class FeedAdmin(LookOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Where sources get their inputs by themselves; changed on the pages of feeds."""

    list_display = ("source", "kind", "enabled", "schedule", "next_at")
    list_select_related = ("source",)
    exclude = ("config", "secrets")


@admin.register(FolderFile)
class FolderFileAdmin(LookOnly, LargeTable):
    """Files of folders, as they were seen last."""

    list_display = ("name", "feed", "size", "run", "seen_at")
    list_select_related = ("feed__source", "run")
    ordering = ("-id",)
    search_fields = ("name",)
    search_help_text = "The name of a file."
