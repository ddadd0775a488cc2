"""Changing a password, and choosing a new one by a link in a mail."""

import re
import smtplib
import time

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client

from accounts.sign_in.forms import RESET_SECONDS
from tests.accounts.people import PASSWORD, is_in, person, sign_in
from tests.installation import wait_for
from tests.markup import texts

pytestmark = pytest.mark.django_db

NEW = "another long password"


@pytest.fixture
def ada():
    return person("ada", email="Ada@Example.com")


@pytest.fixture
def sends_mail(settings):
    settings.SENDS_MAIL = True


def change(client, old=PASSWORD, new=NEW, again=None):
    given = {"oldpassword": old, "password1": new, "password2": again or new}
    return client.post("/account/password/", given)


def ask(address, client=None):
    return (client or Client()).post("/login/reset/", {"email": address})


def link_for(address):
    """The path of the link in the mail that is sent."""
    mail.outbox.clear()
    ask(address)
    wait_for(lambda: mail.outbox, seconds=60, what="a mail")
    (found,) = re.findall(r"http://testserver(/\S+)", str(mail.outbox[0].body))
    return found


def test_changing_the_password_ends_all_other_sessions(ada):
    here, elsewhere = Client(), Client()
    sign_in(client=here)
    sign_in(client=elsewhere)
    key = here.session.session_key
    assert change(here)["Location"] == "/account/"
    assert is_in(here)
    assert not is_in(elsewhere)
    assert here.session.session_key != key
    assert sign_in(password=PASSWORD).status_code == 200
    assert sign_in(password=NEW).status_code == 302


def test_a_person_without_any_permission_changes_the_password(client):
    client.force_login(person("eve"))
    assert client.get("/account/password/").status_code == 200
    assert change(client).status_code == 302


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("wrong", NEW, NEW), "Please type your current password."),
        ((PASSWORD, NEW, "different"), "You must type the same password each time."),
        ((PASSWORD, "12345678", "12345678"), "This password is entirely numeric."),
        ((PASSWORD, "short", "short"), "at least 8 characters"),
        ((PASSWORD, "password", "password"), "too common"),
    ],
)
def test_a_password_that_will_not_do_is_refused_with_the_reason(client, ada, given, said):
    sign_in(client=client)
    page = change(client, *given).content.decode()
    assert any(said in text for text in texts(page, "[role=alert]"))
    assert sign_in().status_code == 302


def test_who_logs_in_elsewhere_is_told_that_there_is_no_password_here(client):
    client.force_login(User.objects.create_user("eve"))
    assert "has no password here" in client.get("/account/password/").content.decode()
    assert change(client, "").status_code == 200
    assert not User.objects.get().has_usable_password()


def test_without_a_mail_server_the_page_says_whom_to_ask(client, ada):
    for response in (client.get("/login/reset/"), ask("ada@example.com", client)):
        assert "Ask one of its administrators" in response.content.decode()
    assert mail.outbox == []


def test_a_link_in_a_mail_leads_to_a_new_password(ada, sends_mail):
    elsewhere = Client()
    sign_in(client=elsewhere)
    link = link_for("ada@example.com")
    message = mail.outbox[0]
    assert message.to == ["ada@example.com"]
    assert message.subject == "Reset your password for DataFlow Analytics"
    assert "account ada at testserver" in message.body

    client = Client()
    form = client.get(link)["Location"]
    assert form.endswith("-set-password/")
    assert client.get(form).status_code == 200
    answer = client.post(form, {"password1": NEW, "password2": NEW})
    assert answer["Location"] == "/login/"
    assert "Password changed" in client.get("/login/").content.decode()
    assert not is_in(client)
    assert not is_in(elsewhere)
    assert sign_in(password=NEW).status_code == 302
    assert Client().get(link).status_code == 400


def test_a_link_lasts_an_hour(ada, sends_mail, settings):
    link = link_for("ada@example.com")
    settings.PASSWORD_RESET_TIMEOUT = -1
    assert Client().get(link).status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        "/login/reset/1-abc-def/",
        "/login/reset/1-set-password/",
        "/login/reset/zzzzzzzzzzzzzzzzzzzz-abc-def/",
    ],
)
def test_a_forged_link_is_refused(ada, path):
    for response in (Client().get(path), Client().post(path, {"password1": NEW})):
        assert response.status_code == 400
        assert "This link is not valid" in response.content.decode()


def test_a_changed_link_is_refused(ada, sends_mail):
    eve = person("eve")
    link = link_for("ada@example.com")
    uid = link.removeprefix("/login/reset/").partition("-")[0]
    assert Client().get(link.replace(f"/{uid}-", f"/{eve.pk}-")).status_code == 400
    assert Client().get(f"{link[:-2]}x/").status_code == 400


def test_known_and_unknown_addresses_are_answered_alike_and_in_the_same_time(ada, sends_mail):
    User.objects.create_user("elsewhere", "elsewhere@example.com")
    person("gone", email="gone@example.com", is_active=False)
    answers, times = set(), []
    for name in ("ada", "nobody", "elsewhere", "gone"):
        began = time.monotonic()
        answer = ask(f"{name}@example.com")
        times.append(time.monotonic() - began)
        answers.add((answer.status_code, answer["Location"]))
    assert answers == {(302, "/login/reset/sent/")}
    assert min(times) >= RESET_SECONDS
    wait_for(lambda: mail.outbox, seconds=60, what="a mail")
    assert [message.to for message in mail.outbox] == [["ada@example.com"]]


def test_a_mail_server_that_fails_does_not_show(ada, sends_mail, monkeypatch, caplog):
    def fail(self):
        raise smtplib.SMTPServerDisconnected("gone")

    monkeypatch.setattr("django.core.mail.EmailMessage.send", fail)
    assert ask("ada@example.com").status_code == 302
    wait_for(lambda: "could not be sent" in caplog.text, seconds=60, what="a line in the log")


def test_mails_are_not_asked_for_without_end(ada, sends_mail):
    statuses = [ask("ada@example.com").status_code for _ in range(7)]
    assert statuses == [302] * 5 + [429] * 2
