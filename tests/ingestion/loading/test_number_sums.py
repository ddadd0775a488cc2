"""Whatever the style of a column, what is processed adds up to what was written, or is in doubt."""

import math
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.parsing import preparation
from records import store
from records.models import DataRecord, ProcessingResult, RunState, Source
from tests.factories import load, process

pytestmark = pytest.mark.django_db

# Decimal sign, sign between thousands, what stands before, behind, and how minus is written.
STYLES = st.tuples(
    st.sampled_from([(".", ","), (",", "."), (",", "\u00a0"), (".", "'"), (".", ""), (",", "")]),
    st.sampled_from([("", ""), ("\u20ac ", ""), ("", " EUR"), ("$", "")]),
    st.sampled_from(["-{}", "{}-", "({})", "\u2212{}"]),
)
# Plain numbers, which leave the style of the others open.
FIRST = ("1.5", "20.75", "3.25")
AMOUNTS = st.lists(
    st.decimals(-2_000_000, 2_000_000, places=2, allow_nan=False), min_size=1, max_size=12
)


def written(amount: Decimal, style: tuple[tuple[str, str], tuple[str, str], str]) -> str:
    (decimal, thousands), (before, behind), minus = style
    text = f"{abs(amount):,.2f}".translate({ord(","): thousands or None, ord("."): decimal})
    text = f"{before}{text}{behind}"
    return minus.format(text) if amount < 0 else text


@settings(max_examples=60, deadline=None)
@given(AMOUNTS, STYLES)
def test_what_is_processed_adds_up_to_what_was_written(amounts, style):
    assert not check([written(amount, style) for amount in amounts], amounts)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(amounts=AMOUNTS, style=STYLES)
def test_it_does_so_where_the_first_rows_are_plain(amounts, style, monkeypatch):
    monkeypatch.setattr(preparation, "SAMPLE_ROWS", len(FIRST))
    check(
        [*FIRST, *(written(amount, style) for amount in amounts)], [*map(Decimal, FIRST), *amounts]
    )


def check(cells, amounts):
    """Load and process cells, and compare what comes of them with the amounts."""
    store.delete_records(ids=list(DataRecord.objects.values_list("pk", flat=True)))
    Source.objects.filter(name="shop").update(mapping={}, columns=[])
    with TemporaryDirectory() as folder:
        path = Path(folder) / "shop.csv"
        rows = "".join(f"{place}\t{cell}\n" for place, cell in enumerate(cells))
        path.write_text(f"id\tamount\n{rows}")
        run = load(path, id=["id"], value=["amount"])
    if run.state == RunState.FAILED:
        assert "are ambiguous" in run.error
        return False
    process()
    found = ProcessingResult.objects.filter(current=True).values_list("value", flat=True)
    said = run.value_cells["unread"] > 0
    assert math.isclose(sum(filter(None, found)), sum(map(float, amounts)), abs_tol=1e-6) or said
    return said
