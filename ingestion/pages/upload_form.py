"""The upload form."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from web.names import SOURCE_NAME
from web.numbers import size


class UploadForm(forms.Form):
    """A file, and the source that it belongs to."""

    file = forms.FileField(
        label="File",
        max_length=255,
        error_messages={
            "required": "Choose a file to upload.",
            "empty": "This file is empty. Choose a file that contains data.",
        },
    )
    source = forms.CharField(
        label="Source",
        required=False,
        max_length=100,
        validators=[SOURCE_NAME],
        help_text="The set of records to import into. Leave blank to name it after the file.",
    )

    def clean_file(self) -> UploadedFile[bytes]:
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        if (file.size or 0) > settings.MAX_UPLOAD_BYTES:
            raise forms.ValidationError(
                f"{file.name} has {size(file.size or 0)}; the limit is "
                f"{size(settings.MAX_UPLOAD_BYTES)}. Import it with `manage.py ingest` instead."
            )
        return file
