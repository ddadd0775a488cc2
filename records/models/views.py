"""Views that people have saved: states of the explorer, by name."""

from django.conf import settings
from django.db import models

from web.links import HasPage


class SavedView(HasPage, models.Model):
    """What the explorer shows under the query of its URL, as a person has named it."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views"
    )
    name = models.CharField(max_length=100)
    query = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "saved_views"
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["user", "name"], name="saved_view_once"),
        ]

    def __str__(self) -> str:
        return self.name
