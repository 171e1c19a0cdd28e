"""Check `run-node-as-text`: a whole config section must not be formatted into a command line or path."""

from __future__ import annotations

from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.edit import rewrite, transform
from policies.hydra.checks import events_of, runs_text
from policies.hydra.examples import CONFIG, ENTRY, GROUP_CONFIG, GROUP_RUNS, RUNS
from policies.parsed import ParsedBundle
from policies.records import Bundle, Finding

PASS = '    print(["-m", "src.train", f"run={cfg.run}"])  # child\n'


class RunNodeAsText(Check):
    """`f"run={cfg.run}"` puts the text of the whole run config where its id belongs.

    When `run` is a config group, `cfg.run` is a section; the child process then gets a dictionary as the
    value of `run=` and Hydra cannot parse it. Source: hydra-core 1.3, override grammar.
    """

    ID = "run-node-as-text"
    CRITERION = 2
    STAGE = 41
    PATH = "src/main.py"
    GOOD = (
        Good(f"{ENTRY}{PASS}", files=CONFIG, run_configs=RUNS),
        Good(
            f"{ENTRY}{PASS.replace('cfg.run', 'cfg.run.run_id')}",
            files=GROUP_CONFIG,
            run_configs=GROUP_RUNS,
        ),
    )
    BAD = (
        Bad(
            f"{ENTRY}{PASS}",
            files=GROUP_CONFIG,
            run_configs=GROUP_RUNS,
            lines=(7,),
            fixed=f"{ENTRY}{PASS.replace('cfg.run', 'cfg.run.run_id')}",
        ),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """f-string fields that hold the run section."""
        for launch, event, runs in events_of(subject, "node-as-text"):
            if event.path != "run" or not launch.composition.run_is_group:
                continue
            yield self.finding(
                event.module.path,
                event.line,
                f"`{event.function}` formats the whole run config into a string where its id belongs",
                f"{event.module.line(event.line)} — `run` is a section for {runs_text(subject, runs)}",
            )

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """Use the run's id."""

        from policies.transformers.rename import ReplaceExpression

        for _, event, _ in events_of(subject, "node-as-text"):
            has_id = all("run_id" in (d.data or {}) for d in subject.run_documents.values())
            if (
                (event.module.path, event.line) != (finding.file, finding.line)
                or not has_id
                or not event.root
            ):
                continue
            old = f"{event.root}.run"
            change = ReplaceExpression(old, f"{old}.run_id", event.line, only_formatted=True)
            return rewrite(subject.bundle, event.module.path, transform(event.module.text, change))
        return None
