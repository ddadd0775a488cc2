"""The admin: every table can be viewed, and edits go through the store."""

from django.contrib import admin

from records.admin import (
    closings,
    columns,
    feeds,
    keys,
    records,
    requests,
    results,
    runs,
    sources,
    texts,
    views,
)

admin.site.site_header = "DataFlow Analytics"
admin.site.site_title = "DataFlow Analytics"
admin.site.index_title = "Administration"

__all__ = [
    "closings",
    "columns",
    "feeds",
    "keys",
    "records",
    "requests",
    "results",
    "runs",
    "sources",
    "texts",
    "views",
]
