"""Pagination of APIs: finds the next page for each style. Pure."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from ingestion.feeds.errors import InvalidPage, RepeatedPage
from ingestion.feeds.json_page import JSONPage, at_path

LINK = re.compile(r"""<([^<>]*)>((?:\s*;\s*[\w!#$&+.^`|~*-]+\s*(?:=\s*(?:"[^"]*"|[^",;\s]+))?)*)""")
RELATION = re.compile(r""";\s*rel\s*=\s*(?:"([^"]*)"|([^",;\s]+))""", re.IGNORECASE)


class Style(StrEnum):
    """How an API points to its next page."""

    NONE = "none"
    NEXT = "next"
    LINK = "link"
    PAGE = "page"
    OFFSET = "offset"
    CURSOR = "cursor"


@dataclass(frozen=True, slots=True)
class Paging:
    """The pagination style and its parameters.

    ``path`` is the path to the next link or the cursor in the body; ``param`` is the URL parameter
    for the page number, the offset or the cursor; ``start`` is the first page number;
    ``limit_param`` and ``limit`` set the rows per page.
    """

    style: Style = Style.NONE
    path: str = ""
    param: str = ""
    start: int = 1
    limit_param: str = ""
    limit: int = 0


@dataclass(slots=True)
class Pages:
    """Finds the URL of each page: ``first(url)``, then ``following`` a page. Detects loops."""

    paging: Paging
    _seen: set[bytes] = field(default_factory=set)
    _url: str = ""
    _number: int = 0
    _offset: int = 0
    _rows: bytes = b""

    def first(self, url: str) -> str:
        """The URL of the first page."""
        paging = self.paging
        changes: dict[str, str] = {}
        if paging.limit_param and paging.limit:
            changes[paging.limit_param] = str(paging.limit)
        if paging.style == Style.PAGE:
            self._number = paging.start
            changes[paging.param] = str(paging.start)
        if paging.style == Style.OFFSET:
            changes[paging.param] = "0"
        self._url = with_parameters(url, changes)
        self._is_new(self._url)
        return self._url

    def following(self, page: JSONPage, *, headers: Mapping[str, str], url: str) -> str | None:
        """The URL of the next page; None after the last. ``url`` is the URL of this page.

        Raises InvalidPage if the pages form a loop.
        """
        match self.paging.style:
            case Style.NONE:
                return None
            case Style.NEXT:
                return self._linked(at_path(page.around, self.paging.path), url)
            case Style.LINK:
                link = next((v for name, v in headers.items() if name.lower() == "link"), "")
                return self._linked(next_link(link), url)
            case Style.CURSOR:
                return self._cursor(at_path(page.around, self.paging.path))
            case Style.PAGE:
                self._number += 1
                return self._counted(page, self._number)
            case Style.OFFSET:
                # Counts the rows received, not requested: an API may return fewer rows per page.
                self._offset += len(page.rows)
                return self._counted(page, self._offset)

    def _linked(self, link: object, url: str) -> str | None:
        if link in (None, "", False):
            return None
        if not isinstance(link, str):
            raise InvalidPage(f"its link to the next page is not text: {str(link)[:100]!r}")
        try:
            following = urljoin(url, link)
            _ = urlsplit(following).port
        except ValueError:
            raise InvalidPage(f"its link to the next page is not a URL: {link[:100]!r}") from None
        if not self._is_new(following):
            raise InvalidPage("it links to a page that was already read (a loop)")
        return following

    def _cursor(self, cursor: object) -> str | None:
        if cursor in (None, "", False):
            return None
        if not isinstance(cursor, str):
            raise InvalidPage(f"its cursor is not text or a number: {str(cursor)[:100]!r}")
        if not self._is_new(cursor):
            raise InvalidPage("its cursor was already used (a loop)")
        return with_parameters(self._url, {self.paging.param: cursor})

    def _counted(self, page: JSONPage, number: int) -> str | None:
        if not page.rows:
            return None
        rows = hashlib.blake2b(
            "\n".join(page.rows).encode(errors="surrogateescape"), digest_size=16
        ).digest()
        if rows == self._rows:
            raise RepeatedPage(
                "it has the same rows as the page before it; the API probably ignores the "
                f"parameter {self.paging.param!r}"
            )
        self._rows = rows
        return with_parameters(self._url, {self.paging.param: str(number)})

    def _is_new(self, place: str) -> bool:
        mark = hashlib.blake2b(place.encode(errors="surrogatepass"), digest_size=16).digest()
        new = mark not in self._seen
        self._seen.add(mark)
        return new


def next_link(header: str) -> str | None:
    """The target of ``rel=next`` in a Link header."""
    for target, parameters in LINK.findall(header):
        relation = RELATION.search(parameters)
        if relation and "next" in (relation[1] or relation[2]).lower().split():
            return str(target)
    return None


def with_parameters(url: str, changes: Mapping[str, Any]) -> str:
    """The URL with these parameters; those of the same name are replaced."""
    if not changes:
        return url
    parts = urlsplit(url)
    kept = [
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if name not in changes
    ]
    return urlunsplit(parts._replace(query=urlencode([*kept, *changes.items()])))
