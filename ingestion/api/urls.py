"""The URLs of the REST API of what comes in."""

from django.urls import path

from ingestion.api import rejected

urlpatterns = [
    path("rejected-rows", rejected.RejectedListView.as_view(), name="api-rejected-rows"),
    path("rejected-rows/<int:pk>", rejected.RejectedDetailView.as_view(), name="api-rejected-row"),
    path("rejected-rows/<int:pk>/replay", rejected.RepairView.as_view(), name="api-repair"),
]

# What belongs to an ingestion run, behind its URL.
of_run = [
    path(
        "<int:pk>/rejected-rows",
        rejected.RunRejectedListView.as_view(),
        name="api-run-rejected-rows",
    ),
    path("<int:pk>/replay", rejected.ReplayView.as_view(), name="api-run-replay"),
]
