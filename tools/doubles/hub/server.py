"""The Hub's HTTP side on loopback, answered from a store that `make_store.py` wrote.

Standard library only: it runs inside the sandbox, by the interpreter of the bundle's environment.
Run it as `python server.py --store DIR --log FILE --port-file FILE`, or import `serve`.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

if __package__:
    from tools.doubles.hub.holdings import KINDS, Catalogue, Journal, Moved, Refused, Repo, Tree
else:  # Run as a script, whose own folder is on the module path.
    from holdings import (  # type: ignore[import-not-found,no-redef]  # then only
        KINDS,
        Catalogue,
        Journal,
        Moved,
        Refused,
        Repo,
        Tree,
    )

API_VERBS = ("revision", "tree", "paths-info", "refs", "discussions", "commits", "resolve")
FIXED = {
    "whoami-v2": {"type": "user", "name": "rehearsal", "fullname": "rehearsal", "orgs": [], "auth": {}},
    "telemetry": {},
}
CHUNK_BYTES = 1 << 18


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    # Header and body leave in one packet; otherwise delayed acknowledgements cost 40 ms a request.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: HubServer

    def log_message(self, format: str, *args: Any) -> None:
        """Access lines go nowhere; the journal has what matters."""

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else b""
        url = urlsplit(self.path)
        parts = [unquote(p) for p in url.path.split("/") if p]
        query = {k: v[-1] for k, v in parse_qs(url.query).items()}
        try:
            self._route(parts, query, body)
        except Moved as moved:
            self._redirect(moved)
        except Refused as refused:
            self._refuse(refused)

    do_GET = do_HEAD = do_POST = _answer

    def _route(self, parts: list[str], query: dict[str, str], body: bytes) -> None:
        if parts[:1] == ["api"]:
            self._api(parts[1:], query, body)
            return
        kind = parts.pop(0) if parts and parts[0] in KINDS[1:] else "models"
        for at in (1, 2):
            if len(parts) > at + 2 and parts[at] in ("resolve", "raw"):
                self._file(kind, "/".join(parts[:at]), parts[at + 1], "/".join(parts[at + 2 :]))
                return
        raise self._not_spoken()

    def _api(self, parts: list[str], query: dict[str, str], body: bytes) -> None:
        if parts and parts[0] in FIXED:
            self._json(FIXED[parts[0]])
        elif parts and parts[0] in KINDS and len(parts) > 1:
            kind, *rest = parts
            size = 1 if len(rest) == 1 or rest[1] in API_VERBS else 2
            repo = self.server.catalogue.find(kind, "/".join(rest[:size]))
            self._repository(repo, rest[size:], query, body)
        else:
            raise self._not_spoken()

    def _repository(self, repo: Repo, rest: list[str], query: dict[str, str], body: bytes) -> None:
        verb, revision, folder = rest[0] if rest else "", rest[1] if len(rest) > 1 else "main", rest[2:]
        truth = ("true", "True", "1")
        if verb in ("", "revision"):
            self._json(repo.info(revision, query.get("blobs") in truth))
        elif verb == "tree":
            path = "/".join(folder)
            entries = repo.tree(revision).children(path, query.get("recursive") in truth)
            if path and not entries:
                raise Refused(404, "EntryNotFound", f"{path} does not exist on '{revision}'")
            self._json(entries)
        elif verb == "paths-info":
            self._json(_paths_info(repo.tree(revision), _wanted(body)))
        elif verb == "refs":
            self._json(_refs(repo))
        elif verb == "discussions":
            self._json({"discussions": [], "count": 0})
        else:
            raise self._not_spoken()

    def _file(self, kind: str, name: str, revision: str, path: str) -> None:
        tree = self.server.catalogue.find(kind, name).tree(revision)
        if path not in tree.files:
            self.server.journal.add("missing", repo=f"{kind}/{name}", file=path)
            raise Refused(404, "EntryNotFound", "Entry not found")
        oid, size = tree.files[path]
        start, stop = self._range(size)
        partial = (start, stop) != (0, size)
        self.send_response(206 if partial else 200)
        if partial:
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{size}")
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(stop - start))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", f'"{oid}"')
        self.send_header("X-Repo-Commit", tree.commit)
        self.end_headers()
        if self.command != "HEAD":
            self._copy(self.server.store / "blobs" / oid, start, stop)

    def _range(self, size: int) -> tuple[int, int]:
        match = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", "").strip())
        if not match or match.groups() == ("", ""):
            return 0, size
        first, last = match.groups()
        if not first:
            return max(0, size - int(last)), size
        if int(first) >= size:
            raise Refused(416, "", "Range not satisfiable")
        return int(first), min(size, int(last) + 1) if last else size

    def _copy(self, path: Path, start: int, stop: int) -> None:
        with path.open("rb") as blob:
            blob.seek(start)
            while start < stop:
                chunk = blob.read(min(CHUNK_BYTES, stop - start))
                self.wfile.write(chunk)
                start += len(chunk)

    def _redirect(self, moved: Moved) -> None:
        asked, name = moved.args
        place = self.path.replace(quote(asked), quote(name), 1)
        self.send_response(307)
        self.send_header("Location", place)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _refuse(self, refused: Refused) -> None:
        # Metric modules are first asked for at a version tag, and at `main` when there is none.
        tag_of_metric = refused.code == "RevisionNotFound" and self.path.startswith("/spaces/")
        if refused.code != "EntryNotFound" and not tag_of_metric:
            self.server.journal.add("refused", status=refused.status, path=self.path)
        headers = {"X-Error-Message": refused.message}
        if refused.code:
            headers["X-Error-Code"] = refused.code
        self._json({"error": refused.message}, refused.status, headers)

    def _not_spoken(self) -> Refused:
        path = urlsplit(self.path).path
        self.server.journal.add("assumption", text=f"the hub double does not speak {self.command} {path}")
        return Refused(404, "", "Not found")

    def _json(self, value: object, status: int = 200, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        for key, text in (headers or {}).items():
            self.send_header(key, text)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


def _wanted(body: bytes) -> list[str]:
    """Paths of a `paths-info` request, which comes as JSON or as a form."""
    text = body.decode("utf-8", "replace")
    try:
        paths = json.loads(text).get("paths", [])
    except (ValueError, AttributeError):
        paths = parse_qs(text).get("paths", [])
    return [paths] if isinstance(paths, str) else [str(p) for p in paths]


def _paths_info(tree: Tree, paths: list[str]) -> list[dict[str, object]]:
    folders = {"/".join(p.split("/")[:n]) for p in tree.files for n in range(1, p.count("/") + 1)}
    files = [tree.entry(p) for p in paths if p in tree.files]
    return files + [
        {"type": "directory", "oid": tree.commit, "size": 0, "path": p} for p in paths if p in folders
    ]


def _refs(repo: Repo) -> dict[str, list[dict[str, str]]]:
    refs: dict[str, list[dict[str, str]]] = {"branches": [], "converts": [], "tags": []}
    for name, tree in repo.revisions.items():
        converted = name.startswith("refs/convert/")
        ref = name if converted else f"refs/heads/{name}"
        entry = {"name": name.rpartition("/")[2], "ref": ref, "targetCommit": tree.commit}
        refs["converts" if converted else "branches"].append(entry)
    return refs


class HubServer(ThreadingHTTPServer):
    """The listening side; `server_address[1]` is the port."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, store: Path, log_path: Path, port: int) -> None:
        self.store = store
        self.journal = Journal(log_path)
        self.catalogue = Catalogue.load(store, self.journal)
        super().__init__(("127.0.0.1", port), Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no event; anything else is a bug and is shown."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def serve(store: Path, log_path: Path, port: int = 0) -> HubServer:
    """Start answering in a background thread; `shutdown()` and `server_close()` end it."""
    server = HubServer(store, log_path, port)
    threading.Thread(target=server.serve_forever, name="hub-double", daemon=True).start()
    return server


def main(argv: list[str] | None = None) -> None:
    """Serve until killed; the port is in the port file once requests are answered."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--port-file", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args(argv)
    server = HubServer(options.store, options.log, options.port)
    ready = options.port_file.with_name(options.port_file.name + ".new")
    ready.write_text(str(server.server_address[1]), encoding="utf-8")
    ready.replace(options.port_file)
    server.serve_forever()


if __name__ == "__main__":
    main()
