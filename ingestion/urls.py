"""The page by which files come in."""

from django.urls import path

from ingestion import views

urlpatterns = [path("upload/", views.upload, name="upload")]
