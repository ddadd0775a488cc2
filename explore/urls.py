"""The URLs of the pages that show data."""

from django.urls import path

from explore.pages import (
    bulk_actions,
    dashboard,
    explorer,
    export,
    exports,
    questions,
    records,
    run_changes,
    runs,
    saved_views,
    sources,
)

urlpatterns = [
    path("", dashboard.dashboard, name="dashboard"),
    path("counted", dashboard.counted, name="counted"),
    path("charts/<slug:name>.<slug:kind>", dashboard.chart_file, name="chart-file"),
    path("explore/", explorer.explorer, name="explorer"),
    path("explore/facets", explorer.facets, name="facets"),
    path("explore/do/<slug:name>", bulk_actions.act, name="act"),
    path("explore/views/save", saved_views.save_view, name="save-view"),
    path("explore/views/<int:pk>/remove", saved_views.remove_view, name="remove-view"),
    path("explore/export", export.export, name="export"),
    path("explore/record/<record_id:record_id>", records.record, name="record"),
    path("questions/", questions.questions, name="questions"),
    path("exports/", exports.exports, name="exports"),
    path("exports/<int:pk>/", exports.made_export, name="made-export"),
    path("exports/<int:pk>/file", exports.exported_file, name="exported-file"),
    path("exports/<int:pk>/cancel/", exports.cancel_export, name="cancel-export"),
    path("runs/", runs.runs, name="runs"),
    path("runs/ingestion/<int:pk>/", runs.ingestion_run, name="ingestion-run"),
    path("runs/ingestion/<int:pk>/changes/", run_changes.run_changes, name="run-changes"),
    path("runs/ingestion/<int:pk>/cancel/", runs.cancel_ingestion, name="cancel-ingestion"),
    path("runs/ingestion/<int:pk>/retry/", runs.retry_ingestion, name="retry-ingestion"),
    path("runs/processing/<int:pk>/", runs.processing_run, name="processing-run"),
    path("runs/processing/<int:pk>/cancel/", runs.cancel_processing, name="cancel-processing"),
    path("runs/processing/<int:pk>/retry/", runs.retry_processing, name="retry-processing"),
    path("sources/", sources.sources, name="sources"),
    path("sources/<source_name:name>/", sources.source, name="source"),
]
