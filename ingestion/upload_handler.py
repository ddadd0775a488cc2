"""Uploads on their way in: what nobody may send, or is too large, never reaches the disk."""

from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import SkipFile, TemporaryFileUploadHandler
from django.http import HttpRequest
from django.urls import Resolver404, resolve

# What a request may have beside its file: the other fields, and the lines between them.
ALLOWANCE = 1 << 16
# The views that take files, by the names of their URLs.
TAKES_FILES = {"upload", "api-ingest"}


class UploadHandler(TemporaryFileUploadHandler):
    """Stores files that are sent to TAKES_FILES by users who may, up to MAX_UPLOAD_BYTES.

    The CSRF check reads a body before any view is asked. The other fields are read all the same,
    so that whoever is refused is told so by the page.
    """

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, Any],
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> None:
        self.may_upload = may_upload(self.request)
        self.body_length = content_length
        self.is_too_large = content_length > settings.MAX_UPLOAD_BYTES + ALLOWANCE

    def new_file(self, field_name: str, file_name: str, *args: Any, **kwargs: Any) -> None:
        if not self.may_upload:
            raise SkipFile
        if self.is_too_large:
            self.file_name = file_name
        else:
            super().new_file(field_name, file_name, *args, **kwargs)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        return None if self.is_too_large else super().receive_data_chunk(raw_data, start)

    def file_complete(self, file_size: int) -> "UploadedFile[bytes] | None":
        if self.is_too_large:
            # Its size is all that the form needs to refuse it.
            return UploadedFile(BytesIO(), self.file_name, size=self.body_length)
        return super().file_complete(file_size)


def takes_files(path: str) -> bool:
    """Whether files may be sent to the address."""
    try:
        return resolve(path).view_name in TAKES_FILES
    except Resolver404:
        return False


def may_upload(request: HttpRequest | None) -> bool:
    """Whether the request goes where files are taken, and is by a user who may send some.

    The API reads a body only when it knows whose token came with it, and sets the user.
    """
    if request is None or request.resolver_match is None:
        return False
    takes_files = request.resolver_match.view_name in TAKES_FILES
    return takes_files and request.user.has_perm("records.add_ingestionrun")
