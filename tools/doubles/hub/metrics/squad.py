"""Exact match and word overlap of answers, in percent, as SQuAD 1.1 counts them."""

# The libraries are those of the bundle's environment, which the type checker does not see.
# mypy: disable-error-code="import-not-found,import-untyped,misc"

from __future__ import annotations

import string
from collections import Counter
from typing import Any

import datasets
import evaluate


def words(text: str) -> list[str]:
    """Lower-case words without punctuation and articles."""
    kept = "".join(c for c in text.lower() if c not in string.punctuation)
    return [w for w in kept.split() if w not in ("a", "an", "the")]


def shared(prediction: list[str], answer: list[str]) -> float:
    """F1 of the words in common."""
    common = sum((Counter(prediction) & Counter(answer)).values())
    return 2.0 * common / (len(prediction) + len(answer)) if common else 0.0


class Squad(evaluate.Metric):
    """Exact match and word overlap of answers, in percent, as SQuAD 1.1 counts them."""

    def _info(self) -> evaluate.MetricInfo:
        text = datasets.Value("string")
        spans = datasets.Sequence({"text": text, "answer_start": datasets.Value("int32")})
        prediction = {"id": text, "prediction_text": text}
        features = datasets.Features(
            {"predictions": prediction, "references": {"id": text, "answers": spans}}
        )
        return evaluate.MetricInfo(description=__doc__, citation="", inputs_description="", features=features)

    def _compute(self, predictions: Any, references: Any) -> dict[str, float]:
        given = {p["id"]: p["prediction_text"] for p in predictions}
        exact, overlap = 0.0, 0.0
        for reference in references:
            answers = [words(t) for t in reference["answers"]["text"]]
            prediction = words(given.get(reference["id"], ""))
            exact += max(float(prediction == a) for a in answers)
            overlap += max(shared(prediction, a) for a in answers)
        return {"exact_match": 100.0 * exact / len(references), "f1": 100.0 * overlap / len(references)}
