"""Templates are read by people: their lines fit beside each other on a screen."""

from pathlib import Path

from tests.installation import ROOT

LONGEST = 140


def long_lines(folder: Path) -> list[str]:
    return [
        f"{path.relative_to(folder)}:{number}"
        for path in sorted(folder.rglob("*.html"))
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if len(line) > LONGEST
    ]


def test_no_line_of_a_template_is_longer_than_140_characters() -> None:
    assert long_lines(ROOT / "templates") == []
