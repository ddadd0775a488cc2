"""The URLs of the API: those of version 1, and the older ones that clients know.

A version is a namespace, so that what answers under it links to it.
"""

from django.urls import URLPattern, URLResolver, include, path

from explore.api.changes import RunChangesView
from explore.api.exports import ExportDetailView, ExportedFileView
from explore.api.views import DocsView, RootView, SchemaView
from ingestion.api.ingest import IngestView
from ingestion.api.runs import RunDetailView, RunListView
from processing.api.process import ProcessView
from processing.api.rules import RulesView
from web.api.catalogue import ProblemListView, ProblemView

Patterns = list[URLPattern | URLResolver]

# What also answers at the root, where runs, exports and sources are pages.
short: Patterns = [
    path("", include("explore.api.urls")),
    path("", include("ingestion.api.urls")),
    path("ingest", IngestView.as_view(), name="api-ingest"),
    path("process", ProcessView.as_view(), name="api-process"),
]

everywhere: Patterns = [
    *short,
    path("exports/<int:pk>", ExportDetailView.as_view(), name="api-made-export"),
    path("exports/<int:pk>/file", ExportedFileView.as_view(), name="api-exported-file"),
    path("runs", RunListView.as_view(), name="api-runs"),
    path("runs/<int:pk>", RunDetailView.as_view(), name="api-run"),
    path("runs/<int:pk>/changes", RunChangesView.as_view(), name="api-run-changes"),
    path("sources/<source_name:name>/rules", RulesView.as_view(), name="api-rules"),
    path("schema/", SchemaView.as_view(), name="api-schema"),
]

unversioned: Patterns = [
    *everywhere,
    path("", RootView.as_view(), name="api-root"),
    path("docs/", DocsView.as_view(url_name="api-schema"), name="api-docs"),
]

# What the root of version 1 lists besides what it always did.
LISTED = {"problems": "api-problems"}

v1: Patterns = [
    *everywhere,
    path("", RootView.as_view(listed=RootView.listed | LISTED), name="api-root"),
    path("docs/", DocsView.as_view(url_name="v1:api-schema"), name="api-docs"),
    path("problems", ProblemListView.as_view(), name="api-problems"),
    path("problems/<slug:code>", ProblemView.as_view(), name="api-problem"),
]
