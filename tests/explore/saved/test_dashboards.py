"""Dashboards of saved questions: each tile is the answer to its question, for who may see it."""

import pytest
from django.http import QueryDict

from accounts.grants import set_limit
from explore.questions.answer import answer
from explore.questions.urls import parsed
from explore.saved import dashboards
from explore.saved.dashboards import add_tile, change_dashboard, create_dashboard
from explore.saved.sharing import CannotSave
from explore.saved.tiles import GONE, HIDDEN, NO_TIME, tiles_of
from records.models import Dashboard, FirstPage, SavedQuestion
from tests.explore.saved.conftest import BY_REGION, page_of
from tests.explore.saved.test_saved_questions import saved
from tests.markup import href, sent_by, texts, tree

pytestmark = pytest.mark.django_db

QUESTIONS = {
    "Regions": BY_REGION,
    "Pivot": "source=shop&measure=sum:Total&by=Region&by=month",
    "Number": "source=shop&measure=sum:Total&measure=count",
    "Sources": "by=record:source",
}


@pytest.fixture
def board(ada) -> Dashboard:
    """A dashboard of Ada with each kind of tile, which everybody sees."""
    made = create_dashboard(user=ada, name="Sales", audience="everybody")
    for name, query in QUESTIONS.items():
        add_tile(made, {"question": saved(ada, name, query, "everybody").pk})
    add_tile(made, {"text": "Read <b>this</b>\n\nfirst"})
    made.refresh_from_db()
    return made


def ids(board: Dashboard) -> list[object]:
    board.refresh_from_db()
    return [tile.get("question") or tile["text"][:4] for tile in board.tiles]


def test_a_tile_is_the_answer_to_its_question(board):
    tiles = tiles_of(board, dashboards.filter_of(QueryDict("")))
    assert [tile.name for tile in tiles] == [*QUESTIONS, ""]
    for tile, query in zip(tiles, QUESTIONS.values(), strict=False):
        expected = answer(*parsed(QueryDict(query)))
        assert tile.shown is not None
        found = tile.shown.answer
        assert (found.rows, found.total, found.firsts, found.seconds, found.remarks) == (
            expected.rows, expected.total, expected.firsts, expected.seconds, expected.remarks,
        )  # fmt: skip


def test_the_page_shows_the_tiles_with_links_to_exactly_their_records(board, bob):
    page = page_of(bob)
    shown = page.get(f"/dashboards/{board.pk}/").content.decode()
    assert texts(shown, ".board h2") == [*QUESTIONS]
    assert texts(shown, ".board > div p") == ["Read <b>this</b>", "first"]
    assert len(tree(shown).select("figure[data-chart]")) == 3
    links = {str(link["href"]) for link in tree(shown).select(".board table a, .board dd a")}
    assert len(links) > 15
    for url in [link for link in links if "time_from" in link]:
        assert "No records match" not in page.get(url).content.decode()


def test_the_filter_applies_to_all_questions(board, ada):
    page = page_of(ada)
    url = f"/dashboards/{board.pk}/?time_from=2026-02-01&where=Region:eq:North"
    shown = page.get(url).content.decode()
    tiles = tree(shown).select(".board > section")
    # North in February and March: 20.10 and 30.10.
    assert "50.2" in tiles[0].get_text()
    assert "50.2" in tiles[2].get_text()
    # The link of a tile leads to the question with that filter.
    (link,) = tiles[2].select("h2 a")
    opened = page.get(str(link["href"])).content.decode()
    assert texts(opened, ".tile dd a") == ["50.2", "2"]
    assert texts(shown, ".chips .muted") == ["From", "Data"]


def test_a_filter_that_contradicts_a_question_is_said(board, ada):
    shown = page_of(ada).get(f"/dashboards/{board.pk}/?source=depot").content.decode()
    said = texts(shown, ".board .nothing")
    sentence = "No record can match both the filter of the question and that of the dashboard."
    assert said == [sentence] * 3


def test_the_form_of_the_filter_adds_a_condition(board, ada):
    page = page_of(ada)
    form = tree(page.get(f"/dashboards/{board.pk}/").content.decode()).select(
        "form[aria-label=Filter]"
    )[0]
    sent = sent_by(form) | {"on": ["Region"], "ask": ["eq"], "than": ["South"]}
    answer_ = page.get(f"/dashboards/{board.pk}/", sent)
    assert answer_["Location"] == f"/dashboards/{board.pk}/?where=Region%3Aeq%3ASouth"
    assert page.get(f"/dashboards/{board.pk}/", sent_by(form)).status_code == 302


def test_the_owner_keeps_a_filter_for_everybody(board, ada, bob):
    url = f"/dashboards/{board.pk}/"
    query = "where=Region%3Aeq%3ASouth"
    assert page_of(bob).post(f"{url}filter?{query}").status_code == 404
    page_of(ada).post(f"{url}filter?{query}")
    shown = page_of(bob).get(url).content.decode()
    assert texts(shown, ".chips .muted") == ["Data"]
    bare = page_of(bob).get(f"{url}?time_from=").content.decode()
    assert texts(bare, ".chips .muted") == []


@pytest.mark.parametrize(
    ("query", "sentence"),
    [("colour=red", "There is no filter “colour”."), ("time_from=soon", "Enter a date")],
)
def test_a_filter_that_means_nothing_is_refused(board, ada, query, sentence):
    for answer_ in (
        page_of(ada).get(f"/dashboards/{board.pk}/?{query}"),
        page_of(ada).post(f"/dashboards/{board.pk}/filter?{query}"),
    ):
        assert answer_.status_code == 400
        assert sentence in answer_.content.decode()


# --- who sees what -------------------------------------------------------------------------------


def test_who_may_not_see_a_source_sees_no_tile_of_it(board, bob):
    set_limit(sources=["depot"], user=bob)
    shown = page_of(bob).get(f"/dashboards/{board.pk}/").content.decode()
    assert texts(shown, ".board .nothing") == [HIDDEN] * 3
    assert texts(shown, ".board h2") == ["Question"] * 3 + ["Sources"]
    # Of the question about all sources the own ones are counted.
    assert "shop" not in shown
    assert "1 record, as of" in tree(shown).select(".board > section")[3].get_text(" ", strip=True)


def test_a_private_dashboard_is_for_its_owner(board, ada, bob):
    change_dashboard(board, audience="private")
    assert page_of(ada).get(f"/dashboards/{board.pk}/").status_code == 200
    assert page_of(bob).get(f"/dashboards/{board.pk}/").status_code == 404
    assert "Sales" not in page_of(bob).get("/dashboards/").content.decode()


def test_only_the_owner_changes_a_dashboard(board, bob):
    page = page_of(bob)
    for url in ("edit/", "tiles", "delete", "filter"):
        assert page.post(f"/dashboards/{board.pk}/{url}").status_code == 404
    assert page.get(f"/dashboards/{board.pk}/edit/").status_code == 404


def test_a_dashboard_shows_what_its_owner_may_open(ada, bob):
    question = saved(bob, audience="everybody")
    made = create_dashboard(user=ada, name="Mine", audience="everybody")
    add_tile(made, {"question": question.pk})
    url = f"/dashboards/{made.pk}/"
    assert texts(page_of(ada).get(url).content.decode(), ".board h2") == ["Regions"]
    SavedQuestion.objects.filter(pk=question.pk).update(audience="private")
    for person in (ada, bob):
        assert texts(page_of(person).get(url).content.decode(), ".board .nothing") == [GONE]
    question.delete()
    assert texts(page_of(ada).get(url).content.decode(), ".board .nothing") == [GONE]


def test_private_questions_on_a_shared_dashboard_are_shown(ada, bob):
    made = create_dashboard(user=ada, name="Mine", audience="everybody")
    add_tile(made, {"question": saved(ada).pk})
    shown = page_of(bob).get(f"/dashboards/{made.pk}/").content.decode()
    assert texts(shown, ".board h2") == ["Regions"]


# --- making one ----------------------------------------------------------------------------------


def test_from_a_question_to_a_dashboard_is_one_form(ada):
    page = page_of(ada)
    sent = {"name": "Regions", "audience": "private", "dashboard": "new", "add": "1"}
    first = page.post(f"/questions/save?{BY_REGION}", sent)
    made = Dashboard.objects.get()
    assert first["Location"] == f"/dashboards/{made.pk}/"
    assert texts(page.get(first["Location"]).content.decode(), ".board h2") == ["Regions"]
    sent |= {"name": "Again", "dashboard": str(made.pk)}
    page.post(f"/questions/save?{BY_REGION}", sent)
    assert len(ids(made)) == 2
    page.post(f"/questions/save?{BY_REGION}", sent | {"name": "Third", "dashboard": "new"})
    assert [each.name for each in Dashboard.objects.all()] == ["My dashboard", "My dashboard 2"]


def test_tiles_are_moved_resized_and_removed(board, ada):
    page, url = page_of(ada), f"/dashboards/{board.pk}/tiles"
    before = ids(board)
    page.post(url, {"place": "0", "change": "on"})
    assert ids(board) == [before[1], before[0], *before[2:]]
    page.post(url, {"place": "1", "change": "back"})
    page.post(url, {"place": "0", "change": "back"})
    page.post(url, {"place": str(len(before) - 1), "change": "on"})
    assert ids(board) == before
    page.post(url, {"place": "2", "change": "3"})
    page.post(url, {"place": "4", "text": "Other"})
    page.post(url, {"place": "0", "change": "remove"})
    assert ids(board) == [*before[1:-1], "Othe"]
    assert [tile["width"] for tile in board.tiles] == [1, 3, 1, 3]
    page.post(url, {"question": str(before[0])})
    page.post(url, {"text": "End"})
    assert ids(board)[-2:] == [before[0], "End"]


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"place": "9", "change": "on"}, "This tile is no longer there."),
        ({"place": "0", "change": "grow"}, "A tile can’t be changed by “grow”."),
        ({"place": "0", "text": "x"}, "This text is no longer there."),
        ({"question": "1000000"}, "You have no saved question 1000000."),
        ({"text": " "}, "A text has 1 to 2,000 characters"),
        ({"text": "x" * 2_001}, "A text has 1 to 2,000 characters"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(board, ada, sent, sentence):
    before = ids(board)
    answer_ = page_of(ada).post(f"/dashboards/{board.pk}/tiles", sent, follow=True)
    assert sentence.replace("’", "&#x27;") in answer_.content.decode()
    assert ids(board) == before


def test_settings_rename_share_and_delete(board, ada):
    page, url = page_of(ada), f"/dashboards/{board.pk}/edit/"
    page.post(url, {"name": "Shop", "audience": "private"})
    board.refresh_from_db()
    assert (board.name, board.audience) == ("Shop", "private")
    assert page.post(url, {"name": "", "audience": "private"}).status_code == 400
    page.post("/dashboards/", {"name": "Another"})
    assert page.post("/dashboards/", {"name": "Another"}).status_code == 400
    page.post(f"/dashboards/{board.pk}/delete")
    assert [each.name for each in Dashboard.objects.all()] == ["Another"]
    assert SavedQuestion.objects.count() == len(QUESTIONS)


def test_there_are_limits(ada, monkeypatch):
    monkeypatch.setattr(dashboards, "MOST", 1)
    monkeypatch.setattr(dashboards, "MOST_TILES", 1)
    made = create_dashboard(user=ada, name="a", tiles=[{"text": "x"}])
    with pytest.raises(CannotSave, match="Delete one first"):
        create_dashboard(user=ada, name="b")
    with pytest.raises(CannotSave, match="at most 1 tiles"):
        add_tile(made, {"text": "y"})


def test_a_dashboard_that_takes_too_long_says_so_of_the_rest(board):
    tiles = tiles_of(board, dashboards.filter_of(QueryDict("")), seconds=0)
    assert [tile.said for tile in tiles] == [NO_TIME] * 4 + [""]


def test_a_question_that_no_longer_fits_its_source_says_so(ada):
    question = saved(ada, query="source=shop&by=Rgion")
    made = create_dashboard(user=ada, name="a", tiles=[{"question": question.pk}])
    shown = page_of(ada).get(f"/dashboards/{made.pk}/").content.decode()
    assert texts(shown, ".board .nothing") == ["shop has no column “Rgion”. Did you mean “Region”?"]


# --- the first page ------------------------------------------------------------------------------


def test_a_dashboard_becomes_the_first_page_of_who_chooses_it(board, ada, bob):
    page = page_of(bob)
    assert page.get("/").status_code == 200
    page.post("/dashboards/first-page", {"dashboard": str(board.pk)})
    assert page.get("/")["Location"] == f"/dashboards/{board.pk}/"
    assert page_of(ada).get("/").status_code == 200
    # The automatic one stays where it was, with any parameter.
    automatic = href(page.get("/dashboards/").content.decode(), "tbody tr:first-child th a")
    assert automatic == "/?range=all"
    assert texts(page.get(automatic).content.decode(), "h1") == ["Dashboard"]
    page.post("/dashboards/first-page", {"dashboard": ""})
    assert page.get("/").status_code == 200


def test_a_first_page_that_is_no_longer_shared_is_the_automatic_one(board, bob):
    page = page_of(bob)
    page.post("/dashboards/first-page", {"dashboard": str(board.pk)})
    change_dashboard(board, audience="private")
    assert page.get("/").status_code == 200
    assert page.post("/dashboards/first-page", {"dashboard": str(board.pk)}).status_code == 404
    board.delete()
    assert not FirstPage.objects.exists()


def test_a_dashboard_makes_few_queries(board, ada, django_assert_max_num_queries):
    page = page_of(ada)
    with django_assert_max_num_queries(70):
        page.get(f"/dashboards/{board.pk}/")
