"""Everything a node may reach beyond its state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from agent.exchanges import ExchangeLog
from policies.base import Check, Evidence
from policies.budget import Budget
from policies.contract import Contract
from policies.parsed import ParsedBundle
from policies.records import Bundle, Rehearsal, Request
from tools.ledger import Ledger
from tools.llm.base import Model
from tools.llm.budgeted import Tally
from tools.progress import Progress, silent
from tools.trial.base import Rehearser


def utc_now() -> datetime:
    """The current time; dates of commits come from here."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Deps:
    """Frozen for one repair."""

    request: Request
    contract: Contract
    ledger: Ledger
    rehearser: Rehearser
    checks: Sequence[Check]
    budget: Budget
    model: Model | None = None
    """The model behind its recording; what it costs is charged to `tally`."""
    tally: Tally = field(default_factory=Tally)
    exchanges: ExchangeLog = field(default_factory=lambda: ExchangeLog(Path()))
    """Where the model's exchanges are kept while an attempt is under way."""
    progress: Progress = silent
    now: Callable[[], datetime] = utc_now
    clock: Callable[[], float] = monotonic

    def subject(self, bundle: Bundle) -> ParsedBundle:
        """A bundle with this repair's contract and context."""
        return ParsedBundle(bundle, self.contract, self.request.context)

    def evidence(self, rehearsals: Sequence[Rehearsal]) -> Evidence:
        """What is known beyond the text."""
        return Evidence(tuple(rehearsals), self.rehearser.installed)
