"""The list of sources and the page of a source."""

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from records.models import IngestionRun, ProcessingRun, Source
from tests.landed import land, process_all, sale
from tests.people import viewer

pytestmark = pytest.mark.django_db


def text(response):
    assert response.status_code == 200
    return response.content.decode()


def test_without_sources_the_list_says_so(admin_client):
    assert "No sources yet" in text(admin_client.get("/sources/"))


def test_the_list_shows_totals_columns_and_rule_version(admin_client):
    land("shop", {str(i): sale(i) for i in range(1200)})
    Source.objects.filter(name="shop").update(mapping={"id": ["id"], "value": ["<b>value</b>"]})
    html = text(admin_client.get("/sources/"))
    assert "1,200" in html
    assert "&lt;b&gt;value&lt;/b&gt;" in html
    assert "default" in html


def test_the_number_of_queries_does_not_grow_with_the_sources(
    admin_client, django_assert_max_num_queries
):
    for number in range(20):
        land(f"source{number}", {"1": sale(1)})
    with django_assert_max_num_queries(5):
        admin_client.get("/sources/")


def test_a_source_tells_its_columns_what_it_lacks_and_its_rules(admin_client):
    land("shop", {"1": sale(1)})
    process_all()
    html = text(admin_client.get("/sources/shop/"))
    assert "None: records are not shown over time" in html
    assert "Require &#x27;id&#x27;" in html
    assert "version 1" in html
    Source.objects.filter(name="shop").update(mapping={"id": ["id"], "value": []})
    assert "values are not checked" in text(admin_client.get("/sources/shop/"))


@pytest.mark.parametrize("name", ["nope", "%00", "a%20b", "a%2Fb"])
def test_an_unknown_source_is_a_404(admin_client, name):
    assert admin_client.get(f"/sources/{name}/").status_code == 404


def test_the_button_queues_processing_and_leads_to_its_run(admin_client):
    land("shop", {"1": sale(1)})
    ProcessingRun.objects.all().delete()
    assert 'action="/process/start/"' in text(admin_client.get("/sources/shop/"))
    response = admin_client.post("/process/start/", {"source": "shop"})
    run = ProcessingRun.objects.get()
    assert response["Location"] == run.get_absolute_url()
    assert (str(run.source), run.trigger, str(run.user)) == ("shop", "page", "admin")


@pytest.mark.parametrize("name", ["nope", "\0"])
def test_processing_an_unknown_source_is_a_404(admin_client, name):
    assert admin_client.post("/process/start/", {"source": name}).status_code == 404
    assert not ProcessingRun.objects.exists()


def test_processing_is_started_by_a_post_alone(admin_client):
    assert admin_client.get("/process/start/").status_code == 405


def test_processing_needs_its_permission(client):
    user = viewer("reader")
    client.force_login(user)
    land("shop", {"1": sale(1)})
    assert "/process/start/" not in text(client.get("/sources/shop/"))
    refused = client.post("/process/start/", {"source": "shop"})
    assert refused.status_code == 403
    assert "Ask an administrator" in refused.content.decode()
    user.user_permissions.add(Permission.objects.get(codename="add_processingrun"))
    assert "/process/start/" in text(client.get("/sources/shop/"))


def test_a_source_whose_loads_fail_says_so_in_the_list_and_on_its_page(admin_client):
    land("fine", {"1": sale(1)})
    source = Source.objects.create(name="shop")
    for _ in range(2):
        run = IngestionRun.objects.create(
            source=source, file_name="x", trigger="schedule", state="failed",
            error="It can't be <b>had</b>.", finished_at=timezone.now(),
        )  # fmt: skip
    url = run.get_absolute_url()
    assert f'<a class="bad" href="{url}">failed 2 times</a>' in text(admin_client.get("/sources/"))
    html = text(admin_client.get("/sources/shop/"))
    assert "The last 2 imports failed" in html
    assert "It can&#x27;t be &lt;b&gt;had&lt;/b&gt;." in html
    assert "imports failed" not in text(admin_client.get("/sources/fine/"))
