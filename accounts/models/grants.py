"""Which sources a person or a group is limited to."""

from collections.abc import Collection

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, Group
from django.db import models
from django.db.models import Q

from records.models import Source


class GrantQuerySet(models.QuerySet["SourceGrant"]):
    """Reads of grants."""

    def of(self, user: AbstractBaseUser) -> "GrantQuerySet":
        """The grants of a person: the own ones, and those of the groups."""
        groups = Group.objects.filter(user=user.pk).values("pk")
        return self.filter(Q(user_id=user.pk) | Q(group__in=groups))

    def source_names(self) -> Collection[str | None]:
        """The names of the sources; None for each that has been deleted."""
        return list(self.order_by().values_list("source__name", flat=True))


class SourceGrant(models.Model):
    """Limits a person, or the members of a group, to a source, and to what others grant.

    Whoever has no grant sees all sources. A grant outlives its source, so that nobody sees more
    because a source is deleted.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="source_grants",
    )
    group = models.ForeignKey(
        Group, on_delete=models.CASCADE, null=True, blank=True, related_name="source_grants"
    )
    source = models.ForeignKey(Source, on_delete=models.SET_NULL, null=True, related_name="grants")

    objects = models.Manager.from_queryset(GrantQuerySet)()

    class Meta:
        db_table = "source_grants"
        constraints = [
            models.CheckConstraint(
                condition=Q(user=None, group__isnull=False) | Q(user__isnull=False, group=None),
                name="grant_of_user_or_group",
            ),
            models.UniqueConstraint(fields=["user", "source"], name="grant_of_user_once"),
            models.UniqueConstraint(fields=["group", "source"], name="grant_of_group_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user or self.group}: {self.source}"
