"""Pagination of the API: key cursors, with one limit for all lists."""

from typing import Any

from rest_framework.exceptions import APIException, ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from web.keyset import InvalidCursor, Page, page_of
from web.statement_timeout import LIST_SECONDS, TookTooLong, at_most

DEFAULT_LIMIT = 100
GREATEST_LIMIT = 1_000


class TooLong(APIException):
    """The database did not answer in time."""

    status_code = 503
    default_code = "took_too_long"


class KeyPagination(BasePagination):
    """Asked for by ``limit`` and ``cursor``, answered as ``<name>``, ``count`` and ``next``."""

    name: str

    def page_of(self, queryset: Any, view: Any, *, cursor: str | None, limit: int) -> Page[Any]:
        """The page of a view. Raises InvalidCursor."""
        return page_of(queryset, cursor=cursor, limit=limit)

    def paginate_queryset(
        self, queryset: Any, request: Request, view: APIView | None = None
    ) -> list[Any]:
        self.request = request
        try:
            limit = self.limit(request.query_params.get("limit"))
            with at_most(LIST_SECONDS):
                cursor = request.query_params.get("cursor")
                self.page = self.page_of(queryset, view, cursor=cursor, limit=limit)
        except TookTooLong as error:
            raise TooLong(str(error)) from error
        except InvalidCursor as error:
            raise ValidationError({"cursor": [str(error)]}) from error
        return self.page.records

    def limit(self, given: str | None) -> int:
        if not given:
            return DEFAULT_LIMIT
        # Digits only, and few: int() would also take "1_0" and stumble over ten thousand digits.
        if given.isascii() and given.isdigit() and len(given) < 10:
            limit = int(given)
            if 1 <= limit <= GREATEST_LIMIT:
                return limit
        raise ValidationError({"limit": [f"Must be a whole number from 1 to {GREATEST_LIMIT:,}."]})

    def get_paginated_response(self, data: Any) -> Response:
        url = self.request.build_absolute_uri()
        following = self.page.next and replace_query_param(url, "cursor", self.page.next)
        beside = {"next": self.page.next, "prev": self.page.previous}
        links = [
            f'<{replace_query_param(url, "cursor", cursor)}>; rel="{rel}"'
            for rel, cursor in beside.items()
            if cursor
        ]
        return Response(
            {self.name: data, "count": len(data), "next": following},
            headers={"Link": ", ".join(links)} if links else {},
        )

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "required": [self.name, "count", "next"],
            "properties": {
                self.name: schema,
                "count": {
                    "type": "integer",
                    "description": f"Number of {self.name} in this response.",
                    "example": 1,
                },
                "next": {
                    "type": ["string", "null"],
                    "format": "uri",
                    "description": f"URL of the next {self.name}; null on the last page.",
                    "example": None,
                },
            },
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        return [
            {
                "name": "limit",
                "in": "query",
                "description": f"Maximum number of {self.name} to return.",
                "schema": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": GREATEST_LIMIT,
                    "default": DEFAULT_LIMIT,
                },
            },
            {
                "name": "cursor",
                "in": "query",
                "description": "Position of the page, from `next` in the previous response.",
                "schema": {"type": "string"},
            },
        ]
