"""The page of a source's settings."""

import pytest
from django.contrib.auth.models import Permission

from ingestion.pages.source_settings import listed
from ingestion.parsing.mapping import column_names
from records.models import DataRecord, Source
from tests.factories import load
from tests.landed import land, sale
from tests.people import viewer

pytestmark = pytest.mark.django_db

URL = "/sources/shop/settings/"
GIVEN = {"id": "id", "on_conflict": "update"}


@pytest.fixture
def source() -> Source:
    return Source.objects.create(
        name="shop",
        columns=["id", "day", "time", "a, b", "<b>"],
        mapping={"id": ["id"], "timestamp": ["day", "time"], "value": ["a, b"], "category": [],
                 "timestamp_format": "%d.%m.%Y"},
        reading={"encoding": "cp1252", "delimiter": ";"},
        on_conflict="keep",
    )  # fmt: skip


def text(response, status=200):
    assert response.status_code == status
    return response.content.decode()


def test_the_form_shows_what_the_source_remembers(admin_client, source):
    html = text(admin_client.get(URL))
    for value in ("day, time", "&quot;a, b&quot;", "%d.%m.%Y", "cp1252", ";"):
        assert f'value="{value}"' in html
    assert '<option value="keep" selected>' in html
    assert "&lt;b&gt;" in html


def test_saving_the_form_as_it_is_changes_nothing(admin_client, source):
    form = admin_client.get(URL).context["form"]
    given = {field.name: field.value() or "" for field in form}
    answer = admin_client.post(URL, given, follow=True)
    assert "Settings saved." in text(answer)
    before = (source.mapping, source.reading, source.on_conflict, source.columns)
    source.refresh_from_db()
    assert (source.mapping, source.reading, source.on_conflict, source.columns) == before


def test_what_is_saved_is_remembered(admin_client, source):
    admin_client.post(
        URL,
        {"id": "id, day", "category": "<b>", "on_conflict": "reject", "header": "2",
         "delimiter": "\t"},
    )  # fmt: skip
    source.refresh_from_db()
    assert source.mapping == {
        "id": ["id", "day"], "timestamp": [], "value": [], "category": ["<b>"],
        "timestamp_format": None,
    }  # fmt: skip
    assert source.reading == {"header": "2", "delimiter": "\t"}
    assert source.on_conflict == "reject"


def test_a_source_that_knows_no_columns_yet_goes_on_knowing_none(admin_client):
    source = Source.objects.create(name="shop")
    admin_client.post(URL, {"on_conflict": "keep"})
    source.refresh_from_db()
    assert (source.mapping, source.on_conflict) == ({}, "keep")
    admin_client.post(URL, {"on_conflict": "keep", "id": "anything"})
    source.refresh_from_db()
    assert source.mapping["id"] == ["anything"]


def test_how_dates_are_meant_can_be_said_before_the_columns_are_known(admin_client, tmp_path):
    Source.objects.create(name="shop")
    path = tmp_path / "shop.csv"
    path.write_text("id,date,value\n1,03/04/2025,5\n")
    assert "are ambiguous" in load(path).error
    admin_client.post(URL, {"on_conflict": "update", "timestamp_format": "%d/%m/%Y"})
    assert Source.objects.get().mapping == {"timestamp_format": "%d/%m/%Y"}
    html = text(admin_client.get(URL))
    assert 'value="%d/%m/%Y"' in html
    assert "detect the columns by their names" in html
    assert text(admin_client.get("/sources/shop/")).count("Set by the first import") == 4
    assert "Not set" in text(admin_client.get("/sources/"))
    assert load(path).created == 1
    assert str(DataRecord.objects.get().timestamp)[:10] == "2025-04-03"
    assert Source.objects.get().mapping["value"] == ["value"]


def test_a_source_has_a_time_zone_and_a_column_for_it(admin_client, source):
    admin_client.post(
        URL, GIVEN | {"timestamp_zone": "Europe/Vienna", "timestamp_zone_column": "<b>"}
    )
    source.refresh_from_db()
    assert source.mapping["timestamp_zone"] == "Europe/Vienna"
    assert source.mapping["timestamp_zone_column"] == "<b>"
    assert 'value="Europe/Vienna"' in text(admin_client.get(URL))
    assert "Europe/Vienna" in text(admin_client.get("/sources/shop/"))
    admin_client.post(URL, GIVEN)
    source.refresh_from_db()
    assert "timestamp_zone" not in source.mapping


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"id": "nope"}, "This source has no column &#x27;nope&#x27;."),
        ({"value": "id, day"}, "can have only one column"),
        ({"timestamp": "day", "timestamp_format": "soon"}, "or a format such as"),
        ({"timestamp_format": "iso"}, "needs a timestamp column"),
        ({"timestamp_zone": "Middle/Earth"}, "is not a time zone"),
        ({"timestamp_zone_column": "nope"}, "This source has no column &#x27;nope&#x27;."),
        ({"on_conflict": "burn"}, "not one of the available choices"),
        ({"encoding": "nope"}, "use a name such as utf-8 or cp1252"),
        ({"delimiter": "abc"}, "use one character"),
        ({"format": "json", "delimiter": ";"}, "it applies to delimited text only"),
        ({"format": "xml"}, "not one of the available choices"),
        ({"id": "\0"}, "Null characters are not allowed."),
        ({"sheet": "\0"}, "Null characters are not allowed."),
        ({"id": "x" * 3000}, "at most 2000 characters"),
        ({"id": "a\nb"}, "This source has no column"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(admin_client, source, given, sentence):
    before = (source.mapping, source.reading, source.on_conflict)
    html = text(admin_client.post(URL, GIVEN | given), 400)
    assert sentence in html
    assert 'aria-invalid="true"' in html
    source.refresh_from_db()
    assert (source.mapping, source.reading, source.on_conflict) == before


@pytest.mark.parametrize("columns", [[], ["a"], ["a, b", 'c"d', " e"], ['"', "'"], ["a", "b,c"]])
def test_names_of_columns_are_shown_as_they_are_read(columns):
    assert column_names(listed(columns)) == [name.strip() for name in columns]


def test_changing_settings_needs_its_permission(client):
    land("shop", {"1": sale(1)})
    user = viewer("reader")
    client.force_login(user)
    assert "settings/" not in text(client.get("/sources/shop/"))
    assert "Ask an administrator" in text(client.get(URL), 403)
    assert client.post(URL, GIVEN).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="change_source"))
    assert f'href="{URL}"' in text(client.get("/sources/shop/"))
    assert client.get(URL).status_code == 200
    assert client.get("/sources/nope/settings/").status_code == 404


def test_the_page_of_a_source_tells_policy_and_reading(admin_client, source):
    html = text(admin_client.get("/sources/shop/"))
    assert "Keep the record unchanged" in html
    assert "<li>encoding: <code>cp1252</code></li>" in html
