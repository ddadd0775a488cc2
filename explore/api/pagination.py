"""Lists of records of the API."""

from typing import Any

from explore.explorer.pages import page_of_records
from web.api.pagination import KeyPagination
from web.keyset import Page


class RecordPagination(KeyPagination):
    """Records in the order that is asked for, else in that of their ids."""

    name = "records"

    def page_of(self, queryset: Any, view: Any, *, cursor: str | None, limit: int) -> Page[Any]:
        return page_of_records(view.query, queryset, cursor=cursor, limit=limit)
