"""Views that people have saved: states of the explorer, by name."""

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.http import QueryDict

from records.visible_sources import visible_sources
from web.links import HasPage


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    """Reads of saved views."""

    def of(self, user: AbstractBaseUser | AnonymousUser) -> "SavedViewQuerySet":
        """The views of a person, without those that name sources that may not be seen."""
        own = self.filter(user=user.pk)
        names = visible_sources()
        if names is None:
            return own
        hidden = [view.pk for view in own if not names.issuperset(view.sources)]
        return own.exclude(pk__in=hidden)


class SavedView(HasPage, models.Model):
    """What the explorer shows under the query of its URL, as a person has named it."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views"
    )
    name = models.CharField(max_length=100)
    query = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        db_table = "saved_views"
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["user", "name"], name="saved_view_once"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def sources(self) -> list[str]:
        """The sources that its query names; none for all."""
        return QueryDict(self.query).getlist("source")
