"""Makes the receipt of a run in the transaction in which it ends."""

import hashlib
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from ingestion.receipts.documents import FORMAT, canonical, digest_of, key_id, sign
from ingestion.receipts.keys import signing_key
from records.models import IngestionRun, Receipt, RejectedRow, Source, Undo

# How many rejected rows a receipt lists; its digest is about all of them.
LISTED_ROWS = 10_000


def issue(ended: IngestionRun | Undo) -> Receipt:
    """Make the receipt of a run or undo that has just ended: the next one of its source."""
    run = ended.run if isinstance(ended, Undo) else ended
    key = signing_key()
    with transaction.atomic():
        # One writer a chain.
        source = Source.everything.select_for_update().get(pk=run.source_id)
        last = Receipt.objects.filter(source=source).order_by("-number").first()
        number = last.number + 1 if last else 1
        about = _of_undo(ended) if isinstance(ended, Undo) else _of_run(ended)
        rules = source.current_rule_set
        content = {
            "format": FORMAT,
            "key": key_id(key.public_key()),
            "software": settings.VERSION,
            "source": source.name,
            "number": number,
            "previous": last.digest if last else None,
            "run": run.pk,
            "state": ended.state,
            "error": ended.error,
            "started_by": {"how": ended.trigger, "user": ended.user and ended.user.get_username()},
            "times": {
                "created": _moment(ended.created_at),
                "started": _moment(ended.started_at),
                "finished": _moment(ended.finished_at),
            },
            "rule_set": rules.version if rules else None,
            **about,
        }
        return Receipt.objects.create(
            source=source,
            number=number,
            run=run,
            undo=ended if isinstance(ended, Undo) else None,
            content=canonical(content).decode(),
            digest=digest_of(content),
            signature=sign(content, key),
        )


def _of_run(run: IngestionRun) -> dict[str, Any]:
    # A replay of single rows reads no file.
    has_file = bool(run.path and run.sha256)
    return {
        "kind": "rekey" if run.is_rekey else "replay" if run.parent_id else "load",
        "replay_of": run.parent_id,
        "input": {"name": run.file_name, "size": run.size, "sha256": run.sha256}
        if has_file
        else None,
        "ledger": {
            name: getattr(run, name)
            for name in ("read", "created", "updated", "unchanged", "rejected")
        },
        "rejected": _rejected(run),
        "mapping": run.mapping,
        **({"rekeyed": run.rekeyed} if run.is_rekey else {}),
    }


def _of_undo(undo: Undo) -> dict[str, Any]:
    undone = undo.run.receipts.filter(undo=None).order_by("-number").first()
    return {
        "kind": "undo",
        "undoes": undone and undone.digest,
        "records": {"deleted": undo.deleted, "restored": undo.restored, "kept": undo.kept},
    }


def _rejected(run: IngestionRun) -> dict[str, Any]:
    """The rejected rows: the first of them, and a digest over all."""
    sha, rows, count = hashlib.sha256(), [], 0
    if run.rejected:
        for row in run.rejected_rows.order_by("pk").iterator(chunk_size=1_000):
            said = _row(row)
            sha.update(canonical(said) + b"\n")
            count += 1
            if count <= LISTED_ROWS:
                rows.append(said)
    return {"count": count, "sha256": sha.hexdigest(), "rows": rows}


def _row(row: RejectedRow) -> dict[str, Any]:
    return {
        "line": row.line,
        "code": row.code,
        "column": row.column,
        "message": row.message,
        "sha256": hashlib.sha256(bytes(row.raw)).hexdigest(),
    }


def _moment(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat(timespec="microseconds") if moment else None
