"""`manage.py ask`: answer a question about records."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from explore.filters.record_filter import SHOWING
from explore.management.filters import add_filters, query_of
from explore.questions.answer import Answer, NoAnswer, answer
from explore.questions.question import (
    FUNCTIONS,
    MOST_GROUPS,
    MOST_MEASURES,
    ORDERS,
    UNITS,
    Question,
    QuestionError,
)
from explore.questions.show import figure_text
from records.jobs.terminal import RunCommand
from web.control_chars import escape_control_chars


class Command(RunCommand):
    help = (
        "Answer a question: measures of the records that a filter finds, by groups. Exit status: 0 "
        "on success, 1 if there is no answer, 2 for incorrect usage."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--measure", action="append", metavar="FUNCTION:COLUMN",
            help=f"a measure, such as sum:Total; up to {MOST_MEASURES}. Functions: "
            f"{', '.join(FUNCTIONS)}; count and share need no column (default: count) *",
        )  # fmt: skip
        parser.add_argument(
            "--by", action="append", metavar="GROUP",
            help=f"a group, up to {MOST_GROUPS}: a column (Region), a unit of the timestamp "
            f"({', '.join(UNITS)}), a unit of a column of dates (month:Due), ranges of numbers "
            "(bin:Total), record:source or record:status *",
        )  # fmt: skip
        parser.add_argument(
            "--top", metavar="N",
            help="list only the N groups with the largest first measure, and combine the others",
        )  # fmt: skip
        parser.add_argument("--order", choices=ORDERS, default="", help="the order of the groups")
        parser.add_argument("--json", action="store_true", help="print a JSON object a line")
        add_filters(parser, without=SHOWING)

    def handle(self, *args: Any, **options: Any) -> None:
        parameters = {
            "measure": options["measure"] or [],
            "by": options["by"] or [],
            "top": [options["top"] or ""],
            "order": [options["order"]],
        }
        try:
            found = answer(Question.parse(parameters), query_of(options), is_patient=True)
        except QuestionError as error:
            raise CommandError(f"--{error}", returncode=2) from error
        except NoAnswer as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            for row in found.rows:
                values = [part.value for part in row.parts]
                self.stdout.write(
                    json.dumps(
                        {"by": values, "measures": row.figures, "records": row.records},
                        ensure_ascii=False,
                    )
                )
        else:
            self.print_table(found)
        # Beside the objects, which programs read.
        out = self.stderr if options["json"] else self.stdout
        for remark in found.remarks:
            out.write(escape_control_chars(remark.text))

    def print_table(self, found: Answer) -> None:
        question = found.question
        groups = [group.title for group in question.groups]
        table = [[*groups, *(measure.title for measure in question.measures), "Records"]]
        table += [
            [
                *(part.label for part in row.parts),
                *map(figure_text, question.measures, row.figures),
                f"{row.records:,}",
            ]
            for row in found.rows
        ]
        table = [[escape_control_chars(cell) for cell in row] for row in table]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        for row in table:
            cells = [
                cell.ljust(width) if place < len(groups) else cell.rjust(width)
                for place, (cell, width) in enumerate(zip(row, widths, strict=True))
            ]
            self.stdout.write("  ".join(cells).rstrip())
