"""Records as NDJSON: a JSON object on each line."""

from collections.abc import Iterator

from explore.export.cells import in_columns
from explore.export.options import Options
from explore.export.walk import Progress, Table
from records.json_text import json_text

MEDIA_TYPE = "application/x-ndjson"


def content(table: Table, *, options: Options, progress: Progress) -> Iterator[bytes]:
    """An object for each record, as the API lists it; raw: its cells and nothing else."""
    columns, results, has_closed = table.columns, table.result_columns, table.has_closed
    if options.raw:
        for rows in table.data(progress):
            yield _lines([in_columns(data, columns) for data in rows])
        return
    for chunk in table.chunks(progress):
        yield _lines(
            [
                {
                    "id": key,
                    "timestamp": timestamp or None,
                    "source": source,
                    "status": status,
                    **({"closed_by_run": int(closer) if closer else None} if has_closed else {}),
                    "data": in_columns(data, columns),
                    **({"result": in_columns(made, results)} if results else {}),
                }
                for key, timestamp, source, status, data, made, closer in zip(*chunk, strict=True)
            ]
        )


def _lines(objects: list[dict[str, object]]) -> bytes:
    return "".join([json_text(item) + "\n" for item in objects]).encode()
