"""Test suites in the real sandbox, with the tests' own interpreter: every way in which tests can end."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from policies.errors import UsageError
from policies.python_tests import CONTRACT
from policies.records import Bundle, Rehearsal
from tools.trial.rehearsal import SandboxRehearser

CORE = """\
import time


def half(n):
    return n / 2


def bad(n):
    return half(undefined)


def endless():
    while True:
        try:
            time.sleep(0.01)
        except Exception:
            pass


def deep(n):
    return deep(n + 1)
"""


def run(tests: dict[str, str], tmp_path: Path, *, wall_s: float = 60.0) -> Rehearsal:
    """The rehearsed trial of a project with these tests."""
    rehearser = SandboxRehearser(env=sys.executable, cache_root=tmp_path, trial_wall_s=wall_s)
    bundle = Bundle(files={"core.py": CORE}, given=tests)
    install, trial = rehearser.rehearse(bundle, CONTRACT)
    assert install.status == "passed"
    return trial


def counts(trial: Rehearsal) -> tuple[int, int, int]:
    """Passed, failed, skipped."""
    assert trial.proof is not None
    return trial.proof.tests_passed, trial.proof.tests_failed, trial.proof.tests_skipped


def told(trial: Rehearsal) -> str:
    """Exception and message of the run as a whole."""
    assert trial.failure is not None
    return f"{trial.failure.exception}: {trial.failure.message}"


def test_every_outcome_is_reported(tmp_path: Path) -> None:
    tests = {
        "tests/test_a.py": "import pytest\nfrom core import bad, deep, half\n\n\n"
        "def test_right():\n    assert half(4) == 2\n\n\n"
        "def test_wrong():\n    assert half(4) == 3\n\n\n"
        "def test_name():\n    bad(1)\n\n\n"
        "def test_deep():\n    deep(1)\n\n\n"
        "@pytest.mark.skip\ndef test_skipped():\n    pass\n\n\n"
        "@pytest.mark.xfail\ndef test_expected():\n    assert half(1) == 3\n\n\n"
        "@pytest.fixture\ndef stack():\n    return bad(2)\n\n\n"
        "def test_fixture(stack):\n    pass\n",
        "tests/test_b.py": "from core import absent\n",
    }
    trial = run(tests, tmp_path)
    assert (trial.status, counts(trial)) == ("failed", (1, 5, 2))
    seen = {t.test.rpartition("::")[2]: (t.stage, t.failure.exception, t.failure.file) for t in trial.tests}
    assert seen == {
        "tests/test_b.py": ("collect", "ImportError", "tests/test_b.py"),
        "test_wrong": ("call", "AssertionError", "tests/test_a.py"),
        "test_name": ("call", "NameError", "core.py"),
        "test_deep": ("call", "RecursionError", "core.py"),
        "test_fixture": ("setup", "NameError", "core.py"),
    }
    assert told(trial) == "TestsFailed: 5 of 6 tests fail"


def test_a_test_without_end_is_ended_and_the_others_run(tmp_path: Path) -> None:
    tests = {
        "test_a.py": "from core import endless, half\n\n\ndef test_hangs():\n    endless()\n\n\n"
        "def test_right():\n    assert half(4) == 2\n"
    }
    trial = run(tests, tmp_path, wall_s=10.0)
    assert counts(trial) == (1, 1, 0)
    failure = trial.tests[0].failure
    assert (failure.exception, failure.file, failure.function) == ("Timeout", "core.py", "endless")


@pytest.mark.parametrize(
    ("tests", "expected"),
    [
        ({"README.md": "no test\n"}, "NoWork: pytest found no test"),
        (
            {"test_a.py": "import pytest\n\n\n@pytest.mark.skip\ndef test_a():\n    pass\n"},
            "NoWork: no test ran and passed: 1 skipped",
        ),
        ({"test_a.py": "import os\n\n\ndef test_a():\n    os._exit(0)\n"}, "TestsFailed: 1 of 1 tests fail"),
        (
            {"test_a.py": "def test_a():\n    pass\n\n\nimport os\nos._exit(0)\n"},
            "NoWork: no test ran and passed: none was reported",
        ),
        ({"test_a.py": "def test_a():\n    pass\n", "conftest.py": "raise KeyError('x')\n"}, "KeyError: 'x'"),
        (
            {"test_a.py": "def test_a():\n    pass\n", "pytest.ini": "[pytest]\naddopts = --zzz\n"},
            "ExitStatus: pytest did not start: unrecognized arguments: --zzz",
        ),
    ],
)
def test_a_run_that_shows_nothing_has_not_passed(
    tests: dict[str, str], expected: str, tmp_path: Path
) -> None:
    trial = run(tests, tmp_path)
    assert (trial.status, told(trial)) == ("failed", expected)


def test_a_passing_suite_passes(tmp_path: Path) -> None:
    trial = run(
        {"test_a.py": "from core import half\n\n\ndef test_a():\n    assert half(4) == 2\n"}, tmp_path
    )
    assert (trial.status, trial.failure, counts(trial)) == ("passed", None, (1, 0, 0))


def test_a_project_finds_its_own_metadata_and_its_src_folder(tmp_path: Path) -> None:
    files = {
        "pyproject.toml": '[project]\nname = "half-it"\nversion = "1.5"\n',
        "src/half/__init__.py": "from importlib.metadata import version\n\nVERSION = version('half-it')\n",
    }
    given = {"tests/test_a.py": "import half\n\n\ndef test_version():\n    assert half.VERSION == '1.5'\n"}
    rehearser = SandboxRehearser(env=sys.executable, cache_root=tmp_path)
    trial = rehearser.rehearse(Bundle(files=files, given=given), CONTRACT)[-1]
    assert (trial.status, counts(trial)) == ("passed", (1, 0, 0))


def test_an_interpreter_without_pytest_is_refused(tmp_path: Path) -> None:
    rehearser = SandboxRehearser(env="/usr/bin/python3", cache_root=tmp_path)
    versions = rehearser.environment(Bundle(files={})).environment
    if versions is None or "pytest" in versions.versions:
        pytest.skip("the system's Python has pytest")
    with pytest.raises(UsageError, match="has no pytest"):
        rehearser.rehearse(Bundle(files={"a.py": ""}), CONTRACT)
