"""The admin: a look into every table, and changes by hand through the write door."""

from django.contrib import admin

from records.admin import feeds, records, results, runs, sources, texts, views

admin.site.site_header = "DataFlow Analytics"
admin.site.site_title = "DataFlow Analytics"
admin.site.index_title = "Administration"

__all__ = ["feeds", "records", "results", "runs", "sources", "texts", "views"]
