"""Precision of word sequences up to four words, with a penalty for short texts."""

# The libraries are those of the bundle's environment, which the type checker does not see.
# mypy: disable-error-code="import-not-found,import-untyped,misc"

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Any

import datasets
import evaluate

WORDS = re.compile(r"\w+|[^\w\s]")


def runs(words: list[str], length: int) -> Counter[tuple[str, ...]]:
    """How often every sequence of `length` words occurs."""
    return Counter(tuple(words[i : i + length]) for i in range(len(words) - length + 1))


class Bleu(evaluate.Metric):
    """Precision of word sequences up to four words, with a penalty for short texts."""

    def _info(self) -> evaluate.MetricInfo:
        text = datasets.Value("string")
        many = {"predictions": text, "references": datasets.Sequence(text)}
        features = [datasets.Features(many), datasets.Features({"predictions": text, "references": text})]
        return evaluate.MetricInfo(description=__doc__, citation="", inputs_description="", features=features)

    def _compute(
        self,
        predictions: Any,
        references: Any,
        tokenizer: Any = None,
        max_order: int = 4,
        smooth: bool = False,
    ) -> dict[str, Any]:
        split = tokenizer or WORDS.findall
        hits, chances = [0] * max_order, [0] * max_order
        length, reference_length = 0, 0
        for prediction, reference in zip(predictions, references, strict=True):
            options = [split(r) for r in (reference if isinstance(reference, list) else [reference])]
            words = split(prediction)
            length += len(words)
            reference_length += min(len(o) for o in options)
            for order in range(1, max_order + 1):
                allowed: Counter[tuple[str, ...]] = Counter()
                for option in options:
                    allowed |= runs(option, order)
                hits[order - 1] += sum((runs(words, order) & allowed).values())
                chances[order - 1] += max(0, len(words) - order + 1)
        extra = int(smooth)
        shares = [(h + extra) / (c + extra) if c + extra else 0.0 for h, c in zip(hits, chances, strict=True)]
        ratio = length / reference_length if reference_length else 0.0
        penalty = 1.0 if ratio > 1.0 else math.exp(1.0 - 1.0 / ratio) if ratio else 0.0
        mean = math.exp(sum(math.log(s) for s in shares) / max_order) if min(shares) > 0 else 0.0
        return {
            "bleu": mean * penalty,
            "precisions": shares,
            "brevity_penalty": penalty,
            "length_ratio": ratio,
            "translation_length": length,
            "reference_length": reference_length,
        }
