"""An answer as pages show it: a number, a drawing, a table or a pivot table."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from explore.charts.questions import drawing
from explore.questions.answer import Answer, Row
from explore.questions.question import Measure
from explore.questions.show import figure_text
from explore.questions.urls import query_string

# How many groups are listed, and how many columns a pivot table has.
MOST_LISTED, MOST_COLUMNS = 200, 40


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure as text, and the page that lists its records."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Display:
    """What templates show of an answer."""

    answer: Answer
    spec: dict[str, Any] | None
    numbers: Sequence[tuple[str, Cell]]
    table: Sequence[tuple[Sequence[str], Sequence[Cell], Cell]]
    pivot: dict[str, Any] | None

    @property
    def question(self) -> Any:
        return self.answer.question

    @property
    def query(self) -> str:
        """The question as the query of a URL."""
        return query_string(self.answer.question, self.answer.query)

    @property
    def counts(self) -> bool:
        """Whether the number of records is one of the measures."""
        return Measure("count") in self.answer.question.measures


def displayed(found: Answer) -> Display:
    question = found.question
    return Display(
        answer=found,
        spec=drawing(found),
        numbers=[
            (measure.title, Cell(figure_text(measure, figure), found.total.url))
            for measure, figure in zip(question.measures, found.total.figures, strict=True)
        ],
        table=[_listed(found, row) for row in found.rows[:MOST_LISTED]],
        pivot=_pivot(found),
    )


def without_links(found: Answer) -> Answer:
    """The answer for somebody who may not go on to its records."""

    def bare(rows: Sequence[Row]) -> list[Row]:
        return [replace(row, url="") for row in rows]

    return replace(
        found,
        rows=bare(found.rows),
        total=replace(found.total, url=""),
        firsts=bare(found.firsts),
        seconds=bare(found.seconds),
        remarks=[replace(remark, url="") for remark in found.remarks],
    )


def _listed(found: Answer, row: Row) -> tuple[Sequence[str], list[Cell], Cell]:
    """A group as a row: its labels, its figures, its records."""
    texts = map(figure_text, found.question.measures, row.figures)
    cells = [Cell(text, row.url) for text in texts]
    return [part.label for part in row.parts], cells, Cell(f"{row.records:,}", row.url)


def _pivot(found: Answer) -> dict[str, Any] | None:
    """One measure by two groups as a table with totals; None for another question."""
    question = found.question
    if len(question.groups) < 2 or len(question.measures) > 1 or len(found.seconds) > MOST_COLUMNS:
        return None
    measure = question.measures[0]

    def cell(row: Row | None) -> Cell:
        return Cell(figure_text(measure, row.figures[0]), row.url) if row else Cell("", "")

    by_parts = {row.parts: row for row in found.rows}
    return {
        "columns": [(row.parts[0].label, cell(row)) for row in found.seconds],
        "rows": [
            (
                row.parts[0].label,
                [cell(by_parts.get((*row.parts, *column.parts))) for column in found.seconds],
                cell(row),
            )
            for row in found.firsts[:MOST_LISTED]
        ],
        "total": cell(found.total),
    }
