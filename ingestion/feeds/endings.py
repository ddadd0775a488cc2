"""Tells from an answer whether a page is the last one, and whether the answer is an error. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

# Names in answers, in lower case and without "_" and "-".
MORE = {"hasmore", "hasnext", "hasnextpage", "more", "moreresults", "moreavailable"}
LAST = {"islast", "islastpage", "lastpagereached", "endofresults", "iscomplete"}
PAGES = {"totalpages", "pages", "pagecount", "lastpage", "numpages", "pagestotal"}
TOTALS = {
    "total", "totalcount", "totalresults", "totalrows", "totalrecords", "totalitems",
    "recordstotal", "resultcount", "count",
}  # fmt: skip
FAILED = {"error", "fail", "failed", "failure"}
MESSAGES = ("message", "detail", "error_description", "description", "title", "reason")


@dataclass(slots=True)
class Ending:
    """Tells whether pages have ended, by what their answers say about it."""

    start: int = 1
    _total: int | None = None

    def is_last(self, around: Any, *, number: int | None, rows: int, page_rows: int) -> bool:
        """Whether no page follows.

        ``around`` is the answer without its rows, ``number`` the page number if pages are
        numbered; ``rows`` is how many rows came so far, ``page_rows`` how many with this page.
        """
        facts = dict(_facts(around))
        if any(facts.get(name) is False for name in MORE):
            return True
        if any(facts.get(name) is True for name in LAST):
            return True
        if any(facts.get(name) is True for name in MORE):
            return False
        pages = next((n for name in PAGES if (n := _number(facts.get(name))) is not None), None)
        if number is not None and pages and number - self.start + 1 >= pages:
            return True
        total = total_of(around)
        # A number may also count the rows of the page: only one that stays the same from page to
        # page, and is greater than a page, is a total.
        is_known = total is not None and total == self._total
        self._total = total
        return is_known and total is not None and page_rows < total <= rows


def total_of(around: Any) -> int | None:
    """The number of all rows that an answer names, if it does."""
    facts = dict(_facts(around))
    return next((n for name in TOTALS if (n := _number(facts.get(name))) is not None), None)


def error_in(around: Any) -> str:
    """What an answer without rows says about an error; "" if it is none."""
    if not isinstance(around, dict):
        return ""
    error = around.get("error") or around.get("errors")
    if not error and str(around.get("status", "")).lower() not in FAILED:
        return ""
    for told in (error, around):
        told = told[0] if isinstance(told, list) and told else told
        if isinstance(told, dict):
            told = next((told[name] for name in MESSAGES if told.get(name)), None)
        if isinstance(told, str) and told not in ("true", "1"):
            return told[:300]
    return "it gives no reason"


def _facts(around: Any) -> Iterator[tuple[str, Any]]:
    """What an answer says about its pages: its own members, and those of objects in it."""
    outer = around if isinstance(around, list) else [around]
    for part in outer[:10]:
        if isinstance(part, dict):
            for value in part.values():
                if isinstance(value, dict):
                    yield from _plain(value)
            yield from _plain(part)


def _plain(part: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in part.items():
        if len(name) < 40:
            yield re.sub("[_-]", "", name.lower()), value


def _number(value: Any) -> int | None:
    # Numbers of an answer are kept as text.
    return int(value) if isinstance(value, str) and re.fullmatch("[0-9]{1,15}", value) else None
