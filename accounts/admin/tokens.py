"""API tokens in the admin: a list to look at."""

from django.contrib import admin

from accounts.models import ApiToken
from records.admin.base import LookOnly


@admin.register(ApiToken)
class ApiTokenAdmin(LookOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """The tokens of everybody, without what could be used as one."""

    list_display = (
        "name",
        "prefix",
        "owner",
        "kind",
        "scope",
        "created_at",
        "expires_at",
        "revoked_at",
        "last_used_at",
    )
    list_filter = ("kind", "scope")
    list_select_related = ("owner",)
    exclude = ("digest",)
