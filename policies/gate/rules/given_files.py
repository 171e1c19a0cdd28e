"""Run configs, the file set, and files that stop parsing."""

from __future__ import annotations

from collections.abc import Iterator

from policies.gate.base import EVERYWHERE, Change, GateRule, Objection, Pair, change
from policies.python_tests import CONTRACT as TESTS
from policies.records import Bundle


class GivenFiles(GateRule):
    """Run configs are the experiment and not the bundle's to change; the contract names every other file.

    A bundle "repaired" by editing what it is tested with, or by leaving out the file that fails, is not.
    """

    ID = "given-files"
    KINDS = EVERYWHERE
    REFUSED = (
        Change(
            {"src/train.py": "x = 1\n"},
            {"src/train.py": "x = 1\n"},
            run_configs={"config/runs/a.yaml": "lr: 1\n"},
            run_configs_after={"config/runs/a.yaml": "lr: 2\n"},
        ),
        Change({"src/train.py": "x = 1\n"}, {"src/train.py": "x = 1\n", "src/extra.py": "y = 2\n"}),
        Change({"src/train.py": "x = 1\n", "src/model.py": "y = 2\n"}, {"src/train.py": "x = 1\n"}),
        Change(
            {"stack.py": "x = 1\n"},
            {"stack.py": "x = 1\n"},
            given={"tests/test_stack.py": "def test_a():\n    assert 1\n"},
            given_after={"tests/test_stack.py": ""},
            contract=TESTS,
        ),
        Change(
            {"stack.py": "x = 1\n"},
            {"stack.py": "x = 1\n", "tests/test_stack.py": "x = 1\n"},
            given={"tests/test_stack.py": "def test_a():\n    assert 1\n"},
            contract=TESTS,
        ),
        change("x = 1\n", "# nothing left\n"),
        change("x = 1\n", "x = (1\n"),
    )
    ACCEPTED = (
        Change({"src/train.py": "x = 1\n", "src/extra.py": "y = 2\n"}, {"src/train.py": "x = 1\ny = 2\n"}),
        Change(
            {"src/train.py": "x = 1\n", "src/model.py": ""},
            {"src/train.py": "x = 1\n", "src/model.py": "z = 1\n"},
        ),
        change("x = (1\n", "x = 1\n"),
    )

    def objections(self, pair: Pair) -> Iterator[Objection]:
        """Every file that changed in a way no repair may."""
        base, attempt = pair.base.subject, pair.attempt.subject
        yield from _run_configs(base.bundle, attempt.bundle)
        yield from _others(base.bundle, attempt.bundle)
        allowed = {*base.contract.files, *base.bundle.files}
        for path in sorted(attempt.bundle.files.keys() - allowed):
            yield Objection("a file outside the contract was added", path)
        for path in base.contract.files:
            before, after = base.bundle.files.get(path, ""), attempt.bundle.files.get(path, "")
            if before.strip() and _without_code(after) and not _without_code(before):
                yield Objection("the file was removed or emptied", path)
        for path, module in attempt.modules.items():
            known = base.modules.get(path)
            if module.tree is None and known is not None and known.tree is not None:
                yield Objection(f"the file no longer parses: {module.error}", path)


def _run_configs(base: Bundle, attempt: Bundle) -> Iterator[Objection]:
    before, after = base.run_configs, attempt.run_configs
    for path in sorted(before.keys() | after.keys()):
        if before.get(path) != after.get(path):
            yield Objection("a run config was changed", path)


def _others(base: Bundle, attempt: Bundle) -> Iterator[Objection]:
    """Tests, settings and data: changed in place, or hidden by a file of the attempt's own."""
    before, after = {**base.binaries, **base.given}, {**attempt.binaries, **attempt.given}
    for path in sorted(before.keys() | after.keys()):
        if before.get(path) != after.get(path) or (path in attempt.files and path not in base.files):
            yield Objection("a given file was changed", path)


def _without_code(text: str) -> bool:
    """Nothing but comments and blanks; the three kinds of file share the comment sign."""
    return not any(line.strip() and not line.strip().startswith("#") for line in text.splitlines())
