"""Workbooks of all formats -> rows: merged cells, formulas, several and hidden sheets."""

import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from ingestion.errors import UnreadableInput
from ingestion.parsing.detection import detect
from ingestion.parsing.readers import apart, html_tables, ods, open_reader, workbook_parts
from ingestion.parsing.readers.single import read_row
from tests.workbooks import (
    change_parts,
    make_strict,
    ods_cell,
    ods_table,
    write_ods,
    write_xlsb,
)

DATA = Path(__file__).parents[2] / "data"
HEADER = ["id", "region", "n"]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "book.xlsx"


def write(path, hidden=(), merged=(), **sheets):
    book = openpyxl.Workbook()
    book.remove(book["Sheet"])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        sheet.sheet_state = "hidden" if title in hidden else "visible"
        for row in rows:
            sheet.append(row)
        for cells in merged:
            sheet.merge_cells(cells)
    book.save(path)


def read(path, **reading):
    """Columns, (line, cells) of rows, (line, code) of rejected ones, and all notes."""
    found = detect(path, path.name, reading=reading)
    rows: list[tuple[int, list[Any]]] = []
    refused = []
    with open_reader(
        path,
        name=path.name,
        encoding=found.encoding,
        dialect=found.dialect,
        digest=found.digest,
    ) as reader:
        for chunk in reader.chunks(2):
            for place, row in enumerate(chunk.rows):
                text = chunk.raw(place).decode()
                assert read_row(text, dialect=found.dialect, columns=reader.columns) == row
            rows += zip(chunk.lines, [list(row.values()) for row in chunk.rows], strict=True)
            refused += [(row.line, row.code) for row in chunk.rejects]
        return reader.columns, rows, refused, " ".join([*found.notes, *reader.notes])


def test_cells_that_are_merged_downwards_are_filled(path):
    rows = [HEADER, [1, "North", 5], [2, None, 6], [3, None, 7], [4, "South", 8], [], [5, "x", 9]]
    write(path, S=rows, merged=("B2:B4", "B5:B6", "C7:D7"))
    _, found, _, notes = read(path)
    assert [cells[1] for _, cells in found] == ["North", "North", "North", "South", "x"]
    assert "2 cells were filled with the value of the merged cells above" in notes
    assert "the first is B3" in notes


def test_merged_cells_of_a_header_are_not_filled_into_rows(path):
    write(path, S=[HEADER, [None, "a", 1], [2, "b", 2]], merged=("A1:A2",))
    _, found, _, notes = read(path, header="1")
    assert found[0] == (2, ["", "a", "1"])
    assert "filled" not in notes


def test_formulas_without_a_stored_value_are_told(path):
    write(path, S=[[*HEADER, "sum"], [1, "a", 2, "=A2+C2"], [2, "b", 3, "=A3+C3"]])
    _, found, _, notes = read(path)
    assert [cells[3] for _, cells in found] == ["", ""]
    assert "2 formulas have no stored value" in notes
    assert "the first is D2" in notes


def test_a_formula_with_an_empty_text_as_its_value_is_not_told(path):
    write(path, S=[[*HEADER, "sum"], [1, "a", 2, "=A2"]])

    def stored(name, xml):
        return xml.replace(b'<c r="D2"', b'<c r="D2" t="str"')

    change_parts(path, stored)
    assert "formula" not in read(path)[3]


def test_all_sheets_with_the_same_columns_are_read_at_once(path):
    write(
        path,
        hidden=("Secret",),
        Secret=[HEADER, [9, "s", 9]],
        January=[HEADER, [1, "a", 5], [2, "b", 6], [3, "c", 7, 8]],
        Notes=[["text"], ["hello"]],
        February=[HEADER, [4, "c", 7]],
    )
    columns, rows, _, notes = read(path)
    assert (columns, len(rows)) == (HEADER, 2)
    assert "The workbook has 4 sheets; 'January' was read." in notes
    assert "2 sheets have the same columns: 'January', 'February'" in notes
    assert "set the sheet to *" in notes
    assert "1 sheet is hidden: 'Secret'" in notes
    columns, rows, refused, notes = read(path, sheet="*")
    assert columns == ["sheet", *HEADER]
    assert rows == [
        (2, ["January", "1", "a", "5"]),
        (3, ["January", "2", "b", "6"]),
        (6, ["February", "4", "c", "7"]),
    ]
    assert refused == [(4, "too_many_cells")]
    assert "The lines of sheet 'February' are counted from 5." in notes
    assert "Sheets with other columns were not read: 'Notes'." in notes
    assert detect(path, path.name).sheets[0] == "*"


def test_the_column_of_sheet_names_gets_a_name_of_its_own(path):
    write(path, A=[["sheet", "n"], ["x", 1]], B=[["sheet", "n"], ["y", 2]])
    columns, rows, _, _ = read(path, sheet="*")
    assert columns == ["sheet_2", "sheet", "n"]
    assert [cells for _, cells in rows] == [["A", "x", "1"], ["B", "y", "2"]]


def test_rows_of_a_sheet_that_are_no_data_are_set_aside(path):
    rows = [["kind", "n", "m"], ["a", 1, 2], ["b", 2, 3], ["Subtotal", 3, 5],
            ["kind", "n", "m"], ["c", 4, 5], ["Total", 7, 10], [],
            ["Made by the warehouse"]]  # fmt: skip
    write(path, S=rows)
    _, found, refused, notes = read(path)
    assert [cells[0] for _, cells in found] == ["a", "b", "c"]
    assert refused == [(4, "total"), (5, "repeated_header"), (7, "total"), (9, "footer")]
    assert "set aside: 2 totals" in notes


def test_rows_of_a_sheet_that_only_look_like_totals_are_data(path):
    rows = [["id", "name", "note"], [7, "Total Inc"], [8, "b", "x"], [9, "Sum AG"], [10]]
    write(path, S=rows)
    assert len(read(path)[1]) == 4


@pytest.mark.parametrize("rows", [[["Report"]], [["Report"], ["as of today"], []]])
def test_a_title_above_a_table_of_two_columns_is_skipped(path, rows):
    write(path, S=[*rows, ["kind", "n"], ["a", 1], ["b", 2], ["c", 3]])
    columns, found, _, _ = read(path)
    assert (columns, len(found)) == (["kind", "n"], 3)


def test_strict_open_xml_is_read(path):
    url = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    write(path, S=[HEADER, [1, url, date(2024, 3, 4)]])
    make_strict(path)
    # The name of a namespace in a cell stays what it is.
    strict = "http://purl.oclc.org/ooxml/spreadsheetml/main"
    assert read(path)[1] == [(2, ["1", strict, "2024-03-04"])]


def test_binary_workbooks_are_read(tmp_path):
    path = tmp_path / "book.xlsb"
    write_xlsb(path, {"One": [HEADER, ["a", "ü", 1.5], ["b", "y", True]], "Two": [HEADER]})
    columns, rows, _, notes = read(path)
    assert (columns, rows) == (HEADER, [(2, ["a", "ü", "1.5"]), (3, ["b", "y", "TRUE"])])
    assert "read without number formats and errors" in notes


def test_old_workbooks_are_read():
    path = DATA / "months.xls"
    columns, rows, _, notes = read(path)
    assert columns == ["id", "day", "region", "amount", "paid"]
    assert rows[:2] == [
        (2, ["101", "2024-01-01", "North", "1.25", "FALSE"]),
        (3, ["102", "2024-01-02", "North", "2.5", "TRUE"]),
    ]
    assert "2 cells were filled" in notes
    assert "1 sheet is hidden: 'Lists'" in notes
    _, rows, _, _ = read(path, sheet="*")
    assert [cells[:2] for _, cells in rows][3:5] == [["January", "104"], ["February", "201"]]


def test_a_workbook_that_takes_too_much_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(apart, "MAX_BOOK_MEMORY", 64 << 20)
    path = tmp_path / "book.xlsb"
    # Two cells, which a table of ten million holds.
    write_xlsb(path, {"S": [["a"], *([[]] * 1000), [*([None] * 9_999), "b"]]})
    with pytest.raises(UnreadableInput, match="takes more than 67,108,864 bytes of memory"):
        read(path)


def test_a_damaged_old_workbook_is_refused(tmp_path):
    path = tmp_path / "book.xls"
    path.write_bytes((DATA / "months.xls").read_bytes()[:3000])
    with pytest.raises(UnreadableInput, match=r"damaged|not an old Excel"):
        read(path)


def test_open_document_cells_are_the_text_that_is_shown(tmp_path):
    path = tmp_path / "book.ods"
    cells = [
        (ods_cell("00501", "float", 'office:value="501"'), "00501"),
        (ods_cell("1,234.50", "float", 'office:value="1234.5"'), "1234.5"),
        (ods_cell("12 %", "percentage", 'office:value="0.123"'), "0.123"),
        (ods_cell("4.3.24", "date", 'office:date-value="2024-03-04"'), "2024-03-04"),
        (ods_cell("x", "date", 'office:date-value="2024-03-04T05:06:07"'), "2024-03-04 05:06:07"),
        (ods_cell("9:05", "time", 'office:time-value="PT09H05M00S"'), "09:05:00"),
        (ods_cell("25:30", "time", 'office:time-value="PT25H30M00S"'), "25:30:00"),
        (ods_cell("WAHR", "boolean", 'office:boolean-value="true"'), "TRUE"),
        (ods_cell("#N/A", "string", 'office:string-value=""'), "#N/A"),
        ("<table:table-cell><office:annotation><text:p>note</text:p></office:annotation>"
         "<text:p>a<text:s text:c='2'/><text:span>b</text:span></text:p><text:p>c</text:p>"
         "</table:table-cell>", "a  b\nc"),
    ]  # fmt: skip
    rows = [["word", "cell"], *(["w", cell] for cell, _ in cells)]
    write_ods(path, ods_table("S", rows))
    assert [cells[1] for _, cells in read(path, header="1")[1]] == [text for _, text in cells]


def test_open_document_rows_are_repeated_and_placed(tmp_path):
    path = tmp_path / "book.ods"
    merged = ods_cell("North", more='table:number-rows-spanned="2"')
    gap = '<table:table-cell table:number-columns-repeated="2"/>'
    twice = (
        '<table:table-cell table:number-columns-repeated="2"><text:p>y</text:p></table:table-cell>'
    )
    body = ods_table("S", [HEADER, ["1", merged, "5"], ["2", "<table:covered-table-cell/>", "6"]])
    body = body.replace(
        "</table:table>",
        '<table:table-row table:number-rows-repeated="1000"><table:table-cell/></table:table-row>'
        f'<table:table-row table:number-rows-repeated="2">{gap}{ods_cell("7")}</table:table-row>'
        f"<table:table-row>{ods_cell('8')}{twice}</table:table-row></table:table>",
    )
    hidden = (
        '<style:style style:name="h"><style:table-properties table:display="false"/></style:style>'
    )
    write_ods(path, ods_table("Old", [HEADER, ["z", "z", "z"]], "h") + body, hidden)
    _, rows, _, notes = read(path)
    assert rows == [
        (2, ["1", "North", "5"]),
        (3, ["2", "North", "6"]),
        (1004, ["", "", "7"]),
        (1005, ["", "", "7"]),
        (1006, ["8", "y", "y"]),
    ]
    assert "1 sheet is hidden: 'Old'" in notes


def test_an_open_document_that_repeats_too_many_cells_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "book.ods"
    monkeypatch.setattr(ods, "MAX_REPEATED_CELLS", 1000)
    row = '<table:table-row table:number-rows-repeated="900">%s</table:table-row>'
    write_ods(path, f'<table:table table:name="S">{row % (ods_cell("a") * 3)}</table:table>')
    with pytest.raises(UnreadableInput, match="1,000"):
        read(path)


def test_too_many_merged_cells_are_refused(path, monkeypatch):
    monkeypatch.setattr(workbook_parts, "MAX_MERGED", 2)
    write(path, S=[HEADER, *([n, "a", n] for n in range(20))], merged=("A2:A3", "A4:A5", "A6:A7"))
    with pytest.raises(UnreadableInput, match="too many merged cells"):
        read(path)


def html(tmp_path, body, encoding="utf-8", name="report.xls"):
    path = tmp_path / name
    path.write_bytes(f"<html><head><meta charset={encoding}></head>{body}</html>".encode(encoding))
    return path


def test_a_table_in_html_is_read(tmp_path):
    rows = "<tr><td>%s<td>&nbsp;<b>a</b>\n b<br>c &amp; d<td>%s</tr>"
    path = html(
        tmp_path,
        "<p>Report</p><table><tr><td>x</td></tr></table><script>var t='<table>'</script>"
        f"<table><thead><tr><th>id<th>text<th>n</thead>{rows % (1, '00501')}{rows % (2, '7')}",
    )
    columns, found, _, notes = read(path)
    assert columns == ["id", "text", "n"]
    assert found == [(2, ["1", "a b\nc & d", "00501"]), (3, ["2", "a b\nc & d", "7"])]
    assert "an HTML document with 2 tables; 'Table 2' was read" in notes


def test_cells_that_span_rows_and_columns_are_placed(tmp_path):
    path = html(
        tmp_path,
        "<table><tr><th>id</th><th>region</th><th>n</th><th>m</th></tr>"
        "<tr><td>1</td><td rowspan=2>North</td><td colspan=2>5</td></tr>"
        "<tr><td>2</td><td>6</td><td>7</td></tr></table>",
    )
    _, found, _, notes = read(path)
    assert [cells for _, cells in found] == [["1", "North", "5", ""], ["2", "North", "6", "7"]]
    assert "1 cell was filled" in notes


def test_cells_that_span_too_many_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(html_tables, "MAX_REPEATED_CELLS", 1000)
    row = "<tr><td rowspan=100 colspan=99>a<td>b</tr>"
    with pytest.raises(UnreadableInput, match="cells that others span"):
        read(html(tmp_path, f"<table>{row * 20}</table>"))


def test_html_is_read_in_the_encoding_that_it_declares(tmp_path):
    path = html(tmp_path, "<table><tr><td>id<td>ä<tr><td>1<td>łódź</table>", "cp1250")
    assert read(path, header="1")[:2] == (["id", "ä"], [(2, ["1", "łódź"])])


def test_html_without_a_table_is_refused(tmp_path):
    with pytest.raises(UnreadableInput, match="HTML document without a table"):
        read(html(tmp_path, "<p>Please sign in</p>"))


def test_html_whose_parts_are_too_long_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(html_tables, "MAX_HTML_CHARACTERS", 1000)
    path = html(tmp_path, "<table><tr><td>a<td>b</table><!--" + "x" * 100_000)
    with pytest.raises(UnreadableInput, match="a tag, a comment or a text"):
        read(path)


@pytest.mark.parametrize(
    ("members", "kind"),
    [
        ({"word/document.xml": "<a/>", "[Content_Types].xml": "<a/>"}, "a Word document"),
        ({"ppt/presentation.xml": "<a/>", "a": "b"}, "a PowerPoint presentation"),
        ({"mimetype": "application/vnd.oasis.opendocument.text", "b": ""}, "an OpenDocument text"),
    ],
)
def test_other_documents_are_named_in_the_refusal(tmp_path, members, kind):
    path = tmp_path / "upload.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(UnreadableInput, match=f"it is {kind}, not a table"):
        read(path)


@pytest.mark.parametrize("name", ["book.xlsx", "book.ods"])
def test_damaged_parts_of_an_archive_are_refused(tmp_path, name):
    path = tmp_path / name
    if name == "book.ods":
        write_ods(path, ods_table("S", [HEADER, ["1", "a", "b"]]))
        change_parts(path, lambda part, xml: xml.replace(b'"UTF-8"', b'"no such encoding"'))
    else:
        write(path, S=[HEADER, [1, "a", 2]])
        with zipfile.ZipFile(path) as archive:
            part = archive.getinfo("xl/styles.xml")
        content = bytearray(path.read_bytes())
        begin = part.header_offset + 60
        content[begin : begin + 40] = b"\xff" * 40
        path.write_bytes(content)
    with pytest.raises(UnreadableInput, match="damaged"):
        read(path)


def test_an_open_document_without_cells_is_refused(tmp_path):
    path = tmp_path / "book.ods"
    write_ods(path, ods_table("S", [["<table:table-cell/>"]]))
    with pytest.raises(UnreadableInput, match="all of its sheets are empty"):
        read(path)
    write_ods(path, "")
    with pytest.raises(UnreadableInput, match="all of its sheets are empty"):
        read(path)


def office_file(*streams):
    """The beginning of an old Office file with these streams."""
    header = bytearray(512)
    header[:4] = b"\xd0\xcf\x11\xe0"
    header[30:32] = (9).to_bytes(2, "little")
    entries = b""
    for name in ("Root Entry", *streams):
        written = name.encode("utf-16-le")
        entries += (written.ljust(64, b"\0") + (len(written) + 2).to_bytes(2, "little")).ljust(128)
    return bytes(header) + entries.ljust(512, b"\0")


@pytest.mark.parametrize(
    ("streams", "reason"),
    [
        (["WordDocument"], "a Word document"),
        (["EncryptionInfo", "EncryptedPackage"], "protected by a password"),
        (["__properties_version1.0"], "an Outlook message"),
        (["Other"], "not an old Excel workbook"),
    ],
)
def test_old_office_files_are_named_in_the_refusal(tmp_path, streams, reason):
    path = tmp_path / "book.xls"
    path.write_bytes(office_file(*streams))
    with pytest.raises(UnreadableInput, match=reason):
        read(path)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">',
         "XML spreadsheet of Excel 2003"),
        ('<?xml version="1.0"?><rss></rss>', "an XML document, not a table"),
    ],
)  # fmt: skip
def test_xml_is_named_in_the_refusal(tmp_path, text, reason):
    path = tmp_path / "report.xls"
    path.write_text(text)
    with pytest.raises(UnreadableInput, match=reason):
        read(path)
