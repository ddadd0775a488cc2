"""Fetches one page of an API, with retries and limits. Pure: no Django, no tables."""

import http
import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from urllib3 import PoolManager, Timeout
from urllib3.exceptions import (
    ConnectTimeoutError,
    DecodeError,
    HTTPError,
    InvalidHeader,
    LocationParseError,
    LocationValueError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
    ResponseError,
    SSLError,
    URLSchemeUnknown,
)
from urllib3.response import BaseHTTPResponse
from urllib3.util import Retry
from urllib3.util.retry import RequestHistory

from ingestion.feeds.addresses import Network, guarded_pools
from ingestion.feeds.errors import FetchFailed

RETRIED = (429, 500, 502, 503, 504)
# What APIs answer to a page number or an offset behind the last row.
BEHIND_THE_END = (400, 404, 416)
REDIRECTS = 5
READ_BYTES = 1 << 16
# URL parameters whose values are hidden.
SECRET_PARAMETER = re.compile(r"key|token|secret|passw|sig|auth|credential|session", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Timeouts in seconds, and the number of retries."""

    connect: float = 10
    read: float = 20
    tries: int = 8
    backoff: float = 0.5
    backoff_max: float = 60
    retry_after_max: int = 300
    # The fetch of a page fails after this time, however steadily its bytes arrive.
    page: float = 300
    # How often ``on_wait`` is called during a wait.
    slice: float = 2


@dataclass(frozen=True, slots=True)
class Answer:
    """The body of a page, its status and headers, and its URL after redirects."""

    body: bytes
    status: int
    headers: Mapping[str, str]
    url: str


@dataclass(slots=True)
class Client:
    """Fetches pages. ``headers`` go to the host of ``url`` only.

    ``on_wait`` is called often, with the reason of the delay as a sentence, or "".
    ``allowed`` are networks that requests may go to although they are not public. Use it in a
    ``with`` block.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    allowed: Sequence[Network] = ()
    timeouts: Timeouts = Timeouts()
    max_bytes: int = 32 << 20
    on_wait: Callable[[str], object] = lambda trouble: None
    _pool: PoolManager = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._pool = PoolManager(num_pools=10)
        self._pool.pool_classes_by_scheme = guarded_pools(self.allowed)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._pool.clear()

    def get(self, url: str) -> Answer:
        """The page at ``url``; its status is 2xx, or one that some APIs give behind the last page.

        Raises FetchFailed, and AddressRefused.
        """
        retries = self._retries(url)
        headers = {
            "Accept": "application/json, application/x-ndjson;q=0.9, text/csv;q=0.8, */*;q=0.1",
            "Accept-Encoding": "gzip, deflate",
            "User-Agent": "DataFlow-Analytics",
        }
        if origin(url) == origin(self.url):
            headers.update(self.headers)
        while True:
            self.on_wait("")
            try:
                response = self._pool.request(
                    "GET",
                    url,
                    headers=headers,
                    retries=retries,
                    timeout=Timeout(connect=self.timeouts.connect, read=self.timeouts.read),
                    preload_content=False,
                )
                try:
                    return self._answer(url, response)
                except (HTTPError, OSError) as error:
                    # A connection that is lost during the body is retried like one that is lost
                    # before it.
                    retries = response.retries or retries
                    broken = error if isinstance(error, ReadTimeoutError) else _broken(error)
                    retries = retries.increment("GET", url, error=broken)
                finally:
                    response.close()
            except HTTPError as error:
                raise FetchFailed(_sentence(url, error, self.timeouts)) from None
            except ValueError as error:
                # The redirect target can't even be parsed as a URL.
                no_url = LocationValueError(str(error))
                raise FetchFailed(_sentence(url, no_url, self.timeouts)) from None
            retries.sleep()

    def _answer(self, url: str, response: BaseHTTPResponse) -> Answer:
        status = response.status
        final = urljoin(url, response.geturl() or url)
        if not (200 <= status < 300 or status in BEHIND_THE_END):
            raise FetchFailed(f"{shown(url)} returned {in_words(status)}.")
        deadline = time.monotonic() + self.timeouts.page
        parts: list[bytes] = []
        length = 0
        while part := response.read1(READ_BYTES):
            parts.append(part)
            length += len(part)
            if length > self.max_bytes:
                raise FetchFailed(
                    f"{shown(url)} returned more than {self.max_bytes:,} bytes. "
                    "DATAFLOW_FEED_PAGE_BYTES sets this limit."
                )
            if time.monotonic() > deadline:
                raise FetchFailed(
                    f"{shown(url)} did not finish within {self.timeouts.page:,.0f} seconds."
                )
            self.on_wait("")
        return Answer(b"".join(parts), status, dict(response.headers), final)

    def _retries(self, url: str) -> Retry:
        on_wait, timeouts = self.on_wait, self.timeouts

        class Patient(Retry):
            def sleep(self, response: BaseHTTPResponse | None = None) -> None:
                """Wait as the server says, else longer each time; in slices."""
                try:
                    asked = self.get_retry_after(response) if response else None
                except (InvalidHeader, ValueError, OverflowError):
                    asked = None
                until = time.monotonic() + (asked or self.get_backoff_time())
                trouble = _trouble(url, self.history, timeouts)
                while (left := until - time.monotonic()) > 0:
                    on_wait(f"{trouble}, retrying in {math.ceil(left)} s.")
                    time.sleep(min(left, timeouts.slice))
                on_wait(f"{trouble}, retrying now.")

            def increment(self, *args: Any, **options: Any) -> Self:
                error = options.get("error")
                if isinstance(error, SSLError) and "certificate" in str(error).lower():
                    # A retry would get the same certificate.
                    raise MaxRetryError(options["_pool"], "", error)
                return super().increment(*args, **options)

        return Patient(
            total=timeouts.tries,
            redirect=REDIRECTS,
            status_forcelist=RETRIED,
            backoff_factor=timeouts.backoff,
            backoff_max=timeouts.backoff_max,
            backoff_jitter=timeouts.backoff,
            retry_after_max=timeouts.retry_after_max,
            remove_headers_on_redirect=set(self.headers) | {"Authorization", "Cookie"},
        )


def origin(url: str) -> tuple[str, str, int | None]:
    """The scheme, host and port of a URL."""
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname or "", port


def shown(url: str) -> str:
    """A URL for display: without user, password, and values that look like secrets."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    query = parts.query
    pairs = parse_qsl(query, keep_blank_values=True)
    if any(SECRET_PARAMETER.search(name) for name, _ in pairs):
        query = urlencode(
            [(name, "..." if SECRET_PARAMETER.search(name) else value) for name, value in pairs]
        )
    return urlunsplit((parts.scheme, host, parts.path, query, ""))


def in_words(status: int) -> str:
    """A status with its standard phrase, whatever the server calls it."""
    try:
        return f"{status} ({http.HTTPStatus(status).phrase})"
    except ValueError:
        return str(status)


def _broken(error: Exception) -> ProtocolError:
    if isinstance(error, ProtocolError):
        return error
    what = "its compression is damaged" if isinstance(error, DecodeError) else "it was cut off"
    return ProtocolError(what)


def _trouble(url: str, history: Sequence[RequestHistory], timeouts: Timeouts) -> str:
    """Why a page has not arrived yet, and how often it was tried, by urllib3's history."""
    tries = [entry for entry in history if not entry.redirect_location]
    last = tries[-1]
    if last.status:
        why = f"it returned {in_words(last.status)}"
    else:
        why = _why(url, last.error or HTTPError(), timeouts)
    times = "once" if len(tries) == 1 else f"{len(tries)} times"
    return f"No page from {urlsplit(url).hostname}: {why}. Tried {times}"


def _sentence(url: str, error: HTTPError, timeouts: Timeouts) -> str:
    reason = error.reason if isinstance(error, MaxRetryError) else error
    why = _why(url, reason, timeouts)
    tried = isinstance(error, MaxRetryError) and "redirect" not in str(reason)
    times = f", {timeouts.tries + 1} times" if tried and not isinstance(reason, SSLError) else ""
    return f"{shown(url)} can't be fetched: {why}{times}."


def _why(url: str, reason: Exception | None, timeouts: Timeouts) -> str:
    why: str
    match reason:
        case NameResolutionError():
            why = f"the host {urlsplit(url).hostname} (or one it redirects to) can't be resolved"
        case NewConnectionError():
            why = "the connection failed"
        case ConnectTimeoutError():
            why = f"it did not accept a connection within {timeouts.connect:g} seconds"
        case ReadTimeoutError():
            why = f"it sent no data for {timeouts.read:g} seconds"
        case ResponseError() if "redirect" in str(reason):
            why = f"it redirects more than {REDIRECTS} times"
        case ResponseError():
            status = re.search(r"\d{3}", str(reason))
            why = f"it returned {in_words(int(status[0]))}" if status else "it returned errors"
        case SSLError():
            why = "its certificate is not trusted, or TLS failed"
        case URLSchemeUnknown():
            why = "it redirects to a URL that is not http or https"
        case LocationParseError() | LocationValueError():
            why = "it is, or redirects to, a URL that is not valid http or https"
        case ProtocolError():
            why = "the connection was lost before the response was complete"
        case _:
            why = f"it failed ({type(reason).__name__})"
    return why
