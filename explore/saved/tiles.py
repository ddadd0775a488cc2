"""The tiles of a dashboard with their answers."""

import time
from dataclasses import dataclass

from django.urls import reverse

from explore.filters import RecordQuery
from explore.filters.combining import CannotCombine, combined
from explore.questions.answer import SECONDS, NoAnswer, answer
from explore.questions.display import Display, displayed, without_links
from explore.questions.question import Question, QuestionError
from explore.questions.urls import InvalidFilter, parsed, query_string
from records.models import Dashboard, SavedQuestion
from records.visible_sources import visible_sources

GONE = "This question was deleted, or is no longer shared with the owner of the dashboard."
HIDDEN = "This question is about a source that you can't see. Ask an administrator."
NO_TIME = "The dashboard took too long. Open this question by itself."


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile: a text, or the answer to a question; ``said`` is why there is none.

    ``place`` counts from 0. ``url`` is the page of the question, with the filter of the dashboard.
    """

    place: int
    width: int
    text: str = ""
    name: str = ""
    shown: Display | None = None
    said: str = ""
    url: str = ""

    @property
    def paragraphs(self) -> list[str]:
        """The lines of the text that are not blank."""
        return [line for line in self.text.splitlines() if line.strip()]


def tiles_of(
    dashboard: Dashboard, by: RecordQuery, *, has_links: bool = True, seconds: float = SECONDS
) -> list[Tile]:
    """The tiles of a dashboard, filtered by a query; all answers together take so long."""
    questions, end = dashboard.questions(), time.monotonic() + seconds
    tiles = []
    for place, tile in enumerate(dashboard.tiles):
        if "text" in tile:
            tiles.append(Tile(place, tile["width"], text=tile["text"]))
            continue
        saved, left = questions.get(tile["question"]), end - time.monotonic()
        if saved is None:
            tiles.append(Tile(place, tile["width"], name="Question", said=GONE))
        else:
            found = tile_of(saved, by, place=place, width=tile["width"], has_links=has_links,
                            seconds=left)  # fmt: skip
            tiles.append(found)
    return tiles


def tile_of(
    saved: SavedQuestion,
    by: RecordQuery,
    *,
    has_links: bool = True,
    seconds: float = SECONDS,
    place: int = 0,
    width: int = 3,
) -> Tile:
    """The answer to a saved question among the records that a query finds."""
    if not may_show(saved):
        return Tile(place, width, name="Question", said=HIDDEN)
    shown, said, url = None, "", saved.get_absolute_url() if has_links else ""
    try:
        question, query = asked(saved, by)
        if has_links:
            url = f"{reverse('questions')}?{query_string(question, query)}"
        if seconds <= 0:
            raise NoAnswer(NO_TIME)
        found = answer(question, query, seconds=seconds)
        shown = displayed(found if has_links else without_links(found))
    except QuestionError as error:
        said = " ".join(text for texts in error.errors.values() for text in texts)
    except (CannotCombine, InvalidFilter, NoAnswer) as error:
        said = str(error)
    return Tile(place, width, name=saved.name, shown=shown, said=said, url=url)


def may_show(saved: SavedQuestion) -> bool:
    """Whether all sources that a question names may be seen."""
    names = visible_sources()
    return names is None or names.issuperset(saved.sources)


def asked(saved: SavedQuestion, by: RecordQuery) -> tuple[Question, RecordQuery]:
    """The question, and the query of its records that another one finds as well.

    Raises InvalidFilter, QuestionError and CannotCombine.
    """
    question, query = parsed(saved.parameters)
    if not by.is_valid:
        raise InvalidFilter(" ".join(text for texts in by.errors.values() for text in texts))
    if not by.chosen:
        return question, query
    both = combined(query, by)
    if not both.is_valid:
        raise InvalidFilter(" ".join(text for texts in both.errors.values() for text in texts))
    return question, both
