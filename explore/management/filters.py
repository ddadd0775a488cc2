"""The filter of records as options of commands."""

from argparse import ArgumentParser
from collections.abc import Collection
from typing import Any

from django.core.management.base import CommandError
from django.http import QueryDict

from explore.filters import RecordQuery
from explore.filters.record_filter import RecordFilter
from records.models import Source


def add_filters(parser: ArgumentParser, *, without: Collection[str] = ()) -> None:
    """Add an option for each parameter of the filter, except those that are left out."""
    filters = parser.add_argument_group(
        "filters, as in the URL of the explorer (* may be repeated)"
    )
    for name, item in RecordFilter.base_filters.items():
        if name in without:
            continue
        may_repeat = name in RecordFilter.repeatable()
        filters.add_argument(
            f"--{name.replace('_', '-')}",
            action="append" if may_repeat else "store",
            metavar=name.rpartition("_")[2].upper(),
            help=item.extra["help_text"].replace("%", "%%") + (" *" if may_repeat else ""),
        )


def query_of(options: dict[str, Any]) -> RecordQuery:
    """The query that the options mean, or wrong usage."""
    parameters = QueryDict(mutable=True)
    for name in RecordFilter.base_filters:
        given = options.get(name)
        parameters.setlist(name, given if isinstance(given, list) else filter(None, [given]))
    query = RecordQuery.parse(parameters)
    if not query.is_valid:
        said = [f"--{name}: {text}" for name, texts in query.errors.items() for text in texts]
        raise CommandError(" ".join(said).replace("_", "-"), returncode=2)
    for name in query.sources:
        if Source.objects.named(name) is None:
            raise CommandError(f"There is no source {name!r}.", returncode=2)
    return query
