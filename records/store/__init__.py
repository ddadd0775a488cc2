"""The write door: the only code that writes records, results, rejected rows and counters.

Everything that changes a row goes through one of these functions, in one transaction with the
ledger, the history and the counters that tell of it. That is what keeps them true.
"""

from records.store.changes import (
    check_data,
    delete_record,
    delete_records,
    edit_record,
    edit_records,
    requeue_records,
)
from records.store.closing import close_batch, count_missing
from records.store.facts import keep_facts
from records.store.landing import Turn, land
from records.store.recount import WrongCount, check_counts
from records.store.rejects import conflict
from records.store.rekeying import finish_rekey, rekey_batch, restore_ids_batch
from records.store.replay import fix_row, land_repaired, replay_batch
from records.store.results import Results, prepare_results, save_results
from records.store.rule_sets import save_rule_set
from records.store.sources import delete_source
from records.store.undo import finish_undo, undo_batch

__all__ = [
    "Results",
    "Turn",
    "WrongCount",
    "check_counts",
    "check_data",
    "close_batch",
    "conflict",
    "count_missing",
    "delete_record",
    "delete_records",
    "delete_source",
    "edit_record",
    "edit_records",
    "finish_rekey",
    "finish_undo",
    "fix_row",
    "keep_facts",
    "land",
    "land_repaired",
    "prepare_results",
    "rekey_batch",
    "replay_batch",
    "requeue_records",
    "restore_ids_batch",
    "save_results",
    "save_rule_set",
    "undo_batch",
]
