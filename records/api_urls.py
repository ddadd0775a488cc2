"""The read side of the REST API, at the URLs that clients know."""

from django.urls import path

from records import api, converters

urlpatterns = [
    path("health", api.HealthView.as_view(), name="api-health"),
    path("records", api.RecordListView.as_view(), name="api-records"),
    path("records/<record_id:record_id>", api.RecordDetailView.as_view(), name="api-record"),
    path("stats", api.StatsView.as_view(), name="api-stats"),
]

__all__ = ["converters", "urlpatterns"]
