"""Saved questions: the query of a URL by a name, for one person, a group or everybody."""

from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import Group
from django.http import QueryDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.grants import set_limit
from explore.questions.question import FUNCTIONS, ORDERS, Question, QuestionError
from explore.questions.urls import filter_parameters, parsed
from explore.saved import questions
from explore.saved.questions import save_question
from explore.saved.sharing import CannotSave
from records.models import Dashboard, SavedQuestion
from tests.explore.saved.conftest import BY_REGION, page_of
from tests.markup import href, sent_by, texts, tree

pytestmark = pytest.mark.django_db

FUNCTION = st.sampled_from([*FUNCTIONS])
COLUMN = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)
COLUMN = COLUMN.filter(lambda name: name.strip())
MEASURES = st.lists(st.builds("{}:{}".format, FUNCTION, COLUMN), min_size=1, max_size=3)
GROUPS = st.lists(
    st.one_of(st.builds("{}:{}".format, st.sampled_from(["column", "bin", "month"]), COLUMN),
              st.sampled_from(["day", "year", "record:status"])),
    max_size=2,
)  # fmt: skip


def saved(user, name="Regions", query=BY_REGION, audience="private") -> SavedQuestion:
    return save_question(user=user, name=name, parameters=QueryDict(query), audience=audience)


def names(client) -> list[str]:
    return texts(client.get("/questions/saved/").content.decode(), "tbody th a")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(
    measures=MEASURES,
    groups=GROUPS,
    top=st.sampled_from([None, 1, 40]),
    order=st.sampled_from(["", *ORDERS]),
    filters=st.sampled_from(
        ["", "source=shop&status=raw", "where=Total:gt:1&time_from=2026-02-01"]
    ),
)
def test_a_question_is_the_same_after_it_was_saved(ada, measures, groups, top, order, filters):
    asked = QueryDict(filters, mutable=True)
    asked.setlist("measure", measures)
    asked.setlist("by", groups)
    if top:
        asked["top"] = str(top)
    if order:
        asked["order"] = order
    SavedQuestion.objects.all().delete()
    try:
        question, query = parsed(QueryDict(asked.urlencode()))
    except QuestionError:
        with pytest.raises(CannotSave):
            saved(ada, query=asked.urlencode())
        return
    url = urlsplit(saved(ada, query=asked.urlencode()).get_absolute_url())
    opened = QueryDict(url.query, mutable=True)
    opened.pop("saved")
    assert url.path == "/questions/"
    assert parsed(opened) == (question, query)
    assert question == Question.parse(dict(asked.lists()))
    assert dict(filter_parameters(opened).lists()) == dict(filter_parameters(asked).lists())


def test_a_question_is_saved_below_its_answer(ada):
    page = page_of(ada)
    shown = page.get(f"/questions/?{BY_REGION}").content.decode()
    (form,) = tree(shown).select("#save form")
    sent = sent_by(form)
    assert sent["name"] == ["shop: Sum of Total by Region"]
    answer = page.post(str(form["action"]), {"name": sent["name"][0], "audience": "private"})
    question = SavedQuestion.objects.get()
    assert answer["Location"] == question.get_absolute_url()
    opened = page.get(answer["Location"]).content.decode()
    assert texts(opened, "h1") == ["shop: Sum of Total by Region"]
    assert texts(opened, "#answer-title") == ["Sum of Total by Region"]
    assert (question.owner, question.audience) == (ada, "private")


def test_an_opened_question_is_changed_and_updated(ada):
    question, page = saved(ada), page_of(ada)
    opened = tree(page.get(question.get_absolute_url()).content.decode())
    asked = sent_by(opened.select("form[aria-label=Question]")[0]) | {"by": ["month", ""]}
    changed = page.get("/questions/", asked, follow=True).content.decode()
    assert texts(changed, "#answer-title") == ["Sum of Total by Month"]
    (form,) = tree(changed).select("#save form")
    assert [button.get_text(strip=True) for button in form.select("button")] == [
        "Update", "Save as new", "Save and add to dashboard",
    ]  # fmt: skip
    page.post(str(form["action"]), {"name": "Months", "update": str(question.pk)})
    question.refresh_from_db()
    assert (question.name, question.parameters["by"]) == ("Months", "month")


def test_private_questions_are_for_their_owner(ada, bob):
    question = saved(ada)
    assert names(page_of(ada)) == ["Regions"]
    assert names(page_of(bob)) == []
    # The URL is a question all the same, without the name.
    opened = page_of(bob).get(question.get_absolute_url())
    assert texts(opened.content.decode(), "h1") == ["Questions"]


def test_a_group_or_everybody_sees_what_is_shared(ada, bob):
    team = Group.objects.create(name="team")
    team.user_set.add(ada)
    question = saved(ada, audience=f"group:{team.pk}")
    assert names(page_of(bob)) == []
    team.user_set.add(bob)
    assert names(page_of(bob)) == ["Regions"]
    ada_page = page_of(ada)
    url = f"/questions/saved/{question.pk}/"
    ada_page.post(url, {"name": "Regions", "audience": "everybody"})
    team.delete()
    assert names(page_of(bob)) == ["Regions"]
    assert page_of(bob).get(url).status_code == 404
    assert page_of(bob).post(url, {"name": "x", "audience": "private"}).status_code == 404
    assert page_of(bob).post(f"{url}delete").status_code == 404


def test_who_shared_with_a_group_that_is_deleted_still_sees_it(ada, bob):
    team = Group.objects.create(name="team")
    team.user_set.add(ada, bob)
    saved(ada, audience=f"group:{team.pk}")
    team.delete()
    assert (names(page_of(ada)), names(page_of(bob))) == (["Regions"], [])


def test_a_question_of_a_hidden_source_is_not_listed(ada, bob):
    saved(ada, audience="everybody")
    set_limit(sources=["depot"], user=bob)
    assert names(page_of(bob)) == []


def test_settings_rename_share_and_delete(ada):
    question, page = saved(ada), page_of(ada)
    url = f"/questions/saved/{question.pk}/"
    listed = page.get("/questions/saved/").content.decode()
    assert href(listed, "a[aria-label^=Settings]") == url
    page.post(url, {"name": "Areas", "audience": "everybody"})
    assert names(page) == ["Areas"]
    Dashboard.objects.create(owner=ada, name="Board", tiles=[{"width": 1, "question": question.pk}])
    assert "It is on" in page.get(url).content.decode()
    page.post(f"{url}delete")
    assert not SavedQuestion.objects.exists()


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"name": " "}, "Give it a name."),
        ({"name": "Regions"}, "You already have a saved question “Regions”."),
        ({"name": "x" * 101}, "at most 100 characters"),
        ({"name": "a\0b"}, "Null characters are not allowed."),
        ({"name": "a", "audience": "group:1000"}, "Choose “private”, “everybody”"),
        ({"name": "a", "audience": "nobody"}, "Choose “private”, “everybody”"),
    ],
)
def test_what_cannot_be_saved_is_said(ada, sent, sentence):
    saved(ada)
    answer = page_of(ada).post(f"/questions/save?{BY_REGION}", sent, follow=True)
    assert sentence in answer.content.decode()
    assert SavedQuestion.objects.count() == 1


@pytest.mark.parametrize("query", ["measure=total", "colour=red", "time_from=soon"])
def test_a_query_that_is_no_question_is_refused(ada, query):
    assert page_of(ada).post(f"/questions/save?{query}", {"name": "a"}).status_code == 400
    assert not SavedQuestion.objects.exists()


def test_there_is_a_limit(ada, monkeypatch):
    monkeypatch.setattr(questions, "MOST", 1)
    saved(ada)
    with pytest.raises(CannotSave, match="Delete one first"):
        saved(ada, name="b")
