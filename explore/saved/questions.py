"""Saves questions: the queries of their URLs, by name."""

from django.contrib.auth.models import User
from django.db import transaction
from django.http import QueryDict

from explore.questions.question import QuestionError
from explore.questions.urls import InvalidFilter, parsed, query_string
from explore.saved.sharing import CannotSave, set_audience, set_name
from records.models import Audience, SavedQuestion

MOST = 200


@transaction.atomic
def save_question(
    *,
    user: User,
    name: str,
    parameters: QueryDict,
    audience: str = Audience.PRIVATE,
) -> SavedQuestion:
    """Save the question of a URL under a new name. Raises CannotSave."""
    if SavedQuestion.objects.owned_by(user).count() >= MOST:
        raise CannotSave("", f"You already have {MOST} saved questions. Delete one first.")
    saved = SavedQuestion(owner=user)
    change_question(saved, name=name, parameters=parameters, audience=audience)
    return saved


@transaction.atomic
def change_question(
    saved: SavedQuestion,
    *,
    name: str | None = None,
    parameters: QueryDict | None = None,
    audience: str | None = None,
) -> None:
    """Rename a saved question, give it another question, or share it. Raises CannotSave."""
    if parameters is not None:
        try:
            saved.query = query_string(*parsed(parameters))
        except InvalidFilter as error:
            raise CannotSave("query", str(error)) from error
        except QuestionError as error:
            raise CannotSave("query", str(error)) from error
    if name is not None:
        set_name(saved, name)
    if audience is not None:
        set_audience(saved, audience)
    saved.save()
