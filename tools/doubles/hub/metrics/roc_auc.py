"""Area under the receiver operating characteristic."""

# The libraries are those of the bundle's environment, which the type checker does not see.
# mypy: disable-error-code="import-not-found,import-untyped,misc"

from __future__ import annotations

from typing import Any

import datasets
import evaluate
from sklearn.metrics import roc_auc_score


class RocAuc(evaluate.Metric):
    """Area under the receiver operating characteristic."""

    def _info(self) -> evaluate.MetricInfo:
        score, label = datasets.Value("float"), datasets.Value("int32")
        kinds = {
            "multiclass": {"prediction_scores": datasets.Sequence(score), "references": label},
            "multilabel": {
                "references": datasets.Sequence(label),
                "prediction_scores": datasets.Sequence(score),
            },
        }
        plain = {"references": label, "prediction_scores": score}
        features = datasets.Features(kinds.get(self.config_name, plain))
        return evaluate.MetricInfo(description=__doc__, citation="", inputs_description="", features=features)

    def _compute(
        self,
        references: Any,
        prediction_scores: Any,
        average: Any = "macro",
        sample_weight: Any = None,
        max_fpr: Any = None,
        multi_class: str = "raise",
        labels: Any = None,
    ) -> dict[str, Any]:
        options = {"average": average, "sample_weight": sample_weight, "max_fpr": max_fpr}
        score = roc_auc_score(
            references, prediction_scores, multi_class=multi_class, labels=labels, **options
        )
        return {"roc_auc": score}
