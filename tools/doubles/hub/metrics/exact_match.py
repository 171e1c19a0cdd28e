"""Share of texts that equal their reference."""

# The libraries are those of the bundle's environment, which the type checker does not see.
# mypy: disable-error-code="import-not-found,import-untyped,misc"

from __future__ import annotations

import re
import string
from typing import Any

import datasets
import evaluate


class ExactMatch(evaluate.Metric):
    """Share of texts that equal their reference."""

    def _info(self) -> evaluate.MetricInfo:
        text = datasets.Value("string")
        features = datasets.Features({"predictions": text, "references": text})
        return evaluate.MetricInfo(description=__doc__, citation="", inputs_description="", features=features)

    def _compute(
        self,
        predictions: Any,
        references: Any,
        regexes_to_ignore: Any = None,
        ignore_case: bool = False,
        ignore_punctuation: bool = False,
        ignore_numbers: bool = False,
    ) -> dict[str, float]:
        drop = "".join(
            (string.punctuation if ignore_punctuation else "", string.digits if ignore_numbers else "")
        )

        def plain(text: str) -> str:
            for pattern in regexes_to_ignore or ():
                text = re.sub(pattern, "", text)
            text = text.lower() if ignore_case else text
            return text.translate(str.maketrans("", "", drop))

        same = [plain(p) == plain(r) for p, r in zip(predictions, references, strict=True)]
        return {"exact_match": sum(same) / len(same)}
