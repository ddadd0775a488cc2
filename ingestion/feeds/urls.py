"""The pages of automatic imports."""

from django.urls import path

from ingestion.feeds import views

urlpatterns = [
    path("feeds/new/", views.new_feed, name="new-feed"),
    path("sources/<source_name:name>/feed/", views.feed, name="feed"),
    path("sources/<source_name:name>/feed/load/", views.load_now, name="feed-load"),
    path("sources/<source_name:name>/feed/remove/", views.remove, name="feed-remove"),
]
