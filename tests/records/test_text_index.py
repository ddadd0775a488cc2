"""The index of texts: with it, without it and while it is behind, the same records are found."""

import threading

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.http import QueryDict
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflow_site.tasks import index_texts, tend_texts
from explore.explorer import facets
from explore.filters import RecordQuery
from processing.jobs.process import create_run
from records import store
from records.jobs.runner import work_on
from records.models import RecordText, TextChange
from records.store import text_index
from tests.factories import WORKER
from tests.landed import land, process_all, sale
from tests.mixtures import STEP, take

pytestmark = pytest.mark.django_db

TEXTS = ["2026-03-01", "never", "s:1", "23:59", "xyz", "x", '"', "2026-03-02T23:59:59"]
needs_index = pytest.mark.usefixtures("index")


@pytest.fixture
def index(db):
    if not text_index.is_kept():
        pytest.skip("SQLite, and PostgreSQL without pg_trgm, look at every record.")


def found(text: str, **parameters: str) -> list[str]:
    query = QueryDict(mutable=True)
    query.update({"q": text, **parameters})
    records = RecordQuery.parse(query)
    assert records.is_valid, records.errors
    return sorted(record.id for record in records.queryset())


def looked_through(monkeypatch: pytest.MonkeyPatch, text: str, **parameters: str) -> list[str]:
    """What is found by a look at every record."""
    with monkeypatch.context() as patched:
        patched.setattr(text_index, "candidates", lambda texts: None)
        return found(text, **parameters)


def test_what_landed_is_found_before_and_after_the_index_follows():
    land("shop", {"1": sale(1, note="a red kettle"), "2": sale(2, note="a blue kettle")})
    assert found("red kettle") == ["shop:1"]
    text_index.follow()
    assert found("RED kettle") == ["shop:1"]
    assert found("shop:2") == ["shop:2"]
    assert found("a green kettle") == []


def test_what_changes_is_found_as_it_is_now():
    land("shop", {"1": sale(1, note="a red kettle"), "2": sale(2, note="a blue kettle")})
    text_index.follow()
    store.edit_record(record_id="shop:1", data=sale(1, note="a green kettle"), user=None)
    store.delete_records(ids=["shop:2"])
    for _ in range(2):
        assert found("kettle") == ["shop:1"]
        assert found("green kettle") == ["shop:1"]
        assert found("red kettle") == found("blue kettle") == []
        text_index.follow()


@pytest.mark.parametrize(
    "text",
    ['say "hello"', "100%_sure", r"C:\temp\new", "two\nlines", "tab\there", "Größe", "ΛΌΓΟΣ",
     "λόγος", "straße", "İstanbul", "naïve café", "日本語テキスト", "🦉 owl", "\x01control"],
)  # fmt: skip
@pytest.mark.parametrize("change", [str, str.upper, str.lower, str.title])
def test_unusual_texts_are_found_as_without_an_index(text, change, monkeypatch):
    near = {"1": text, "2": f"<{text}>", "3": text.swapcase(), "4": text[::-1], "5": "nothing"}
    land("shop", {key: {"id": key, "note": note} for key, note in near.items()})
    text_index.follow()
    assert found(change(text)) == looked_through(monkeypatch, change(text))
    assert found(text)[:2] == ["shop:1", "shop:2"]
    for operator in ("eq", "contains"):
        where = {"where": f"note:{operator}:{change(text)}"}
        assert found("", **where) == looked_through(monkeypatch, "", **where)
    assert "shop:1" in found("", where=f"note:eq:{text}")


@pytest.mark.parametrize("cell", [1.50, -0.0, 12345678901234567890, True, {"a": ['x"y', 2]}, "1e5"])
def test_cells_that_are_no_text_are_found_as_without_an_index(cell, monkeypatch):
    land("shop", {"1": {"id": "1", "cell": cell}, "2": {"id": "2", "cell": [cell, "more"]}})
    text_index.follow()
    for text in ("1.5", "-0.0", "12345678901234567890", "true", 'x"y', r'"x\"y"', "1e5", "100000"):
        for where in (f"cell:eq:{text}", f"cell:contains:{text}"):
            assert found("", where=where) == looked_through(monkeypatch, "", where=where)
        assert found(text) == looked_through(monkeypatch, text)


def test_of_several_cells_that_may_be_equal_each_is_found():
    land("shop", {str(number): sale(number, city=f"city {number}") for number in range(5)})
    text_index.follow()
    query = QueryDict("where=city:eq:city+1&where=city:eq:city+3&where=id:ne:1")
    assert [record.id for record in RecordQuery.parse(query).queryset()] == ["shop:3"]


@settings(max_examples=40)
@given(steps=st.lists(st.one_of(STEP, st.just(("follow", None))), max_size=12))
def test_after_any_mixture_of_work_the_same_is_found(db, tmp_path, steps):
    with transaction.atomic(), pytest.MonkeyPatch.context() as monkeypatch:
        for step in steps:
            if step[0] == "follow":
                text_index.follow()
            else:
                take(step, tmp_path / "s.csv")
            for text in TEXTS:
                assert found(text) == looked_through(monkeypatch, text)
        transaction.set_rollback(True)


@needs_index
def test_the_index_holds_what_there_is_and_nothing_else():
    land("shop", {str(number): sale(number) for number in range(5)})
    text_index.follow()
    store.delete_records(ids=["shop:1"])
    store.edit_record(record_id="shop:2", data={"note": "grey"}, user=None)
    text_index.follow()
    texts = dict(RecordText.objects.values_list("pk", "text"))
    assert sorted(texts) == ["shop:0", "shop:2", "shop:3", "shop:4"]
    assert texts["shop:2"] == 'SHOP:2\n["GREY"]'
    assert not TextChange.objects.exists()


@needs_index
def test_an_index_that_lost_something_is_made_anew(capsys):
    land("shop", {"1": sale(1, note="a red kettle"), "2": sale(2)})
    text_index.follow()
    RecordText.objects.filter(pk="shop:1").delete()
    RecordText.objects.create(record_id="gone:1", text="A RED KETTLE")
    assert found("red kettle") == []
    call_command("index_texts", "--anew")
    assert capsys.readouterr().out == "The text index is up to date.\n"
    assert found("red kettle") == ["shop:1"]
    assert not RecordText.objects.filter(pk="gone:1").exists()


def test_a_database_without_the_index_says_so(capsys, monkeypatch):
    monkeypatch.setattr(text_index, "is_kept", lambda: False)
    call_command("index_texts", "--anew")
    assert "has no text index" in capsys.readouterr().out


@needs_index
def test_a_rare_text_is_looked_for_where_the_index_says_and_nowhere_else(monkeypatch):
    land("shop", {str(number): sale(number) for number in range(10)})
    text_index.follow()
    monkeypatch.setattr(text_index, "FEW", 3)
    assert text_index.candidates({"shop:7"}) == {"shop:7"}
    # Many have it; and for the others an index of trigrams would have to be read as a whole.
    assert text_index.candidates({"shop"}) is None
    assert text_index.candidates({"p:"}) is None
    assert text_index.candidates({"shop:7", ": "}) is None
    assert len(found("shop")) == 10


@needs_index
def test_with_much_to_follow_every_record_is_looked_at(monkeypatch):
    monkeypatch.setattr(text_index, "MOST_NOTED", 3)
    land("shop", {str(number): sale(number) for number in range(3)})
    assert text_index.candidates({"nothing"}) == {"shop:0", "shop:1", "shop:2"}
    land("shop", {"3": sale(3)})
    assert text_index.candidates({"nothing"}) is None


@needs_index
@pytest.mark.django_db(transaction=True)
def test_a_change_is_found_whose_transaction_was_open_when_the_index_followed():
    land("shop", {"1": sale(1, note="a red kettle")})
    written, go_on = threading.Event(), threading.Event()

    def edit() -> None:
        try:
            with transaction.atomic():
                store.edit_record(record_id="shop:1", data={"note": "a blue kettle"}, user=None)
                written.set()
                assert go_on.wait(10)
        finally:
            connection.close()

    editing = threading.Thread(target=edit)
    editing.start()
    assert written.wait(10)
    text_index.follow()
    assert found("red kettle") == ["shop:1"]
    go_on.set()
    editing.join()
    assert found("blue kettle") == ["shop:1"]
    text_index.follow()
    assert (found("blue kettle"), found("red kettle")) == (["shop:1"], [])


@needs_index
def test_one_worker_is_called_when_no_run_comes_first(monkeypatch):
    called = []
    monkeypatch.setattr(
        "dataflow_site.tasks.async_task", lambda task, **options: called.append(task)
    )
    tend_texts()
    land("shop", {"1": sale(1)})
    run = create_run(trigger="test")
    tend_texts()
    assert called == []
    work_on(run, WORKER)
    tend_texts()
    tend_texts()
    assert called == ["dataflow_site.tasks.index_texts"]
    index_texts()
    assert not TextChange.objects.exists()
    tend_texts()
    assert len(called) == 1


@needs_index
def test_a_worker_goes_on_after_its_turn_and_leaves_when_a_run_comes(monkeypatch):
    called = []
    monkeypatch.setattr(
        "dataflow_site.tasks.async_task", lambda task, **options: called.append(task)
    )
    for number in range(3):
        land("shop", {str(number): sale(number)})
    process_all()
    monkeypatch.setattr("dataflow_site.tasks.TURN_SECONDS", 0)
    index_texts()
    assert (TextChange.objects.count(), len(called)) == (3, 1)
    monkeypatch.undo()
    monkeypatch.setattr(
        "dataflow_site.tasks.async_task", lambda task, **options: called.append(task)
    )
    create_run(trigger="test")
    index_texts()
    assert (TextChange.objects.count(), len(called)) == (3, 1)


@needs_index
def test_facets_of_few_records_are_exact_though_there_are_many(monkeypatch):
    monkeypatch.setattr(facets, "EXACT", 3)
    # As many as there are: pages of a table are drawn whole, and here is one.
    monkeypatch.setattr(facets, "SAMPLE", 12)
    monkeypatch.setattr(text_index, "FEW", 3)
    cities = {str(number): "Rome" if number % 5 == 0 else "Paris" for number in range(12)}
    land("shop", {key: sale(1, id=key, city=city) for key, city in cities.items()})
    process_all()
    text_index.follow()

    def counted(query: str) -> dict[str, tuple[dict[str, int | None], bool]]:
        return {
            facet.label: ({value.text: value.count for value in facet.values}, facet.is_sampled)
            for facet in facets.all_facets(RecordQuery.parse(QueryDict(query)), column="city")
        }

    of_few = counted("where=city:eq:Rome")
    assert of_few["Status"] == ({"processed": 3}, False)
    assert of_few["Category"] == ({"toys": 3}, False)
    # What a column may be narrowed by is counted without what is chosen of it: among all.
    assert of_few["city"][1]
    assert counted("q=rome&category=toys")["city"] == ({"Rome": 3}, False)
    assert counted("q=paris")["Category"][1]
