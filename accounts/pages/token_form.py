"""The forms by which people and administrators create API tokens."""

from typing import Any

from django import forms
from django.contrib.auth.models import User

from accounts.models import TokenKind, TokenScope
from accounts.tokens.manage import DEFAULT_LIFETIME, LIFETIMES, LONGEST_NAME, may_create_for
from records.models import Source


def _sources() -> list[tuple[str, str]]:
    """The sources that whoever is served may see."""
    return [(name, name) for name in Source.objects.values_list("name", flat=True)]


class TokenForm(forms.Form):
    """What a personal token is for, and what may be done with it."""

    kind = TokenKind.PERSONAL
    use_required_attribute = False

    name = forms.CharField(
        label="Name",
        max_length=LONGEST_NAME,
        help_text="What uses the token, such as laptop or nightly report.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "required": True}),
    )
    scope = forms.ChoiceField(
        label="Scope",
        choices=TokenScope.choices,
        initial=TokenScope.READ,
        help_text="A token never opens more than its owner may do.",
    )
    days = forms.TypedChoiceField(
        label="Expires",
        coerce=int,
        choices=[(days, f"in {days} days") for days in LIFETIMES],
        initial=DEFAULT_LIFETIME,
    )
    sources = forms.MultipleChoiceField(
        label="Sources",
        choices=_sources,
        required=False,
        help_text="Select none for all sources that the owner may see.",
        widget=forms.SelectMultiple(attrs={"size": 4}),
    )

    def given(self) -> dict[str, Any]:
        """What the token is created with."""
        return {
            "kind": self.kind,
            "name": self.cleaned_data["name"],
            "scope": TokenScope(self.cleaned_data["scope"]),
            "days": self.cleaned_data["days"],
            "sources": self.cleaned_data["sources"] or None,
        }


class ServiceTokenForm(TokenForm):
    """A service token, which an administrator creates for any user who may do no more."""

    kind = TokenKind.SERVICE

    owner = forms.CharField(
        label="Owner",
        max_length=150,
        help_text="The user as whom the service works.",
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "required": True}
        ),
    )
    days = forms.TypedChoiceField(
        label="Expires",
        coerce=int,
        empty_value=None,
        required=False,
        choices=[*((days, f"in {days} days") for days in LIFETIMES), ("", "never")],
        initial=DEFAULT_LIFETIME,
    )
    field_order = ("name", "owner", "scope", "days", "sources")

    def __init__(self, creator: User, data: Any = None) -> None:
        self.creator = creator
        super().__init__(data)

    def clean_owner(self) -> User:
        found = User.objects.filter(username=self.cleaned_data["owner"]).first()
        if found is None:
            raise forms.ValidationError("There is no such user.")
        if not may_create_for(self.creator, found):
            raise forms.ValidationError("This user may do more than you.")
        return found

    def given(self) -> dict[str, Any]:
        return super().given() | {"owner": self.cleaned_data["owner"]}
