"""What a feed says about its API: read from the JSON it is kept as, and checked. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ingestion.feeds.errors import InvalidFeed
from ingestion.feeds.paging import Paging, Style, with_parameters

POSITION = "{position}"
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
# What the client itself says.
OWN_HEADERS = {
    "accept-encoding", "connection", "content-length", "host", "te", "transfer-encoding", "upgrade",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Incremental:
    """Only what is new is asked for: rows whose ``column`` is beyond the greatest so far.

    ``param`` carries it, written as ``value`` says ("gt.{position}"); ``start`` is the position
    of the first loading: without one it asks for everything.
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
        """The URL to begin with, where the last loading came to ``position``."""
        where = position or self.incremental.start
        if not (self.incremental.param and where):
            return self.url
        value = self.incremental.value.replace(POSITION, where)
        return with_parameters(self.url, {self.incremental.param: value})


def api_config(config: Mapping[str, Any]) -> APIConfig:
    """The config as it is kept, as what is used; it was checked when it was kept."""
    paging = dict(config.get("paging", {}))
    return APIConfig(
        url=config["url"],
        headers=config.get("headers", {}),
        rows_path=config.get("rows_path", ""),
        paging=Paging(**{**paging, "style": Style(paging.get("style", Style.NONE))}),
        incremental=Incremental(**config.get("incremental", {})),
    )


def check_api(config: APIConfig) -> None:
    """Raise InvalidFeed for what can't work."""
    check_url(config.url)
    for name, value in config.headers.items():
        check_header(name, value)
    for path in (config.rows_path, config.paging.path):
        if path and not all(path.split(".")):
            raise InvalidFeed("rows_path", f"{path!r} is no path: names, with dots between them.")
    paging = config.paging
    if paging.style in (Style.NEXT, Style.CURSOR) and not paging.path:
        raise InvalidFeed("paging_path", "Say where in the answer the next page is told.")
    if paging.style in (Style.PAGE, Style.OFFSET, Style.CURSOR) and not paging.param:
        raise InvalidFeed("paging_param", "Name the parameter that asks for a page.")
    if bool(paging.limit_param) != bool(paging.limit):
        raise InvalidFeed("limit", "Rows a page need both a parameter and a number.")
    new = config.incremental
    if bool(new.column) != bool(new.param):
        raise InvalidFeed(
            "cursor_column", "Loading only what is new needs both a column and a parameter."
        )
    if new.param and POSITION not in new.value:
        raise InvalidFeed("cursor_value", f"The value has {POSITION} in it.")


def check_url(url: str) -> None:
    """Raise InvalidFeed unless it is an http(s) URL with a host, and without a password."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise InvalidFeed("url", "This is no URL.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidFeed("url", "A URL begins with https:// or http:// and a host.")
    if not url.isprintable() or " " in url:
        raise InvalidFeed("url", "A URL has neither blanks nor control characters in it.")
    if "@" in parts.netloc:
        raise InvalidFeed(
            "url", "A URL is shown: put user and password into a secret header instead."
        )


def check_header(name: str, value: str) -> None:
    """Raise InvalidFeed for a header that can't be sent. The value is not repeated."""
    if not HEADER_NAME.fullmatch(name) or name.lower() in OWN_HEADERS:
        raise InvalidFeed("headers", f"{name[:100]!r} can't be the name of a header here.")
    if not (value.isprintable() and value.isascii()):
        raise InvalidFeed("headers", f"The value of {name!r} has characters no header may have.")
