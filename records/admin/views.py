"""Saved views: read-only here, they are edited in the explorer."""

from django.contrib import admin

from records.admin.base import LookOnly
from records.models import Dashboard, FirstPage, SavedQuestion, SavedView, ShareLink


@admin.register(SavedView)
class SavedViewAdmin(LookOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Saved views of the explorer."""

    list_display = ("name", "user", "query", "created_at")
    list_select_related = ("user",)


@admin.register(SavedQuestion)
class SavedQuestionAdmin(LookOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Saved questions."""

    list_display = ("name", "owner", "audience", "group", "query", "changed_at")
    list_select_related = ("owner", "group")


@admin.register(Dashboard)
class DashboardAdmin(LookOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Dashboards of saved questions."""

    list_display = ("name", "owner", "audience", "group", "query", "changed_at")
    list_select_related = ("owner", "group")


@admin.register(FirstPage)
class FirstPageAdmin(LookOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """The dashboards that people have chosen as their first page."""

    list_display = ("user", "dashboard")
    list_select_related = ("user", "dashboard")


@admin.register(ShareLink)
class ShareLinkAdmin(LookOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Links by which people without an account see a question or a dashboard."""

    list_display = ("__str__", "maker", "created_at", "expires_at", "revoked_at", "last_used_at")
    list_select_related = ("maker", "question", "dashboard")
