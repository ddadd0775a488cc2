"""The errors of feeds; ``str()`` of each is a sentence for the user, without any secret."""

from ingestion.errors import IngestionError


class FeedError(IngestionError):
    """Base of the errors of feeds."""


class AddressRefused(FeedError):
    """A host in a network that this installation must not send requests to."""

    def __init__(self, host: str, address: str) -> None:
        super().__init__(
            f"{host} is blocked: its address {address} is not on the public internet. The operator "
            "of this installation can allow it with DATAFLOW_ALLOWED_NETWORKS."
        )


class FetchFailed(FeedError):
    """No usable response, even after retries."""


class InvalidPage(FeedError):
    """A response that does not match the configuration of the feed."""


class RepeatedPage(InvalidPage):
    """A page that repeats the rows of another page: they are not imported.

    ``is_end``: the API answers so behind its last page.
    """

    def __init__(self, message: str, *, is_end: bool = False) -> None:
        self.is_end = is_end
        super().__init__(message)


class SecretUnknown(FeedError):
    """A secret that is missing or can't be decrypted."""


class InvalidFeed(FeedError):
    """A feed configuration that can't be saved; ``field`` is the one to change."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(message)


class FolderRefused(FeedError):
    """A folder that is not allowed or can't be read."""
