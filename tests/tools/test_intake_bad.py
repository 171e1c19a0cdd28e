"""Bad input gives one clear line and nothing else."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from policies.errors import UsageError
from tools.intake import read_request
from tools.intake.files import MAX_BYTES
from tools.intake.names import check_path, check_run_id

NAMES = ("train", "evaluate", "preprocess", "model", "main")
FLAT = {**{f"{n}_py": "" for n in NAMES}, "pyproject_toml": "", "config_yaml": ""}
RUN = "\n- Run ID: {}\n  Method: m\n  ```yaml\n  run_id: x\n  ```\n"


def fault(source: str | Path) -> str:
    """The one line that a bad input gives, without the source's name."""
    started = time.monotonic()
    with pytest.raises(UsageError) as caught:
        read_request(source)
    message = str(caught.value)
    assert time.monotonic() - started < 5, "bad input must be refused at once"
    assert message and "\n" not in message
    return message.replace(str(source), "IN")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "IN: the file is empty"),
        ("Dear all, hello.", "IN: this is neither a review transcript nor a bundle JSON: it holds no bundle"),
        ('{"train_py": "x",\n "main_py": }', "IN: broken JSON at line 2, column 13: Expecting value"),
        ('Code:\n{"train_py": "x", oops', "IN: broken JSON at line 2, column 19: "),
        ('{"train_py": "", "train_py": ""}', "IN: the key 'train_py' occurs twice in one object"),
        ("[1, 2]", "IN: the top level is a list, not an object"),
        ('{"a": 1}', "IN: this JSON is no bundle: it has none of the keys train_py, evaluate_py, "),
        ('{"train_py": ""}', "IN: the bundle lacks evaluate_py (src/evaluate.py), preprocess_py "),
        (json.dumps({**FLAT, "train_py": 3}), "IN: the value of 'train_py' must be a string, not int"),
        (
            json.dumps({**FLAT, "model_py": None}),
            "IN: the value of 'model_py' must be a string, not NoneType",
        ),
        (json.dumps({"src/main.py": "", "../evil.py": ""}), "IN: the path '../evil.py' leaves the bundle"),
        (json.dumps({"src/main.py": "", "/etc/x.py": ""}), "IN: the path '/etc/x.py' is absolute"),
        (json.dumps({"src/main.py": "", "src\\x.py": ""}), "IN: the path 'src\\\\x.py' has a backslash"),
        (json.dumps({"src/main.py": "", "C:/x.py": ""}), "IN: the path 'C:/x.py' is absolute"),
        (json.dumps({"src/main.py": "", "src/a\0.py": ""}), "IN: the path 'src/a\\x00.py' has a character"),
        (
            json.dumps({"src/main.py": "", ".git/hooks/a.py": ""}),
            "IN: the path '.git/hooks/a.py' lies in a git",
        ),
        (json.dumps({"src/main.py": "", "src/main.py/a.py": ""}), "IN: 'src/main.py' is both a file and"),
        (json.dumps({"src/main.py": "", "src//a.py": ""}), "IN: the path 'src//a.py' is not in its shortest"),
        (json.dumps({**FLAT, "run_configs": {"../a": ""}}), "IN: the run id '../a' has a slash"),
        (json.dumps({**FLAT, "run_configs": {"": ""}}), "IN: the run id '' is empty"),
        (json.dumps({**FLAT, "run_configs": {"a": 1}}), "IN: the run config 'a' must be a string"),
        (json.dumps({**FLAT, "runs": [{"run_id": "a"}, {"run_id": "a"}]}), "IN: the run id 'a' occurs twice"),
        (json.dumps({**FLAT, "context": {"metrics": 3}}), "IN: the context is not usable: metrics: "),
        (RUN.format("-rf") + json.dumps(FLAT), "IN: the run id '-rf' starts with a dash"),
        (RUN.format("..") + json.dumps(FLAT), "IN: the run id '..' names a folder"),
        (RUN.format("a/b") + json.dumps(FLAT), "IN: the run id 'a/b' has a slash"),
        (RUN.format("x" * 201) + json.dumps(FLAT), "IN: the run id 'xxx"),
        (RUN.format("a") * 2 + json.dumps(FLAT), "IN: the run id 'a' occurs twice"),
    ],
)
def test_bad_text(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "in"
    path.write_text(text, encoding="utf-8")
    assert fault(path).startswith(expected)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\x7fELF\x00\x01\xff", "IN: is a binary file (byte 6 is 0xff)"),
        (b'{"train_py": "\x00"}', "IN: is a binary file (byte 14 is NUL)"),
        ("Prüfung".encode("latin-1"), "IN: is not UTF-8 text (byte 2 is 0xfc)"),
        ('{"a": 1}'.encode("utf-16"), "IN: is a binary file (byte 0 is 0xff)"),
    ],
)
def test_bad_bytes(tmp_path: Path, data: bytes, expected: str) -> None:
    path = tmp_path / "in"
    path.write_bytes(data)
    assert fault(path) == expected


def large(path: Path) -> None:
    with path.open("wb") as stream:
        stream.truncate(200_000_000)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda p: None, "IN: there is no such file or directory"),
        (lambda p: p.mkdir(), "IN: this directory holds no bundle: it has none of src/train.py, "),
        (os.mkfifo, "IN: is not a regular file but a pipe"),
        (large, f"IN: holds 200,000,000 bytes or more, the limit is {MAX_BYTES:,}"),
        (lambda p: p.symlink_to("/dev/zero"), "IN: is not a regular file but a device"),
    ],
)
def test_bad_paths(tmp_path: Path, make: Callable[[Path], None], expected: str) -> None:
    path = tmp_path / "in"
    make(path)
    assert fault(path).startswith(expected)


def test_names_that_no_system_can_open() -> None:
    assert fault("a\0b").startswith("'a\\x00b': cannot be opened")
    assert fault("x" * 5000).endswith("cannot be opened: File name too long")
    assert "\n" not in fault("no\nsuch")


def bundle_in(folder: Path) -> Path:
    (folder / "src").mkdir()
    (folder / "src" / "main.py").write_text("x = 1\n")
    return folder


def test_links_that_leave_a_directory(tmp_path: Path) -> None:
    outside = tmp_path / "secret.py"
    outside.write_text("token = 1\n")
    root = tmp_path / "bundle"
    root.mkdir()
    bundle_in(root)
    (root / "src" / "train.py").symlink_to(outside)
    assert fault(root) == "IN: src/train.py is a link that leaves the directory"
    (root / "src" / "train.py").unlink()
    (root / "src" / "train.py").symlink_to(root / "src" / "main.py")
    assert read_request(root).bundle.files["src/train.py"] == "x = 1\n"
    (root / "src" / "model.py").symlink_to(root / "nowhere")
    assert fault(root).startswith("IN: src/model.py cannot be read: it is a broken link")


def test_a_directory_with_a_pipe_or_too_much(tmp_path: Path) -> None:
    bundle_in(tmp_path)
    os.mkfifo(tmp_path / "src" / "model.py")
    assert fault(tmp_path) == "IN: src/model.py is not a regular file"
    (tmp_path / "src" / "model.py").unlink()
    large(tmp_path / "src" / "model.py")
    assert fault(tmp_path).startswith("IN: the bundle's files hold 200,000,006 bytes")


def test_a_file_that_is_no_text_is_kept_as_bytes(tmp_path: Path) -> None:
    bundle_in(tmp_path)
    (tmp_path / "src" / "model.py").write_bytes(b"\xff")
    bundle = read_request(str(tmp_path)).bundle
    assert dict(bundle.binaries) == {"src/model.py": "/w=="}
    assert "src/model.py" not in bundle.files


def test_source_in_another_declared_encoding_is_kept_as_utf8(tmp_path: Path) -> None:
    bundle_in(tmp_path)
    (tmp_path / "src" / "model.py").write_bytes(b"# -*- coding: latin-1 -*-\nX = '\xe9'\n")
    request = read_request(str(tmp_path))
    assert request.bundle.files["src/model.py"] == "# -*- coding: utf-8 -*-\nX = 'é'\n"
    assert any(note.endswith("model.py: is kept as UTF-8, not as it declares.") for note in request.notes)


def test_a_file_that_cannot_be_read_as_a_run_id(tmp_path: Path) -> None:
    bundle_in(tmp_path)
    (tmp_path / "config" / "runs").mkdir(parents=True)
    (tmp_path / "config" / "runs" / "-x.yaml").write_text("run_id: x\n")
    assert fault(tmp_path).startswith("IN: the run id '-x' starts with a dash")


@pytest.mark.parametrize("run_id", ["a", "Llama-2 (7B) v1.0", "proposed_x--y", "ü", "x" * 200])
def test_safe_run_ids(run_id: str) -> None:
    assert check_run_id("in", run_id) == run_id


@pytest.mark.parametrize("path", ["src/a.py", "a-b/c d.yaml", "src/ü.py", "x..py"])
def test_safe_paths(path: str) -> None:
    assert check_path("in", path) == path


def test_prose_full_of_braces_does_not_hang(tmp_path: Path) -> None:
    path = tmp_path / "in"
    path.write_text('x {"a": {"b": ' * 100_000, encoding="utf-8")
    assert fault(path).endswith("it holds no bundle")
