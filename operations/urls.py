"""The URLs of what watches the installation."""

from django.urls import path

from operations import pages, views

urlpatterns = [
    path("health/live", views.live, name="health-live"),
    path("health/ready", views.ready, name="health-ready"),
    path("metrics", views.metrics, name="metrics"),
    path("settings/operations/", pages.operations, name="operations"),
]
