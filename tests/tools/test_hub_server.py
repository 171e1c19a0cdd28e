"""The hub double's HTTP side, on a small store made by hand."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tools.doubles.hub import server as server_module
from tools.doubles.hub.server import HubServer, serve
from tools.doubles.hub.storebuild.blobs import Blobs, revision

CONFIG = b'{"model_type": "roberta"}'
ROWS = bytes(range(256)) * 4


@dataclass(frozen=True)
class Answer:
    """Status, headers and body of one answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> object:
        """The body, decoded."""
        return json.loads(self.body)


def write_store(folder: Path) -> dict[str, str]:
    """A store with one model, one data set with a converted branch and one metric. Returns commit ids."""
    blobs = Blobs(folder / "blobs")
    model = revision(blobs, {"config.json": CONFIG, "1_Pooling/config.json": b"{}", "README.md": b"# hi"})
    script = revision(blobs, {"README.md": b"---\n{}\n---\n", "rows.py": b"# script"})
    converted = revision(blobs, {"rows/train/0000.parquet": ROWS})
    metric = revision(blobs, {"accuracy.py": b"# metric"})
    index = {
        "repos": {
            "models": {
                "FacebookAI/roberta-base": {
                    "revisions": {"main": model},
                    "card": {"pipeline_tag": "fill-mask"},
                    "assume": ["roberta-base is small"],
                }
            },
            "datasets": {"owner/rows": {"revisions": {"main": script, "refs/convert/parquet": converted}}},
            "spaces": {"evaluate-metric/accuracy": {"revisions": {"main": metric}}},
        },
        "moved": {"models": {"roberta-base": "FacebookAI/roberta-base"}, "datasets": {"rows": "owner/rows"}},
        "families": [{"pattern": "roberta", "id": "FacebookAI/roberta-base"}],
        "unserved": {"models": [r"acme/giant-[\w]+"]},
        "official": ["FacebookAI"],
        "complete": ["evaluate-metric"],
    }
    (folder / "index.json").write_text(json.dumps(index), encoding="utf-8")
    return {"model": model["commit"], "script": script["commit"], "converted": converted["commit"]}


@dataclass(frozen=True)
class Hub:
    """A running double."""

    server: HubServer
    commits: dict[str, str]
    log: Path

    def ask(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
        """One request, without following redirects."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.server_address[1], timeout=10)
        connection.request(method, path, body, headers)
        reply = connection.getresponse()
        answer = Answer(reply.status, dict(reply.getheaders()), reply.read())
        connection.close()
        return answer

    def logged(self, kind: str) -> list[dict[str, object]]:
        """The journal's lines of one kind."""
        lines = [json.loads(line) for line in self.log.read_text("utf-8").splitlines()]
        return [{k: v for k, v in line.items() if k != "kind"} for line in lines if line["kind"] == kind]


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    commits = write_store(tmp_path)
    server = serve(tmp_path, tmp_path / "hub.log")
    yield Hub(server, commits, tmp_path / "hub.log")
    server.shutdown()
    server.server_close()


def test_file_and_its_metadata(hub: Hub) -> None:
    path = "/FacebookAI/roberta-base/resolve/main/config.json"
    got, head = hub.ask(path), hub.ask(path, "HEAD")
    assert (got.status, got.body) == (200, CONFIG)
    assert (head.status, head.body) == (200, b"")
    for answer in (got, head):
        assert answer.headers["X-Repo-Commit"] == hub.commits["model"]
        assert answer.headers["Content-Length"] == str(len(CONFIG))
        assert len(answer.headers["ETag"].strip('"')) == 64


def test_file_at_a_commit_and_in_a_folder(hub: Hub) -> None:
    answer = hub.ask(f"/FacebookAI/roberta-base/resolve/{hub.commits['model']}/1_Pooling/config.json")
    assert (answer.status, answer.body) == (200, b"{}")


@pytest.mark.parametrize(
    ("asked", "status", "span", "body"),
    [
        ("bytes=0-3", 206, "bytes 0-3/1024", ROWS[:4]),
        ("bytes=1020-", 206, "bytes 1020-1023/1024", ROWS[-4:]),
        ("bytes=-2", 206, "bytes 1022-1023/1024", ROWS[-2:]),
        ("bytes=1000-5000", 206, "bytes 1000-1023/1024", ROWS[1000:]),
        ("bytes=0-1023", 200, None, ROWS),
        ("chars=1-2", 200, None, ROWS),
    ],
)
def test_ranges(hub: Hub, asked: str, status: int, span: str | None, body: bytes) -> None:
    path = "/datasets/owner/rows/resolve/refs%2Fconvert%2Fparquet/rows/train/0000.parquet"
    answer = hub.ask(path, Range=asked)
    assert (answer.status, answer.headers.get("Content-Range"), answer.body) == (status, span, body)


def test_range_behind_the_end(hub: Hub) -> None:
    path = "/datasets/owner/rows/resolve/refs%2Fconvert%2Fparquet/rows/train/0000.parquet"
    assert hub.ask(path, Range="bytes=9000-").status == 416


@pytest.mark.parametrize(
    ("asked", "place"),
    [
        ("/roberta-base/resolve/main/config.json", "/FacebookAI/roberta-base/resolve/main/config.json"),
        ("/facebookai/Roberta-Base/resolve/main/x", "/FacebookAI/roberta-base/resolve/main/x"),
        ("/api/models/roberta-base", "/api/models/FacebookAI/roberta-base"),
        ("/api/datasets/rows/tree/main?recursive=True", "/api/datasets/owner/rows/tree/main?recursive=True"),
        ("/datasets/rows/resolve/main/rows.py", "/datasets/owner/rows/resolve/main/rows.py"),
    ],
)
def test_old_names_and_other_spellings_redirect(hub: Hub, asked: str, place: str) -> None:
    answer = hub.ask(asked)
    assert (answer.status, answer.headers["Location"]) == (307, place)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/roberta/resolve/main/config.json", 401, "RepoNotFound"),
        ("/FacebookAI/roberta-huge/resolve/main/config.json", 401, "RepoNotFound"),
        ("/api/datasets/nothing", 401, "RepoNotFound"),
        ("/FacebookAI/roberta-base/resolve/main/absent.json", 404, "EntryNotFound"),
        ("/FacebookAI/roberta-base/resolve/v9/config.json", 404, "RevisionNotFound"),
        ("/api/models/FacebookAI/roberta-base/tree/main/additional_chat_templates", 404, "EntryNotFound"),
    ],
)
def test_refusals_carry_the_code_that_clients_look_at(hub: Hub, path: str, status: int, code: str) -> None:
    for method in ("GET", "HEAD"):
        answer = hub.ask(path, method)
        assert (answer.status, answer.headers["X-Error-Code"]) == (status, code)


def test_the_journal_tells_refusals_from_missing_files(hub: Hub) -> None:
    for path in ("/roberta/resolve/main/config.json", "/FacebookAI/roberta-base/resolve/main/absent.json"):
        hub.ask(path)
        hub.ask(path)
    assert hub.logged("refused") == [{"path": "/roberta/resolve/main/config.json", "status": 401}]
    assert hub.logged("missing") == [{"repo": "models/FacebookAI/roberta-base", "file": "absent.json"}]
    assert hub.logged("assumption") == [{"text": "roberta-base is small"}]
    assert hub.logged("served") == [{"repo": "models/FacebookAI/roberta-base"}]


def test_an_owners_model_of_a_known_family_is_served_and_said_to_be_assumed(hub: Hub) -> None:
    answer = hub.ask("/someorg/my-roberta-base/resolve/main/config.json")
    assert (answer.status, answer.body) == (200, CONFIG)
    told = "the hub double does not know someorg/my-roberta-base; its name suggests FacebookAI/roberta-base"
    assert hub.logged("assumption")[0] == {"text": f"{told}, which is served"}


@pytest.mark.parametrize(
    ("path", "assumptions"),
    [
        ("/bert-base/resolve/main/config.json", []),
        ("/spaces/evaluate-metric/acuracy/resolve/main/acuracy.py", []),
        (
            "/acme/giant-roberta/resolve/main/config.json",
            ["acme/giant-roberta exists on the real hub (models), but the hub double has no stand-in for it"],
        ),
        (
            "/acme/other/resolve/main/config.json",
            ["the hub double does not know acme/other (models) and refused it; the real hub may have it"],
        ),
    ],
)
def test_a_refusal_that_may_be_the_doubles_fault_says_so(hub: Hub, path: str, assumptions: list[str]) -> None:
    assert hub.ask(path).status == 401
    assert [line["text"] for line in hub.logged("assumption")] == assumptions


def test_a_metric_is_found_at_main_and_its_missing_tag_is_no_refusal(hub: Hub) -> None:
    assert hub.ask("/spaces/evaluate-metric/accuracy/resolve/v0.4.6/accuracy.py").status == 404
    assert hub.ask("/spaces/evaluate-metric/accuracy/resolve/main/accuracy.py").body == b"# metric"
    assert hub.logged("refused") == []


def test_repository_records(hub: Hub) -> None:
    record = hub.ask("/api/models/FacebookAI/roberta-base/revision/main").json
    assert isinstance(record, dict)
    assert {k: record[k] for k in ("id", "author", "sha", "pipeline_tag", "siblings", "gated")} == {
        "id": "FacebookAI/roberta-base",
        "author": "FacebookAI",
        "sha": hub.commits["model"],
        "pipeline_tag": "fill-mask",
        "siblings": [{"rfilename": n} for n in ("1_Pooling/config.json", "README.md", "config.json")],
        "gated": False,
    }


def test_trees(hub: Hub) -> None:
    def paths(query: str) -> list[tuple[str, str]]:
        entries = hub.ask(f"/api/models/FacebookAI/roberta-base/tree/main{query}").json
        assert isinstance(entries, list)
        return [(e["type"], e["path"]) for e in entries]

    top = [("directory", "1_Pooling"), ("file", "README.md"), ("file", "config.json")]
    assert paths("") == top
    assert paths("?recursive=true") == [top[0], ("file", "1_Pooling/config.json"), *top[1:]]
    assert paths("/1_Pooling") == [("file", "1_Pooling/config.json")]


@pytest.mark.parametrize("body", [b"paths=config.json&paths=nope", b'{"paths": ["config.json", "nope"]}'])
def test_paths_info_takes_forms_and_json(hub: Hub, body: bytes) -> None:
    answer = hub.ask("/api/models/FacebookAI/roberta-base/paths-info/main", "POST", body).json
    assert isinstance(answer, list)
    assert [(e["path"], e["size"]) for e in answer] == [("config.json", len(CONFIG))]


def test_refs_list_the_converted_branch(hub: Hub) -> None:
    assert hub.ask("/api/datasets/owner/rows/refs").json == {
        "branches": [{"name": "main", "ref": "refs/heads/main", "targetCommit": hub.commits["script"]}],
        "converts": [
            {"name": "parquet", "ref": "refs/convert/parquet", "targetCommit": hub.commits["converted"]}
        ],
        "tags": [],
    }


def test_what_it_does_not_speak_is_told(hub: Hub) -> None:
    assert hub.ask("/api/collections/acme").status == 404
    assert hub.logged("assumption") == [{"text": "the hub double does not speak GET /api/collections/acme"}]


def test_many_at_once(hub: Hub) -> None:
    path = "/FacebookAI/roberta-base/resolve/main/config.json"
    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda _: hub.ask(path).body, range(200)))
    assert answers == [CONFIG] * 200


def test_commit_follows_content(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    first, same, other = (revision(blobs, {"a": data}) for data in (b"1", b"1", b"2"))
    assert first == same
    assert first["commit"] != other["commit"]


def test_runs_as_a_script(tmp_path: Path) -> None:
    write_store(tmp_path)
    port = tmp_path / "port"
    script = str(server_module.__file__)
    options = ["--store", tmp_path, "--log", tmp_path / "log", "--port-file", port]
    process = subprocess.Popen([sys.executable, "-S", script, *map(str, options)])
    try:
        deadline = time.monotonic() + 20
        while not port.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        connection = http.client.HTTPConnection("127.0.0.1", int(port.read_text()), timeout=10)
        connection.request("GET", "/FacebookAI/roberta-base/resolve/main/config.json")
        assert connection.getresponse().read() == CONFIG
    finally:
        process.kill()
        process.wait()
