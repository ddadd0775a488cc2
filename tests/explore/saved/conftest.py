"""Two sources, and two people."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client

from records.models import Source
from tests.landed import land
from tests.people import viewer

BY_REGION = "source=shop&measure=sum:Total&by=Region"


@pytest.fixture
def records(db) -> None:
    for month in range(1, 4):
        rows = {
            f"{month}-{n}": {"id": f"{month}-{n}", "Region": region, "Total": f"{month}{n}.10"}
            for n, region in enumerate(["North", "South", "<i>"])
        }
        land("shop", rows, timestamp=datetime(2026, month, 3, tzinfo=UTC))
    land("depot", {"1": {"id": "1", "Item": "Nail"}})
    Source.objects.filter(name="shop").update(columns=["id", "Region", "Total"])
    Source.objects.filter(name="depot").update(columns=["id", "Item"])


@pytest.fixture
def ada(records) -> User:
    return viewer("ada")


@pytest.fixture
def bob(records) -> User:
    return viewer("bob")


def page_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client
