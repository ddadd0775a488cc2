"""The forms of the second factor, in the words of our pages."""

from typing import Any

from allauth.mfa.base import forms as base
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as webauthn

from accounts.sign_in.forms import label


class ActivateTOTPForm(totp.ActivateTOTPForm):
    """The first code of an app."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        label(self, code="Code")


class AuthenticateForm(base.AuthenticateForm):
    """A code when logging in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        label(self, code="Code")


class ReauthenticateForm(base.ReauthenticateForm):
    """A code to confirm who is there."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        label(self, code="Code")


class AddWebAuthnForm(webauthn.AddWebAuthnForm):
    """The name of a new passkey, and whether it is used without a password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["name"] = "Passkey"
        label(self, name="Name", passwordless="Log in with this passkey alone")
        self.fields["name"].max_length = 100
        self.fields["passwordless"].help_text = "It then asks for a finger, a face or a PIN."
