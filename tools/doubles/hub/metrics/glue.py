"""The metrics of the GLUE benchmark, chosen by the name of the task."""

# The libraries are those of the bundle's environment, which the type checker does not see.
# mypy: disable-error-code="import-not-found,import-untyped,misc"

from __future__ import annotations

from typing import Any

import datasets
import evaluate
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import f1_score, matthews_corrcoef

TASKS = (
    "sst2",
    "mnli",
    "mnli_mismatched",
    "mnli_matched",
    "cola",
    "stsb",
    "mrpc",
    "qqp",
    "qnli",
    "rte",
    "wnli",
    "hans",
)


class Glue(evaluate.Metric):
    """The metrics of the GLUE benchmark, chosen by the name of the task."""

    def _info(self) -> evaluate.MetricInfo:
        if self.config_name not in TASKS:
            raise KeyError(f"You should supply a configuration name selected in {list(TASKS)}")
        number = datasets.Value("float32" if self.config_name == "stsb" else "int64")
        features = datasets.Features({"predictions": number, "references": number})
        described = {"description": __doc__, "citation": "", "inputs_description": ""}
        return evaluate.MetricInfo(features=features, format="numpy", **described)

    def _compute(self, predictions: Any, references: Any) -> dict[str, float]:
        same = float((predictions == references).mean())
        if self.config_name == "cola":
            return {"matthews_correlation": float(matthews_corrcoef(references, predictions))}
        if self.config_name == "stsb":
            linear, rank = pearsonr(predictions, references)[0], spearmanr(predictions, references)[0]
            return {"pearson": float(linear), "spearmanr": float(rank)}
        if self.config_name in ("mrpc", "qqp"):
            return {"accuracy": same, "f1": float(f1_score(y_true=references, y_pred=predictions))}
        return {"accuracy": same}
