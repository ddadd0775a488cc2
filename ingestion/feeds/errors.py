"""What can go wrong with a feed; ``str()`` is a sentence for the user, without any secret."""

from ingestion.errors import IngestionError


class FeedError(IngestionError):
    """Base of the errors of feeds."""


class AddressRefused(FeedError):
    """A host that lies where requests of this installation must not go."""

    def __init__(self, host: str, address: str) -> None:
        super().__init__(
            f"{host} is refused: its address {address} is not on the public internet. Whoever runs "
            "this installation can allow it by DATAFLOW_ALLOWED_NETWORKS."
        )


class FetchFailed(FeedError):
    """No usable answer came, whatever was tried."""


class InvalidPage(FeedError):
    """An answer that is not what the feed says it is."""


class RepeatedPage(InvalidPage):
    """A page whose rows have all come before: none of them is to be taken."""


class SecretUnknown(FeedError):
    """A secret that can't be had."""


class InvalidFeed(FeedError):
    """A feed that can't be saved so; ``field`` is what has to be changed."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(message)


class FolderRefused(FeedError):
    """A folder that is not among those from which may be loaded, or can't be read."""
