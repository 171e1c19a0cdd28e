"""Node `format`: black on what the patch touched."""

from __future__ import annotations

from langgraph.runtime import Runtime

from agent.deps import Deps
from agent.state import RepairState
from tools.formatting import format_touched


def format_patch(state: RepairState, runtime: Runtime[Deps]) -> RepairState:
    """Format the lines that the patch changed; everything else keeps its layout.

    Reads: base, patch.  Writes: candidate.
    """
    patched = state["patch"].bundle
    if patched is None:
        return {"candidate": state["base"].bundle}
    return {"candidate": format_touched(state["base"].bundle, patched)}
