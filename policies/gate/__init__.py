"""The gate: decides whether an attempt may become the new base, as rules on the pair of both bundles."""

from policies.gate.judge import GateDecision, judge
from policies.gate.registry import all_rules

__all__ = ["GateDecision", "all_rules", "judge"]
