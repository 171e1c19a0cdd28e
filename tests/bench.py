"""Times a review beside the linters that people run on the same files: `make bench`.

`python -m tests.bench [INPUT]` takes a transcript, a bundle JSON or a directory; without one, seed 003 of
the corpus where it is present, else the bundle in `examples/`. Times are seconds of CPU, which other work
on the machine disturbs least, and of wall clock; compare only figures of one run.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from policies.base import Evidence
from policies.contract_reader import contract_of
from policies.parsed import ParsedBundle, parse_cst, parse_module, parse_toml, parse_yaml
from policies.records import Request
from policies.review import review
from tools.intake import read_request

ROOT = Path(__file__).parents[1]
SEED = ROOT.parent / "shared" / "corpus" / "seeds" / "003.txt"
EXAMPLE = ROOT / "examples" / "confidence_penalty"
WARM_S, COMMAND_S = 0.3, 1.0
"""What a review may take in a process that is warm, and as a command of its own."""


class Timing(NamedTuple):
    """One line of the table."""

    what: str
    median_s: float
    """Of CPU time, that of child processes included."""
    wall_s: float
    """The median of the wall clock."""


def main(argv: Sequence[str]) -> int:
    """Print the table; 1 when a limit is passed or the linters are faster."""
    source = Path(argv[0]) if argv else SEED if SEED.exists() else EXAMPLE
    request = read_request(str(source))
    with tempfile.TemporaryDirectory() as folder:
        files = _written(request, Path(folder))
        timings = list(_timings(request, source, Path(folder), files))
    names = sum(path.endswith(".py") for path in request.bundle.files)
    sys.stdout.write(f"{source.name}: {names} Python files, {len(request.bundle.tree)} files in all\n")
    for timing in timings:
        sys.stdout.write(f"  {timing.what:<58}{timing.median_s:7.3f}   wall clock {timing.wall_s:.3f}\n")
    return _judged(timings)


def _timings(request: Request, source: Path, folder: Path, files: list[str]) -> Iterator[Timing]:
    def warm() -> None:
        review(
            ParsedBundle(request.bundle, contract_of(request), request.context),
            Evidence(),
            rejection=request.rejection,
        )

    def changed() -> None:
        for parse in (parse_module, parse_cst, parse_yaml, parse_toml):
            parse.cache_clear()
        warm()

    suture = [sys.executable, "-m", "agent", "review", str(source.resolve()), "--no-rehearse", "-q", "--json"]
    # As installed: with byte code, whatever the environment says of it.
    installed = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    _run(suture, ROOT, installed)
    mypy = [sys.executable, "-m", "mypy", "--ignore-missing-imports", "--cache-dir"]
    warm()
    yield _timed("review, warm process, every file new", changed, 9)
    yield _timed("review, warm process, files seen before", warm, 9)
    yield _timed("review, whole command", lambda: _run(suture, ROOT, installed), 5)
    ruff = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--quiet", *files]

    def linters(cache: str) -> None:
        _run(ruff, folder)
        for path in files:
            _run([*mypy, cache, path], folder)

    caches = (str(folder / f"cold-{number}") for number in range(3))
    yield _timed("ruff check, and mypy per file, cold", lambda: linters(next(caches)), 3)
    yield _timed("ruff check, and mypy per file, its cache warm", lambda: linters(str(folder / "cold-0")), 3)


def _judged(timings: Sequence[Timing]) -> int:
    """What the figures show, against the limits and against each other."""
    new, _, command, cold, cached = (timing.median_s for timing in timings)
    sys.stdout.write(
        f"  linters, cache warm / review as a command: {cached / command:.1f}; cold: {cold / command:.1f}\n"
    )
    missed = [
        text
        for text, holds in (
            (f"the review takes {WARM_S} s or more in a warm process", new < WARM_S),
            (f"the review takes {COMMAND_S} s or more as a command", command < COMMAND_S),
            ("the linters are faster", command < min(cold, cached)),
        )
        if not holds
    ]
    for text in missed:
        sys.stdout.write(f"  missed: {text}\n")
    return 1 if missed else 0


def _written(request: Request, folder: Path) -> list[str]:
    """Lay the Python files out; their paths, relative to the folder."""
    paths = sorted(path for path in request.bundle.files if path.endswith(".py"))
    for path in paths:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(request.bundle.files[path].encode("utf-8", "replace"))
    return paths


def _timed(what: str, action: Callable[[], None], rounds: int) -> Timing:
    times, walls = [], []
    for _ in range(rounds):
        started, began = _cpu_s(), time.perf_counter()
        action()
        times.append(_cpu_s() - started)
        walls.append(time.perf_counter() - began)
    return Timing(what, statistics.median(times), statistics.median(walls))


def _cpu_s() -> float:
    """What this process and its ended children have used so far."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


def _run(command: Sequence[str], folder: Path, env: Mapping[str, str] = os.environ) -> None:
    """Findings make the tools exit with 1, which is no failure here."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=dict(env))
    assert done.returncode in (0, 1), f"{' '.join(command)}: {done.stderr[-400:]}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
