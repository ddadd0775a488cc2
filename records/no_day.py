"""The day under which records without a timestamp are counted. Pure: no Django."""

from datetime import date

# A unique constraint would let NULLs through twice. Files write 0001-01-01 for an unknown date, and
# that is a timestamp like any other; the day after it they don't have.
NO_DAY = date(1, 1, 2)
