"""The JavaScript that draws charts."""

from django.contrib.staticfiles.storage import staticfiles_storage


def bundle() -> str | None:
    """Where it is; None where `build_charts` has not made it."""
    try:
        return staticfiles_storage.url("vega.js")
    except ValueError:
        return None
