"""Files that are made to do harm, sent to a running server, whose workers read them."""

import bz2
import gzip
import lzma
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.hostile import SHEET, sheet, workbook
from tests.installation import Installation, family, wait_for
from tests.site import Site
from tests.workbooks import ods_table, write_ods

pytestmark = pytest.mark.cluster

MB = 1 << 20
# Two gigabytes of zeros in equal parts, which can follow each other when they are packed.
PART, PARTS = 16 * MB, 128
# What a process may take besides what it takes anyway.
MEMORY = 400 * MB
UNPACKED = r"more than [\d,]+ bytes when unpacked"


@pytest.fixture(scope="module")
def site(own_installation: Installation) -> Site:
    started = Site(own_installation, "--no-samples")
    wait_for(lambda: started.get("/health")[0] == 200, seconds=120, what="its health")
    return started


def peaks(site: Site) -> dict[int, int]:
    """The most memory, in bytes, that each process of the site has ever had."""
    found = {}
    for process in family(site.process.pid):
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
        except FileNotFoundError:
            continue
        if peak := re.search(r"VmHWM:\s+(\d+) kB", status):
            found[process.pid] = int(peak[1]) * 1024
    return found


@pytest.fixture
def flat(site: Site) -> Iterator[None]:
    """The test makes no process of the site larger than others."""
    before = peaks(site)
    yield
    assert max(peaks(site).values()) < max(before.values()) + MEMORY


def send(site: Site, file: Path) -> requests.Response:
    with file.open("rb") as content:
        return requests.post(
            f"{site.url}/api/v1/ingest",
            files={"file": (file.name, content)},
            data={"source": "probe"},
            headers={"Authorization": site.token},
            timeout=300,
        )


def ended(site: Site, file: Path) -> dict[str, Any]:
    """The run of a file, when it is over."""
    answer = send(site, file)
    assert answer.status_code == 202, answer.text

    def run() -> dict[str, Any] | None:
        path = answer.headers["Location"].removeprefix(site.url)
        status, told = site.get(path, Authorization=site.token)
        assert status == 200
        found: dict[str, Any] = told
        return found if found["state"] in ("finished", "failed") else None

    over: dict[str, Any] = wait_for(run, seconds=300, what=f"the end of the run of {file.name}")
    return over


def records(site: Site) -> int:
    status, told = site.get("/api/v1/stats", Authorization=site.token)
    assert status == 200
    return int(told["total_records"])


def gzip_bomb(path: Path) -> None:
    path.write_bytes(gzip.compress(bytes(PART)) * PARTS)


def bz2_bomb(path: Path) -> None:
    path.write_bytes(bz2.compress(bytes(PART)) * PARTS)


def xz_bomb(path: Path) -> None:
    path.write_bytes(lzma.compress(bytes(PART), preset=0) * PARTS)


def zip_bomb(path: Path) -> None:
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("rows.csv", "w", force_zip64=True) as member,
    ):
        # One stream can't be repeated, and half a gigabyte is twice what is allowed.
        for _ in range(PARTS // 4):
            member.write(bytes(PART))


def xlsx_bomb(path: Path) -> None:
    row = b'<row><c t="inlineStr"><is><t>x</t></is></c></row>'
    workbook(path, {SHEET: sheet(*[row * 100_000] * 120)})


def ods_bomb(path: Path) -> None:
    row = '<table:table-row table:number-rows-repeated="1000000">%s</table:table-row>'
    cell = '<table:table-cell table:number-columns-repeated="16000" office:value-type="string">'
    cell += "<text:p>x</text:p></table:table-cell>"
    table = ods_table("S", [["id", "value"]])
    write_ods(path, table.replace("</table:table>", row % cell + "</table:table>"))


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("name", "make", "reason"),
    [
        ("bomb.csv.gz", gzip_bomb, UNPACKED),
        ("bomb.zip", zip_bomb, UNPACKED),
        ("bomb.xlsx", xlsx_bomb, r"it has [\d,]+ bytes when unpacked"),
        ("bomb.ods", ods_bomb, r"repeat"),
    ],
)
@pytest.mark.usefixtures("flat")
def test_bombs_are_refused_with_a_reason(
    site: Site, tmp_path: Path, name: str, make: Callable[[Path], None], reason: str
) -> None:
    path = tmp_path / name
    make(path)
    assert path.stat().st_size < 20 * MB
    before = records(site)
    run = ended(site, path)
    assert run["state"] == "failed"
    assert re.search(reason, run["error"]), run["error"]
    assert name in run["error"]
    assert records(site) == before


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("name", "make", "kind"), [("bomb.csv.bz2", bz2_bomb, "bzip2"), ("bomb.csv.xz", xz_bomb, "xz")]
)
@pytest.mark.usefixtures("flat")
def test_bombs_of_other_kinds_are_not_unpacked_at_all(
    site: Site, tmp_path: Path, name: str, make: Callable[[Path], None], kind: str
) -> None:
    path = tmp_path / name
    make(path)
    answer = send(site, path)
    assert answer.status_code == 400
    assert f"{name} can't be read: it is compressed with {kind}." in answer.json()["detail"]


@pytest.mark.usefixtures("flat")
def test_ten_thousand_columns_are_imported_and_shown(site: Site, tmp_path: Path) -> None:
    wide = tmp_path / "wide.csv"
    names = ",".join(f"column {number}" for number in range(10_000))
    wide.write_text(f"id,{names}\n" + "".join(f"{n},{'1,' * 9_999}1\n" for n in range(20)))
    before = records(site)
    run = ended(site, wide)
    assert (run["state"], run["ledger"]["created"]) == ("finished", 20)
    assert records(site) == before + 20
    asked = {"Authorization": site.token}
    for path in ("records?source=probe&limit=5", "records/facets?source=probe", "sources/probe"):
        answer = requests.get(f"{site.url}/api/v1/{path}", headers=asked, timeout=300)
        assert answer.status_code == 200, f"{path}: {answer.text[:500]}"


@pytest.mark.usefixtures("flat")
def test_a_cell_of_100_megabytes_is_refused_with_its_line(site: Site, tmp_path: Path) -> None:
    long = tmp_path / "long.csv"
    with long.open("wb") as file:
        file.write(b'id,note\n1,2\n2,"')
        for _ in range(100):
            file.write(b"x" * MB)
        file.write(b'"\n3,4\n')
    before = records(site)
    run = ended(site, long)
    assert run["state"] == "failed"
    assert "a line of more than" in run["error"]
    assert records(site) == before


@pytest.mark.any_database
@pytest.mark.usefixtures("flat")
def test_a_body_of_100_megabytes_is_no_list_of_records(site: Site) -> None:
    answer = requests.post(
        f"{site.url}/api/v1/records?source=probe",
        data=b'[{"id": "1", "note": "' + b"x" * (100 * MB) + b'"}]',
        headers={"Authorization": site.token, "Content-Type": "application/json"},
        timeout=300,
    )
    assert answer.status_code == 413
    assert answer.headers["Content-Type"] == "application/problem+json"
