"""Git as the ledger uses it, through GitPython: objects, commits, refs and notes of one repository.

Neither the caller's `GIT_*` variables nor anybody's git configuration or hooks have a say here.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final

from policies.errors import BackendError, UsageError

try:
    import git
    from git.exc import ODBError
    from git.objects.fun import tree_to_stream
    from gitdb import IStream  # type: ignore[import-untyped]  # gitdb ships no types
except ImportError as error:  # GitPython asks for the git program as soon as it is imported
    raise BackendError("git cannot be used here; install git 2.31 or later (`apt install git`)") from error

NAME: Final = "Suture"
EMAIL: Final = "suture@localhost"
NOTES_REF: Final = "refs/notes/suture"
SETTINGS: Final = {
    "user.name": NAME,
    "user.email": EMAIL,
    "core.hooksPath": os.devnull,
    "core.autocrlf": "false",
    "core.safecrlf": "false",
    "core.fsmonitor": "false",
    "core.quotePath": "false",
    "core.logAllRefUpdates": "true",
    "commit.gpgSign": "false",
    "tag.gpgSign": "false",
    "i18n.commitEncoding": "UTF-8",
    "gc.auto": "0",
}
# A bundle may bring a .gitattributes of its own; this file outranks it, so texts stay as they are.
ATTRIBUTES: Final = "* -text -eol -ident -filter -working-tree-encoding diff\n"

_environment_lock = threading.RLock()


@contextmanager
def plain_environment() -> Iterator[None]:
    """Hide the caller's `GIT_*` variables from git and from GitPython, which reads some itself."""
    with _environment_lock:
        hidden = {k: v for k, v in os.environ.items() if k.startswith("GIT_")}
        for name in hidden:
            del os.environ[name]
        try:
            yield
        finally:
            os.environ.update(hidden)


def _git_environment() -> dict[str, str]:
    env = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0"}
    env["GIT_CONFIG_COUNT"] = str(len(SETTINGS))
    for index, (key, value) in enumerate(SETTINGS.items()):
        env[f"GIT_CONFIG_KEY_{index}"] = key
        env[f"GIT_CONFIG_VALUE_{index}"] = value
    return env


@contextmanager
def git_faults(path: Path) -> Iterator[None]:
    """Turn what goes wrong in git or on the disk into one clear line."""
    with plain_environment():
        try:
            yield
        except git.GitCommandNotFound as error:
            raise BackendError(
                "git is not installed; install git 2.31 or later (`apt install git`)"
            ) from error
        except git.GitCommandError as error:
            lines = str(error.stderr).replace("stderr:", "").strip(" '\n").splitlines() or [str(error)]
            raise BackendError(f"git failed in the ledger {path}: {lines[0]}") from error
        except (git.InvalidGitRepositoryError, git.NoSuchPathError) as error:
            raise UsageError(f"{path} is not a ledger: git does not take it for a repository") from error
        except ODBError as error:
            raise BackendError(f"the ledger {path} is damaged: {error}") from error
        except OSError as error:
            raise BackendError(f"the ledger {path} cannot be used: {error.strerror or error}") from error


class GitStore:
    """One repository. Every method leaves the process environment as it found it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.git_dir = path / ".git"
        with git_faults(path):
            self._repo = git.Repo(path)
            self._repo.git.update_environment(**_git_environment())

    @classmethod
    def create(cls, path: Path) -> GitStore:
        """Make a repository in the empty folder `path`, on the branch `main`."""
        with git_faults(path):
            command = git.Git(path)
            command.update_environment(**_git_environment())
            command.init("--quiet", "--initial-branch=main", "--template=")
        store = cls(path)
        with git_faults(path):
            for key, value in SETTINGS.items():
                store._run("config", key, value)
            info = store.git_dir / "info"
            info.mkdir(exist_ok=True)
            (info / "attributes").write_text(ATTRIBUTES, encoding="ascii")
        return store

    def close(self) -> None:
        """Let go of what GitPython holds."""
        self._repo.close()

    def _run(self, *args: str, env: Mapping[str, str] | None = None) -> str:
        return self._bytes(*args, env=env).decode("utf-8", "surrogateescape").removesuffix("\n")

    def _bytes(
        self, *args: str, env: Mapping[str, str] | None = None, stdin: BinaryIO | None = None
    ) -> bytes:
        # A session of its own keeps a Ctrl-C at the terminal from killing git in the middle of a write.
        out = self._repo.git.execute(
            ["git", *args],
            env=dict(env or {}),
            istream=stdin,
            stdout_as_string=False,
            strip_newline_in_stdout=False,
            start_new_session=True,
        )
        assert isinstance(out, bytes)
        return out

    def run(self, *args: str) -> str:
        """Standard output of one git command, without its last newline."""
        with git_faults(self.path):
            return self._run(*args)

    def blob(self, data: bytes) -> str:
        """Store bytes; their object id."""
        with git_faults(self.path):
            return self._store("blob", data).hex()

    def _store(self, kind: str, data: bytes) -> bytes:
        return bytes(self._repo.odb.store(IStream(kind.encode(), len(data), BytesIO(data))).binsha)

    def tree(self, files: Mapping[str, bytes]) -> str:
        """Store path -> bytes as a tree; its object id."""
        with git_faults(self.path):
            return self._tree(files).hex()

    def _tree(self, files: Mapping[str, bytes]) -> bytes:
        folders: dict[str, dict[str, bytes]] = {}
        entries: list[tuple[bytes, int, str]] = []
        for path, data in files.items():
            head, slash, rest = path.partition("/")
            if slash:
                folders.setdefault(head, {})[rest] = data
            else:
                entries.append((self._store("blob", data), 0o100644, head))
        entries += [(self._tree(inner), 0o040000, name) for name, inner in folders.items()]
        # Git sorts a folder as if its name ended in a slash.
        entries.sort(key=lambda e: e[2].encode() + (b"/" if e[1] == 0o040000 else b""))
        buffer = BytesIO()
        tree_to_stream(entries, buffer.write)
        return self._store("tree", buffer.getvalue())

    def commit(self, tree: str, message: str, parents: tuple[str, ...], date: datetime) -> str:
        """Store a commit under Suture's name; its object id. No ref moves."""
        with git_faults(self.path):
            args = [arg for parent in parents for arg in ("-p", parent)]
            return self._run("commit-tree", tree, *args, "-m", message, env=_dates(date))

    def move(self, ref: str, sha: str, reason: str) -> None:
        """Point a ref at a commit."""
        self.run("update-ref", "--create-reflog", "-m", reason, ref, sha)

    def resolve(self, rev: str) -> str | None:
        """Object id of the commit that `rev` names, or None."""
        with git_faults(self.path):
            try:
                return self._run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{rev}^{{commit}}")
            except git.GitCommandError as error:
                if error.status == 1:
                    return None
                raise

    def refs(self, prefix: str) -> dict[str, str]:
        """Ref name -> commit id, for every ref below `prefix`."""
        lines = self.run("for-each-ref", "--format=%(objectname) %(refname)", prefix).splitlines()
        return {name: sha for sha, name in (line.split(" ", 1) for line in lines)}

    def tree_of(self, sha: str) -> str:
        """Object id of a commit's tree."""
        return self.run("rev-parse", f"{sha}^{{tree}}")

    def parents(self, sha: str) -> tuple[str, ...]:
        """Parent commits."""
        return tuple(self.run("rev-parse", f"{sha}^@").split())

    def ancestors(self, rev: str) -> frozenset[str]:
        """Every commit that `rev` is built on, itself included."""
        return frozenset(self.run("rev-list", rev, "--").split())

    def message(self, sha: str) -> tuple[str, datetime]:
        """Message and author date of a commit."""
        stamp, _, text = self.run("show", "-s", "--no-notes", "--format=%at%n%B", sha).partition("\n")
        return text, datetime.fromtimestamp(int(stamp), UTC)

    def files(self, sha: str) -> dict[str, bytes]:
        """Path -> bytes of everything in a commit, sorted by path."""
        with git_faults(self.path):
            listed = self._bytes("ls-tree", "-r", "-z", sha).split(b"\0")
            pairs = [entry.split(b"\t", 1) for entry in listed if entry]
            blobs = self._contents([head.split()[2] for head, _ in pairs])
            return dict(sorted((path.decode("utf-8"), blobs[head.split()[2]]) for head, path in pairs))

    def _contents(self, blobs: list[bytes]) -> dict[bytes, bytes]:
        with tempfile.TemporaryFile() as wanted:
            wanted.write(b"".join(blob + b"\n" for blob in blobs))
            wanted.seek(0)
            out = BytesIO(self._bytes("cat-file", "--batch=%(objectsize)", stdin=wanted))
        found = {}
        for blob in blobs:
            found[blob] = out.read(int(out.readline()))
            out.read(1)
        return found

    def note(self, sha: str) -> bytes | None:
        """The note on a commit, or None."""
        with git_faults(self.path):
            try:
                blob = self._run("notes", f"--ref={NOTES_REF}", "list", sha)
            except git.GitCommandError:
                return None
            return self._bytes("cat-file", "blob", blob)

    def write_note(self, sha: str, data: bytes, date: datetime) -> None:
        """Put a note on a commit, in place of the one it has."""
        with git_faults(self.path):
            blob = self._store("blob", data).hex()
            self._run("notes", f"--ref={NOTES_REF}", "add", "-f", "-C", blob, sha, env=_dates(date))

    def checkout(self) -> None:
        """Make the folder show `main`."""
        with git_faults(self.path):
            self._run("symbolic-ref", "HEAD", "refs/heads/main")
            self._run("reset", "--hard", "--quiet")


def _dates(date: datetime) -> dict[str, str]:
    stamp = f"{int(date.timestamp())} +0000"
    return {"GIT_AUTHOR_DATE": stamp, "GIT_COMMITTER_DATE": stamp}
