"""Drawings of answers: what fits each question, as a valid spec with the numbers of the answer."""

from datetime import UTC, datetime

import altair as alt
import pytest
from django.http import QueryDict

from explore.charts.questions import drawing
from explore.filters import RecordQuery
from explore.questions.answer import answer
from explore.questions.question import Question
from tests.landed import land

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(db):
    for month in range(1, 5):
        rows = {
            f"{month}-{n}": {"id": f"{month}-{n}", "Region": f"R{n % 3}", "Kind": f"K{n}",
                             "Total": f"{n * month}.5"}
            for n in range(8)
        }  # fmt: skip
        land("shop", rows, timestamp=datetime(2026, month, 5, tzinfo=UTC))


@pytest.mark.parametrize(
    ("measure", "by", "marks"),
    [
        ("sum:Total", ["Region"], ["bar"]),
        ("sum:Total", ["month"], ["bar"]),
        ("mean:Total", ["month"], ["line", "point"]),
        ("sum:Total", ["bin:Total"], ["bar"]),
        ("count", ["month", "Region"], ["bar"]),
        ("count", ["Region", "month"], ["bar"]),
        ("median:Total", ["month", "Region"], ["line", "point"]),
        ("sum:Total", ["Region", "Kind"], ["rect"]),
        ("sum:Total", [], []),
        ("max:Region", ["month"], []),
    ],
)
def test_each_question_has_the_drawing_that_fits(shop, measure, by, marks):
    found = answer(Question.parse({"measure": [measure], "by": by}), RecordQuery.parse(QueryDict()))
    spec = drawing(found)
    assert bool(spec) == bool(marks)
    if spec:
        alt.Chart.from_dict(spec).to_dict(validate=True)
        assert [part["mark"]["type"] for part in spec.get("layer", [spec])] == marks
        assert {mark["url"] for mark in spec["data"]["values"]} == {row.url for row in found.rows}
