"""What a repair may use up, and which limit ends it."""

from __future__ import annotations

from policies.records import Record, Spent


class Budget(Record):
    """The limits of one repair; None means unlimited."""

    max_attempts: int | None = 12
    """Turns of the loop."""
    max_seconds: float | None = 3600.0
    """Wall clock of the whole repair, pauses between resumes excluded."""
    max_tokens: int | None = 400_000
    """Input and output tokens of all model calls."""
    max_usd: float | None = None
    """Cost of all model calls; needs a price for the model."""

    def exhausted(self, spent: Spent) -> str | None:
        """The first limit that is used up, by name: attempts, seconds, tokens or usd."""
        pairs: tuple[tuple[str, float | None, float], ...] = (
            ("attempts", self.max_attempts, spent.attempts),
            ("seconds", self.max_seconds, spent.seconds),
            ("tokens", self.max_tokens, spent.tokens),
            ("usd", self.max_usd, spent.usd),
        )
        return next((name for name, limit, used in pairs if limit is not None and used >= limit), None)

    def tokens_left(self, spent: Spent) -> int | None:
        """Tokens that may still be used, never negative; None when unlimited."""
        return None if self.max_tokens is None else max(0, self.max_tokens - spent.tokens)

    def usd_left(self, spent: Spent) -> float | None:
        """Dollars that may still be used, never negative; None when unlimited."""
        return None if self.max_usd is None else max(0.0, self.max_usd - spent.usd)
