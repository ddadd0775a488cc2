"""Saves and removes feeds, and starts their runs manually and on schedule."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from cronsim import CronSim, CronSimError
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import audit
from ingestion.errors import InvalidSourceName
from ingestion.feeds.config import api_config, check_api, check_header
from ingestion.feeds.errors import InvalidFeed, SecretUnknown
from ingestion.feeds.fetch import first_page
from ingestion.feeds.folders import QUIET, check_folder, look
from ingestion.feeds.http_client import origin
from ingestion.feeds.json_page import JSONPage
from ingestion.feeds.secrets import (
    check_references,
    decrypt,
    encrypt,
    filled_in,
    kept_names,
    without_secrets,
)
from ingestion.loading.runs import record_start
from records.database.clock import now
from records.jobs.leases import stop
from records.jobs.runner import queue
from records.models import Feed, IngestionRun, RunState, Source

CRON_FIELDS = 5


def save_feed(
    *,
    source_name: str,
    kind: str,
    config: Mapping[str, Any],
    secrets: Mapping[str, str] | None = None,
    forget_secrets: bool = False,
    start_over: bool = False,
    schedule: str = "",
    enabled: bool = True,
    user: User | None = None,
) -> Feed:
    """Save the automatic import of a source; a source that does not exist is created.

    ``secrets`` are headers that are added to the stored ones. Stored ones are deleted if the host
    changes: they were meant for the old one. Raises InvalidFeed, InvalidSourceName.
    """
    try:
        Source(name=source_name).clean_fields(exclude=["mapping"])
    except ValidationError as error:
        raise InvalidSourceName(source_name) from error
    secrets = dict(secrets or {})
    config = dict(config)
    check_config(kind, config, secrets)
    due = first_time(schedule)
    with transaction.atomic():
        source = Source.everything.ensured(source_name)
        feed = Feed.objects.select_for_update().filter(source=source).first()
        is_new = feed is None
        if feed is None:
            feed = Feed(source=source)
        before = _described(feed)
        # It runs in the name of who changed it last.
        feed.user = user
        kept = {} if forget_secrets or not same_host(feed, kind, config) else kept_secrets(feed)
        if kind == Feed.Kind.HTTP:
            feed.secrets = encrypt(kept | secrets)
        else:
            feed.secrets = ""
        if start_over or _asks_otherwise(feed.config, config):
            feed.position = ""
        feed.kind, feed.config = kind, config
        feed.schedule, feed.enabled, feed.next_at = (schedule, enabled, due if enabled else None)
        feed.save()
        after = _described(feed)
        if secrets:
            after["entered headers"] = sorted(secrets)
        _record(audit.Action.FEED_SAVED, feed, before=None if is_new else before, after=after)
    return feed


def _described(feed: Feed) -> dict[str, Any]:
    """A feed as the audit log shows it: without the values of stored headers."""
    config = dict(feed.config)
    if "url" in config:
        config["url"] = without_secrets(config["url"])
    return {
        "kind": feed.kind,
        "config": config,
        "stored headers": kept_names(feed.secrets),
        "position": feed.position,
        "schedule": feed.schedule,
        "enabled": feed.enabled,
    }


def _record(action: audit.Action, feed: Feed, **changes: Any) -> None:
    name = feed.source.name
    audit.record(action, kind="feed", object_id=feed.pk, label=feed, source=name, **changes)


def remove_feed(feed: Feed) -> None:
    """Delete a feed; the source, its records and its runs are kept.

    Runs that have not fetched from their API yet are cancelled.
    """
    with transaction.atomic():
        for run in unfetched(feed):
            stop(run)
        _record(audit.Action.FEED_REMOVED, feed, before=_described(feed))
        feed.delete()


def unfetched(feed: Feed) -> "QuerySet[IngestionRun]":
    """The runs of a feed that have not fetched their input yet."""
    found: QuerySet[IngestionRun] = IngestionRun.objects.active().filter(feed=feed, path="")
    return found


def check_config(kind: str, config: dict[str, Any], secrets: Mapping[str, str]) -> None:
    """Raise InvalidFeed for a configuration that can't be imported from."""
    if kind == Feed.Kind.FOLDER:
        check_folder(config)
        return
    api = api_config(config)
    check_api(api)
    check_references(api.headers)
    check_references(secrets, field="secrets")
    for name, value in secrets.items():
        try:
            check_header(name, value)
        except InvalidFeed as error:
            raise InvalidFeed("secrets", str(error)) from None


def same_host(feed: Feed, kind: str, config: Mapping[str, Any]) -> bool:
    """Whether the host of the feed is the same as before."""
    if not (feed.pk and feed.kind == kind == Feed.Kind.HTTP):
        return False
    return origin(feed.config["url"]) == origin(config["url"])


def kept_secrets(feed: Feed) -> dict[str, str]:
    """The stored headers; none if they can't be decrypted."""
    try:
        return decrypt(feed.secrets)
    except SecretUnknown:
        return {}


def _asks_otherwise(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether the last cursor is meaningless for the new configuration."""
    return any(before.get(key) != now.get(key) for key in ("url", "incremental"))


def first_time(schedule: str) -> datetime | None:
    """When a new schedule is first due; None without one. Raises InvalidFeed."""
    if len(schedule.split()) > CRON_FIELDS:
        raise InvalidFeed(
            "schedule",
            f"{schedule[:100]!r} is not a valid schedule: use five fields for minute, hour, day, "
            "month and weekday. Seconds are not supported.",
        )
    return next_time(schedule)


def next_time(schedule: str, after: datetime | None = None) -> datetime | None:
    """When a schedule (cron) is due next; None without one. Raises InvalidFeed."""
    if not schedule:
        return None
    try:
        return next(CronSim(schedule, timezone.localtime(after or now())))
    except CronSimError as error:
        raise InvalidFeed(
            "schedule", f"{schedule[:100]!r} is not a schedule such as 0 6 * * 1-5: {error}."
        ) from None
    except StopIteration:
        raise InvalidFeed("schedule", f"{schedule[:100]!r} is never due.") from None


def start(feed: Feed, *, trigger: str, user: User | None = None) -> list[IngestionRun]:
    """Create the runs that import what is there now, and queue them; see ``prepare``."""
    made = prepare(feed, trigger=trigger, user=user)
    for run in made:
        queue(run)
    return made


def prepare(feed: Feed, *, trigger: str, user: User | None = None) -> list[IngestionRun]:
    """Create the runs that import what is there now.

    An API has one run at a time: if one is active, that is returned. A folder has one for each
    file that is no longer growing; if others still may be, it is checked again soon, unless the
    schedule is off. Raises FolderRefused.
    """
    if feed.kind == Feed.Kind.FOLDER:
        found, waiting = look(feed, trigger=trigger, user=user)
        if not found:
            _tell_that_it_works(feed, trigger=trigger, user=user)
        if waiting and feed.enabled:
            soon = now() + QUIET + timedelta(seconds=1)
            if feed.next_at is None or feed.next_at > soon:
                feed.next_at = soon
                Feed.objects.filter(pk=feed.pk).update(next_at=soon)
        return found
    with transaction.atomic():
        Feed.objects.select_for_update().get(pk=feed.pk)
        active = IngestionRun.objects.active().filter(feed=feed).first()
        if active is not None:
            return [active]
        made = IngestionRun.objects.create(
            source=feed.source,
            feed=feed,
            path="",
            file_name=f"{feed.source.name}.ndjson",
            trigger=trigger,
            user=user,
        )
        record_start(made)
        return [made]


def _tell_that_it_works(feed: Feed, *, trigger: str, user: User | None) -> None:
    """Create a finished run once a folder that could not be listed can be listed again."""
    last = feed.runs.order_by("-id").first()
    if last is not None and last.state == RunState.FAILED and not last.path:
        now = timezone.now()
        IngestionRun.objects.create(
            source=feed.source,
            feed=feed,
            path="",
            file_name=last.file_name,
            trigger=trigger,
            user=user,
            state=RunState.FINISHED,
            notes=["The folder can be listed again. It has no new files to import."],
            started_at=now,
            finished_at=now,
        )


def try_api(
    config: Mapping[str, Any], secrets: Mapping[str, str], feed: Feed | None = None
) -> JSONPage:
    """The first page of a configuration, with the secrets of ``feed`` if the host is the same.

    Raises FeedError.
    """
    api = api_config(config)
    check_config(Feed.Kind.HTTP, dict(config), secrets)
    known = feed is not None and same_host(feed, Feed.Kind.HTTP, config)
    kept = decrypt(feed.secrets) if feed is not None and known else {}
    headers = filled_in({**api.headers, **kept, **secrets})
    return first_page(api, headers, position=feed.position if feed is not None and known else "")
