"""The forms of signing in."""

from typing import Any

from allauth.account.forms import LoginForm as AllauthLoginForm


class LoginForm(AllauthLoginForm):
    """Username and password. A name may be an email address."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].max_length = 254

    def add_prefix(self, field_name: str) -> str:
        # The name by which browsers have stored it, and programs send it.
        return "username" if field_name == "login" else super().add_prefix(field_name)
