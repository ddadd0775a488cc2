"""The reasons why a request body is refused. Pure: no Django."""

from dataclasses import dataclass

# In the WSGI environment: why the body of the request was not taken.
REFUSAL = "dataflow.refusal"


@dataclass(frozen=True, slots=True)
class Refusal:
    """The status and the sentence that the answer has."""

    status: int
    sentence: str


TOO_LARGE = Refusal(413, "The request is too large: only uploaded files can be larger than 2.5 MB.")
NO_ROOM = Refusal(
    507,
    "The server has no disk space left for this request. Nothing was saved. Try again when an "
    "administrator has freed some space.",
)
