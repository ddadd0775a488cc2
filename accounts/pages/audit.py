"""The pages of the audit log, for administrators: list, one entry, export."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta
from functools import wraps
from typing import Any

from django import forms
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts import audit
from accounts.models import AuditEntry
from accounts.models.audit import EntryQuerySet
from records.errors import TooManyExports
from records.jobs import export_slots
from records.lookups import row_or_404
from records.models import Source
from web.errors import too_many
from web.keyset import InvalidCursor, page_of
from web.parameters import refusal_of_names
from web.requests import PageRequest
from web.spreadsheets import guarded

PAGE = 50
AT_ONCE = 1_000
PERMISSION = "accounts.view_auditentry"
KINDS = {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}
# What an export tells of each entry.
COLUMNS = (
    "number", "at", "by", "user_id", "user_name", "token", "address", "action", "object_kind",
    "object_id", "object_label", "source", "before", "after", "request_id", "request", "digest",
)  # fmt: skip

View = Callable[..., HttpResponseBase]


def for_administrators(view: View) -> View:
    """A page for those who may see the audit log."""

    @wraps(view)
    def guarded_view(request: PageRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied("Only administrators can see the audit log.")
        return view(request, *args, **kwargs)

    return guarded_view


class AuditFilter(forms.Form):
    """The filters of the list; empty ones are ignored. Days are those of the installation."""

    person = forms.CharField(required=False, max_length=200)
    action = forms.ChoiceField(required=False, choices=[("", "All actions"), *audit.Action.choices])
    source = forms.CharField(required=False, max_length=100)
    since = forms.DateField(required=False)
    until = forms.DateField(required=False)

    @property
    def entries(self) -> EntryQuerySet:
        """The entries that a valid form finds."""
        said = self.cleaned_data
        entries = AuditEntry.objects.all()
        if said["person"]:
            entries = entries.by(said["person"])
        for name in ("action", "source"):
            if said[name]:
                entries = entries.filter(**{name: said[name]})
        return entries.between(*(self._start_of(name) for name in ("since", "until")))

    def _start_of(self, name: str) -> datetime | None:
        """When the first day begins, or the one after the last day."""
        day = self.cleaned_data[name]
        if day is None:
            return None
        try:
            day += timedelta(days=1 if name == "until" else 0)
            return timezone.make_aware(datetime.combine(day, time.min))
        except OverflowError:
            return None  # no entry lies beyond the calendar


@for_administrators
@require_safe
def entries(request: PageRequest) -> HttpResponse:
    """List the entries, the newest first."""
    form = _filter(request, besides=("cursor",))
    try:
        page = page_of(form.entries, cursor=request.GET.get("cursor"), limit=PAGE, descending=True)
    except InvalidCursor as error:
        raise BadRequest(str(error)) from error
    query = request.GET.copy()
    query.pop("cursor", None)
    context = {
        "page": page,
        "said": form.cleaned_data,
        "actions": AuditFilter.base_fields["action"].choices,  # type: ignore[attr-defined]
        "sources": Source.objects.names(),
        "query": query.urlencode(),
    }
    return render(request, "accounts/audit.html", context)


@for_administrators
@require_safe
def entry(request: PageRequest, number: int) -> HttpResponse:
    """Show one entry, with the changed fields before and after."""
    found = row_or_404(AuditEntry.objects.all(), number, "audit entry")
    return render(request, "accounts/audit_entry.html", {"entry": found})


@for_administrators
@require_safe
def export(request: PageRequest) -> HttpResponseBase:
    """Download the entries that the filter finds, in the order of their numbers."""
    form = _filter(request, besides=("format",))
    kind = request.GET.get("format") or "csv"
    if kind not in KINDS:
        raise BadRequest(f"“format” must be csv or ndjson, not “{kind[:50]}”.")
    try:
        slot = export_slots.take(request.user)
    except TooManyExports as error:
        return too_many(request, str(error), seconds=error.seconds)
    found = form.entries.order_by("number")
    if request.method != "HEAD":
        filters = {name: str(value) for name, value in form.cleaned_data.items() if value}
        audit.record(
            audit.Action.AUDIT_EXPORTED, kind="audit log", after={"format": kind, **filters}
        )
    lines = _csv(found) if kind == "csv" else _ndjson(found)
    return StreamingHttpResponse(
        export_slots.HeldContent(map(str.encode, lines), slot),
        content_type=KINDS[kind],
        headers={"Content-Disposition": f'attachment; filename="audit.{kind}"'},
    )


def _filter(request: PageRequest, *, besides: tuple[str, ...]) -> AuditFilter:
    """The filters of the URL. Raises BadRequest."""
    if sentence := refusal_of_names(request.GET, known=(*AuditFilter.base_fields, *besides)):
        raise BadRequest(sentence)
    form = AuditFilter(request.GET)
    if not form.is_valid():
        raise BadRequest("; ".join(f"{name}: {said[0]}" for name, said in form.errors.items()))
    return form


def _csv(found: EntryQuerySet) -> Iterator[str]:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for entry in found.iterator(chunk_size=AT_ONCE):
        values = _values(entry).values()
        writer.writerow(["" if value is None else guarded(str(value)) for value in values])
        yield out.getvalue()
        out.seek(0)
        out.truncate()
    yield out.getvalue()


def _ndjson(found: EntryQuerySet) -> Iterator[str]:
    for entry in found.iterator(chunk_size=AT_ONCE):
        values = _values(entry)
        for name in ("before", "after"):
            values[name] = json.loads(values[name]) if values[name] else None
        yield json.dumps(values, ensure_ascii=False) + "\n"


def _values(entry: AuditEntry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in COLUMNS} | {"at": entry.at.isoformat()}
