"""Rows of a batch that share keys: each meets the record as the row before has left it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import orjson

from records.database import bulk
from records.models import UPDATING, DataRecord, IngestionRun, OnConflict
from records.rows import Ledger, Reject, Row
from records.store.counters import CountChanges
from records.store.outcomes import Outcomes
from records.store.rejects import conflict
from records.store.writing import create, fill_landing, keep_contents, update


@dataclass(slots=True)
class _Content:
    """What a record holds: its timestamp, and its cells in one order whatever that of the row."""

    cells: bytes
    timestamp: str | None


@dataclass(slots=True)
class _Chain:
    """The rows of one key that give its record a new content, one after the other."""

    is_new: bool
    written: list[Row] = field(default_factory=list)

    @property
    def last(self) -> Row:
        return self.written[-1]


def land_chains(
    run: IngestionRun,
    chains: Mapping[str, Sequence[Row]],
    counts: CountChanges,
    now: datetime,
    refused: list[Reject],
    outcomes: Outcomes,
) -> Ledger:
    """Land rows that share keys, by key and in their order; those that are refused are added.

    What comes of it is what would come of landing them one by one, in statements for all of them:
    the last content is that of the record, and those before it are its versions.
    """
    known = _contents(chains)
    found: list[_Chain] = []
    ledger = Ledger()
    for key, rows in chains.items():
        chain, counted = _follow(rows, known.get(key), run.source.on_conflict, refused, outcomes)
        ledger += counted
        if chain.written:
            found.append(chain)
    new = [chain for chain in found if chain.is_new]
    create(
        run,
        [chain.last for chain in new],
        counts,
        now,
        versions=[len(chain.written) for chain in new],
    )
    _keep(run, new, dict.fromkeys((chain.last.id for chain in new), 0), now)
    old = [chain for chain in found if not chain.is_new]
    if old:
        last = [chain.last for chain in old]
        fill_landing(last, steps=[len(chain.written) for chain in old])
        former = update(run, last, counts, now)
        _keep(run, old, {key: was.version for key, was in former.items()}, now)
    return ledger


def _contents(chains: Mapping[str, Sequence[Row]]) -> dict[str, _Content]:
    """What the records of these keys hold."""
    if not DataRecord.objects.filter(id__range=(min(chains), max(chains))).exists():
        return {}
    found = DataRecord.objects.with_ids(chains).values_list("id", "data", "timestamp")
    return {
        key: _Content(orjson.dumps(data, option=orjson.OPT_SORT_KEYS), bulk.sql_time(timestamp))
        for key, data, timestamp in found
    }


def _content(row: Row) -> _Content:
    cells = orjson.dumps(orjson.loads(row.data), option=orjson.OPT_SORT_KEYS)
    return _Content(cells, row.timestamp)


def _follow(
    rows: Sequence[Row],
    known: _Content | None,
    policy: str,
    refused: list[Reject],
    outcomes: Outcomes,
) -> tuple[_Chain, Ledger]:
    """What the rows of a key do to its record, and their counts."""
    chain = _Chain(is_new=known is None)
    created = unchanged = rejected = 0
    for row in rows:
        content = _content(row)
        if known is None:
            created += 1
        elif content == known:
            unchanged += 1
            outcomes.add("unchanged", row.line, row.id)
            continue
        elif content.cells != known.cells and policy not in UPDATING:
            if policy == OnConflict.REJECT:
                refused.append(conflict(row))
                rejected += 1
            else:
                unchanged += 1
                outcomes.add("unchanged", row.line, row.id)
            continue
        outcomes.add("created" if known is None else "updated", row.line, row.id)
        known = content
        chain.written.append(row)
    updated = len(chain.written) - created
    return chain, Ledger(created, updated, unchanged, rejected)


def _keep(
    run: IngestionRun, chains: Sequence[_Chain], former: Mapping[str, int], now: datetime
) -> None:
    """Keep what rows wrote and later ones replaced; ``former`` are the versions before them."""
    rows: list[Row] = []
    versions: list[int] = []
    for chain in chains:
        start = former[chain.last.id] + 1
        rows += chain.written[:-1]
        versions += range(start, start + len(chain.written) - 1)
    keep_contents(run, rows, versions, now)
