"""API tokens, of which only digests are stored."""

import logging
from collections.abc import Collection
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import OperationalError, models
from django.db.models import Q
from django.utils import timezone

logger = logging.getLogger(__name__)

# The time of the last use is written no more often.
USE_STEP = timedelta(minutes=1)


class TokenKind(models.TextChoices):
    """For whom a token is: it decides what a change of its owner's password means for it."""

    PERSONAL = "personal", "Personal"
    SERVICE = "service", "Service"


class TokenScope(models.TextChoices):
    """What may be done with a token, as far as its owner may do it."""

    READ = "read", "Read"
    WRITE = "write", "Read and write"


class TokenQuerySet(models.QuerySet["ApiToken"]):
    """Reads of tokens."""

    def usable(self) -> "TokenQuerySet":
        """The tokens that have neither expired nor been revoked."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()), revoked_at=None)

    def of(self, user: AbstractBaseUser) -> "TokenQuerySet":
        """The tokens of one owner."""
        return self.filter(owner_id=user.pk)

    def with_prefix(self, prefix: str) -> "ApiToken | None":
        """The token with this public part, and its owner, in one query."""
        return self.select_related("owner").filter(prefix=prefix).first()


class ApiToken(models.Model):
    """A token with which a program uses the API as its owner.

    The token itself is shown once, when it is created, and not stored. A personal token ends when
    the password of its owner changes; a service token goes on. No token works while its owner is
    deactivated.
    """

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens"
    )
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, choices=TokenKind.choices, default=TokenKind.PERSONAL)
    # The part of the token that lists show and by which it is found.
    prefix = models.CharField(max_length=25, unique=True, editable=False)
    digest = models.CharField(max_length=128, editable=False)
    scope = models.CharField(max_length=10, choices=TokenScope.choices, default=TokenScope.READ)
    # The names of the sources that it is limited to; null for all that its owner may see.
    sources = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    # Null: it does not expire.
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_from = models.GenericIPAddressField("last used from", null=True, blank=True)

    objects = TokenQuerySet.as_manager()

    class Meta:
        db_table = "api_tokens"
        verbose_name = "API token"
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=TokenKind.values), name="token_kind"),
            models.CheckConstraint(condition=Q(scope__in=TokenScope.values), name="token_scope"),
            models.CheckConstraint(
                condition=Q(kind=TokenKind.SERVICE) | Q(expires_at__isnull=False),
                name="personal_tokens_expire",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def has_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def is_usable(self) -> bool:
        """Whether it has neither expired nor been revoked."""
        return self.revoked_at is None and not self.has_expired

    @property
    def source_limit(self) -> Collection[str] | None:
        """The sources that it is limited to; None for all that its owner may see."""
        return None if self.sources is None else frozenset(self.sources)

    def mark_used(self, address: str) -> None:
        """Note that it is used now, unless that has just been noted."""
        now = timezone.now()
        if self.last_used_at is None or self.last_used_at <= now - USE_STEP:
            try:
                ApiToken.objects.filter(pk=self.pk).update(
                    last_used_at=now, last_used_from=address or None
                )
            except OperationalError as error:
                # Whoever reads is answered all the same, from a full disk for instance.
                logger.warning("The use of API token %s was not noted: %s", self.prefix, error)
