"""Answers as objects and as CSV."""

import csv
import io
from typing import Any

from explore.questions.answer import Answer, NoAnswer, Row
from web.spreadsheets import guarded


def as_object(answer: Answer) -> dict[str, Any]:
    """An answer as an object of JSON."""
    return {
        "title": answer.question.title,
        "by": [group.title for group in answer.question.groups],
        "measures": [measure.title for measure in answer.question.measures],
        "rows": [_row(row) for row in answer.rows],
        "total": _row(answer.total),
        "first_totals": [_row(row) for row in answer.firsts],
        "second_totals": [_row(row) for row in answer.seconds],
        "remarks": [
            {"kind": remark.kind, "column": remark.column, "count": remark.count,
             "text": remark.text, "url": remark.url}
            for remark in answer.remarks
        ],
        "as_of": answer.as_of,
    }  # fmt: skip


def as_csv(answer: Answer) -> str:
    """The groups of an answer as CSV, which no spreadsheet carries out as formulas.

    Raises NoAnswer if changes are not counted yet, which a table can't say.
    """
    if behind := [remark.text for remark in answer.remarks if remark.kind == "behind"]:
        raise NoAnswer(" ".join(behind))
    text = io.StringIO()
    writer = csv.writer(text)
    question = answer.question
    titles = [group.title for group in question.groups]
    titles += [measure.title for measure in question.measures]
    writer.writerow([*map(guarded, titles), "Records"])
    for row in answer.rows:
        values = [guarded(part.value) for part in row.parts]
        figures = ["" if figure is None else repr(figure) for figure in row.figures]
        writer.writerow([*values, *figures, row.records])
    return text.getvalue()


def _row(row: Row) -> dict[str, Any]:
    return {
        "by": [part.value for part in row.parts],
        "measures": list(row.figures),
        "records": row.records,
        "url": row.url,
    }
