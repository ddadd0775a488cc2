from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.urls import reverse


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts.audit import listeners
        from accounts.roles import ensure_roles
        from accounts.sign_in import sessions  # noqa: F401 (connects its signals)
        from accounts.tokens import deleted_sources  # noqa: F401 (connects its signal)
        from web.links import PAGES

        post_migrate.connect(ensure_roles, sender=self, dispatch_uid="roles")
        listeners.connect()
        PAGES["accounts.auditentry"] = lambda entry: reverse("audit-entry", args=[entry.pk])
