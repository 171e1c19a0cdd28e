"""What tells the test runner which tests to run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from policies.gate.base import Change, GateRule, Objection, Pair
from policies.python_tests import CONTRACT, is_test_file, test_settings

_PROJECT = '[project]\nname = "stack"\nversion = "1"\n'
_PYTEST = '\n[tool.pytest.ini_options]\naddopts = "--strict-markers"\n'
STARTUP = frozenset({"sitecustomize.py", "usercustomize.py", "conftest.py", "pytest.py"})
"""Modules that a test run loads by name before any test."""


class SuiteSettingsChanged(GateRule):
    """A suite also passes when its settings deselect what fails, or when a new file steps in before it."""

    ID = "suite-settings-changed"
    KINDS = frozenset({"tests"})
    REFUSED = (
        Change(
            {"pyproject.toml": _PROJECT + _PYTEST},
            {"pyproject.toml": _PROJECT + _PYTEST.replace("--strict-markers", "-k 'not pop'")},
            contract=CONTRACT,
        ),
        Change({"pyproject.toml": _PROJECT}, {"pyproject.toml": _PROJECT + _PYTEST}, contract=CONTRACT),
        Change({"stack.py": "x = 1\n"}, {"stack.py": "x = 1\n", "conftest.py": "x = 1\n"}, contract=CONTRACT),
    )
    ACCEPTED = (
        Change(
            {"pyproject.toml": _PROJECT + _PYTEST},
            {"pyproject.toml": _PROJECT + 'dependencies = ["rich"]\n' + _PYTEST},
            contract=CONTRACT,
        ),
        Change({"stack.py": "x = 1\n"}, {"stack.py": "x = 2\n"}, contract=CONTRACT),
    )

    def objections(self, pair: Pair) -> Iterator[Objection]:
        """Changed sections of `pyproject.toml`, and new files that take part in the run."""
        before, after = pair.base.subject.bundle.files, pair.attempt.subject.bundle.files
        path = "pyproject.toml"
        if test_settings(before.get(path, "")) != test_settings(after.get(path, "")):
            yield Objection("the settings of the tests were changed", path)
        for new in sorted(after.keys() - before.keys()):
            if is_test_file(new) or PurePosixPath(new).name in STARTUP:
                yield Objection("a file that takes part in the run of the tests was added", new)
