"""What a preview shows of an input before a row lands: how it begins, and how that is read."""

import gzip
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ingestion import dry_runs
from ingestion.detection import Detected, detect
from ingestion.dialect import check_reading
from ingestion.errors import IngestionError, NoRoom, room_to_read
from ingestion.mapping import FORMAT
from ingestion.packed import GZIP, ZIP, unpacked
from ingestion.preparation import Prepared, prepare
from ingestion.timestamps import FORMATS, parser, spelled
from records.models import DryRun, IngestionRun, RunState
from records.rows import ROLES

# A larger file is looked at by its beginning only; its dry run then finds out the rest.
WHOLE_BYTES = 64 << 20
# What is packed grows when it is unpacked.
WHOLE_PACKED_BYTES = 8 << 20
START_BYTES = 1 << 20
# So much of a file is shown as it is, and so many of its rows.
SHOWN_BYTES = 32 << 10
SHOWN_LINES = 12
SHOWN_CHARACTERS = 400
SHOWN_ROWS = 8


@dataclass(frozen=True, slots=True)
class HeaderChange:
    """How the columns of an input differ from those that the source had before."""

    added: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    renamed: list[tuple[str, str]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.added or self.missing or self.renamed)


@dataclass(slots=True)
class Look:
    """What a preview shows at once: how an input begins, and how that is understood.

    ``found`` is what was found out without what the person says; ``error`` says why the input
    can't be read that way, and then ``prepared`` is None. ``partly``: only the beginning of a
    large file was looked at. ``formats`` are those that read the dates, each with an example.
    ``settled``: how the dates are meant was told by the dry run, and not by that beginning.
    """

    lines: list[str] = field(default_factory=list)
    found: Detected | None = None
    prepared: Prepared | None = None
    error: str = ""
    no_room: bool = False
    partly: bool = False
    header: HeaderChange = field(default_factory=HeaderChange)
    formats: list[tuple[str, str]] = field(default_factory=list)
    settled: bool = False
    same: IngestionRun | None = None

    @property
    def rows(self) -> list[list[str]]:
        return self.prepared.sample[:SHOWN_ROWS] if self.prepared else []

    @property
    def mapping(self) -> dict[str, Any]:
        """Who plays which role, and the format of the dates where it is decided."""
        if self.prepared is None:
            return {**{role: [] for role in ROLES}, FORMAT: None}
        chosen = None if self.asks_for_format else self.prepared.mapping.get(FORMAT)
        return {**self.prepared.mapping, FORMAT: chosen}

    @property
    def asks_for_format(self) -> bool:
        """Whether the dates can be read in two ways, and nobody has said which."""
        return self.prepared is not None and self.prepared.doubt is not None

    @property
    def obstacle(self) -> str:
        """Why the input can't be loaded like this; empty if it can."""
        if self.prepared is None:
            return self.error
        if missing := self.prepared.missing:
            named = ", ".join(f"“{column}” ({role})" for role, column in missing)
            return f"The file has no column {named}: choose another one, or none."
        if self.asks_for_format:
            return "The dates can be read in two ways: choose how they are meant."
        return ""


def look(run: IngestionRun) -> Look:
    """Look at the input of a draft, at the whole of it unless it is large."""
    seen = Look()
    path = Path(run.path)
    try:
        with _glimpse(path, run.file_name) as (plain, name, seen.partly):
            seen.found = detect(plain, name)
            encoding = check_reading(run.reading).get("encoding", seen.found.encoding)
            seen.lines = _first_lines(plain, encoding)
            seen.prepared = prepare(
                plain,
                name,
                reading=run.reading,
                named=run.mapping,
                remembered=run.source.mapping,
            )
    except IngestionError as error:
        seen.error, seen.no_room = str(error), isinstance(error, NoRoom)
        return seen
    except OSError as error:
        seen.error = f"{run.file_name} can't be read: {error.strerror or error}."
        return seen
    if run.source.columns:
        seen.header = header_change(run.source.columns, seen.prepared.columns)
    if seen.partly and seen.asks_for_format:
        seen.settled = _settle(seen.prepared, dry_runs.latest(run))
    seen.formats = _formats(seen.prepared)
    # Kept uploads lie under their digest.
    seen.same = _loaded_before(run, run.sha256 or path.name)
    return seen


def _settle(prepared: Prepared, dry: DryRun | None) -> bool:
    """Take the format of the dates from a dry run, which has read all of the file; whether it told.

    A dry run that found no row which decides has failed, as loading would.
    """
    if dry is None or dry.state != RunState.FINISHED:
        return False
    mapping = dry.report["mapping"]
    if mapping["timestamp"] != prepared.mapping["timestamp"]:
        return False
    prepared.mapping[FORMAT], prepared.doubt = mapping[FORMAT], None
    return True


def header_change(before: Sequence[str], after: Sequence[str]) -> HeaderChange:
    """What was added, what is missing, and what has got another name by all appearances."""
    added = [column for column in after if column not in before]
    missing = [column for column in before if column not in after]
    renamed = []
    for column in list(missing):
        place = before.index(column)
        in_place = [after[place]] if len(before) == len(after) and after[place] in added else []
        plain = {name.casefold(): name for name in added}
        close = [plain[name] for name in get_close_matches(column.casefold(), plain, n=1)]
        for name in [*close, *in_place][:1]:
            renamed.append((column, name))
            added.remove(name)
            missing.remove(column)
    return HeaderChange(added, missing, renamed)


@contextmanager
def _glimpse(path: Path, name: str) -> Iterator[tuple[Path, str, bool]]:
    """A file to look at: what is packed in it, and of a large one the beginning only."""
    beginning = _beginning(path)
    # Archives, workbooks and documents have no beginning that can be read by itself.
    if beginning is None or beginning.lstrip().startswith((ZIP, b"[", b"{")):
        with unpacked(path, name) as plain:
            yield plain.path, plain.name, False
        return
    with room_to_read(name), tempfile.TemporaryDirectory() as folder:
        short = Path(folder) / "beginning"
        # The last line may be cut.
        short.write_bytes(beginning[: beginning.rfind(b"\n") + 1] or beginning)
        yield short, name.removesuffix(".gz"), True


def _beginning(path: Path) -> bytes | None:
    """How a large file begins; None for one that is not large."""
    with path.open("rb") as file:
        is_gzip = file.read(len(GZIP)) == GZIP
        file.seek(0)
        if path.stat().st_size <= (WHOLE_PACKED_BYTES if is_gzip else WHOLE_BYTES):
            return None
        return (gzip.GzipFile(fileobj=file) if is_gzip else file).read(START_BYTES)


def _first_lines(path: Path, encoding: str) -> list[str]:
    with path.open("rb") as file:
        start = file.read(SHOWN_BYTES)
    if start.startswith(ZIP):
        return []
    lines = re.split("\r\n|\n|\r", start.decode(encoding, "replace").removeprefix("\ufeff"))
    if not lines[-1]:
        lines.pop()
    return [line[:SHOWN_CHARACTERS] for line in lines[:SHOWN_LINES]]


def _formats(prepared: Prepared) -> list[tuple[str, str]]:
    """The formats that read a date of the sample, each with what it makes of it."""
    columns = prepared.mapping["timestamp"]
    if not columns or prepared.missing:
        return []
    places = [prepared.columns.index(column) for column in columns]
    texts = (" ".join(row[place] for place in places) for row in prepared.sample)
    example = next(filter(str.strip, texts), "")
    chosen, doubt = prepared.mapping[FORMAT], prepared.doubt
    first = [chosen] if chosen else []
    if doubt:
        example, first = doubt.text, [doubt.best, doubt.rival]
    found = []
    for pattern in dict.fromkeys([*first, *FORMATS]):
        moment = parser(pattern)(example)
        if moment is not None:
            found.append((pattern, f"{example.strip()[:40]} is {spelled(moment)}"))
    if chosen and chosen not in dict(found):
        found.insert(0, (chosen, "as for earlier files"))
    return found


def _loaded_before(run: IngestionRun, digest: str) -> IngestionRun | None:
    """The latest run that loaded the same file into the same source."""
    same = IngestionRun.objects.filter(
        source=run.source_id, sha256=digest, state=RunState.FINISHED, parent=None
    )
    return same.order_by("-pk").first()
