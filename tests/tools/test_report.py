"""What is said while trials run."""

from __future__ import annotations

from policies.records import Rehearsal
from tools.trial.report import TrialReport


def ended(run_id: str, wall_s: float = 12.4) -> Rehearsal:
    """A trial that passed."""
    return Rehearsal(phase="trial", run_id=run_id, status="passed", wall_s=wall_s)


def test_it_says_what_runs_now() -> None:
    said: list[str] = []
    report = TrialReport(said.append, ["a", "b", "c"], jobs=2, wall_s=300)
    report.begin()
    for run_id in ("b", "a", "c"):
        report.end(ended(run_id))
    assert said == [
        "running the trials of a and b (0 of 3 done), at most 300 s each",
        "running the trials of a and c (1 of 3 done); trial of b passed after 12 s",
        "running the trial of c (2 of 3 done); trial of a passed after 12 s",
        "trial of c passed after 12 s",
    ]


def test_where_all_run_at_once_nothing_is_counted() -> None:
    said: list[str] = []
    report = TrialReport(said.append, ["a"], jobs=2, wall_s=60)
    report.begin()
    report.end(ended("a"))
    TrialReport(said.append, [], jobs=2, wall_s=60).begin()
    assert said == ["running the trial of a, at most 60 s each", "trial of a passed after 12 s"]
