"""The pages of the audit log: for administrators, with filters, and an export."""

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.models import Schedule

from accounts import audit
from accounts.audit.actor import Actor
from accounts.models import AuditEntry
from tests.markup import href, next_to, texts, tree

pytestmark = pytest.mark.django_db


def entry(name: str = "eve", action: audit.Action = audit.Action.RECORD_EDITED, **more: Any) -> Any:
    who = Actor(by="person", user_id=1, user_name=name, address="203.0.113.7", token="abcdefgh")
    return audit.record(action, actor=who, **more)


def shown(client: Client, query: str = "") -> list[str]:
    page = client.get(f"/settings/audit/{query}").content.decode()
    return texts(page, "tbody tr td:nth-of-type(2)")


@pytest.mark.parametrize(
    "url", ["/settings/audit/", "/settings/audit/1/", "/settings/audit/export"]
)
def test_only_administrators_see_the_log(client, admin_client, url):
    assert client.get(url).status_code == 302
    clerk = User.objects.create_user("clerk", is_staff=True)
    client.force_login(clerk)
    answer = client.get(url)
    assert answer.status_code == 403
    assert "/settings/audit/" not in client.get("/").content.decode()
    clerk.user_permissions.add(Permission.objects.get(codename="view_auditentry"))
    assert client.get(url).status_code == 200
    assert admin_client.get(url).status_code == 200
    assert (
        href(admin_client.get("/").content.decode(), ".menu a[href*=audit]") == "/settings/audit/"
    )
    for method in ("post", "put", "delete"):
        assert getattr(admin_client, method)(url).status_code == 405


def test_the_list_is_newest_first_and_pages_by_number(admin_client):
    for number in range(120):
        entry(f"p{number}")
    first = admin_client.get("/settings/audit/?action=record.edited").content.decode()
    assert [text[:3] for text in texts(first, "tbody tr td:nth-of-type(2)")[:2]] == ["p11", "p11"]
    assert texts(first, "tbody tr td:nth-of-type(2)")[0].startswith("p119")
    older = href(first, "a[rel=next]")
    second = admin_client.get(f"/settings/audit/{older}").content.decode()
    assert texts(second, "tbody tr td:nth-of-type(2)")[0].startswith("p69")
    assert href(second, "a[rel=prev]")


def test_filters_find_by_person_action_source_and_day(admin_client):
    entry("eve", source="shop")
    entry("bob", audit.Action.RULES_SAVED, source="sensors")
    assert [name[:3] for name in shown(admin_client, "?person=eve")] == ["eve"]
    assert [name[:3] for name in shown(admin_client, "?action=rules.saved")] == ["bob"]
    assert [name[:3] for name in shown(admin_client, "?source=sensors")] == ["bob"]
    today = timezone.localdate()
    tomorrow, yesterday = today + timedelta(days=1), today - timedelta(days=1)
    everything = AuditEntry.objects.count()
    assert len(shown(admin_client, f"?since={today}&until={today}")) == everything
    assert not shown(admin_client, f"?since={tomorrow}")
    assert not shown(admin_client, f"?until={yesterday}")
    assert len(shown(admin_client, "?until=9999-12-31&since=0001-01-01")) == everything


@pytest.mark.parametrize(
    "query",
    ["?who=eve", "?action=nothing", "?since=soon", "?cursor=abc", "?person=a&person=b",
     f"?person={'x' * 201}", "?source=%00"],
)  # fmt: skip
def test_a_filter_that_means_nothing_is_refused(admin_client, query):
    assert admin_client.get(f"/settings/audit/{query}").status_code == 400


def test_an_entry_shows_what_changed_and_runs_no_markup(admin_client):
    made = entry(
        "<b>eve</b>",
        kind="source",
        object_id=7,
        label="shop",
        source="shop",
        before={"on_conflict": "update", "gone": 1, "same": "x"},
        after={"on_conflict": "<script>alert(1)</script>", "same": "x"},
    )
    html = admin_client.get(made.get_absolute_url()).content.decode()
    assert texts(html, "h1") == ["Record edited"]
    assert [text.strip() for text in texts(html, "tbody th")] == ["gone", "on_conflict"]
    cells = [text.strip() for text in texts(html, "tbody td")]
    assert cells == ["1", "none", "update", "<script>alert(1)</script>"]
    who = next(each for each in tree(html).select("dt") if each.get_text() == "Who")
    assert next_to(who, "dd") == "<b>eve</b>"
    assert made.digest in html


def test_an_entry_that_is_not_there_is_404(admin_client):
    assert admin_client.get("/settings/audit/99/").status_code == 404
    assert admin_client.get(f"/settings/audit/{10**30}/").status_code == 404


def test_the_export_has_what_the_filter_finds_without_formulas(admin_client):
    entry("=cmd()", label='+1"x', after={"cell": "=1+1"})
    entry("bob")
    answer = admin_client.get("/settings/audit/export?person=%3Dcmd()")
    assert answer["Content-Disposition"] == 'attachment; filename="audit.csv"'
    head, row = csv.reader(io.StringIO(b"".join(answer).decode()))
    cells = dict(zip(head, row, strict=True))
    assert (cells["user_name"], cells["object_label"]) == ("'=cmd()", "'+1\"x")
    assert json.loads(cells["after"]) == {"cell": "=1+1"}
    lines = b"".join(admin_client.get("/settings/audit/export?format=ndjson")).decode().splitlines()
    found = [json.loads(line) for line in lines]
    assert [each["number"] for each in found] == list(range(1, len(found) + 1))
    assert found[-1]["action"] == "audit.exported"
    assert AuditEntry.objects.filter(action="audit.exported").count() == 2
    assert admin_client.get("/settings/audit/export?format=xlsx").status_code == 400
    admin_client.head("/settings/audit/export")
    assert AuditEntry.objects.filter(action="audit.exported").count() == 2


def test_the_list_needs_few_queries(admin_client, django_assert_max_num_queries):
    for number in range(60):
        entry(f"p{number}")
    admin_client.get("/settings/audit/")
    with django_assert_max_num_queries(6):
        admin_client.get("/settings/audit/")


def test_the_administration_shows_entries_and_changes_none(admin_client):
    made = entry()
    url = reverse("admin:accounts_auditentry_change", args=[made.pk])
    assert admin_client.get(url).status_code == 200
    assert admin_client.post(url, {"user_name": "bob"}).status_code == 403
    delete = reverse("admin:accounts_auditentry_delete", args=[made.pk])
    assert admin_client.post(delete, {"post": "yes"}).status_code == 403
    assert admin_client.get(reverse("admin:accounts_auditentry_add")).status_code == 403


def test_changes_of_other_tables_in_the_administration_are_entries(admin_client):
    first = Schedule.objects.create(func="math.copysign", name="one")
    second = Schedule.objects.create(func="math.copysign", name="two")
    seen = AuditEntry.objects.count()
    form = {"action": "delete_selected", "post": "yes", "_selected_action": [first.pk, second.pk]}
    admin_client.post(reverse("admin:django_q_schedule_changelist"), form)
    assert not Schedule.objects.exists()
    made = AuditEntry.objects.filter(number__gt=seen)
    assert {each.action for each in made} == {"admin.changed"}
    assert {each.object_id for each in made} == {str(first.pk), str(second.pk)}
    assert {each.user_name for each in made} == {"admin"}
