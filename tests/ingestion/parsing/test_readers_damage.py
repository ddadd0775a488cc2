"""Random tables in random dialects and encodings, with random damage: no row is ever lost."""

import csv
import io
import json
from collections import Counter
from dataclasses import replace
from datetime import UTC

from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.parsing.batches import read_batches
from ingestion.parsing.detection import detect
from ingestion.parsing.readers import open_reader
from ingestion.parsing.row_mapper import RowMapper

ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
MARKED = {"utf-8-sig", "utf-16", "utf-32"}
# What stands for no character in each encoding.
WRONG = {"utf-8": b"\xff", "utf-16": b"\x00\xd8", "utf-32": b"\x00\x00\x11\x00", "cp1252": b"\x81"}
DELIMITERS = [",", ";", "\t", "|", "^", "~", "\x1f"]

# A cell that begins with a letter keeps the damage of a quote apart from quotes that are sound.
cells = st.just("") | st.builds(
    "{}{}".format, st.sampled_from("abc"), st.text("xyzäö€ ,;|'\"\n", max_size=8)
)
damages = st.sampled_from(["cut", "extra", "byte", "quote", *[""] * 6])


@st.composite
def tables(draw):
    """Rows of cells behind an id, and what befalls each of them."""
    width = draw(st.integers(1, 4))
    rows = draw(st.lists(st.lists(cells, min_size=width, max_size=width), max_size=15))
    return [[f"r{n}", *row] for n, row in enumerate(rows)], [draw(damages) for _ in rows]


@st.composite
def dialects(draw):
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    # Where lines end with CR alone, the writer leaves a newline in a cell without quotes.
    minimal = end != "\r" and draw(st.booleans())
    return {
        "delimiter": draw(st.sampled_from(DELIMITERS)),
        "quotechar": draw(st.sampled_from("\"'")),
        "quoting": csv.QUOTE_MINIMAL if minimal else csv.QUOTE_ALL,
        "lineterminator": end,
    }


def written(row, dialect):
    text = io.StringIO()
    csv.writer(text, **dialect).writerow(row)
    return text.getvalue()


def damaged(row, damage, dialect, encoding):
    """The bytes of a row after some damage; None if this row can't take it."""
    if damage == "byte":
        wrong = next(WRONG[name] for name in WRONG if encoding.startswith(name))
        wrong = wrong[::-1] if encoding.endswith("-be") else wrong
        return "".encode(encoding) + written([*row[:-1], "a"], dialect).encode(encoding).replace(
            row[0].encode(encoding), row[0].encode(encoding) + wrong, 1
        )
    row = [cell.replace("\n", " ") for cell in row]
    if damage == "cut":
        row = row[:-1]
    if damage == "extra":
        row = [*row, "x"]
    line = written(row, dialect)
    if damage == "quote":
        # The last cell is opened and never closed.
        end = dialect["lineterminator"]
        line = written(row[:-1], dialect).removesuffix(end)
        line += dialect["delimiter"] + dialect["quotechar"] + "x" + end
    return line.encode(encoding)


def plain(encoding):
    """The encoding without its mark."""
    return {"utf-8-sig": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}.get(
        encoding, encoding
    )


@settings(max_examples=300)
@given(
    table=tables(), dialect=dialects(), encoding=st.sampled_from(ENCODINGS), size=st.integers(1, 9)
)
def test_every_row_is_a_record_or_a_rejected_row(tmp_path_factory, table, dialect, encoding, size):
    rows, befallen = table
    header = ["id", *(f"c{n}" for n in range(len(rows[0]) - 1 if rows else 1))]
    parts = ["".encode(encoding), written(header, dialect).encode(plain(encoding))]
    for row, damage in zip(rows, befallen, strict=True):
        parts.append(
            damaged(row, damage, dialect, plain(encoding))
            if damage
            else written(row, dialect).encode(plain(encoding))
        )
    path = tmp_path_factory.mktemp("damaged") / "f.csv"
    path.write_bytes(b"".join(parts))
    said = {"delimiter": dialect["delimiter"], "quote": dialect["quotechar"], "header": "1"}
    if encoding not in MARKED:
        said["encoding"] = encoding
    found = detect(path, "f.csv", reading=said)
    assert found.encoding == plain(encoding)
    # Rows that lack cells would be filled up where all of them do; here each is damage.
    dialect_found = replace(found.dialect, fewest=0)
    with open_reader(path, name="f.csv", encoding=found.encoding, dialect=dialect_found) as reader:
        mapper = RowMapper(
            source="s",
            columns=reader.columns,
            mapping={"id": ["id"]},
            zone=UTC,
            occurrences=lambda digest: 1,
        )
        batches = list(read_batches(reader, mapper, size=size))
    records = {row.id: row for batch in batches for row in batch.rows}
    rejects = [reject for batch in batches for reject in batch.rejects]
    sound = [row for row, damage in zip(rows, befallen, strict=True) if not damage]
    assert len(records) + len(rejects) == len(rows)
    assert {f"s:{row[0]}": dict(zip(header, row, strict=True)) for row in sound} == {
        key: json.loads(row.data) for key, row in records.items()
    }
    codes = {
        "cut": {"too_few_cells"},
        "extra": {"too_many_cells"},
        "byte": {"bad_bytes"},
        "quote": {"unclosed_quote", "misplaced_quote"},
    }
    expected = Counter(damage for damage in befallen if damage)
    for damage, count in expected.items():
        assert sum(reject.code in codes[damage] for reject in rejects) == count
