"""The page of each object: tables know no pages, so the apps that show them enter these here."""

from collections.abc import Callable
from typing import Any

# By the label of a model ("records.source"): from an object to the URL of its page.
PAGES: dict[str, Callable[[Any], str]] = {}


class HasPage:
    """An object of a table that has a page of its own."""

    _meta: Any

    def get_absolute_url(self) -> str:
        return PAGES[self._meta.label_lower](self)
