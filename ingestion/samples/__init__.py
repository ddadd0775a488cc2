"""Sample data: three plausible sources generated from a seed, with the faults of real files."""

from collections.abc import Iterator
from datetime import date

from ingestion.samples import sales, sensors, tickets
from ingestion.samples.faults import Expected, Sample

__all__ = ["KEYS", "SCALES", "Expected", "Sample", "samples"]

# The ID columns. Corrected rows are sent again, so these repeat, and only a person can tell.
KEYS = {"sales": "order_id", "sensors": "reading_id", "tickets": "ticket_id"}
# Below the minimum there are too few rows for every kind of fault; the maximum is about a million.
SCALES = (0.1, 100.0)


def samples(*, until: date, scale: float = 1.0, seed: int = 2026) -> Iterator[Sample]:
    """Generate the three samples; their last day is the one before ``until``.

    ``scale`` multiplies the number of rows (1.0: about 9,000, 12,000 and 4,000), not the period.
    The same arguments give the same bytes. Raises ValueError for a scale outside of ``SCALES``.
    """
    least, most = SCALES
    if not least <= scale <= most:
        raise ValueError(f"The scale must be between {least:g} and {most:g}, not {scale:g}.")
    for source in (sales, sensors, tickets):
        yield source.sample(until=until, scale=scale, seed=seed)
