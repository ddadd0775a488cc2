"""Whatever the style of a column, what is processed adds up to what was written, or is in doubt."""

import math
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    store.delete_records(ids=list(DataRecord.objects.values_list("pk", flat=True)))
    Source.objects.filter(name="shop").update(mapping={}, columns=[])
    with TemporaryDirectory() as folder:
        path = Path(folder) / "shop.csv"
        rows = "".join(
            f"{place}\t{written(amount, style)}\n" for place, amount in enumerate(amounts)
        )
        path.write_text(f"id\tamount\n{rows}")
        run = load(path, id=["id"], value=["amount"])
    if run.state == RunState.FAILED:
        assert "are ambiguous" in run.error
        return
    process()
    found = ProcessingResult.objects.filter(current=True).values_list("value", flat=True)
    said = run.value_cells["unread"] > 0
    assert math.isclose(sum(filter(None, found)), sum(map(float, amounts)), abs_tol=1e-6) or said
    assert not said
