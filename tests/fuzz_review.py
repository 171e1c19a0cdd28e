"""Reviews thousands of damaged bundles: no check may fail, none may hang, and layout must not matter.

`python -m tests.fuzz_review --count 10000 --seed 1 FOLDER...` takes transcripts and bundle directories as
the undamaged ones; without any, the bundles of `examples/` serve.
"""

from __future__ import annotations

import argparse
import random
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import NamedTuple, NoReturn

import black

from policies.base import Evidence
from policies.contract_reader import contract_of
from policies.parsed import ParsedBundle
from policies.records import Bundle, Finding, Request, Verdict
from policies.review import review
from policies.run_check import FAILED
from tests.mutate import mutated
from tools.intake import read_request

EXAMPLES = Path(__file__).parents[1] / "examples"
LIMIT_S = 30
MODE = black.Mode(line_length=72)
_PLACE = re.compile(r":\d+|\b(?:lines?|byte) \d+|\b\d+ (?:lines?|bytes)\b")


class Trouble(NamedTuple):
    """What a mutant showed."""

    seed: str
    kind: str
    detail: str


def sources(paths: Sequence[str]) -> list[Request]:
    """The undamaged bundles."""
    found = [p for path in paths for p in sorted(Path(path).rglob("*.txt")) or [Path(path)]]
    given = found or [path for path in sorted(EXAMPLES.iterdir()) if (path / "src").is_dir()]
    return [read_request(str(path)) for path in given]


def judge(request: Request, bundle: Bundle) -> Verdict:
    """The verdict on a mutant, claims of the original rejection included."""
    subject = ParsedBundle(bundle, contract_of(request), request.context)
    return review(subject, Evidence(), rejection=request.rejection)


def troubles(requests: Sequence[Request], seed: int, number: int, formatted: bool) -> Iterator[Trouble]:
    """Review mutant `number` of a seed; with `formatted`, again after black has laid it out anew."""
    name = f"{seed}:{number}"
    rng = random.Random(name)
    request = rng.choice(requests)
    bundle = mutated(request.bundle, rng)
    try:
        verdict = judge(request, bundle)
        yield from (Trouble(name, "failed", f"{f.check}: {f.evidence}") for f in _failed(verdict))
        if formatted and (other := laid_out(bundle)) is not None:
            yield from _unstable(name, verdict, judge(request, other))
    except TimeoutError:
        yield Trouble(name, "hangs", request.source)
    except Exception as error:  # noqa: BLE001  # this is what the run looks for
        yield Trouble(name, "traceback", f"{request.source}: {type(error).__name__}: {error}")


def laid_out(bundle: Bundle) -> Bundle | None:
    """The bundle with every Python file as black writes it; None when black cannot read one."""
    texts: dict[str, str] = {}
    for path, text in bundle.files.items():
        try:
            texts[path] = black.format_str(text, mode=MODE) if path.endswith(".py") else text
        except Exception:  # noqa: BLE001  # black reads less than Python does, and fails in its own ways
            return None
    return bundle.model_copy(update={"files": texts})


def _failed(verdict: Verdict) -> Iterator[Finding]:
    return (finding for finding in verdict.findings if finding.message == FAILED)


def _unstable(name: str, before: Verdict, after: Verdict) -> Iterator[Trouble]:
    """Findings that only one of two layouts has."""
    one, two = (Counter(_said(f) for f in verdict.findings) for verdict in (before, after))
    for gone in one - two:
        yield Trouble(name, "gone after black", " | ".join(gone))
    for new in two - one:
        yield Trouble(name, "new after black", " | ".join(new))


def _said(finding: Finding) -> tuple[str, str, str]:
    """A finding without what moves when lines do."""
    return (finding.check, finding.file, _PLACE.sub(":N", finding.message))


def _alarm(number: int, frame: FrameType | None) -> NoReturn:
    raise TimeoutError(f"more than {LIMIT_S} s")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the mutants; one line per trouble, and a sum."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="*")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--black-every", type=int, default=5)
    options = parser.parse_args(argv)
    requests = sources(options.paths)
    signal.signal(signal.SIGALRM, _alarm)
    kinds: Counter[str] = Counter()
    started, slowest = time.monotonic(), 0.0
    for number in range(options.start, options.start + options.count):
        signal.alarm(LIMIT_S)
        begun = time.monotonic()
        for trouble in troubles(requests, options.seed, number, number % options.black_every == 0):
            kinds[trouble.kind] += 1
            sys.stdout.write(f"{trouble.seed} {trouble.kind}: {trouble.detail}\n")
        signal.alarm(0)
        slowest = max(slowest, time.monotonic() - begun)
    wall = time.monotonic() - started
    told = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items())) or "no trouble"
    sum_up = f"{options.count} mutants of {len(requests)} bundles in {wall:.0f} s, slowest {slowest:.1f} s"
    sys.stdout.write(f"{sum_up}: {told}\n")
    return 1 if kinds else 0


if __name__ == "__main__":
    sys.exit(main())
