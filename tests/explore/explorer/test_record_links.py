"""Links to records whose keys a browser would take for a way through folders."""

import pytest
from django.test import Client

from processing.jobs import rule_dry_runs
from records.jobs.runner import work_on
from records.models import DataRecord, RuleDryRun, Source
from tests.factories import WORKER
from tests.ingestion.pages.test_preview import Page
from tests.landed import land, process_all, sale

pytestmark = pytest.mark.django_db

KEYS = ["a/../b", "a//b", "../../upload", "?q=1#x", "%2e%2e/", 'a"b']
DRAFT = [{"rule": "number", "column": "value", "on_failure": "fail"}]


@pytest.fixture(params=KEYS)
def record(request: pytest.FixtureRequest) -> DataRecord:
    """A record that a draft fails."""
    land("shop", {request.param: sale(1, value="bad")})
    process_all()
    return DataRecord.objects.get()


def leads_to(record: DataRecord, page: str) -> bool:
    return f'<a href="{record.get_absolute_url()}">' in page


def test_the_trial_of_a_draft_leads_to_its_records(admin_client: Client, record: DataRecord):
    assert leads_to(record, admin_client.get("/sources/shop/rules/").text)


def test_a_dry_run_leads_to_its_examples(admin_client: Client, record: DataRecord):
    dry_run = rule_dry_runs.start(Source.objects.get(), DRAFT)
    work_on(dry_run, WORKER)
    assert RuleDryRun.objects.get().report["failing"]["newly"] == 1
    assert leads_to(record, admin_client.get(dry_run.get_absolute_url()).text)


def test_a_dry_run_leads_to_the_records_that_loading_would_update(admin_client: Client):
    Page(admin_client, b"id,amount\na/../b,1\n").load()
    page = Page(admin_client, b"id,amount\na/../b,2\n")
    page.look()
    assert leads_to(DataRecord.objects.get(), page.html)
