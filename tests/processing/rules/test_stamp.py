"""The moment of processing."""

from tests.processing.rules.carried_out import carry_out


def test_every_row_gets_the_moment():
    assert carry_out("stamp", ["x", None]).cells == [5.0, 5.0]
