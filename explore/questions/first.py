"""Questions that suit the records of a source: the first one, and some more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from explore.columns.schema import quoted
from explore.columns.snapshot import Snapshot
from explore.filters.duckdb import Matching, is_number, number_in
from explore.filters.sql import DATE
from explore.questions.question import BIN, COLUMN, Group, Measure, Question
from records.models import Source

# So many records tell what the columns hold, of at most so many columns.
SAMPLE, MOST_COLUMNS = 5_000, 60
# This share of the filled cells makes a column one of numbers or dates.
NEARLY_ALL = 0.8
# A column with at most so many different cells has groups; with at most so many it is one to stack.
MOST_PARTS, MOST_STACKED = 30, 6
MOST_SUGGESTED = 6
TOP = 10
# Up to which span of time which step suits.
STEPS = ((timedelta(days=3), "hour"), (timedelta(days=62), "day"), (timedelta(days=1500), "month"))


@dataclass(frozen=True, slots=True)
class Kinds:
    """What columns hold: numbers, dates, few different texts, or many."""

    numbers: Sequence[str]
    dates: Sequence[str]
    parts: Sequence[str]
    names: Sequence[str]
    # The step that suits the timestamps; "" if there are none.
    step: str
    few: frozenset[str] = frozenset()


def kinds_of(
    seen: Snapshot, found: Matching, columns: Sequence[str], source: Source | None
) -> Kinds:
    """What the columns hold, told from some of the records."""
    mapping = source.mapping if source else {}
    keys = set(mapping.get("id") or ())
    names = [name for name in columns if name not in keys][:MOST_COLUMNS]
    cells = [seen.data_column(name) or seen.result_column(name) or "NULL" for name in names]
    selected = ", ".join(
        f"CAST({cell} AS VARCHAR) AS {quoted(f'c{place}')}" for place, cell in enumerate(cells)
    )
    counts = [_counts(f"c{place}") for place in range(len(names))]
    sql = (
        f"SELECT {', '.join(counts) or 'count(*)'} FROM "  # noqa: S608 (quoted)
        f"(SELECT {selected or '1'} FROM {found.sql} LIMIT {SAMPLE})"
    )
    row = seen.connection.execute(sql, found.parameters).fetchall()[0]
    numbers, dates, parts, others = [], [], [], []
    few = set()
    for place, name in enumerate(names):
        filled, read, dated, different = row[place * 4 : place * 4 + 4]
        if is_number(seen, name) or (filled and read >= filled * NEARLY_ALL):
            numbers.append(name)
        elif filled and dated >= filled * NEARLY_ALL:
            dates.append(name)
        elif 1 < different <= MOST_PARTS:
            parts.append(name)
            few |= {name} if different <= MOST_STACKED else set()
        elif 1 < different < filled:
            others.append(name)
    return Kinds(
        numbers=_first(mapping.get("value") or (), numbers),
        dates=dates,
        parts=_first(mapping.get("category") or (), parts),
        names=others,
        step=_step(seen, found),
        few=frozenset(few),
    )


def first_question(kinds: Kinds) -> Question:
    """A good first question: the main number over time, else by the main groups."""
    measures = (_main(kinds),)
    if kinds.step:
        stacked = [Group(COLUMN, name) for name in kinds.parts if name in kinds.few][:1]
        return Question(measures, (Group(kinds.step), *stacked))
    if kinds.parts:
        return Question(measures, (Group(COLUMN, kinds.parts[0]),))
    return Question(measures)


def suggestions(kinds: Kinds) -> list[Question]:
    """Some more questions that suit the columns."""
    main, count = _main(kinds), Measure("count")
    found = [Question((main,), (Group(COLUMN, name),)) for name in kinds.parts[:2]]
    if kinds.step:
        found.append(Question((main,), (Group(kinds.step),)))
        found += [
            Question((main,), (Group(COLUMN, name), Group(kinds.step))) for name in kinds.parts[:1]
        ]
    found += [Question((main,), (Group(COLUMN, name),), top=TOP) for name in kinds.names[:1]]
    found += [Question((count,), (Group(BIN, name),)) for name in kinds.numbers[:1]]
    found += [Question((count,), (Group("month", name),)) for name in kinds.dates[:1]]
    return list(dict.fromkeys(found))[:MOST_SUGGESTED]


def _counts(cell: str) -> str:
    return (
        f"count(*) FILTER (WHERE trim({cell}) <> ''), count({number_in(cell)}), "
        f"count(*) FILTER (WHERE regexp_matches({cell}, '{DATE}')), count(DISTINCT {cell})"
    )


def _main(kinds: Kinds) -> Measure:
    return Measure("sum", kinds.numbers[0]) if kinds.numbers else Measure("count")


def _first(wanted: Sequence[str], among: Sequence[str]) -> list[str]:
    return sorted(among, key=lambda name: name not in wanted)


def _step(seen: Snapshot, found: Matching) -> str:
    sql = f"SELECT epoch(min(timestamp)), epoch(max(timestamp)) FROM {found.sql}"  # noqa: S608
    low, high = seen.connection.execute(sql, found.parameters).fetchall()[0]
    if low is None:
        return ""
    span = timedelta(seconds=high - low)
    return next((unit for longest, unit in STEPS if span <= longest), "year")
