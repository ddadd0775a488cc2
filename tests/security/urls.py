"""The URL table of the site, with something in place of each parameter."""

import re
from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern

# By the name of a parameter, else by its converter. The objects need not exist.
BY_NAME = {"app_label": "records", "format": "csv"}
BY_CONVERTER = {
    "int": "1",
    "str": "a",
    "slug": "a",
    "path": "1",
    "uuid": "00000000-0000-0000-0000-000000000001",
    "source_name": "shop",
    "record_id": "shop:1",
}
PARAMETER = re.compile(r"<(?:(\w+):)?(\w+)>")


def _filled(parameter: re.Match[str]) -> str:
    converter, name = parameter[1] or "str", parameter[2]
    return BY_NAME.get(name) or BY_CONVERTER[converter]


def paths(resolver: URLResolver | None = None, start: str = "/") -> Iterator[str]:
    """A path for each URL of the site; those that are patterns of other kinds are left out."""
    for each in (resolver or get_resolver()).url_patterns:
        if not isinstance(each.pattern, RoutePattern):
            continue
        path = start + PARAMETER.sub(_filled, str(each.pattern))
        if isinstance(each, URLPattern):
            yield path
        else:
            yield from paths(each, path)
