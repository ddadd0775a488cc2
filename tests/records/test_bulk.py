"""Texts are inserted as they are, whatever characters they have."""

import json

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from records.database import bulk
from records.models import TextChange

pytestmark = pytest.mark.django_db

TEXTS = st.lists(
    st.text(st.sampled_from('ab\\"\t\n\r\x7f\xa0é😀N.'), max_size=6), min_size=1, max_size=6
)


@settings(max_examples=100, deadline=None)
@given(TEXTS)
def test_texts_stay_exactly_as_they_are(texts):
    TextChange.objects.all().delete()
    bulk.insert("text_changes", {"ids": texts})
    assert list(TextChange.objects.order_by("pk").values_list("ids", flat=True)) == texts


def test_members_are_given_in_the_order_in_which_postgresql_keeps_them():
    names = ["timestamp", "b", "ä", "a", "é", "aa", "id"]
    data = json.dumps(dict.fromkeys(bulk.member_order(names), 1))
    with connection.cursor() as cursor:
        cursor.execute("SELECT CAST(%s AS jsonb)" if bulk.is_postgresql() else "SELECT %s", [data])
        (kept,) = cursor.fetchone()
    assert list(json.loads(kept)) == list(json.loads(data))
