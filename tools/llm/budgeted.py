"""Charges every call to a tally and refuses the call that no longer fits."""

from __future__ import annotations

from policies.budget import Budget
from policies.errors import LimitReached
from policies.records import Spent
from tools.llm.base import Model, ModelReply, ModelRequest, Usage
from tools.llm.prices import Price
from tools.llm.reading import estimate_request, estimate_tokens

MIN_OUTPUT_TOKENS = 256
"""An answer shorter than this cannot hold a useful edit."""


class Tally:
    """What the model calls of one repair have used up; shared by all wrappers of that repair."""

    def __init__(self, spent: Spent | None = None) -> None:
        self.spent = spent or Spent()
        self.estimated_calls = 0
        """Calls whose usage the endpoint did not report: their tokens are estimates."""

    def charge(self, usage: Usage, price: Price | None) -> None:
        """Add one call."""
        tokens = (usage.input_tokens or 0) + (usage.output_tokens or 0)
        self.spent = self.spent.plus(tokens=tokens, usd=price.usd(usage) if price else 0.0, calls=1)


class BudgetedModel:
    """Wraps a model. The answer of the call that overruns is still delivered: it is paid for."""

    def __init__(self, inner: Model, *, budget: Budget, tally: Tally, price: Price | None = None) -> None:
        self._inner = inner
        self._budget = budget
        self._tally = tally
        self._price = price

    @property
    def name(self) -> str:
        """The wrapped model's name."""
        return self._inner.name

    def complete(self, request: ModelRequest) -> ModelReply:
        """Answer within the budget. Raises LimitReached before a call that cannot fit."""
        fitted = self._fit(request)
        usage = Usage(input_tokens=0, output_tokens=0)
        try:
            reply = self._inner.complete(fitted)
            usage = self._usage(fitted, reply)
            return reply
        finally:
            self._tally.charge(usage, self._price)

    def _fit(self, request: ModelRequest) -> ModelRequest:
        """The request with its output limit lowered to what is left."""
        need = estimate_request(request)
        room = request.max_output_tokens
        least = min(MIN_OUTPUT_TOKENS, room)
        tokens = self._budget.tokens_left(self._tally.spent)
        if tokens is not None:
            room = min(room, tokens - need)
            if room < least:
                raise _limit("tokens", f"{tokens} tokens are left, the call needs about {need}")
        usd = self._budget.usd_left(self._tally.spent)
        if usd is not None and self._price is not None:
            room = min(room, _affordable(usd, need, self._price))
            if room < least:
                raise _limit("usd", f"{usd:.4f} USD are left, the call has about {need} input tokens")
        return request.model_copy(update={"max_output_tokens": room})

    def _usage(self, request: ModelRequest, reply: ModelReply) -> Usage:
        """What the endpoint reported, else an estimate, so that a silent endpoint cannot run on for ever."""
        usage = reply.usage
        if usage.input_tokens is not None and usage.output_tokens is not None:
            return usage
        self._tally.estimated_calls += 1
        return Usage(
            input_tokens=estimate_request(request) if usage.input_tokens is None else usage.input_tokens,
            output_tokens=estimate_tokens(reply.text) if usage.output_tokens is None else usage.output_tokens,
            cached_input_tokens=usage.cached_input_tokens,
        )


def _affordable(usd: float, input_tokens: int, price: Price) -> int:
    """How many output tokens the money buys after the input is paid; negative when not even that."""
    left = usd - input_tokens * price.input / 1e6
    if left <= 0:
        return -1
    return int(left * 1e6 / price.output) if price.output else 10**9


def _limit(limit: str, why: str) -> LimitReached:
    return LimitReached(limit, f"the {limit} budget ends the model's work: {why}; raise --max-{limit}")
