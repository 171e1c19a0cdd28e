"""Rank correlation of two series."""

# The libraries are those of the bundle's environment, which the type checker does not see.
# mypy: disable-error-code="import-not-found,import-untyped,misc"

from __future__ import annotations

from typing import Any

import datasets
import evaluate
from scipy.stats import spearmanr


class Spearmanr(evaluate.Metric):
    """Rank correlation of two series."""

    def _info(self) -> evaluate.MetricInfo:
        features = datasets.Features(
            {"predictions": datasets.Value("float"), "references": datasets.Value("float")}
        )
        return evaluate.MetricInfo(description=__doc__, citation="", inputs_description="", features=features)

    def _compute(self, predictions: Any, references: Any, return_pvalue: bool = False) -> dict[str, float]:
        found = spearmanr(references, predictions)
        scores = {"spearmanr": float(found[0])}
        return {**scores, "spearmanr_pvalue": float(found[1])} if return_pvalue else scores
