"""What this product decides of the sign-in that django-allauth does."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

NO_MATCH = "Username and password don't match. Check both; passwords are case-sensitive."


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by administrators; pages are answered as pages."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": NO_MATCH,
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_ajax(self, request: HttpRequest) -> bool:
        return False
