"""Text out of files as people see it."""

import pytest

from web.control_chars import escape_control_chars


@pytest.mark.parametrize(
    "text",
    [
        "plain, ünï 日本",
        "שלום and مرحبا",
        "👩‍👩‍👧‍👦",
        "❤️‍🔥 🏳️‍🌈 👩🏽‍⚕️ 🇩🇪",
        "می‌خواهم",  # Persian
        "क्‍ष",  # Hindi
    ],
)
def test_what_people_write_is_shown_as_it_is(text):
    assert escape_control_chars(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202eb", "a[U+202E]b"),
        ("a\u200db", "a[U+200D]b"),
        ("\u200dא", "[U+200D]א"),
        ("👩\u200d", "👩[U+200D]"),
        ("a\tb\nc\x00", "a⇥b↵\nc[U+0000]"),
        ("soft\u00adhyphen", "soft[U+00AD]hyphen"),
    ],
)
def test_what_nobody_sees_is_marked(text, shown):
    assert escape_control_chars(text) == shown


def test_long_text_ends_with_how_much_more_there_is():
    assert escape_control_chars("x" * 2_001) == "x" * 2_000 + " … (1 more characters)"
    assert escape_control_chars("x" * 10_000, 100_000) == "x" * 10_000
