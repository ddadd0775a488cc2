"""What a URL names is found in one way, or is not there."""

import pytest
from django.http import Http404
from django.urls import reverse

from records import lookups
from records.models import IngestionRun, ProcessingRun, RuleDryRun, Source
from tests.landed import land, sale
from web.converters import GREATEST_ID

pytestmark = pytest.mark.django_db

BEYOND = [GREATEST_ID, GREATEST_ID + 1, 10**30]


def test_a_row_is_found_by_its_id():
    run = land("shop", {"1": sale(1)})
    assert lookups.by_id(IngestionRun.objects.all(), run.pk) == run
    assert lookups.row_or_404(IngestionRun.objects.all(), run.pk, "run") == run
    with pytest.raises(Http404, match=rf"There is no run {run.pk + 1}\."):
        lookups.row_or_404(IngestionRun.objects.all(), run.pk + 1, "run")


@pytest.mark.parametrize("pk", BEYOND)
@pytest.mark.parametrize("model", [IngestionRun, ProcessingRun, RuleDryRun])
def test_an_id_beyond_the_range_of_the_database_is_not_there(model, pk):
    assert lookups.by_id(model.objects.all(), pk) is None
    with pytest.raises(Http404):
        lookups.row_or_404(model.objects.all(), pk, "run")


@pytest.mark.parametrize("name", ["depot", "", "a\0b"])
def test_a_source_is_found_by_its_name(name):
    source = Source.objects.create(name="shop")
    assert lookups.source_or_404("shop") == lookups.source_or_404("shop", [source]) == source
    with pytest.raises(Http404, match=f"There is no source “{name}”"):
        lookups.source_or_404(name)
    with pytest.raises(Http404, match=f"There is no source “{name}”"):
        lookups.source_or_404(name, among=[source])


@pytest.mark.parametrize("pk", BEYOND)
@pytest.mark.parametrize(
    "page",
    ["ingestion-run", "processing-run", "rejected-row", "undo-run", "preview", "preview-dry-run",
     "rejected-csv", "rule-dry-run", "made-export", "exported-file", "api-run", "api-made-export"],
)  # fmt: skip
def test_no_page_has_an_id_beyond_the_range_of_the_database(admin_client, page, pk):
    answer = admin_client.get(reverse(page, args=[pk]))
    assert answer.status_code == 404


@pytest.mark.parametrize("pk", BEYOND)
@pytest.mark.parametrize(
    "page",
    ["cancel-ingestion", "cancel-processing", "retry-ingestion", "retry-processing", "replay-run",
     "cancel-rule-dry-run", "cancel-export", "remove-view"],
)  # fmt: skip
def test_nothing_is_done_to_an_id_beyond_the_range_of_the_database(admin_client, page, pk):
    assert admin_client.post(reverse(page, args=[pk])).status_code == 404
