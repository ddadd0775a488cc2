"""Items that are made by a thread while others are used."""

import threading
from collections.abc import Iterator

import pytest

from ingestion.parsing.prefetch import prefetch


def test_items_come_in_their_order_and_may_be_none():
    with prefetch([1, None, 3]) as items:
        assert list(items) == [1, None, 3]


def test_an_error_is_raised_behind_the_items_before_it():
    def failing() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    with prefetch(failing()) as items:
        assert next(items) == 1
        with pytest.raises(ValueError, match="broken"):
            next(items)


def test_what_nobody_takes_is_dropped_and_the_thread_ends():
    before = threading.active_count()

    def endless() -> Iterator[int]:
        while True:
            yield 1

    with prefetch(endless()) as items:
        assert next(items) == 1
    assert threading.active_count() == before
