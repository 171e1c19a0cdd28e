"""Mean absolute error."""

# The libraries are those of the bundle's environment, which the type checker does not see.
# mypy: disable-error-code="import-not-found,import-untyped,misc"

from __future__ import annotations

from typing import Any

import datasets
import evaluate
from sklearn.metrics import mean_absolute_error


class Mae(evaluate.Metric):
    """Mean absolute error."""

    def _info(self) -> evaluate.MetricInfo:
        number = datasets.Value("float")
        kind = datasets.Sequence(number) if self.config_name == "multilist" else number
        features = datasets.Features({"predictions": kind, "references": kind})
        return evaluate.MetricInfo(description=__doc__, citation="", inputs_description="", features=features)

    def _compute(
        self,
        predictions: Any,
        references: Any,
        sample_weight: Any = None,
        multioutput: Any = "uniform_average",
    ) -> dict[str, Any]:
        score = mean_absolute_error(
            references, predictions, sample_weight=sample_weight, multioutput=multioutput
        )
        return {"mae": score}
