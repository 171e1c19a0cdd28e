"""Suture as a library: `repair`, its async twin, `resume`, `review`, and the graph for other pipelines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent.graph import build_graph
    from agent.library import arepair, repair, resume
    from agent.library_review import review
    from agent.results import RepairResult
    from agent.settings import Settings

__all__ = ["RepairResult", "Settings", "arepair", "build_graph", "repair", "resume", "review"]

_HOMES = {
    "RepairResult": "agent.results",
    "Settings": "agent.settings",
    "arepair": "agent.library",
    "build_graph": "agent.graph",
    "repair": "agent.library",
    "resume": "agent.library",
    "review": "agent.library_review",
}


def __getattr__(name: str) -> Any:  # PEP 562: heavy imports wait until they are used
    if name not in _HOMES:
        raise AttributeError(f"module 'agent' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
