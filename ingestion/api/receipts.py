"""The API of receipts: of a run, of its undo, of a source, and the key to verify them."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import exceptions, generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ingestion.api.rejected import RUN_ID, run_or_not_found
from ingestion.receipts.documents import public_pem
from ingestion.receipts.keys import signing_key
from records.models import IngestionRun, Receipt, Source
from web.api.base import StrictQuery, or_not_found
from web.api.pagination import KeyPagination
from web.api.serializers import ErrorSerializer

DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
EXAMPLE = {
    "content": {
        "format": "dataflow-receipt/1",
        "key": "3b6a27bcceb6a42d62a3a8d02a6f0d73",
        "software": "0.3.0",
        "source": "sales",
        "number": 2,
        "previous": DIGEST,
        "kind": "load",
        "run": 7,
        "state": "finished",
        "error": "",
        "started_by": {"how": "api", "user": "ada"},
        "times": {
            "created": "2026-03-04T05:06:07.000000+00:00",
            "started": "2026-03-04T05:06:07.100000+00:00",
            "finished": "2026-03-04T05:06:08.000000+00:00",
        },
        "rule_set": 3,
        "replay_of": None,
        "input": {"name": "sales.csv", "size": 1024, "sha256": DIGEST},
        "ledger": {"read": 2, "created": 1, "updated": 0, "unchanged": 0, "rejected": 1},
        "rejected": {
            "count": 1,
            "sha256": DIGEST,
            "rows": [
                {
                    "line": 3,
                    "code": "missing_key",
                    "column": "order",
                    "message": "The row has no key: 'order' is empty.",
                    "sha256": DIGEST,
                }
            ],
        },
        "mapping": {"id": ["order"], "timestamp": [], "value": ["amount"], "category": []},
    },
    "digest": DIGEST,
    "signature": "dGhpcyBpcyBubyBzaWduYXR1cmU=",
}


class ReceiptSerializer(serializers.Serializer[Any]):
    """A signed receipt: what a run had made of its input when it ended."""

    content = serializers.DictField(
        help_text="What is signed: source, run, input, ledger, rejected rows, mapping, and "
        "`previous`, the digest of the source's receipt before."
    )
    digest = serializers.CharField(help_text="SHA-256 of the canonical content, in hex.")
    signature = serializers.CharField(
        help_text="Ed25519 signature of the canonical content, in Base64."
    )


class ReceiptView(StrictQuery, generics.GenericAPIView[Receipt]):
    """The receipt of an ingestion run, made when it ended."""

    queryset = Receipt.objects.none()
    serializer_class = ReceiptSerializer

    @extend_schema(
        operation_id="runs_receipt",
        summary="Get the receipt of a run",
        parameters=[RUN_ID],
        responses={200: ReceiptSerializer, 401: ErrorSerializer, 404: ErrorSerializer},
        examples=[OpenApiExample("Receipt", value=EXAMPLE, response_only=True)],
    )
    def get(self, request: Request, pk: int) -> Response:
        run = run_or_not_found(pk)
        found = run.receipts.filter(undo=None).order_by("-number").first()
        if found is None:
            raise exceptions.NotFound(_why_none(run))
        return Response(found.document())

    def get_view_name(self) -> str:
        return "Receipt"


def _why_none(run: IngestionRun) -> str:
    if run.is_active:
        return "The run has no receipt yet: it gets one when it ends."
    return "The run has no receipt: it ended before there were receipts."


class UndoReceiptView(StrictQuery, generics.GenericAPIView[Receipt]):
    """The receipt of the undo of an ingestion run."""

    queryset = Receipt.objects.none()
    serializer_class = ReceiptSerializer

    @extend_schema(
        operation_id="runs_undo_receipt",
        summary="Get the receipt of the undo of a run",
        parameters=[RUN_ID],
        responses={200: ReceiptSerializer, 401: ErrorSerializer, 404: ErrorSerializer},
    )
    def get(self, request: Request, pk: int) -> Response:
        run = run_or_not_found(pk)
        found = run.receipts.exclude(undo=None).order_by("-number").first()
        return Response(or_not_found(found, "Receipt of an undo").document())

    def get_view_name(self) -> str:
        return "Receipt of an undo"


class ReceiptPagination(KeyPagination):
    """The receipts of a source, from the first on."""

    name = "receipts"


class SourceReceiptsView(StrictQuery, generics.ListAPIView[Receipt]):
    """The chain of receipts of a source, from the first on. Follow `next` for more."""

    queryset = Receipt.objects.all()
    serializer_class = ReceiptSerializer
    pagination_class = ReceiptPagination
    query_parameters = frozenset({"limit", "cursor"})

    @extend_schema(
        operation_id="sources_receipts_list",
        summary="List the receipts of a source",
        parameters=[
            OpenApiParameter("name", str, OpenApiParameter.PATH, description="Name of the source.")
        ],
        responses={
            200: ReceiptSerializer(many=True),
            400: ErrorSerializer,
            401: ErrorSerializer,
            404: ErrorSerializer,
        },
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        rows = self.filter_queryset(self.get_queryset())
        page = self.paginate_queryset(rows) or []
        return self.get_paginated_response([row.document() for row in page])

    def filter_queryset(self, queryset: Any) -> Any:
        source = or_not_found(Source.objects.named(self.kwargs["name"]), "Source")
        return queryset.filter(source=source)

    def get_view_name(self) -> str:
        return "Receipts"


class ReceiptKeyView(StrictQuery):
    """The public key that verifies receipts, in PEM form."""

    @extend_schema(
        operation_id="receipt_key",
        summary="Get the key that verifies receipts",
        responses={(200, "application/x-pem-file"): OpenApiTypes.STR, 401: ErrorSerializer},
        examples=[
            OpenApiExample(
                "Key",
                value="-----BEGIN PUBLIC KEY-----\n..\n-----END PUBLIC KEY-----\n",
                response_only=True,
                media_type="application/x-pem-file",
            )
        ],
    )
    def get(self, request: Request) -> HttpResponse:
        return HttpResponse(public_pem(signing_key()), content_type="application/x-pem-file")

    def get_view_name(self) -> str:
        return "Receipt key"
