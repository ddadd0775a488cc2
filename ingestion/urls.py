"""The pages for uploads, rejected rows, undo and source settings."""

from django.urls import path

from ingestion import rejected_pages, source_settings, undo_page, views

urlpatterns = [
    path("upload/", views.upload, name="upload"),
    path("upload/<int:pk>/", views.preview, name="preview"),
    path("rejected/", rejected_pages.rejected, name="rejected"),
    path("rejected/<int:pk>/", rejected_pages.rejected_row, name="rejected-row"),
    path("runs/ingestion/<int:pk>/rejected.csv", rejected_pages.rejected_csv, name="rejected-csv"),
    path("runs/ingestion/<int:pk>/replay/", rejected_pages.replay_run, name="replay-run"),
    path("runs/ingestion/<int:pk>/undo/", undo_page.undo_run, name="undo-run"),
    path("upload/<int:pk>/dry-run/", views.dry_run, name="preview-dry-run"),
    path("sources/<source_name:name>/settings/", source_settings.settings, name="source-settings"),
]
