"""What a model's tokens cost. No price is built in: only what the user configured is charged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, TypeAdapter, ValidationError

from policies.errors import UsageError
from policies.records import Record
from tools.llm.base import Usage


class Price(Record):
    """US dollars per million tokens."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cached_input: float | None = Field(default=None, ge=0)
    """Price of input that the endpoint had cached; as `input` when not given."""

    def usd(self, usage: Usage) -> float:
        """The cost of one call, in US dollars."""
        cached = usage.cached_input_tokens or 0
        fresh = max(0, (usage.input_tokens or 0) - cached)
        rate = self.input if self.cached_input is None else self.cached_input
        return (fresh * self.input + cached * rate + (usage.output_tokens or 0) * self.output) / 1e6


_TABLE = TypeAdapter(dict[str, Price])
_FORM = '{"model-name": {"input": USD_PER_MILLION, "output": USD_PER_MILLION}}'


def read_prices(source: str) -> dict[str, Price]:
    """The price table in `source`: JSON text, or the path of a JSON file; empty for an empty source.

    Raises: UsageError when it is neither.
    """
    text = source.strip()
    if not text:
        return {}
    try:
        data = text if text.startswith("{") else Path(text).read_text(encoding="utf-8")
        return _TABLE.validate_python(json.loads(data))
    except (OSError, ValueError, ValidationError) as error:
        why = str(error).splitlines()[0]
        raise UsageError(
            f"SUTURE_PRICES is not a price table ({why}): expected {_FORM}, or its path"
        ) from error


def price_of(model: str, prices: Mapping[str, Price]) -> Price | None:
    """The price of a model: its own name, else the longest key `prefix*` that fits."""
    if model in prices:
        return prices[model]
    fitting = [key for key in prices if key.endswith("*") and model.startswith(key[:-1])]
    return prices[max(fitting, key=len)] if fitting else None
