"""What the page of a feed takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms

from ingestion.feeds.config import POSITION
from ingestion.feeds.errors import InvalidFeed
from ingestion.feeds.paging import Style
from records.models import Feed
from web.names import SOURCE_NAME

STYLES = [
    (Style.NONE, "All rows in one answer"),
    (Style.NEXT, "A link to the next page in the answer"),
    (Style.LINK, "A Link header (rel=next)"),
    (Style.PAGE, "A page number in the URL"),
    (Style.OFFSET, "An offset in the URL"),
    (Style.CURSOR, "A cursor in the answer that goes into the URL"),
]
# The fields of the form by the names they have in the config.
PAGING = {
    "path": "paging_path",
    "param": "paging_param",
    "start": "paging_start",
    "limit_param": "limit_param",
    "limit": "limit",
}
INCREMENTAL = {
    "column": "cursor_column",
    "param": "cursor_param",
    "value": "cursor_value",
    "start": "cursor_start",
}


def text(label: str, help_text: str = "", **more: Any) -> forms.CharField:
    options = {"required": False, "max_length": 2000, **more}
    return forms.CharField(label=label, help_text=help_text, **options)


def lines(label: str, help_text: str) -> forms.CharField:
    area = forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off"})
    return text(label, help_text, widget=area, max_length=20_000)


class SecretLines(forms.Textarea):
    """Takes lines and never shows them again."""

    def format_value(self, value: Any) -> str:
        return ""


class FeedForm(forms.Form):
    """Where a source loads itself from, and when."""

    source = text("Source", "The name that its records go by.", max_length=100)
    kind = forms.ChoiceField(label="Loaded from", choices=Feed.Kind.choices, initial=Feed.Kind.HTTP)

    url = text("URL", "https://api.example.com/v1/orders", max_length=4000)
    headers = lines("Headers", "One a line, as in Accept-Language: en. Everyone sees them here.")
    secrets = lines("Secret headers", "One a line, as in Authorization: Bearer abc.")
    forget_secrets = forms.BooleanField(label="Forget the kept secret headers", required=False)
    rows_path = text(
        "Path to the rows", "The names that lead to the list of rows, with dots: data.items"
    )
    style = forms.ChoiceField(label="Pages", choices=STYLES, initial=Style.NONE, required=False)
    paging_path = text(
        "Path to the next link or cursor", "Where the answer has it: links.next or meta.cursor"
    )
    paging_param = text("Parameter", "Of the page number, the offset or the cursor: page")
    paging_start = forms.IntegerField(
        label="First page number", min_value=0, max_value=1_000_000, initial=1, required=False
    )
    limit_param = text("Parameter for rows a page", "limit or per_page")
    limit = forms.IntegerField(
        label="Rows a page", min_value=0, max_value=1_000_000, required=False
    )
    cursor_column = text("Cursor column", "A column that only grows, such as updated_at.")
    cursor_param = text("Its parameter", "What asks for rows beyond it: updated_since")
    cursor_value = text("Its value", f"{POSITION} stands for where the last loading came to.")
    cursor_start = text("First value", "Left empty, the first loading asks for everything.")
    start_over = forms.BooleanField(label="Ask for everything once more", required=False)

    folder = text("Folder", "Within the folders that this installation loads from.")
    pattern = text("Pattern", "Which of its files: *.csv, or **/*.csv for those below it too.")

    schedule = text(
        "Schedule", "Cron: minute, hour, day, month, weekday. 0 6 * * 1-5 is six o'clock on "
        "working days. Left empty: by hand only.", max_length=100,
    )  # fmt: skip
    enabled = forms.BooleanField(label="The schedule is on", required=False, initial=True)

    def __init__(self, data: Any = None, *, feed: Feed | None = None, named: bool = False) -> None:
        super().__init__(data, initial=initial(feed) if feed else None)
        self.fields["secrets"].widget = SecretLines(
            attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off"}
        )
        self.fields["cursor_value"].initial = POSITION
        if named:
            del self.fields["source"]
        for bound in self:
            attributes = bound.field.widget.attrs
            if bound.help_text:
                attributes["aria-describedby"] = f"{bound.id_for_label}_help"
            if self.is_bound and bound.errors:
                attributes["aria-invalid"] = "true"

    def clean_source(self) -> str:
        name: str = self.cleaned_data["source"]
        SOURCE_NAME(name)
        return name

    def clean_headers(self) -> dict[str, str]:
        return headers_in(self.cleaned_data["headers"])

    def clean_secrets(self) -> dict[str, str]:
        return headers_in(self.cleaned_data["secrets"])

    @property
    def config(self) -> dict[str, Any]:
        """The config of the feed, as it is kept."""
        said = self.cleaned_data
        if said["kind"] == Feed.Kind.FOLDER:
            return {"folder": said["folder"], "pattern": said["pattern"]}
        style = said["style"] or Style.NONE
        paging = {name: said[field] for name, field in PAGING.items() if said[field]}
        if style == Style.PAGE and said["paging_start"] == 0:
            paging["start"] = 0
        return {
            "url": said["url"],
            "headers": said["headers"],
            "rows_path": said["rows_path"],
            "paging": {"style": style, **paging},
            "incremental": {
                name: said[field]
                for name, field in INCREMENTAL.items()
                if said[field] and said["cursor_column"] + said["cursor_param"]
            },
        }

    def refuse(self, error: InvalidFeed) -> None:
        """Show what is wrong at the field it is about."""
        self.add_error(error.field if error.field in self.fields else None, str(error))

    def _some(self, *names: str) -> Iterator[forms.BoundField]:
        return (self[name] for name in names)

    @property
    def paging_fields(self) -> Iterator[forms.BoundField]:
        return self._some("style", *PAGING.values())

    @property
    def cursor_fields(self) -> Iterator[forms.BoundField]:
        return self._some(*INCREMENTAL.values())

    @property
    def folder_fields(self) -> Iterator[forms.BoundField]:
        return self._some("folder", "pattern")


def headers_in(written: str) -> dict[str, str]:
    """Headers, one a line. The text is not repeated in an error: it may be a secret."""
    found: dict[str, str] = {}
    for number, line in enumerate(written.splitlines(), start=1):
        if not line.strip():
            continue
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise forms.ValidationError(f"Line {number} is not written as Name: value.")
        found[name.strip()] = value.strip()
    return found


def initial(feed: Feed) -> dict[str, Any]:
    """What the form shows of a feed: all but its secrets."""
    config = feed.config
    paging, incremental = config.get("paging", {}), config.get("incremental", {})
    return {
        "kind": feed.kind,
        "schedule": feed.schedule,
        "enabled": feed.enabled,
        "style": paging.get("style", Style.NONE),
        "headers": "\n".join(
            f"{name}: {value}" for name, value in config.get("headers", {}).items()
        ),
        **{
            name: config[name]
            for name in ("url", "rows_path", "folder", "pattern")
            if name in config
        },
        **{field: paging[name] for name, field in PAGING.items() if name in paging},
        **{field: incremental[name] for name, field in INCREMENTAL.items() if name in incremental},
    }
