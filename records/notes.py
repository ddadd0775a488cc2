"""Notes of a run: sentences for the user. Pure: no Django."""

# A note about data that may be wrong begins like this; pages show it in the style of a warning.
WARNING = "Warning: "


def warning(sentence: str) -> str:
    """A note that nobody should miss."""
    return WARNING + sentence[:1].lower() + sentence[1:]


def is_warning(note: str) -> bool:
    return note.startswith(WARNING)
