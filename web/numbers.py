"""Formats numbers and times for pages, charts and tables."""

from datetime import datetime, timedelta

from django.utils import timezone

# The longest unit first, so that the first one that fits is the one to say.
UNITS = (
    ("year", timedelta(days=365)),
    ("month", timedelta(days=30)),
    ("day", timedelta(days=1)),
    ("hour", timedelta(hours=1)),
    ("minute", timedelta(minutes=1)),
)


def number(value: float | None) -> str:
    """With thousands separators, and as many decimals as say something: 1,234.57."""
    if value is None:
        return "—"
    if isinstance(value, int) or (value.is_integer() and abs(value) < 1e15):
        return f"{int(value):,}"
    magnitude = abs(value)
    if magnitude >= 1e15 or magnitude < 1e-4:
        return f"{value:.4g}"
    decimals = 2 if magnitude >= 100 else 4
    return f"{value:,.{decimals}f}".rstrip("0").rstrip(".")


def percent(value: float) -> str:
    """One decimal, and never 100% or 0% for what is only nearly that."""
    if 99.95 <= value < 100:
        return "> 99.9%"
    if 0 < value < 0.05:
        return "< 0.1%"
    return f"{value:.1f}".removesuffix(".0") + "%"


def size(count: int) -> str:
    """Bytes in units of 1,000."""
    amount = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:,.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:,.1f} TB"


def duration(seconds: float | None) -> str:
    """A length of time: 0.4 s, 12 s, 3 min 20 s, 2 h 5 min."""
    if seconds is None:
        return "—"
    if seconds < 0.001:
        return "under 1 ms"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def ago(moment: datetime) -> str:
    """How long ago a moment was, in one unit: "3 minutes ago"."""
    passed = timezone.now() - moment
    distance = abs(passed)
    for unit, length in UNITS:
        if distance >= length:
            count = distance // length
            words = f"{count:,} {unit}{'' if count == 1 else 's'}"
            return f"{words} ago" if passed > timedelta() else f"in {words}"
    return "just now"
