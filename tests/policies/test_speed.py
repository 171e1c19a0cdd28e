"""A review is quick, and imports nothing that only a repair needs.

Times are CPU seconds, held against work of the same kind on the same machine, so that a slow or a busy one
changes nothing.
"""

from __future__ import annotations

import ast
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from policies.base import Evidence
from policies.contract_reader import contract_of
from policies.parsed import ParsedBundle, parse_module, parse_toml, parse_yaml
from policies.records import Request
from policies.review import review
from tools.intake import read_request

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "confidence_penalty"
HEAVY = {"agent.graph", "black", "docker", "git", "langgraph", "libcst", "openai", "rich", "tomlkit", "torch"}
PARSES = 90
"""How often the bundle's code may be parsed in the time of a review; measured: 30."""
COMMAND = f"""
import sys
from agent.cli import app
try:
    app(["review", {str(EXAMPLE)!r}, "--no-rehearse", "--quiet", "--json", "--llm", "off"])
except SystemExit as ended:
    assert ended.code in (0, 1), ended
sys.stderr.write("\\n".join(sys.modules))
"""


def test_a_review_takes_as_long_as_parsing_its_code_a_few_times() -> None:
    """All files new, in a process that has reviewed before."""
    request = read_request(str(EXAMPLE))
    sources = [text for path, text in request.bundle.files.items() if path.endswith(".py")]

    def parse() -> None:
        for text in sources:
            ast.parse(text)

    _review(request)
    parsing_s, review_s = _quickest_s(parse, 30), _quickest_s(lambda: _review(request), 10)
    assert review_s < PARSES * parsing_s, f"{review_s:.3f} s, or {review_s / parsing_s:.0f} times the parsing"


def test_a_review_imports_nothing_that_only_a_repair_needs() -> None:
    """The command in a process of its own."""
    done = subprocess.run([sys.executable, "-c", COMMAND], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert HEAVY & set(done.stderr.split()) == set()


def _review(request: Request) -> None:
    for parsed in (parse_module, parse_toml, parse_yaml):
        parsed.cache_clear()
    review(ParsedBundle(request.bundle, contract_of(request), request.context), Evidence())


def _quickest_s(action: Callable[[], None], rounds: int) -> float:
    """Seconds of CPU time of the round that was disturbed the least."""
    times = []
    for _ in range(rounds):
        started = time.process_time()
        action()
        times.append(time.process_time() - started)
    return min(times)
