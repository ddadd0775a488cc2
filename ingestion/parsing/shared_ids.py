"""Rows that share an ID: counted, and put into a sentence. Pure: no Django, no tables."""

from dataclasses import dataclass

# What becomes of the later rows, by what the source does when an existing record changes.
OUTCOMES = {
    "update": "Each updates the one before",
    "merge": "Each updates the one before",
    "keep": "The first one of each is kept",
    "reject": "The first one of each is kept, and those that differ are rejected",
}


@dataclass(frozen=True, slots=True)
class SharedIds:
    """How many rows have the ID of an earlier row, and how many records the input comes to."""

    rows: int
    records: int

    def __bool__(self) -> bool:
        return self.rows > 0

    def note(self, on_conflict: str) -> str:
        """A sentence for the user."""
        return (
            f"Rows that share an ID with another row of this file: {self.rows:,}. "
            f"{self.outcome(on_conflict)}."
        )

    def outcome(self, on_conflict: str) -> str:
        """What becomes of these rows, without a full stop."""
        remain = "record remains" if self.records == 1 else "records remain"
        return f"{OUTCOMES[on_conflict]}, so {self.records:,} {remain}"
