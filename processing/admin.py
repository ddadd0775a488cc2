"""The admin of rule sets: never edited, only superseded."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from processing.errors import InvalidRules
from processing.lookups import check_lookups
from processing.rules.check import check_rules
from records import store
from records.admin.fields import JSONText
from records.models import RuleSet, Source


class RuleSetForm(forms.ModelForm):  # type: ignore[type-arg]
    """The next version of the rules of a source."""

    rules = JSONText(
        help_text="A list of rules, for example "
        '[{"rule": "required", "columns": ["id"]}, '
        '{"rule": "number", "column": "value", "default": 0.0}, '
        '{"rule": "text", "column": "category", "strip": true, "lower": true}, '
        '{"rule": "stamp", "column": "processed_timestamp"}].'
    )

    class Meta:
        model = RuleSet
        fields = ("source", "rules", "note")

    def clean_rules(self) -> list[dict[str, Any]]:
        try:
            rules = check_rules(self.cleaned_data["rules"])
            check_lookups(rules)
        except InvalidRules as error:
            raise ValidationError(str(error)) from error
        return rules

    def clean_note(self) -> str:
        note: str = self.cleaned_data["note"]
        if note == RuleSet.DEFAULT_NOTE:
            raise ValidationError("This note is reserved for default rules. Enter a different one.")
        return note


@admin.register(RuleSet)
class RuleSetAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rule sets: to add one is to supersede the one that is in force."""

    form = RuleSetForm
    list_display = ("source", "version", "note", "author", "created_at")
    list_display_links = ("source", "version")
    list_filter = ("source",)
    list_select_related = ("source", "author")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The rules in force of ``?source=<name>``, to start from."""
        source = Source.objects.named(request.GET.get("source", ""))
        current = source and source.current_rule_set
        return {"source": source and source.pk, "rules": current.rules if current else []}

    def save_model(self, request: HttpRequest, obj: RuleSet, form: Any, change: bool) -> None:
        saved = store.save_rule_set(
            source=obj.source, rules=obj.rules, note=obj.note, author=cast(User, request.user)
        )
        obj.pk, obj.version = saved.pk, saved.version
