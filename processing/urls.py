"""The URLs of processing and of the pages of rules."""

from django.urls import path

from processing.pages import number_format, process, rule_dry_runs, rules

urlpatterns = [
    path("process/start/", process.start, name="process"),
    path(
        "sources/<source_name:name>/number-format/",
        number_format.number_format,
        name="number-format",
    ),
    path("sources/<source_name:name>/rules/", rules.edit, name="rules"),
    path("sources/<source_name:name>/rules/compare/", rules.compare, name="compare-rules"),
    path("sources/<source_name:name>/rules/rehearse/", rule_dry_runs.start, name="rehearse"),
    path("rehearsals/<int:pk>/", rule_dry_runs.dry_run, name="rule-dry-run"),
    path("rehearsals/<int:pk>/cancel/", rule_dry_runs.cancel, name="cancel-rule-dry-run"),
]
