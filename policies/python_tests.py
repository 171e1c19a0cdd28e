"""The policy for a plain Python project that is tried by its own test suite."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from policies.contract import Contract, Criterion, ModeSwitch
from policies.policy import Policy
from policies.records import Severity

NAME = "python-tests"
INSTALLS, IMPORTS, TESTS = 1, 2, 3
"""Numbers of the criteria; the checks' `KINDS` refer to them."""
CONTRACT = Contract(
    name=NAME,
    kind="tests",
    files=(),
    run_config_dir="",
    train=(),
    trial=("python", "-m", "pytest", "-q"),
    evaluate=(),
    mode=ModeSwitch(key="", trial="", full=""),
    criteria=(
        Criterion(
            number=INSTALLS,
            title="Installs",
            sentences=("What the project declares as its requirements is valid and can be installed.",),
            needs=("install",),
        ),
        Criterion(
            number=IMPORTS,
            title="Imports",
            sentences=("Every module parses, and every name and import in it can be resolved.",),
            needs=("trial",),
        ),
        Criterion(
            number=TESTS,
            title="Tests pass",
            sentences=("At least one test runs, and no test fails.",),
            needs=("trial",),
        ),
    ),
)
_ADVICE = (
    "broken-build-backend",
    "not-text",
    "requirement-syntax",
    "syntax-error",
    "unbound-name",
    "undeclared-import",
    "undefined-name",
    "unknown-api-keyword",
    "unknown-api-name",
    "unresolved-import",
    "wrong-distribution",
)
POLICY = Policy(name=NAME, contract=CONTRACT, severity=dict.fromkeys(_ADVICE, Severity.ADVISORY))
"""What the suite does not execute blocks nothing: ready means that the tests pass."""

TEST_FOLDERS = frozenset({"test", "tests"})
_TEST_FILE = re.compile(r"(?:test_.*|.*_tests?|tests?|conftest)\.py")
SETTINGS = ("pytest.ini", ".pytest.ini", "tox.ini", "setup.cfg", "noxfile.py")
"""Files that may tell pytest what to run."""


def is_test_file(path: str) -> bool:
    """Whether a Python file belongs to the tests: by pytest's own names, or by its folder."""
    *folders, name = PurePosixPath(path).parts
    return bool(_TEST_FILE.fullmatch(name)) or any(folder.lower() in TEST_FOLDERS for folder in folders)


def is_editable(path: str) -> bool:
    """Whether a repair may change a file: the project's code and its `pyproject.toml`."""
    if path == "pyproject.toml":
        return True
    return path.endswith(".py") and not is_test_file(path) and path not in SETTINGS


def test_settings(pyproject: str) -> Mapping[str, Any]:  # parsed TOML has no narrower type
    """What a `pyproject.toml` tells the tools that run tests; empty when it does not parse."""
    try:
        tool = tomllib.loads(pyproject).get("tool")
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}
    tools = tool if isinstance(tool, dict) else {}
    return {name: tools[name] for name in ("pytest", "coverage", "tox") if name in tools}
