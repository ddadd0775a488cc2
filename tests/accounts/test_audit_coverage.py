"""No URL changes anything without an entry in the audit log."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from accounts import audit
from records.models import Source

pytestmark = pytest.mark.django_db

CHANGING = ("post", "put", "patch", "delete")
A = audit.Action

# What the URLs enter that change something. Whoever adds such a URL adds it here, with a test of
# its entry in test_audit.py.
ENTERED: dict[str, set[audit.Action]] = {
    "login": {A.SIGNED_IN, A.SIGN_IN_FAILED, A.SIGN_IN_BLOCKED},
    "account_login": {A.SIGNED_IN, A.SIGN_IN_FAILED, A.SIGN_IN_BLOCKED},
    "logout": {A.SIGNED_OUT},
    "account_logout": {A.SIGNED_OUT},
    "account_change_password": {A.PASSWORD_CHANGED},
    "account_reset_password_from_key": {A.PASSWORD_CHANGED},
    "mfa_authenticate": {A.SIGNED_IN},
    "mfa_login_webauthn": {A.SIGNED_IN},
    "openid_connect_login": {A.SIGNED_IN},
    "mfa_activate_totp": {A.SECOND_FACTOR_ADDED},
    "mfa_deactivate_totp": {A.SECOND_FACTOR_REMOVED},
    "mfa_generate_recovery_codes": {A.SECOND_FACTOR_ADDED, A.SECOND_FACTOR_REMOVED},
    "mfa_add_webauthn": {A.SECOND_FACTOR_ADDED},
    "mfa_remove_webauthn": {A.SECOND_FACTOR_REMOVED},
    "people": {A.PERSON_CREATED},
    "person": {A.PERSON_CHANGED, A.ROLE_GIVEN, A.ROLE_TAKEN, A.GRANT_GIVEN, A.GRANT_TAKEN},
    "groups": {A.ROLE_CREATED, A.GRANT_GIVEN},
    "group": {A.GRANT_GIVEN, A.GRANT_TAKEN, A.ROLE_GIVEN, A.ROLE_TAKEN},
    "own-tokens": {A.TOKEN_CREATED},
    "revoke-token": {A.TOKEN_REVOKED},
    "all-tokens": {A.TOKEN_CREATED},
    "account-end-others": {A.SESSIONS_ENDED},
    "account-end-session": {A.SESSIONS_ENDED, A.SIGNED_OUT},
    "authorization": {A.ACCESS_GIVEN},
    "token": {A.ACCESS_TOKEN_ISSUED},
    "revoke": {A.ACCESS_ENDED},
    "end-application": {A.ACCESS_ENDED},
    "oauth-clients": {A.CLIENT_CREATED},
    "revoke-client": {A.CLIENT_REVOKED},
    "act": {A.RECORDS_DELETED, A.RECORDS_REPROCESSED},
    "save-view": {A.VIEW_SAVED},
    "remove-view": {A.VIEW_REMOVED},
    "save-question": {A.QUESTION_SAVED, A.DASHBOARD_SAVED},
    "saved-question": {A.QUESTION_SAVED},
    "delete-question": {A.QUESTION_DELETED},
    "dashboards": {A.DASHBOARD_SAVED},
    "edit-dashboard": {A.DASHBOARD_SAVED},
    "change-tiles": {A.DASHBOARD_SAVED},
    "keep-filter": {A.DASHBOARD_SAVED},
    "delete-dashboard": {A.DASHBOARD_DELETED},
    "api-sql": {A.SQL_RUN},
    "new-share-link": {A.SHARE_LINK_CREATED},
    "revoke-share-link": {A.SHARE_LINK_REVOKED},
    "export": {A.EXPORT_STARTED, A.RECORDS_EXPORTED},
    "cancel-export": {A.RUN_CANCELLED},
    "cancel-ingestion": {A.RUN_CANCELLED},
    "retry-ingestion": {A.RUN_RETRIED},
    "cancel-processing": {A.RUN_CANCELLED},
    "retry-processing": {A.RUN_RETRIED},
    "upload": {A.IMPORT_UPLOADED},
    "preview": {A.IMPORT_STARTED, A.IMPORT_DISCARDED, A.REKEY_STARTED},
    "rejected-row": {A.ROW_REPAIRED, A.ROWS_REPLAYED},
    "replay-run": {A.ROWS_REPLAYED},
    "undo-run": {A.IMPORT_UNDONE},
    "source-settings": {A.SOURCE_CHANGED},
    "new-feed": {A.FEED_SAVED},
    "feed": {A.FEED_SAVED},
    "feed-load": {A.IMPORT_STARTED},
    "feed-remove": {A.FEED_REMOVED},
    "process": {A.PROCESSING_STARTED},
    "number-format": {A.SOURCE_CHANGED, A.RULES_SAVED, A.PROCESSING_STARTED},
    "rules": {A.RULES_SAVED},
    "api-ingest": {A.IMPORT_STARTED},
    "api-events": {A.IMPORT_STARTED},
    "api-process": {A.PROCESSING_STARTED},
    "api-rules": {A.RULES_SAVED},
    "api-records": {A.IMPORT_STARTED, A.RECORDS_EDITED, A.RECORDS_DELETED},
    "api-record": {A.RECORD_EDITED, A.RECORDS_DELETED},
    "api-dry-runs": {A.IMPORT_UPLOADED},
    "api-draft": {A.IMPORT_STARTED, A.IMPORT_DISCARDED},
    "api-feed": {A.FEED_SAVED, A.FEED_REMOVED},
    "api-feed-run": {A.IMPORT_STARTED},
    "api-run-cancel": {A.RUN_CANCELLED},
    "api-run-retry": {A.RUN_RETRIED},
    "api-run-undo": {A.IMPORT_UNDONE},
    "api-source": {A.SOURCE_CHANGED},
    "api-saved-questions": {A.QUESTION_SAVED},
    "api-saved-question": {A.QUESTION_SAVED, A.QUESTION_DELETED},
    "api-dashboards": {A.DASHBOARD_SAVED},
    "api-dashboard": {A.DASHBOARD_SAVED, A.DASHBOARD_DELETED},
    "api-views": {A.VIEW_SAVED},
    "api-view": {A.VIEW_SAVED, A.VIEW_REMOVED},
    "api-repair": {A.ROW_REPAIRED, A.ROWS_REPLAYED},
    "api-run-replay": {A.ROWS_REPLAYED},
    "api-rekey": {A.REKEY_STARTED},
    "api-made-export": {A.EXPORT_DELETED},
}
# What takes forms or bodies and changes nothing that anybody but its sender sees.
NOTHING_CHANGES = {
    "account_reauthenticate": "confirms who is signed in",
    "mfa_reauthenticate": "confirms who is signed in",
    "mfa_reauthenticate_webauthn": "confirms who is signed in",
    "mfa_download_recovery_codes": "shows their owner what was made before",
    "account_reset_password": "sends a mail; the new password has an entry",
    "api-feed-test": "fetches the first page of an API and keeps nothing",
    "api-rule-test": "tries rules on some rows and keeps nothing",
    "mcp": "tools change nothing; they test rules at most",
    "first-page": "chooses what its sender sees first",
    "rehearse": "a test of draft rules writes no results",
    "cancel-rule-dry-run": "ends such a test",
}


def named_urls(patterns: Any = None, space: str = "") -> Iterator[tuple[str, str]]:
    """The name of each URL outside of the administration, and the URL with some arguments."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            if pattern.app_name != "admin":
                inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
                yield from named_urls(pattern.url_patterns, inner)
        elif isinstance(pattern, URLPattern) and pattern.name:
            yield pattern.name, address(pattern, space)


def address(pattern: URLPattern, space: str) -> str:
    examples = {"name": "shop", "kind": "svg", "record_id": "shop:1", "key": "1-set-password"}
    names = list(pattern.pattern.regex.groupindex)
    for rest in (1, "1", "delete"):
        try:
            wanted = {name: examples.get(name, rest) for name in names}
            return reverse(f"{space}{pattern.name}", kwargs=wanted)
        except NoReverseMatch:
            continue
    raise AssertionError(f"No URL could be made for {pattern.name}.")


def test_each_url_that_takes_changes_is_known_to_enter_them(admin_user: User):
    Source.objects.create(name="shop")
    client, taking = Client(raise_request_exception=False), set()
    for name, url in named_urls():
        # Some of them end the session.
        client.force_login(admin_user)
        if any(getattr(client, method)(url).status_code != 405 for method in CHANGING):
            taking.add(name)
    unknown = taking - ENTERED.keys() - NOTHING_CHANGES.keys()
    assert not unknown, f"What do these enter into the audit log? {sorted(unknown)}"
    assert (ENTERED.keys() | NOTHING_CHANGES.keys()) <= {name for name, _ in named_urls()}
