"""Precision, recall and F1 of labelled spans, for every kind of span and over all."""

# The libraries are those of the bundle's environment, which the type checker does not see.
# mypy: disable-error-code="import-not-found,import-untyped,misc"

from __future__ import annotations

from typing import Any

import datasets
import evaluate
from seqeval import scheme as schemes
from seqeval.metrics import accuracy_score, classification_report


class Seqeval(evaluate.Metric):
    """Precision, recall and F1 of labelled spans, for every kind of span and over all."""

    def _info(self) -> evaluate.MetricInfo:
        tags = datasets.Sequence(datasets.Value("string"))
        features = datasets.Features({"predictions": tags, "references": tags})
        return evaluate.MetricInfo(description=__doc__, citation="", inputs_description="", features=features)

    def _compute(
        self,
        predictions: Any,
        references: Any,
        suffix: bool = False,
        scheme: str | None = None,
        mode: str | None = None,
        sample_weight: Any = None,
        zero_division: Any = "warn",
    ) -> dict[str, Any]:
        if scheme is not None and not hasattr(schemes, scheme):
            raise ValueError(f"Scheme should be one of [IOB1, IOB2, IOE1, IOE2, IOBES, BILOU], got {scheme}")
        report = classification_report(
            y_true=references,
            y_pred=predictions,
            suffix=suffix,
            output_dict=True,
            scheme=getattr(schemes, scheme) if scheme else None,
            mode=mode,
            sample_weight=sample_weight,
            zero_division=zero_division,
        )
        overall = report.pop("micro avg")
        for average in ("macro avg", "weighted avg"):
            report.pop(average)
        columns = {"precision": "precision", "recall": "recall", "f1": "f1-score", "number": "support"}
        scores = {
            kind: {ours: row[theirs] for ours, theirs in columns.items()} for kind, row in report.items()
        }
        for name in ("precision", "recall", "f1"):
            scores[f"overall_{name}"] = overall[columns[name]]
        scores["overall_accuracy"] = accuracy_score(y_true=references, y_pred=predictions)
        return scores
