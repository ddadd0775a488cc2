from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts.sign_in import sessions  # noqa: F401
        from accounts.tokens import schema  # noqa: F401 (registers itself)
