"""The start of processing."""

from django.urls import path

from processing import views

urlpatterns = [path("process/start/", views.start, name="process")]
