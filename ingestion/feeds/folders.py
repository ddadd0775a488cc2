"""Folders as feeds: finds the files to import now."""

import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from ingestion.feeds.errors import FolderRefused, InvalidFeed
from ingestion.loading.runs import record_start
from records.database.clock import now
from records.models import Feed, FolderFile, IngestionRun, RunState

# A pattern leads through so many folders at the most, and twice through all below one: each more
# makes the search many times as long.
MOST_PARTS = 20
MOST_DEEP = 2
# Between two looks at a file that tell that it does not grow.
QUIET = timedelta(seconds=5)


def check_folder(config: dict[str, Any]) -> None:
    """Raise InvalidFeed unless the folder is allowed and the pattern is valid."""
    pattern = config["pattern"]
    parts = Path(pattern).parts
    if not parts or Path(pattern).is_absolute() or ".." in parts or "\0" in pattern:
        raise InvalidFeed("pattern", "Use a pattern relative to the folder, such as *.csv.")
    try:
        folder = folder_of(config)
    except FolderRefused as error:
        raise InvalidFeed("folder", str(error)) from error
    if len(parts) > MOST_PARTS or parts.count("**") > MOST_DEEP:
        raise InvalidFeed(
            "pattern",
            f"A pattern has at most {MOST_PARTS} parts, of which at most {MOST_DEEP} are **.",
        )
    try:
        next(folder.glob(pattern), None)
    except (ValueError, NotImplementedError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InvalidFeed(
            "pattern", f"{pattern[:100]!r} is not a valid pattern: {reason}."
        ) from error


def folder_of(config: dict[str, Any]) -> Path:
    """The folder of a feed, with links resolved. Raises FolderRefused."""
    roots = settings.FOLDER_ROOTS
    given = config["folder"]
    if "\0" in given:
        raise FolderRefused("The folder name contains a NUL character.")
    folder = Path(given)
    if not folder.is_absolute() and roots:
        folder = roots[0] / folder
    if not _inside(folder):
        allowed = ", ".join(map(str, roots)) or "none"
        raise FolderRefused(
            f"{given} is not in the folders that this installation may import from: {allowed}. "
            "The operator can allow others with DATAFLOW_FOLDERS."
        )
    if not _is_readable(folder):
        raise FolderRefused(f"{given} does not exist or is not a readable folder.")
    return folder.resolve()


def _is_readable(folder: Path) -> bool:
    try:
        return folder.is_dir() and os.access(folder, os.R_OK | os.X_OK)
    except OSError:  # its name is too long
        return False


def look(feed: Feed, *, trigger: str, user: Any = None) -> tuple[list[IngestionRun], int]:
    """Create a run for each file that is no longer growing; also return how many still may be.

    A file that is new, or has changed since the last check, waits for the next one. An imported
    file is imported again only after it has changed; or manually, if its run was undone, which a
    schedule must not revert, or failed before it read a row. Raises FolderRefused.
    """
    folder = folder_of(feed.config)
    moment = now()
    found: list[IngestionRun] = []
    waiting = 0
    # The folder may be on a slow network: no transaction is open while it is listed.
    try:
        seen = list(_files(folder, feed.config["pattern"]))
    except OSError as error:
        what = f"{feed.config['folder']} can't be listed: {error.strerror or error}."
        raise FolderRefused(what) from error
    with transaction.atomic():
        # One check at a time: each file gets one run.
        Feed.objects.select_for_update().get(pk=feed.pk)
        known = {file.name: file for file in feed.files.select_related("run")}
        for path, size, modified in seen:
            name = str(path.relative_to(folder))
            file = known.get(name)
            if file is None or (file.size, file.modified_ns) != (size, modified):
                changes = {"size": size, "modified_ns": modified, "seen_at": moment, "run": None}
                FolderFile.objects.update_or_create(feed=feed, name=name, defaults=changes)
                waiting += 1
            elif _is_loaded(file, trigger):
                continue
            elif moment - file.seen_at < QUIET:
                waiting += 1
            else:
                file.run = IngestionRun.objects.create(
                    source=feed.source,
                    feed=feed,
                    path=str(path.resolve()),
                    file_name=name[-255:],
                    size=size,
                    trigger=trigger,
                    user=user,
                )
                file.save(update_fields=["run"])
                found.append(file.run)
        for run in found:
            record_start(run)
    return found, waiting


def _is_loaded(file: FolderFile, trigger: str) -> bool:
    """Whether a file that has not changed has had its run."""
    run = file.run
    if run is None:
        return False
    came_to_nothing = run.state == RunState.FAILED and not run.read
    return trigger == "schedule" or not (came_to_nothing or run.state == RunState.UNDONE)


def _files(folder: Path, pattern: str) -> Iterator[tuple[Path, int, int]]:
    """The files of a pattern, with their size and when they changed last, in nanoseconds."""
    for path in sorted(folder.glob(pattern)):
        # A link may lead anywhere; a name may hold what no database takes.
        name = str(path.relative_to(folder))
        if name.isprintable() and len(name) <= 1000 and _inside(path) and path.is_file():
            with suppress(OSError):  # it was there a moment ago
                stat = path.stat()
                yield path, stat.st_size, max(stat.st_mtime_ns, 0)


def _inside(path: Path) -> bool:
    """Whether a path leads to what really lies in one of the folders that may be loaded from."""
    try:
        real = path.resolve()
        return any(real.is_relative_to(root.resolve()) for root in settings.FOLDER_ROOTS)
    except (OSError, RuntimeError):  # links that go round
        return False
