"""Files that nobody should have written: each is a finding on itself, and the others are still reviewed."""

from __future__ import annotations

import base64
import time

import pytest

from policies.base import Evidence
from policies.contract import STANDARD
from policies.parsed import ParsedBundle
from policies.records import Bundle
from policies.review import review
from policies.run_check import FAILED

TRAIN = "import torch\n\n\ndef train():\n    return unknown_name\n"
"""Another file of the bundle, whose defect must be found whatever the hostile one does."""
WIDE = 10_000_000
LIMIT_S = 5.0
PYTHON = {
    "no Python": b"def f(:\n",
    "unclosed": b"x = (\n",
    "Python 2": b'print "x"\n',
    "null byte": b"x = 1\ny = '\0'\n",
    "wide string": b"x = '" + b"a" * WIDE + b"'\n",
    "wide list": b"x = [" + b"1," * (WIDE // 2) + b"]\n",
    "deep brackets": b"x = " + b"(" * 5000 + b")" * 5000 + b"\n",
    "deep minus": b"x = " + b"-" * 50000 + b"1\n",
    "deep attribute": b"x = a" + b".b" * 20000 + b"\n",
    "deep sum": b"x = " + b"+".join([b"1"] * 50000) + b"\n",
    "deep call": b"x = f" + b"()" * 20000 + b"\n",
    "many branches": b"if x:\n  pass\n" + b"elif x:\n  pass\n" * 5000,
    "wide number": b"x = " + b"9" * 10000 + b"\n",
    "Latin-1": "x = 'é'\n".encode("latin-1"),
    "UTF-16": "x = 1\n".encode("utf-16"),
    "noise": bytes(range(256)) * 40,
}
YAML = {
    "duplicate key": b"a: 1\nb: 2\na: 3\n",
    "null byte": b"a: '\0'\n",
    "bomb": b"a: &a [x,x,x,x,x,x,x,x,x]\n"
    + b"".join(b"%c: &%c [%s]\n" % (98 + i, 98 + i, b",".join([b"*%c" % (97 + i)] * 9)) for i in range(8)),
    "merge bomb": b"a: &a {x: 1}\n"
    + b"".join(
        b"%c: &%c {<<: [%s]}\n" % (98 + i, 98 + i, b",".join([b"*%c" % (97 + i)] * 9)) for i in range(9)
    ),
    "list in itself": b"a: &a [*a]\n",
    "mapping in itself": b"a: &a {b: *a}\n",
    "deep list": b"a: " + b"[" * 1000 + b"]" * 1000 + b"\n",
    "foreign tag": b"a: !!python/object/apply:os.system ['true']\n",
    "two documents": b"a: 1\n---\nb: 2\n",
    "wide string": b"a: " + b"x" * WIDE + b"\n",
    "a list": b"- a\n",
    "tab": b"a:\n\tb: 1\n",
    "Latin-1": "a: é\n".encode("latin-1"),
}
TOML = {
    "no TOML": b"[project\n",
    "duplicate key": b'[project]\nname = "a"\nname = "b"\n',
    "null byte": b'[project]\nname = "\0"\n',
    "deep": b"a = " + b"[" * 5000 + b"]" * 5000 + b"\n",
    "wide number": b"a = " + b"9" * 10000 + b"\n",
    "Latin-1": '[project]\nname = "é"\n'.encode("latin-1"),
}
CASES = [
    *(("src/model.py", name, data) for name, data in PYTHON.items()),
    *(("src/evaluate.py", name, data) for name, data in PYTHON.items()),
    *(("config/config.yaml", name, data) for name, data in YAML.items()),
    *(("config/runs/run-1.yaml", name, data) for name, data in YAML.items()),
    *(("pyproject.toml", name, data) for name, data in TOML.items()),
]


def _bundle(path: str, data: bytes) -> Bundle:
    texts = {"src/train.py": TRAIN, "src/main.py": "import hydra\n", "config/config.yaml": "mode: full\n"}
    runs = {"config/runs/run-1.yaml": "run_id: run-1\n"}
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        for given in (texts, runs):
            given.pop(path, None)
        encoded = {path: base64.b64encode(data).decode("ascii")}
        return Bundle(files=texts, run_configs=runs, binaries=encoded)
    (runs if path in runs else texts)[path] = text
    return Bundle(files=texts, run_configs=runs)


@pytest.mark.parametrize(("path", "name", "data"), CASES, ids=[f"{p}: {n}" for p, n, _ in CASES])
def test_a_hostile_file_is_a_finding_and_the_rest_is_reviewed(path: str, name: str, data: bytes) -> None:
    started = time.process_time()
    verdict = review(ParsedBundle(_bundle(path, data), STANDARD), Evidence())
    assert time.process_time() - started < LIMIT_S
    found = [(f.file, f.check) for f in verdict.findings]
    assert {check for file, check in found if file == path} & {"syntax-error", "not-text"}
    assert ("src/train.py", "undefined-name") in found
    assert [f.evidence for f in verdict.findings if f.message == FAILED] == []


def test_plain_anchors_are_no_bomb() -> None:
    text = b"base: &b {x: 1}\nother: {<<: *b, y: 2}\n"
    verdict = review(ParsedBundle(_bundle("config/config.yaml", text), STANDARD), Evidence())
    assert [f.check for f in verdict.findings if f.check == "syntax-error"] == []
