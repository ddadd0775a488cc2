"""Which kinds of jobs there are. The apps enter theirs when they start (``AppConfig.ready``)."""

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
    """A kind of job: the table of its rows, the queue whose workers carry it out, and its class.

    The class is named by its path, and imported once it is needed: a command that carries out one
    kind does not load all the others. Several kinds may share a table; ``when`` tells whose a row
    is. ``parts`` is the table of the parts of rows that several workers share.
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
    """Enter a kind of job; see Entry. ``job`` is the path of its class."""
    _ENTRIES[kind] = Entry(kind, model, queue, job, when, parts)


def entries(queue: str | None = None) -> list[Entry]:
    """The kinds of jobs of a queue, or of all."""
    return [entry for entry in _ENTRIES.values() if queue in (None, entry.queue)]


def entry_named(kind: str) -> Entry:
    """A kind of job by its name. Raises UnknownJob."""
    try:
        return _ENTRIES[kind]
    except KeyError:
        known = ", ".join(_ENTRIES)
        raise UnknownJob(f"There is no job {kind!r}. The jobs are: {known}.") from None


def entry_of(row: Model) -> Entry:
    """The kind of job that a row is for. Raises UnknownJob."""
    for entry in _ENTRIES.values():
        if isinstance(row, entry.model) and entry.when(row):
            return entry
    raise UnknownJob(f"There is no job for {row}.")


def run_models(queue: str | None = None) -> list[type[Run]]:
    """The tables of runs that the workers of a queue, or of all, carry out."""
    models = [entry.model for entry in entries(queue) if issubclass(entry.model, Run)]
    return list(dict.fromkeys(models))


def leased_models() -> list[type[Model]]:
    """The tables whose rows a worker holds by a lease: runs, and parts of them."""
    parts = (entry.parts for entry in entries() if entry.parts is not None)
    return [*run_models(), *parts]
