"""The tiles with totals at the top of a page, and their change from the previous period."""

from dataclasses import dataclass

from explore.metrics.record_counts import Totals
from explore.metrics.scope import Scope
from web.numbers import number, percent

# Label, the status that colours the tile, and those of its records.
STATUSES = (
    ("Processed", "processed", ["processed"]),
    ("Failed", "failed", ["failed"]),
    ("Waiting", "raw", ["raw", "processing"]),
)


@dataclass(frozen=True, slots=True)
class Tile:
    """A number and the records that it counts; ``change`` compares it with the period before."""

    label: str
    shown: str
    url: str = ""
    status: str = ""
    change: str = ""


def tiles_of(totals: Totals, scope: Scope, before: Totals | None = None) -> list[Tile]:
    """The totals of a scope; ``before`` are those of as many days right before it."""
    tiles = [
        _tile("Records", "", scope.url(), totals, before, "total"),
        *(
            _tile(label, status, scope.url(status=statuses), totals, before, label.lower())
            for label, status, statuses in STATUSES
        ),
    ]
    rate = percent(totals.success_rate) if totals.worked_on else "—"
    return [*tiles, Tile("Success rate", rate, change=_points(totals, before))]


def _tile(
    label: str, status: str, url: str, totals: Totals, before: Totals | None, name: str
) -> Tile:
    now: int = getattr(totals, name)
    former: int | None = None if before is None else getattr(before, name)
    return Tile(label, number(now), url, status, _change(now, former))


def _change(now: int, before: int | None) -> str:
    """By how much a count has changed, in percent."""
    if before is None:
        return ""
    if not before:
        return "none before" if now else "no change"
    if now == before:
        return "no change"
    share = (now - before) / before * 100
    return f"{_sign(share)}{percent(abs(share))}"


def _points(now: Totals, before: Totals | None) -> str:
    """By how many points of percent the success rate has changed."""
    if before is None or not now.worked_on:
        return ""
    if not before.worked_on:
        return "none before"
    points = now.success_rate - before.success_rate
    if not points:
        return "no change"
    shown = percent(abs(points)).removesuffix("%")
    return f"{_sign(points)}{shown} pts"


def _sign(change: float) -> str:
    return "+" if change > 0 else "\N{MINUS SIGN}"
