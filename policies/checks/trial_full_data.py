"""Check `trial-full-data`: a trial that prepares or evaluates all of the data."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.hydra.analysis import launches
from policies.hydra.checks import runs_text
from policies.hydra.examples import CONFIG, ENTRY, RUNS
from policies.parsed import Module, ParsedBundle
from policies.records import Finding, Severity
from policies.trial_loops import data_is_limited, trial_loops

_EVALUATE = "    loader = build(cfg)\n    for batch in loader:\n        print(model(batch))\n"
_PREPARE = (
    "    data = load_dataset('x')\n    data = data.map(lambda row: tokenizer(row), batched=True)\n"
    "    if cfg.mode == 'trial':\n        data = data.select(range(8))\n"
)


class TrialFullData(Check):
    """A trial is to end within seconds: one or two batches, for validation too.

    Going through the whole validation split, or tokenising a whole data set of which two batches are used,
    costs minutes in every trial. Told where a trial surely does so: nothing leaves the loop, and nothing in
    the code keeps only a part of the data; or `map` is called before anything does.
    """

    ID = "trial-full-data"
    CRITERION = 9
    SEVERITY = Severity.ADVISORY
    RESTS_ON = ("code", "config")
    GOOD = (
        Good(
            f"{ENTRY}{_EVALUATE}        if cfg.mode == 'trial':\n            break\n",
            files=CONFIG,
            run_configs=RUNS,
        ),
        Good(f"{ENTRY}{_EVALUATE}    print(data.select(range(8)))\n", files=CONFIG, run_configs=RUNS),
        Good(
            f"{ENTRY}    if cfg.mode == 'full':\n        check(cfg)\n\n\ndef check(cfg):\n{_EVALUATE}",
            files=CONFIG,
            run_configs=RUNS,
        ),
        Good(
            f"{ENTRY}    data = load_dataset('x').select(range(8))\n"
            "    data.map(lambda row: tokenizer(row), batched=True)\n",
            files=CONFIG,
            run_configs=RUNS,
        ),
        Good(
            f"{ENTRY}{_PREPARE.replace(chr(39) + 'x' + chr(39), 'name, streaming=True')}",
            files=CONFIG,
            run_configs=RUNS,
        ),
    )
    BAD = (
        Bad(f"{ENTRY}{_EVALUATE}", files=CONFIG, run_configs=RUNS, lines=(8,)),
        Bad(f"{ENTRY}{_PREPARE}", files=CONFIG, run_configs=RUNS, lines=(8,)),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """The first preparation of all data, then every evaluation that nothing ends."""
        for module, node in _preparations(subject):
            message = "a trial tokenises the whole data set"
            yield self.finding(module.path, node.lineno, message, module.line(node.lineno))
            break
        limited = data_is_limited(subject)
        for found in trial_loops(subject):
            loop = found.loop
            if found.evaluates and loop.total is None and not limited:
                yield self.finding(
                    loop.module.path,
                    loop.node.lineno,
                    f"`{loop.function}` evaluates on all of its data in a trial",
                    f"{loop.module.line(loop.node.lineno)} — {runs_text(subject, found.run_ids)}; "
                    "no way out of the loop is taken in a trial",
                )


def _preparations(subject: ParsedBundle) -> Iterator[tuple[Module, ast.Call]]:
    """Calls of `map` that tokenise, made in a trial before anything limits the data."""
    if any("streaming" in _keywords(node) or _part_of_split(node) for _, node in subject.walk()):
        return
    for launch in launches(subject):
        for module, node in launch.trace.maps if launch.trial else ():
            if {"batched", "remove_columns"} & _keywords(node) or "tok" in ast.unparse(node).lower():
                yield module, node


def _keywords(node: ast.AST) -> set[str | None]:
    return {k.arg for k in node.keywords} if isinstance(node, ast.Call) else set()


def _part_of_split(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and "[:" in node.value
