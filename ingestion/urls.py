"""The pages by which files come in, and what sources remember for the next ones."""

from django.urls import path

from ingestion import source_settings, views

urlpatterns = [
    path("upload/", views.upload, name="upload"),
    path("upload/<int:pk>/", views.preview, name="preview"),
    path("upload/<int:pk>/dry-run/", views.dry_run, name="preview-dry-run"),
    path("sources/<source_name:name>/settings/", source_settings.settings, name="source-settings"),
]
