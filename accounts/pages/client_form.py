"""The form by which administrators create clients of OAuth 2."""

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from accounts.models import TokenScope
from accounts.oauth.clients import ClientKind
from accounts.pages.token_form import ServiceTokenForm

LOOPBACK = ("127.0.0.1", "::1", "localhost")


class ClientForm(ServiceTokenForm):
    """What a client is, as whom it works, and what it may do."""

    kind = forms.ChoiceField(label="Kind", choices=ClientKind.choices)  # type: ignore[assignment]
    redirect_uris = forms.CharField(
        label="Redirect URIs",
        required=False,
        max_length=4_000,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text="Where people are sent back to, one a line, exactly as the application asks. "
        "None for a service.",
    )
    days = None  # type: ignore[assignment]
    field_order = (  # type: ignore[assignment]
        "name",
        "kind",
        "owner",
        "scope",
        "redirect_uris",
        "sources",
    )

    def clean_redirect_uris(self) -> list[str]:
        uris: list[str] = self.cleaned_data["redirect_uris"].split()
        for uri in uris:
            _check(uri)
        return uris

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        is_service = given.get("kind") == ClientKind.SERVICE
        if "redirect_uris" in given and is_service == bool(given["redirect_uris"]):
            wrong = "A service has no redirect URIs." if is_service else "Enter a redirect URI."
            self.add_error("redirect_uris", wrong)
        return given

    def given(self) -> dict[str, Any]:
        said = self.cleaned_data
        return {
            "name": said["name"],
            "kind": ClientKind(said["kind"]),
            "owner": said["owner"],
            "scope": TokenScope(said["scope"]),
            "sources": said["sources"] or None,
            "redirect_uris": said["redirect_uris"],
        }


def _check(uri: str) -> None:
    """Raise ValidationError for what no one should be sent to."""
    message = f"{uri} is not an https:// URL, nor an http:// URL of the own machine."
    try:
        parts = urlsplit(uri)
        is_own = parts.scheme == "http" and parts.hostname in LOOPBACK
        if not (parts.scheme == "https" or is_own) or parts.username or "#" in uri or "*" in uri:
            raise ValidationError(message)
        if not is_own:
            URLValidator(schemes=["https"])(uri)
        _ = parts.port
    except (ValidationError, ValueError):
        raise ValidationError(message) from None
