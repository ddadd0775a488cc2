"""The URLs of a person's own account and of the settings of an installation."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
