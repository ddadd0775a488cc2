"""The catalogue of reject codes: it has every code that the code can give a row."""

import ast
import re
from pathlib import Path

import pytest

from explore.charts import Linked, rejections
from records.reject_codes import CATALOGUE, title_of

ROOT = Path(__file__).parents[2]
CODE = re.compile(r"[a-z]+(_[a-z]+)*")
# Unlike a piece of SQL, say.
SENTENCE = re.compile(r"[A-Z]?[a-z]* .+", re.DOTALL)
CREATORS = {"Reject", "RowError"}


def texts_of(node):
    """The text of a constant; of an f-string what stands in it, with "x" for each value."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(getattr(part, "value", "x")) for part in node.values)
    return ""


def codes_in(tree):
    """Codes that stand with a message, in a call or a tuple, or that ``code`` is set to."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in CREATORS:
            found = [texts_of(part) for part in node.args]
        elif isinstance(node, ast.Tuple) and len(node.elts) == 2:
            code, message = map(texts_of, node.elts)
            is_permission = message.startswith("Can ")
            is_code = "_" in code and SENTENCE.fullmatch(message) and not is_permission
            found = [code] if is_code else []
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.IfExp):
            is_of_code = getattr(node.targets[0], "id", "") == "code"
            parts = [node.value.body, node.value.orelse] if is_of_code else []
            found = [texts_of(part) for part in parts]
        else:
            continue
        yield from filter(CODE.fullmatch, found)


def codes_of_the_code():
    files = [path for app in ("ingestion", "records") for path in (ROOT / app).rglob("*.py")]
    return {
        code
        for path in files
        if path.name != "reject_codes.py"
        for code in codes_in(ast.parse(path.read_text()))
    }


def test_every_code_is_in_the_catalogue_and_every_entry_is_used():
    found = codes_of_the_code()
    assert {"too_few_cells", "missing_key", "bad_bytes", "key_conflict", "no_json"} <= found
    assert found == set(CATALOGUE)


def test_titles_differ_and_no_text_is_missing_or_shows_a_code():
    entries = list(CATALOGUE.values())
    assert len({entry.title for entry in entries}) == len(entries)
    for entry in entries:
        assert entry.title[0].isupper()
        assert not entry.title.endswith(".")
        assert entry.description.endswith(".")
        assert entry.remedy.endswith(".")
        assert "_" not in entry.title + entry.description + entry.remedy


@pytest.mark.parametrize(
    ("code", "title"),
    [("too_few_cells", "Too few cells"), ("of_an_older_version", "Of an older version")],
)
def test_a_code_has_a_title(code, title):
    assert title_of(code) == title


def test_the_chart_shows_titles_and_links_by_code():
    chart = rejections([("too_few_cells", 3, "/rejected/?code=too_few_cells")])
    (row,) = chart.rows
    assert row[0] == "Too few cells"
    assert [item["name"] for item in chart.spec["data"]["values"]] == ["Too few cells"]
    assert row[1] == Linked(3, "/rejected/?code=too_few_cells")
