"""The default rules, and those that are proposed, on real files: our own, and some from outside."""

import csv
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from processing.engine.proposals import look_at, propose
from processing.rules import Step
from records import store
from records.models import DataRecord, ProcessingResult, Source
from tests.factories import load, process
from tests.odd_inputs import OUTSIDE, TABLES

RANK = (
    "Please rank the Star Wars films in order of preference with 1 being your favorite film in the "
    "franchise and 6 being your least favorite film. / Star Wars: Episode I  The Phantom Menace"
)


@dataclass(frozen=True, eq=False)
class Real:
    """A file: how it is written, the place of its column of values, and what comes of it."""

    file: str
    roles: dict[str, list[str]]
    place: int
    processed: int
    failed: int = 0
    encoding: str = "utf-8-sig"
    delimiter: str = ","
    folder: Path = OUTSIDE / "real"

    @property
    def path(self) -> Path:
        return self.folder / self.file


MARKET = Real(
    "market_sales.csv",
    {
        "id": ["Receipt"],
        "timestamp": ["Date", "Time"],
        "value": ["Total"],
        "category": ["Product line"],
    },
    place=7,
    processed=60,
    folder=TABLES,
)
# 55 of the sums have a decimal comma, which the default rules do not take for one.
STORE = Real(
    "store_orders.tsv",
    {
        "id": ["Order line"],
        "timestamp": ["Ordered"],
        "value": ["Sales"],
        "category": ["Category"],
    },
    place=10,
    processed=60,
    delimiter="\t",
    folder=TABLES,
)
JOBLESS = Real(
    "jobless_rate.csv",
    {
        "id": ["PLACE", "GROUP", "MONTH"],
        "timestamp": ["MONTH"],
        "value": ["Rate"],
        "category": ["PLACE"],
    },
    place=6,
    processed=144,
    folder=TABLES,
)
# Nobody knows how fast the aircraft was in 13 strikes.
STRIKES = Real(
    "bird_strikes.csv",
    {"timestamp": ["Day"], "value": ["Speed in knots"], "category": ["Size"]},
    place=9,
    processed=67,
    failed=13,
    folder=TABLES,
)
# 18 of those who were asked have not ranked the film.
FILMS = Real(
    "film_survey.csv",
    {
        "id": ["Respondent"],
        "value": ["Please rank the films, 1 for the best. / The Café"],
        "category": ["Sex / Response"],
    },
    place=5,
    processed=42,
    failed=18,
    encoding="latin-1",
    folder=TABLES,
)
SUPERMARKET = Real(
    "supermarket_Sales.csv",
    {
        "id": ["Invoice ID"],
        "timestamp": ["Date", "Time"],
        "value": ["Total"],
        "category": ["Product line"],
    },
    place=9,
    processed=1_000,
)
# 985 of the sums have a decimal comma, which the default rules do not take for one.
SUPERSTORE = Real(
    "global_super_store_orders.tsv",
    {
        "id": ["Row ID"],
        "timestamp": ["Order Date"],
        "value": ["Sales"],
        "category": ["Category"],
    },
    place=19,
    processed=1_000,
    delimiter="\t",
)
UNEMPLOYMENT = Real(
    "unemployment_data_europe_oecd.csv",
    {
        "id": ["LOCATION", "SUBJECT", "TIME"],
        "timestamp": ["TIME"],
        "value": ["Value"],
        "category": ["LOCATION"],
    },
    place=6,
    processed=5_732,
)
# Nobody knows how fast the aircraft was in 2,836 strikes.
BIRDSTRIKES = Real(
    "birdstrikes.csv",
    {
        "timestamp": ["Flight Date"],
        "value": ["Speed IAS in knots"],
        "category": ["Wildlife Size"],
    },
    place=13,
    processed=7_164,
    failed=2_836,
)
# 351 of those who were asked have not ranked the film.
STAR_WARS = Real(
    "StarWars.csv",
    {"id": ["RespondentID"], "value": [RANK], "category": ["Gender / Response"]},
    place=9,
    processed=835,
    failed=351,
    encoding="latin-1",
)
OWN = [MARKET, STORE, JOBLESS, STRIKES, FILMS]
FROM_OUTSIDE = [SUPERMARKET, SUPERSTORE, UNEMPLOYMENT, BIRDSTRIKES, STAR_WARS]


def there(files: Iterable[Real]) -> list[Real]:
    """Those that are there: files from outside may not be."""
    return [real for real in files if real.path.is_file()]


ALL = there(OWN + FROM_OUTSIDE)


def processed(real: Real) -> tuple[tuple[int, int, int], list[ProcessingResult]]:
    run = process("real")
    results = list(ProcessingResult.objects.current().of_source("real"))
    assert len(results) == real.processed + real.failed
    return (run.processed, run.failed, run.repaired), results


def cells(real: Real) -> list[str]:
    """The cells of the value, read without any of our code."""
    with real.path.open(encoding=real.encoding, newline="") as file:
        found = [row[real.place] for row in csv.reader(file, delimiter=real.delimiter)]
    # One of the files has two rows of headers.
    return found[-real.processed - real.failed :]


def tally(found: list[Any]) -> Counter[str]:
    """How often each thing is there, in whatever order its parts are."""
    return Counter(str(sorted(each.items())) for each in found)


@pytest.mark.django_db
@pytest.mark.parametrize("real", ALL, ids=lambda real: real.file)
def test_default_rules_on_real_files(real):
    run = load(real.path, source="real", **real.roles)
    assert (run.error, run.rejected) == ("", 0)
    counts, results = processed(real)
    assert counts == (real.processed, real.failed, 0)
    (column,) = real.roles["value"]
    found = cells(real)
    errors = [
        {"rule": "required", "column": column, "value": cell, "message": "is missing"}
        for cell in found
        if not cell
    ]
    assert len(errors) == real.failed
    assert tally([error for result in results for error in result.errors]) == tally(errors)
    assert not any(result.repairs for result in results)
    read = [result.value for result in results if result.value is not None]
    assert sorted(read) == sorted(float(cell.replace(",", ".")) for cell in found if cell)


def proposed(real: Real) -> list[Step]:
    """Rules that are proposed from all rows of a file, as it lands."""
    load(real.path, source="real", **real.roles)
    rows = list(DataRecord.objects.order_by("id").values_list("data", flat=True))
    source = Source.objects.get(name="real")
    rules = propose(look_at(rows, source.columns), source.mapping)
    store.save_rule_set(source=source, rules=rules)
    return rules


@pytest.mark.django_db
@pytest.mark.parametrize("real", ALL, ids=lambda real: real.file)
def test_proposed_rules_repair_nothing_and_fail_nothing_that_the_default_rules_pass(real):
    proposed(real)
    counts, results = processed(real)
    assert counts == (real.processed, real.failed, 0)
    assert sum(result.value or 0 for result in results) == pytest.approx(
        sum(float(cell.replace(",", ".")) for cell in cells(real) if cell)
    )


# The columns of numbers and dates of the files with decimal commas.
COMMAS = {
    STORE: (["Sales", "Quantity", "Discount", "Profit", "Shipping"], ["Ordered", "Shipped"]),
    SUPERSTORE: (
        ["Sales", "Quantity", "Discount", "Profit", "Shipping Cost"],
        ["Order Date", "Ship Date"],
    ),
}


@pytest.mark.django_db
@pytest.mark.parametrize("real", there(COMMAS), ids=lambda real: real.file)
def test_proposed_rules_of_a_file_with_decimal_commas_codes_and_dates_of_its_own(real):
    rules = proposed(real)
    numbers, dates = (
        {step["column"]: step for step in rules if step["rule"] == kind}
        for kind in ("number", "date")
    )
    of_numbers, of_dates = COMMAS[real]
    assert [*numbers] == of_numbers
    assert [name for name, step in numbers.items() if step.get("decimal") != ","] == ["Quantity"]
    assert {name: step["formats"] for name, step in dates.items()} == {
        name: ["%m/%d/%y"] for name in of_dates
    }


# All that is proposed where columns say little: the same measure and unit in every row is not told.
LITTLE = {
    JOBLESS: [
        ("required", None),
        ("number", "Rate"),
        ("text", "PLACE"),
        ("allowed", "PLACE"),
        ("allowed", "GROUP"),
        ("range", "Rate"),
        ("anomaly", "Rate"),
        ("stamp", "processed_timestamp"),
    ],
    UNEMPLOYMENT: [
        ("required", None),
        ("number", "Value"),
        ("text", "LOCATION"),
        ("range", "Value"),
        ("allowed", "Flag Codes"),
        ("anomaly", "Value"),
        ("stamp", "processed_timestamp"),
    ],
}


@pytest.mark.django_db
@pytest.mark.parametrize("real", there(LITTLE), ids=lambda real: real.file)
def test_proposed_rules_say_nothing_of_columns_about_which_there_is_nothing_to_say(real):
    rules = proposed(real)
    assert [(step["rule"], step.get("column")) for step in rules] == LITTLE[real]
