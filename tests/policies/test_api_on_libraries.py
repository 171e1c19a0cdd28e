"""The checks on third-party names against code that is right: the sources of the libraries themselves."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from policies.api import reference
from policies.api_library import Library
from policies.base import Check, Evidence
from policies.contract import STANDARD
from policies.parsed import ParsedBundle
from policies.records import Bundle
from policies.registry import check_by_id
from tools.trial.api_index import site_packages_of

SAMPLE = 200
FOLDERS = ("peft", "accelerate", "evaluate", "datasets", "optuna", "seaborn", "transformers")
CHECKS = ("unknown-api-name", "unknown-api-keyword", "wrong-api-call", "unknown-attribute")
TRUE = {
    ("accelerate/test_utils/scripts/test_distributed_data_loop.py", "unknown-attribute"),
    ("accelerate/utils/megatron_lm.py", "unknown-attribute"),
    ("accelerate/utils/transformer_engine.py", "unknown-api-keyword"),
    ("transformers/loss/loss_rt_detr.py", "unknown-attribute"),
}
"""Defects of the libraries: code that nothing runs, which reads attributes that nothing sets."""
SCRIPT = """
import importlib, inspect, json, sys
wrong = []
for home, (members, keywords, most) in json.load(sys.stdin).items():
    module, owner = home, []
    while True:
        module, _, last = module.rpartition(".")
        owner.insert(0, last)
        try:
            found = importlib.import_module(module)
            break
        except ImportError:
            pass
    for name in owner:
        found = getattr(found, name)
    if members is not None:
        extra = {n for n in dir(found) if not n.startswith("_")} - set(members)
        wrong += [f"{home}.{name}" for name in sorted(extra)]
    if keywords is not None:
        every = inspect.signature(found).parameters.values()
        parameters = [p for p in every if p.name not in ("self", "cls")]
        named = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
        places = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.POSITIONAL_ONLY)]
        wrong += [f"{home}({name})" for name in sorted(named - set(keywords))]
        wrong += [f"{home}: positions"] * (len(places) > most)
print(json.dumps(wrong))
"""


@pytest.fixture(scope="module")
def python() -> Path:
    """The interpreter of the reference environment."""
    path = os.environ.get("SUTURE_TEST_ENV", "")
    if not path:
        pytest.skip("SUTURE_TEST_ENV names no interpreter with the experiment libraries")
    return Path(path)


def test_nothing_wrong_is_said_of_library_code(python: Path) -> None:
    root = site_packages_of(python)[0]
    files = [path for folder in FOLDERS for path in sorted(root.joinpath(folder).rglob("*.py"))]
    files = [path for path in files if path.stat().st_size < 100_000 and "models" not in path.parts]
    checks = [check for check in map(check_by_id, CHECKS) if check is not None]
    found = set()
    for path in files[:: max(1, len(files) // SAMPLE)]:
        name = path.relative_to(root).as_posix()
        found |= {(name, check, message) for check, message in _findings(checks, name, path.read_text())}
    assert {item for item in found if item[:2] not in TRUE} == set()


def _findings(checks: list[Check], name: str, text: str) -> list[tuple[str, str]]:
    subject, evidence = ParsedBundle(Bundle(files={name: text}), STANDARD), Evidence()
    return [(f.check, f.message) for check in checks for f in check.find(subject, evidence)]


@pytest.mark.parametrize("package", ["omegaconf", "optuna", "datasets"])
def test_the_tables_agree_with_what_an_import_shows(python: Path, package: str) -> None:
    api, library = reference(package), Library(Evidence())
    assert api is not None
    asked: dict[str, tuple[list[str] | None, list[str] | None, int]] = {}
    for home in sorted({home for names in api.homes.values() for home in names.values()}):
        if home.partition(".")[0] != package or "test" in home or home not in api.signatures:
            continue
        signature, members = api.signatures[home], library.members(home) if library.is_class(home) else None
        closed = not signature.more_keywords
        most = 99 if signature.more_positional else len(signature.positional)
        listed = sorted(members) if members is not None else None
        asked[home] = (listed, sorted(signature.keywords) if closed else None, most)
    done = subprocess.run(
        [python, "-c", SCRIPT],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert (len(asked) > 20, json.loads(done.stdout.splitlines()[-1])) == (True, [])
