"""Builds and collects the static files if they have changed."""

import hashlib
from importlib.util import find_spec
from io import StringIO
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

STAMP = "collected"


def build_charts_if_missing() -> bool:
    """Bundle the charts' JavaScript, unless it is newer than the package it comes from."""
    package = find_spec("vl_convert")
    built = settings.BUILT_DIR / "vega.js"
    if (
        built.exists()
        and package is not None
        and package.origin is not None
        and built.stat().st_mtime >= Path(package.origin).stat().st_mtime
    ):
        return False
    call_command("build_charts", stdout=StringIO())
    return True


def collect_if_changed() -> bool:
    """Bring STATIC_ROOT up to date; whether there was something to do."""
    stamp = Path(settings.STATIC_ROOT) / STAMP
    fingerprint = _fingerprint()
    if stamp.exists() and stamp.read_text() == fingerprint:
        return False
    # The stamp is cleared first and written last: what was cut short is done again.
    call_command("collectstatic", clear=True, interactive=False, verbosity=0)
    stamp.write_text(fingerprint)
    return True


def _fingerprint() -> str:
    """Names, sizes and times of all static files, as one word."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            facts = Path(storage.path(path)).stat()
            digest.update(f"{path}\0{facts.st_size}\0{facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()
