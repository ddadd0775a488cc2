"""The pages of a source's rules: edit them with a preview, and compare versions."""

import time
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from processing.engine.number_rules import still_repaired, with_numbers
from processing.engine.proposals import look_at, propose, seen
from processing.engine.trial import try_out
from processing.errors import InvalidRules
from processing.lookups import check_lookups
from processing.pages.rule_comparison import compare_rules
from processing.pages.rule_form import are_known, fields_of, read_steps, same_rules
from processing.rule_sets import note_problem
from processing.rules import KINDS, Step, in_force
from processing.rules.check import MOST_STEPS, check_rules
from processing.rules.defaults import default_rules
from records import store
from records.lookups import or_404, source_or_404
from records.models import DataRecord, DryRun, RuleSet, Source
from records.permissions import Action, check
from web.requests import PageRequest, wants_part

# So many rows are tried from the beginning of a source, and as many from its end.
TRIED_ROWS = 10
# So many rows are looked at to propose rules.
LOOKED_AT_ROWS = 10_000
SHOWN_VERSIONS = 20


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: PageRequest, name: str) -> HttpResponse:
    """The form of a source's rules, with a preview on some of its records.

    Every button submits the whole form; nothing is stored until it is saved as the next version.
    """
    source = source_or_404(name)
    check(request.user, Action.CHANGE_RULES)
    current = source.current_rule_set
    if request.method != "POST":
        started, note = _started(request, source, current)
        return _page(request, source, current, started, note=note)
    try:
        rules = read_steps(request.POST)
    except InvalidRules as error:
        rules = list(current.rules) if current else default_rules(source.mapping)
        return _page(request, source, current, rules, problem=str(error), status=400)
    note = request.POST.get("note", "").strip()
    if request.POST.get("do") != "save":
        rules = _done(request.POST.get("do", ""), rules, source, request.POST.get("kind", ""))
        if request.POST.get("do") == "propose":
            messages.info(request, _told_of(rules, source))
        return _page(request, source, current, rules, note=note)
    problem = _problem(request, current, rules, note)
    if problem:
        return _page(request, source, current, rules, note=note, problem=problem, status=400)
    if current and same_rules(rules, current.rules):
        messages.info(request, f"No changes: version {current.version} stays active.")
    else:
        saved = store.save_rule_set(source=source, rules=rules, note=note, author=request.user)
        messages.success(
            request,
            f"Version {saved.version} is now active. Existing results stay until the records are "
            "reprocessed.",
        )
    return redirect("rules", source.name)


@require_safe
def compare(request: PageRequest, name: str) -> HttpResponse:
    """Two versions side by side: ``old`` and ``new``, else the newest two."""
    source = source_or_404(name)
    versions = _versions(source)
    if not versions:
        raise Http404("This source has no rules yet.")
    newest = versions[0].version
    new = _version(source, request.GET.get("new") or str(newest))
    old = _version(source, request.GET.get("old") or str(max(new.version - 1, 1)))
    is_known = are_known(old.rules) and are_known(new.rules)
    context = {
        "source": source,
        "versions": versions,
        "old": old,
        "new": new,
        "is_known": is_known,
        "pairs": compare_rules(old.rules, new.rules) if is_known else [],
    }
    return render(request, "processing/compare.html", context)


def _version(source: Source, text: str) -> RuleSet:
    is_number = text.isascii() and text.isdigit() and len(text) < 10
    found = source.rule_sets.filter(version=int(text)).first() if is_number else None
    return or_404(found, f"The rules of this source have no version “{text}”.")


def _versions(source: Source) -> Sequence[RuleSet]:
    return list(source.rule_sets.select_related("author").order_by("-version")[:SHOWN_VERSIONS])


def _started(
    request: PageRequest, source: Source, current: RuleSet | None
) -> tuple[list[Step], str]:
    """The steps to start from, and the note that goes with them."""
    if wanted := request.GET.get("from"):
        former = _version(source, wanted)
        return former.rules, f"Back to version {former.version}"
    if wanted := request.GET.get("rehearsed"):
        return _tested(source, wanted), ""
    return (current.rules if current else default_rules(source.mapping)), ""


def _tested(source: Source, text: str) -> list[Step]:
    """The draft that was tested."""
    is_number = text.isascii() and text.isdigit() and len(text) < 19
    found = source.rule_dry_runs.filter(pk=int(text)).first() if is_number else None
    rules: list[Step] = or_404(found, f"This source has no rule test “{text}”.").rules
    return rules


def _done(what: str, rules: list[Step], source: Source, kind: str) -> list[Step]:
    """The steps after a button was pressed; one that is not known changes nothing."""
    if what == "propose":
        return _proposed(source)
    if what == "add":
        return [*rules, {"rule": kind}] if kind in KINDS and len(rules) < MOST_STEPS else rules
    action, _, text = what.partition("-")
    place = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else -1
    if not 0 <= place < len(rules):
        return rules
    left = [step for number, step in enumerate(rules) if number != place]
    if action == "remove":
        return left
    if action in ("up", "down"):
        left.insert(max(place + (1 if action == "down" else -1), 0), rules[place])
        return left
    return rules


def _proposed(source: Source) -> list[Step]:
    # Imports read times without an offset in this zone, too.
    home = {} if settings.TIME_ZONE == "UTC" else {"timestamp_zone": settings.TIME_ZONE}
    mapping = home | source.mapping
    dry_run = DryRun.objects.filter(run__source=source, state="finished").order_by("-pk").first()
    profile = dry_run.report.get("profile") if dry_run else None
    data, _ = _rows_of(source)
    columns = [seen(column) for column in profile] if profile else look_at(data, source.columns)
    return with_numbers(propose(columns, mapping), data, mapping)


def _rows_of(source: Source) -> tuple[list[dict[str, Any]], bool]:
    """The rows of a source, and whether these are all: of a large one the first and the last."""
    rows = DataRecord.objects.of_source(source.name).open().values_list("data", flat=True)
    first = list(rows.order_by("id")[: LOOKED_AT_ROWS + 1])
    if len(first) <= LOOKED_AT_ROWS:
        return first, True
    half = LOOKED_AT_ROWS // 2
    return [*first[:half], *rows.order_by("-id")[:half]], False


def _told_of(rules: Sequence[Step], source: Source) -> str:
    """From what the rules were suggested, and what they would still repair."""
    rows, are_all = _rows_of(source)
    half = LOOKED_AT_ROWS // 2
    which = f"all {len(rows):,}" if are_all else f"the first and the last {half:,}"
    if not (repairs := still_repaired(rules, rows)):
        return f"Suggested from {which} stored rows: nothing in them would be repaired."
    listed = ", ".join(f"{count:,} in {name!r} (such as {text!r})" for name, count, text in repairs)
    return f"Suggested from {which} stored rows. Still repaired would be: {listed}."


def _problem(
    request: PageRequest, current: RuleSet | None, rules: list[Step], note: str
) -> str | None:
    """Why the rules can't be saved, as a sentence."""
    try:
        check_rules(rules)
        check_lookups(rules)
    except InvalidRules as error:
        return str(error)
    if problem := note_problem(note):
        return problem
    if current and request.POST.get("base") != str(current.version):
        return (
            f"Version {current.version} has been saved in the meantime. Review it before you save "
            "yours."
        )
    return None


def _tried(source: Source, rules: Sequence[Step]) -> dict[str, Any]:
    """What rules make of rows from the beginning and the end of a source, if they are right."""
    try:
        check_rules(rules)
    except InvalidRules as error:
        return {"refused": str(error)}
    records = DataRecord.objects.of_source(source.name).open().values_list("id", "data")
    first = list(records.order_by("id")[:TRIED_ROWS])
    last = [row for row in records.order_by("-id")[:TRIED_ROWS] if row[0] > first[-1][0]]
    return {
        "tried": try_out([*first, *reversed(last)], rules, time.time()),
        "asks_for_facts": any(KINDS[step["rule"]].facts for step in in_force(rules)),
    }


def _page(
    request: PageRequest,
    source: Source,
    current: RuleSet | None,
    rules: Sequence[Step],
    *,
    note: str = "",
    problem: str | None = None,
    status: int = 200,
) -> HttpResponse:
    is_known = all(isinstance(step, dict) and step.get("rule") in KINDS for step in rules)
    steps = fields_of(rules) if is_known else []
    context = {"source": source, "steps": steps, **_tried(source, rules)}
    if wants_part(request):
        return render(request, "processing/_trial.html", context)
    context |= {
        "current": current,
        "note": note,
        "problem": problem,
        "is_known": is_known,
        "kinds": KINDS.values(),
        "versions": _versions(source),
        "columns": source.columns[:1_000],
        "others": Source.objects.exclude(pk=source.pk).values_list("name", flat=True)[:1_000],
    }
    return render(request, "processing/rules.html", context, status=status)
