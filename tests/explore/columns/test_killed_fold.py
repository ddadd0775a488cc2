"""`kill -9` of a process that folds: the next one goes on as if nothing had been."""

import signal
import subprocess

import pytest

pytestmark = pytest.mark.cluster

KILL = """
import os, signal
from explore.columns import files, folding
calls = 0
def killing(function):
    def called(*arguments, **options):
        global calls
        calls += 1
        if calls == {at}:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)
    return called
folding.TARGET = 40
folding.stage = killing(folding.stage)
files.keep = killing(files.keep)
folding._swap = killing(folding._swap)
folding.fold()
"""


def test_a_killed_fold_leaves_everything_to_the_next_one(own_installation, tmp_path):
    file = tmp_path / "rows.csv"
    file.write_text("id,value\n" + "".join(f"{n},{n}\n" for n in range(100)))
    own_installation.manage("ingest", str(file), "--source", "s")
    own_installation.manage("process")
    for at in (1, 2, 4, 7):
        with pytest.raises(subprocess.CalledProcessError) as killed:
            own_installation.manage("shell", "-v0", "-c", KILL.format(at=at))
        assert killed.value.returncode == -signal.SIGKILL
        assert own_installation.manage("columns", "--files") == ""
    assert "100 records in 1 files" in own_installation.manage("columns")
    assert "100 records in 1 files" in own_installation.manage("columns", "--check")
