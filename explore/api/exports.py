"""The API of exports that workers create, each only for its user."""

from typing import Any, cast

from django.contrib.auth.models import User
from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rights import check_sees_all_of
from explore.export import jobs
from explore.export.responses import file_answer
from records import lookups
from records.models import Export
from web.api.base import StrictQuery, api_url, or_not_found
from web.api.negotiation import AlwaysJSON
from web.api.serializers import ErrorSerializer

PATH = [OpenApiParameter("id", int, OpenApiParameter.PATH, description="Number of the export.")]


class ExportSerializer(serializers.ModelSerializer[Export]):
    """An export that a worker creates."""

    share = serializers.FloatField(source="share_done", help_text="Share that is done, 0 to 1.")
    download = serializers.SerializerMethodField(
        help_text="URL of the file; null until it is finished and after it has expired."
    )
    page = serializers.CharField(source="get_absolute_url", help_text="Page of the export.")

    class Meta:
        model = Export
        fields = (
            "id",
            "state",
            "done",
            "total",
            "share",
            "error",
            "download",
            "file_name",
            "size",
            "created_at",
            "finished_at",
            "expires_at",
            "page",
        )
        read_only_fields = fields
        extra_kwargs = {
            "id": {"help_text": "Number of the export."},
            "state": {"help_text": "State of the export."},
            "done": {"help_text": "Records that were written."},
            "total": {"help_text": "Records to export; null until they are counted."},
            "error": {"help_text": "Why the export failed; empty if it did not."},
            "file_name": {"help_text": "Name of the file; empty until it is finished."},
            "size": {"help_text": "Size of the file in bytes."},
            "created_at": {"help_text": "When the export was asked for."},
            "finished_at": {"help_text": "When it ended; null until then."},
            "expires_at": {"help_text": "When the file is deleted; null until it is finished."},
        }

    def get_download(self, export: Export) -> str | None:
        if not export.is_ready:
            return None
        return api_url(self.context["request"], "api-exported-file", export.pk)


class _OwnExport(StrictQuery):
    """What the endpoints of an export share."""

    for_an_account = True

    def own(self, request: Request, pk: int) -> Export:
        user = cast(User, request.user)
        check_sees_all_of(user)
        own = Export.objects.filter(user=user)
        return or_not_found(lookups.by_id(own, pk), "Export")


class ExportDetailView(_OwnExport):
    """Progress of an export that a worker creates, and the URL of its file."""

    @extend_schema(
        operation_id="exports_retrieve",
        summary="Get an export",
        parameters=PATH,
        responses={200: ExportSerializer, 401: ErrorSerializer, 404: ErrorSerializer},
    )
    def get(self, request: Request, pk: int) -> Response:
        return accepted(self.own(request, pk), request, code=status.HTTP_200_OK)

    @extend_schema(
        operation_id="exports_remove",
        summary="Cancel an export or delete its file",
        parameters=PATH,
        responses={204: None, 401: ErrorSerializer, 404: ErrorSerializer},
    )
    def delete(self, request: Request, pk: int) -> Response:
        jobs.remove(self.own(request, pk))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def get_view_name(self) -> str:
        return "Export"


class ExportedFileView(_OwnExport):
    """The file of a finished export."""

    # What is answered is a file, whatever a client would rather have; errors are JSON.
    content_negotiation_class = AlwaysJSON

    @extend_schema(
        operation_id="exports_file",
        summary="Download the file of an export",
        parameters=PATH,
        responses={
            (
                200,
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            ): OpenApiTypes.BINARY,
            (200, "application/gzip"): OpenApiTypes.BINARY,
            401: ErrorSerializer,
            404: ErrorSerializer,
        },
    )
    def get(self, request: Request, pk: int) -> HttpResponseBase:
        answer = file_answer(self.own(request, pk))
        if answer is None:
            raise NotFound("The export has no file or has expired.")
        return answer

    def get_view_name(self) -> str:
        return "File"


def accepted(export: Export, request: Request, *, code: int = status.HTTP_202_ACCEPTED) -> Response:
    """The current state of an export, and its URL for polling."""
    said: dict[str, Any] = dict(ExportSerializer(export, context={"request": request}).data)
    url = api_url(request, "api-made-export", export.pk)
    return Response(said, status=code, headers={"Location": url} if code == 202 else {})
