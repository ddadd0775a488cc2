"""How long a dry run takes, beside processing without writing.

    python -m benchmarks.rule_dry_run {without,dry_run} SOURCE

measures one of the two on all records of a source. benchmarks.process calls both.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import django

ROOT = Path(__file__).resolve().parent.parent

# A dry run takes at most so many seconds for a million records, or so many times as long as
# processing without writing; and so many MB.
SECONDS, TIMES = 30, 1.5
MEMORY = 300


def measured(source: str, rows: int) -> tuple[str, list[str]]:
    """What a dry run of a source takes, in words, and which limits it misses."""
    (without, _), (seconds, memory) = (alone(each, source) for each in MEASURED)
    at_most = SECONDS * rows / 1_000_000
    words = (
        f"A dry run takes {seconds:.1f} s, {seconds / without:.2f} times as long as without "
        f"comparing, and {memory:.0f} MB; at most {at_most:.1f} s, or {TIMES} times as long."
    )
    missed = ["dry_run"] if seconds > max(at_most, TIMES * without) else []
    return words, missed + (["memory of a dry run"] if memory > MEMORY else [])


def alone(what: str, source: str) -> tuple[float, float]:
    """Seconds that something takes in a process of its own, and its greatest memory in MB."""
    command = [sys.executable, "-m", "benchmarks.rule_dry_run", what, source]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)  # noqa: S603 (ours)
    seconds = process.stdout.readline()  # type: ignore[union-attr]
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{what} failed.")
    return float(seconds), used.ru_maxrss / 1024


def without_writing(name: str) -> None:
    """Read all records and carry the rules out on them, as a worker does."""
    from django.conf import settings

    from processing.jobs.batch_work import make_outcomes
    from processing.jobs.rule_report import FIRST_ROWS, next_chunk
    from processing.rule_sets import rule_set_for
    from records.gc_tuning import tuned_gc
    from records.models import Source
    from records.store.readings import Text, read

    source = Source.objects.get(name=name)
    rules = rule_set_for(source)

    def carry_out(text: Text) -> None:
        make_outcomes(text.reading().records, rules, source, time.time())

    after, size = "", FIRST_ROWS
    working: Future[None] | None = None
    with tuned_gc(), ThreadPoolExecutor(1) as executor:
        while chunk := next_chunk(source, after, size):
            text = read(chunk)
            if working:
                working.result()
            working = executor.submit(carry_out, text)
            after, size = chunk.last, settings.BATCH_ROWS
        if working:
            working.result()


def dry_run(name: str) -> None:
    """Dry run rules by which a hundredth of the records gets another value."""
    from processing.jobs.rule_report import examine_rules
    from processing.rule_sets import rule_set_for
    from records.models import Source

    source = Source.objects.get(name=name)
    rules = rule_set_for(source).rules
    draft = [{**step, **({"default": 1.0} if step["rule"] == "number" else {})} for step in rules]
    report = examine_rules(source, draft)
    if report["changed"]["cells"] * 100 != report["records"]:
        raise SystemExit(f"The dry run has another result: {report}")


MEASURED: dict[str, Callable[[str], None]] = {
    "without": without_writing,
    "dry_run": dry_run,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=MEASURED)
    parser.add_argument("source")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dataflow_site.settings")
    django.setup()
    # What it takes to load them is no part of it.

    started = time.perf_counter()
    MEASURED[options.what](options.source)
    print(time.perf_counter() - started)


if __name__ == "__main__":
    main()
