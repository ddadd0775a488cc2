"""Too many unreadable values are told in red wherever a source is shown, and mended by a button."""

import re
from typing import Any

import pytest
from django.core.management import call_command

from records import store
from records.jobs.runner import work_on
from records.models import IngestionRun, ProcessingResult, ProcessingRun, Source
from tests.factories import WORKER, load, process
from tests.people import viewer

pytestmark = pytest.mark.django_db

URL = "/sources/shop/number-format/"
BUTTON = "Set number format and reprocess"


@pytest.fixture
def shop(tmp_path) -> IngestionRun:
    """A source whose first file had plain numbers and whose second one has decimal commas."""
    path = tmp_path / "shop.csv"
    path.write_text("id;amount\n1;5\n")
    load(path)
    path.write_text('id;amount\n2;"1.234,50"\n3;"-2,00"\n')
    run = load(path)
    process()
    return run


def words(client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return " ".join(re.sub("<[^>]*>", "", response.content.decode()).split())


def values() -> list[float | None]:
    results = ProcessingResult.objects.filter(current=True).order_by("record_id")
    return list(results.values_list("value", flat=True))


def test_every_page_of_the_source_says_so_with_examples_and_the_button(admin_client, shop):
    run = ProcessingRun.objects.filter(unread__gt=0).latest("pk")
    for url in ("/", "/?source=shop", "/sources/shop/", run.get_absolute_url()):
        html = words(admin_client, url)
        assert "66.7% of the values of shop can't be read as numbers (2 of 3)" in html
        assert "1.234,50 in line 2" in html
        assert BUTTON in html
    html = words(admin_client, shop.get_absolute_url())
    assert "can't be read as numbers (2 of 2), such as 1.234,50 in line 2" in html
    assert BUTTON in html


def test_the_button_mends_it(admin_client, shop):
    assert values() == [5.0, 0.0, 0.0]
    html = words(admin_client, URL)
    assert "Detected from all stored rows: 3 of 3 values can be read as 1.234,56." in html
    response = admin_client.post(URL, {"number_format": "1.234,56"})
    run = ProcessingRun.objects.latest("pk")
    assert response["Location"] == run.get_absolute_url()
    work_on(run, WORKER)
    assert values() == [5.0, 1234.5, -2.0]
    assert "can't be read" not in words(admin_client, "/sources/shop/")
    style = {"decimal": ",", "thousands": "."}
    assert Source.objects.get().mapping["numbers"] == {"amount": style}


def test_rules_that_a_person_saved_are_kept(admin_client, shop):
    rules: list[dict[str, Any]] = [
        {"rule": "number", "column": "amount", "on_failure": "empty"},
        {"rule": "drop", "columns": ["id"]},
    ]
    store.save_rule_set(source=shop.source, rules=rules, note="mine")
    admin_client.post(URL, {"number_format": "1.234,56"})
    current = shop.source.current_rule_set
    assert current.rules == [rules[0] | {"decimal": ",", "thousands": "."}, rules[1]]
    assert current.note == "Numbers in 'amount' are read as 1.234,56"


def test_an_unknown_format_and_a_source_without_values_are_refused(admin_client, shop):
    assert admin_client.post(URL, {"number_format": "x"}).status_code == 400
    Source.objects.update(mapping={"id": ["id"], "value": []})
    assert admin_client.get(URL).status_code == 404


def test_it_takes_permissions(client, shop):
    client.force_login(viewer("reader"))
    assert client.post(URL, {"number_format": "1.234,56"}).status_code == 403
    assert BUTTON not in words(client, "/sources/shop/")


def test_a_few_unreadable_values_are_no_alarm(admin_client, tmp_path):
    path = tmp_path / "shop.csv"
    path.write_text("id,amount\n" + "".join(f"{n},{n}.5\n" for n in range(100)) + "x,bad\n")
    load(path)
    process()
    assert "can't be read" not in words(admin_client, "/sources/shop/")


def test_the_command_says_so_in_red(tmp_path, capsys, settings):
    path = tmp_path / "shop.csv"
    path.write_text("id,amount\n1,1.5\n2,bad\n")
    load(path)
    store.requeue_records(ids=["shop:1", "shop:2"])
    call_command("process", "--force-color")
    out = capsys.readouterr().out
    assert "50.0 % of the values of shop can't be read as numbers: 1 of 2, such as" in out
    assert "'bad' in shop:2" in out
