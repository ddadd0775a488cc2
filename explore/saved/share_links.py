"""Creates, opens and revokes links for people without an account."""

import hashlib
import logging
import secrets
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import OperationalError
from django.utils import timezone

from explore.saved.sharing import CannotSave
from records.models import Dashboard, SavedQuestion, ShareLink
from records.models.share_links import USE_STEP
from records.permissions import Action, may

logger = logging.getLogger(__name__)

# For how many days a link may be valid.
LIFETIMES = (7, 30, 90, 365)
DEFAULT_LIFETIME = 30
MOST = 200


def create_link(
    *, user: User, target: SavedQuestion | Dashboard, days: int = DEFAULT_LIFETIME
) -> tuple[ShareLink, str]:
    """Create a link to what a person sees; returns it, and its token, which is stored nowhere.

    Raises CannotSave.
    """
    if days not in LIFETIMES:
        raise CannotSave("days", f"Choose one of {', '.join(map(str, LIFETIMES))} days.")
    if ShareLink.objects.of(user).filter(revoked_at=None).count() >= MOST:
        raise CannotSave("", f"You already have {MOST} share links. Revoke one first.")
    token = secrets.token_urlsafe(32)
    link = ShareLink.objects.create(
        maker=user,
        question=target if isinstance(target, SavedQuestion) else None,
        dashboard=target if isinstance(target, Dashboard) else None,
        digest=_digest(token),
        expires_at=timezone.now() + timedelta(days=days),
    )
    return link, token


def revoke(link: ShareLink) -> None:
    """End a link for good."""
    if link.revoked_at is None:
        link.revoked_at = timezone.now()
        link.save(update_fields=["revoked_at"])


def opened(token: str) -> ShareLink | None:
    """The link with this token, if its maker may still open what it shows; its use is noted."""
    link = ShareLink.objects.with_digest(_digest(token))
    if link is None or not link.maker.is_active or not may(link.maker, Action.READ):
        return None
    target: Any = link.target
    if not type(target).objects.shared_with(link.maker).filter(pk=target.pk).exists():
        return None
    now = timezone.now()
    if link.last_used_at is None or link.last_used_at <= now - USE_STEP:
        try:
            ShareLink.objects.filter(pk=link.pk).update(last_used_at=now)
        except OperationalError as error:
            # Whoever opens it sees it all the same, on a full disk for instance.
            logger.warning("The use of share link %s was not noted: %s", link.pk, error)
    return link


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
