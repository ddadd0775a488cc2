"""The URLs of processing and of the pages of rules."""

from django.urls import path

from processing import rehearsal_pages, rule_pages, views

urlpatterns = [
    path("process/start/", views.start, name="process"),
    path("sources/<source_name:name>/rules/", rule_pages.edit, name="rules"),
    path("sources/<source_name:name>/rules/compare/", rule_pages.compare, name="compare-rules"),
    path("sources/<source_name:name>/rules/rehearse/", rehearsal_pages.start, name="rehearse"),
    path("rehearsals/<int:pk>/", rehearsal_pages.rehearsal, name="rehearsal"),
    path("rehearsals/<int:pk>/cancel/", rehearsal_pages.cancel, name="cancel-rehearsal"),
]
