"""Check `hydra-version-base`: an old version base moves the working directory."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from policies.base import Bad, Check, Evidence, Good
from policies.edit import rewrite, transform
from policies.hydra.entry import ABSENT, Entry, entries
from policies.hydra.moved_paths import directory_dependent
from policies.parsed import ParsedBundle, parse_yaml
from policies.records import Bundle, Finding, Severity

MOST = 3
"""How many lines hit by the change are listed."""

CONFIG = {"config/config.yaml": "run: null\n"}
STAYS = {"config/config.yaml": "run: null\nhydra:\n  run:\n    dir: .\n"}
HEAD = "import hydra\n\n\n"
BODY = "def main(cfg):\n    print(cfg)\n"


class HydraVersionBase(Check):
    """Without `version_base`, Hydra 1.3 behaves like 1.1 and changes into `outputs/<date>/<time>`.

    A child process started with `-m src.train` then finds no module `src`, and relative paths such as
    `results_dir` or `.cache/` point into the new folder. Advisory where the config keeps the directory, and
    where nothing in the file depends on it.
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
            moved = () if stays else directory_dependent(entry.module)
            harmless = stays or not moved
            found = self.finding(
                entry.module.path,
                entry.line,
                f"`{entry.function.name}` has {given}: {_change(stays)}",
                _evidence(entry, moved),
            )
            yield found.model_copy(update={"severity": Severity.ADVISORY}) if harmless else found

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """State the current version base."""

        from policies.transformers.decorator import SetDecoratorArguments

        entry = next(
            (e for e in entries(subject) if (e.module.path, e.line) == (finding.file, finding.line)), None
        )
        if entry is None:
            return None
        change = SetDecoratorArguments(entry.function.name, {"version_base": '"1.3"'})
        return rewrite(subject.bundle, entry.module.path, transform(entry.module.text, change))


def _change(stays: bool) -> str:
    if stays:
        return "Hydra would change the working directory, but the config keeps it in place"
    return "Hydra changes the working directory to `outputs/<date>/<time>`"


def _evidence(entry: Entry, moved: Sequence[tuple[int, str]]) -> str:
    """The decorator, and the first few lines that the change hits."""
    hit = "; ".join(f"line {line}: {what}" for line, what in moved[:MOST])
    more = f" and {len(moved) - MOST} more" if len(moved) > MOST else ""
    decorator = f"line {entry.line}: {entry.module.line(entry.line)}"
    return f"{decorator} — {hit}{more}" if hit else decorator


def _keeps_directory(subject: ParsedBundle, entry: Entry) -> bool:
    """Whether the primary config pins the run directory to `.` or forbids the change."""
    text = subject.bundle.files.get(entry.config_file or "")
    document = parse_yaml(entry.config_file or "", text) if text is not None else None
    if document is not None and document.data is None:
        return bool(re.search(r"^\s+chdir:\s*(false|no|off)\b", document.text, re.IGNORECASE | re.MULTILINE))
    data = document.data if document is not None else None
    node = (data or {}).get("hydra")
    if not isinstance(node, dict):
        return False
    job, run = node.get("job"), node.get("run")
    if isinstance(job, dict) and job.get("chdir") is False:
        return True
    return isinstance(run, dict) and run.get("dir") in (".", "./", "${hydra:runtime.cwd}")
