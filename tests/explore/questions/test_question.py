"""Questions are read from parameters, and what means nothing is said in a sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explore.filters.record_filter import RecordFilter
from explore.questions.question import (
    PARAMETERS,
    UNITS,
    Group,
    Measure,
    Question,
    QuestionError,
)


def test_no_parameter_is_one_of_the_filter():
    assert not set(PARAMETERS) & set(RecordFilter.base_filters)


def test_without_parameters_records_are_counted():
    assert Question.parse({}).measures == (Measure("count"),)


def test_measures_and_groups_are_read():
    question = Question.parse(
        {"measure": ["sum:Price: net", "share"], "by": ["Region", "month:Due"], "top": ["5"]}
    )
    assert question.measures == (Measure("sum", "Price: net"), Measure("share"))
    assert question.groups == (Group("column", "Region"), Group("month", "Due"))
    assert question.top == 5
    assert question.title == "Sum of Price: net and Share of records by Region and Month of Due"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("measure", "total:x", "There is no measure “total”. Choose one of count, distinct,"),
        ("measure", "sum", "“sum” needs a column, as in sum:Amount."),
        ("measure", "count:", "“count” needs a column"),
        ("by", "month:", "“month:” needs a column"),
        ("by", "hour:Due", "Hours are told of the timestamp only"),
        ("by", "record:line", "A record has source and status, not “line”."),
        ("by", "a\0", "Null characters are not allowed."),
        ("by", "a" * 501, "Give at most 500 characters."),
        ("top", "0", "Must be a whole number from 1 to 40."),
        ("top", "٣", "Must be a whole number"),
        ("order", "size", "There is no order “size”. Choose one of -measure, measure,"),
    ],
)
def test_what_means_nothing_is_refused(name, value, sentence):
    with pytest.raises(QuestionError) as error:
        Question.parse({name: [value]})
    assert sentence in error.value.errors[name][0]


def test_too_many_are_refused():
    for name, values in (("measure", ["count", "share", "sum:a", "sum:b"]), ("by", list("abc"))):
        with pytest.raises(QuestionError, match="Give at most"):
            Question.parse({name: values})
    with pytest.raises(QuestionError, match="only once"):
        Question.parse({"top": ["1", "2"]})


COLUMNS = st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=20).filter(str.strip)
NAMES = st.one_of(COLUMNS, st.sampled_from([*UNITS, "bin:x", "column:y", "month:z", "record:a"]))


@given(
    measures=st.lists(st.builds(Measure, st.sampled_from(["sum", "count"]), NAMES), max_size=3),
    groups=st.lists(
        st.one_of(st.builds(Group, st.sampled_from(["column", "bin", "week"]), NAMES),
                  st.builds(Group, st.sampled_from(UNITS))),
        max_size=2,
    ),
    top=st.one_of(st.none(), st.integers(1, 40)),
)  # fmt: skip
def test_a_question_is_read_as_it_was_written(measures, groups, top):
    chosen = tuple(dict.fromkeys(measures)) or (Measure("count"),)
    question = Question(chosen, tuple(dict.fromkeys(groups)), top)
    assert Question.parse(question.parameters()) == question
