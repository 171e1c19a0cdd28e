"""Tests that fail."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from policies.base import Bad, Check, Evidence, Good
from policies.parsed import ParsedBundle
from policies.python_tests import CONTRACT, IMPORTS, TESTS, is_test_file
from policies.records import FailedTest, Failure, Finding, Rehearsal, Severity
from policies.rehearsal_limits import machine_limit
from policies.tested_code import Tested, function_of, used_by

PATH = "shapes/area.py"
MAX_SHOWN = 3
MAX_SOURCE_LINES = 40
MAX_OUTPUT_LINES = 14
_TEST = "from shapes.area import area\n\n\ndef test_area():\n    assert area(2, 3) == 6\n"


def _failed(exception: str, message: str, file: str = "", line: int = 0, function: str = "") -> Evidence:
    failure = Failure(
        phase="trial",
        exception=exception,
        message=message,
        file=file,
        line=line,
        function=function,
        tail=f"E   {exception}: {message}",
    )
    one = FailedTest(test="tests/test_area.py::test_area", stage="call", failure=failure, test_line=5)
    return Evidence((Rehearsal(phase="trial", run_id="", status="failed", wall_s=1.0, tests=(one,)),))


@dataclass(frozen=True)
class Place:
    """The code that failing tests are about."""

    file: str
    name: str
    """Qualified name; empty when it is not known, or when a test file cannot be read."""
    line: int
    seen: bool = False
    """Whether it was executing when a test failed; otherwise the test only got a wrong result from it."""


class FailingTest(Check):
    """The tests say what the code must do, and are right unless a person says otherwise.

    Tests that fail in the same function of the project are one finding. It lies in the innermost frame of the
    project's own code; when a test only saw a wrong result, in the function that it called. A test file that
    cannot be read is reported where reading it stopped. A package that the project declares and the given
    interpreter lacks is reported without blocking.
    """

    ID = "failing-test"
    CRITERION = TESTS
    KINDS = (("tests", TESTS),)
    STAGE = 60
    PATH = PATH
    GOOD = (
        Good("def area(a, b):\n    return a * b\n", given={"tests/test_area.py": _TEST}, contract=CONTRACT),
        Good(
            "def area(a, b):\n    return a * b\n",
            given={"tests/test_area.py": _TEST},
            contract=CONTRACT,
            evidence=Evidence((Rehearsal(phase="trial", run_id="", status="passed", wall_s=1.0),)),
        ),
    )
    BAD = (
        Bad(
            "SIDES = 4\n\n\ndef area(a, b):\n    return a + b\n",
            given={"tests/test_area.py": _TEST},
            contract=CONTRACT,
            evidence=_failed("AssertionError", "assert 5 == 6"),
            lines=(4,),
        ),
        Bad(
            "def area(a, b):\n    return a * c\n",
            given={"tests/test_area.py": _TEST},
            contract=CONTRACT,
            evidence=_failed("NameError", "name 'c' is not defined", PATH, 2, "area"),
            lines=(2,),
        ),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """One finding for each function that tests fail in."""
        for rehearsal in evidence.rehearsals:
            groups: dict[tuple[str, str], list[tuple[Place, FailedTest]]] = {}
            for failed in rehearsal.tests:
                place = _place(subject, failed)
                groups.setdefault((place.file, place.name or failed.test), []).append((place, failed))
            for group in groups.values():
                yield self._finding(subject, rehearsal, group[0][0], [failed for _, failed in group])

    def _finding(
        self, subject: ParsedBundle, rehearsal: Rehearsal, place: Place, tests: list[FailedTest]
    ) -> Finding:
        first = tests[0]
        limit = _limit(subject, rehearsal, first.failure)
        number = IMPORTS if first.stage == "collect" else self.CRITERION
        found = self.finding(place.file, place.line, _message(place, tests), _evidence(subject, tests, limit))
        severity = Severity.ADVISORY if limit else found.severity
        return found.model_copy(update={"severity": severity, "criterion": number})


def _place(subject: ParsedBundle, failed: FailedTest) -> Place:
    """Where to look: the innermost frame of the project's code, else what the test calls, else the test."""
    failure = failed.failure
    if failure.file and not is_test_file(failure.file):
        function = failure.function if not failure.function.startswith("<") else ""
        return Place(failure.file, _qualified(subject, failure, function), failure.line, seen=True)
    used = used_by(subject, failed.test, failed.test_line)
    if used:
        best = _most_specific(used)
        return Place(best.path, best.name, best.line)
    return Place(failed.test.partition("::")[0], "", failed.test_line or failure.line)


def _most_specific(used: list[Tested]) -> Tested:
    """The outermost function that the failing statement calls, else the first thing that the test uses."""
    direct = [item for item in used if item.direct] or used
    return next((item for item in direct if not item.name[:1].isupper()), direct[0])


def _qualified(subject: ParsedBundle, failure: Failure, function: str) -> str:
    """The function's name with its class."""
    module = subject.modules.get(failure.file)
    for node in module.nodes if module is not None else ():
        if isinstance(node, ast.ClassDef) and node.lineno <= failure.line <= (node.end_lineno or 0):
            names = [getattr(child, "name", "") for child in node.body]
            function = f"{node.name}.{function}" if function in names else function
    return function


def _limit(subject: ParsedBundle, rehearsal: Rehearsal, failure: Failure) -> str:
    """Why the failure says nothing about the project; a test without an end always does."""
    if failure.exception == "Timeout":
        return ""
    return machine_limit(rehearsal.model_copy(update={"failure": failure}), subject)


def _message(place: Place, tests: list[FailedTest]) -> str:
    """The function and the tests, without what changes from attempt to attempt."""
    first = tests[0]
    if first.stage == "collect":
        return f"`{first.test}` cannot be read: {_what(first.failure)}"
    names = list(dict.fromkeys(t.test.partition("[")[0] for t in tests))
    listed = ", ".join(names[:MAX_SHOWN]) + (f" and {len(names) - MAX_SHOWN} more" * (len(names) > MAX_SHOWN))
    one = len(names) == 1
    if place.seen:
        return f"{listed} {'fails' if one else 'fail'}" + (f" in `{place.name}`" if place.name else "")
    what = f" what {'it expects' if one else 'they expect'}"
    return f"{listed} {'does' if one else 'do'} not get{what}" + (
        f" from `{place.name}`" if place.name else ""
    )


def _what(failure: Failure) -> str:
    return f"{failure.exception}: {failure.message}".rstrip(": ")


def _evidence(subject: ParsedBundle, tests: list[FailedTest], limit: str) -> str:
    """Which tests, what they saw, and the source of the first few."""
    parts = [f"limit of the rehearsal: {limit}"] if limit else []
    parts += [f"{t.test}: {_what(t.failure)}" for t in tests[:MAX_SHOWN]]
    if len(tests) > MAX_SHOWN:
        parts.append(f"and {len(tests) - MAX_SHOWN} more")
    parts += ["output:", *_output(tests[0].failure)]
    shown: set[int] = set()
    for failed in tests:
        located = function_of(subject, failed.test)
        if located is not None and id(located[1]) not in shown and len(shown) < MAX_SHOWN:
            shown.add(id(located[1]))
            module, node = located
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            lines = module.text.split("\n")[first - 1 : node.end_lineno][:MAX_SOURCE_LINES]
            parts += [f"the test, {module.path}:{first}:", *lines]
    return "\n".join(parts)


def _output(failure: Failure) -> list[str]:
    """The lines in which pytest explains the failure, else the last ones."""
    lines = [line.rstrip() for line in failure.tail.splitlines() if line.strip()]
    told = [line for line in lines if line.startswith(("E ", ">"))]
    return (told or lines)[-MAX_OUTPUT_LINES:] or [_what(failure)]
