"""Packed files are unpacked; bombs, locks and damage are refused with a reason."""

import gzip
import hashlib
import io
import zipfile

import pytest

from ingestion.errors import UnreadableInput
from ingestion.parsing.compression import unpacked
from ingestion.parsing.detection import detect
from ingestion.parsing.readers import open_reader

CONTENT = b"a,b\n" + b"1,2\n3,4\n" * 500


# Without the time: tests are called after it, and have the same names in all processes.
def gzipped(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def zipped(**members: bytes) -> bytes:
    compressed = io.BytesIO()
    with zipfile.ZipFile(compressed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__slash__", "/"), content)
    return compressed.getvalue()


@pytest.fixture
def compressed(tmp_path):
    def write(content: bytes):
        path = tmp_path / "kept"
        path.write_bytes(content)
        return path

    return write


@pytest.mark.parametrize(
    ("content", "name", "inner"),
    [
        (gzipped(CONTENT), "rows.csv.gz", "rows.csv"),
        (gzipped(CONTENT), "rows", "rows"),
        (zipped(**{"rows.csv": CONTENT}), "all.zip", "rows.csv"),
        (
            zipped(
                **{"d__slash__rows.csv": CONTENT, "__MACOSX__slash__._rows.csv": b"x", ".x": b"y"}
            ),
            "all.zip",
            "rows.csv",
        ),
        (CONTENT, "rows.gz", "rows.gz"),
    ],
)
def test_the_file_inside_is_read_by_its_own_name(compressed, content, name, inner):
    path = compressed(content)
    with unpacked(path, name) as plain:
        assert (plain.path.read_bytes(), plain.name) == (CONTENT, inner)
    assert plain.path == path or not plain.path.exists()


def test_a_compressed_file_is_read_like_any_other_and_known_by_its_own_bytes(compressed):
    content = gzipped(b'[{"a": 1}, {"a": 2}]')
    path = compressed(content)
    found = detect(path, "rows.json.gz")
    assert found.digest == (len(content), hashlib.sha256(content).hexdigest())
    assert any("unpacked" in note for note in found.notes)
    with open_reader(
        path, name="rows.json.gz", encoding=found.encoding, dialect=found.dialect
    ) as reader:
        assert [row for chunk in reader.chunks(9) for row in chunk.rows] == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (gzipped(CONTENT)[:-20], "damaged or incomplete"),
        (gzipped(CONTENT)[:20] + b"x" * 20, "damaged or incomplete"),
        (zipped(**{"a.csv": CONTENT})[:-30], "damaged or incomplete"),
        (zipped(**{"a.csv": CONTENT, "b.csv": CONTENT}), r"2 files \('a.csv', 'b.csv'\)"),
        (zipped(), "contains no file"),
        (zipped(**{"a.zip": zipped(**{"b.csv": CONTENT})}), "ZIP archive inside"),
        (gzipped(gzipped(CONTENT)), "compressed twice"),
    ],
)
def test_an_archive_without_one_sound_file_is_refused(compressed, content, reason):
    with pytest.raises(UnreadableInput, match=reason):
        detect(compressed(content), "x.csv")


def test_a_locked_archive_is_refused(compressed):
    content = bytearray(zipped(**{"a.csv": CONTENT}))
    # The bit that says "encrypted", in both places where it stands.
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(UnreadableInput, match="password"):
        detect(compressed(bytes(content)), "x.zip")
