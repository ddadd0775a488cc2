"""The URLs of the read side of the REST API."""

from django.urls import path

from explore.api import edits, views
from explore.api.export import ExportView
from explore.api.facets import FacetsView

urlpatterns = [
    path("health", views.HealthView.as_view(), name="api-health"),
    # No id of a record is without a colon.
    path("records/facets", FacetsView.as_view(), name="api-facets"),
    path("export", ExportView.as_view(), name="api-export"),
    path("stats", views.StatsView.as_view(), name="api-stats"),
]

# Without a version, records are read and created, as ever.
older_records = [
    path("records", views.RecordListView.as_view(), name="api-records"),
    path("records/<record_id:record_id>", views.RecordDetailView.as_view(), name="api-record"),
]

records = [
    path("records", edits.EditableRecordListView.as_view(), name="api-records"),
    path("records/<record_id:record_id>", edits.EditableRecordView.as_view(), name="api-record"),
]
