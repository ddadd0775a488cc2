"""Saved views: read-only here, they are edited in the explorer."""

from django.contrib import admin

from records.admin.base import LookOnly
from records.models import SavedView


@admin.register(SavedView)
class SavedViewAdmin(LookOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Saved views of the explorer."""

    list_display = ("name", "user", "query", "created_at")
    list_select_related = ("user",)
