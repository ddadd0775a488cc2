"""The read side of the REST API, at the URLs that clients know."""

from django.urls import path

from records.api import views
from records.api.export import ExportView

urlpatterns = [
    path("health", views.HealthView.as_view(), name="api-health"),
    path("records", views.RecordListView.as_view(), name="api-records"),
    path("records/<record_id:record_id>", views.RecordDetailView.as_view(), name="api-record"),
    path("export", ExportView.as_view(), name="api-export"),
    path("stats", views.StatsView.as_view(), name="api-stats"),
]
