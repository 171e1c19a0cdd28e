"""What sentences of a criteria text are about, and what holds a bundle to each. Data only.

A sentence belongs to every topic whose words it has, so a new version of the text still finds its checks.
"""

from __future__ import annotations

from dataclasses import dataclass

from policies.records import Phase


@dataclass(frozen=True)
class Topic:
    """One thing that sentences ask for."""

    words: str
    """Pattern that a sentence about it has, case ignored."""
    checks: str = ""
    """Pattern of the ids of the checks that serve it."""
    phases: tuple[Phase, ...] = ()
    """Rehearsals that show it."""
    sets: str = ""
    """What the sentence fixes, for checks and rehearsals to hold the bundle to."""
    judged: str = ""
    """What is left to a reader, and why no check can say it."""
    alone: bool = False
    """A sentence about it is about nothing else."""
    rest_of: int = 0
    """The criterion whose checks end up here when no topic names them."""


_PATH = r"[\w./-]*\.(?:py|toml|ya?ml)"
_CRASHES = r"rehearsal-.*|undefined-.*|unbound-.*|unresolved-.*|sibling-.*|unknown-api-.*|failing-.*"
_INSTALL = r"pep621-.*|requirement-.*|wrong-.*|undeclared-.*|broken-build-.*|implied-.*"
_WHOLE = r"component-.*|module-un.*|module-without-.*|constant-.*|swallowed-.*|unregistered-.*"
_RUNS = r"hydra-.*|run-.*|struct-.*|child-.*"
_CONFIG = r"missing-config-.*|config-.*|run-(?:node|id)-.*|arm-.*"
_SWITCHES = r"wandb-not-disabled|optuna-in-.*|struct-assignment"

TOPICS: tuple[Topic, ...] = (
    # Completeness
    Topic(
        r"fully functional|production|publication|published|components? work",
        checks=rf"{_CRASHES}|{_INSTALL}",
        phases=("install", "trial", "full", "evaluate"),
        judged="whether the results are worth publishing is a matter of research",
        rest_of=1,
    ),
    Topic(r"brevity|simplified|\bTODO|placeholder|abridged|\bstubs?\b|done later", checks=r"placeholder.*"),
    Topic(
        r"functions? and class|functions? or class|no function, class|completely implemented",
        checks=rf"placeholder.*|{_WHOLE}",
        judged="whether a body does all that its name says needs a reader",
    ),
    Topic(
        r"truncat|half-way|cut off|incomplete",
        checks=r"syntax-.*|empty-.*|entry-.*|placeholder.*|indent.*",
    ),
    # Hydra and configs
    Topic(
        r"hydra (?:to|composes|manages)|(?:via|through|uses) hydra|hydra to manage",
        checks=_RUNS,
        phases=("compose",),
        rest_of=2,
    ),
    Topic(r"config/runs?/", checks=r"run-.*", phases=("compose",), sets="the folder of the run configs"),
    Topic(
        r"parameters? (?:are|come|is)\b.*(?:run config|dynamic)|from constants",
        checks=_CONFIG,
        phases=("compose",),
        judged="which constants ought to be parameters is for a reader",
    ),
    Topic(
        r"run_id, method|\bsections?\b.*\boptuna|configuration structure",
        checks=_CONFIG,
        sets="the sections that a run config may have; the run configs themselves are given",
    ),
    Topic(
        r"mode=full|training \(full\)",
        checks=rf"{_RUNS}|entry-.*",
        phases=("compose", "full"),
        sets="the command of a full run",
    ),
    Topic(
        r"mode=trial|training \(trial\)|trial_mode=true",
        checks=rf"{_RUNS}|entry-.*",
        phases=("compose", "trial"),
        sets="the command of a trial",
    ),
    Topic(
        r"-m src\.evaluate|executed independently|runs alone",
        checks=r"evaluate-.*|entry-.*",
        phases=("evaluate",),
        sets="the command of the evaluation",
    ),
    Topic(
        r"based on (?:the )?mode|mode alone|mode. parameter|mode is a required",
        checks=_SWITCHES,
        phases=("trial", "full"),
        sets="the override that tells a trial from a full run",
    ),
    Topic(
        r"==\s*.trial|in trial mode|a trial takes|computational load|fast validation|\"disabled\"",
        checks=rf"{_SWITCHES}|trial-.*",
        phases=("trial",),
        rest_of=9,
    ),
    Topic(r"==\s*.full|online|full (?:run|configuration)", checks=_SWITCHES, phases=("full",)),
    Topic(r"batches|small (?:evaluation )?subset", checks=r"trial-.*", phases=("trial",)),
    Topic(
        r"provided (?:separately|from outside)|match the (?:listed|experiment)|experiment_runs",
        checks=r"run-not-.*|config-.*|arm-.*",
        sets="which run configs are given; they are not judged",
    ),
    Topic(
        r"search spaces?",
        checks=r"optuna-(?!in-|trials-).*|constant-objective|missing-config-.*",
        phases=("full",),
        rest_of=7,
    ),
    # Data
    Topic(
        r"data loading|dataset loading|really loaded|data sets? (?:is|are) loaded",
        checks=r"dataset-.*|label-.*|collated-.*|loader-.*|column-.*",
        phases=("trial",),
        rest_of=3,
    ),
    Topic(
        r"preprocess",
        checks=r"pad-.*|label-.*|collated-.*|causal-.*|id2label-.*|column-.*",
        phases=("trial",),
        judged="whether the preprocessing suits the data beyond its columns needs a reader",
    ),
    Topic(
        r"error handling|failing data|failures? of data",
        checks=r"swallowed-.*|dataset-.*",
        judged="which failures deserve a handler is a choice; only those that hide a crash are found",
    ),
    Topic(r"\.?cached?\b.*director|`[^`]*cache/`|\bcached\b", checks=r"cache-.*", sets="the cache folder"),
    # Models
    Topic(
        r"all methods|every method|proposed and comparative|architectures for",
        checks=r"arm-.*|method-.*|module-without-.*|frozen-.*|graph-.*|invented-.*",
        phases=("trial",),
        judged="whether the code is the method that the research describes needs a reader",
    ),
    Topic(
        r"hugging ?face",
        checks=r"hub-.*|lora-.*|peft-.*|pad-.*|classifier-.*|seq2seq-.*|deep-.*|hook-.*",
        phases=("trial",),
    ),
    Topic(
        r"from scratch|pytorch primitives|written in pytorch",
        checks=r"module-(?!unused).*|unregistered-.*",
        phases=("trial",),
        judged="whether an architecture is built as the research describes needs a reader",
    ),
    Topic(
        r"model-specific|settings of each model",
        checks=r"config-.*|classifier-.*|seq2seq-.*|lora-.*|missing-config-.*",
        phases=("compose",),
    ),
    Topic(
        r"proper(?:ly)? (?:use of )?pytorch|pytorch (?:usage|is used)",
        checks=r"module-(?!unused).*|clip-.*|device-.*|grad-.*|graph-.*|unregistered-.*",
        phases=("trial",),
        rest_of=4,
    ),
    # Files
    Topic(
        r"exactly (?:these|the)",
        checks=r"missing-file|extra-file",
        sets="the set of files",
        rest_of=5,
    ),
    Topic(
        rf"\A`?{_PATH}`?\Z", checks=r"missing-file|empty-.*|syntax-.*", sets="a file of the set", alone=True
    ),
    Topic(r"\A`?pyproject\.toml`?\Z", checks=_INSTALL, phases=("install",), alone=True),
    Topic(r"no (?:additional|other) file|setup\.py|set-up script", checks=r"extra-file"),
    Topic(r"no (?:missing|listed) files?|is missing", checks=r"missing-file|empty-.*"),
    Topic(r"functionality", checks=r"unresolved-.*|sibling-.*|extra-file|module-unused"),
    # W&B
    Topic(
        r"initiali[sz]es w|opens a w&b|wandb\.init|logs? all metrics",
        checks=r"wandb-log-.*|metric-key-.*|optuna-trials-.*",
        phases=("full",),
        rest_of=6,
    ),
    Topic(
        r"wandb\.log\(\)|as often|frequent",
        checks=r"wandb-log-.*|metric-key-.*",
        phases=("full",),
        judged="how often is sensible depends on the experiment",
    ),
    Topic(
        r"wandb\.summary|run's summary|best values", checks=r"summary-.*|metric-key-.*", phases=("evaluate",)
    ),
    Topic(
        r"must exactly match|names are those that evaluate",
        checks=r"metric-key-.*|history-.*|summary-.*",
        phases=("evaluate",),
    ),
    Topic(
        r"intermediate trial|trials of an optuna",
        checks=r"optuna-trials-.*|optuna-in-.*",
        phases=("full",),
    ),
    Topic(
        r"results\.json|stdout json|result files|json results",
        checks=r"results-.*",
        phases=("trial", "full"),
    ),
    Topic(r"\bentity\b|wandb config", checks=r"wandb-config-.*|missing-config-.*", phases=("evaluate",)),
    Topic(
        r"WANDB_API_KEY", sets="what the environment provides; no code has to", phases=("full", "evaluate")
    ),
    # Evaluation
    Topic(r"run_ids", checks=r"evaluate-.*", phases=("evaluate",)),
    Topic(
        r"main\.py (?:does not|doesn't|must not|never) call|main\.py is not",
        checks=r"evaluate-.*",
        phases=("trial",),
    ),
    Topic(
        r"wandb\.api\(|wandb api|retrieve:",
        checks=r"wandb-(?:config|read|summary)-.*|history-.*|unknown-api-.*",
        phases=("evaluate",),
    ),
    Topic(
        r"metrics\.json|own subdirectory|per-run processing|processing.*each run_id",
        checks=r"json-.*|wandb-summary-.*|evaluation-.*|concat-.*",
        phases=("evaluate",),
        sets="the output files of each run",
        rest_of=8,
    ),
    Topic(
        r"run-specific figures|figures beside|per-run figures",
        checks=r"figure-.*|confusion-.*|evaluation-.*|history-.*",
        phases=("evaluate",),
    ),
    Topic(
        r"aggregate|primary_metric|all collected metrics|best_proposed|best_baseline",
        checks=r"primary-.*|gap-.*|baseline-.*|json-.*|evaluation-.*|invented-.*",
        phases=("evaluate",),
        sets="the aggregate that a comparison needs, and its exact primary metric",
    ),
    Topic(r"\bgap\b|metric direction|higher vs", checks=r"gap-.*|baseline-.*", phases=("evaluate",)),
    Topic(
        r"comparison (?:figures|charts)|comparison charts|box plots|\btables?\b|significance|derived metrics",
        checks=r"evaluation-.*|figure-.*|concat-.*|baseline-.*",
        phases=("evaluate",),
        judged="whether a figure or a test suits the question needs a reader",
    ),
    Topic(
        r"figure quality|legible|tight_layout",
        checks=r"evaluation-.*|figure-.*",
        phases=("evaluate",),
        judged="whether a figure is legible needs eyes",
    ),
    Topic(
        r"naming convention|names carry|_\{figure_topic\}|globally unique",
        checks=r"figure-.*",
        phases=("evaluate",),
    ),
    Topic(
        r"(?:generate|draw)s? no figures|no figures (?:in|are)",
        checks=r"figures-.*",
        phases=("full",),
    ),
    Topic(
        r"cannot run in trial",
        sets="evaluation is rehearsed on full runs only",
        phases=("evaluate",),
    ),
    # A project that is tried by its tests
    Topic(
        r"requirements|dependenc|can be installed|uv run python -u|`python -u",
        checks=_INSTALL,
        phases=("install",),
    ),
    Topic(r"module parses|can be resolved", checks=rf"syntax-.*|{_CRASHES}", phases=("trial",)),
    Topic(r"\btests?\b.*\b(?:pass|runs?|fails?)\b", checks=r"failing-.*|rehearsal-.*", phases=("trial",)),
)
"""In the order of the nine criteria."""
HEADING = "nothing by itself; the sentence introduces those that follow"
PHASES: tuple[Phase, ...] = ("install", "compose", "trial", "full", "evaluate")
