"""The pages that show what there is."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from records.views import dashboard, explorer, records, runs, sources


class AnyKeyConverter(StringConverter):
    """The id of a record: any characters but NUL, which no id can hold; "/" and line ends too."""

    regex = r"[^\x00]+"


class NameConverter(StringConverter):
    """The name of a source."""

    regex = r"\w[\w.-]*"


register_converter(AnyKeyConverter, "key")
register_converter(NameConverter, "name")

urlpatterns = [
    path("", dashboard.dashboard, name="dashboard"),
    path("explore/", explorer.explorer, name="explorer"),
    path("explore/record/<key:key>", records.record, name="record"),
    path("runs/", runs.runs, name="runs"),
    path("runs/ingestion/<int:pk>/", runs.ingestion_run, name="ingestion-run"),
    path("runs/processing/<int:pk>/", runs.processing_run, name="processing-run"),
    path("sources/", sources.sources, name="sources"),
    path("sources/<name:name>/", sources.source, name="source"),
]
