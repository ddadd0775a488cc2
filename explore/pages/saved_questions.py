"""Saved questions: their list, their settings, and what the page of questions saves."""

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from explore.saved import dashboards, questions
from explore.saved.sharing import CannotSave, audience_of, audiences_for
from records.lookups import by_id, or_404, row_or_404
from records.models import Dashboard, SavedQuestion
from web.requests import PageRequest

NEW = "new"


@require_safe
def saved_questions(request: PageRequest) -> HttpResponse:
    """What the reader has saved, and what others share."""
    rows = SavedQuestion.objects.listed_for(request.user).with_people()
    return render(request, "explore/saved_questions.html", {"questions": rows})


@require_POST
def save_question(request: PageRequest) -> HttpResponse:
    """Save the question of the URL: as a new one, or in place of the one that was opened.

    It is put on a dashboard too, if the button says so.
    """
    name, audience = request.POST.get("name", ""), request.POST.get("audience") or "private"
    try:
        if "update" in request.POST:
            saved = _own(request, _number(request, "update"))
            questions.change_question(saved, name=name, parameters=request.GET, audience=audience)
        else:
            saved = questions.save_question(
                user=request.user, name=name, parameters=request.GET, audience=audience
            )
        if "add" not in request.POST:
            messages.success(request, f"Question “{saved.name}” saved.")
            return redirect(saved)
        dashboard = _dashboard(request)
        dashboards.add_tile(dashboard, {"question": saved.pk})
    except CannotSave as error:
        if error.field == "query":
            raise BadRequest(str(error)) from error
        messages.error(request, str(error))
        return redirect(f"{reverse('questions')}?{request.GET.urlencode()}")
    messages.success(request, f"Question “{saved.name}” saved and added.")
    return redirect(dashboard)


@require_http_methods(["GET", "HEAD", "POST"])
def saved_question(request: PageRequest, pk: int) -> HttpResponse:
    """The settings of a question of the reader: its name, and with whom it is shared."""
    saved = _own(request, pk)
    error = ""
    if request.method == "POST":
        name, audience = request.POST.get("name", ""), request.POST.get("audience", "")
        try:
            questions.change_question(saved, name=name, audience=audience)
        except CannotSave as refused:
            error = str(refused)
        else:
            messages.success(request, f"Question “{saved.name}” saved.")
            return redirect("saved-questions")
    context = {
        "saved": saved,
        "audiences": audiences_for(request.user),
        "audience": audience_of(saved),
        "error": error,
        "used": [
            board
            for board in Dashboard.objects.owned_by(request.user)
            if saved.pk in {tile.get("question") for tile in board.tiles}
        ],
    }
    return render(request, "explore/saved_question.html", context, status=400 if error else 200)


@require_POST
def delete_question(request: PageRequest, pk: int) -> HttpResponse:
    """Delete a question of the reader; dashboards say that it is gone."""
    saved = _own(request, pk)
    saved.delete()
    messages.success(request, f"Question “{saved.name}” deleted.")
    return redirect("saved-questions")


def _own(request: PageRequest, pk: int) -> SavedQuestion:
    return row_or_404(SavedQuestion.objects.owned_by(request.user), pk, "saved question of yours,")


def _dashboard(request: PageRequest) -> Dashboard:
    """The dashboard that was chosen, or a new one. Raises CannotSave."""
    own = Dashboard.objects.owned_by(request.user)
    if request.POST.get("dashboard") != NEW:
        number = _number(request, "dashboard")
        return or_404(by_id(own, number), "You have no such dashboard.")
    names = {*own.values_list("name", flat=True)}
    known = ("My dashboard", *(f"My dashboard {count}" for count in range(2, len(names) + 3)))
    name = next(name for name in known if name not in names)
    return dashboards.create_dashboard(user=request.user, name=name)


def _number(request: PageRequest, name: str) -> int:
    text = request.POST.get(name, "")
    if not (text.isascii() and text.isdigit()):
        raise BadRequest(f"“{name}” must be a number, not “{text[:50]}”.")
    return int(text)
