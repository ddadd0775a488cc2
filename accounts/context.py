"""What every page knows of the rights of its reader."""

from collections.abc import Callable

from django.http import HttpRequest

from records.permissions import Action, may


def reading(request: HttpRequest) -> dict[str, Callable[[], bool]]:
    """``may_read``: whether the reader may see records."""
    return {"may_read": lambda: hasattr(request, "user") and may(request.user, Action.READ)}
