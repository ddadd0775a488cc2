"""`manage.py check_counts`: proves that the counters say what the records do."""

import json
from argparse import ArgumentParser
from typing import Any

from django.db.models import Sum

from records import store
from records.jobs.terminal import RunCommand
from records.models import RecordCount
from records.no_day import NO_DAY
from records.store import WrongCount

NAMED = 20


class Command(RunCommand):
    help = (
        "Compare the counters used by pages and API with a full count of the records. Exit "
        "status: 0 if all are correct or have been repaired, 1 if some are wrong."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--repair", action="store_true", help="correct wrong counters")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        wrong = store.check_counts(repair=options["repair"])
        records = RecordCount.objects.aggregate(records=Sum("count"))["records"] or 0
        if options["json"]:
            facts = {
                "records": records,
                "wrong": [_facts(item) for item in wrong],
                "repaired": bool(wrong) and options["repair"],
            }
            self.stdout.write(json.dumps(facts, ensure_ascii=False))
        elif not wrong:
            self.stdout.write(f"All counters are correct ({records:,} records).")
        else:
            done = (
                "have been corrected"
                if options["repair"]
                else "are wrong; use --repair to correct them"
            )
            self.stdout.write(f"{len(wrong):,} counters {done}:")
            for item in wrong[:NAMED]:
                day = _day(item) or "no date"
                self.stdout.write(
                    f"  {item.source}, {day}, {item.status}: {item.stored:,} instead of "
                    f"{item.counted:,}"
                )
            if len(wrong) > NAMED:
                self.stdout.write(f"  ... and {len(wrong) - NAMED:,} more")
        if wrong and not options["repair"]:
            raise SystemExit(1)


def _day(item: WrongCount) -> str | None:
    return None if item.day == NO_DAY else str(item.day)


def _facts(item: WrongCount) -> dict[str, Any]:
    return {
        "source": item.source,
        "day": _day(item),
        "status": item.status,
        "stored": item.stored,
        "counted": item.counted,
    }
