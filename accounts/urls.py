"""The URLs of a person's own account and of the settings of an installation.

django-allauth finds its pages by the names that begin with ``account_``. Only what we link is
routed.
"""

from django.urls import URLPattern, path

from accounts.sign_in.pages import LoginView, LogoutView

urlpatterns: list[URLPattern] = [
    path("login/", LoginView.as_view(), name="login"),
    path("login/", LoginView.as_view(), name="account_login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("logout/", LogoutView.as_view(), name="account_logout"),
]
