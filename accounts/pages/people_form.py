"""The forms by which administrators add people and groups, and change what they may do."""

from typing import Any

from django import forms
from django.contrib.auth.models import Group, User
from django.contrib.auth.password_validation import validate_password

from accounts.roles import MEANINGS, ROLES
from records.models import Source


def _sources() -> list[tuple[str, str]]:
    return [(name, name) for name in Source.objects.names()]


class SourcesForm(forms.Form):
    """The sources that a person or a group is limited to."""

    use_required_attribute = False

    all_sources = forms.BooleanField(label="All sources", required=False, initial=True)
    sources = forms.MultipleChoiceField(
        label="Only these sources",
        choices=_sources,
        required=False,
        widget=forms.SelectMultiple(attrs={"size": 6}),
    )

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if said.get("all_sources") and said.get("sources"):
            self.add_error("sources", "Choose all sources, or only some, not both.")
        return said

    def given(self) -> dict[str, Any]:
        """The fields by name; ``sources`` is None for all."""
        said = dict(self.cleaned_data)
        has_all = said.pop("all_sources")
        return said | {"sources": None if has_all else said["sources"]}


class RightsForm(SourcesForm):
    """The role of a person, and the sources that it is limited to."""

    role = forms.ChoiceField(
        label="Role",
        required=False,
        choices=[("", "No role"), *((role, role) for role in ROLES)],
        help_text=" ".join(f"{role}: {MEANINGS[role]}" for role in ROLES),
    )
    field_order: tuple[str, ...] = ("role", "all_sources", "sources")


class NewPersonForm(RightsForm):
    """A new account."""

    username = forms.CharField(
        label="Username",
        max_length=150,
        validators=[User.username_validator],
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )
    email = forms.EmailField(label="Email address", required=False, max_length=254)
    password = forms.CharField(
        label="Password",
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Tell it to the person, who can change it.",
    )
    field_order = ("username", "email", "password", "role", "all_sources", "sources")

    def clean_username(self) -> str:
        name: str = self.cleaned_data["username"]
        if User.objects.filter(username__iexact=name).exists():
            raise forms.ValidationError("There is already an account with this username.")
        return name

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        if email and User.objects.filter(email__iexact=email).exists():
            raise forms.ValidationError("There is already an account with this email address.")
        return email

    def clean(self) -> dict[str, Any]:
        said = super().clean()
        if password := said.get("password"):
            person = User(username=said.get("username", ""), email=said.get("email", ""))
            try:
                validate_password(password, person)
            except forms.ValidationError as error:
                self.add_error("password", error)
        return said


class GroupForm(SourcesForm):
    """The sources that a group is limited to, and its members."""

    members = forms.ModelMultipleChoiceField(
        label="Members",
        queryset=User.objects.order_by("username"),
        required=False,
        widget=forms.SelectMultiple(attrs={"size": 6}),
    )


class NewGroupForm(SourcesForm):
    """A new group."""

    name = forms.CharField(label="Name", max_length=150)
    field_order = ("name", "all_sources", "sources")

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if not name.isprintable():
            raise forms.ValidationError("The name must be one line of text.")
        if Group.objects.filter(name__iexact=name).exists():
            raise forms.ValidationError("There is already a group with this name.")
        return name
