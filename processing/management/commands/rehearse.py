"""`manage.py rehearse`: test draft rules on all records of a source."""

import json
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from typing import Any

from django.core.management.base import CommandError

from processing.errors import ProcessingError
from processing.jobs.rule_report import Report, examine_rules
from processing.management.rule_command import RuleCommand
from records.jobs.terminal import counting_bar
from records.models import RecordCount
from web.control_chars import escape_control_chars
from web.numbers import number


class Command(RuleCommand):
    help = (
        "Test draft rules on all records of a source: show the effect compared with the current "
        "results. Nothing is saved. Exit status: 0, or 2 for incorrect usage."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "rules", metavar="RULES.json", help="file with the list of rules; - for standard input"
        )
        super().add_arguments(parser)
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        source = self.source(options["source"])
        rules = self.rules(options["rules"])
        with counting_bar("records", enabled=not options["json"]) as counter:
            counter.expect(RecordCount.objects.selected("all", source.name))
            done = 0

            def on_chunk(records: int) -> None:
                nonlocal done
                counter.advance(records - done)
                done = records

            try:
                report = examine_rules(source, rules, on_chunk)
            except ProcessingError as error:
                raise CommandError(str(error), returncode=2) from error
        if options["json"]:
            self.stdout.write(json.dumps(report, ensure_ascii=False))
        else:
            for line in lines(report):
                self.stdout.write(line)


def lines(report: Report) -> Iterator[str]:
    """A report as lines of text."""
    failing, changed = report["failing"], report["changed"]
    yield (
        f"{number(report['failed'])} of {number(report['records'])} records would fail: "
        f"{number(failing['newly'])} newly, {number(failing['no_longer'])} no longer, "
        f"{number(failing['another_reason'])} for a different reason"
    )
    yield (
        f"{number(changed['records'])} results would change, {number(changed['cells'])} cells in "
        "total"
    )
    anomalies, waiting = report["anomalies"], report["waiting"]
    if any(anomalies.values()):
        yield (
            f"{number(anomalies['total'])} would be flagged: {number(anomalies['newly'])} newly, "
            f"{number(anomalies['no_longer'])} no longer"
        )
    if waiting["records"]:
        yield (
            f"{number(waiting['records'])} records have not been processed yet: "
            f"{number(waiting['failing'])} of them would fail"
        )
    for group in report["rules"]:
        yield from _of_rule(group)
    if others := report["others"]:
        yield f"other rules and columns: {number(others['cells'])} cells"
    yield f"nothing was saved; {report['seconds']:.1f} s"


def _of_rule(group: Mapping[str, Any]) -> Iterator[str]:
    counts = ", ".join(
        f"{number(group[name])} {words}"
        for name, words in (
            ("failing", "failing"),
            ("newly", "newly"),
            ("no_longer", "no longer"),
            ("cells", "cells changed"),
        )
        if group[name]
    )
    name = f"{group['rule'] or 'no rule'} {escape_control_chars(repr(group['column']))}"
    yield f"  {name}: {counts}"
    for what, examples in group["examples"].items():
        for example in examples:
            yield escape_control_chars(f"    {example['id']}: {_said(what, example)}")


def _said(what: str, example: Mapping[str, Any]) -> str:
    if what == "cells":
        before, after = (
            "no cell" if cell is None else repr(cell)
            for cell in (example["before"], example["after"])
        )
        return f"{before} -> {after}"
    said = f"{example['value']!r} {example['message']}"
    return said if what == "newly" else f"no longer: {said}"
