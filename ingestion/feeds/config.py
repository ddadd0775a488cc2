"""The configuration of an API feed: parsed from its JSON and validated. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ingestion.feeds.errors import InvalidFeed
from ingestion.feeds.paging import BY_PARAMETER, Paging, Style, with_parameters

POSITION = "{position}"
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
# Headers that the HTTP client sets itself.
OWN_HEADERS = {
    "accept-encoding", "connection", "content-length", "host", "te", "transfer-encoding", "upgrade",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Incremental:
    """Incremental import: requests only rows whose ``column`` is greater than the last cursor.

    ``param`` is the URL parameter and ``value`` its template ("gt.{position}"); ``start`` is the
    cursor of the first import, which requests everything without one.
    """

    column: str = ""
    param: str = ""
    value: str = POSITION
    start: str = ""


@dataclass(frozen=True, slots=True)
class APIConfig:
    """One HTTP API as a source."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    rows_path: str = ""
    paging: Paging = field(default_factory=Paging)
    incremental: Incremental = field(default_factory=Incremental)

    def first_url(self, position: str) -> str:
        """The first URL to request, if the last cursor is ``position``."""
        where = position or self.incremental.start
        if not (self.incremental.param and where):
            return self.url
        value = self.incremental.value.replace(POSITION, where)
        return with_parameters(self.url, {self.incremental.param: value})


def api_config(config: Mapping[str, Any]) -> APIConfig:
    """The stored JSON as an APIConfig; it was validated when it was saved."""
    paging = dict(config.get("paging", {}))
    return APIConfig(
        url=config["url"],
        headers=config.get("headers", {}),
        rows_path=config.get("rows_path", ""),
        paging=Paging(**{**paging, "style": Style(paging.get("style", Style.NONE))}),
        incremental=Incremental(**config.get("incremental", {})),
    )


def check_api(config: APIConfig) -> None:
    """Raise InvalidFeed for a configuration that can't work."""
    check_url(config.url)
    for name, value in config.headers.items():
        check_header(name, value)
    for path in (config.rows_path, config.paging.path):
        if path and not all(path.split(".")):
            raise InvalidFeed("rows_path", f"{path!r} is not a valid path: use names with dots.")
    paging = config.paging
    if paging.style in (Style.NEXT, Style.CURSOR) and not paging.path:
        raise InvalidFeed("paging_path", "Give the path to the link or cursor of the next page.")
    if paging.style == Style.LAST_ROW and not paging.path:
        raise InvalidFeed("paging_path", "Give the column of the last row, such as id.")
    if paging.style in BY_PARAMETER and not paging.param:
        raise InvalidFeed("paging_param", "Give the parameter that selects a page.")
    if bool(paging.limit_param) != bool(paging.limit):
        raise InvalidFeed("limit", "Rows per page needs a parameter and a number.")
    new = config.incremental
    if bool(new.column) != bool(new.param):
        raise InvalidFeed(
            "cursor_column", "Importing only new rows needs a cursor column and a parameter."
        )
    if new.param and POSITION not in new.value:
        raise InvalidFeed("cursor_value", f"The value must contain {POSITION}.")


def check_url(url: str) -> None:
    """Raise InvalidFeed unless it is an http(s) URL with a host, and without a password."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise InvalidFeed("url", "This is not a valid URL.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidFeed("url", "The URL must start with https:// or http:// and a host.")
    if not url.isprintable() or " " in url:
        raise InvalidFeed("url", "The URL must not contain spaces or control characters.")
    if "@" in parts.netloc:
        raise InvalidFeed(
            "url", "The URL is visible to everyone: put the password into a secret header instead."
        )


def check_header(name: str, value: str) -> None:
    """Raise InvalidFeed for a header that can't be sent. The value is not repeated."""
    if not HEADER_NAME.fullmatch(name) or name.lower() in OWN_HEADERS:
        raise InvalidFeed("headers", f"{name[:100]!r} is not an allowed header name.")
    if not (value.isprintable() and value.isascii()):
        raise InvalidFeed(
            "headers", f"The value of {name!r} has characters not allowed in headers."
        )
