"""Values of JSON bodies have the types that the description of the API says."""

import pytest
from rest_framework import serializers
from rest_framework.test import APIClient

from tests.people import of_role
from web.api.serializers import WRONG_TYPE, StrictBody


class Body(StrictBody):
    text = serializers.CharField(required=False, allow_null=True)
    flag = serializers.BooleanField(required=False)
    whole = serializers.IntegerField(required=False)
    number = serializers.FloatField(required=False)
    choice = serializers.ChoiceField(choices=["0", "1"], required=False)
    texts = serializers.ListField(child=serializers.CharField(), required=False)
    cells = serializers.DictField(child=serializers.CharField(), required=False)


@pytest.mark.parametrize(
    "body",
    [{"text": 0}, {"text": True}, {"text": 1.5}, {"flag": "true"}, {"flag": 1}, {"whole": "5"},
     {"whole": True}, {"number": "1.5"}, {"number": False}, {"choice": 1}, {"texts": ["a", 1]},
     {"cells": {"a": 1}}],
    ids=str,
)  # fmt: skip
def test_a_value_of_another_type_is_refused(body):
    checked = Body(data=body)
    assert not checked.is_valid()
    assert checked.errors == {next(iter(body)): [WRONG_TYPE]}


@pytest.mark.parametrize(
    "body",
    [{"text": "0"}, {"text": None}, {"flag": True}, {"whole": 5}, {"whole": 5.0}, {"number": 2},
     {"choice": "1"}, {"texts": ["a"]}, {"cells": {"a": "1"}}],
    ids=str,
)  # fmt: skip
def test_a_value_of_its_type_is_taken(body):
    assert Body(data=body).is_valid()


@pytest.mark.parametrize("name", [0, True, 1.5, ["x"], {"x": 1}, None])
def test_the_name_of_a_view_is_text(db, name):
    client = APIClient()
    client.force_authenticate(of_role("Editor", "eve"))
    answer = client.post("/api/v1/views", {"name": name, "query": ""}, format="json")
    assert answer.status_code == 400
    assert answer.json()["errors"].keys() == {"name"}
