"""Ids of runs: who may do what is tested with the service (test_service.py) and the actions (test_actions.py)."""

from __future__ import annotations

from resnet_demo.runs.permissions import RUN_ID, new_run_id


def test_ids_of_runs_that_start_within_a_second_sort_by_their_start() -> None:
    ids = [new_run_id() for _ in range(200)]
    assert all(RUN_ID.fullmatch(run_id) for run_id in ids)
    times = [run_id[:-1] for run_id in ids]  # without the random digit
    assert times == sorted(times) and len(set(times)) > 20
