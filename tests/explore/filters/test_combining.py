"""A combined query finds what both queries find."""

from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from explore.filters import RecordQuery
from explore.filters.combining import CannotCombine, combined
from records.models import DataRecord
from tests.explore.filters.test_filter_cells import PARAMETERS, api  # noqa: F401

pytestmark = pytest.mark.django_db

CHOSEN = st.lists(
    st.one_of(
        PARAMETERS,
        st.tuples(st.just("closed"), st.sampled_from(["0", "1", "all"])),
        st.tuples(st.just("weekday"), st.sampled_from(["1", "7"])),
    ),
    max_size=4,
)


def query_of(parameters: list[tuple[str, str]]) -> RecordQuery:
    return RecordQuery.parse(QueryDict(urlencode(parameters)))


def found_by(query: RecordQuery) -> set[str]:
    assert query.is_valid, query.errors
    return set(query.queryset().values_list("pk", flat=True))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(one=CHOSEN, other=CHOSEN)
def test_a_combined_query_finds_what_both_find(api, one, other):  # noqa: F811
    first, second = query_of(one), query_of(other)
    both = found_by(first) & found_by(second)
    try:
        query = combined(first, second)
    except CannotCombine as error:
        refused = str(error)
    else:
        assert found_by(query) == both
        assert found_by(combined(second, first)) == both
        return
    assert not both or "can't be combined" in refused


def test_the_test_above_has_records(api):  # noqa: F811
    assert DataRecord.objects.count() > 100


@pytest.mark.parametrize("name", ["q=a", "rule=number", "dated=1"])
def test_what_no_url_can_say_is_refused_by_name(name):
    other = name.replace("=a", "=b").replace("=number", "=required").replace("=1", "=0")
    with pytest.raises(CannotCombine, match="both filter by"):
        combined(RecordQuery.parse(QueryDict(name)), RecordQuery.parse(QueryDict(other)))
