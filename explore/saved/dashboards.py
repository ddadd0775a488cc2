"""Makes dashboards of saved questions and texts."""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.http import QueryDict

from explore.filters import RecordQuery
from explore.filters.parameters import refusal
from explore.saved.sharing import CannotSave, set_audience, set_name
from records.models import Audience, Dashboard, FirstPage, SavedQuestion

MOST, MOST_TILES, LONGEST_TEXT = 100, 24, 2_000
# How many columns a tile may take of the grid.
WIDTHS = (1, 2, 3)
QUESTION_WIDTH, TEXT_WIDTH = 1, 3
Tiles = list[dict[str, Any]]


@transaction.atomic
def create_dashboard(
    *, user: User, name: str, audience: str = Audience.PRIVATE, tiles: Any = (), query: str = ""
) -> Dashboard:
    """Make a dashboard. Raises CannotSave."""
    if Dashboard.objects.owned_by(user).count() >= MOST:
        raise CannotSave("", f"You already have {MOST} dashboards. Delete one first.")
    dashboard = Dashboard(owner=user)
    _set(dashboard, name=name, audience=audience, tiles=tiles, query=query)
    return dashboard


@transaction.atomic
def change_dashboard(
    dashboard: Dashboard,
    *,
    name: str | None = None,
    audience: str | None = None,
    tiles: Any = None,
    query: str | None = None,
) -> None:
    """Rename a dashboard, share it, or give it other tiles or another filter. Raises CannotSave."""
    _set(dashboard, name=name, audience=audience, tiles=tiles, query=query)


def add_tile(dashboard: Dashboard, tile: dict[str, Any]) -> None:
    """Add a question or a text at the end. Raises CannotSave."""
    width = QUESTION_WIDTH if "question" in tile else TEXT_WIDTH
    _change_tiles(dashboard, lambda tiles: tiles.append({"width": width, **tile}))


def change_tile(dashboard: Dashboard, place: int, change: str) -> None:
    """Move a tile ("back", "on"), remove it ("remove"), or set its width ("1" to "3").

    Raises CannotSave.
    """

    def carry_out(tiles: Tiles) -> None:
        if not 0 <= place < len(tiles):
            raise CannotSave("tiles", "This tile is no longer there. Open the page again.")
        tile = tiles.pop(place)
        if change in ("back", "on"):
            tiles.insert(max(0, place + (1 if change == "on" else -1)), tile)
        elif change in map(str, WIDTHS):
            tiles.insert(place, {**tile, "width": int(change)})
        elif change != "remove":
            raise CannotSave("tiles", f"A tile can't be changed by “{change[:50]}”.")

    _change_tiles(dashboard, carry_out)


def set_text(dashboard: Dashboard, place: int, text: str) -> None:
    """Give a tile of text another text. Raises CannotSave."""

    def carry_out(tiles: Tiles) -> None:
        if not (0 <= place < len(tiles) and "text" in tiles[place]):
            raise CannotSave("tiles", "This text is no longer there. Open the page again.")
        tiles[place] = {**tiles[place], "text": text}

    _change_tiles(dashboard, carry_out)


def choose_first_page(*, user: User, dashboard: Dashboard | None) -> None:
    """Take a dashboard for the first page of a person; None for the automatic one."""
    if dashboard is None:
        FirstPage.objects.filter(user=user).delete()
    else:
        FirstPage.objects.update_or_create(user=user, defaults={"dashboard": dashboard})


def first_page_of(user: Any) -> Dashboard | None:
    """The dashboard that a person has chosen, as long as it is shared with the person."""
    chosen = FirstPage.objects.filter(user=user.pk).values("dashboard")
    found: Dashboard | None = Dashboard.objects.shared_with(user).filter(pk__in=chosen).first()
    return found


def filter_of(parameters: QueryDict) -> RecordQuery:
    """The filter in the parameters of a URL; it may have errors. Raises CannotSave for names."""
    if sentence := refusal(parameters, besides=()):
        raise CannotSave("query", sentence)
    return RecordQuery.parse(parameters)


def _set(
    dashboard: Dashboard,
    *,
    name: str | None,
    audience: str | None,
    tiles: Any,
    query: str | None,
) -> None:
    if name is not None:
        set_name(dashboard, name)
    if audience is not None:
        set_audience(dashboard, audience)
    if query is not None:
        found = filter_of(QueryDict(query))
        if not found.is_valid:
            said = " ".join(text for texts in found.errors.values() for text in texts)
            raise CannotSave("query", said)
        dashboard.query = found.query_string()
    if tiles is not None:
        dashboard.tiles = _checked(dashboard, tiles)
    dashboard.save()


@transaction.atomic
def _change_tiles(dashboard: Dashboard, change: Callable[[Tiles], None]) -> None:
    """Change the tiles as they are now, whatever others do at the same time."""
    locked = Dashboard.objects.select_for_update().get(pk=dashboard.pk)
    tiles = list(locked.tiles)
    change(tiles)
    locked.tiles = _checked(locked, tiles)
    locked.save()


def _checked(dashboard: Dashboard, tiles: Iterable[dict[str, Any]]) -> Tiles:
    """The tiles, if all are valid: texts, and questions that the owner sees or that were there."""
    checked = [_checked_tile(tile) for tile in tiles]
    if len(checked) > MOST_TILES:
        raise CannotSave("tiles", f"A dashboard has at most {MOST_TILES} tiles. Remove one first.")
    known = {tile.get("question") for tile in dashboard.tiles}
    wanted = {tile["question"] for tile in checked if "question" in tile} - known
    seen = SavedQuestion.objects.shared_with(dashboard.owner).in_bulk(wanted)
    if missing := wanted - seen.keys():
        raise CannotSave("tiles", f"You have no saved question {min(missing)}.")
    return checked


def _checked_tile(tile: dict[str, Any]) -> dict[str, Any]:
    if ("question" in tile) == ("text" in tile):
        raise CannotSave("tiles", "A tile has either a question or a text.")
    width = tile.get("width", QUESTION_WIDTH if "question" in tile else TEXT_WIDTH)
    if width not in WIDTHS:
        raise CannotSave("tiles", "The width of a tile is 1, 2 or 3.")
    if "question" in tile:
        return {"width": width, "question": tile["question"]}
    text = str(tile["text"]).replace("\r\n", "\n").strip()
    if not text or len(text) > LONGEST_TEXT or "\0" in text:
        raise CannotSave(
            "tiles", f"A text has 1 to {LONGEST_TEXT:,} characters, and no null characters."
        )
    return {"width": width, "text": text}
