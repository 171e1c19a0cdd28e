"""The loop, as a LangGraph state graph.

rehearse -> review -> record -> ready? -> finish
   ^                    | ^
   |                    v | refused
  gate <- format <- patch <- plan -> finish (budget, stuck, cannot-repair)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from agent import nodes
from agent.deps import Deps
from agent.route import after_gate, after_plan, after_record
from agent.state import RepairState
from policies.records import Spent

Node = Callable[[RepairState, Runtime[Deps]], RepairState]
RECURSION_LIMIT = 2000
"""A backstop; budgets end the loop long before."""


def build_graph() -> StateGraph[RepairState, Deps, Any, Any]:
    """The repair loop, not yet compiled: compile it with a checkpointer, or use it as a subgraph.

    Invoke it with `{"candidate": bundle, "spent": Spent()}` and a `Deps` as context.
    """
    graph: StateGraph[RepairState, Deps, Any, Any] = StateGraph(RepairState, context_schema=Deps)
    for name, node in _NODES.items():
        graph.add_node(name, cast(Any, _timed(node)))
    graph.add_edge(START, "rehearse")
    graph.add_edge("rehearse", "review")
    graph.add_edge("review", "record")
    graph.add_conditional_edges("record", after_record, ["finish", "plan"])
    graph.add_conditional_edges("plan", after_plan, ["finish", "patch"])
    graph.add_edge("patch", "format")
    graph.add_edge("format", "gate")
    graph.add_conditional_edges("gate", after_gate, ["rehearse", "record"])
    graph.add_edge("finish", END)
    return graph


_NODES: dict[str, Node] = {
    "rehearse": nodes.rehearse,
    "review": nodes.review,
    "record": nodes.record,
    "plan": nodes.plan,
    "patch": nodes.patch,
    "format": nodes.format_patch,
    "gate": nodes.gate,
    "finish": nodes.finish,
}


def _timed(node: Node) -> Node:
    """The node, with its wall time added to what is spent."""

    def timed(state: RepairState, runtime: Runtime[Deps]) -> RepairState:
        start_s = runtime.context.clock()
        update = node(state, runtime)
        spent = update.get("spent", state.get("spent", Spent()))
        return {**update, "spent": spent.plus(seconds=runtime.context.clock() - start_s)}

    return timed
