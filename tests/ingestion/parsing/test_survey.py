"""One pass over an input, in which observers see the cells of columns."""

from ingestion.parsing.readers import Chunk
from ingestion.parsing.readers.table import Table
from ingestion.parsing.survey import Survey


class Seen:
    """An observer that keeps what it is shown, until it has seen a cell."""

    def __init__(self, until: str | None = None) -> None:
        self.cells: list[str] = []
        self._until = until

    @property
    def is_open(self) -> bool:
        return self._until not in self.cells

    def add(self, cells):
        self.cells += cells


def rows(*pairs):
    return Table(["a", "b"], [list(pair) for pair in pairs])


def chunks(*tables):
    for table in tables:
        yield Chunk([], table, [], lambda place: b"", 0)


def test_an_observer_sees_the_cells_of_its_columns_in_all_rows():
    survey, one, both = Survey(), Seen(), Seen()
    survey.watch(["b"], one)
    survey.watch(["b", "a"], both, join="/".join)
    survey.run(rows("12"), chunks(rows("34", "56"), rows("78")))
    assert one.cells == ["2", "4", "6", "8"]
    assert both.cells == ["2/1", "4/3", "6/5", "8/7"]


def test_an_observer_that_was_made_from_the_first_rows_sees_only_the_others():
    survey, seen = Survey(), Seen()
    survey.watch(["a"], seen, knows_first=True)
    survey.run(rows("12"), chunks(rows("34")))
    assert seen.cells == ["3"]


def test_the_pass_ends_once_no_observer_is_open():
    survey, short, long = Survey(), Seen(until="1"), Seen(until="3")
    survey.watch(["a"], short)
    survey.watch(["a"], long)
    more = chunks(rows("34"), rows("56"))
    survey.run(rows("12"), more)
    assert (short.cells, long.cells) == (["1"], ["1", "3"])
    assert [list(chunk.rows) for chunk in more] == [[{"a": "5", "b": "6"}]]


def test_an_input_of_which_nothing_is_watched_is_not_read():
    more = chunks(rows("34"))
    Survey().run(rows("12"), more)
    assert len(list(more)) == 1


def test_a_long_pass_shows_that_it_goes_on():
    survey, signs = Survey(), []
    survey.watch(["a"], Seen())
    survey.run(rows(), chunks(*[rows("12")] * 2), lambda: signs.append(1))
    assert len(signs) == 2
