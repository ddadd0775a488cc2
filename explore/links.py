"""The pages of records, sources, runs, exports, saved questions and views, and dashboards."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from django.urls import reverse


def _record(record: Any) -> str:
    # A key may hold "/" and even "/../", which a browser would resolve; reverse() leaves
    # slashes as they are, so the id is put in afterwards.
    return str(reverse("record", args=["-"])).removesuffix("-") + quote(record.id, safe="")


def _ingestion_run(run: Any) -> str:
    return reverse("preview" if run.state == "draft" else "ingestion-run", args=[run.pk])


URLS: dict[str, Callable[[Any], str]] = {
    "records.datarecord": _record,
    "records.source": lambda source: reverse("source", args=[source.name]),
    "records.ingestionrun": _ingestion_run,
    "records.processingrun": lambda run: reverse("processing-run", args=[run.pk]),
    "records.export": lambda export: reverse("made-export", args=[export.pk]),
    "records.savedquestion": lambda saved: f"{reverse('questions')}?{saved.query}&saved={saved.pk}",
    "records.dashboard": lambda dashboard: reverse("own-dashboard", args=[dashboard.pk]),
    "records.savedview": lambda view: f"{reverse('explorer')}?{view.query}",
}
