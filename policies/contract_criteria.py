"""The nine criteria of the newest standard contract, in our own words. Data only."""

from __future__ import annotations

TITLES: tuple[str, ...] = (
    "Complete implementation",
    "Hydra integration",
    "Data pipeline",
    "Model implementation",
    "File structure",
    "W&B integration",
    "Configuration files",
    "Evaluation script independence",
    "Mode-based implementation",
)

SENTENCES: tuple[tuple[str, ...], ...] = (
    (
        "All components work and are fit to produce published results.",
        "Nothing is abridged, left as a stub or marked to be done later.",
        "No function, class or file stops half-way.",
    ),
    (
        "Hydra composes every experiment from the run configs in `config/runs/*.yaml`.",
        "Parameters come from the run config, not from constants in the code.",
        "A run config has run_id, method, model, dataset, training and optuna sections.",
        "Full training: `python -u -m src.main run={run_id} results_dir={results_dir} mode=full`.",
        "Trial training: `python -u -m src.main run={run_id} results_dir={results_dir} mode=trial`.",
        "Evaluation, on its own: `python -m src.evaluate results_dir={results_dir} run_ids={run_ids}`.",
        "The mode alone switches W&B, Optuna and the number of epochs.",
    ),
    (
        "Data sets are really loaded and preprocessed, each as its schema demands.",
        "Failing data operations are handled.",
        "Data sets and models are cached in `.cache/`.",
    ),
    (
        "The proposed method and every method it is compared with have a complete model.",
        "Given Hugging Face models are used and adapted; otherwise the architecture is written in PyTorch.",
        "Settings of each model are applied, and PyTorch is used properly.",
    ),
    (
        "The bundle consists of exactly the listed files.",
        "No other file is added, not even a package marker or a set-up script.",
        "No listed file is missing, and all functionality lives in them.",
    ),
    (
        "train.py opens a W&B run and logs all metrics as often as it sensibly can.",
        "Final and best values go to the run's summary.",
        "The logged names are those that evaluate.py reads.",
        "Trials of an Optuna study are not logged; the final run with the best parameters is.",
        "W&B is disabled in trial mode and online in full mode, before it is first used.",
        "train.py writes no result files and prints no JSON results.",
        "config/config.yaml names entity and project.",
    ),
    (
        "The code reaches its configuration through Hydra.",
        "Run configs are provided from outside and match the listed runs.",
        "Optuna search spaces are well-formed where they are used.",
    ),
    (
        "evaluate.py runs alone, takes results_dir and a JSON list of run_ids, and main.py does not call it.",
        "It reads entity and project from `config/config.yaml` and fetches runs with `wandb.Api()`.",
        "Per run it writes `{results_dir}/{run_id}/metrics.json` and that run's figures beside it.",
        "Over all runs it writes `{results_dir}/comparison/aggregated_metrics.json` and comparison figures.",
        "The aggregate holds primary_metric, metrics, best_proposed, best_baseline and gap.",
        "Derived metrics, tables and significance tests are part of the comparison.",
        "Figures are legible, and their names carry the run id or the word comparison.",
        "train.py and main.py draw no figures.",
    ),
    (
        "The mode is a required parameter.",
        "A trial takes one epoch of one or two batches on a small subset, without Optuna and without W&B.",
        "A full run uses the configuration as it stands, with W&B online.",
    ),
)
