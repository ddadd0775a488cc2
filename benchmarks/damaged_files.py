"""How well damaged files are read by detection alone, as the published Pollock benchmark measures.

    python -m benchmarks.damaged_files [--rows 80] [--seeds 3]

takes a clean table and writes files that each deviate from RFC 4180 in one way: delimiters,
quotes, escapes, line ends, headers, texts above and below, cells too many or too few in one row,
several tables, encodings, no rows. It reads each without any option, and prints for each kind how
much of the header, the records and the cells of the clean table is found (F1, from 0 to 1), the
mean, the share of rows that are accounted for, and the files that could not be read. Nothing is
written to a database.

The score of a file is that of Pollock: 1 for being read, and precision, recall and F1 of header,
records and cells; 10 at the most.
"""

import argparse
import csv
import io
import random
import statistics
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ingestion.errors import IngestionError
from ingestion.parsing.detection import detect
from ingestion.parsing.readers import open_reader

Rows = list[list[str]]

NAMES = ("order", "day", "customer", "item", "price", "note")
CUSTOMERS = ("Müller, Ann", "Łukasz Żak", 'Bob "Bo" Lee', "O'Neill & Sons", "Cid", "Café Zoë")
ITEMS = ("tea", "ink; black", "cup", "pen (blue)", "map", "oil 5%")
NOTES = ("", "call first", "paid, in cash", "two\nlines", "ring twice", "left at no. 5")


class Case(NamedTuple):
    """A damaged file: its kind, its bytes, and the clean table that should be found in it."""

    kind: str
    content: bytes
    header: Sequence[str]
    rows: Rows


class Score(NamedTuple):
    """How much of the clean table was found: three measures each, and the share of rows kept."""

    read: float
    header: Sequence[float]
    records: Sequence[float]
    cells: Sequence[float]
    kept: float

    @property
    def points(self) -> float:
        return self.read + sum(self.header) + sum(self.records) + sum(self.cells)


def clean_table(rows: int, randomly: random.Random) -> Rows:
    return [
        [
            f"A{1000 + number}",
            f"2025-{randomly.randint(1, 12):02}-{randomly.randint(1, 28):02}",
            randomly.choice(CUSTOMERS),
            randomly.choice(ITEMS),
            f"{randomly.uniform(1, 500):.2f}",
            randomly.choice(NOTES),
        ]
        for number in range(rows)
    ]


def written(rows: Iterable[Sequence[str]], **style: object) -> str:
    out = io.StringIO()
    csv.writer(out, **{"lineterminator": "\r\n", **style}).writerows(rows)  # type: ignore[arg-type]
    return out.getvalue()


def cases(rows: Rows, randomly: random.Random) -> Iterator[Case]:
    """Files with one kind of damage each."""
    header = list(NAMES)
    table = [header, *rows]

    def case(kind: str, text: str, encoding: str = "utf-8", expected: Rows | None = None) -> Case:
        return Case(kind, text.encode(encoding), header, rows if expected is None else expected)

    yield case("clean", written(table))
    yield from _dialects(case, table)
    yield from _headers(case, header, rows)
    yield from _around(case, header, rows)
    yield from _in_rows(case, header, rows, randomly)
    yield from _encodings(header, rows)
    yield Case("no bytes", b"", [], [])
    yield Case("only a header", written([header]).encode(), header, [])
    yield Case("one row", written(table[:2]).encode(), header, rows[:1])


def _dialects(case: Callable[..., Case], table: Rows) -> Iterator[Case]:
    for delimiter in (";", "\t", "|", "^", "~", "\x1f"):
        yield case(f"delimiter {delimiter!r}", written(table, delimiter=delimiter))
    flat = [[cell.replace("\n", " ").replace('"', "") for cell in row] for row in table]
    spaced = "".join(", ".join(_quoted(cell) for cell in row) + "\r\n" for row in flat)
    yield case("a space behind delimiters", spaced, expected=flat[1:])
    bare = [[cell.replace(",", "") for cell in row] for row in flat]
    yield case("delimiter ' '", written(bare, delimiter=" "), expected=bare[1:])
    padded = "".join("  ".join(cell.ljust(16) for cell in row).rstrip() + "\n" for row in bare)
    yield case("aligned by spaces", padded, expected=bare[1:])
    yield case("all quoted", written(table, quoting=csv.QUOTE_ALL))
    yield case("quote '", written(table, quotechar="'"))
    yield case(
        "escape \\",
        written(table, doublequote=False, escapechar="\\", quoting=csv.QUOTE_ALL),
    )
    yield case("each line quoted", "".join(f"{_quoted(line, always=True)}\n" for line in (
        written([row], lineterminator="") for row in flat)), expected=flat[1:])  # fmt: skip
    for name, end in (("LF", "\n"), ("CR", "\r"), ("CR CR LF", "\r\r\n")):
        # Python's writer quotes only the line ends that it writes itself.
        lines = written(table, lineterminator=end, quoting=csv.QUOTE_ALL)
        yield case(f"lines end with {name}", lines)
    yield case("no line end at the end", written(table).removesuffix("\r\n"))
    yield case("blank lines at the end", written(table) + "\r\n\r\n")
    yield case("a mark in the middle", written(table[:9]) + "\ufeff" + written(table[9:]))


def _headers(case: Callable[..., Case], header: list[str], rows: Rows) -> Iterator[Case]:
    body = written(rows)
    yield Case("no header", body.encode(), [f"column_{n + 1}" for n in range(len(header))], rows)
    yield case("a header twice", written([header, header]) + body)
    yield case("a header in the middle", written([header, *rows[:9], header, *rows[9:]]))
    yield case("units", written([header, ["", "", "", "", "[EUR]", ""]]) + body)
    yield case("an extra delimiter in the header", written([[*header, ""]]) + body)
    yield case("a gap in the header", written([[header[0], "", *header[1:]]]) + body)
    yield case("a header with another delimiter", written([header], delimiter=";") + body)
    yield case("a header with spaces", written([[f" {name} " for name in header]]) + body)
    for place in range(len(header)):
        names = ",".join(f'"{name}' if at == place else name for at, name in enumerate(header))
        broken = [f'"{name}' if at == place else name for at, name in enumerate(header)]
        text = f"{names}\r\n{body}"
        yield Case("a quote in the header", text.encode(), broken, rows)


def _around(case: Callable[..., Case], header: list[str], rows: Rows) -> Iterator[Case]:
    table = written([header, *rows])
    width = len(header)
    yield case("a title", "Orders of the year\r\n" + table)
    yield case("a padded title", written([["Orders of the year", *[""] * (width - 1)]]) + table)
    yield case("a title and a blank row", written([["Orders"], []]) + table)
    yield case("a padded title and row",
               written([["ORDERS", *[""] * (width - 1)], [""] * width]) + table)  # fmt: skip
    yield case("comments above", "# made by a test\r\n# for a test, too\r\n" + table)
    yield case("comments within", written([header, *rows[:5]]) + "# half\r\n" + written(rows[5:]))
    yield case("a footer", table + "\r\nSource: a test\r\n")
    total = sum(float(row[4]) for row in rows)
    yield case("a total", table + written([["Total", "", "", "", f"{total:.2f}", ""]]))
    other = [["shop", "sold"], *[[f"shop {n}", str(n)] for n in range(9)]]
    yield case("a second table", table + "\r\n" + written(other))
    yield case("a wider second table", table + "\r\n" + written(
        [[*header, "more", "most"], *[[*row, "1", "2"] for row in rows]]))  # fmt: skip


def _in_rows(
    case: Callable[..., Case], header: list[str], rows: Rows, randomly: random.Random
) -> Iterator[Case]:
    for _ in range(6):
        at = randomly.randrange(len(rows))
        place = randomly.randrange(1, len(header))
        row = rows[at]
        longer = [*row[:place], "", *row[place:]]
        shorter = [*row[: place - 1], row[place - 1] + row[place], *row[place + 1 :]]
        for kind, other in (("a cell too many", longer), ("a cell too few", shorter)):
            yield case(kind, written([header, *rows[:at], other, *rows[at + 1 :]]))
        cells = [_quoted(cell) for cell in row]
        cells[place] = '"' + cells[place]
        text = ",".join(cells) + "\r\n"
        yield case(
            "a quote too many", written([header, *rows[:at]]) + text + written(rows[at + 1 :])
        )
    ragged = [row[: len(row) - (not row[-1])] for row in rows]
    yield case("blank end cells are missing", written([header, *ragged]))


def _encodings(header: list[str], rows: Rows) -> Iterator[Case]:
    for encoding in ("utf-8-sig", "utf-16", "cp1252", "mac-roman", "cp1250", "iso8859-2", "cp850"):
        safe = [
            [cell.encode(encoding, "ignore").decode(encoding).lstrip("\ufeff") for cell in row]
            for row in rows
        ]
        text = written([header, *safe])
        yield Case(f"encoding {encoding}", text.encode(encoding), header, safe)


def _quoted(cell: str, *, always: bool = False) -> str:
    if always or any(mark in cell for mark in ',"\n'):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def found_in(path: Path) -> tuple[list[str], Rows, int]:
    """The columns and the rows that are read from a file, and how many are rejected."""
    found = detect(path, path.name)
    rows: Rows = []
    rejected = 0
    with open_reader(
        path,
        name=path.name,
        encoding=found.encoding,
        dialect=found.dialect,
        columns=found.columns,
        digest=found.digest,
    ) as reader:
        for chunk in reader.chunks(1_000):
            rows += [[str(cell) for cell in row.values()] for row in chunk.rows]
            rejected += len(chunk.rejects)
        return reader.columns, rows, rejected


def alike(expected: Iterable[str], found: Iterable[str]) -> tuple[float, float, float]:
    """Precision, recall and F1 of texts, in any order."""
    right, seen = Counter(expected), Counter(found)
    common = (right & seen).total()
    if not right:
        return 1.0, 1.0, 1.0
    if not common:
        return 0.0, 0.0, 0.0
    precision, recall = common / seen.total(), common / right.total()
    return precision, recall, 2 * precision * recall / (precision + recall)


def score(case: Case, folder: Path) -> Score:
    path = folder / "damaged.csv"
    path.write_bytes(case.content)
    try:
        columns, rows, rejected = found_in(path)
    except IngestionError:
        return Score(0, (0, 0, 0), (0, 0, 0), (0, 0, 0), 0)
    return Score(
        1,
        alike(case.header, columns),
        alike(map("".join, case.rows), map("".join, rows)),
        alike(
            (cell for row in [case.header, *case.rows] for cell in row),
            (cell for row in [columns, *rows] for cell in row),
        ),
        min((len(rows) + rejected) / max(len(case.rows), 1), 1.0) if case.rows else 1.0,
    )


def measure(*, rows: int, seeds: int) -> dict[str, list[Score]]:
    """The scores of each kind of damage, in tables made from so many seeds."""
    found: dict[str, list[Score]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(seeds):
            randomly = random.Random(seed)
            for case in cases(clean_table(rows, randomly), randomly):
                found[case.kind].append(score(case, Path(folder)))
    return found


def report(found: dict[str, list[Score]]) -> Iterator[str]:
    yield f"{'kind':34} {'header':>7} {'records':>8} {'cells':>7} {'points':>7} {'kept':>6}"
    for kind, scores in found.items():
        means = [
            statistics.fmean(part[2] for part in parts)
            for parts in (
                [one.header for one in scores],
                [one.records for one in scores],
                [one.cells for one in scores],
            )
        ]
        points = statistics.fmean(one.points for one in scores)
        kept = statistics.fmean(one.kept for one in scores)
        yield (
            f"{kind:34} {means[0]:7.3f} {means[1]:8.3f} {means[2]:7.3f} {points:7.3f} {kept:6.3f}"
        )
    every = [one for scores in found.values() for one in scores]
    failed = [kind for kind, scores in found.items() if not all(one.read for one in scores)]
    yield (
        f"{len(every)} files: {statistics.fmean(one.points for one in every):.3f} of 10, rows kept "
        f"{statistics.fmean(one.kept for one in every):.3f}, failed: {', '.join(failed) or 'none'}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=80, help="rows of the clean table")
    parser.add_argument("--seeds", type=int, default=3, help="how many tables")
    said = parser.parse_args(arguments)
    found = measure(rows=said.rows, seeds=said.seeds)
    print("\n".join(report(found)))
    return int(not all(one.read for scores in found.values() for one in scores))


if __name__ == "__main__":
    sys.exit(main())
