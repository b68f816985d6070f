"""Training killed with SIGKILL goes on as if nothing had been; benchmarks/kill_resume.py does this at 200 moments."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "kill_resume.py"


@pytest.mark.timeout(600)
@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
def test_app_worker_and_run_killed_at_ten_moments_leave_whole_files_and_end_with_equal_weights_and_record() -> None:
    command = [sys.executable, str(SCRIPT), "--moments", "5", "--threads", "1", "--json", "--seed"]
    halves = [subprocess.Popen([*command, seed], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for seed in "12"]
    trials = []
    for half in halves:  # at once: most of the time goes into starts of one thread
        out, err = half.communicate(timeout=580)
        assert half.returncode == 0, out + err
        result = json.loads(out)
        assert result["equal"] == 5
        trials += result["trials"]
    assert {trial["victim"] for trial in trials} == {"run", "worker", "app", "both"}
    # A checkpoint is written before its event; the record tells of every third step, so it may be two steps behind.
    assert all(trial["resumed_at"] <= trial["killed_at"] + 2 for trial in trials)
    assert any(trial["resumed_at"] > 0 for trial in trials)
