"""Overlap of words and word sequences between a text and its references."""

# The libraries are those of the bundle's environment, which the type checker does not see.
# mypy: disable-error-code="import-not-found,import-untyped,misc"

from __future__ import annotations

from typing import Any

import datasets
import evaluate
from rouge_score import rouge_scorer, scoring


class WordsBy:
    """A function that splits a text, in the form that the scorer wants."""

    def __init__(self, split: Any) -> None:
        self.split = split

    def tokenize(self, text: str) -> Any:
        """The words of a text."""
        return self.split(text)


class Rouge(evaluate.Metric):
    """Overlap of words and word sequences between a text and its references."""

    def _info(self) -> evaluate.MetricInfo:
        text = datasets.Value("string")
        many = {"predictions": text, "references": datasets.Sequence(text)}
        features = [datasets.Features(many), datasets.Features({"predictions": text, "references": text})]
        return evaluate.MetricInfo(description=__doc__, citation="", inputs_description="", features=features)

    def _compute(
        self,
        predictions: Any,
        references: Any,
        rouge_types: Any = None,
        use_aggregator: bool = True,
        use_stemmer: bool = False,
        tokenizer: Any = None,
    ) -> dict[str, Any]:
        kinds = list(rouge_types or ("rouge1", "rouge2", "rougeL", "rougeLsum"))
        words = WordsBy(tokenizer) if tokenizer is not None else None
        scorer = rouge_scorer.RougeScorer(rouge_types=kinds, use_stemmer=use_stemmer, tokenizer=words)
        rows = []
        for reference, prediction in zip(references, predictions, strict=True):
            score = scorer.score_multi if isinstance(reference, list) else scorer.score
            rows.append(score(reference, prediction))
        if not use_aggregator:
            return {kind: [row[kind].fmeasure for row in rows] for kind in kinds}
        aggregator = scoring.BootstrapAggregator()
        for row in rows:
            aggregator.add_scores(row)
        return {kind: float(value.mid.fmeasure) for kind, value in aggregator.aggregate().items()}
