"""Check `hydra-chdir`: the config must not move the working directory."""

from __future__ import annotations

from collections.abc import Iterator

from ruamel.yaml.comments import CommentedMap

from policies.base import Bad, Check, Evidence, Good
from policies.edit import edit_yaml, rewrite
from policies.hydra.yaml_lines import line_of
from policies.parsed import ParsedBundle
from policies.records import Bundle, Finding


class HydraChdir(Check):
    """`hydra.job.chdir: true` runs the job in a new folder, where `results_dir=results` means another place.

    The contract's paths (`results_dir`, `.cache/`, `-m src.train`) are relative to the project's root.
    """

    ID = "hydra-chdir"
    CRITERION = 2
    STAGE = 32
    PATH = "config/config.yaml"
    GOOD = (
        Good("run: null\nhydra:\n  job:\n    chdir: false\n"),
        Good("run: null\nhydra:\n  run:\n    dir: .\n  job:\n    chdir: true\n"),
    )
    BAD = (
        Bad(
            "run: null\nhydra:\n  job:\n    chdir: true  # own folder\n",
            lines=(4,),
            fixed="run: null\nhydra:\n  job:\n    chdir: false # own folder\n",
        ),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Configs that switch the change of directory on without pinning it to the root."""
        for path, document in subject.documents.items():
            node = (document.data or {}).get("hydra")
            if not isinstance(node, dict) or not _moves(node):
                continue
            line = line_of(document.text, "hydra.job.chdir")
            yield self.finding(
                path,
                line,
                "`hydra.job.chdir: true` moves the job away from the root, where relative paths break",
                f"{path}:{line}",
            )

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """Stay in the project's root."""

        def stay(data: CommentedMap) -> None:
            data["hydra"]["job"]["chdir"] = False

        return rewrite(subject.bundle, finding.file, edit_yaml(subject.bundle.files[finding.file], stay))


def _moves(node: dict[str, object]) -> bool:
    job, run = node.get("job"), node.get("run")
    if not isinstance(job, dict) or job.get("chdir") is not True:
        return False
    return not (isinstance(run, dict) and run.get("dir") in (".", "./"))
