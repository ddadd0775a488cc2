"""The URLs of all apps."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from explore.api.changes import RunChangesView
from explore.api.exports import ExportDetailView, ExportedFileView
from explore.api.views import DocsView, RootView, SchemaView
from ingestion.api.ingest import IngestView
from ingestion.api.runs import RunDetailView, RunListView
from processing.api.process import ProcessView
from processing.api.rules import RulesView

api: list[URLPattern | URLResolver] = [
    path("", include("explore.api.urls")),
    path("", include("ingestion.api.urls")),
    path("ingest", IngestView.as_view(), name="api-ingest"),
    path("process", ProcessView.as_view(), name="api-process"),
]

urlpatterns = [
    path("", include("explore.urls")),
    path("", include("ingestion.urls")),
    path("", include("processing.urls")),
    path("", include("accounts.urls")),
    path("admin/", admin.site.urls),
    # The API answers under /api/ and, for clients that know it there, at the root.
    path("", include(api)),
    path("api/", include(api)),
    # At the root, runs are pages.
    path("api/runs", RunListView.as_view(), name="api-runs"),
    path("api/runs/<int:pk>", RunDetailView.as_view(), name="api-run"),
    path("api/runs/<int:pk>/changes", RunChangesView.as_view(), name="api-run-changes"),
    # So are exports that workers make.
    path("api/exports/<int:pk>", ExportDetailView.as_view(), name="api-made-export"),
    path("api/exports/<int:pk>/file", ExportedFileView.as_view(), name="api-exported-file"),
    path("api/sources/<source_name:name>/rules", RulesView.as_view(), name="api-rules"),
    path("api/", RootView.as_view(), name="api-root"),
    path("api/schema/", SchemaView.as_view(), name="api-schema"),
    path("api/docs/", DocsView.as_view(url_name="api-schema"), name="api-docs"),
]

handler400 = "web.errors.bad_request"
handler404 = "web.errors.not_found"
handler429 = "accounts.sign_in.limits.too_many_requests"
