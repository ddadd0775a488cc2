"""Fetches all pages of an API into one input: a file with one row per line."""

import hashlib
import http
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import IO, Any

from django.conf import settings

from ingestion.errors import NoRoom
from ingestion.feeds.config import APIConfig
from ingestion.feeds.endings import error_in
from ingestion.feeds.errors import AddressRefused, FeedError, FetchFailed, InvalidPage, RepeatedPage
from ingestion.feeds.http_client import (
    BEHIND_THE_END,
    Answer,
    Client,
    Patience,
    in_words,
    shown,
)
from ingestion.feeds.json_page import JSONPage, read_lines, read_page
from ingestion.feeds.media import charset_of, check_table, is_ndjson, is_table
from ingestion.feeds.paging import COUNTED, Pages

# How much of a table is shown in a test.
SHOWN_BYTES = 32 << 10


@dataclass(slots=True)
class Fetched:
    """The result: ``pages`` are {"url", "rows"} each, ``position`` is the highest cursor value.

    ``cut_short`` says why the result is incomplete; it is empty if it is complete. ``is_json`` says
    whether the file has a row in each line; else it is the answer, such as a CSV file.
    """

    path: Path
    rows: int = 0
    size: int = 0
    pages: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    cut_short: str = ""
    position: str = ""
    is_json: bool = True

    @property
    def doing(self) -> str:
        """The progress, as a phrase."""
        rows = "1 row" if self.rows == 1 else f"{self.rows:,} rows"
        return f"Fetching page {len(self.pages) + 1:,} ({rows} so far)"


def new_client(
    config: APIConfig, headers: Mapping[str, str], on_wait: Callable[[str], object]
) -> Client:
    """A client for the API, with the limits of this installation."""
    return Client(
        url=config.url,
        headers=headers,
        allowed=settings.ALLOWED_NETWORKS,
        max_bytes=settings.FEED_PAGE_BYTES,
        patience=Patience(**settings.FEED_PATIENCE),
        on_wait=on_wait,
    )


def fetch(
    config: APIConfig,
    headers: Mapping[str, str],
    *,
    name: str,
    position: str = "",
    on_wait: Callable[[str], object] = lambda doing: None,
) -> Fetched:
    """Fetch every page, and store the rows in one file under its digest.

    ``headers`` are the API's with all secrets filled in; ``name`` is unique to this fetch, and
    identifies what an earlier attempt left behind. If a later page fails, the rows of the pages
    before it are kept and ``cut_short`` says so. ``on_wait`` is called often, with a sentence on
    the progress or the reason of a delay. Raises FeedError if even the first page fails, NoRoom,
    and what ``on_wait`` raises.
    """
    try:
        settings.INPUT_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in settings.INPUT_DIR.glob(f"fetch-{name}-*"):
            left.unlink(missing_ok=True)
        with tempfile.NamedTemporaryFile(
            dir=settings.INPUT_DIR, prefix=f"fetch-{name}-", delete=False
        ) as file:
            try:
                fetched = Fetched(Path(file.name), position=position)

                def tell(trouble: str) -> None:
                    on_wait(trouble or fetched.doing)

                with new_client(config, headers, tell) as client:
                    digest = _write(file, config, client, fetched)
                file.flush()
                os.fsync(file.fileno())
                on_wait(fetched.doing)
                fetched.path = _keep(Path(file.name), digest)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise NoRoom("The response of the API", error.strerror or str(error)) from error
    return fetched


def first_page(config: APIConfig, headers: Mapping[str, str], *, position: str = "") -> JSONPage:
    """The first page, to test the configuration of a feed. Raises FeedError.

    Of a table, such as CSV, the lines are the rows.
    """
    client = new_client(config, headers, lambda trouble: None)
    # A user is waiting for the page.
    client.patience = Patience(connect=5, read=8, tries=1, retry_after_max=2, page=15)
    with client:
        url = Pages(config.paging).first(config.first_url(position))
        answer = client.get(url)
        _check_status(answer, 1)
        if is_table(answer):
            check_table(config)
            lines = answer.body[:SHOWN_BYTES].decode(errors="replace").splitlines()
            return JSONPage(
                lines, notes=["The response is a file, which is imported like an upload."]
            )
        return _page(answer, config, number=1)


def _write(file: IO[bytes], config: APIConfig, client: Client, fetched: Fetched) -> str:
    """Write the rows of every page; return the digest of the file."""
    sha = hashlib.sha256()
    for text in _texts(config, client, fetched):
        sha.update(text)
        file.write(text)
        fetched.size += len(text)
    return sha.hexdigest()


def _texts(config: APIConfig, client: Client, fetched: Fetched) -> Iterator[bytes]:
    """What is written for each page; a table is written as it is."""
    pages = Pages(config.paging)
    for page in _pages(pages, config, client, fetched):
        if isinstance(page, bytes):
            yield page
        elif page.rows:
            text = "\n".join(page.rows) + "\n"
            fetched.rows += len(page.rows)
            for cell in page.cells:
                fetched.position = greatest(fetched.position, cell)
            yield text.encode(errors="surrogateescape")
    fetched.notes += pages.notes


def _pages(
    pages: Pages, config: APIConfig, client: Client, fetched: Fetched
) -> Iterator[JSONPage | bytes]:
    """The pages, one after the other; if they end early, ``cut_short`` says why."""
    url: str | None = pages.first(config.first_url(fetched.position))
    while url is not None:
        number = len(fetched.pages) + 1
        try:
            if number > settings.FEED_PAGES:
                raise FetchFailed(
                    f"More than {settings.FEED_PAGES:,} pages. DATAFLOW_FEED_PAGES sets this limit."
                )
            answer = client.get(url)
            is_behind = answer.status in BEHIND_THE_END
            if is_behind and config.paging.style in COUNTED and pages.may_end:
                _tell_end(fetched, f"Page {number} returned {in_words(answer.status)}")
                return
            _check_status(answer, number)
            if number == 1 and is_table(answer):
                check_table(config)
                fetched.is_json = False
                fetched.pages.append({"url": shown(url)[:1000], "rows": 0})
                yield answer.body
                return
            page = _page(answer, config, number=number)
            if fetched.rows + len(page.rows) > settings.FEED_ROWS:
                raise FetchFailed(
                    f"More than {settings.FEED_ROWS:,} rows. DATAFLOW_FEED_ROWS sets this limit."
                )
        except FeedError as error:
            if not fetched.rows:
                raise
            fetched.cut_short = _cut_short(error, fetched)
            return
        problem: InvalidPage | None = None
        try:
            following = pages.following(page, headers=answer.headers, url=answer.url)
        except InvalidPage as error:
            following, problem = None, error
        if isinstance(problem, RepeatedPage) and problem.is_end:
            what = str(problem).removeprefix("it ")
            _tell_end(fetched, f"Page {number} ({shown(url)[:200]}) {what}")
            return
        if not isinstance(problem, RepeatedPage):
            fetched.pages.append({"url": shown(url)[:1000], "rows": len(page.rows)})
            fetched.notes += [note for note in page.notes if note not in fetched.notes]
            yield page
        if problem is not None:
            failure = FetchFailed(f"Page {number} ({shown(answer.url)}) can't be used: {problem}.")
            fetched.cut_short = _cut_short(failure, fetched)
        url = following


def _tell_end(fetched: Fetched, what: str) -> None:
    fetched.notes.append(f"{what}, which was taken as the end.")


def _check_status(answer: Answer, number: int) -> None:
    if answer.status in BEHIND_THE_END:
        status = in_words(answer.status)
        raise FetchFailed(f"Page {number} ({shown(answer.url)}) returned {status}.")


def _page(answer: Answer, config: APIConfig, *, number: int) -> JSONPage:
    if answer.status == http.HTTPStatus.NO_CONTENT:
        return JSONPage()
    column, charset = config.incremental.column, charset_of(answer)
    try:
        if is_ndjson(answer):
            return read_lines(answer.body, column=column, charset=charset)
        page = read_page(answer.body, rows_path=config.rows_path, column=column, charset=charset)
        if not page.rows and error_in(page.around):
            raise InvalidPage("it has no rows")
    except InvalidPage as error:
        what = f"{error}{_reported(answer.body)}"
        raise InvalidPage(f"Page {number} ({shown(answer.url)}) can't be used: {what}.") from error
    return page


def _reported(body: bytes) -> str:
    """The error that an answer without the expected rows reports, to follow a reason."""
    try:
        told = error_in(json.loads(body))
    except (ValueError, RecursionError):
        return ""
    return f". It reports an error: {told.rstrip('.')}" if told else ""


def _cut_short(error: FeedError, fetched: Fetched) -> str:
    what = str(error)
    number = len(fetched.pages) + 1
    if not isinstance(error, AddressRefused) and not what.startswith("Page "):
        what = f"Page {number}: {what}"
    kept = "1 row" if fetched.rows == 1 else f"{fetched.rows:,} rows"
    return f"{what} Kept the {kept} fetched before it; import again to get the rest."


def greatest(position: str, cell: str) -> str:
    """The greater of the cursor so far and a cell: as numbers if both are, else as text."""
    if not cell or len(cell) > 1000 or not cell.isprintable():
        return position
    if not position:
        return cell
    mine, other = _number(position), _number(cell)
    if mine is not None and other is not None:
        return cell if other > mine else position
    return max(position, cell)


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _keep(file: Path, digest: str) -> Path:
    path: Path = settings.INPUT_DIR / digest[:2] / digest
    path.parent.mkdir(exist_ok=True)
    file.chmod(settings.FILE_UPLOAD_PERMISSIONS)
    file.replace(path)
    return path
