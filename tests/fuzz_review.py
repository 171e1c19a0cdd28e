"""Reviews thousands of damaged bundles: no check may fail, none may hang, and layout must not matter.

`python -m tests.fuzz_review --count 10000 --seed 1 INPUT...` takes transcripts, folders of them and bundle
directories as the undamaged ones; without any, the bundles of `examples/` serve. One line is printed for
every trouble, and it names the mutant: `--start N --count 1` runs it again.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from types import FrameType
from typing import NamedTuple, NoReturn

import black

from policies.base import Evidence
from policies.parsed import ParsedBundle, parse_module
from policies.policy import Policy
from policies.records import Bundle, Claim, Finding, Request, Verdict
from policies.review import review
from tests.invariants import broken, spoiled
from tests.mutate import mutated
from tests.mutate_prose import mutated_prose
from tools.intake import read_request
from tools.policy_load import load_policies

EXAMPLES = Path(__file__).parents[1] / "examples"
STANDARD, TESTS = load_policies(()), load_policies(("python-tests",))
CHUNK = 50
LIMIT_S = 15
"""Processor time for everything that is done with one mutant; the machine may be busy."""
MODE = black.Mode(line_length=72)
_PLACE = re.compile(r":\d+|\b(?:lines?|byte) \d+(?:(?:, \d+)* and \d+)?|\b\d+ (?:lines?|bytes)\b")


class TooSlow(BaseException):
    """Time is up; no exception that a check or a codemod may survive."""


class Trouble(NamedTuple):
    """What a mutant showed."""

    seed: str
    kind: str
    detail: str


class Source(NamedTuple):
    """An undamaged bundle, and what it is held to."""

    request: Request
    policy: Policy

    def subject(self, bundle: Bundle) -> ParsedBundle:
        """A mutant of it."""
        return ParsedBundle(bundle, self.policy.contract_for(self.request), self.request.context)


class Options(NamedTuple):
    """What is done with a mutant besides reviewing it."""

    seed: int = 1
    black: bool = False
    codemods: bool = False


@lru_cache(maxsize=4)
def sources(paths: tuple[str, ...]) -> tuple[Source, ...]:
    """The undamaged bundles; a directory without `src` is a plain project with tests."""
    found = [p for path in paths for p in sorted(Path(path).rglob("*.txt")) or [Path(path)]]
    return tuple(_source(path) for path in found or sorted(p for p in EXAMPLES.iterdir() if p.is_dir()))


def _source(path: Path) -> Source:
    policy = TESTS if path.is_dir() and not (path / "src").is_dir() else STANDARD
    return Source(read_request(path, policy.kind), policy)


def troubles(given: Sequence[Source], number: int, options: Options) -> Iterator[Trouble]:
    """Everything that is wrong with the review of one mutant, and if asked with its layout and its repair."""
    name = f"{options.seed}:{number}"
    rng = random.Random(name)
    source = rng.choice(given)
    bundle = mutated(source.request.bundle, rng)
    try:
        for kind, detail in _judged(source, bundle, rng, options):
            yield Trouble(name, kind, detail)
    except TooSlow:
        yield Trouble(name, "hangs", source.request.source)
    except Exception as error:  # noqa: BLE001  # this is what the run looks for
        yield Trouble(name, "traceback", f"{source.request.source}: {type(error).__name__}: {error}")


def _judged(
    source: Source, bundle: Bundle, rng: random.Random, options: Options
) -> Iterator[tuple[str, str]]:
    issue = source.request.rejection.code_issue if source.request.rejection else ""
    issue = mutated_prose(issue, rng) if rng.random() < 0.5 else issue
    verdict = judge(source, bundle, issue)
    yield from (("broken", reason) for reason in broken(verdict, bundle))
    if options.black and (other := laid_out(bundle)) is not None:
        again = judge(source, other, issue)
        yield from (("broken", reason) for reason in broken(again, other))
        yield from unstable(verdict, again)
    if options.codemods:
        checks = source.policy.checks_for(source.policy.kind)
        yield from (("spoiled", reason) for reason in spoiled(source.subject(bundle), checks))


def judge(source: Source, bundle: Bundle, issue: str) -> Verdict:
    """The verdict on a mutant, the claims of a rejection included."""
    rejection = source.request.rejection
    given = rejection and rejection.model_copy(update={"code_issue": issue})
    checks = source.policy.checks_for(source.policy.kind)
    return review(source.subject(bundle), Evidence(), rejection=given, checks=checks)


def laid_out(bundle: Bundle) -> Bundle | None:
    """The bundle with every sound Python file as black writes it; None when black cannot read one."""
    texts = dict(bundle.files)
    for path, text in bundle.files.items():
        try:
            if path.endswith(".py") and parse_module(path, text).tree is not None:
                texts[path] = black.format_str(text, mode=MODE)
        except Exception:  # noqa: BLE001  # black reads less than Python does, and fails in its own ways
            return None
    return bundle.model_copy(update={"files": texts})


def unstable(before: Verdict, after: Verdict) -> Iterator[tuple[str, str]]:
    """Findings and claims that only one of two layouts has."""
    one, two = ({*map(_said, v.findings), *map(_said, v.claims)} for v in (before, after))
    yield from (("gone after black", " | ".join(gone)) for gone in sorted(one - two))
    yield from (("new after black", " | ".join(new)) for new in sorted(two - one))


def _said(part: Finding | Claim) -> tuple[str, str, str]:
    """A finding without what moves when lines do; a claim without its evidence, which quotes code."""
    if isinstance(part, Claim):
        return ("claim", part.status, part.text)
    return (part.check, part.file, _PLACE.sub(":N", part.message))


def _alarm(number: int, frame: FrameType | None) -> NoReturn:
    raise TooSlow


class Chunk(NamedTuple):
    """Some mutants that one process reviews."""

    inputs: tuple[str, ...]
    numbers: range
    seed: int
    black_every: int
    codemods_every: int

    def options(self, number: int) -> Options:
        """What is done with one of them."""
        every = (self.black_every, self.codemods_every)
        return Options(self.seed, *(bool(step) and number % step == 0 for step in every))


def reviewed(chunk: Chunk) -> tuple[list[Trouble], float]:
    """The troubles of a chunk, and the processor time of its slowest mutant."""
    signal.signal(signal.SIGPROF, _alarm)
    given, slowest = sources(chunk.inputs), 0.0
    found: list[Trouble] = []
    for number in chunk.numbers:
        begun = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, LIMIT_S)
        found += troubles(given, number, chunk.options(number))
        signal.setitimer(signal.ITIMER_PROF, 0)
        slowest = max(slowest, time.process_time() - begun)
    return found, slowest


def _chunks(options: argparse.Namespace) -> list[Chunk]:
    end = options.start + options.count
    return [
        Chunk(
            tuple(options.inputs),
            range(start, min(start + CHUNK, end)),
            options.seed,
            options.black_every,
            options.codemods_every,
        )
        for start in range(options.start, end, CHUNK)
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("inputs", nargs="*")
    parser.add_argument("--count", type=int, default=1000, help="how many mutants")
    parser.add_argument("--start", type=int, default=0, help="number of the first one")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--black-every", type=int, default=5, help="lay every Nth out anew; 0: none")
    parser.add_argument("--codemods-every", type=int, default=10, help="repair every Nth; 0: none")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the mutants; one line per trouble, and a sum."""
    options = _parser().parse_args(argv)
    kinds: Counter[str] = Counter()
    started, slowest, done = time.monotonic(), 0.0, 0
    with multiprocessing.Pool(options.jobs) as pool:
        chunks = _chunks(options)
        for chunk, (found, longest) in zip(chunks, pool.imap(reviewed, chunks), strict=True):
            kinds.update(trouble.kind for trouble in found)
            sys.stdout.write("".join(f"{t.seed} {t.kind}: {t.detail}\n" for t in found))
            sys.stdout.flush()
            slowest, done = max(slowest, longest), done + len(chunk.numbers)
            sys.stderr.write(f"{done} of {options.count} reviewed in {time.monotonic() - started:.0f} s\n")
    told = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items())) or "no trouble"
    bundles = f"{options.count} mutants of {len(sources(tuple(options.inputs)))} bundles"
    wall = time.monotonic() - started
    sys.stdout.write(f"{bundles} in {wall:.0f} s, slowest {slowest:.1f} s (CPU): {told}\n")
    return 1 if kinds else 0


if __name__ == "__main__":
    sys.exit(main())
