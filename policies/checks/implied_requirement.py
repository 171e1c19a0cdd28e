"""Packages that calls need without importing them are declared, too."""

from __future__ import annotations

from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.edit import rewrite
from policies.implied import Need, needs
from policies.imported import known, module_distributions, third_party
from policies.parsed import ParsedBundle
from policies.pyproject_edit import append_requirement
from policies.records import Bundle, Finding
from policies.requirements import can_append, comes_with, declared, with_floor

PATH = "pyproject.toml"
PROJECT = '[project]\nname = "x"\nversion = "1"\n'


class ImpliedRequirement(Check):
    """Libraries load optional backends when a feature is used, and fail when the backend is not installed.

    `device_map="auto"` needs accelerate, DeBERTa-v3's tokenizer sentencepiece, `evaluate.load("rouge")`
    rouge-score. Nothing imports them, so nothing but the failing run tells.

    Source: `requires_backends` in transformers, the imports of the metrics of evaluate.
    """

    ID = "implied-requirement"
    CRITERION = 2
    STAGE = 26
    GOOD = (
        Good(
            "M.from_pretrained(n, device_map='auto')\n", files={PATH: PROJECT + 'dependencies = ["peft"]\n'}
        ),
        Good("M.from_pretrained(n, device_map=None, load_in_8bit=False)\n", files={PATH: PROJECT}),
        Good("import evaluate\nevaluate.load('squad')\nconfig.load('rouge')\n", files={PATH: PROJECT}),
        Good('print("uses deberta-v3 here")\nNAME = "microsoft/deberta-base"\n', files={PATH: PROJECT}),
        Good(
            "from optuna.visualization.matplotlib import plot_edf\nimport optuna.visualization.matplotlib\n",
            files={PATH: PROJECT},
        ),
        Good("M.from_pretrained(n, device_map='auto')\n"),
        Good("import peft\n\nM.from_pretrained(n, device_map='auto')\n", files={PATH: PROJECT}),
    )
    BAD = (
        Bad(
            """\
import evaluate
from transformers import AutoModel, TrainingArguments

rouge = evaluate.load("rouge")
model = AutoModel.from_pretrained("microsoft/deberta-v3-base", load_in_4bit=True)
arguments = TrainingArguments("out")
""",
            files={PATH: PROJECT + 'dependencies = ["nltk", "wandb"]\n'},
            lines=(4, 5, 5, 5),
            fixed="""\
import evaluate
from transformers import AutoModel, TrainingArguments

rouge = evaluate.load("rouge")
model = AutoModel.from_pretrained("microsoft/deberta-v3-base", load_in_4bit=True)
arguments = TrainingArguments("out")
""",
            fixed_files={
                PATH: PROJECT
                + 'dependencies = ["nltk", "wandb", "rouge-score>=0.1.2", "bitsandbytes>=0.43", '
                + '"accelerate>=0.26", "sentencepiece>=0.2"]\n'
            },
        ),
        Bad(
            "defaults:\n  - override hydra/sweeper: optuna\nmodel:\n  name: google/mt5-small  # a\n",
            path="config/config.yaml",
            files={PATH: PROJECT + 'dependencies = ["tensorboard"]\n'},
            lines=(2, 4),
            fixed="defaults:\n  - override hydra/sweeper: optuna\nmodel:\n  name: google/mt5-small  # a\n",
            fixed_files={
                PATH: PROJECT
                + 'dependencies = ["tensorboard", "hydra-optuna-sweeper>=1.2", "sentencepiece>=0.2"]\n'
            },
        ),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """The first place that needs each undeclared distribution."""
        missing = _missing(subject)
        for need in _alone(missing):
            message = f"{need.why} needs `{need.distribution}`, which is not declared"
            others = sorted(other.distribution for other in missing if _brings(need, other))
            along = f"; it brings {', '.join(f'`{name}`' for name in others)}, needed too" if others else ""
            how = f"{PATH} does not list it, and nothing listed there brings it along{along}"
            yield self.finding(need.file, need.line, message, how)

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """The requirement at the end of the list, with a floor."""
        for need in _missing(subject):
            if f"needs `{need.distribution}`," in finding.message and can_append(subject):
                text = append_requirement(subject.bundle.files[PATH], with_floor(need.distribution))
                return rewrite(subject.bundle, PATH, text)
        return None


def _alone(missing: list[Need]) -> list[Need]:
    """The needs that no other one brings along."""
    return [need for need in missing if not any(_brings(other, need) for other in missing)]


def _brings(need: Need, other: Need) -> bool:
    """Whether declaring the one is enough for the other."""
    if need.distribution == other.distribution:
        return False
    return other.distribution in comes_with(frozenset({need.distribution}))


def _missing(subject: ParsedBundle) -> list[Need]:
    names = declared(subject)
    if names is None:
        return []
    # What is imported without being declared is told by another check, and brings its own requirements.
    imported = (module_distributions(item.module)[0] for item in third_party(subject))
    present = comes_with(names | frozenset(filter(known, imported)))
    found = (need for need in needs(subject) if need.distribution not in present)
    first: dict[str, Need] = {}
    for need in sorted(found, key=lambda need: (need.file, need.line)):
        first.setdefault(need.distribution, need)
    return list(first.values())
