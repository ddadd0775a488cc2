"""JSON text for the databases."""

import json

from records.json_text import json_text, parsed


def test_a_whole_number_of_any_size_is_kept():
    assert json.loads(json_text({"n": [10**30, -(10**25)]})) == {"n": [10**30, -(10**25)]}


def test_what_is_no_finite_number_is_null():
    cells = [float("nan"), float("inf"), -float("inf"), 1.5]
    assert json.loads(json_text(cells)) == [None, None, None, 1.5]
    assert json.loads(json_text([*cells, 10**30])) == [None, None, None, 1.5, 10**30]


def test_letters_stay_letters():
    assert json_text({"é": "日本"}) == '{"é":"日本"}'
    assert json_text({"é": [10**30]}) == '{"é":[' + "1" + "0" * 30 + "]}"


def test_whole_numbers_of_any_size_are_read_as_they_are():
    for text in (
        '{"n": 123456789012345678901}',
        '{"n":[1,-123456789012345678901]}',
        '"1"',
        "1e400",
    ):
        assert parsed(text) == json.loads(text)
    assert parsed('{"a":"1234567890123456789","b":1.5}') == {"a": "1234567890123456789", "b": 1.5}


def test_half_of_a_letter_is_read():
    assert parsed('["\\ud800", 12345678901234567890123]') == ["\ud800", 12345678901234567890123]
    assert parsed('["\ud800"]') == ["\ud800"]
