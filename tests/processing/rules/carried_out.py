"""A short way to carry a step out on the cells of one column."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from processing.engine import pipeline
from processing.rules import ABSENT, describe
from processing.rules.check import check_rules, step_problem


class Seen(NamedTuple):
    """What became of the cells: the cells, the messages they failed by, the repairs as pairs."""

    cells: list[Any]
    messages: dict[int, str]
    repairs: dict[int, tuple[Any, Any]]


def rows_of(cells: Sequence[object]) -> list[dict[str, Any]]:
    return [{} if cell is ABSENT else {"c": cell} for cell in cells]


def carry_out(rule: str, cells: Sequence[object], **given: Any) -> Seen:
    """Carry a step out on column "c"."""
    step = {"rule": rule, "column": "c", **given}
    check_rules([step])
    assert describe(step)
    batch = pipeline.apply(rows_of(cells), [step], 5.0)
    cleaned = [row.get("c", ABSENT) for row in pipeline.cleaned_rows(batch)]
    for found in (*batch.errors.values(), *batch.repairs.values()):
        assert [each["rule"] for each in found] == [rule]
        assert [each["column"] for each in found] == ["c"]
    for place, (error,) in batch.errors.items():
        assert error["value"] is (None if cells[place] is ABSENT else cells[place])
    return Seen(
        cleaned,
        {place: error["message"] for place, (error,) in batch.errors.items()},
        {place: (repair["before"], repair["after"]) for place, (repair,) in batch.repairs.items()},
    )


def problem(rule: str, **given: Any) -> str:
    """The sentence by which a step is refused."""
    return step_problem({"rule": rule, **given}) or ""
