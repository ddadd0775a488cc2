"""Views that people have saved: to be looked at; they are changed in the explorer."""

from django.contrib import admin

from records.admin.base import LookOnly
from records.models import SavedView


@admin.register(SavedView)
class SavedViewAdmin(LookOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """States of the explorer, by name."""

    list_display = ("name", "user", "query", "created_at")
    list_select_related = ("user",)
