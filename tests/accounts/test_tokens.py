"""API tokens open what their owner may do, for as long and as far as they were made for."""

import hashlib
import logging
from datetime import timedelta
from time import time
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from rest_framework.response import Response
from rest_framework.test import APIClient

from accounts.models import ApiToken, SourceGrant, TokenKind, TokenScope
from accounts.tokens import attempts
from accounts.tokens.manage import TokenError, create_token, may_create_for, revoke
from explore.api.views import RootView
from records.models import Export, Source
from records.store import delete_source
from records.visible_sources import visible_sources
from tests.landed import land, sale
from tests.people import viewer
from tests.tokens import token_of

pytestmark = pytest.mark.django_db

WRONG = f"dfa_{'0' * 12}_{'0' * 64}"


@pytest.fixture
def owner() -> User:
    return User.objects.create_superuser("ada", password="a long password")


def ask(token: str, *, method: str = "get", path: str = "/api/", **extra: Any) -> Response:
    client = APIClient(REMOTE_ADDR=extra.pop("address", "203.0.113.7"))
    client.credentials(HTTP_AUTHORIZATION=f"{extra.pop('scheme', 'Token')} {token}", **extra)
    answer: Response = getattr(client, method)(path)
    return answer


@pytest.mark.parametrize("scheme", ["Token", "Bearer", "bearer"])
def test_a_token_is_accepted_after_either_word(owner, scheme):
    assert ask(token_of(owner), scheme=scheme).status_code == 200


def test_only_a_digest_of_a_token_is_stored(owner):
    token = token_of(owner)
    (row,) = ApiToken.objects.values()
    assert row["digest"] == hashlib.sha256(token.encode()).hexdigest()
    assert token.startswith(row["prefix"])
    secret = token.removeprefix(row["prefix"]).strip("_")
    assert len(bytes.fromhex(secret)) == 32
    assert not any(secret in str(value) for value in row.values())


def test_an_expired_token_is_answered_401_at_once(owner):
    token = token_of(owner, days=30)
    month = timezone.now() + timedelta(days=30)
    assert ApiToken.objects.filter(expires_at__range=(month - timedelta(minutes=5), month)).exists()
    assert ask(token).status_code == 200
    ApiToken.objects.update(expires_at=timezone.now())
    answer = ask(token)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Token, Bearer"
    assert "has expired. Create a new one" in answer.data["detail"]


def test_a_revoked_token_is_answered_401_at_once(owner):
    token = token_of(owner)
    assert revoke(ApiToken.objects.get())
    assert not revoke(ApiToken.objects.get())
    answer = ask(token)
    assert answer.status_code == 401
    assert "has been revoked" in answer.data["detail"]


def test_no_token_works_while_its_owner_is_deactivated(owner):
    tokens = [token_of(owner), token_of(owner, kind=TokenKind.SERVICE, days=None)]
    User.objects.update(is_active=False)
    for token in tokens:
        answer = ask(token)
        assert answer.status_code == 401
        assert "deactivated" in answer.data["detail"]


def test_a_change_of_the_password_ends_personal_tokens_and_no_others(owner):
    personal, service = token_of(owner), token_of(owner, kind=TokenKind.SERVICE)
    others = token_of(viewer("grace"))
    owner.set_password("another long password")
    owner.save()
    assert [ask(token).status_code for token in (personal, service, others)] == [401, 200, 200]
    assert ask(token_of(owner)).status_code == 200


def test_a_hash_that_is_renewed_at_sign_in_ends_no_token(owner, settings):
    token = token_of(owner)
    known = owner.password
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        *settings.PASSWORD_HASHERS,
    ]
    assert Client().login(username="ada", password="a long password")
    owner.refresh_from_db()
    assert owner.password != known
    assert ask(token).status_code == 200


def test_a_token_for_reading_changes_nothing(owner):
    token = token_of(owner, scope=TokenScope.READ)
    assert ask(token).status_code == 200
    for path in ("/process", "/api/process", "/ingest", "/api/ingest"):
        answer = ask(token, method="post", path=path)
        assert answer.status_code == 403
        assert "may only read" in answer.data["detail"]
    assert ask(token_of(owner), method="post", path="/process").status_code == 202


def test_a_token_gives_no_permission_that_its_owner_lacks():
    reader = viewer("reader")
    assert ask(token_of(reader), method="post", path="/process").status_code == 403


def test_a_request_sees_no_more_than_the_sources_of_its_token(owner, monkeypatch):
    seen: list[Any] = []

    def look(*args: Any) -> Response:
        seen.append(visible_sources())
        return Response({})

    monkeypatch.setattr(RootView, "get", look)
    land("depot", {"1": sale(1)})
    limited = viewer("grace")
    limited.user_permissions.add(Permission.objects.get(codename="view_datarecord"))
    SourceGrant.objects.create(user=limited, source=Source.objects.get())
    for user, sources in ((owner, ["shop", "depot"]), (owner, None), (limited, ["shop", "depot"])):
        assert ask(token_of(user, sources=sources)).status_code == 200
    assert seen == [{"shop", "depot"}, None, {"depot"}]


def test_a_token_for_a_source_that_is_deleted_does_not_open_a_new_one_of_its_name(owner):
    source = Source.objects.create(name="fleeting")
    token = token_of(owner, sources=["fleeting", "shop"])
    only = token_of(owner, sources=["fleeting"])
    delete_source(source=source)
    land("fleeting", {"1": sale(1)})
    land("shop", {"1": sale(1)})
    for text, names in ((token, ["shop"]), (only, [])):
        listed = ask(text, path="/api/v1/sources").data["sources"]
        assert [each["name"] for each in listed] == names
    assert ApiToken.objects.of(owner).filter(name="test 1").get().sources == []


def test_a_request_takes_one_query_to_be_authenticated(owner, django_assert_num_queries):
    token = token_of(owner)
    ask(token)
    with django_assert_num_queries(1):
        assert ask(token).status_code == 200


def test_the_last_use_is_noted_at_most_once_a_minute(owner):
    token = token_of(owner)
    ask(token, address="203.0.113.7")
    first = ApiToken.objects.get()
    assert first.last_used_from == "203.0.113.7"
    ask(token, address="203.0.113.8")
    assert ApiToken.objects.get().last_used_at == first.last_used_at
    ApiToken.objects.update(last_used_at=timezone.now() - timedelta(minutes=2))
    ask(token, address="203.0.113.8")
    assert ApiToken.objects.get().last_used_from == "203.0.113.8"


def test_many_wrong_tokens_are_slowed_down_and_right_ones_of_the_same_address_are_not(
    owner, monkeypatch
):
    codes = [ask(WRONG).status_code for _ in range(50)]
    assert codes == [401] * attempts.MOST + [429] * (50 - attempts.MOST)
    answer = ask(WRONG)
    assert 0 < int(answer.headers["Retry-After"]) <= attempts.WINDOW_SECONDS
    assert ask(token_of(owner)).status_code == 200
    assert ask(WRONG, address="203.0.113.8").status_code == 401
    monkeypatch.setattr(attempts, "time", lambda: time() + attempts.WINDOW_SECONDS)
    assert ask(WRONG).status_code == 401


def test_a_forged_header_gains_no_further_attempts(settings):
    forged = [ask(WRONG, HTTP_X_FORWARDED_FOR=f"198.51.100.{n}").status_code for n in range(25)]
    assert forged[-1] == 429
    settings.TRUSTED_PROXIES = 1
    sent = [
        ask(WRONG, HTTP_X_FORWARDED_FOR=f"{n}.1.1.1, 9.9.9.9").status_code for n in range(1, 25)
    ]
    assert (sent[0], sent[-1]) == (401, 429)


def test_the_addresses_of_an_ipv6_network_are_counted_together():
    for n in range(attempts.MOST):
        ask(WRONG, address=f"2001:db8:0:1::{n:x}")
    assert ask(WRONG, address="2001:db8:0:1:ffff::1").status_code == 429
    assert ask(WRONG, address="2001:db8:0:2::1").status_code == 401


def test_no_answer_and_no_log_shows_a_token(owner, caplog, settings):
    caplog.set_level(logging.DEBUG)
    token = token_of(owner, scope=TokenScope.READ)
    answers = [ask(token), ask(token, method="post", path="/process")]
    revoke(ApiToken.objects.get())
    answers.append(ask(token))
    secret = token.split("_")[2]
    assert not any(secret in answer.content.decode() for answer in answers)
    assert secret not in caplog.text


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "two\nlines", "nul\0"])
def test_the_name_of_a_token_is_one_line(owner, name):
    with pytest.raises(TokenError, match="one line of 1 to 100 characters"):
        create_token(owner=owner, name=name)


def test_two_tokens_in_use_have_different_names(owner):
    create_token(owner=owner, name="laptop")
    with pytest.raises(TokenError, match="already a token “laptop”"):
        create_token(owner=owner, name="laptop")
    revoke(ApiToken.objects.get())
    create_token(owner=owner, name="laptop")


def test_only_service_tokens_may_be_made_without_an_end(owner):
    with pytest.raises(TokenError, match="must expire"):
        create_token(owner=owner, name="laptop", days=None)
    token, _ = create_token(owner=owner, name="nightly", kind=TokenKind.SERVICE, days=None)
    assert token.expires_at is None


def test_nobody_makes_tokens_for_someone_who_may_do_more(owner):
    reader, editor = viewer("reader"), viewer("editor")
    editor.user_permissions.add(Permission.objects.get(codename="add_processingrun"))
    assert may_create_for(owner, editor)
    assert may_create_for(editor, reader)
    assert may_create_for(editor, editor)
    assert not may_create_for(reader, editor)
    assert not may_create_for(editor, owner)


def test_nobody_makes_tokens_for_someone_who_sees_more_sources(owner):
    land("shop", {"1": sale(1)})
    limited, other = viewer("limited"), viewer("other")
    SourceGrant.objects.create(user=limited, source=Source.objects.get())
    assert may_create_for(other, limited)
    assert not may_create_for(limited, other)


def test_a_token_for_some_sources_has_no_part_in_files_that_workers_make(owner):
    land("shop", {"1": sale(1)})
    land("depot", {"1": sale(1)})
    made = Export.objects.create(user=owner, query="format=xlsx", trigger="test")
    part, whole = token_of(owner, sources=["shop"]), token_of(owner)
    for path in (f"/api/exports/{made.pk}", f"/api/exports/{made.pk}/file"):
        refused = ask(part, path=path)
        assert refused.status_code == 403
        assert "Export CSV or NDJSON" in refused.data["detail"]
    assert ask(whole, path=f"/api/exports/{made.pk}").status_code == 200
    exported = ask(part, path="/api/export?format=ndjson")
    assert [line[:14] for line in exported] == [b'{"id":"shop:1"']
    exported.close()


def test_a_token_for_some_sources_reads_only_these(owner):
    land("shop", {"1": sale(1)})
    land("depot", {"1": sale(1)})
    part = token_of(owner, sources=["shop"])
    listed = ask(part, path="/api/records").data["records"]
    assert [record["id"] for record in listed] == ["shop:1"]
    assert ask(part, path="/api/records/depot:1").status_code == 404


def test_a_command_creates_a_token(owner, capsys):
    land("shop", {"1": sale(1)})
    call_command("create_token", "ada", "--name", "nightly", "--kind", "service",
                 "--scope", "write", "--expires", "never", "--source", "shop")  # fmt: skip
    assert ask(capsys.readouterr().out.strip()).status_code == 200
    token = ApiToken.objects.get()
    assert (token.name, token.kind, token.scope) == ("nightly", "service", "write")
    assert (token.sources, token.expires_at) == (["shop"], None)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nobody", "--name", "x"], "There is no user 'nobody'"),
        (["ada", "--name", "x", "--source", "none"], "There is no source 'none'"),
        (["ada", "--name", "x", "--expires", "never"], "must expire"),
        (["ada", "--name", "two\nlines"], "one line"),
    ],
)
def test_the_command_says_what_makes_no_token(owner, arguments, sentence):
    with pytest.raises(CommandError, match=sentence):
        call_command("create_token", *arguments)


def test_the_admin_shows_tokens_without_digests_and_changes_none(owner, admin_client):
    token_of(owner)
    token = ApiToken.objects.get()
    for path in ("/admin/accounts/apitoken/", f"/admin/accounts/apitoken/{token.pk}/change/"):
        page = admin_client.get(path).content.decode()
        assert token.prefix in page
        assert token.digest not in page
    assert admin_client.get("/admin/accounts/apitoken/add/").status_code == 403
    assert admin_client.post(f"/admin/accounts/apitoken/{token.pk}/delete/").status_code == 403
