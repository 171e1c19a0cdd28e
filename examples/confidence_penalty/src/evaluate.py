"""Reads finished runs from W&B, writes metrics and figures, compares proposed and comparative runs."""

import argparse
import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd
import wandb
from omegaconf import OmegaConf
from scipy import stats

PRIMARY = "val_accuracy"
CONFIG = Path(__file__).resolve().parents[1] / "config" / "config.yaml"


def save_json(path: Path, data: dict) -> None:
    """Write indented JSON, making the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, indent=2))


def learning_curve(history: pd.DataFrame, run_id: str, folder: Path) -> None:
    """Training loss and validation accuracy over steps."""
    figure, axis = plt.subplots()
    for key in ("train_loss", PRIMARY):
        if key in history:
            rows = history[["_step", key]].dropna()
            axis.plot(rows["_step"], rows[key], label=key)
            axis.annotate(f"{rows[key].iloc[-1]:.3f}", (rows["_step"].iloc[-1], rows[key].iloc[-1]))
    axis.set_xlabel("step")
    axis.legend()
    figure.tight_layout()
    figure.savefig(folder / f"{run_id}_learning_curve.pdf")
    plt.close(figure)


def confusion_figure(matrix: list, run_id: str, folder: Path) -> None:
    """Validation confusion matrix of the last epoch."""
    figure, axis = plt.subplots()
    axis.imshow(matrix, cmap="Blues")
    for row, counts in enumerate(matrix):
        for column, count in enumerate(counts):
            axis.text(column, row, str(count), ha="center")
    axis.set_xlabel("predicted")
    axis.set_ylabel("true")
    figure.tight_layout()
    figure.savefig(folder / f"{run_id}_confusion_matrix.pdf")
    plt.close(figure)


def compare(metrics: dict, histories: dict, folder: Path) -> None:
    """Aggregated metrics, the gap, a bar chart, a box plot and a significance test."""
    folder.mkdir(parents=True, exist_ok=True)
    best = {}
    for role, marks in (("best_proposed", ("proposed",)), ("best_baseline", ("comparative", "baseline"))):
        mine = {k: v for k, v in metrics[PRIMARY].items() if any(mark in k for mark in marks)}
        if mine:
            run_id = max(mine, key=mine.get)
            best[role] = {"run_id": run_id, "value": mine[run_id]}
    gap = None
    if len(best) == 2 and best["best_baseline"]["value"]:
        base = best["best_baseline"]["value"]
        gap = (best["best_proposed"]["value"] - base) / base * 100
    save_json(folder / "aggregated_metrics.json", {"primary_metric": PRIMARY, "metrics": metrics, **best, "gap": gap})

    figure, axis = plt.subplots()
    bars = axis.bar(list(metrics[PRIMARY]), list(metrics[PRIMARY].values()), label=PRIMARY)
    axis.bar_label(bars, fmt="%.3f")
    axis.legend()
    figure.tight_layout()
    figure.savefig(folder / "comparison_accuracy_bar_chart.pdf")
    plt.close(figure)

    figure, axis = plt.subplots()
    axis.boxplot(list(histories.values()))
    axis.set_xticklabels(list(histories))
    figure.tight_layout()
    figure.savefig(folder / "comparison_accuracy_box_plot.pdf")
    plt.close(figure)

    samples = list(histories.values())
    if len(samples) == 2 and all(len(s) > 1 for s in samples):
        test = stats.ttest_ind(*samples, equal_var=False)
        save_json(folder / "significance.json", {"t": float(test.statistic), "p": float(test.pvalue)})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results_dir", type=str)
    parser.add_argument("run_ids", type=str, help="JSON list of run ids")
    args = parser.parse_args()
    results, run_ids = Path(args.results_dir), json.loads(args.run_ids)

    settings = OmegaConf.load(CONFIG).wandb
    api = wandb.Api()
    metrics, histories = {}, {}
    for run_id in run_ids:
        run = api.run(f"{settings.entity}/{settings.project}/{run_id}")
        history = run.history()
        summary = dict(run.summary)
        config = dict(run.config)
        folder = results / run_id
        rows = json.loads(history.to_json(orient="records"))  # NaN becomes null
        save_json(folder / "metrics.json", {"summary": summary, "config": config, "history": rows})
        learning_curve(history, run_id, folder)
        if "confusion_matrix" in summary:
            confusion_figure(summary["confusion_matrix"], run_id, folder)
        for key, value in summary.items():
            if isinstance(value, (int, float)) and not key.startswith("_"):
                metrics.setdefault(key, {})[run_id] = value
        histories[run_id] = history[PRIMARY].dropna().tolist()
    compare(metrics, histories, results / "comparison")
    pd.DataFrame(metrics).to_csv(results / "comparison" / "comparison_metrics_table.csv")


if __name__ == "__main__":
    main()
