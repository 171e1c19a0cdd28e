"""Share of positive predictions that are right."""

# The libraries are those of the bundle's environment, which the type checker does not see.
# mypy: disable-error-code="import-not-found,import-untyped,misc"

from __future__ import annotations

from typing import Any

import datasets
import evaluate
from sklearn.metrics import precision_score


class Precision(evaluate.Metric):
    """Share of positive predictions that are right."""

    def _info(self) -> evaluate.MetricInfo:
        number = datasets.Value("int32")
        kind = datasets.Sequence(number) if self.config_name == "multilabel" else number
        features = datasets.Features({"predictions": kind, "references": kind})
        return evaluate.MetricInfo(description=__doc__, citation="", inputs_description="", features=features)

    def _compute(
        self,
        predictions: Any,
        references: Any,
        labels: Any = None,
        pos_label: Any = 1,
        average: Any = "binary",
        sample_weight: Any = None,
        zero_division: Any = "warn",
    ) -> dict[str, Any]:
        options = {
            "labels": labels,
            "pos_label": pos_label,
            "average": average,
            "sample_weight": sample_weight,
            "zero_division": zero_division,
        }
        score = precision_score(references, predictions, **options)
        return {"precision": score if average is None else float(score)}
