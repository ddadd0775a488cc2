"""The query of a list of records: its filters, order and columns, as parameters of a URL."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from operator import and_, or_
from types import MappingProxyType
from typing import Any, NamedTuple, Self
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Q
from django.http import QueryDict
from django.urls import reverse
from django.utils.datastructures import MultiValueDict

from explore.filters.conditions import Condition
from explore.filters.known_columns import unknown_columns
from explore.filters.orders import ORDERS, Order
from explore.filters.record_filter import SHOWING, Asked, RecordFilter
from records.models import DataRecord, ProcessingResult
from records.models.querysets import RecordQuerySet, ResultQuerySet, key_range
from records.store import text_index

# The page of a list; a query is about the whole list.
CURSOR = "cursor"
EMPTY: tuple[Any, ...] = ([], (), {}, "", None)


class Chip(NamedTuple):
    """A value of a filter, in words, and the query string without it."""

    label: str
    text: str
    query: str


@dataclass(frozen=True)
class RecordQuery:
    """An immutable query, parsed once from the parameters of a URL.

    ``parameters`` are the texts of each parameter that is not blank; those that belong to no filter
    are kept for links. ``values`` are the parsed values of filters, ``errors`` the sentences for
    invalid ones: a query with errors matches no record. ``form`` is the form that parsed the
    parameters, for the page that shows them again; derived queries have none.
    """

    parameters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    errors: Mapping[str, list[str]] = field(default_factory=dict, compare=False)
    form: forms.Form | None = field(default=None, compare=False, repr=False)

    @classmethod
    def parse(cls, parameters: QueryDict) -> Self:
        """Parse the parameters of a URL. A filter that takes one value takes the last one."""
        filled = dict(_filled(parameters))
        lists = {name: list(texts) for name, texts in filled.items()}
        form = RecordFilter(MultiValueDict(lists)).form
        if form.is_valid():
            for name, sentences in unknown_columns(form.cleaned_data).items():
                form.add_error(name, sentences)
        errors = {name: list(map(str, said)) for name, said in form.errors.items()}
        values = {name: each for name, each in form.cleaned_data.items() if each not in EMPTY}
        return cls(filled, values, errors, form)

    def __post_init__(self) -> None:
        for name in ("parameters", "values", "errors"):
            object.__setattr__(self, name, MappingProxyType(getattr(self, name)))

    def __hash__(self) -> int:
        return hash(frozenset(self.parameters.items()))

    @property
    def is_valid(self) -> bool:
        return not self.errors

    @property
    def chosen(self) -> dict[str, tuple[str, ...]]:
        """The texts of the filters that are set, without order and columns."""
        return {
            name: self.parameters[name]
            for name in RecordFilter.base_filters
            if name in self.parameters and name not in SHOWING
        }

    @property
    def sources(self) -> list[str]:
        """The names of the sources in the filter; none for all sources."""
        return self.values.get("source", [])

    @property
    def is_of_one_source(self) -> bool:
        """Whether all matching records have the same source."""
        return len(self.sources) == 1

    @property
    def closed(self) -> str:
        """Whether closed records are meant: "1" for these only, "all" for these as well."""
        return str(self.values.get("closed", "0"))

    @property
    def order(self) -> Order:
        """The order of the list, by default by id."""
        return ORDERS[self.values.get("sort", "id")]

    @property
    def columns(self) -> list[str]:
        """The columns to show; none for the default columns."""
        return self.values.get("column", [])

    @property
    def result_columns(self) -> list[str]:
        """The columns of results to show."""
        return self.values.get("result_column", [])

    def texts(self, name: str) -> tuple[str, ...]:
        """The values of a parameter as in the URL."""
        return self.parameters.get(name, ())

    def without(self, *names: str, value: str | None = None) -> Self:
        """The query without these parameters, or only without one ``value`` of them."""
        return self._with_texts(
            {
                name: tuple(text for text in self.texts(name) if value not in (None, text))
                for name in names
            }
        )

    def with_(self, name: str, *values: str) -> Self:
        """The query with these values of a parameter: added if the parameter is repeatable, else
        in place of its value."""
        kept = self.texts(name) if name in RecordFilter.repeatable() else ()
        return self._with_texts({name: (*kept, *values)})

    def query_string(self) -> str:
        return urlencode(self.parameters, doseq=True)

    def url(self, name: str = "explorer") -> str:
        """The URL of the page ``name`` with this query."""
        return f"{reverse(name)}?{self.query_string()}"

    def chips(self) -> list[Chip]:
        """A chip for each value of each filter."""
        return [
            Chip(
                str(RecordFilter.base_filters[name].label),
                _words(name, text),
                self.without(name, value=text).query_string(),
            )
            for name, texts in self.chosen.items()
            for text in texts
        ]

    def queryset(self, records: RecordQuerySet | None = None) -> RecordQuerySet:
        """The matching records, among all or among ``records``."""
        records = DataRecord.objects.all() if records is None else records
        if not self.is_valid:
            return records.none()
        matching = records.filter(_all(self._of_record.values()))
        if self.closed == "0":
            matching = matching.open()
        if self._few is not None:
            matching = matching.with_ids(self._few)
        if self._of_result:
            results = ProcessingResult.objects.shown(self.closed).filter(
                self._of_result, record_id=OuterRef("pk")
            )
            matching = matching.filter(Exists(results))
        return matching

    def results(self) -> ResultQuerySet:
        """The current results of the matching records; of closed ones the last."""
        results = ProcessingResult.objects.shown(self.closed).order_by()
        if self.is_valid and self._of_record.keys() <= {"source"}:
            # The ids of results tell the source: records need not be read.
            ranges = [key_range(source, "record_id") for source in self.sources]
            return results.filter(self._of_result, reduce(or_, ranges, Q()))
        return results.filter(record_id__in=self.queryset().order_by().values("pk"))

    @property
    def is_of_few(self) -> bool:
        """Whether the text index narrows the matching records down to few."""
        return self.is_valid and self._few is not None

    @cached_property
    def _asked(self) -> dict[str, Asked]:
        """The conditions of each filter. Those of runs query the database for their sources."""
        return {name: RecordFilter.asked(name, value) for name, value in self.values.items()}

    @property
    def _of_record(self) -> dict[str, Q]:
        return {name: each.of_record for name, each in self._asked.items() if each.of_record}

    @property
    def _of_result(self) -> Q:
        """All conditions on results: they apply to the one current result of a record."""
        return _all(each.of_result for each in self._asked.values())

    @cached_property
    def _few(self) -> set[str] | None:
        """The ids that the text index allows; None where it does not narrow them down."""
        texts = [texts for each in self._asked.values() for texts in each.texts]
        known = [ids for ids in map(text_index.candidates, texts) if ids is not None]
        return reduce(and_, known) if known else None

    def _with_texts(self, changes: Mapping[str, tuple[str, ...]]) -> Self:
        parameters = {**self.parameters, **changes}
        values, errors = dict(self.values), dict(self.errors)
        for name, texts in changes.items():
            values.pop(name, None)
            errors.pop(name, None)
            if texts and name in RecordFilter.base_filters:
                try:
                    values[name] = _parsed(name, texts)
                except ValidationError as error:
                    errors[name] = error.messages
        return replace(
            self,
            parameters={name: texts for name, texts in parameters.items() if texts},
            values=values,
            errors=errors,
            form=None,
        )


def _filled(parameters: QueryDict) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The parameters of a URL that are not blank, except the page of the list."""
    single = RecordFilter.base_filters.keys() - RecordFilter.repeatable()
    for name, values in parameters.lists():
        counting = values[-1:] if name in single else values
        filled = tuple(value for value in counting if value.strip())
        if filled and name != CURSOR:
            yield name, filled


def _parsed(name: str, texts: tuple[str, ...]) -> Any:
    """Parse the texts of a filter. Raises ValidationError."""
    is_one = name not in RecordFilter.repeatable()
    return RecordFilter.base_filters[name].field.clean(texts[-1] if is_one else list(texts))


def _all(queries: Iterable[Q]) -> Q:
    return reduce(and_, queries, Q())


def _words(name: str, text: str) -> str:
    """A value of a filter in words."""
    item = RecordFilter.base_filters[name]
    if name not in ("where", "result"):
        return str(dict(item.extra.get("choices", ())).get(text, text))
    try:
        return Condition.parse(text).words
    except ValidationError:
        # An invalid condition has a chip too, so that it can be removed.
        return text
