"""A filter by a column that no record has is refused by name, on pages, in the API and exports."""

import pytest
from django.core.management import CommandError, call_command

from records.models import Source
from tests.factories import load, process
from tests.markup import texts

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(tmp_path):
    path = tmp_path / "shop.csv"
    path.write_text("id,revenue,city\n1,5,Paris\n2,7,Rome\n")
    load(path, "shop", id=["id"], value=["revenue"])
    process("shop")


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        (
            "source=shop&where=revenu:gt:5",
            "shop has no column “revenu”. Did you mean “revenue”?",
        ),
        ("where=City:eq:Paris", "No source has a column “City”. Did you mean “city”?"),
        ("source=shop&where=qty:empty", "shop has no column “qty”."),
        ("source=shop&result=revenu:gt:5", "shop has no column “revenu”. Did you mean “revenue”?"),
        ("source=shop&column=town", "shop has no column “town”."),
        ("source=shop&result_column=revenu", "shop has no column “revenu”."),
    ],
)
def test_a_column_that_no_record_has_is_refused_by_name(shop, admin_client, query, sentence):
    answer = admin_client.get(f"/records?format=json&{query}")
    assert answer.status_code == 400
    assert sentence in str(answer.json())
    assert admin_client.get(f"/api/export?{query}").status_code == 400
    page = admin_client.get(f"/explore/?{query}")
    assert sentence in " ".join(texts(page.content.decode(), "main"))


def test_the_command_refuses_it_too(shop, capsys):
    with pytest.raises(CommandError, match=r"shop has no column “revenu”\. Did you mean “revenue”"):
        call_command("export", "--source", "shop", "--where", "revenu:gt:5")


@pytest.mark.parametrize(
    "query",
    [
        "where=revenue:gt:5",
        "result=processed_timestamp:contains:20",
        "result_column=processed_timestamp",
        "source=shop&column=city",
        "source=nowhere&where=anything:eq:1",
    ],
)
def test_a_column_of_a_file_or_of_a_rule_is_known(shop, admin_client, query):
    assert admin_client.get(f"/records?format=json&{query}").status_code == 200


def test_a_column_of_an_older_file_is_known(shop, admin_client):
    Source.objects.filter(name="shop").update(columns=["id", "revenue"])
    answer = admin_client.get("/records?format=json&source=shop&where=city:eq:Rome")
    assert [record["id"] for record in answer.json()["records"]] == ["shop:2"]
