"""Tools answer what the API answers, whatever is asked, for people of limited sources."""

import random
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.test import Client

from accounts.models import SourceGrant
from explore.filters.record_filter import RecordFilter
from records.models import Source
from tests.explore.mcp.asking import call
from tests.explore.metrics.test_same_everywhere import SEED, filters, odd_records
from tests.people import viewer
from tests.tokens import token_of

pytestmark = pytest.mark.django_db

__all__ = ["odd_records"]  # a fixture


def limited(draw: random.Random, number: int) -> tuple[User, str]:
    """A person who may see some sources, or all, with a token that may be limited further."""
    person = viewer(f"reader {number}")
    sources = list(Source.objects.order_by("name"))
    for source in draw.sample(sources, draw.randint(0, len(sources))):
        SourceGrant.objects.create(user=person, source=source)
    of_token = draw.choice([None, [draw.choice(sources).name]])
    return person, token_of(person, sources=of_token)


def from_api(token: str, path: str, query: Any) -> Any:
    url = f"/api/v1/{path}?{urlencode(query, doseq=True)}"
    response = Client().get(url, headers={"authorization": f"Bearer {token}"})
    assert response.status_code == 200, response.content
    return response.json()


def test_tools_agree_with_the_api_for_random_filters_and_grants(odd_records):
    seen_by = set()
    for number, parameters in filters():
        if number >= 20:
            break
        print(f"seed {SEED}, filter {number}: {parameters}")  # noqa: T201 (shown where it fails)
        draw = random.Random(f"{SEED} {number}")  # noqa: S311
        _, token = limited(draw, number)
        asked: dict[str, Any] = {}
        for name, value in parameters:
            if name in RecordFilter.repeatable():
                asked.setdefault(name, []).append(value)
            else:
                asked[name] = value
        filled = {name: value for name, value in asked.items() if value not in ("", [""])}
        records = from_api(token, "records", filled | {"limit": 1000})["records"]
        answer = call(token, "query_records", filter=filled, limit=100)
        assert answer["matching_records"] == len(records)
        shown = [{**each, "run": None, "line": None} for each in records[:100]]
        assert [{**each, "run": None, "line": None} for each in answer["records"]] == shown
        assert all(each["run"] and each["line"] for each in answer["records"])
        facets = from_api(token, "records/facets", filled)["facets"]
        assert call(token, "count_by_facet", filter=filled)["facets"] == facets
        stats = from_api(token, "stats", {})
        assert call(token, "get_statistics") == {"filter": {}, **stats}
        names = [each["source"] for each in stats["by_source"]]
        listed = [each["name"] for each in call(token, "list_sources")["sources"]]
        assert set(names) <= set(listed)
        assert listed == [each["name"] for each in from_api(token, "sources", {})["sources"]]
        seen_by.add(len(listed))
    # People who all see the same would say little.
    assert len(seen_by) >= 3


def test_what_a_person_may_not_see_is_not_found(odd_records):
    person = viewer("limited")
    SourceGrant.objects.create(user=person, source=Source.objects.get(name="shop"))
    token = token_of(person)
    assert [each["name"] for each in call(token, "list_sources")["sources"]] == ["shop"]
    hidden = call(token, "query_records", filter={"source": ["shop-2"]})
    assert (hidden["matching_records"], hidden["records"]) == (0, [])
    assert {each["source"] for each in call(token, "list_runs")["runs"]} == {"shop"}
