"""What people save and share: questions, and dashboards of them."""

from collections.abc import Collection, Mapping
from typing import Any

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser, Group
from django.db import models
from django.db.models import Q
from django.http import QueryDict

from records.visible_sources import visible_sources
from web.links import HasPage


class Audience(models.TextChoices):
    """With whom something is shared. Records are still those that each reader may see."""

    PRIVATE = "private", "Only me"
    GROUP = "group", "A group"
    EVERYBODY = "everybody", "Everybody"


class SharedQuerySet(models.QuerySet[Any]):
    """Reads of what people share."""

    def owned_by(self, user: AbstractBaseUser | AnonymousUser) -> "SharedQuerySet":
        return self.filter(owner=user.pk)

    def shared_with(self, user: AbstractBaseUser | AnonymousUser) -> "SharedQuerySet":
        """What a person owns, and what others share with the person."""
        groups = Group.objects.filter(user=user.pk).values("pk")
        return self.filter(
            Q(owner=user.pk)
            | Q(audience=Audience.EVERYBODY)
            | Q(audience=Audience.GROUP, group__in=groups)
        )

    def with_people(self) -> "SharedQuerySet":
        """With owners and groups, in the same query."""
        return self.select_related("owner", "group")


class SavedQuestionQuerySet(SharedQuerySet):
    """Reads of saved questions."""

    def listed_for(self, user: AbstractBaseUser | AnonymousUser) -> "SharedQuerySet":
        """Those shared with a person, without those that name sources that may not be seen."""
        shared = self.shared_with(user)
        names = visible_sources()
        if names is None:
            return shared
        hidden = [saved.pk for saved in shared if not names.issuperset(saved.sources)]
        return shared.exclude(pk__in=hidden)


class Shared(HasPage, models.Model):
    """Something with a name and an owner, who decides with whom it is shared.

    If the group is deleted, only the owner still sees it.
    """

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="%(class)ss"
    )
    name = models.CharField(max_length=100)
    audience = models.CharField(max_length=10, choices=Audience.choices, default=Audience.PRIVATE)
    group = models.ForeignKey(
        Group, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    # Of a question the whole state, of a dashboard the filter: parameters of a URL.
    query = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def parameters(self) -> QueryDict:
        return QueryDict(self.query)

    @property
    def shown_audience(self) -> str:
        """With whom it is shared, in words."""
        if self.audience == Audience.GROUP:
            return self.group.name if self.group else Audience.PRIVATE.label
        return Audience(self.audience).label


class SavedQuestion(Shared):
    """A question that somebody has named; ``query`` is the query of its URL."""

    objects = SavedQuestionQuerySet.as_manager()

    class Meta(Shared.Meta):
        db_table = "saved_questions"
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="saved_question_once"),
            models.CheckConstraint(
                condition=Q(audience__in=Audience.values), name="saved_question_audience"
            ),
        ]

    @property
    def sources(self) -> Collection[str]:
        """The sources that it names; none for all."""
        return self.parameters.getlist("source")


class Dashboard(Shared):
    """Saved questions and texts on a grid, and a filter that applies to all of them.

    Each of ``tiles`` has a ``width`` of 1 to 3 columns, and the id of a ``question`` or a ``text``.
    A tile shows its question to whoever sees the dashboard, as long as its owner sees the question.
    """

    tiles = models.JSONField(default=list, blank=True)

    objects = SharedQuerySet.as_manager()

    class Meta(Shared.Meta):
        db_table = "dashboards"
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="dashboard_once"),
            models.CheckConstraint(
                condition=Q(audience__in=Audience.values), name="dashboard_audience"
            ),
        ]

    def questions(self) -> Mapping[int, SavedQuestion]:
        """The questions of its tiles by id: those that its owner still sees."""
        wanted = [tile["question"] for tile in self.tiles if "question" in tile]
        found: Mapping[int, SavedQuestion] = (
            SavedQuestion.objects.shared_with(self.owner).with_people().in_bulk(wanted)
        )
        return found


class FirstPage(models.Model):
    """The dashboard that a person has chosen as the first page."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="first_page"
    )
    dashboard = models.ForeignKey(Dashboard, on_delete=models.CASCADE, related_name="+")

    class Meta:
        db_table = "first_pages"

    def __str__(self) -> str:
        return f"{self.user}: {self.dashboard}"
