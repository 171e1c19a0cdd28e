"""Check `hydra-node`: the `hydra:` section must fit Hydra's own schema."""

from __future__ import annotations

from collections.abc import Iterator

from ruamel.yaml.comments import CommentedMap

from policies.base import Bad, Check, Evidence, Good
from policies.edit import edit_yaml, rewrite
from policies.hydra.schema import hydra_node_problems
from policies.hydra.yaml_lines import line_of
from policies.parsed import ParsedBundle
from policies.records import Bundle, Finding


class HydraNode(Check):
    """Hydra refuses to start when the `hydra:` section has a key or a type that its schema does not know.

    Source: `hydra.conf.HydraConf`, hydra-core 1.3; the error is "Key … not in 'HydraConf'".
    """

    ID = "hydra-node"
    CRITERION = 2
    STAGE = 31
    PATH = "config/config.yaml"
    GOOD = (
        Good("run: null\nhydra:\n  run:\n    dir: .\n  job:\n    chdir: false\n  output_subdir: null\n"),
        Good("defaults:\n  - override hydra/launcher: joblib\nhydra:\n  launcher:\n    n_jobs: 2\n"),
        Good("run: null\nhydra:\n  job_logging:\n    root:\n      level: INFO\n"),
    )
    BAD = (
        Bad(
            "run: null\nhydra:\n  run:\n    dir: .\n  version_base: 1.3  # not here\n",
            lines=(5,),
            fixed="run: null\nhydra:\n  run:\n    dir: .\n",
        ),
        Bad(
            "run: null\nhydra:\n  launcher:\n    n_jobs: 2\n",
            lines=(4,),
            fixed="run: null\n",
        ),
        Bad("hydra:\n  help: false\nrun: null\n", lines=(2,), fixed="run: null\n"),
        Bad(
            "hydra:\n  job:\n    chdir: false\n    cwd: /x\nrun: null\n",
            lines=(4,),
            fixed="hydra:\n  job:\n    chdir: false\nrun: null\n",
        ),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Settings below `hydra:` that Hydra does not have."""
        for path, document in subject.documents.items():
            for key, reason in hydra_node_problems(document.data or {}):
                line = line_of(document.text, key)
                yield self.finding(path, line, f"{reason}; Hydra will not start", f"line {line}: key {key}")

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """Remove the setting; it never had an effect."""
        key = finding.evidence.rpartition("key ")[2]
        text = edit_yaml(subject.bundle.files[finding.file], lambda data: _remove(data, key.split(".")))
        return rewrite(subject.bundle, finding.file, text)


def _remove(data: CommentedMap, path: list[str]) -> None:
    *parents, last = path
    trail = [data]
    for part in parents:
        trail.append(trail[-1][part])
    trail[-1].pop(last, None)
    for owner, part in zip(reversed(trail[:-1]), reversed(parents), strict=True):
        if not owner[part]:
            owner.pop(part)
