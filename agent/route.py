"""Where the graph goes next: pure functions of the state."""

from __future__ import annotations

from typing import Literal

from agent.state import RepairState


def after_gate(state: RepairState) -> Literal["rehearse", "record"]:
    """A refused attempt is not rehearsed."""
    return "rehearse" if state["gate"].accepted else "record"


def after_record(state: RepairState) -> Literal["finish", "plan"]:
    """Ready ends the loop."""
    return "finish" if state["best"].ready else "plan"


def after_plan(state: RepairState) -> Literal["finish", "patch"]:
    """The planner either planned or ended."""
    return "finish" if state.get("end") else "patch"
