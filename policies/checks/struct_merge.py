"""Check `struct-merge`: merging new keys into a struct config fails."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.edit import rewrite
from policies.hydra.checks import events_of, open_struct, runs_text
from policies.hydra.examples import CONFIG, ENTRY, LOAD, RUNS
from policies.parsed import Module, ParsedBundle
from policies.records import Bundle, Finding

MERGE = "    cfg = OmegaConf.merge(cfg, run_cfg)\n    print(cfg)\n"
OPEN = "    OmegaConf.set_struct(cfg, False)\n"


class StructMerge(Check):
    """Hydra hands over a config in struct mode; merging a run config that brings new keys raises.

    The commonest single fault of such bundles: "Key 'run_id' is not in struct" (18 % of 294 defects that were
    fixed in 31 generated projects, together with assignments). Source: OmegaConf 2.3, struct flag.
    """

    ID = "struct-merge"
    CRITERION = 2
    STAGE = 45
    GOOD = (
        Good(f"{ENTRY}{OPEN}{LOAD}{MERGE}", files=CONFIG, run_configs=RUNS),
        Good(
            f"{ENTRY}{LOAD}    made = OmegaConf.create(OmegaConf.to_container(cfg))\n"
            "    print(OmegaConf.merge(made, run_cfg))\n",
            files=CONFIG,
            run_configs=RUNS,
        ),
        Good(
            f"{ENTRY}{LOAD}{MERGE}",
            files={"config/config.yaml": "run: null\nmode: full\nresults_dir: r\nrun_id: a\n"},
            run_configs={"config/runs/a.yaml": "run_id: a\n"},
        ),
    )
    BAD = (
        Bad(
            f"{ENTRY}{LOAD}{MERGE}",
            files=CONFIG,
            run_configs=RUNS,
            lines=(8,),
            fixed=f"{ENTRY}{LOAD}{OPEN}{MERGE}",
        ),
        Bad(
            f"{ENTRY}{LOAD}    cfg.merge_with(run_cfg)  # run over base\n",
            files=CONFIG,
            run_configs=RUNS,
            lines=(8,),
            fixed=f"{ENTRY}{LOAD}{OPEN}    cfg.merge_with(run_cfg)  # run over base\n",
        ),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Merges that bring keys which the struct config lacks."""
        for _, event, runs in events_of(subject, "struct-merge"):
            yield self.finding(
                event.module.path,
                event.line,
                f"the merge in `{event.function}` adds keys to a config in struct mode: {event.path}",
                f"{event.module.line(event.line)} — {runs_text(subject, runs)} brings {event.detail}",
            )

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """Switch struct mode off right before the merge."""
        module = subject.modules.get(finding.file)
        target = _merged_variable(module, finding.line) if module else None
        if module is None or target is None:
            return None
        return rewrite(
            subject.bundle, module.path, open_struct(module.text, module.path, finding.line, target)
        )


def _merged_variable(module: Module, line: int) -> str | None:
    """Source of the config that the call at `line` merges into, when it is a plain name or attribute."""
    for node in module.nodes:
        if not isinstance(node, ast.Call) or node.lineno != line or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr in ("merge", "unsafe_merge") and node.args:
            target = node.args[0]
        elif node.func.attr in ("merge_with", "update"):
            target = node.func.value
        else:
            continue
        return ast.unparse(target) if isinstance(target, ast.Name | ast.Attribute) else None
    return None
