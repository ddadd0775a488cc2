"""The kinds of jobs. Each app registers its own when it starts (``AppConfig.ready``)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Model
from django.utils.module_loading import import_string

from records.errors import UnknownJob
from records.models import Run

if TYPE_CHECKING:
    from records.jobs.job import Job


@dataclass(frozen=True, slots=True)
class Entry:
    """A kind of job: the table of its rows, the queue of its workers, and the path of its class.

    The class is imported when it is needed, so that a command for one kind of job does not load
    the others. If several kinds share a table, ``when`` decides which kind a row is. ``parts`` is
    the table of the parts of a row, if several workers share one.
    """

    kind: str
    model: type[Model]
    queue: str
    path: str
    when: Callable[[Any], bool]
    parts: type[Model] | None

    @property
    def job(self) -> "type[Job[Any]]":
        found: type[Job[Any]] = import_string(self.path)
        return found


_ENTRIES: dict[str, Entry] = {}


def register(
    kind: str,
    model: type[Model],
    *,
    queue: str,
    job: str,
    when: Callable[[Any], bool] = lambda row: True,
    parts: type[Model] | None = None,
) -> None:
    """Register a kind of job; ``job`` is the path of its class, for the rest see Entry."""
    _ENTRIES[kind] = Entry(kind, model, queue, job, when, parts)


def entries(queue: str | None = None) -> list[Entry]:
    """The kinds of jobs of one queue, or of all queues."""
    return [entry for entry in _ENTRIES.values() if queue in (None, entry.queue)]


def entry_named(kind: str) -> Entry:
    """The kind of job with this name. Raises UnknownJob."""
    try:
        return _ENTRIES[kind]
    except KeyError:
        known = ", ".join(_ENTRIES)
        raise UnknownJob(f"There is no job {kind!r}. The jobs are: {known}.") from None


def entry_of(row: Model) -> Entry:
    """The kind of job that a row belongs to. Raises UnknownJob."""
    for entry in _ENTRIES.values():
        if isinstance(row, entry.model) and entry.when(row):
            return entry
    raise UnknownJob(f"There is no job for {row}.")


def run_models(queue: str | None = None) -> list[type[Run]]:
    """The tables of runs of one queue, or of all queues."""
    models = [entry.model for entry in entries(queue) if issubclass(entry.model, Run)]
    return list(dict.fromkeys(models))


def leased_models() -> list[type[Model]]:
    """The tables whose rows have leases: runs, and parts of shared runs."""
    parts = (entry.parts for entry in entries() if entry.parts is not None)
    return [*run_models(), *parts]
