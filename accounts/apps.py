from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts.roles import ensure_roles
        from accounts.sign_in import sessions  # noqa: F401
        from accounts.tokens import schema  # noqa: F401 (registers itself)

        post_migrate.connect(ensure_roles, sender=self, dispatch_uid="roles")
