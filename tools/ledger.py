"""The git repository that records a repair: every attempt a commit, its story in a note.

The checkout holds exactly the bundle; everything else lives in refs, notes and `.git/suture/`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from policies.contract import Contract
from policies.errors import UsageError
from policies.records import Bundle, Request
from tools.ledger_files import checked_paths, locked, make_folder, read_json, remove_stale_locks, write_json
from tools.ledger_git import GitStore, git_faults
from tools.ledger_read import ATTEMPTS, BEST, IMPORT, MAIN, READY, LedgerReader
from tools.ledger_records import AttemptRecord, Begun, RequestRecord
from tools.ledger_text import SUBJECT_LIMIT, attempt_message, formatting_message, note_text
from tools.llm.base import Exchange
from tools.plain_text import one_line


class Ledger(LedgerReader):
    """One repair's history. Open one with `create` or `open`; close it, or use it in a `with`."""

    @classmethod
    def create(cls, workspace: Path, name: str, request: Request, contract: Contract) -> Ledger:
        """Make an empty ledger in a new folder of `workspace`, named after the input.

        Raises: BackendError when the folder cannot be written; UsageError for paths that cannot be kept.
        """
        checked_paths(request.bundle.blobs)
        with git_faults(workspace):
            path = make_folder(workspace.resolve(), name, request.bundle.digest)
        bare = request.model_copy(update={"bundle": Bundle(files={})})
        bundle = request.bundle
        origin = RequestRecord(
            request=bare,
            run_config_paths=tuple(sorted(set(bundle.run_configs) - set(bundle.files))),
            given_paths=tuple(sorted(set(bundle.given) - set(bundle.run_configs) - set(bundle.files))),
            binary_paths=tuple(sorted(bundle.binaries)),
            contract=contract,
        )
        return cls(path, GitStore.create(path), origin)

    def claim(self) -> AbstractContextManager[None]:
        """Keep other processes from driving this repair; to be held for as long as it runs."""
        busy = f"another suture process is working on {self.path}"
        return locked(self.private_dir / "run.lock", wait_s=0, busy=busy)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        busy = f"{self.path} is being written by another process"
        with git_faults(self.path), locked(self.private_dir / "write.lock", wait_s=30, busy=busy):
            remove_stale_locks(self._store.git_dir)
            yield

    def import_bundle(self, bundle: Bundle, *, at: datetime | None = None) -> str:
        """Commit the bundle as it came in, the request in the note; again on the same bundle, change nothing.

        Args: at: date of the commit; now unless a replay says otherwise.
        """
        date = at or datetime.now(UTC)
        with self._writing():
            tree = self._tree(bundle)
            if (done := self._store.resolve(IMPORT)) is not None:
                assert self._store.tree_of(done) == tree, "another bundle was imported here"
                return done
            name = Path(self._origin.request.source).name or "bundle"
            sha = self._store.commit(tree, one_line(f"Import {name}", limit=SUBJECT_LIMIT), (), date)
            data = {"kind": "request", "request": self._origin.model_dump(mode="json")}
            self._store.write_note(sha, note_text(data), date)
            for ref in (MAIN, BEST, IMPORT):
                self._store.move(ref, sha, "import")
            self._store.checkout()
        return sha

    def begin_attempt(
        self,
        number: int,
        plan: str,
        *,
        base: str = "",
        strategy: str = "",
        started_at: datetime | None = None,
    ) -> None:
        """Write down what is about to be tried, before it is; an attempt already recorded stays as it is."""
        if (known := self.begun(number)) is not None and known.status == "recorded":
            return
        begun = Begun(
            number=number,
            status="begun",
            plan=plan,
            strategy=strategy,
            base=base,
            started_at=started_at or datetime.now(UTC),
        )
        self._write_begun(begun)

    def _write_begun(self, begun: Begun) -> None:
        with git_faults(self.path):
            path = self.private_dir / "attempts" / f"{begun.number}.json"
            write_json(path, begun.model_dump(mode="json"))

    def record_attempt(
        self,
        record: AttemptRecord,
        patched: Bundle,
        *,
        formatted: Bundle | None = None,
        advance: bool | None = None,
    ) -> str:
        """Commit an attempt, and its formatting apart; the id of its last commit.

        Recording the same attempt again completes what a killed process left undone and doubles nothing.

        Args:
            patched: the bundle after the repair, before formatting.
            formatted: the bundle after formatting; None when nothing was formatted.
            advance: whether `main` moves there; by default when the gate accepted.
        Raises: UsageError when the attempt is recorded already with other files.
        """
        advance = record.accepted if advance is None else advance
        assert record.accepted or not advance, "main moves only when the gate accepts"
        with self._writing():
            tip = self._commit_attempt(record, patched, formatted or patched)
            if advance and record.number == max(self._numbers()):
                self._store.move(MAIN, tip, f"attempt {record.number} accepted")
            self._store.checkout()
            begun = self.begun(record.number) or _begun_of(record)
            self._write_begun(begun.model_copy(update={"status": "recorded", "sha": tip}))
        return tip

    def _commit_attempt(self, record: AttemptRecord, patched: Bundle, formatted: Bundle) -> str:
        tree, tag = self._tree(formatted), f"{ATTEMPTS}{record.number}"
        if (done := self._store.resolve(tag)) is not None:
            if self._store.tree_of(done) != tree:
                raise UsageError(
                    f"attempt {record.number} is recorded in {self.path} already, with other files"
                )
            return done
        base, date = self._sha(record.base), record.started_at
        record = record.model_copy(update={"base": base})
        tip = self._store.commit(self._tree(patched), attempt_message(record), (base,), date)
        told: dict[str, Any] = {"kind": "attempt", "attempt": record.model_dump(mode="json")}
        self._store.write_note(tip, note_text(told), date)
        if formatted.digest != patched.digest:
            repair, tip = tip, self._store.commit(tree, formatting_message(record.number, tip), (tip,), date)
            told = {"kind": "formatting", "number": record.number, "repair": repair}
            self._store.write_note(tip, note_text(told), date)
        # The tag makes the attempt exist; whatever comes before it can be done again.
        self._store.move(tag, tip, f"attempt {record.number}")
        return tip

    def _tree(self, bundle: Bundle) -> str:
        files = bundle.blobs
        checked_paths(files)
        return self._store.tree(files)

    def set_best(self, sha: str) -> None:
        """Mark a commit as the best so far."""
        with self._writing():
            self._store.move(BEST, self._sha(sha), "best so far")

    def set_ready(self, sha: str) -> None:
        """Mark a commit as ready."""
        with self._writing():
            self._store.move(READY, self._sha(sha), "ready")

    def write_result(self, result: Mapping[str, Any], *, at: datetime | None = None) -> None:
        """Keep how the repair ended, in a private file and in the note on `best`; replaces an earlier one."""
        with self._writing():
            before = read_json(self.private_dir / "result.json") or {}
            best, date = self.best(), at or datetime.now(UTC)
            if (old := before.get("noted_on")) not in (None, best):
                self._annotate(str(old), None, date)
            self._annotate(best, result, date)
            write_json(self.private_dir / "result.json", {"noted_on": best, "result": dict(result)})

    def note_exchanges(self, sha: str, exchanges: Sequence[Exchange], *, at: datetime) -> None:
        """Keep model exchanges in the note on a commit that no attempt made: the bundle as it came in."""
        with self._writing():
            data = {**self.note(sha), "exchanges": [e.model_dump(mode="json") for e in exchanges]}
            self._store.write_note(sha, note_text(data), at)

    def _annotate(self, sha: str, result: Mapping[str, Any] | None, date: datetime) -> None:
        data = {k: v for k, v in self.note(sha).items() if k != "result"}
        self._store.write_note(sha, note_text(data if result is None else {**data, "result": result}), date)


def _begun_of(record: AttemptRecord) -> Begun:
    return Begun(
        number=record.number,
        status="begun",
        plan=record.plan,
        strategy=record.strategy,
        base=record.base,
        started_at=record.started_at,
    )
