from django.apps import AppConfig
from django.urls import reverse


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts.audit import listeners
        from accounts.sign_in import sessions  # noqa: F401
        from accounts.tokens import schema  # noqa: F401 (registers itself)
        from web.links import PAGES

        listeners.connect()
        PAGES["accounts.auditentry"] = lambda entry: reverse("audit-entry", args=[entry.pk])
