"""What the hub double holds: repositories, ids that moved, and how an unknown id is answered.

Standard library only, like the server that asks it.
"""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KINDS = ("models", "datasets", "spaces")
DATE = "2024-01-01T00:00:00.000Z"


class Refused(Exception):
    """An error answer, with the code that the client libraries look at."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class Moved(Exception):
    """The repository's real name (the second argument) differs from the one asked for (the first)."""


class Journal:
    """What was asked for, one JSON line each, every line once."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")
        self._lock = threading.Lock()
        self._seen: set[str] = set()

    def add(self, kind: str, **fields: object) -> None:
        """Append one line unless the same was written before."""
        line = json.dumps({"kind": kind, **fields}, sort_keys=True)
        with self._lock:
            if line not in self._seen:
                self._seen.add(line)
                self._file.write(line + "\n")
                self._file.flush()


@dataclass(frozen=True)
class Tree:
    """One revision of a repository."""

    commit: str
    files: dict[str, tuple[str, int]]
    """Path -> (SHA-256 of the content, size in bytes)."""

    def children(self, folder: str, recursive: bool) -> list[dict[str, object]]:
        """Entries below a folder, in the form of the tree API."""
        prefix = folder + "/" if folder else ""
        found: dict[str, dict[str, object]] = {}
        for path in sorted(p for p in self.files if p.startswith(prefix)):
            parts = path[len(prefix) :].split("/")
            for depth in range(1, len(parts)):
                name = prefix + "/".join(parts[:depth])
                if recursive or depth == 1:
                    found.setdefault(name, {"type": "directory", "oid": self.commit, "size": 0, "path": name})
            if recursive or len(parts) == 1:
                found[path] = self.entry(path)
        return list(found.values())

    def entry(self, path: str) -> dict[str, object]:
        """One file in the form of the tree API."""
        oid, size = self.files[path]
        return {"type": "file", "oid": oid[:40], "size": size, "path": path}


@dataclass(frozen=True)
class Repo:
    """A repository that the store holds."""

    kind: str
    name: str
    revisions: dict[str, Tree]
    card: dict[str, Any]
    assume: tuple[str, ...] = ()

    def tree(self, revision: str) -> Tree:
        """The tree of a branch or a full commit id."""
        for name, tree in self.revisions.items():
            if revision in (name, tree.commit):
                return tree
        raise Refused(404, "RevisionNotFound", f"Invalid rev id: {revision}")

    def info(self, revision: str, blobs: bool) -> dict[str, object]:
        """The repository's record, as the API gives it."""
        tree = self.tree(revision)
        siblings: list[dict[str, object]] = []
        for path, (oid, size) in sorted(tree.files.items()):
            extra: dict[str, object] = {"size": size, "blobId": oid[:40]} if blobs else {}
            siblings.append({"rfilename": path, **extra})
        fixed = {"private": False, "gated": False, "disabled": False, "downloads": 0, "likes": 0, "tags": []}
        dates = {"createdAt": DATE, "lastModified": DATE}
        names = {"_id": tree.commit[:24], "id": self.name, "author": self.name.rpartition("/")[0] or None}
        if self.kind == "models":
            names["modelId"] = self.name
        return {**fixed, **dates, **names, **self.card, "sha": tree.commit, "siblings": siblings}


@dataclass
class Catalogue:
    """Which ids exist, which moved, which are answered by a relative, and which are refused."""

    repos: dict[str, dict[str, Repo]]
    moved: dict[str, dict[str, str]]
    families: list[tuple[re.Pattern[str], str]]
    unserved: dict[str, list[re.Pattern[str]]]
    official: frozenset[str]
    """Owners whose unlisted ids are never answered by a relative."""
    complete: frozenset[str]
    """Owners of whom every id is listed."""
    journal: Journal

    @classmethod
    def load(cls, store: Path, journal: Journal) -> Catalogue:
        """Read the index of a store."""
        index = json.loads((store / "index.json").read_text("utf-8"))
        return cls(
            repos={
                k: {n.lower(): _repo(k, n, r) for n, r in index["repos"].get(k, {}).items()} for k in KINDS
            },
            moved={k: {o.lower(): n for o, n in index["moved"].get(k, {}).items()} for k in KINDS},
            families=[(re.compile(f["pattern"], re.I), f["id"]) for f in index["families"]],
            unserved={k: [re.compile(p + r"\Z", re.I) for p in index["unserved"].get(k, [])] for k in KINDS},
            official=frozenset(o.lower() for o in index["official"]),
            complete=frozenset(o.lower() for o in index["complete"]),
            journal=journal,
        )

    def find(self, kind: str, name: str) -> Repo:
        """The repository of an id. Raises Moved or Refused."""
        known = self.repos[kind].get(name.lower())
        if known is None and name.lower() in self.moved[kind]:
            raise Moved(name, self.moved[kind][name.lower()])
        if known is None:
            return self._relative(kind, name)
        if known.name != name:
            # Ids are case-insensitive on the real hub, which redirects to the right spelling.
            raise Moved(name, known.name)
        self._tell(known)
        return known

    def _tell(self, repo: Repo) -> None:
        self.journal.add("served", repo=f"{repo.kind}/{repo.name}")
        for text in repo.assume:
            self.journal.add("assumption", text=text)

    def _relative(self, kind: str, name: str) -> Repo:
        """A family's stand-in for an id whose name says the family, of an owner that nobody can list."""
        owner, _, base = name.rpartition("/")
        listed = owner.lower() in self.official or any(p.match(name) for p in self.unserved[kind])
        if kind == "models" and owner and not listed:
            for pattern, stand_in in self.families:
                template = self.repos["models"].get(stand_in.lower())
                if template and pattern.search(base):
                    text = (
                        f"the hub double does not know {name}; its name suggests {stand_in}, which is served"
                    )
                    self.journal.add("assumption", text=text)
                    self._tell(template)
                    return Repo(kind, name, template.revisions, template.card)
        raise self._unknown(kind, name)

    def _unknown(self, kind: str, name: str) -> Refused:
        """A refusal that says aloud when the real hub might have answered.

        Model ids without an owner and those of a few owners are known completely, of others a part.
        """
        text, owner = "", name.rpartition("/")[0].lower()
        if any(p.match(name) for p in self.unserved[kind]):
            text = f"{name} exists on the real hub ({kind}), but the hub double has no stand-in for it"
        elif (owner or kind != "models") and owner not in self.complete:
            text = f"the hub double does not know {name} ({kind}) and refused it; the real hub may have it"
        if text:
            self.journal.add("assumption", text=text)
        return Refused(401, "RepoNotFound", "Invalid username or password.")


def _repo(kind: str, name: str, raw: dict[str, Any]) -> Repo:
    revisions = {
        revision: Tree(tree["commit"], {p: (f[0], f[1]) for p, f in tree["files"].items()})
        for revision, tree in raw["revisions"].items()
    }
    return Repo(kind, name, revisions, raw.get("card", {}), tuple(raw.get("assume", ())))
