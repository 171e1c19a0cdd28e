"""Check `hydra-version-base`: an old version base moves the working directory."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from policies.base import Bad, Check, Evidence, Good
from policies.edit import rewrite, transform
from policies.hydra.decorator import SetDecoratorArguments
from policies.hydra.entry import ABSENT, Entry, entries
from policies.parsed import ParsedBundle, parse_yaml
from policies.records import Bundle, Finding, Severity

CONFIG = {"config/config.yaml": "run: null\n"}
STAYS = {"config/config.yaml": "run: null\nhydra:\n  run:\n    dir: .\n"}
HEAD = "import hydra\n\n\n"
BODY = "def main(cfg):\n    print(cfg)\n"


class HydraVersionBase(Check):
    """Without `version_base`, Hydra 1.3 behaves like 1.1 and changes into `outputs/<date>/<time>`.

    A child process started with `-m src.train` then finds no module `src`, and relative paths such as
    `results_dir` or `.cache/` point into the new folder. Advisory where the config keeps the directory.
    Source: Hydra documentation, "version_base" and "Output/working directory".
    """

    ID = "hydra-version-base"
    CRITERION = 2
    STAGE = 36
    PATH = "src/main.py"
    GOOD = (
        Good(
            f'{HEAD}@hydra.main(version_base=None, config_path="../config", config_name="config")\n{BODY}',
            files=CONFIG,
        ),
        Good(
            f'{HEAD}@hydra.main(version_base="1.2", config_path="../config", config_name="config")\n{BODY}',
            files=CONFIG,
        ),
    )
    BAD = (
        Bad(
            f'{HEAD}@hydra.main(config_path="../config", config_name="config")\n{BODY}',
            files=CONFIG,
            lines=(4,),
            fixed=f'{HEAD}@hydra.main(config_path="../config", config_name="config", version_base="1.3")\n'
            f"{BODY}",
        ),
        Bad(
            f'{HEAD}@hydra.main(version_base="1.1", config_path="../config", config_name="config")\n{BODY}',
            files=STAYS,
            lines=(4,),
            fixed=f'{HEAD}@hydra.main(version_base="1.3", config_path="../config", config_name="config")\n'
            f"{BODY}",
        ),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Entry points whose version base lets Hydra change the directory."""
        for entry in entries(subject):
            if not entry.changes_directory:
                continue
            stays = _keeps_directory(subject, entry)
            given = (
                "no version_base" if entry.version_base is ABSENT else f"version_base={entry.version_base!r}"
            )
            effect = (
                "the config keeps it in place" if stays else "relative paths and `-m src.…` children break"
            )
            found = self.finding(
                entry.module.path,
                entry.line,
                f"`{entry.function.name}` has {given}: Hydra changes the working directory; {effect}",
                f"line {entry.line}: {entry.module.line(entry.line)}",
            )
            yield found.model_copy(update={"severity": Severity.ADVISORY}) if stays else found

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """State the current version base."""
        entry = next(
            (e for e in entries(subject) if (e.module.path, e.line) == (finding.file, finding.line)), None
        )
        if entry is None:
            return None
        change = SetDecoratorArguments(entry.function.name, {"version_base": cst.SimpleString('"1.3"')})
        return rewrite(subject.bundle, entry.module.path, transform(entry.module.text, change))


def _keeps_directory(subject: ParsedBundle, entry: Entry) -> bool:
    """Whether the primary config pins the run directory to `.` or forbids the change."""
    text = subject.bundle.files.get(entry.config_file or "")
    data = parse_yaml(entry.config_file or "", text).data if text is not None else None
    node = (data or {}).get("hydra")
    if not isinstance(node, dict):
        return False
    job, run = node.get("job"), node.get("run")
    if isinstance(job, dict) and job.get("chdir") is False:
        return True
    return isinstance(run, dict) and run.get("dir") in (".", "./", "${hydra:runtime.cwd}")
