"""Links by which people without an account see a question or a dashboard."""

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models
from django.db.models import Q
from django.utils import timezone

from records.models.sharing import Dashboard, SavedQuestion

# The time of the last use is written no more often.
USE_STEP = timedelta(minutes=1)


class ShareLinkQuerySet(models.QuerySet["ShareLink"]):
    """Reads of share links."""

    def of(self, user: AbstractBaseUser) -> "ShareLinkQuerySet":
        """The links that a person has made."""
        return self.filter(maker=user.pk)

    def with_targets(self) -> "ShareLinkQuerySet":
        """With who made them and what they show, in the same query."""
        return self.select_related("maker", "question__owner", "dashboard__owner")

    def with_digest(self, digest: str) -> "ShareLink | None":
        """The link with this digest that has neither expired nor been revoked."""
        valid = self.filter(digest=digest, revoked_at=None, expires_at__gt=timezone.now())
        return valid.with_targets().first()


class ShareLink(models.Model):
    """Shows a question or a dashboard to whoever has its URL, with the rights of who made it.

    The token in the URL is shown once, when the link is created; only its digest is stored.
    """

    maker = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="share_links"
    )
    question = models.ForeignKey(SavedQuestion, on_delete=models.CASCADE, null=True, blank=True)
    dashboard = models.ForeignKey(Dashboard, on_delete=models.CASCADE, null=True, blank=True)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects = ShareLinkQuerySet.as_manager()

    class Meta:
        db_table = "share_links"
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(question=None, dashboard__isnull=False)
                | Q(question__isnull=False, dashboard=None),
                name="share_link_of_one",
            ),
        ]

    def __str__(self) -> str:
        return f"link to {self.target}"

    @property
    def target(self) -> SavedQuestion | Dashboard | None:
        """What it shows."""
        return self.question or self.dashboard

    @property
    def has_expired(self) -> bool:
        return self.expires_at <= timezone.now()
