"""The URLs of the REST API of what comes in."""

from django.urls import path

from ingestion.api import receipts, rejected

urlpatterns = [
    path("rejected-rows", rejected.RejectedListView.as_view(), name="api-rejected-rows"),
    path("rejected-rows/<int:pk>", rejected.RejectedDetailView.as_view(), name="api-rejected-row"),
    path("rejected-rows/<int:pk>/replay", rejected.RepairView.as_view(), name="api-repair"),
    path(
        "sources/<source_name:name>/receipts",
        receipts.SourceReceiptsView.as_view(),
        name="api-source-receipts",
    ),
    path("receipt-key", receipts.ReceiptKeyView.as_view(), name="api-receipt-key"),
]

# What belongs to an ingestion run, behind its URL.
of_run = [
    path(
        "<int:pk>/rejected-rows",
        rejected.RunRejectedListView.as_view(),
        name="api-run-rejected-rows",
    ),
    path("<int:pk>/replay", rejected.ReplayView.as_view(), name="api-run-replay"),
    path("<int:pk>/receipt", receipts.ReceiptView.as_view(), name="api-receipt"),
    path("<int:pk>/undo/receipt", receipts.UndoReceiptView.as_view(), name="api-undo-receipt"),
]
