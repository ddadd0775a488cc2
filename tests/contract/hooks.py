"""What schemathesis needs to know beyond the description: values that no pattern can describe."""

import base64
import json
import zlib
from itertools import count
from typing import Any

import schemathesis
from hypothesis import strategies as st


def cursor(content: str) -> str:
    """A cursor as `web.keyset` writes it."""
    raw = content.encode()
    return base64.urlsafe_b64encode(zlib.crc32(raw).to_bytes(4, "big") + raw).decode().rstrip("=")


FORMATS = {
    # Both ends of a list: what lies between is known from its pages alone.
    "cursor": st.sampled_from([cursor("n"), cursor("p")]),
    "cron": st.sampled_from(["0 6 * * 1-5", "*/15 * * * *", "30 2 1 * *"]),
    "source-name": st.sampled_from(["sales", "Ä", "x.y-z_1", "目録", "none"]),
    "time-zone": st.sampled_from(["Europe/Vienna", "UTC", "+01:00", "America/New_York"]),
    "iso-time": st.dates().map(str) | st.datetimes().map(lambda moment: moment.isoformat()),
    "condition": st.builds(
        "{}:{}:{}".format,
        st.sampled_from(["amount", "city", "id", "Ä b"]),
        st.sampled_from(["eq", "ne", "contains"]),
        st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1),
    ),
}
for name, strategy in FORMATS.items():
    schemathesis.openapi.format(name, strategy)


@schemathesis.serializer("application/x-ndjson")  # type: ignore[untyped-decorator]
def lines(context: Any, value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    rows = value if isinstance(value, list) else [value]
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


numbers = count(1)


@schemathesis.hook  # type: ignore[untyped-decorator]
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Each request comes from another address, as wrong tokens are slowed down by address."""
    number = next(numbers)
    address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    case.headers = {**(case.headers or {}), "X-Forwarded-For": address}
