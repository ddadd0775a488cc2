"""Set-up that every process of the installation runs first."""

from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.backends.signals import connection_created

from dataflow_site import temporary
from dataflow_site.private_files import keep_private


class SiteConfig(AppConfig):
    name = "dataflow_site"

    def ready(self) -> None:
        keep_private(settings.VAR_DIR)
        # SQLite makes its files when it is asked first.
        connection_created.connect(_database_made, dispatch_uid="private files")
        if settings.TEMP_DIR is None:
            return
        try:
            temporary.use(settings.TEMP_DIR)
        except OSError as error:
            raise ImproperlyConfigured(
                f"The folder {settings.TEMP_DIR} can't be used ({error.strerror}). "
                "Make it writable, or set DATAFLOW_TEMP to another folder."
            ) from error


def _database_made(**kwargs: Any) -> None:
    keep_private(settings.VAR_DIR)
