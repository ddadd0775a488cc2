"""No input keeps a worker busy for minutes or fills its memory: it is read quickly, or refused."""

import gzip
import re
import shutil
import time
import zipfile
from collections import namedtuple

import pytest

from ingestion.errors import InputTooLarge, NoRoomToRead, UnreadableInput
from ingestion.parsing import compression, limits
from ingestion.parsing.compression import unpacked
from ingestion.parsing.detection import detect
from ingestion.parsing.preparation import prepare
from ingestion.parsing.readers.header import unique_names
from ingestion.parsing.timestamps.moments import Moments
from tests.hostile import SHEET, STRINGS, read_apart, sheet, strings, workbook

# Of memory besides what any input takes, on any machine.
MEGABYTES = 400
# What takes a second or two, on a machine that does five other things.
SECONDS = 60


@pytest.fixture
def write(tmp_path):
    def written(*pieces: bytes, name="input.csv"):
        with (tmp_path / name).open("wb") as file:
            for piece in pieces:
                file.write(piece)
        return tmp_path / name

    return written


def prepared(path):
    return prepare(path, path.name, reading={}, named={}, remembered={})


@pytest.mark.parametrize("name", ["a", "", "a_2", "column_2"])
def test_a_header_of_equal_names_is_made_unique_at_once(name):
    cells = [name] * limits.MAX_COLUMNS
    began = time.process_time()
    names, notes = unique_names(cells, name="input.csv", line=1)
    assert time.process_time() - began < 5
    assert len(set(names)) == limits.MAX_COLUMNS
    assert sum(map(len, notes)) < 10_000


def test_names_that_repeat_never_take_one_that_is_written_further_on():
    names, notes = unique_names(["a", "a", "a_2", "a", " ", "column_5"], name="x", line=1)
    assert names == ["a", "a_3", "a_2", "a_4", "column_5_2", "column_5"]
    assert any("repeats 'a': column 2 is named 'a_3'" in note for note in notes)


def test_a_small_file_with_thousands_of_equal_names_is_read_at_once(write):
    path = write(b",".join([b"a"] * 5_000), b"\n", b",".join([b"1"] * 5_000), b"\n")
    cost = read_apart(path)
    assert (cost.rows, cost.said) == (1, "")
    assert cost.seconds < SECONDS


def test_the_widest_table_is_read_in_seconds(write):
    columns = limits.MAX_COLUMNS
    row = b",".join([b"1"] * columns) + b"\n"
    cost = read_apart(write(b",".join(b"date %d" % n for n in range(columns)), b"\n", row * 40))
    assert (cost.rows, cost.said) == (40, "")
    assert cost.seconds < SECONDS


@pytest.mark.parametrize("header", [True, False])
def test_more_columns_than_a_sheet_has_are_refused_with_their_number(write, header):
    first = b"c%d" if header else b"%d"
    row = b",".join([b"1"] * 200_000)
    with pytest.raises(InputTooLarge, match=r"200,000 columns, and the limit is 16,384"):
        prepared(write(b",".join(first % n for n in range(200_000)), b"\n", row, b"\n", row, b"\n"))


def test_a_header_of_long_names_is_refused(write):
    header = b",".join(b"x" * 1_000 for _ in range(2_000))
    with pytest.raises(InputTooLarge, match=r"a header of 2,000,000 characters"):
        prepared(write(header, b"\n", b",".join([b"1"] * 2_000), b"\n"))


def test_a_row_of_sixteen_million_cells_is_rejected_alone(write):
    cost = read_apart(write(b"id,b\n1,2\n", b"," * 17_000_000, b"\n3,4\n"))
    assert (cost.rows, cost.rejected, cost.said) == (2, 1, "")
    assert cost.megabytes < MEGABYTES
    assert cost.seconds < SECONDS


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "cp1252"])
def test_a_line_that_never_ends_is_refused_in_flat_memory(write, encoding):
    piece = ("xü" * (1 << 19)).encode(encoding)
    mark = "\ufeff" if encoding == "utf-16-le" else ""
    path = write(f"{mark}id,b\n1,2\n".encode(encoding), *[piece] * 130)
    cost = read_apart(path)
    assert "a line of more than" in cost.said
    assert cost.megabytes < MEGABYTES
    assert cost.seconds < SECONDS


def test_quotes_that_never_close_do_not_make_the_file_be_read_again_and_again(write):
    # Each line goes on with the row of the one before it, and begins one that goes on as well.
    cost = read_apart(write(b"id,v\n1,2\n", b'a","b\n' * 300_000))
    assert "never closed" in cost.said
    assert cost.seconds < SECONDS


def test_a_file_of_which_each_line_is_damaged_is_read_in_linear_time(write):
    # Within the quotes of the first line each line goes on; by itself it is damaged.
    cost = read_apart(write(b"id,v\n1,2\n", b'"\n', b'""x","y\n' * 200_000))
    assert (cost.rows, cost.rejected, cost.said) == (1, 200_001, "")
    assert cost.seconds < SECONDS


def test_a_row_that_goes_on_over_millions_of_lines_is_refused(write):
    cost = read_apart(write(b"id,v\n", b'"\n",' * 5_000_000))
    assert re.search(r"a row of more than [\d,]+ characters, starting in line 2,", cost.said)
    assert cost.seconds < SECONDS


@pytest.mark.parametrize(
    "cell", [b"[" * 5_000 + b"]" * 5_000, b"1" * 5_000], ids=["deep", "digits"]
)
def test_a_cell_of_json_that_python_does_not_read_is_a_cell_like_any_other(write, cell):
    found = prepared(write(b'id;note\n1;{"a":', cell, b"}\n2;x\n"))
    assert found.columns == ["id", "note"]
    assert found.detected.dialect.delimiter == ";"


def test_one_input_that_confuses_detection_leaves_nothing_behind_for_the_next(write):
    prepared(write(b'id;note\n1;{"a":', b"[" * 300, b"}\n2;x\n"))
    long = b"x" * 15_000
    found = prepared(write(b"id;note\n1;", long, b"\n2;y\n", name="other.csv"))
    assert found.columns == ["id", "note"]


@pytest.mark.parametrize("word", [b"1", b"a@", b"a."])
def test_a_long_word_does_not_keep_detection_busy(write, word):
    began = time.process_time()
    found = prepared(write(b"id;note\n1;", word * 30_000, b"\n2;y\n"))
    assert found.columns == ["id", "note"]
    assert time.process_time() - began < 8


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_millions_of_blank_lines_are_passed_over_quickly(write, end):
    cost = read_apart(write(end * 1_500_000, b"id,b", end, b"1,2", end * 1_500_000, b"3,4", end))
    assert (cost.rows, cost.rejected, cost.said) == (2, 0, "")
    assert cost.seconds < SECONDS


def test_a_long_cell_that_is_nearly_a_number_is_told_from_one_at_once(write):
    began = time.process_time()
    found = prepared(write(b"id,amount\n1,", b"1" * 1_000_000, b"x\n"))
    assert time.process_time() - began < SECONDS
    assert found.mapping["value"] == []


def test_long_cells_in_the_column_of_the_timestamp_are_not_kept_in_memory():
    read = Moments("%d.%m.%Y")
    cells = ["1.2.2025", "x" * 1_000_000, f"{' ' * 500}1.2.2025 "]
    assert read(cells, range(3)) == ["2025-02-01 00:00:00", None, "2025-02-01 00:00:00"]


# --- workbooks


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b'<row r="999999999"><c r="A999999999"><v>1</v></c></row>', "a row number 9"),
        (b'<row r="2"><c r="XFE2"><v>1</v></c></row>', "a cell in column 16,385 of row 2"),
        (b'<row r="2">' + b"<c><v>1</v></c>" * 16_385 + b"</row>", "a cell in column 16,385"),
        (b'<row r="2"/><row r="2"/>', "damaged"),
        (b'<row r="2"><c r="B2"/><c r="A2"/></row>', "damaged"),
        (b"<a>" * 200 + b"</a>" * 200, "damaged"),
    ],
)
def test_a_sheet_that_no_program_writes_is_refused_at_once(tmp_path, row, reason):
    path = workbook(tmp_path / "book.xlsx", {SHEET: sheet(row)})
    assert path.stat().st_size < 20_000
    began = time.process_time()
    with pytest.raises(UnreadableInput, match=reason):
        prepared(path)
    assert time.process_time() - began < SECONDS


def test_rows_that_are_left_out_are_passed_over_and_counted(tmp_path):
    rows = b'<row r="3"><c r="A3"><v>7</v></c></row><row r="1048576"><c r="A1048576"/></row>'
    path = workbook(tmp_path / "book.xlsx", {SHEET: sheet(rows)})
    cost = read_apart(path)
    assert (cost.rows, cost.rejected, cost.said) == (1, 0, "")
    assert cost.seconds < SECONDS


MANY = 10_000_000


@pytest.mark.parametrize(
    ("part", "pieces"),
    [
        (SHEET, sheet(b'<row r="2">', *[b"<c><v>1</v></c>" * 100_000] * 20, b"</row>")),
        (SHEET, sheet(b'<row r="2">', *[b"<x/>" * 500_000] * 6, b"</row>")),
        (SHEET, sheet(*[b"<x>" * 500_000] * 6)),
        (SHEET, sheet(b'<row r="2"><c t="inlineStr"><is><t>', *[b"x" * MANY] * 10)),
        (SHEET, sheet(b'<row spans="', *[b"1" * MANY] * 10, b'">')),
    ],
    ids=["cells", "others", "depth", "text", "attribute"],
)
def test_a_sheet_is_read_in_flat_memory_or_refused(tmp_path, part, pieces):
    cost = read_apart(workbook(tmp_path / "book.xlsx", {part: pieces}))
    assert cost.said
    assert cost.megabytes < MEGABYTES
    assert cost.seconds < SECONDS


def test_texts_that_fill_the_memory_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("ingestion.parsing.readers.workbook.MAX_SHARED_TEXT_BYTES", 1_000_000)
    texts = strings(*(b"<si><t>text %d</t></si>" % n for n in range(50_000)))
    path = workbook(tmp_path / "book.xlsx", {STRINGS: texts})
    with pytest.raises(InputTooLarge, match=r"texts, which take 1,\d+,\d+ bytes of memory"):
        prepared(path)


def test_cells_share_texts_plain_and_in_runs(tmp_path):
    texts = strings(
        b"<si><t>plain</t></si><si><r><rPr><b/></rPr><t>in </t></r><r><t>runs</t></r>"
        b"<rPh><t>spoken</t></rPh></si><si/>"
    )
    rows = b'<row r="2">' + b"".join(b'<c t="s"><v>%d</v></c>' % n for n in range(3)) + b"</row>"
    path = workbook(tmp_path / "book.xlsx", {STRINGS: texts, SHEET: sheet(rows, b"")})
    assert prepared(path).sample == [["plain", "in runs"]]


@pytest.mark.long
def test_hundreds_of_megabytes_of_texts_are_refused_before_they_fill_the_memory(tmp_path):
    piece = b"".join(b"<si><t>%s%d</t></si>" % (b"x" * 1_000, n) for n in range(1_000))
    path = workbook(tmp_path / "book.xlsx", {STRINGS: strings(*[piece] * 700)})
    assert path.stat().st_size < 10_000_000
    cost = read_apart(path)
    assert "unpacked" in cost.said
    assert cost.megabytes < MEGABYTES


def test_large_styles_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("ingestion.parsing.readers.workbook_parts.MAX_PART_BYTES", 10_000)
    path = workbook(tmp_path / "book.xlsx", {"xl/styles.xml": [b"<a>", b" " * 20_000, b"</a>"]})
    with pytest.raises(InputTooLarge, match=r"a part 'xl/styles.xml' of 20,007 bytes"):
        prepared(path)


# --- compressed files


def bomb(path, megabytes: int):
    with gzip.open(path, "wb") as file:
        for _ in range(megabytes):
            file.write(bytes(1 << 20))
    return path


def test_a_bomb_is_refused_as_soon_as_it_shows(write, monkeypatch, tmp_path):
    monkeypatch.setattr(limits, "FREE_UNPACKED_BYTES", 8 << 20)
    path = bomb(tmp_path / "bomb.csv.gz", 400)
    written = 0

    def on_chunk():
        nonlocal written
        written += 1

    with (
        pytest.raises(InputTooLarge, match=r"when unpacked, .* 200 times its own size"),
        unpacked(path, "bomb.csv.gz", on_chunk=on_chunk),
    ):
        pass
    # Not after 200 times the size of the file, but of what has been read of it.
    assert written < 30


@pytest.mark.long
def test_a_bomb_of_ten_gigabytes_is_refused_after_a_fraction_of_it(tmp_path):
    began = time.perf_counter()
    with (
        pytest.raises(InputTooLarge),
        unpacked(bomb(tmp_path / "bomb.gz", 10_240), "bomb.gz"),
    ):
        pass
    assert time.perf_counter() - began < 600


def test_a_table_that_repeats_itself_is_no_bomb(tmp_path):
    path = tmp_path / "rows.csv.gz"
    with gzip.open(path, "wb") as file:
        file.write(b"id,kind,amount\n")
        for number in range(300_000):
            file.write(b"%d,the same kind of thing again and again,100.00\n" % number)
    assert prepared(path).columns == ["id", "kind", "amount"]


def test_an_archive_of_very_many_files_is_refused_before_they_are_listed(tmp_path, monkeypatch):
    monkeypatch.setattr(compression, "MAX_DIRECTORY_BYTES", 10_000)
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(1_000):
            archive.writestr(f"{number}.csv", "a")
    with pytest.raises(InputTooLarge, match="1,000 files"):
        detect(path, "many.zip")


def test_the_last_of_the_disk_is_not_filled_by_unpacking(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    disk = usage(100 << 30, 98 << 30, (1 << 30) + (1 << 19))
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: disk)
    path = bomb(tmp_path / "zeros.csv.gz", 3)
    with (
        pytest.raises(NoRoomToRead, match=r"not enough disk space .* 1,073,741,824 are reserved"),
        unpacked(path, "zeros.csv.gz"),
    ):
        pass


@pytest.mark.parametrize(
    ("gigabytes", "kept"), [(2, 0.2), (4, 0.25), (10, 0.5), (20, 1), (50_000, 1)]
)
def test_how_much_of_a_disk_is_kept_free_depends_on_its_size(
    tmp_path, monkeypatch, gigabytes, kept
):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(gigabytes << 30, 0, 0))
    assert limits.reserve(tmp_path) == pytest.approx(kept * (1 << 30), rel=0.01)
