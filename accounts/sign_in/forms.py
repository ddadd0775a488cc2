"""The forms of signing in."""

import time
from typing import Any

from allauth.account import forms as allauth
from django.http import HttpRequest

from accounts.sign_in import people

# How long asking for a mail takes, whether the address has an account or not.
RESET_SECONDS = 0.3


class LoginForm(allauth.LoginForm):
    """Username and password. A name may be an email address."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].max_length = 254

    def add_prefix(self, field_name: str) -> str:
        # The name by which browsers have stored it, and programs send it.
        return "username" if field_name == "login" else super().add_prefix(field_name)


class ChangePasswordForm(allauth.ChangePasswordForm):
    """The present password and, twice, the new one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        label(self, oldpassword="Current password", password1="New password")
        label(self, password2="New password again")


class ResetPasswordForm(allauth.ResetPasswordForm):
    """The address that a mail with a link goes to."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        label(self, email="Email address")

    def clean_email(self) -> str:
        address: str = self.cleaned_data["email"]
        users = people.of_address(address).filter(is_active=True)
        # Who logs in elsewhere has no password here.
        self.users = [user for user in users if user.has_usable_password()]
        return address

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        began = time.monotonic()
        address: str = super().save(request, **kwargs)
        time.sleep(max(0.0, began + RESET_SECONDS - time.monotonic()))
        return address


class NewPasswordForm(allauth.ResetPasswordKeyForm):
    """The new password, twice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        label(self, password1="New password", password2="New password again")


def label(form: Any, **labels: str) -> None:
    """Name the fields of a form in our words, without words inside them."""
    for name, label in labels.items():
        form.fields[name].label = label
        form.fields[name].widget.attrs.pop("placeholder", None)
