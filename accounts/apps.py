from django.apps import AppConfig
from django.urls import reverse


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts.audit import listeners
        from web.links import PAGES

        listeners.connect()
        PAGES["accounts.auditentry"] = lambda entry: reverse("audit-entry", args=[entry.pk])
