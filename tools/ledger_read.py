"""The reading half of the ledger: what a repair's history says, without changing anything."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Self

from pydantic import ValidationError

from policies.contract import Contract
from policies.errors import BackendError, UsageError
from policies.records import Bundle, Request
from tools.ledger_files import read_json
from tools.ledger_git import GitStore, git_faults
from tools.ledger_records import AttemptEntry, AttemptRecord, Begun, DiffSize, RequestRecord
from tools.ledger_text import note_data, note_story, read_trailers

IMPORT: Final = "refs/tags/import"
BEST: Final = "refs/tags/best"
READY: Final = "refs/tags/ready"
MAIN: Final = "refs/heads/main"
ATTEMPTS: Final = "refs/tags/attempt/"


class LedgerReader:
    """One repair's history as it is. Open it in a `with`, or close it."""

    def __init__(self, path: Path, store: GitStore, origin: RequestRecord) -> None:
        self.path = path
        self._store = store
        self._origin = origin
        self._request: Request | None = None

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the ledger in `path`. Raises UsageError when there is none."""
        if not path.is_dir():
            raise UsageError(f"{path}: no such folder")
        if not (path / ".git").is_dir():
            raise UsageError(f"{path} is not a ledger{_ledgers_in(path)}")
        store = GitStore(path.resolve())
        first = store.resolve(IMPORT)
        data = note_data(store.note(first) or b"") if first else {}
        try:
            return cls(path.resolve(), store, RequestRecord.model_validate(data["request"]))
        except (KeyError, ValidationError) as error:
            store.close()
            raise UsageError(f"{path} {_why_none(path)}") from error

    def close(self) -> None:
        """Let go of open files."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def private_dir(self) -> Path:
        """Where files about the repair that are not history live; made on first use."""
        path = self._store.git_dir / "suture"
        with git_faults(self.path):
            path.mkdir(exist_ok=True)
        return path

    @property
    def contract(self) -> Contract:
        """The contract that the request fixed."""
        return self._origin.contract

    def request(self) -> Request:
        """The request as it came in, bundle included."""
        if self._request is None:
            self._request = self._origin.restored(self._store.files(self._sha(IMPORT)))
        return self._request

    def begun(self, number: int) -> Begun | None:
        """What was written before attempt `number` was tried."""
        data = read_json(self._store.git_dir / "suture" / "attempts" / f"{number}.json")
        return None if data is None else Begun.model_validate(data)

    def unfinished(self) -> tuple[Begun, ...]:
        """Attempts that were begun and never recorded: the process was killed in between."""
        files = (self._store.git_dir / "suture" / "attempts").glob("*.json")
        known = (self.begun(int(path.stem)) for path in files if path.stem.isdecimal())
        recorded = self._numbers()
        return tuple(
            sorted((b for b in known if b is not None and b.number not in recorded), key=lambda b: b.number)
        )

    def _sha(self, rev: str) -> str:
        sha = self._store.resolve(rev)
        if sha is None:
            raise UsageError(f"{self.path} has no commit {rev}")
        return sha

    def _numbers(self) -> frozenset[int]:
        names = (name.removeprefix(ATTEMPTS) for name in self._store.refs(ATTEMPTS))
        return frozenset(int(name) for name in names if name.isdecimal())

    def attempts(self) -> tuple[AttemptEntry, ...]:
        """Every recorded attempt, oldest first."""
        marks, kept = self._marks(), self._store.ancestors(MAIN)
        return tuple(self._entry(number, marks, kept) for number in sorted(self._numbers()))

    def entry(self, number: int) -> AttemptEntry:
        """One recorded attempt. Raises UsageError when there is none of that number."""
        known = self._numbers()
        if number not in known:
            there = f"it has 1 to {max(known)}" if known else "it has none"
            raise UsageError(f"{self.path} has no attempt {number}; {there}")
        return self._entry(number, self._marks(), self._store.ancestors(MAIN))

    def _marks(self) -> dict[str, str | None]:
        return {name: self._store.resolve(ref) for name, ref in _MARKS.items()}

    def _entry(self, number: int, marks: Mapping[str, str | None], kept: frozenset[str]) -> AttemptEntry:
        tip = repair = self._sha(f"{ATTEMPTS}{number}")
        message, date = self._store.message(tip)
        if read_trailers(message).get("Strategy") == "format":
            (repair,) = self._store.parents(tip)
            message, date = self._store.message(repair)
        entry = _entry_of(number, (tip, repair), message, date)
        marked = tuple(name for name, sha in marks.items() if sha == tip)
        return entry.model_copy(update={"marks": marked, "kept": tip in kept})

    def record(self, number: int) -> AttemptRecord:
        """The full record of an attempt, from its note."""
        entry = self.entry(number)
        try:
            return AttemptRecord.model_validate(self.note(entry.repair_sha)["attempt"])
        except (KeyError, ValidationError) as error:
            raise BackendError(f"the note on attempt {number} of {self.path} cannot be read") from error

    def note(self, rev: str) -> dict[str, Any]:
        """The data in the note on a commit; empty when it has none."""
        return note_data(self._store.note(self._sha(rev)) or b"")

    def story(self, rev: str) -> str:
        """The part of the note on a commit that is for people."""
        return note_story(self._store.note(self._sha(rev)) or b"")

    def bundle_at(self, rev: str) -> Bundle:
        """The bundle in a commit: a sha, `attempt/3`, `best`, `import`."""
        came = self.request().bundle
        given = {path: data for path, data in came.blobs.items() if path not in came.files}
        tree = self._store.files(self._sha(rev))
        files = {path: _text(data) for path, data in tree.items() if given.get(path) != data}
        return came.model_copy(update={"files": files})

    def diff(self, number: int | None = None) -> str:
        """The unified diff of one attempt against its base, or of the best against what came in."""
        return self.diff_between(*self._ends(number))

    def diff_between(self, old: str, new: str) -> str:
        """The unified diff between two commits; empty when they hold the same."""
        text = self._store.run("diff", "--no-ext-diff", "--no-textconv", "--no-color", old, new, "--")
        return text + "\n" if text else ""

    def diff_size(self, number: int | None = None) -> DiffSize:
        """The size of what `diff` shows."""
        out = self._store.run(
            "diff", "--no-ext-diff", "--no-textconv", "--numstat", *self._ends(number), "--"
        )
        rows = [line.split("\t") for line in out.splitlines()]
        added, removed = (sum(int(r[i]) for r in rows if r[i] != "-") for i in (0, 1))
        return DiffSize(files=len(rows), added_lines=added, removed_lines=removed)

    def _ends(self, number: int | None) -> tuple[str, str]:
        if number is None:
            return self._sha(IMPORT), self.best()
        entry = self.entry(number)
        return entry.base, entry.sha

    def best(self) -> str:
        """The commit of the best attempt so far; the import before there is one."""
        return self._sha(BEST)

    def ready(self) -> str | None:
        """The commit that was found ready, if one was."""
        return self._store.resolve(READY)

    def read_result(self) -> dict[str, Any] | None:
        """How the repair ended; None while it has not."""
        data = read_json(self._store.git_dir / "suture" / "result.json")
        result = data.get("result") if data else self.note(BEST).get("result")
        return result if isinstance(result, dict) else None


_MARKS: Final = {"main": MAIN, "best": BEST, "ready": READY}


def _entry_of(number: int, commits: tuple[str, str], message: str, date: datetime) -> AttemptEntry:
    said = read_trailers(message)
    gate = said.get("Gate", "refused: the commit does not say")
    return AttemptEntry(
        number=number,
        sha=commits[0],
        repair_sha=commits[1],
        base=said.get("Base", ""),
        subject=message.partition("\n")[0],
        date=date,
        strategy=said.get("Strategy", ""),
        resolves=said.get("Resolves", "none"),
        introduces=said.get("Introduces", "none"),
        gate=gate,
        accepted=gate == "accepted",
        kept=False,
        rehearsal=said.get("Rehearsal", "none"),
        model=said.get("Model", "none"),
        tokens=int(said.get("Tokens", "0")),
        usd=float(said.get("Cost-USD", "0")),
        wall_s=float(said.get("Wall-s", "0")),
    )


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")


def _why_none(path: Path) -> str:
    if (path / ".git" / "suture" / "settings.json").is_file():
        return "is a repair that was cut off before it began: remove it and start again with `suture fix`"
    return "is a git repository, but not a ledger of Suture"


def _ledgers_in(path: Path) -> str:
    names = sorted(p.parent.name for p in path.glob("*/.git"))[:5]
    return f"; did you mean one of its folders: {', '.join(names)}?" if names else "; `suture fix` makes one"
