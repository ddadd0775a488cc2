"""Where a person is signed in."""

from typing import Any

from allauth.account.signals import user_logged_in
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.dispatch import receiver

# Programs that log in again and again would make the list, and each login, slower and slower.
MOST = 50


@receiver(user_logged_in, dispatch_uid="oldest sessions")
def end_oldest(sender: object, user: User, **kwargs: Any) -> None:
    """End the oldest sessions of a person who has just signed in."""
    for session in UserSession.objects.filter(user=user).order_by("-created_at")[MOST:]:
        session.end()


def open_sessions(user: User) -> list[UserSession]:
    """The sessions of a person that are still good, newest first."""
    sessions: list[UserSession] = UserSession.objects.purge_and_list(user)
    return sorted(sessions, key=lambda session: session.created_at, reverse=True)


def end_others(user: User, *, current: str | None) -> int:
    """End all sessions of a person but the one with that key; how many those were."""
    others = list(UserSession.objects.filter(user=user).exclude(session_key=current or ""))
    for session in others:
        session.end()
    return len(others)
