"""Requests whose body is not taken. Pure: no Django."""

from dataclasses import dataclass

# In the WSGI environment: why the body of the request was not taken.
REFUSAL = "dataflow.refusal"


@dataclass(frozen=True, slots=True)
class Refusal:
    """The status and the sentence that the answer has."""

    status: int
    sentence: str


TOO_LARGE = Refusal(
    413, "The request is too large: only a file that is uploaded can have more than 2.5 MB."
)
NO_ROOM = Refusal(
    507,
    "There is no room left on the server for what was sent. Nothing of it was kept. Try again when "
    "an administrator has made room.",
)
