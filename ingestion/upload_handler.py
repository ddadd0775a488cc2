"""Receives uploads: files that are too large or not allowed are never written to the disk."""

import tempfile
from contextlib import suppress
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest
from django.urls import Resolver404, resolve

from records.permissions import Action, may

# How much a request may have besides its file: the other fields, and the lines between them.
ALLOWANCE = 1 << 16
# The views that take files, by the names of their URLs.
TAKES_FILES = {"upload", "api-ingest", "api-dry-runs", "api-records", "api-events"}
# In the WSGI environment: whether the web server kept only the beginning and the end of a body.
SHORTENED = "dataflow.shortened"


class NotKept(UploadedFile):  # type: ignore[type-arg]
    """A file that could not be stored; ``reason`` is the message of the system."""

    def __init__(self, name: str, *, size: int, reason: str) -> None:
        super().__init__(BytesIO(), name, size=size)
        self.reason = reason


class UploadHandler(FileUploadHandler):
    """Stores files that are sent to TAKES_FILES by authorized users, up to MAX_UPLOAD_BYTES.

    The CSRF check reads a body before any view is called. The other fields are still read, so that
    the page can show an error. A file has no name on the disk, so that nothing is left of it,
    however the request or the process ends.
    """

    file: "UploadedFile[bytes]"
    no_room = ""

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, Any],
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> None:
        self.body_length = content_length
        self.is_too_large = content_length > settings.MAX_UPLOAD_BYTES + ALLOWANCE
        is_whole = SHORTENED not in META or self.is_too_large
        self.may_upload = is_whole and may_upload(self.request)

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        if not self.may_upload:
            raise SkipFile
        super().new_file(*args, **kwargs)
        self.no_room = ""
        if self.is_too_large:
            return
        try:
            folder = settings.FILE_UPLOAD_TEMP_DIR
            stored = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 (closed with the request)
        except OSError as error:
            self.no_room = error.strerror or str(error)
        else:
            self.file = UploadedFile(
                stored, self.file_name, self.content_type, 0, self.charset, self.content_type_extra
            )

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        if self.is_too_large or self.no_room:
            return None
        try:
            self.file.write(raw_data)
        except OSError as error:
            self._give_up(error)
        return None

    def file_complete(self, file_size: int) -> "UploadedFile[bytes]":
        name = self.file_name or ""
        if self.is_too_large:
            # The form needs only its size to reject it.
            return UploadedFile(BytesIO(), name, size=self.body_length)
        if not self.no_room:
            try:
                self.file.seek(0)
            except OSError as error:
                self._give_up(error)
        if self.no_room:
            return NotKept(name, size=file_size, reason=self.no_room)
        self.file.size = file_size
        return self.file

    def _give_up(self, error: OSError) -> None:
        self.no_room = error.strerror or str(error)
        # Data that could not be written before can't be written on closing either.
        with suppress(OSError):
            self.file.close()


def takes_files(path: str) -> bool:
    """Whether the URL accepts files."""
    try:
        return resolve(path).url_name in TAKES_FILES
    except Resolver404:
        return False


def may_upload(request: HttpRequest | None) -> bool:
    """Whether the URL accepts files and the user may upload some.

    The API reads a body only after it has authenticated the token, and sets the user.
    """
    if request is None or request.resolver_match is None:
        return False
    is_taken = request.resolver_match.url_name in TAKES_FILES
    return is_taken and may(request.user, Action.IMPORT)
