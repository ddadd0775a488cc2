"""The URLs of a person's own account and of the settings of an installation.

django-allauth finds its pages by the names that begin with ``account_``. Only what we link is
routed.
"""

from django.urls import URLPattern, URLResolver, path, re_path

from accounts.oauth import views as oauth
from accounts.pages import audit, clients, groups, people, tokens
from accounts.sign_in import openid_connect, pages, second_factor_pages

urlpatterns: list[URLPattern | URLResolver] = [
    path("login/", pages.LoginView.as_view(), name="login"),
    path("login/", pages.LoginView.as_view(), name="account_login"),
    path("login/reset/", pages.PasswordResetView.as_view(), name="account_reset_password"),
    path(
        "login/reset/sent/",
        pages.PasswordResetDoneView.as_view(),
        name="account_reset_password_done",
    ),
    re_path(
        r"^login/reset/(?P<uidb36>[0-9A-Za-z]{1,20})-(?P<key>[0-9A-Za-z-]{1,80})/$",
        pages.NewPasswordView.as_view(),
        name="account_reset_password_from_key",
    ),
    path("logout/", pages.LogoutView.as_view(), name="logout"),
    path("logout/", pages.LogoutView.as_view(), name="account_logout"),
    path("account/", pages.account, name="account"),
    path("account/password/", pages.PasswordChangeView.as_view(), name="account_change_password"),
    path("account/sessions/", pages.session_list, name="account-sessions"),
    path("account/sessions/end/", pages.end_other_sessions, name="account-end-others"),
    path("account/sessions/<int:pk>/end/", pages.end_session, name="account-end-session"),
    path("settings/audit/", audit.entries, name="audit"),
    path("settings/audit/<int:number>/", audit.entry, name="audit-entry"),
    path("settings/audit/export", audit.export, name="audit-export"),
    *second_factor_pages.urlpatterns,
    *openid_connect.urlpatterns,
    path("account/tokens/", tokens.own_tokens, name="own-tokens"),
    path("account/tokens/<int:pk>/revoke/", tokens.revoke_token, name="revoke-token"),
    *oauth.urlpatterns,
    path("account/applications/", clients.applications, name="own-applications"),
    path("account/applications/<slug:pk>/end/", clients.end_application, name="end-application"),
    path("settings/clients/", clients.clients, name="oauth-clients"),
    path("settings/clients/<slug:pk>/revoke/", clients.revoke_client, name="revoke-client"),
    path("settings/people/", people.people, name="people"),
    path("settings/people/<int:pk>/", people.person, name="person"),
    path("settings/groups/", groups.groups, name="groups"),
    path("settings/groups/<int:pk>/", groups.group, name="group"),
    path("settings/tokens/", tokens.all_tokens, name="all-tokens"),
]
