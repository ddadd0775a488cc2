"""The URLs of the API: those of version 1, and the older ones that clients know.

A version is a namespace, so that what answers under it links to it.
"""

from django.urls import URLPattern, URLResolver, include, path

from accounts.tokens import schema  # noqa: F401 (describes how the API is signed in to)
from explore.api import urls as record_urls
from explore.api.changes import RunChangesView
from explore.api.dashboards import DashboardListView, DashboardView
from explore.api.exports import ExportDetailView, ExportedFileView
from explore.api.history import HistoryView
from explore.api.questions import AnswerView
from explore.api.saved_questions import (
    SavedAnswerView,
    SavedQuestionListView,
    SavedQuestionView,
)
from explore.api.saved_views import ViewListView, ViewView
from explore.api.sources import SourceListView, SourceView
from explore.api.sql import SqlView
from explore.api.views import DocsView, RootView, SchemaView
from ingestion.api import urls as ingestion_urls
from ingestion.api.drafts import DraftView
from ingestion.api.events import EventsView
from ingestion.api.feeds import FeedListView, FeedView, RunFeedView, TryFeedView
from ingestion.api.ingest import DryRunView, IngestView
from ingestion.api.rekey import RekeyView
from ingestion.api.runs import RunDetailView, RunListView
from ingestion.api.undo import UndoView
from processing.api.process import ProcessView
from processing.api.rules import RulesView, RuleTestView, RuleVersionsView
from records.api import runs
from web.api.catalogue import ProblemListView, ProblemView

Patterns = list[URLPattern | URLResolver]

# What also answers at the root, where runs, exports and sources are pages.
short: Patterns = [
    path("", include(record_urls)),
    path("", include("ingestion.api.urls")),
    path("ingest", IngestView.as_view(), name="api-ingest"),
    path("process", ProcessView.as_view(), name="api-process"),
]

everywhere: Patterns = [
    *short,
    path("exports/<int:pk>", ExportDetailView.as_view(), name="api-made-export"),
    path("exports/<int:pk>/file", ExportedFileView.as_view(), name="api-exported-file"),
    path("sources/<source_name:name>/rules", RulesView.as_view(), name="api-rules"),
    path("sources/<source_name:name>/events", EventsView.as_view(), name="api-events"),
    path("schema/", SchemaView.as_view(), name="api-schema"),
]

# Without a version, runs are ingestion runs.
older: Patterns = [
    path("", include(record_urls.older_records)),
    path("runs/", include(ingestion_urls.of_run)),
]

root: Patterns = [*short, *older]

unversioned: Patterns = [
    *everywhere,
    *older,
    path("runs", RunListView.as_view(), name="api-runs"),
    path("runs/<int:pk>", RunDetailView.as_view(), name="api-run"),
    path("runs/<int:pk>/changes", RunChangesView.as_view(), name="api-run-changes"),
    path("", RootView.as_view(), name="api-root"),
    path("docs/", DocsView.as_view(url_name="api-schema"), name="api-docs"),
]

# What the root of version 1 lists besides what it always did.
LISTED = {
    "answer": "api-answer",
    "sql": "api-sql",
    "sources": "api-sources",
    "feeds": "api-feeds",
    "views": "api-views",
    "saved_questions": "api-saved-questions",
    "dashboards": "api-dashboards",
    "dry_runs": "api-dry-runs",
    "problems": "api-problems",
}

v1: Patterns = [
    *everywhere,
    path("", include(record_urls.records)),
    path("runs/ingestion/", include(ingestion_urls.of_run)),
    path("questions/answer", AnswerView.as_view(), name="api-answer"),
    path("sql", SqlView.as_view(), name="api-sql"),
    path("history/<record_id:record_id>", HistoryView.as_view(), name="api-history"),
    path("sources", SourceListView.as_view(), name="api-sources"),
    path("sources/<source_name:name>", SourceView.as_view(), name="api-source"),
    path(
        "sources/<source_name:name>/rules/versions",
        RuleVersionsView.as_view(),
        name="api-rule-versions",
    ),
    path("sources/<source_name:name>/rules/test", RuleTestView.as_view(), name="api-rule-test"),
    path("sources/<source_name:name>/rekey", RekeyView.as_view(), name="api-rekey"),
    path("feeds", FeedListView.as_view(), name="api-feeds"),
    path("sources/<source_name:name>/feed", FeedView.as_view(), name="api-feed"),
    path("sources/<source_name:name>/feed/run", RunFeedView.as_view(), name="api-feed-run"),
    path("sources/<source_name:name>/feed/test", TryFeedView.as_view(), name="api-feed-test"),
    path("dry-runs", DryRunView.as_view(), name="api-dry-runs"),
    path("drafts/<int:pk>", DraftView.as_view(), name="api-draft"),
    path("saved-questions", SavedQuestionListView.as_view(), name="api-saved-questions"),
    path("saved-questions/<int:pk>", SavedQuestionView.as_view(), name="api-saved-question"),
    path("saved-questions/<int:pk>/answer", SavedAnswerView.as_view(), name="api-saved-answer"),
    path("dashboards", DashboardListView.as_view(), name="api-dashboards"),
    path("dashboards/<int:pk>", DashboardView.as_view(), name="api-dashboard"),
    path("views", ViewListView.as_view(), name="api-views"),
    path("views/<int:pk>", ViewView.as_view(), name="api-view"),
    path("runs", runs.RunListView.as_view(), name="api-runs"),
    path("runs/<slug:kind>/<int:pk>", runs.RunView.as_view(), name="api-run"),
    path("runs/<slug:kind>/<int:pk>/cancel", runs.CancelView.as_view(), name="api-run-cancel"),
    path("runs/<slug:kind>/<int:pk>/retry", runs.RetryView.as_view(), name="api-run-retry"),
    path("runs/ingestion/<int:pk>/changes", RunChangesView.as_view(), name="api-run-changes"),
    path("runs/ingestion/<int:pk>/undo", UndoView.as_view(), name="api-run-undo"),
    path("", RootView.as_view(listed=RootView.listed | LISTED), name="api-root"),
    path("docs/", DocsView.as_view(url_name="v1:api-schema"), name="api-docs"),
    path("problems", ProblemListView.as_view(), name="api-problems"),
    path("problems/<slug:code>", ProblemView.as_view(), name="api-problem"),
]
