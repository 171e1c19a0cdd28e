"""The contract: what a criteria text fixes and a machine can hold code to."""

from __future__ import annotations

from typing import Literal

from policies.contract_criteria import SENTENCES, TITLES
from policies.records import Phase, Proof, Record

Kind = Literal["experiment", "tests"]
"""What a bundle is: experiment runs with their configs, or a project that is tried by its test suite."""


class Criterion(Record):
    """One numbered criterion of the text."""

    number: int
    title: str
    sentences: tuple[str, ...]
    """Every bullet under it, verbatim, sub-bullets included."""
    needs: tuple[Phase, ...] = ()
    """Rehearsals without which it stays unproven; those of the standard contract follow its number."""


class ModeSwitch(Record):
    """The command-line override that separates a trial from a full run."""

    key: str = "mode"
    trial: str = "trial"
    full: str = "full"
    """What the key means in a full run, whether or not the full command spells it."""


class Contract(Record):
    """Command lines are argv templates; `{run_id}`, `{results_dir}` and `{run_ids}` are filled in."""

    name: str = "standard"
    kind: Kind = "experiment"
    """Decides which checks and gate rules apply, what is rehearsed and what proves that work was done."""
    files: tuple[str, ...]
    """Exactly the files that a bundle must consist of, and all that may be edited; empty in the contract of a
    policy: those that the input brings."""
    run_config_dir: str = "config/runs"
    train: tuple[str, ...]
    """The full command, from `python` on; a leading `uv run` is left out."""
    trial: tuple[str, ...]
    evaluate: tuple[str, ...]
    mode: ModeSwitch = ModeSwitch()
    outputs: tuple[str, ...] = ()
    """Paths that evaluation must write, with `{results_dir}` and `{run_id}`."""
    cache_dir: str = ".cache/"
    criteria: tuple[Criterion, ...] = ()
    assumed: bool = False
    """True when the input had no criteria text and the standard was taken."""

    @property
    def per_run(self) -> bool:
        """Whether there is a trial for every run id, and not one for the whole bundle."""
        return any("{run_id}" in part for part in self.trial)

    def doubt(self, proof: Proof | None) -> str:
        """What a trial that ended well failed to show, to be put after its name; empty when it shows work."""
        if self.kind == "tests":
            return (
                "" if proof and proof.tests_passed and not proof.tests_failed else "ran no test that passed"
            )
        return "" if proof and proof.trained else "took no optimizer step that moved a parameter"

    @property
    def entry_module(self) -> str:
        """The module that the trial command starts, e.g. `src.main`; empty when it starts none by name."""
        return self.trial[self.trial.index("-m") + 1] if "-m" in self.trial[:-1] else ""

    @property
    def entry_file(self) -> str:
        """Path of the entry module inside the bundle; empty when the trial starts none of its files."""
        if self.kind == "tests":
            return ""
        if self.entry_module:
            return self.entry_module.replace(".", "/") + ".py"
        return next((part for part in self.trial if part.endswith(".py")), "")


STANDARD = Contract(
    files=(
        "src/train.py",
        "src/evaluate.py",
        "src/preprocess.py",
        "src/model.py",
        "src/main.py",
        "pyproject.toml",
        "config/config.yaml",
    ),
    train=("python", "-u", "-m", "src.main", "run={run_id}", "results_dir={results_dir}", "mode=full"),
    trial=("python", "-u", "-m", "src.main", "run={run_id}", "results_dir={results_dir}", "mode=trial"),
    evaluate=("python", "-m", "src.evaluate", "results_dir={results_dir}", "run_ids={run_ids}"),
    outputs=("{results_dir}/{run_id}/metrics.json", "{results_dir}/comparison/aggregated_metrics.json"),
    criteria=tuple(
        Criterion(number=number, title=title, sentences=sentences)
        for number, (title, sentences) in enumerate(zip(TITLES, SENTENCES, strict=True), start=1)
    ),
    assumed=True,
)
"""The newest standard contract, for inputs that bring no criteria text."""
