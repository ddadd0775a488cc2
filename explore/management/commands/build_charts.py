"""``manage.py build_charts``: bundles the charts' JavaScript into one static file."""

from pathlib import Path
from typing import Any

import altair
import vl_convert
from django.conf import settings
from django.core.management.base import BaseCommand

SNIPPET = "window.vegaEmbed = vegaEmbed;"


class Command(BaseCommand):
    """Writes Vega, Vega-Lite and Vega-Embed, with the interpreter that needs no ``eval``."""

    help = "Bundle the charts' JavaScript into a static file, without Node and without a CDN."

    def handle(self, *args: Any, **options: Any) -> None:
        version = ".".join(altair.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
        bundle = vl_convert.javascript_bundle(SNIPPET, vl_version=version)
        path = Path(settings.BUILT_DIR) / "vega.js"
        path.parent.mkdir(parents=True, exist_ok=True)
        # Whole or not at all: a page must not be served half a bundle.
        unfinished = path.with_suffix(".part")
        unfinished.write_text(bundle)
        unfinished.replace(path)
        self.stdout.write(f"Wrote {path} ({len(bundle):,} characters).")
