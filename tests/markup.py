"""Pages as trees: what a person finds on them, whatever order the attributes stand in."""

import re

from bs4 import BeautifulSoup
from bs4.element import Tag

# Elements whose spaces are part of what they show.
KEPT = re.compile(r"(<(textarea|pre)\b.*?</\2>)", re.DOTALL)
# Elements at whose edges a browser shows no space.
BLOCK = "(?:d[dlt]|div|figure|form|h[1-6]|legend|li|nav|ol|option|p|section|summary|t[dhr]|ul)"
# Templates indent what follows a line end; cells of data hardly do.
LINE_END = r"\s*\n {2,}"
AT_EDGES = re.compile(rf"(?<=>){LINE_END}(?=</?{BLOCK}\b)|(<{BLOCK}\b[^<>]*>|</{BLOCK}>){LINE_END}")


def as_shown(html: str) -> str:
    """A page whose line ends are the spaces that a browser takes them for, or nothing."""
    found = KEPT.split(html)
    # Between what is kept, with its name as a group.
    for place in range(0, len(found), 3):
        found[place] = re.sub(LINE_END, " ", AT_EDGES.sub(r"\1", found[place]))
    return "".join(part for place, part in enumerate(found) if place % 3 < 2)


def tree(html: str) -> BeautifulSoup:
    return BeautifulSoup(html, "html.parser")


def texts(html: str | Tag, selector: str) -> list[str]:
    """The text of each element that a CSS selector finds."""
    found = tree(html) if isinstance(html, str) else html
    return [element.get_text() for element in found.select(selector)]


def next_to(element: Tag, name: str) -> str:
    """The text of the next element of this name."""
    found = element.find_next(name)
    assert found is not None
    return found.get_text()


def href(html: str, selector: str) -> str | None:
    """Where the only link that a CSS selector finds leads; None if there is none."""
    links = tree(html).select(selector)
    assert len(links) <= 1, links
    return str(links[0]["href"]) if links else None


def sent_by(form: Tag) -> dict[str, list[str]]:
    """What a form would send as it stands, without a click on a button."""
    sent: dict[str, list[str]] = {}
    for field in form.select("input[name], select[name], textarea[name]"):
        name = str(field["name"])
        if field.name == "select":
            options = field.select("option")
            chosen = [option for option in options if option.has_attr("selected")] or options[:1]
            values = [str(option.get("value", option.get_text())) for option in chosen]
        elif field.name == "textarea":
            # A browser leaves out the line end that a text begins with.
            values = [field.get_text().removeprefix("\n")]
        elif field.get("type") in ("submit", "button", "file") or (
            field.get("type") in ("checkbox", "radio") and not field.has_attr("checked")
        ):
            continue
        else:
            values = [str(field.get("value", ""))]
        sent.setdefault(name, []).extend(values)
    return sent
