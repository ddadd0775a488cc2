"""Base classes of the admin: read-only tables, and lists of large tables."""

from functools import cached_property
from typing import Any, cast

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest

LISTED = 1_000
# How much of its history the page of a record shows; the lists of versions and results have it all.
NEWEST = 50


class FirstRows(Paginator):  # type: ignore[type-arg]
    """Pages over the first LISTED rows: a table of millions is neither counted nor skipped."""

    @cached_property
    def count(self) -> int:
        rows = cast("QuerySet[Any]", self.object_list)
        return len(rows.values_list("pk")[:LISTED])


class LargeTable(admin.ModelAdmin):  # type: ignore[type-arg]
    """The list of a table that may have millions of rows, sorted by key only."""

    paginator = FirstRows
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_max_show_all = 0
    sortable_by = ()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search for the whole term: ids may contain spaces."""
        term = search_term.strip()
        return (self.matching(queryset, term) if term else queryset), False

    def matching(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        (field,) = self.search_fields
        return rows.filter(**{field: term})


class LookOnly:
    """A read-only table."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False


class NewestRows(BaseInlineFormSet):  # type: ignore[type-arg]
    """The newest rows of a history."""

    def get_queryset(self) -> Any:
        if not hasattr(self, "_newest"):
            self._newest = list(super().get_queryset()[:NEWEST])
        return self._newest


class HistoryInline(LookOnly, admin.TabularInline):  # type: ignore[type-arg]
    """The history of a record, below it."""

    formset: type[NewestRows] = NewestRows
    extra = 0
    show_change_link = True
