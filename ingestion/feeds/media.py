"""Tells what an answer is: JSON, JSON in each line, or a table such as CSV. Pure."""

import re
from email.message import Message

from ingestion.feeds.config import APIConfig
from ingestion.feeds.errors import InvalidPage
from ingestion.feeds.http_client import Answer
from ingestion.feeds.paging import Style

LINES = {
    "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines",
    "application/jsonlines", "application/json-lines", "application/x-json-stream",
}  # fmt: skip
TABLES = {
    "text/csv", "text/tab-separated-values", "text/plain", "application/csv", "text/x-csv",
    "application/vnd.ms-excel", "application/octet-stream", "application/zip", "application/gzip",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.oasis.opendocument.spreadsheet",
}  # fmt: skip
SPACES = b"\xef\xbb\xbf \t\r\n"


def _type(answer: Answer) -> Message:
    named = next((v for name, v in answer.headers.items() if name.lower() == "content-type"), "")
    message = Message()
    message["Content-Type"] = named
    return message


def charset_of(answer: Answer) -> str:
    """The encoding that an answer names; "" for none."""
    return _type(answer).get_content_charset("")


def is_ndjson(answer: Answer) -> bool:
    """Whether an answer has a JSON object in each line."""
    if _type(answer).get_content_type() in LINES:
        return True
    # Some servers send it as text or as JSON: an object that ends with its line, and another one.
    start = answer.body[: 1 << 20].lstrip(SPACES)
    return re.match(rb"\{[^\r\n]*\}[ \t]*\r?\n\s*\{", start) is not None


def is_table(answer: Answer) -> bool:
    """Whether an answer is a file such as CSV rather than JSON."""
    start = answer.body[:1000].lstrip(SPACES)
    if not start or start[:1] in b"{[<":
        return False
    return _type(answer).get_content_type() in TABLES


def check_table(config: APIConfig) -> None:
    """Raise InvalidPage if the configuration asks for what only JSON has."""
    asked = [
        what
        for what, is_asked in (
            ("pagination", config.paging.style not in (Style.NONE, Style.LINK)),
            ("a path to the rows", bool(config.rows_path)),
            ("a cursor column", bool(config.incremental.column)),
        )
        if is_asked
    ]
    if asked:
        raise InvalidPage(
            "The response is a file such as CSV, not JSON. Only JSON can have "
            f"{' or '.join(asked)}: clear these settings."
        )
