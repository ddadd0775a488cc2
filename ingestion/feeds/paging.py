"""Pagination of APIs: finds the next page for each style. Pure."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from ingestion.feeds.endings import Ending, total_of
from ingestion.feeds.errors import InvalidPage, RepeatedPage
from ingestion.feeds.json_page import JSONPage, at_path, has_path

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
    LAST_ROW = "last_row"


# The styles that ask for a page by a URL parameter, and those that count.
BY_PARAMETER = (Style.PAGE, Style.OFFSET, Style.CURSOR, Style.LAST_ROW)
COUNTED = (Style.PAGE, Style.OFFSET)


@dataclass(frozen=True, slots=True)
class Paging:
    """The pagination style and its parameters.

    ``path`` is the path to the next link or the cursor in the body, or to the column in the last
    row that is the cursor; ``param`` is the URL parameter for the page number, the offset or the
    cursor; ``start`` is the first page number;
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
    """Finds the URL of each page: ``first(url)``, then ``following`` a page. Detects loops.

    ``notes`` are sentences on how the pages ended.
    """

    paging: Paging
    notes: list[str] = field(default_factory=list)
    _seen: set[bytes] = field(default_factory=set)
    _url: str = ""
    _number: int = 0
    _offset: int = 0
    _count: int = 0
    _rows: int = 0
    _first: bytes = b""
    _last: bytes = b""
    _has_path: bool = False
    _total: int | None = None
    _ending: Ending = field(default_factory=Ending)

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
        self._ending = Ending(paging.start)
        self._is_new(self._url)
        return self._url

    def following(self, page: JSONPage, *, headers: Mapping[str, str], url: str) -> str | None:
        """The URL of the next page; None after the last. ``url`` is the URL of this page.

        Raises InvalidPage if the pages form a loop, RepeatedPage if this page is one that came
        before.
        """
        style = self.paging.style
        if style == Style.NONE:
            return None
        self._count += 1
        self._check_repeats(page)
        self._rows += len(page.rows)
        self._total = total_of(page.around)
        number = self._number if style == Style.PAGE else None
        if style in (Style.NEXT, Style.CURSOR):
            self._has_path = self._has_path or has_path(page.around, self.paging.path)
        if self._ending.is_last(
            page.around, number=number, rows=self._rows, page_rows=len(page.rows)
        ):
            return None
        match style:
            case Style.NEXT:
                following = self._linked(at_path(page.around, self.paging.path), url)
            case Style.LINK:
                link = next((v for name, v in headers.items() if name.lower() == "link"), "")
                following = self._linked(next_link(link), url)
            case Style.CURSOR:
                following = self._cursor(page, at_path(page.around, self.paging.path))
            case Style.LAST_ROW:
                following = self._after(page)
            case Style.PAGE:
                self._number += 1
                following = self._counted(page, self._number)
            case _:
                # Counts the rows received, not requested: an API may return fewer rows per page.
                self._offset += len(page.rows)
                following = self._counted(page, self._offset)
        if following is None and style in (Style.NEXT, Style.CURSOR) and not self._has_path:
            pages = "one page was" if self._count == 1 else f"{self._count:,} pages were"
            self.notes.append(
                f"The response has no {self.paging.path!r}, the path to the next link or cursor, "
                f"so {pages} read. Check the path if the API has more rows."
            )
        return following

    @property
    def may_end(self) -> bool:
        """Whether the next page may be missing: no answer has named more rows than came."""
        return self._count > 0 and (self._total is None or self._total <= self._rows)

    def _check_repeats(self, page: JSONPage) -> None:
        """Raise RepeatedPage for the rows of the page before, or of the first page again."""
        if self.paging.style not in (*COUNTED, Style.LAST_ROW) or not page.rows:
            return
        rows = hashlib.blake2b(
            "\n".join(page.rows).encode(errors="surrogateescape"), digest_size=16
        ).digest()
        before = {self._last: "the page before it", self._first: "the first page"}.get(rows)
        self._first, self._last = self._first or rows, rows
        if before is None:
            return
        # The second page can't tell an API that has one page from one that ignores the parameter,
        # unless the number of all rows is known.
        is_end = self._count > 2 or self._total == self._rows
        why = "" if is_end else f"; the API probably ignores the parameter {self.paging.param!r}"
        raise RepeatedPage(f"it has the same rows as {before}{why}", is_end=is_end and self.may_end)

    def _linked(self, link: object, url: str) -> str | None:
        if isinstance(link, dict):
            link = link.get("href", link.get("url", link))
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

    def _cursor(self, page: JSONPage, cursor: object) -> str | None:
        # A number is text here. A cursor of 0 would lead to the beginning.
        if cursor in (None, "", False, "0"):
            return None
        if not isinstance(cursor, str):
            raise InvalidPage(f"its cursor is not text or a number: {str(cursor)[:100]!r}")
        if not self._is_new(cursor):
            if not page.rows:
                return None
            raise InvalidPage("its cursor was already used (a loop)")
        return with_parameters(self._url, {self.paging.param: cursor})

    def _after(self, page: JSONPage) -> str | None:
        """The page after the last row of this one."""
        if not page.rows:
            return None
        cell = at_path(page.last_row, self.paging.path)
        if not isinstance(cell, str) or not cell:
            raise InvalidPage(
                f"its last row has no {self.paging.path!r}, which the next page is asked by"
            )
        if not self._is_new(cell):
            raise InvalidPage(f"its last {self.paging.path!r} was already used (a loop)")
        return with_parameters(self._url, {self.paging.param: cell})

    def _counted(self, page: JSONPage, number: int) -> str | None:
        if not page.rows:
            return None
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
