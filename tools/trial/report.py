"""Says which trials run now, how those before them ended, and how long they may take."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from policies.records import Rehearsal
from tools.progress import Progress


class TrialReport:
    """One round of trials. Trials start in order, `jobs` at the same time; they end in any thread."""

    def __init__(self, progress: Progress, run_ids: Sequence[str], *, jobs: int, wall_s: float) -> None:
        self._progress = progress
        self._waiting = list(run_ids)
        self._count = len(run_ids)
        self._jobs = jobs
        self._wall_s = wall_s
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Say what starts; nothing when no trial does."""
        if self._waiting:
            self._progress(f"{self._running()}, at most {self._wall_s:.0f} s each")

    def end(self, trial: Rehearsal) -> None:
        """Say how a trial ended and what runs on."""
        with self._lock:
            self._waiting.remove(trial.run_id)
            said = f"trial of {trial.run_id} {trial.status} after {trial.wall_s:.0f} s"
            # What goes on comes first: a narrow terminal cuts the end.
            self._progress(f"{self._running()}; {said}" if self._waiting else said)

    def _running(self) -> str:
        """E.g. `running the trials of a and b (1 of 4 done)`."""
        now = self._waiting[: self._jobs]
        done = self._count - len(self._waiting)
        count = f" ({done} of {self._count} done)" if self._count > self._jobs else ""
        return f"running the trial{'s' if len(now) > 1 else ''} of {' and '.join(now)}{count}"
