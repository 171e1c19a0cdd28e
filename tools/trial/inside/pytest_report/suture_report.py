"""A pytest plugin that writes what each test did: one JSON object a line, to the file in SUTURE_TESTS.

Loaded with `-p suture_report`; judges nothing, imports nothing beyond pytest and the standard library.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import traceback
from collections.abc import Generator
from types import FrameType
from typing import Any

import pytest

OUT = os.environ.get("SUTURE_TESTS", "")
LIMIT_S = float(os.environ.get("SUTURE_TEST_LIMIT", "0"))
MAX_FRAMES = 60
MAX_TEXT = 6000


class TestTimeout(BaseException):
    """A test ran longer than it may; no handler of `Exception` in the project stops it."""

    __test__ = False


def write(**entry: Any) -> None:
    """Append one line at once: workers of a parallel run share the file."""
    line = json.dumps(entry).encode("ascii") + b"\n"
    descriptor = os.open(OUT, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, line)
    finally:
        os.close(descriptor)


def frames_of(error: BaseException) -> list[list[Any]]:
    """Path, line and function of the innermost frames of an exception, outermost first."""
    stack = traceback.extract_tb(error.__traceback__)
    found = [[frame.filename, frame.lineno or 0, frame.name] for frame in stack]
    if isinstance(error, SyntaxError) and error.filename:
        found.append([error.filename, error.lineno or 0, ""])
    # Endless recursion fills a stack; where it began and where it ended tell enough.
    return found if len(found) <= MAX_FRAMES else found[: MAX_FRAMES // 2] + found[-MAX_FRAMES // 2 :]


def told(error: BaseException) -> str:
    """The exception's message."""
    try:
        return str(error)[:MAX_TEXT]
    except Exception:  # noqa: BLE001  # a project's own `__str__` may fail
        return "(the message cannot be printed)"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: Any, call: Any) -> Generator[None, Any, None]:
    """Write the outcome of each stage of a test."""
    outcome = yield
    report = outcome.get_result()
    entry: dict[str, Any] = {"test": report.nodeid, "stage": report.when, "outcome": report.outcome}
    entry["expected"] = hasattr(report, "wasxfail")
    if report.failed and call.excinfo is not None:
        error = call.excinfo.value
        entry["exception"] = type(error).__name__
        entry["message"] = told(error)
        entry["frames"] = frames_of(error)
        entry["text"] = report.longreprtext[-MAX_TEXT:]
    elif report.failed:
        entry["text"] = report.longreprtext[-MAX_TEXT:]
    write(**entry)


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report(collector: Any) -> Generator[None, Any, None]:
    """Write what cannot be collected."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        call = getattr(report, "call", None)
        error = call.excinfo.value if call is not None and call.excinfo is not None else None
        cause = getattr(error, "__cause__", None) or error
        entry: dict[str, Any] = {"test": report.nodeid or str(collector), "stage": "collect"}
        entry["outcome"], entry["text"] = "failed", report.longreprtext[-MAX_TEXT:]
        if cause is not None:
            entry["exception"], entry["message"] = type(cause).__name__, told(cause)
            entry["frames"] = frames_of(cause)
        write(**entry)


def pytest_runtest_logstart(nodeid: str, location: Any) -> None:
    """Write which test begins: one that never ends leaves this line alone."""
    write(test=nodeid, stage="start", outcome="")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item: Any, nextitem: Any) -> Generator[None, Any, None]:
    """End a test that runs too long, so that the others get their turn."""
    usable = LIMIT_S > 0 and threading.current_thread() is threading.main_thread()
    if not usable:
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise TestTimeout(f"still running after {LIMIT_S:.0f} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, LIMIT_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def pytest_sessionfinish(session: Any, exitstatus: int) -> None:
    """Write how the session ended."""
    write(test="", stage="end", outcome=str(int(exitstatus)), count=int(session.testscollected))
