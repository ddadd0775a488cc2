"""Why something can't be done, in words for whoever asked for it."""


class BackupError(Exception):
    """A backup can't be made, verified or restored; the message is one sentence or two."""
