"""The pages for uploads, rejected rows, undo and source settings."""

from django.urls import path

from ingestion.pages import feeds, rejected, source_settings, undo, upload

urlpatterns = [
    path("upload/", upload.upload, name="upload"),
    path("upload/<int:pk>/", upload.preview, name="preview"),
    path("rejected/", rejected.rejected, name="rejected"),
    path("rejected/<int:pk>/", rejected.rejected_row, name="rejected-row"),
    path("runs/ingestion/<int:pk>/rejected.csv", rejected.rejected_csv, name="rejected-csv"),
    path("runs/ingestion/<int:pk>/replay/", rejected.replay_run, name="replay-run"),
    path("runs/ingestion/<int:pk>/undo/", undo.undo_run, name="undo-run"),
    path("upload/<int:pk>/dry-run/", upload.dry_run, name="preview-dry-run"),
    path("sources/<source_name:name>/settings/", source_settings.settings, name="source-settings"),
    path("feeds/new/", feeds.new_feed, name="new-feed"),
    path("sources/<source_name:name>/feed/", feeds.feed, name="feed"),
    path("sources/<source_name:name>/feed/load/", feeds.load_now, name="feed-load"),
    path("sources/<source_name:name>/feed/remove/", feeds.remove, name="feed-remove"),
]
