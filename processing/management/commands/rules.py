"""`manage.py rules`: print or change the rules of a source."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from processing.errors import InvalidRules
from processing.lookups import check_lookups
from processing.management.rule_command import RuleCommand
from processing.rule_sets import note_problem
from processing.rules.check import check_rules
from processing.rules.defaults import default_rules
from records import store
from records.models import RuleSet, Source


class Command(RuleCommand):
    help = (
        "Print the rules of a source as JSON, to edit and test; or save a file, or an earlier "
        "version, as the new active version. Exit status: 0, or 2 for incorrect usage."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        wanted = parser.add_mutually_exclusive_group()
        wanted.add_argument("--print", type=int, metavar="N", help="print version N")
        wanted.add_argument(
            "--save", metavar="RULES.json", help="save this file of rules; - for standard input"
        )
        wanted.add_argument("--back-to", type=int, metavar="N", help="restore version N")
        parser.add_argument("--note", default="", help="why the rules are changed")

    def handle(self, *args: Any, **options: Any) -> None:
        source = self.source(options["source"])
        if options["save"] is not None:
            self.save(source, self.rules(options["save"]), options["note"])
        elif options["back_to"] is not None:
            former = self.version(source, options["back_to"])
            self.save(source, former.rules, options["note"] or f"Back to version {former.version}")
        else:
            number = options["print"]
            shown = source.current_rule_set if number is None else self.version(source, number)
            rules = shown.rules if shown else default_rules(source.mapping)
            self.stdout.write(json.dumps(rules, indent=2, ensure_ascii=False))

    def version(self, source: Source, number: int) -> RuleSet:
        """A version of the rules, or wrong usage."""
        found = source.rule_sets.filter(version=number).first()
        if found is None:
            problem = f"The rules of {source.name} have no version {number}."
            raise CommandError(problem, returncode=2)
        return found

    def save(self, source: Source, rules: Any, note: str) -> None:
        """Make rules the next version, or refuse them as wrong usage."""
        if problem := note_problem(note):
            raise CommandError(problem, returncode=2)
        try:
            check_rules(rules)
            check_lookups(rules)
        except InvalidRules as error:
            raise CommandError(str(error), returncode=2) from error
        saved = store.save_rule_set(source=source, rules=rules, note=note)
        self.stdout.write(
            f"Version {saved.version} is now active. Existing results stay until the records are "
            "reprocessed."
        )
