"""The catalogue of what the audit log tells of."""

from django.db.models import TextChoices


class Action(TextChoices):
    """What was done: a code that stays, and its label."""

    SIGNED_IN = "sign_in", "Signed in"
    SIGN_IN_FAILED = "sign_in.failed", "Sign-in failed"
    SIGNED_OUT = "sign_out", "Signed out"
    SESSIONS_ENDED = "sessions.ended", "Signed out elsewhere"
    PASSWORD_CHANGED = "password.changed", "Password changed"

    IMPORT_UPLOADED = "import.uploaded", "File uploaded"
    IMPORT_DISCARDED = "import.discarded", "Uploaded file discarded"
    IMPORT_STARTED = "import.started", "Import started"
    IMPORT_UNDONE = "import.undone", "Undo of an import started"
    ROW_REPAIRED = "rejected_row.repaired", "Rejected row repaired"
    ROWS_REPLAYED = "rejected_rows.replayed", "Replay of rejected rows started"
    PROCESSING_STARTED = "processing.started", "Processing started"
    RUN_CANCELLED = "run.cancelled", "Run cancelled"
    RUN_RETRIED = "run.retried", "Waiting run retried"

    RECORD_EDITED = "record.edited", "Record edited"
    RECORDS_REPROCESSED = "records.reprocessed", "Records queued for reprocessing"
    RECORDS_DELETED = "records.deleted", "Records deleted"
    RECORDS_EXPORTED = "records.exported", "Records exported"
    EXPORT_STARTED = "export.started", "Export started"
    EXPORT_DOWNLOADED = "export.downloaded", "Export downloaded"
    EXPORT_DELETED = "export.deleted", "Export deleted"
    REJECTED_ROWS_EXPORTED = "rejected_rows.exported", "Rejected rows exported"

    SOURCE_CREATED = "source.created", "Source created"
    SOURCE_CHANGED = "source.changed", "Source settings changed"
    SOURCE_DELETED = "source.deleted", "Source deleted"
    RULES_SAVED = "rules.saved", "Rules changed"
    FEED_SAVED = "feed.saved", "Automatic import saved"
    FEED_REMOVED = "feed.removed", "Automatic import removed"
    VIEW_SAVED = "view.saved", "View saved"
    VIEW_REMOVED = "view.removed", "View removed"

    TOKEN_CREATED = "token.created", "Token created"
    TOKEN_CHANGED = "token.changed", "Token changed"
    TOKEN_REVOKED = "token.revoked", "Token revoked"
    PERSON_CREATED = "person.created", "Person added"
    PERSON_CHANGED = "person.changed", "Person changed"
    PERSON_DELETED = "person.deleted", "Person deleted"
    ROLE_CREATED = "role.created", "Role added"
    ROLE_CHANGED = "role.changed", "Role changed"
    ROLE_DELETED = "role.deleted", "Role deleted"
    ROLE_GIVEN = "role.given", "Role given to a person"
    ROLE_TAKEN = "role.taken", "Role taken from a person"
    PERMISSION_GIVEN = "permission.given", "Permission given"
    PERMISSION_TAKEN = "permission.taken", "Permission taken"

    GRANT_GIVEN = "grant.given", "Limited to a source"
    GRANT_CHANGED = "grant.changed", "Limit to a source changed"
    GRANT_TAKEN = "grant.taken", "Limit to a source removed"

    CHANGED_IN_ADMIN = "admin.changed", "Changed in the administration"
    AUDIT_EXPORTED = "audit.exported", "Audit log exported"
