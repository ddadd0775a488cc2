"""Parses what the parameters of a URL ask to export: a filter and options."""

from dataclasses import dataclass

from django.http import QueryDict

from explore.export.errors import Refused
from explore.export.options import MADE_WHOLE, Options, OptionsForm
from explore.filters import RecordQuery
from web.statement_timeout import LIST_SECONDS, TookTooLong, at_most

# A file of so many records that does not stream is made at once; a larger one takes long before its
# first byte, so a worker makes it.
MOST_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Asked:
    """A valid query, and the options of the file to make of what it finds."""

    records: RecordQuery
    options: Options

    @property
    def query(self) -> str:
        """All of it, as the query of a URL."""
        return self.records.query_string()

    @property
    def is_for_a_worker(self) -> bool:
        """Whether the file takes so much work that no request may do it."""
        if self.options.kind not in MADE_WHOLE:
            return False
        records = self.records.queryset().order_by().values_list("pk")
        try:
            with at_most(LIST_SECONDS):
                return len(records[: MOST_AT_ONCE + 1]) > MOST_AT_ONCE
        except TookTooLong:
            return True


def source_of(query: str) -> str:
    """The name of the only source that the query of a URL is limited to; "" if there is none."""
    names = QueryDict(query).getlist("source")
    return names[0] if len(names) == 1 else ""


def asked_for(parameters: QueryDict) -> Asked:
    """What parameters ask for. Raises Refused where they mean nothing."""
    records = RecordQuery.parse(parameters)
    options = OptionsForm(parameters)
    if not (records.is_valid and options.is_valid()):
        of_options = {name: list(map(str, said)) for name, said in options.errors.items()}
        raise Refused({**records.errors, **of_options})
    return Asked(records, options.options)
