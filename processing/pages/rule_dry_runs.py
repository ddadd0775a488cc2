"""The pages of "test on all records": the effect of draft rules on all records of a source."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts import rights
from processing.errors import InvalidRules
from processing.jobs import rule_dry_runs
from processing.pages.rule_form import read_steps
from processing.rules import describe
from records.jobs import leases
from records.jobs.liveness import lacks_worker
from records.lookups import or_404, row_or_404, source_or_404
from records.models import RuleDryRun
from records.permissions import Action, check
from web.requests import PageRequest, wants_part


@require_POST
def start(request: PageRequest, name: str) -> HttpResponse:
    """Test the draft rules of the form, and redirect to the page of the test."""
    check(request.user, Action.CHANGE_RULES)
    source = source_or_404(name)
    try:
        dry_run = rule_dry_runs.start(source, read_steps(request.POST), user=request.user)
    except InvalidRules as error:
        context = {"source": source, "problem": str(error)}
        return render(request, "processing/rules_not_tested.html", context, status=400)
    return redirect(dry_run)


@require_safe
def dry_run(request: PageRequest, pk: int) -> HttpResponse:
    """The progress of a test, and its report."""
    found = _found(request, pk)
    context = {
        "dry_run": found,
        "source": found.source,
        "share": found.done / found.total if found.total else 0.0,
        "words": [describe(step) for step in found.rules],
        "no_worker": lacks_worker(found),
        "is_part": wants_part(request),
    }
    template = "_rule_dry_run" if context["is_part"] else "rule_dry_run"
    return render(request, f"processing/{template}.html", context)


@require_POST
def cancel(request: PageRequest, pk: int) -> HttpResponse:
    """Cancel a running test."""
    check(request.user, Action.CHANGE_RULES)
    found = _found(request, pk)
    if leases.stop(found):
        messages.success(request, "Test cancelled.")
    return redirect(found)


def _found(request: PageRequest, pk: int) -> RuleDryRun:
    """The test, unless it is one of somebody else."""
    found = row_or_404(RuleDryRun.objects.with_source(), pk, "rule test")
    is_own = rights.is_own(request.user, found.user_id)
    return or_404(found if is_own else None, f"There is no rule test {pk}.")
